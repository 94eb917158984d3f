//! The mail of an invitation. Its token exists only there: the database keeps its hash, the queue never holds it.

use anyhow::Context;
use db::Tx;
use minijinja::context;
use uuid::Uuid;

use super::store;
use crate::{
    platform::{jobs::Claimed, mail::SendError, secret},
    requests,
    visit::Visit,
};

pub const INVITATION: &str = "household-invitation";

/// Sends an invitation; nothing when it was taken back, accepted or is too old.
pub async fn send(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let id = job.payload.0.get("share").and_then(|id| id.as_str()?.parse::<Uuid>().ok());
    let id = id.context("no invitation").map_err(SendError::Passing)?;
    let share = store::waiting(&visit.db, id, visit.now).await.map_err(anyhow::Error::from)?;
    let Some(share) = share else { return Ok(()) };
    let token = secret::token();
    visit.db.write(async |tx: &mut Tx| store::set_token(tx, id, &token).await).await.map_err(anyhow::Error::from)?;
    let link = format!("{}/compte/foyer/invitations/{token}", visit.public_url());
    // Who shares what is on the page: a mail is read by whoever holds the mailbox.
    let context = context! { link => link, link_label => "Voir l’invitation", inviter => share.owner_name, email => &share.email };
    let mail = requests::jobs::letter(visit, "invitation-foyer", context, &share.email, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}
