//! Pictures of pages, made beside: a few pages a job, so that the first are there soon and no job outlives its lease.

use anyhow::{Context, Result};
use db::Tx;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    aside::{self, Failed},
    model::{PICTURE, Part},
    store::{self, Pictured},
};
use crate::{
    platform::{
        jobs::{self, Claimed, NewJob},
        upload::Received,
    },
    requests::keep_file,
    visit::Visit,
};

pub const DRAW: &str = "scan-pictures";
/// Pages of one job.
pub const AT_ONCE: i64 = 20;

pub async fn queue(
    tx: &mut Tx,
    job: Uuid,
    batch: Uuid,
    file: Uuid,
    (first, last): (i64, i64),
    now: Timestamp,
) -> Result<(), db::Error> {
    let new = NewJob {
        kind: DRAW,
        effect: format!("{DRAW}:{file}:{first}-{last}"),
        request: None,
        payload: json!({"batch": batch, "file": file, "first": first, "last": last}),
    };
    jobs::enqueue_apart(tx, job, now, new).await
}

/// Draws the first pages of what the job is about, and queues the rest.
pub async fn draw(visit: &Visit, job: &Claimed) -> Result<()> {
    let payload = &job.payload.0;
    let id = |key: &str| payload.get(key).and_then(Json::as_str).and_then(|text| text.parse().ok()).context("an id");
    let number = |key: &str| payload.get(key).and_then(Json::as_i64).context("a number");
    let (batch, file, first, last) = (id("batch")?, id("file")?, number("first")?, number("last")?);
    let Some(found) = store::find(&visit.db, batch).await? else { return Ok(()) };
    let end = last.min(first + AT_ONCE - 1);
    let part = Part { file, first, last: end };
    let drawn = match aside::draw(visit, part).await {
        Ok(drawn) => drawn,
        // One page may spoil the others: each half by itself, down to that page, which has no picture.
        Err(error) if error.is::<Failed>() => {
            if first < end {
                let middle = i64::midpoint(first, end);
                return go_on(visit, found.id, file, &[(first, middle), (middle + 1, end), (end + 1, last)]).await;
            }
            vec![None]
        }
        Err(error) => return Err(error),
    };
    for (place, picture) in (first..=end).zip(drawn) {
        keep(visit, found.id, (file, place), picture).await?;
    }
    go_on(visit, found.id, file, &[(end + 1, last)]).await
}

async fn go_on(visit: &Visit, batch: Uuid, file: Uuid, rest: &[(i64, i64)]) -> Result<()> {
    let rest: Vec<(Uuid, (i64, i64))> =
        rest.iter().filter(|(first, last)| first <= last).map(|part| (visit.id(), *part)).collect();
    if rest.is_empty() {
        return Ok(());
    }
    let now = visit.now;
    let write = async |tx: &mut Tx| {
        for (job, part) in &rest {
            queue(tx, *job, batch, file, *part, now).await?;
        }
        Ok::<(), db::Error>(())
    };
    visit.db.write(write).await?;
    Ok(())
}

/// Keeps what a page looks like; without any picture, it is not blank: somebody has to look.
async fn keep(visit: &Visit, batch: Uuid, place: (Uuid, i64), picture: Option<scans::Picture>) -> Result<()> {
    let blank = picture.as_ref().is_some_and(|picture| picture.blank);
    let mut files = Vec::new();
    if let Some(picture) = picture {
        for bytes in [picture.small, picture.large] {
            files.push(put(visit, bytes).await?);
        }
    }
    let [small, large] = [0, 1].map(|index| files.get(index).map(|file| file.id));
    let seen = Pictured { small, large, blank };
    let now = visit.now;
    let write = async |tx: &mut Tx| {
        if store::pictured(tx, batch, place, &seen).await? {
            for file in &files {
                keep_file(tx, batch, PICTURE, file, now).await?;
            }
        }
        Ok::<(), db::Error>(())
    };
    visit.db.write(write).await?;
    Ok(())
}

async fn put(visit: &Visit, bytes: Vec<u8>) -> Result<Received> {
    let (id, size, sha256) = (visit.id(), bytes.len() as u64, Sha256::digest(&bytes).to_vec());
    visit.app.storage.put(visit.site.id, id, bytes).await?;
    Ok(Received { id, name: "page.jpg".to_owned(), media_type: "image/jpeg", size, sha256 })
}
