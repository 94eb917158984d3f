//! SQL on the keys of organisations' safes: one for each representative who may open it, encrypted to the public
//! key of their own safe.

use db::{Db, Tx, args, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::model::Safe;

/// The key as it was encrypted for this reader's own safe.
pub async fn find(db: &Db, safe: Uuid, account: Uuid, reader: Uuid) -> Result<Option<Vec<u8>>, db::Error> {
    db.fresh()
        .first(
            sql!("select sealed from safe_shared where authority_id = $1 and safe_id = $2 and account_id = $3 and reader_id = $4"),
            args![db.authority(), safe, account, reader],
        )
        .await
}

/// Who has a key: accounts, by the reader that opens it.
pub async fn holders(db: &Db, safe: Uuid) -> Result<Vec<Uuid>, db::Error> {
    db.fresh()
        .all(
            sql!("select account_id from safe_shared where authority_id = $1 and safe_id = $2 order by account_id"),
            args![db.authority(), safe],
        )
        .await
}

/// Representatives of an organisation who have a safe of their own.
pub async fn readers(db: &Db, organisation: Uuid) -> Result<Vec<(Uuid, Safe)>, db::Error> {
    let found: Vec<(Uuid, Uuid, String)> = db
        .fresh()
        .all(
            sql!(
                "select r.account_id, s.id, s.recipient from representative r
                 join safe s on s.authority_id = r.authority_id and s.account_id = r.account_id
                 where r.authority_id = $1 and r.organisation_id = $2 order by r.account_id"
            ),
            args![db.authority(), organisation],
        )
        .await?;
    Ok(found.into_iter().map(|(account, id, recipient)| (account, Safe { id, recipient })).collect())
}

/// A key for a representative.
pub struct Shared<'a> {
    pub safe: Uuid,
    pub organisation: Uuid,
    pub account: Uuid,
    pub reader: Uuid,
    pub sealed: &'a [u8],
}

/// Keeps it in the place of the former one.
pub async fn put(tx: &mut Tx, shared: &Shared<'_>, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into safe_shared (authority_id, safe_id, organisation_id, account_id, reader_id, sealed, made_at) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (authority_id, safe_id, account_id) do update
             set reader_id = excluded.reader_id, sealed = excluded.sealed, made_at = excluded.made_at"
        ),
        args![tx.authority(), shared.safe, shared.organisation, shared.account, shared.reader, shared.sealed, now],
    )
    .await?;
    Ok(())
}

/// A representative opens the organisation's documents no more. Who leaves loses it with their row.
pub async fn lose(tx: &mut Tx, organisation: Uuid, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from safe_shared where authority_id = $1 and organisation_id = $2 and account_id = $3"),
        args![tx.authority(), organisation, account],
    )
    .await?;
    Ok(())
}

/// The organisation is erased, its documents with it.
pub async fn dissolve(tx: &mut Tx, organisation: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from safe where authority_id = $1 and organisation_id = $2"),
        args![tx.authority(), organisation],
    )
    .await?;
    Ok(())
}

/// Two accounts that represent one organisation become one, after their own safes did: what the other's opened
/// follows, unless the kept one has a key.
pub async fn follow(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update safe_shared set account_id = $1 where authority_id = $2 and account_id = $3
               and organisation_id in (select organisation_id from representative where authority_id = $2 and account_id = $1)
               and safe_id not in (select k.safe_id from safe_shared k where k.authority_id = $2 and k.account_id = $1)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    Ok(())
}
