//! Mails about approvals. They hold neither what is approved nor reasons.

use anyhow::{Context, Result};
use db::Tx;
use jiff::Timestamp;
use minijinja::context;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{model::Visa, store};
use crate::{
    authorities, catalogue,
    platform::{
        french,
        jobs::{self, Claimed, NewJob},
        mail::SendError,
    },
    requests::{self, model::Request},
    visit::Visit,
};

pub const MAIL: &str = "approval-mail";

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// To the department of a step, when it is its turn.
    Ask,
    /// The same, on the last day.
    Remind,
    /// To who asked: no answer came.
    Late,
    /// To who asked: all approved, somebody refused, or it is void.
    Settled,
}

impl What {
    const ALL: [Self; 4] = [Self::Ask, Self::Remind, Self::Late, Self::Settled];

    /// The name of its templates.
    fn name(self) -> &'static str {
        match self {
            Self::Ask => "visa-demande",
            Self::Remind => "visa-rappel",
            Self::Late => "visa-en-retard",
            Self::Settled => "visa-rendu",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Remind => "remind",
            Self::Late => "late",
            Self::Settled => "settled",
        }
    }
}

/// Queues one about a step, or about a circuit that is settled, in the transaction that causes it.
pub async fn queue(
    tx: &mut Tx,
    job: Uuid,
    request: Uuid,
    about: Uuid,
    what: What,
    now: Timestamp,
) -> Result<(), db::Error> {
    let new = NewJob {
        kind: MAIL,
        effect: format!("approval:{about}:{}:{job}", what.code()),
        request: Some(request),
        payload: json!({"about": about, "what": what.code()}),
    };
    jobs::enqueue_apart(tx, job, now, new).await
}

/// Sends one; nothing about a step that is answered since, nor to who has no address.
pub async fn send(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let text = |key: &str| job.payload.0.get(key).and_then(Json::as_str).unwrap_or_default();
    let what = What::ALL.into_iter().find(|what| what.code() == text("what")).context("what mail")?;
    let about: Uuid = text("about").parse().map_err(anyhow::Error::from)?;
    let found = match what {
        What::Settled => store::circuit(&visit.db, about).await.map_err(anyhow::Error::from)?.into_iter().next(),
        _ => store::find(&visit.db, about).await.map_err(anyhow::Error::from)?.filter(Visa::open),
    };
    let Some(found) = found else { return Ok(()) };
    let request = requests::store::find(&visit.db, found.request_id).await.map_err(anyhow::Error::from)?;
    let Some(request) = request else { return Ok(()) };
    let Some((to, link)) = destination(visit, &found, &request, what).await? else { return Ok(()) };
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let label = if matches!(what, What::Ask | What::Remind) { "Lire et viser" } else { "Ouvrir le dossier" };
    let context = context! {
        reference => &request.reference, procedure => (!procedure.confidential).then(|| procedure.title.clone()),
        circuit => &found.circuit_title, step => &found.title, state => &found.circuit_state,
        until => found.until.map(french::date), link => link, link_label => label,
    };
    let mail = requests::jobs::letter(visit, what.name(), context, &to, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

/// To whom, and the address of the page to look at; none when nobody can be written to.
async fn destination(visit: &Visit, found: &Visa, request: &Request, what: What) -> Result<Option<(String, String)>> {
    let base = visit.public_url();
    if matches!(what, What::Ask | What::Remind) {
        let to = authorities::department(&visit.db, &found.department_id).await?.and_then(|one| one.email);
        return Ok(to.map(|to| (to, format!("{base}/agent/a-viser/{}", found.id))));
    }
    let to = requests::jobs::asker(visit, Some(found.asked_by), &request.department_id).await?;
    Ok(to.map(|to| (to, format!("{base}/agent/demandes/{}?onglet=parapheur", request.id))))
}
