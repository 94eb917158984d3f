//! SQL on the elimination of a list: what is left of it, and what became of each request.

use db::{Db, Json, Tx, args, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::job;

/// Requests of a list with its visa that are not eliminated yet, after this one.
pub async fn left(db: &Db, id: Uuid, after: Option<Uuid>, most: i64) -> Result<Vec<Uuid>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select l.request_id from disposal_line l join disposal d on d.authority_id = l.authority_id and d.id = l.disposal_id
                 where l.authority_id = $1 and l.disposal_id = $2 and l.done_at is null and l.kept_until is null and d.noted_at is not null
                   and (cast($3 as uuid) is null or l.request_id > $3) order by l.request_id limit $4"
            ),
            args![db.authority(), id, after, most],
        )
        .await
}

/// What a visa says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    No,
    Yes,
    /// Reopened since the list was made, and ended again: that end has no visa.
    Anew,
}

/// Whether the visa lets this request go, in the transaction that takes it away.
pub async fn allowed(tx: &mut Tx, id: Uuid, request: Uuid) -> Result<Allowed, db::Error> {
    let found: Option<(Timestamp, Option<Timestamp>)> = tx
        .first(
            sql!(
                "select l.ended_at, r.ended_at from disposal_line l join disposal d on d.authority_id = l.authority_id and d.id = l.disposal_id
                   left join request r on r.authority_id = l.authority_id and r.id = l.request_id
                 where l.authority_id = $1 and l.disposal_id = $2 and l.request_id = $3 and l.done_at is null and l.kept_until is null and d.noted_at is not null"
            ),
            args![tx.authority(), id, request],
        )
        .await?;
    Ok(match found {
        None => Allowed::No,
        Some((listed, Some(ended))) if ended != listed => Allowed::Anew,
        // Its rows may be gone already.
        Some(_) => Allowed::Yes,
    })
}

/// Takes out of a list what must stay in spite of the visa.
pub async fn stays(tx: &mut Tx, id: Uuid, request: Uuid, until: Date, reason: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update disposal_line set kept_until = $4, kept_reason = $5 where authority_id = $1 and disposal_id = $2 and request_id = $3"),
        args![tx.authority(), id, request, until, reason],
    )
    .await?;
    Ok(())
}

pub async fn gone(tx: &mut Tx, id: Uuid, request: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update disposal_line set done_at = $4 where authority_id = $1 and disposal_id = $2 and request_id = $3"),
        args![tx.authority(), id, request, now],
    )
    .await?;
    Ok(())
}

/// Ends a list of which nothing is left; gives how many went, none when it was ended before.
pub async fn finish(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<Option<i64>, db::Error> {
    let a = tx.authority();
    let ended = tx
        .run(
            sql!("update disposal set done_at = $3 where authority_id = $1 and id = $2 and done_at is null and noted_at is not null"),
            args![a, id, now],
        )
        .await?;
    if ended == 0 {
        return Ok(None);
    }
    tx.one(
        sql!("select count(*) from disposal_line where authority_id = $1 and disposal_id = $2 and done_at is not null"),
        args![a, id],
    )
    .await
    .map(Some)
}

/// Whether the elimination of a list was given up by its workers: one of its jobs failed for good, and none is left
/// to go on.
pub async fn stopped(db: &Db, list: Uuid) -> Result<bool, db::Error> {
    let (db, list) = (db.fresh(), list.to_string());
    let about = |found: Vec<Json<serde_json::Value>>| {
        found.iter().any(|payload| payload.0.get("disposal").and_then(|id| id.as_str()) == Some(&list))
    };
    let pending =
        sql!("select payload from job where authority_id = $1 and kind = $2 and done_at is null and failed_at is null");
    if about(db.all(pending, args![db.authority(), job::ELIMINATE]).await?) {
        return Ok(false);
    }
    let failed = sql!("select payload from job where authority_id = $1 and kind = $2 and failed_at is not null");
    Ok(about(db.all(failed, args![db.authority(), job::ELIMINATE]).await?))
}
