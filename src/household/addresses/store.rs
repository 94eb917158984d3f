//! SQL on the addresses of an account. Every statement binds the account.

use db::{Db, Json, Tx, args, sql};
use forms::answers::Answers;
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{self, Address, Declared, MOST};
use crate::{accounts, visit::Visitor};

/// Every address of an account, the latest first.
pub async fn all(db: &Db, account: Uuid) -> Result<Vec<Address>, db::Error> {
    db.all(
        sql!(
            "select id, kind, address, from_day, until_day, confidential, declared_at from account_address
             where authority_id = $1 and account_id = $2 order by from_day desc, declared_at desc, id desc"
        ),
        args![db.authority(), account],
    )
    .await
}

/// The main address of the visitor's account today.
pub async fn home(visitor: &Visitor) -> Result<Option<Address>, db::Error> {
    let Some(account) = visitor.account() else { return Ok(None) };
    let all = all(&visitor.db, account.id).await?;
    Ok(model::home(&all, visitor.today()).cloned())
}

/// The main address of an account that day, for somebody else: never a confidential one.
pub async fn shown_home(db: &Db, account: Uuid, today: Date) -> Result<Option<Address>, db::Error> {
    let all = all(db, account).await?;
    Ok(model::home(&all, today).filter(|home| !home.confidential).cloned())
}

/// Whether these answers of the account hold an address that it keeps confidential.
pub async fn told(db: &Db, account: Option<Uuid>, answers: &Answers) -> Result<bool, db::Error> {
    let Some(account) = account else { return Ok(false) };
    Ok(model::told(&all(db, account).await?, answers))
}

/// Declares an address, once however often the form is sent. False when there are as many as there may be.
pub async fn declare(tx: &mut Tx, account: Uuid, id: Uuid, new: &Declared, now: Timestamp) -> Result<bool, db::Error> {
    accounts::hold(tx, account).await?;
    let others: i64 = tx
        .one(
            sql!("select count(*) from account_address where authority_id = $1 and account_id = $2 and id <> $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    if others >= MOST {
        return Ok(false);
    }
    tx.run(
        sql!(
            "insert into account_address (authority_id, account_id, id, kind, address, from_day, until_day, confidential, declared_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (authority_id, account_id, id) do nothing"
        ),
        args![tx.authority(), account, id, new.kind, Json(new.address.clone()), new.from, new.until, new.confidential, now],
    )
    .await?;
    Ok(true)
}

/// False when the address is gone.
pub async fn change(tx: &mut Tx, account: Uuid, id: Uuid, new: &Declared) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update account_address set kind = $1, address = $2, from_day = $3, until_day = $4, confidential = $5
                 where authority_id = $6 and account_id = $7 and id = $8"
            ),
            args![
                new.kind,
                Json(new.address.clone()),
                new.from,
                new.until,
                new.confidential,
                tx.authority(),
                account,
                id
            ],
        )
        .await?;
    Ok(changed == 1)
}

pub async fn remove(tx: &mut Tx, account: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from account_address where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    Ok(removed == 1)
}

/// For the owner's copy of their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let one = |address: Address| {
        json!({
            "principale": address.is_main(), "adresse": address.address.0, "depuis": address.from_day, "jusque": address.until_day,
            "confidentielle": address.confidential, "declaree_le": address.declared_at.to_string(),
        })
    };
    Ok(all(db, account).await?.into_iter().map(one).collect())
}
