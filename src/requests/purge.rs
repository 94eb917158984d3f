//! Taking a request away for good: its rows, its files, its lines in the journal. Facts and marks, which name
//! nobody, stay.

use anyhow::Result;
use db::{Tx, args, sql};
use uuid::Uuid;

use crate::{
    journal::{self, Of},
    safe,
    visit::Visit,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Its rows are gone, now or earlier.
    Gone,
    /// « Gelée »: it must stay.
    Held,
    /// It is not ended, or no longer.
    Open,
}

/// Removes the rows of an ended request, in the transaction that proves that this may be. The names of its files
/// are forgotten, their rows stay until [`rest`] has removed what they name.
pub async fn rows(tx: &mut Tx, id: Uuid) -> Result<Purge, db::Error> {
    let a = tx.authority();
    let found: Option<(bool, String)> = tx
        .first(
            sql!("select ended, reference from request where authority_id = $1 and id = $2 for update"),
            args![a, id],
        )
        .await?;
    let Some((ended, reference)) = found else { return Ok(Purge::Gone) };
    let held: Option<Uuid> = tx
        .first(sql!("select request_id from legal_hold where authority_id = $1 and request_id = $2"), args![a, id])
        .await?;
    if held.is_some() {
        return Ok(Purge::Held);
    }
    if !ended {
        return Ok(Purge::Open);
    }
    safe::uses_end(tx, id).await?;
    tx.run(sql!("update file set slot = '', name = '' where authority_id = $1 and owner_id = $2"), args![a, id])
        .await?;
    tx.run(sql!("delete from draft where authority_id = $1 and id = $2"), args![a, id]).await?;
    tx.run(sql!("delete from job where authority_id = $1 and request_id = $2"), args![a, id]).await?;
    // Mails that nobody sent, of a portal without mail server.
    let named = format!("%{reference}%");
    tx.run(sql!("delete from outbox where authority_id = $1 and (subject like $2 or body like $2)"), args![a, &named])
        .await?;
    // That it followed another says something of it.
    tx.run(sql!("delete from linked_request where authority_id = $1 and id = $2"), args![a, id]).await?;
    tx.run(sql!("delete from request where authority_id = $1 and id = $2"), args![a, id]).await?;
    Ok(Purge::Gone)
}

/// Removes what [`rows`] leaves: files and lines of the journal. Doing it again finishes.
///
/// # Errors
/// When files or journal do not answer.
pub async fn rest(visit: &Visit, id: Uuid) -> Result<()> {
    let db = visit.db.fresh();
    let files: Vec<Uuid> = db
        .all(sql!("select id from file where authority_id = $1 and owner_id = $2"), args![db.authority(), id])
        .await?;
    for file in &files {
        visit.app.storage.remove(visit.site.id, *file).await?;
    }
    db.write(async |tx: &mut Tx| {
        let a = tx.authority();
        tx.run(sql!("delete from file where authority_id = $1 and owner_id = $2"), args![a, id]).await
    })
    .await?;
    journal::erase(visit, Of::Request(id), "system").await?;
    Ok(())
}
