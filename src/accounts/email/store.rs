//! SQL on changes of address under way.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{LASTS, Side};

row! {
    #[derive(Debug, Clone)]
    pub struct Change {
        /// The new address.
        pub email: String,
        pub asked_at: Timestamp,
        pub new_agreed_at: Option<Timestamp>,
        pub old_agreed_at: Option<Timestamp>,
    }
}

impl Change {
    pub fn agreed(&self, side: Side) -> bool {
        match side {
            Side::New => self.new_agreed_at.is_some(),
            Side::Old => self.old_agreed_at.is_some(),
        }
    }
}

/// The change under way, if one is.
pub async fn find(db: &Db, account: Uuid, now: Timestamp) -> Result<Option<Change>, db::Error> {
    db.fresh()
        .first(
            sql!("select email, asked_at, new_agreed_at, old_agreed_at from email_change where authority_id = $1 and account_id = $2 and expires_at > $3"),
            args![db.authority(), account, now],
        )
        .await
}

/// The same, held until the transaction ends: two answers at once count one after the other.
pub async fn hold(tx: &mut Tx, account: Uuid, now: Timestamp) -> Result<Option<Change>, db::Error> {
    tx.first(
        sql!("select email, asked_at, new_agreed_at, old_agreed_at from email_change where authority_id = $1 and account_id = $2 and expires_at > $3 for update"),
        args![tx.authority(), account, now],
    )
    .await
}

/// Keeps a change, in the place of the one before; `old_agreed` when the former address has nothing to say.
pub async fn begin(tx: &mut Tx, account: Uuid, email: &str, old_agreed: bool, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into email_change (authority_id, account_id, email, asked_at, old_agreed_at, expires_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (authority_id, account_id) do update set email = excluded.email, asked_at = excluded.asked_at, new_agreed_at = null,
               old_agreed_at = excluded.old_agreed_at, expires_at = excluded.expires_at"
        ),
        args![tx.authority(), account, email, now, old_agreed.then_some(now), now.checked_add(LASTS).unwrap_or(now)],
    )
    .await?;
    Ok(())
}

pub async fn agree(tx: &mut Tx, account: Uuid, side: Side, now: Timestamp) -> Result<(), db::Error> {
    let statement = match side {
        Side::New => sql!("update email_change set new_agreed_at = $1 where authority_id = $2 and account_id = $3"),
        Side::Old => sql!("update email_change set old_agreed_at = $1 where authority_id = $2 and account_id = $3"),
    };
    tx.run(statement, args![now, tx.authority(), account]).await?;
    Ok(())
}

/// For who asks for their data.
pub async fn export(db: &Db, account: Uuid, now: Timestamp) -> Result<Option<Value>, db::Error> {
    let day = |at: Option<Timestamp>| at.map(|at| at.to_string());
    Ok(find(db, account, now).await?.map(|change| {
        json!({
            "nouvelle": change.email, "demandee_le": change.asked_at.to_string(), "confirmee_le": day(change.new_agreed_at),
            "acceptee_a_l_ancienne_le": day(change.old_agreed_at),
        })
    }))
}

pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(sql!("delete from email_change where authority_id = $1 and expires_at <= $2"), args![tx.authority(), now])
        .await?;
    Ok(())
}
