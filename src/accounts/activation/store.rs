//! SQL on codes of activation.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::LASTS;
use crate::accounts::{model::email_key, session::Kind};

row! {
    /// What a sign-in name and its code are judged by.
    pub struct Waiting {
        pub account_id: Uuid,
        pub code_hash: String,
    }
}

/// Keeps a code, in the place of the one before. False when the account needs none: it is open already.
pub async fn put(tx: &mut Tx, account: Uuid, hash: &str, now: Timestamp) -> Result<bool, db::Error> {
    let kept = tx
        .run(
            sql!(
                "insert into activation (authority_id, account_id, code_hash, expires_at) select authority_id, id, $3, $4 from account
                 where authority_id = $1 and id = $2 and closed_at is null and password_hash is null and confirmed_at is null
                 on conflict (authority_id, account_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at"
            ),
            args![tx.authority(), account, hash, now.checked_add(LASTS).unwrap_or(now)],
        )
        .await?;
    Ok(kept == 1)
}

/// The code that waits for whoever signs in with `login`, whose account is not open yet.
pub async fn waiting(db: &Db, login: &str, now: Timestamp) -> Result<Option<Waiting>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select v.account_id, v.code_hash from account a
                 join activation v on v.authority_id = a.authority_id and v.account_id = a.id
                 where a.authority_id = $1 and a.kind = $2 and a.login_key = $3 and a.closed_at is null and a.password_hash is null and a.confirmed_at is null
                   and v.expires_at > $4"
            ),
            args![db.authority(), Kind::Usager.name(), email_key(login), now],
        )
        .await
}

/// Uses a code up: false when another was printed, or it served, meanwhile.
pub async fn spend(tx: &mut Tx, account: Uuid, hash: &str) -> Result<bool, db::Error> {
    let spent = tx
        .run(
            sql!("delete from activation where authority_id = $1 and account_id = $2 and code_hash = $3"),
            args![tx.authority(), account, hash],
        )
        .await?;
    Ok(spent == 1)
}

/// The account has a password: no code opens it any more.
pub async fn drop(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(sql!("delete from activation where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    Ok(())
}
