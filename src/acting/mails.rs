//! Mails about organisations and mandates, one at each step.

use anyhow::Context;
use db::Tx;
use minijinja::context;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::invitation;
use crate::{
    platform::{
        jobs::{self, Claimed, NewJob},
        mail::SendError,
    },
    requests,
    visit::Visit,
};

pub const LETTER: &str = "acting-letter";

/// A mail, by the name of its templates.
pub struct Letter<'a> {
    pub name: &'static str,
    pub to: &'a str,
    /// Who did it, or with whom: « Camille Martin ».
    pub who: &'a str,
    /// The organisation, or the end of the mandate: « Judo-club de Valmont », « 3 mai 2027 ».
    pub what: &'a str,
    /// Where to look; for an invitation, made when it is sent.
    pub path: &'a str,
    pub invitation: Option<Uuid>,
}

/// Queues a mail in the transaction that causes it; none for an account without address.
pub async fn queue(tx: &mut Tx, visit: &Visit, letter: &Letter<'_>) -> Result<(), db::Error> {
    if letter.to.is_empty() {
        return Ok(());
    }
    let id = visit.id();
    let payload = json!({
        "message": letter.name, "to": letter.to, "who": letter.who, "what": letter.what, "path": letter.path, "invitation": letter.invitation,
    });
    let job = NewJob { kind: LETTER, effect: format!("acting:{}:{id}", letter.name), request: None, payload };
    jobs::enqueue(tx, id, visit.now, job).await
}

/// Sends one; an invitation that was answered or withdrawn meanwhile is not.
pub async fn send(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let text = |key: &str| job.payload.0.get(key).and_then(Json::as_str).unwrap_or_default();
    let invited = text("invitation").parse::<Uuid>().ok();
    let path = match invited {
        None => text("path").to_owned(),
        Some(id) => match invitation::token(visit, id).await.context("invitation")? {
            Some(token) => format!("/invitations/{token}"),
            None => return Ok(()),
        },
    };
    let context = context! {
        who => text("who"), what => text("what"), link => format!("{}{path}", visit.public_url()),
        link_label => if invited.is_some() { "Lire l’invitation et répondre" } else { "Voir sur le site" },
    };
    let mail = requests::jobs::letter(visit, text("message"), context, text("to"), job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}
