//! Durable effects: a row written in the transaction of what caused it, carried out at least once,
//! retried with growing delays, never two at a time for one request.

use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use uuid::Uuid;

/// Shape of payloads written by this version.
const FORMAT: i64 = 1;
/// A worker that has not answered for this long is taken for dead.
pub const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// After these many tries a person has to look: about two days.
const TRIES: i64 = 12;

pub struct NewJob {
    pub kind: &'static str,
    /// Names the effect: the same effect is never queued twice.
    pub effect: String,
    pub request: Option<Uuid>,
    pub payload: Json,
}

row! {
    #[derive(Debug, Clone)]
    pub struct Claimed {
        authority_id: Uuid,
        id: Uuid,
        kind: String,
        format: i64,
        request_id: Option<Uuid>,
        payload: db::Json<Json>,
        attempts: i64,
        lease: Uuid,
    }
}

pub async fn enqueue(tx: &mut Tx, id: Uuid, now: Timestamp, job: NewJob) -> Result<(), db::Error> {
    insert(tx, id, now, job, false).await
}

/// The same for what does not go to the usager: it waits for nothing else of its request, and nothing waits for it.
pub async fn enqueue_apart(tx: &mut Tx, id: Uuid, now: Timestamp, job: NewJob) -> Result<(), db::Error> {
    insert(tx, id, now, job, true).await
}

async fn insert(tx: &mut Tx, id: Uuid, now: Timestamp, job: NewJob, apart: bool) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into job (authority_id, id, kind, format, effect, request_id, payload, run_at, attempts, created_at, apart)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $8, $9) on conflict (authority_id, effect) do nothing"
        ),
        args![tx.authority(), id, job.kind, FORMAT, job.effect, job.request, db::Json(job.payload), now, apart],
    )
    .await?;
    Ok(())
}

/// Which jobs: those of one kind, or all others.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    pub kind: &'static str,
    pub only: bool,
}

/// Takes up to `count` jobs whose moment has come, oldest first, leaving those that wait for an
/// earlier one of the same request.
pub async fn claim(db: &Db, lease: Uuid, now: Timestamp, (of, count): (Of, i64)) -> Result<Vec<Claimed>, db::Error> {
    let until = now.checked_add(LEASE).unwrap_or(now);
    let mut claimed: Vec<Claimed> = db
        .write(async |tx: &mut db::Tx| {
            tx.all(
                sql!(
                    "update job set lease = $1, leased_until = $2, attempts = attempts + 1
                     where (authority_id, id) in (
                       select j.authority_id, j.id from job j
                       where j.done_at is null and j.failed_at is null and j.run_at <= $3 and (j.leased_until is null or j.leased_until < $3)
                         and (j.kind = $5) = $6 and (j.request_id is null or j.apart or j.id = (
                           select e.id from job e where e.authority_id = j.authority_id and e.request_id = j.request_id and not e.apart
                             and e.done_at is null and e.failed_at is null order by e.id limit 1))
                       order by j.run_at, j.id limit $4 for update skip locked)
                     returning authority_id, id, kind, format, request_id, payload, attempts, lease"
                ),
                args![lease, until, now, count, of.kind, of.only],
            )
            .await
        })
        .await?;
    claimed.sort_by_key(|job| job.id);
    Ok(claimed)
}

/// Whether anything is ready: spares a write when nothing is.
pub async fn ready(db: &Db, now: Timestamp, of: Of) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .first(
            sql!("select 1 from job where done_at is null and failed_at is null and run_at <= $1 and (leased_until is null or leased_until < $1) and (kind = $2) = $3 limit 1"),
            args![now, of.kind, of.only],
        )
        .await?;
    Ok(found.is_some())
}

/// Unfinished jobs of every authority.
pub async fn pending(db: &Db) -> Result<i64, db::Error> {
    db.one(sql!("select count(*) from job where done_at is null and failed_at is null"), args![]).await
}

/// What a job leaves to its worker.
pub enum Outcome {
    /// To be recorded as done.
    Done,
    /// Recorded in the transaction of what it wrote.
    Recorded,
}

pub async fn done(db: &Db, job: &Claimed, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| record(tx, job, now).await).await
}

/// The payload is dropped with the job: nothing personal stays in the queue.
pub async fn record(tx: &mut Tx, job: &Claimed, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update job set done_at = $1, payload = $2, lease = null, leased_until = null, last_error = null where authority_id = $3 and id = $4 and lease = $5"),
        args![now, db::Json(Json::Null), job.authority_id, job.id, job.lease],
    )
    .await?;
    Ok(())
}

/// Puts the job back for later, or gives up when `fatal` or after too many tries.
pub async fn retry(db: &Db, job: &Claimed, error: &str, fatal: bool, now: Timestamp) -> Result<(), db::Error> {
    let failed = (fatal || last(job)).then_some(now);
    db.write(async |tx: &mut db::Tx| put_back(tx, job, error, failed, now).await).await
}

/// Gives up, in the transaction of what follows from it.
pub async fn fail(tx: &mut Tx, job: &Claimed, error: &str, now: Timestamp) -> Result<(), db::Error> {
    put_back(tx, job, error, Some(now), now).await
}

async fn put_back(
    tx: &mut Tx,
    job: &Claimed,
    error: &str,
    failed: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let run_at = now.checked_add(back_off(job.attempts)).unwrap_or(now);
    let error: String = error.chars().take(500).collect();
    tx.run(
        sql!("update job set failed_at = $1, run_at = $2, last_error = $3, lease = null, leased_until = null where authority_id = $4 and id = $5 and lease = $6"),
        args![failed, run_at, &error, job.authority_id, job.id, job.lease],
    )
    .await?;
    Ok(())
}

/// Whether it is given up when it fails once more.
pub fn last(job: &Claimed) -> bool {
    job.attempts >= TRIES
}

/// Whether it is still this worker's: another may have taken it meanwhile.
pub async fn is_ours(tx: &mut Tx, job: &Claimed) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from job where authority_id = $1 and id = $2 and lease = $3"),
            args![job.authority_id, job.id, job.lease],
        )
        .await?;
    Ok(found.is_some())
}

/// Puts a job back until then, as if it had not been tried.
pub async fn postpone(db: &Db, job: &Claimed, until: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!("update job set run_at = $1, attempts = attempts - 1, lease = null, leased_until = null where authority_id = $2 and id = $3 and lease = $4"),
            args![until, job.authority_id, job.id, job.lease],
        )
        .await?;
        Ok(())
    })
    .await
}

/// 10 s, doubling up to twelve hours.
fn back_off(attempts: i64) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(13);
    SignedDuration::from_secs((10_i64 << doublings).min(12 * 3600))
}
