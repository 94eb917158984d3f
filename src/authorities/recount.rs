//! After a calendar changed: the delays of running requests are counted again, by turns that follow each other.

use db::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    platform::jobs::{self, Claimed, NewJob, Outcome},
    requests::timers,
    visit::Visit,
};

/// The kind of the job that counts delays again.
pub const RECOUNT: &str = "calendar";

/// How much one job does: far less than its lease lasts, so that no two workers count the same.
const TURN: Turn = Turn { requests: 50, times: 10 };

#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Read at once.
    pub requests: i64,
    pub times: usize,
}

/// Where it stands.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// The job that began it.
    of: Uuid,
    /// The last request that was looked at.
    after: Uuid,
    moved: usize,
}

/// Counts some, under the present calendar; then another job goes on after the last. A worker that dies in between
/// repeats its turn, which moves nothing twice.
pub async fn carry_out(visit: &Visit, job: &Claimed) -> anyhow::Result<Outcome> {
    turn(visit, job, TURN).await
}

/// See [`carry_out`].
pub async fn turn(visit: &Visit, job: &Claimed, turn: Turn) -> anyhow::Result<Outcome> {
    let mut at = match &job.payload.0 {
        Json::Null => Progress { of: job.id, ..Progress::default() },
        kept => serde_json::from_value(kept.clone())?,
    };
    for _ in 0..turn.times {
        let Some((last, moved)) = timers::recount_some(visit, at.after, turn.requests).await? else {
            tracing::info!(job = %at.of, moved = at.moved, "delays counted again under another calendar");
            return Ok(Outcome::Done);
        };
        (at.after, at.moved) = (last, at.moved + moved);
    }
    let (id, effect, payload) = (visit.id(), format!("{RECOUNT}:{}:{}", at.of, at.after), serde_json::to_value(&at)?);
    visit
        .db
        .write(async |tx: &mut Tx| {
            // Otherwise whoever took it over goes on.
            if jobs::is_ours(tx, job).await? {
                let (effect, payload) = (effect.clone(), payload.clone());
                let next = NewJob { kind: RECOUNT, effect, request: None, payload };
                jobs::enqueue(tx, id, visit.now, next).await?;
                jobs::record(tx, job, visit.now).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    visit.app.work.notify_one();
    Ok(Outcome::Recorded)
}
