//! The PDF of a letter, made once, kept with the request.

use anyhow::{Context, Result};
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::store::{self, Letter};
use crate::{
    platform::{
        jobs::{self, Claimed, NewJob, Outcome},
        upload::Received,
    },
    requests,
    visit::Visit,
};

pub const MAKE: &str = "request-letter";

/// How the slot of a letter's file begins; its id follows.
pub const SLOT: &str = "document:lettre:";

/// What makes the PDF of a letter, once.
pub fn making(request: Uuid, letter: Uuid) -> NewJob {
    let payload = json!({"letter": letter});
    NewJob { kind: MAKE, effect: format!("letter:{letter}"), request: Some(request), payload }
}

/// The file has the letter's own id: made again after a stop, it is the same one.
pub async fn make(visit: &Visit, job: &Claimed) -> Result<Outcome> {
    let id = job.payload.0.get("letter").and_then(Json::as_str).and_then(|id| id.parse::<Uuid>().ok());
    // Erased since, or made already.
    let Some(letter) = store::letter(&visit.db, id.context("no letter")?).await? else { return Ok(Outcome::Done) };
    keep(visit, job, &letter).await
}

/// Makes the PDF of a letter, unless it is made already.
pub async fn keep(visit: &Visit, job: &Claimed, letter: &Letter) -> Result<Outcome> {
    if letter.made_at.is_some() {
        return Ok(Outcome::Done);
    }
    let pdf = set(std::slice::from_ref(&letter.content.0), letter.written_on).await?;
    let file = Received {
        id: letter.id,
        name: file_name(letter),
        media_type: "application/pdf",
        size: pdf.len() as u64,
        sha256: Sha256::digest(&pdf).to_vec(),
    };
    visit.app.storage.put(visit.site.id, file.id, pdf).await?;
    let slot = format!("{SLOT}{}", letter.id);
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            requests::keep_file(tx, letter.request_id, &slot, &file, visit.now).await?;
            store::made(tx, letter.id, visit.now).await?;
            jobs::record(tx, job, visit.now).await
        })
        .await?;
    Ok(Outcome::Recorded)
}

fn file_name(letter: &Letter) -> String {
    let title = letter.title.replace(['/', '\\', '\0'], "-");
    format!("{title} – {}.pdf", letter.reference)
}

/// One PDF of these letters, in this order.
pub async fn set(contents: &[Json], day: Date) -> Result<Vec<u8>> {
    requests::jobs::render_on(&letters::LETTER, json!({"letters": contents}), day).await
}
