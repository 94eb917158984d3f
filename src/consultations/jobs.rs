//! Mails about opinions. They hold neither question nor answer, and the link of somebody outside exists only there:
//! the database keeps its hash, the queue never holds it.

use anyhow::{Context, Result};
use db::Tx;
use jiff::Timestamp;
use minijinja::context;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{link, model::Consultation, store};
use crate::{
    authorities, catalogue,
    platform::{
        french,
        jobs::{self, Claimed, NewJob},
        mail::SendError,
        secret,
    },
    requests::{self, model::Request},
    visit::Visit,
};

pub const MAIL: &str = "opinion-mail";

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// To who is asked.
    Ask,
    /// To who is asked, from outside: another link.
    Link,
    /// To who is asked, from outside: the code that opens the link.
    Code,
    /// To who is asked, on the last day.
    Remind,
    /// To who asked: an answer came.
    Given,
    /// To who asked: none came.
    Late,
}

impl What {
    const ALL: [Self; 6] = [Self::Ask, Self::Link, Self::Code, Self::Remind, Self::Given, Self::Late];

    /// The name of its templates.
    fn name(self) -> &'static str {
        match self {
            Self::Ask | Self::Link => "avis-demande",
            Self::Code => "avis-code",
            Self::Remind => "avis-rappel",
            Self::Given => "avis-rendu",
            Self::Late => "avis-en-retard",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Link => "link",
            Self::Code => "code",
            Self::Remind => "remind",
            Self::Given => "given",
            Self::Late => "late",
        }
    }
}

/// Queues one, in the transaction that causes it.
pub async fn queue(
    tx: &mut Tx,
    job: Uuid,
    request: Uuid,
    id: Uuid,
    what: What,
    now: Timestamp,
) -> Result<(), db::Error> {
    let new = NewJob {
        kind: MAIL,
        effect: format!("opinion:{id}:{}:{job}", what.code()),
        request: Some(request),
        payload: json!({"consultation": id, "what": what.code()}),
    };
    jobs::enqueue_apart(tx, job, now, new).await
}

/// Sends one; nothing about what is settled since, nor to who has no address.
pub async fn send(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let text = |key: &str| job.payload.0.get(key).and_then(Json::as_str).unwrap_or_default();
    let what = What::ALL.into_iter().find(|what| what.code() == text("what")).context("what mail")?;
    let id: Uuid = text("consultation").parse().map_err(anyhow::Error::from)?;
    let found = store::find(&visit.db, id).await.map_err(anyhow::Error::from)?;
    let Some(found) = found.filter(|found| found.open() || what == What::Given) else { return Ok(()) };
    let request = requests::store::find(&visit.db, found.request_id).await.map_err(anyhow::Error::from)?;
    let Some(request) = request else { return Ok(()) };
    let Some((to, link)) = destination(visit, &found, &request, what).await? else { return Ok(()) };
    let code = if what == What::Code { link::code(visit, &found).unwrap_or_default() } else { String::new() };
    if what == What::Code && code.is_empty() {
        return Ok(());
    }
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let context = context! {
        reference => &request.reference, procedure => (!procedure.confidential).then(|| procedure.title.clone()),
        who => found.who(), outside => found.outside(), until => french::date(found.until), code => secret::grouped(&code, 5),
        link => link, link_label => if matches!(what, What::Given | What::Late) { "Ouvrir le dossier" } else { "Rendre mon avis" },
    };
    let mail = requests::jobs::letter(visit, what.name(), context, &to, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

/// To whom, and the address of the page to look at; none when nobody can be written to.
async fn destination(
    visit: &Visit,
    found: &Consultation,
    request: &Request,
    what: What,
) -> Result<Option<(String, String)>> {
    let base = visit.public_url();
    if matches!(what, What::Given | What::Late) {
        let to = requests::jobs::asker(visit, found.asked_by, &request.department_id).await?;
        return Ok(to.map(|to| (to, format!("{base}/agent/demandes/{}?onglet=avis", request.id))));
    }
    if let Some(department) = &found.department_id {
        let to = authorities::department(&visit.db, department).await?.and_then(|one| one.email);
        return Ok(to.map(|to| (to, format!("{base}/agent/avis-a-rendre/{}", found.id))));
    }
    let to = found.expert_email.clone();
    if what == What::Code {
        // The page that asked for it waits for it.
        return Ok(Some((to, String::new())));
    }
    let token = link::token(visit, found);
    let set = visit.db.write(async |tx: &mut Tx| store::set_token(tx, found.id, &token).await).await?;
    Ok(set.then(|| (to, format!("{base}/avis/{token}"))))
}
