//! SQL on safes.

use db::{Db, Tx, args, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    model::{Document, KeyWrap, MOST, Safe, Way, Wrap},
    whose::Owner,
};

pub async fn of(db: &Db, owner: Owner) -> Result<Option<Safe>, db::Error> {
    match owner {
        Owner::Account(id) => {
            db.first(
                sql!("select id, recipient from safe where authority_id = $1 and account_id = $2"),
                args![db.authority(), id],
            )
            .await
        }
        Owner::Organisation(id) => {
            db.first(
                sql!("select id, recipient from safe where authority_id = $1 and organisation_id = $2"),
                args![db.authority(), id],
            )
            .await
        }
    }
}

/// # Errors
/// `safe_account_key` or `safe_organisation_key` when the owner has one.
pub async fn create(tx: &mut Tx, safe: &Safe, owner: Owner, now: Timestamp) -> Result<(), db::Error> {
    let (account, organisation) = match owner {
        Owner::Account(id) => (Some(id), None),
        Owner::Organisation(id) => (None, Some(id)),
    };
    tx.run(
        sql!(
            "insert into safe (authority_id, id, account_id, organisation_id, recipient, created_at) values ($1, $2, $3, $4, $5, $6)"
        ),
        args![tx.authority(), safe.id, account, organisation, &safe.recipient, now],
    )
    .await?;
    Ok(())
}

pub async fn wrap(db: &Db, safe: Uuid, way: Way) -> Result<Option<Wrap>, db::Error> {
    db.fresh()
        .first(
            sql!("select salt, sealed, stale from safe_wrap where authority_id = $1 and safe_id = $2 and kind = $3"),
            args![db.authority(), safe, way.name()],
        )
        .await
}

/// Keeps a sealed key in the place of the former one.
pub async fn put_wrap(tx: &mut Tx, safe: Uuid, way: Way, wrap: &Wrap, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into safe_wrap (authority_id, safe_id, kind, salt, sealed, stale, made_at) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (authority_id, safe_id, kind) do update
             set salt = excluded.salt, sealed = excluded.sealed, stale = excluded.stale, made_at = excluded.made_at"
        ),
        args![tx.authority(), safe, way.name(), &wrap.salt, &wrap.sealed, wrap.stale, now],
    )
    .await?;
    Ok(())
}

/// What passkeys open of a safe.
pub async fn key_wraps(db: &Db, safe: Uuid) -> Result<Vec<KeyWrap>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select passkey_id, salt, sealed, made_at from safe_passkey where authority_id = $1 and safe_id = $2 order by passkey_id"
            ),
            args![db.authority(), safe],
        )
        .await
}

/// Keeps what a passkey opens, in the place of what it opened before. It goes with the passkey.
pub async fn put_key_wrap(tx: &mut Tx, safe: Uuid, wrap: &KeyWrap) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into safe_passkey (authority_id, passkey_id, safe_id, salt, sealed, made_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (authority_id, passkey_id) do update
             set safe_id = excluded.safe_id, salt = excluded.salt, sealed = excluded.sealed, made_at = excluded.made_at"
        ),
        args![tx.authority(), wrap.passkey_id, safe, &wrap.salt, &wrap.sealed, wrap.made_at],
    )
    .await?;
    Ok(())
}

pub async fn remove_key_wrap(tx: &mut Tx, safe: Uuid, passkey: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from safe_passkey where authority_id = $1 and safe_id = $2 and passkey_id = $3"),
        args![tx.authority(), safe, passkey],
    )
    .await?;
    Ok(())
}

/// The account's password no longer opens its safe; the former one still does.
pub async fn outlive_password(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update safe_wrap set stale = $1 where authority_id = $2 and kind = 'password'
               and safe_id in (select id from safe where authority_id = $2 and account_id = $3)"
        ),
        args![true, tx.authority(), account],
    )
    .await?;
    Ok(())
}

pub async fn open(tx: &mut Tx, session: Uuid, safe: Uuid, sealed: &[u8], now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into safe_opening (authority_id, session_id, safe_id, sealed, used_at) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, session_id) do update
             set safe_id = excluded.safe_id, sealed = excluded.sealed, used_at = excluded.used_at"
        ),
        args![tx.authority(), session, safe, sealed, now],
    )
    .await?;
    Ok(())
}

/// The account's safe open in this session: the sealed key, and when it was last used.
pub async fn opening(db: &Db, session: Uuid, safe: Uuid) -> Result<Option<(Vec<u8>, Timestamp)>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select sealed, used_at from safe_opening where authority_id = $1 and session_id = $2 and safe_id = $3"
            ),
            args![db.authority(), session, safe],
        )
        .await
}

pub async fn keep_open(tx: &mut Tx, session: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update safe_opening set used_at = $1 where authority_id = $2 and session_id = $3 and used_at < $1"),
        args![now, tx.authority(), session],
    )
    .await?;
    Ok(())
}

pub async fn close(tx: &mut Tx, session: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from safe_opening where authority_id = $1 and session_id = $2"),
        args![tx.authority(), session],
    )
    .await?;
    Ok(())
}

pub async fn close_before(tx: &mut Tx, before: Timestamp) -> Result<(), db::Error> {
    tx.run(sql!("delete from safe_opening where authority_id = $1 and used_at < $2"), args![tx.authority(), before])
        .await?;
    Ok(())
}

/// Documents of a safe, latest first.
pub async fn documents(db: &Db, safe: Uuid) -> Result<Vec<Document>, db::Error> {
    db.all(
        sql!(
            "select id, kind, label, size, issued_on, until_on, deposit, added_at from safe_document
             where authority_id = $1 and safe_id = $2 order by added_at desc, id desc"
        ),
        args![db.authority(), safe],
    )
    .await
}

pub async fn document(db: &Db, safe: Uuid, id: Uuid) -> Result<Option<Document>, db::Error> {
    db.first(
        sql!(
            "select id, kind, label, size, issued_on, until_on, deposit, added_at from safe_document
             where authority_id = $1 and safe_id = $2 and id = $3"
        ),
        args![db.authority(), safe, id],
    )
    .await
}

/// Bytes and number of the documents of a safe.
pub async fn weight(db: &Db, safe: Uuid) -> Result<(i64, i64), db::Error> {
    db.one(
        sql!("select cast(coalesce(sum(size), 0) as bigint), count(*) from safe_document where authority_id = $1 and safe_id = $2"),
        args![db.authority(), safe],
    )
    .await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Yes,
    /// The safe has no room for it.
    Full,
    /// The city put it in before.
    Already,
}

/// Names a document that storage already keeps, if there is room under `quota`.
pub async fn add(tx: &mut Tx, safe: Uuid, document: &Document, quota: u64) -> Result<Added, db::Error> {
    let a = tx.authority();
    // One at a time: two that come together must not both take the last room.
    let _: Option<Uuid> =
        tx.first(sql!("select id from safe where authority_id = $1 and id = $2 for update"), args![a, safe]).await?;
    let known: Option<Uuid> = tx
        .first(
            sql!("select id from safe_document where authority_id = $1 and safe_id = $2 and deposit = $3"),
            args![a, safe, &document.deposit],
        )
        .await?;
    if known.is_some() {
        return Ok(Added::Already);
    }
    let (bytes, count): (i64, i64) = tx
        .one(
            sql!("select cast(coalesce(sum(size), 0) as bigint), count(*) from safe_document where authority_id = $1 and safe_id = $2"),
            args![a, safe],
        )
        .await?;
    let total = u64::try_from(bytes.saturating_add(document.size)).unwrap_or(u64::MAX);
    if count >= MOST || total > quota {
        return Ok(Added::Full);
    }
    tx.run(
        sql!(
            "insert into safe_document (authority_id, id, safe_id, kind, label, size, issued_on, until_on, deposit, added_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        args![
            a,
            document.id,
            safe,
            &document.kind,
            &document.label,
            document.size,
            document.issued_on,
            document.until_on,
            &document.deposit,
            document.added_at
        ],
    )
    .await?;
    Ok(Added::Yes)
}

/// What its owner may change of a document.
pub struct Change<'a> {
    pub kind: &'a str,
    pub label: &'a [u8],
    pub issued_on: Date,
    pub until_on: Option<Date>,
}

pub async fn change(tx: &mut Tx, safe: Uuid, id: Uuid, change: &Change<'_>) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update safe_document set kind = $1, label = $2, issued_on = $3, until_on = $4 where authority_id = $5 and safe_id = $6 and id = $7"
        ),
        args![change.kind, change.label, change.issued_on, change.until_on, tx.authority(), safe, id],
    )
    .await?;
    Ok(())
}

pub async fn remove(tx: &mut Tx, safe: Uuid, id: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from safe_document where authority_id = $1 and safe_id = $2 and id = $3"),
        args![tx.authority(), safe, id],
    )
    .await?;
    Ok(())
}

/// Remembers that a file is a copy of a document.
pub async fn use_document(tx: &mut Tx, document: Uuid, file: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into safe_use (authority_id, document_id, file_id, at) values ($1, $2, $3, $4) on conflict do nothing"),
        args![tx.authority(), document, file, now],
    )
    .await?;
    Ok(())
}

/// Files that are copies of a document.
pub async fn uses(db: &Db, document: Uuid) -> Result<Vec<Uuid>, db::Error> {
    db.all(
        sql!("select file_id from safe_use where authority_id = $1 and document_id = $2 order by at desc limit 100"),
        args![db.authority(), document],
    )
    .await
}

/// Forgets which files of a request or a draft are copies of documents.
pub async fn uses_end(tx: &mut Tx, owner: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "delete from safe_use where authority_id = $1 and file_id in (select f.id from file f where f.authority_id = $1 and f.owner_id = $2)"
        ),
        args![tx.authority(), owner],
    )
    .await?;
    Ok(())
}

/// Whether the city put this in already.
pub async fn deposited(db: &Db, safe: Uuid, deposit: &str) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .first(
            sql!("select 1 from safe_document where authority_id = $1 and safe_id = $2 and deposit = $3"),
            args![db.authority(), safe, deposit],
        )
        .await?;
    Ok(found.is_some())
}

/// Whether documents stand against two accounts becoming one: each safe has its own key, so that what the
/// other's holds cannot go into the kept one.
pub async fn clash(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!(
                "select 1 from safe s join safe k on k.authority_id = s.authority_id and k.account_id = $3
                 where s.authority_id = $1 and s.account_id = $2
                   and exists (select 1 from safe_document d where d.authority_id = s.authority_id and d.safe_id = s.id)"
            ),
            args![tx.authority(), from, to],
        )
        .await?;
    Ok(found.is_some())
}

/// Two accounts become one: the other's safe goes along when the kept account has none. Its own password still
/// opens it, and its recovery code; not the kept account's.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    outlive_password(tx, from).await?;
    tx.run(
        sql!(
            "update safe set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from safe k where k.authority_id = $2 and k.account_id = $1)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    // What is left holds nothing: [`clash`] refused otherwise.
    tx.run(
        sql!(
            "delete from safe where authority_id = $1 and account_id = $2
               and not exists (select 1 from safe_document d where d.authority_id = $1 and d.safe_id = safe.id)"
        ),
        args![tx.authority(), from],
    )
    .await?;
    Ok(())
}
