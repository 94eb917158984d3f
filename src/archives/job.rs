//! After the visa: a worker takes the requests of a list away, some at a time. Each is taken whole, and marked
//! only then: whatever stops it, doing it again goes on where it was.

use anyhow::{Context, Result};
use db::Tx;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::progress::{self, Allowed};
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
    queue_after(tx, id, list, None, why, now).await
}

/// The same, from the requests after this one on.
async fn queue_after(
    tx: &mut Tx,
    id: Uuid,
    list: Uuid,
    after: Option<Uuid>,
    why: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let payload = json!({"disposal": list, "after": after});
    let job = NewJob { kind: ELIMINATE, effect: format!("eliminate:{list}:{why}"), request: None, payload };
    jobs::enqueue(tx, id, now, job).await
}

/// Takes some of a list away, and queues the rest. A request that cannot go holds up no other: this job comes back
/// to it, while the next one goes on with the list.
///
/// # Errors
/// When database, files or journal do not answer: what is done stays done.
pub async fn eliminate(visit: &Visit, job: &Claimed) -> Result<Outcome> {
    let given = |key: &str| job.payload.0.get(key).and_then(|id| id.as_str()).map(str::parse::<Uuid>).transpose();
    let (list, after) = (given("disposal")?.context("no list")?, given("after")?);
    let requests = progress::left(&visit.db, list, after, BATCH).await?;
    let mut failed = None;
    for request in &requests {
        if let Err(error) = one(visit, list, *request).await {
            failed.get_or_insert(error.context(format!("request {request}")));
        }
    }
    let last = requests.last().copied();
    let more = last.is_some() && !progress::left(&visit.db, list, last, 1).await?.is_empty();
    // Another job may still have to come back to its own.
    let over = failed.is_none() && progress::left(&visit.db, list, None, 1).await?.is_empty();
    let next = visit.id();
    visit
        .db
        .write(async |tx: &mut Tx| {
            if more {
                queue_after(tx, next, list, last, &job.id.to_string(), visit.now).await?;
            }
            if failed.is_some() {
                return Ok(());
            }
            if over && let Some(many) = progress::finish(tx, list, visit.now).await? {
                note(tx, visit, list, &format!("done:{many}")).await?;
            }
            jobs::record(tx, job, visit.now).await
        })
        .await?;
    visit.app.work.notify_one();
    failed.map_or(Ok(Outcome::Recorded), Err)
}

async fn note(tx: &mut Tx, visit: &Visit, list: Uuid, what: &str) -> Result<(), db::Error> {
    let line = Line { actor_kind: "system", ..Line::city(None, Action::ArchivesChanged) };
    journal::note(tx, visit.now, &line.about("disposal", list).detail(what)).await
}

/// Takes one request away, unless something came up since the visa.
async fn one(visit: &Visit, list: Uuid, request: Uuid) -> Result<()> {
    let today = visit.today();
    let gone = visit
        .db
        .write(async |tx: &mut Tx| {
            let reason = match progress::allowed(tx, list, request).await? {
                Allowed::No => return Ok(false),
                Allowed::Anew => "Rouverte après le bordereau",
                Allowed::Yes => match purge::rows(tx, request).await? {
                    Purge::Gone => return Ok(true),
                    Purge::Held => "Gelée après le visa",
                    Purge::Open => "Rouverte après le visa",
                },
            };
            progress::stays(tx, list, request, today, reason).await?;
            Ok::<bool, db::Error>(false)
        })
        .await?;
    if gone {
        purge::rest(visit, request).await?;
        visit.db.write(async |tx: &mut Tx| progress::gone(tx, list, request, visit.now).await).await?;
    }
    Ok(())
}
