//! SQL on verified identities, and on those that wait for a letter.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::model::{BETWEEN_LETTERS, CODE_LASTS};

row! {
    #[derive(Debug, Clone)]
    pub struct Verified {
        /// `counter`, `post`, or `provider:<id>`.
        pub source: String,
        /// In the shape of the field kind « identity ».
        pub identity: Json<Value>,
        pub verified_at: Timestamp,
        /// Kind of paper shown at the counter: `passeport`.
        pub document: Option<String>,
    }

    #[derive(Debug, Clone)]
    pub struct Letter {
        pub id: Uuid,
        pub identity: Json<Value>,
        pub address: Json<Value>,
        pub asked_at: Timestamp,
        pub posted_at: Option<Timestamp>,
    }
}

/// The identity checked for an account, if any was.
pub async fn find(db: &Db, account: Uuid) -> Result<Option<Verified>, db::Error> {
    db.fresh()
        .first(
            sql!("select source, identity, verified_at, document from verified_identity where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await
}

/// Keeps an identity as checked now; it replaces what was known.
pub async fn record(
    tx: &mut Tx,
    account: Uuid,
    source: &str,
    identity: &Value,
    now: Timestamp,
) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into verified_identity (authority_id, account_id, source, identity, verified_at) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, account_id) do update set source = excluded.source, identity = excluded.identity, verified_at = excluded.verified_at,
               document = null"
        ),
        args![tx.authority(), account, source, Json(identity), now],
    )
    .await?;
    Ok(())
}

/// The same source says something else now: false when the identity kept is another's, or the same, or taken
/// away.
pub async fn correct(
    tx: &mut Tx,
    account: Uuid,
    source: &str,
    identity: &Value,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let before: Option<Json<Value>> = tx
        .first(
            sql!("select identity from verified_identity where authority_id = $1 and account_id = $2 and source = $3"),
            args![tx.authority(), account, source],
        )
        .await?;
    let other = before.is_some_and(|before| before.0 != *identity);
    if other {
        record(tx, account, source, identity, now).await?;
    }
    Ok(other)
}

/// Notes which kind of paper was shown.
pub async fn note_document(tx: &mut Tx, account: Uuid, document: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update verified_identity set document = $1 where authority_id = $2 and account_id = $3"),
        args![document, tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// False when there was none.
pub async fn remove(tx: &mut Tx, account: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from verified_identity where authority_id = $1 and account_id = $2"),
            args![tx.authority(), account],
        )
        .await?;
    Ok(removed == 1)
}

/// When a letter posted then, and not later, is too old for its code.
fn too_old(now: Timestamp) -> Timestamp {
    now.checked_sub(CODE_LASTS).unwrap_or(now)
}

/// The letter that an account waits for: not cancelled, nor too old.
pub async fn letter(db: &Db, account: Uuid, now: Timestamp) -> Result<Option<Letter>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select id, identity, address, asked_at, posted_at from identity_letter
                 where authority_id = $1 and account_id = $2 and identity is not null and (posted_at is null or posted_at > $3)"
            ),
            args![db.authority(), account, too_old(now)],
        )
        .await
}

/// When the last letter was posted to an account, cancelled or not.
pub async fn last_posted(db: &Db, account: Uuid) -> Result<Option<Timestamp>, db::Error> {
    let found: Option<Option<Timestamp>> = db
        .fresh()
        .first(
            sql!("select posted_at from identity_letter where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await?;
    Ok(found.flatten())
}

/// Puts a letter in the queue. False when one waits already, or was posted too short a time ago.
pub async fn ask(
    tx: &mut Tx,
    account: Uuid,
    id: Uuid,
    identity: &Value,
    address: &Value,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let lately = now.checked_sub(BETWEEN_LETTERS).unwrap_or(now);
    let asked = tx
        .run(
            sql!(
                "insert into identity_letter (authority_id, account_id, id, identity, address, asked_at) values ($1, $2, $3, $4, $5, $6)
                 on conflict (authority_id, account_id) do update
                   set id = excluded.id, identity = excluded.identity, address = excluded.address, asked_at = excluded.asked_at, posted_at = null, posted_by = null
                 where (identity_letter.identity is null and identity_letter.posted_at is null) or (identity_letter.identity is null and identity_letter.posted_at <= $7)
                   or identity_letter.posted_at <= $8"
            ),
            args![tx.authority(), account, id, Json(identity), Json(address), now, lately, too_old(now)],
        )
        .await?;
    Ok(asked == 1)
}

/// Gives a letter up. That one was posted is remembered, so that paper is not asked for without end.
pub async fn cancel(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from identity_letter where authority_id = $1 and account_id = $2 and posted_at is null"),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(
        sql!("update identity_letter set identity = null, address = null where authority_id = $1 and account_id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Uses the code of a letter up. False when it was used, cancelled or replaced meanwhile.
pub async fn redeem(tx: &mut Tx, account: Uuid, letter: Uuid) -> Result<bool, db::Error> {
    let used = tx
        .run(
            sql!("delete from identity_letter where authority_id = $1 and account_id = $2 and id = $3 and identity is not null"),
            args![tx.authority(), account, letter],
        )
        .await?;
    Ok(used == 1)
}

/// Letters to print, oldest first.
pub async fn queue(db: &Db, most: i64) -> Result<Vec<Letter>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select id, identity, address, asked_at, posted_at from identity_letter
                 where authority_id = $1 and posted_at is null and identity is not null order by asked_at, id limit $2"
            ),
            args![db.authority(), most],
        )
        .await
}

/// Notes that a letter left. False when it was given up, or is noted already.
pub async fn posted(tx: &mut Tx, letter: Uuid, agent: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let noted = tx
        .run(
            sql!(
                "update identity_letter set posted_at = $1, posted_by = $2 where authority_id = $3 and id = $4 and posted_at is null and identity is not null"
            ),
            args![now, agent, tx.authority(), letter],
        )
        .await?;
    Ok(noted == 1)
}

/// Forgets declarations whose code is too old.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from identity_letter where authority_id = $1 and posted_at <= $2"),
        args![tx.authority(), too_old(now)],
    )
    .await?;
    Ok(())
}

/// Whether somebody checked who the owners of two accounts are, and they are not the same person.
pub async fn differ(tx: &mut Tx, one: Uuid, other: Uuid) -> Result<bool, db::Error> {
    let found: Vec<(Uuid, Json<Value>)> = tx
        .all(
            sql!(
                "select account_id, identity from verified_identity where authority_id = $1 and account_id in ($2, $3)"
            ),
            args![tx.authority(), one, other],
        )
        .await?;
    Ok(matches!(found.as_slice(), [(_, one), (_, other)] if one.0 != other.0))
}

/// Two accounts become one: the kept account's own checked identity stays, else it takes the other's.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update verified_identity set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from verified_identity k where k.authority_id = $2 and k.account_id = $1)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    tx.run(
        sql!("delete from verified_identity where authority_id = $1 and account_id = $2"),
        args![tx.authority(), from],
    )
    .await?;
    // A letter on its way brings its code to an account that is no more.
    tx.run(
        sql!("delete from identity_letter where authority_id = $1 and account_id = $2"),
        args![tx.authority(), from],
    )
    .await?;
    Ok(())
}
