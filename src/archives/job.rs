//! After the visa: a worker takes the requests of a list away, some at a time. Each is taken whole, and marked
//! only then: whatever stops it, doing it again goes on where it was.

use anyhow::Context;
use db::Tx;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::store;
use crate::{
    journal::{self, Action, Line},
    platform::jobs::{self, Claimed, NewJob, Outcome},
    requests::purge::{self, Purge},
    visit::Visit,
};

pub const ELIMINATE: &str = "archives.eliminate";
/// Requests of one job: well within the time that a worker has.
const BATCH: i64 = 50;

/// Queues the elimination of a list; `why` tells one beginning from another.
pub async fn queue(tx: &mut Tx, id: Uuid, list: Uuid, why: &str, now: Timestamp) -> Result<(), db::Error> {
    let payload = json!({"disposal": list});
    let job = NewJob { kind: ELIMINATE, effect: format!("eliminate:{list}:{why}"), request: None, payload };
    jobs::enqueue(tx, id, now, job).await
}

/// Takes some of a list away, and queues the rest.
///
/// # Errors
/// When database, files or journal do not answer: what is done stays done.
pub async fn eliminate(visit: &Visit, job: &Claimed) -> anyhow::Result<Outcome> {
    let list = job.payload.0.get("disposal").and_then(|id| id.as_str()).context("no list")?.parse()?;
    for request in store::left(&visit.db, list, BATCH).await? {
        one(visit, list, request).await?;
    }
    let (more, next) = (!store::left(&visit.db, list, 1).await?.is_empty(), visit.id());
    visit
        .db
        .write(async |tx: &mut Tx| {
            if more {
                queue(tx, next, list, &job.id.to_string(), visit.now).await?;
            } else if let Some(many) = store::finish(tx, list, visit.now).await? {
                note(tx, visit, list, &format!("done:{many}")).await?;
            }
            jobs::record(tx, job, visit.now).await
        })
        .await?;
    visit.app.work.notify_one();
    Ok(Outcome::Recorded)
}

async fn note(tx: &mut Tx, visit: &Visit, list: Uuid, what: &str) -> Result<(), db::Error> {
    let line = Line { actor_kind: "system", ..Line::city(None, Action::ArchivesChanged) };
    journal::note(tx, visit.now, &line.about("disposal", list).detail(what)).await
}

/// Takes one request away, unless something came up since the visa.
async fn one(visit: &Visit, list: Uuid, request: Uuid) -> anyhow::Result<()> {
    let today = visit.today();
    let gone = visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::allowed(tx, list, request).await? {
                return Ok(false);
            }
            let reason = match purge::rows(tx, request).await? {
                Purge::Gone => return Ok(true),
                Purge::Held => "Gelée après le visa",
                Purge::Open => "Rouverte après le visa",
            };
            store::stays(tx, list, request, today, reason).await?;
            Ok::<bool, db::Error>(false)
        })
        .await?;
    if gone {
        purge::rest(visit, request).await?;
        visit.db.write(async |tx: &mut Tx| store::gone(tx, list, request, visit.now).await).await?;
    }
    Ok(())
}
