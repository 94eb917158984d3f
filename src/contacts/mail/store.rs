//! SQL on the mailbox and on what came by it.

use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::declaration::Mailbox;

/// A worker that reads a mailbox says so at each mail: one that is silent for so long is taken for dead.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

row! {
    /// How the last reading went.
    #[derive(Debug, Clone)]
    pub struct State {
        pub read_at: Option<Timestamp>,
        pub last_error: Option<String>,
    }
}

pub async fn get(db: &Db) -> Result<Option<(Mailbox, Vec<u8>)>, db::Error> {
    let found: Option<(db::Json<Mailbox>, Vec<u8>)> = db
        .first(sql!("select declaration, sealed from mailbox where authority_id = $1"), args![db.authority()])
        .await?;
    Ok(found.map(|(mailbox, sealed)| (mailbox.0, sealed)))
}

pub async fn state(db: &Db) -> Result<Option<State>, db::Error> {
    db.first(sql!("select read_at, last_error from mailbox where authority_id = $1"), args![db.authority()]).await
}

/// False when there is no password, given or known.
pub async fn put(tx: &mut Tx, mailbox: &Mailbox, sealed: Option<&[u8]>) -> Result<bool, db::Error> {
    let declaration = db::Json(mailbox.clone());
    let done = match sealed {
        Some(sealed) => {
            tx.run(
                sql!(
                    "insert into mailbox (authority_id, declaration, sealed) values ($1, $2, $3)
                     on conflict (authority_id) do update set declaration = excluded.declaration, sealed = excluded.sealed"
                ),
                args![tx.authority(), &declaration, sealed.to_vec()],
            )
            .await?
        }
        None => {
            tx.run(
                sql!("update mailbox set declaration = $1 where authority_id = $2"),
                args![&declaration, tx.authority()],
            )
            .await?
        }
    };
    Ok(done == 1)
}

pub async fn forget(tx: &mut Tx) -> Result<bool, db::Error> {
    Ok(tx.run(sql!("delete from mailbox where authority_id = $1"), args![tx.authority()]).await? == 1)
}

/// Takes the mailbox for this worker, or goes on with it. False when another has it.
pub async fn lease(db: &Db, lease: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let until = now.checked_add(LEASE).unwrap_or(now);
    db.write(async |tx: &mut Tx| {
        let taken = tx
            .run(
                sql!(
                    "update mailbox set lease = $2, leased_until = $3 where authority_id = $1 and (lease = $2 or leased_until is null or leased_until < $4)"
                ),
                args![tx.authority(), lease, until, now],
            )
            .await?;
        Ok::<bool, db::Error>(taken == 1)
    })
    .await
}

/// Gives it back, and says how it went.
pub async fn release(db: &Db, lease: Uuid, error: Option<&str>, now: Timestamp) -> Result<(), db::Error> {
    let error = error.map(|text| text.chars().take(500).collect::<String>());
    db.write(async |tx: &mut Tx| {
        tx.run(
            sql!(
                "update mailbox set lease = null, leased_until = null, read_at = $3, last_error = $4 where authority_id = $1 and lease = $2"
            ),
            args![tx.authority(), lease, now, &error],
        )
        .await?;
        Ok(())
    })
    .await
}

/// How many mails of robots a request has.
pub async fn unproven(db: &Db, request: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!(
            "select count(*) from contact where authority_id = $1 and request_id = $2 and channel = 'email' and recorded_by is null and not as_message and settled_at is null"
        ),
        args![db.authority(), request],
    )
    .await
}

/// Mails that became messages of a request in the last day.
pub async fn today(db: &Db, request: Uuid, now: Timestamp) -> Result<i64, db::Error> {
    let since = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    db.one(
        sql!("select count(*) from contact where authority_id = $1 and request_id = $2 and as_message and recorded_at > $3"),
        args![db.authority(), request, since],
    )
    .await
}
