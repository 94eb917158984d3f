//! SQL on passkeys, and on the challenges they have answered.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rs::prelude::Passkey;

use crate::{
    accounts::session::{self, Kind},
    safe,
};

row! {
    /// What its owner sees of a passkey.
    #[derive(Debug, Clone)]
    pub struct Listed {
        pub id: Uuid,
        pub name: String,
        pub created_at: Timestamp,
        pub used_at: Option<Timestamp>,
    }

    #[derive(Debug, Clone)]
    pub struct Kept {
        pub id: Uuid,
        pub account_id: Uuid,
        pub public_key: Json<Passkey>,
    }
}

pub async fn list(db: &Db, account: Uuid) -> Result<Vec<Listed>, db::Error> {
    db.fresh()
        .all(
            sql!("select id, name, created_at, used_at from passkey where authority_id = $1 and account_id = $2 order by id"),
            args![db.authority(), account],
        )
        .await
}

/// For who asks for their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let (keys, opening) = (list(db, account).await?, safe::passkeys(db, account).await?);
    let line = |key: &Listed| {
        json!({
            "nom": key.name, "ajoutee_le": key.created_at.to_string(), "servie_le": key.used_at.map(|at| at.to_string()),
            "ouvre_mes_documents": opening.contains(&key.id),
        })
    };
    Ok(keys.iter().map(line).collect())
}

pub async fn present(db: &Db, account: Uuid) -> Result<bool, db::Error> {
    Ok(!list(db, account).await?.is_empty())
}

/// The passkeys of an account, whole.
pub async fn keys(db: &Db, account: Uuid) -> Result<Vec<Kept>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select id, account_id, public_key from passkey where authority_id = $1 and account_id = $2 order by id"
            ),
            args![db.authority(), account],
        )
        .await
}

/// The ids that authenticators chose, so that none makes a second key for the same account.
pub async fn credentials(db: &Db, account: Uuid) -> Result<Vec<(Vec<u8>,)>, db::Error> {
    db.fresh()
        .all(
            sql!("select credential from passkey where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await
}

/// The passkey of this id, if its account may enter at this door.
pub async fn find(db: &Db, kind: Kind, credential: &[u8]) -> Result<Option<Kept>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select k.id, k.account_id, k.public_key from passkey k join account a on a.authority_id = k.authority_id and a.id = k.account_id
                 where k.authority_id = $1 and k.credential = $2 and a.kind = $3 and a.confirmed_at is not null and a.closed_at is null"
            ),
            args![db.authority(), credential, kind.name()],
        )
        .await
}

/// False when the authenticator's key is kept already.
pub async fn add(
    tx: &mut Tx,
    account: Uuid,
    id: Uuid,
    key: &Passkey,
    name: &str,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let added = tx
        .run(
            sql!(
                "insert into passkey (authority_id, id, account_id, credential, public_key, name, created_at) values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (authority_id, credential) do nothing"
            ),
            args![tx.authority(), id, account, key.cred_id().as_ref() as &[u8], Json(key), name, now],
        )
        .await?;
    Ok(added == 1)
}

/// It has served: its counter and flags move on. False when it was removed meanwhile.
pub async fn used(tx: &mut Tx, id: Uuid, key: &Passkey, now: Timestamp) -> Result<bool, db::Error> {
    let used = tx
        .run(
            sql!("update passkey set public_key = $1, used_at = $2 where authority_id = $3 and id = $4"),
            args![Json(key), now, tx.authority(), id],
        )
        .await?;
    Ok(used == 1)
}

/// Whether the account has this passkey.
pub async fn there(tx: &mut Tx, account: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from passkey where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    Ok(found.is_some())
}

/// Notes that a session has both factors by this passkey.
pub async fn vouch(tx: &mut Tx, session: Uuid, id: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update session set passkey_id = $1 where authority_id = $2 and id = $3"),
        args![id, tx.authority(), session],
    )
    .await?;
    Ok(())
}

/// Removes a passkey and ends the sessions it vouched for; `kept`, where it is removed, stays open without
/// it. False when the account has none of this id.
pub async fn remove(tx: &mut Tx, account: Uuid, id: Uuid, kept: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from passkey where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    if removed == 1 {
        let vouched: Vec<(Uuid,)> = tx
            .all(
                sql!("select id from session where authority_id = $1 and passkey_id = $2 and id <> $3"),
                args![tx.authority(), id, kept],
            )
            .await?;
        end(tx, &vouched).await?;
        tx.run(
            sql!("update session set passkey_id = null where authority_id = $1 and passkey_id = $2"),
            args![tx.authority(), id],
        )
        .await?;
    }
    Ok(removed == 1)
}

/// Removes every passkey of an account, with the sessions they vouched for. False when there was none.
pub async fn remove_all(tx: &mut Tx, account: Uuid) -> Result<bool, db::Error> {
    let vouched: Vec<(Uuid,)> = tx
        .all(
            sql!("select id from session where authority_id = $1 and account_id = $2 and passkey_id is not null"),
            args![tx.authority(), account],
        )
        .await?;
    end(tx, &vouched).await?;
    let removed = tx
        .run(sql!("delete from passkey where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    Ok(removed > 0)
}

async fn end(tx: &mut Tx, sessions: &[(Uuid,)]) -> Result<(), db::Error> {
    for (id,) in sessions {
        session::close(tx, *id).await?;
    }
    Ok(())
}

/// Uses a challenge up. False when it was answered before.
pub async fn answer(tx: &mut Tx, digest: &[u8], expires: Timestamp) -> Result<bool, db::Error> {
    let first = tx
        .run(
            sql!("insert into passkey_answer (authority_id, digest, expires_at) values ($1, $2, $3) on conflict (authority_id, digest) do nothing"),
            args![tx.authority(), digest, expires],
        )
        .await?;
    Ok(first == 1)
}

/// Forgets the challenges that have expired by themselves.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(sql!("delete from passkey_answer where authority_id = $1 and expires_at < $2"), args![tx.authority(), now])
        .await?;
    Ok(())
}
