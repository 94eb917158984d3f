//! SQL on the directory, the accounts it gives and their departments.

use std::collections::BTreeMap;

use db::{Db, Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{declaration::Declaration, person::Person};
use crate::{
    accounts::{
        self,
        connections::{self, Happened},
    },
    agents::Role,
    journal::{self, Action, Line},
    visit::Visit,
};

row! {
    /// How the last reading went.
    #[derive(Debug, Clone)]
    pub struct State {
        pub synced_at: Option<Timestamp>,
        pub held_at: Option<Timestamp>,
        pub held_lost: Option<i64>,
        pub held_of: Option<i64>,
        pub last_error: Option<String>,
    }

    /// An account that the directory gives.
    #[derive(Debug, Clone)]
    pub struct Linked {
        pub account_id: Uuid,
        pub key: String,
        pub left_at: Option<Timestamp>,
        pub closed_at: Option<Timestamp>,
        /// Departments that the directory gave it.
        pub given: i64,
        /// Departments given here, and the administration of the authority.
        pub own: i64,
    }
}

pub async fn get(db: &Db) -> Result<Option<(Declaration, Vec<u8>)>, db::Error> {
    let found: Option<(db::Json<Declaration>, Vec<u8>)> = db
        .fresh()
        .first(sql!("select declaration, sealed from directory where authority_id = $1"), args![db.authority()])
        .await?;
    Ok(found.map(|(declaration, sealed)| (declaration.0, sealed)))
}

pub async fn state(db: &Db) -> Result<Option<State>, db::Error> {
    db.first(
        sql!("select synced_at, held_at, held_lost, held_of, last_error from directory where authority_id = $1"),
        args![db.authority()],
    )
    .await
}

/// False when there is no password, given or known.
pub async fn put(tx: &mut Tx, declaration: &Declaration, sealed: Option<&[u8]>) -> Result<bool, db::Error> {
    let declaration = db::Json(declaration.clone());
    let done = match sealed {
        Some(sealed) => {
            tx.run(
                sql!(
                    "insert into directory (authority_id, declaration, sealed) values ($1, $2, $3)
                     on conflict (authority_id) do update set declaration = excluded.declaration, sealed = excluded.sealed"
                ),
                args![tx.authority(), &declaration, sealed.to_vec()],
            )
            .await?
        }
        None => {
            tx.run(
                sql!("update directory set declaration = $1 where authority_id = $2"),
                args![&declaration, tx.authority()],
            )
            .await?
        }
    };
    Ok(done == 1)
}

pub async fn forget(tx: &mut Tx) -> Result<bool, db::Error> {
    let gone = tx.run(sql!("delete from directory where authority_id = $1"), args![tx.authority()]).await?;
    tx.run(sql!("delete from directory_account where authority_id = $1"), args![tx.authority()]).await?;
    tx.run(
        sql!("update membership set from_directory = false where authority_id = $1 and from_directory = true"),
        args![tx.authority()],
    )
    .await?;
    Ok(gone == 1)
}

pub async fn synced(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update directory set synced_at = $1, held_at = null, held_lost = null, held_of = null, last_error = null where authority_id = $2"),
        args![now, tx.authority()],
    )
    .await?;
    Ok(())
}

pub async fn held(tx: &mut Tx, lost: i64, of: i64, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update directory set held_at = coalesce(held_at, $1), held_lost = $2, held_of = $3, last_error = null where authority_id = $4"),
        args![now, lost, of, tx.authority()],
    )
    .await?;
    Ok(())
}

pub async fn failed(tx: &mut Tx, error: &str) -> Result<(), db::Error> {
    let error: String = error.chars().take(500).collect();
    tx.run(sql!("update directory set last_error = $1 where authority_id = $2"), args![&error, tx.authority()]).await?;
    Ok(())
}

/// Whether the directory judges this account's password.
pub async fn linked(db: &Db, account: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .fresh()
        .first(
            sql!("select 1 from directory_account where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await?;
    Ok(found.is_some())
}

/// Whether the directory tells when this account’s access ends.
pub async fn tells_end(db: &Db, account: Uuid) -> Result<bool, db::Error> {
    let told = get(db).await?.is_some_and(|(declaration, _)| !declaration.attributes.ends.is_empty());
    Ok(told && linked(db, account).await?)
}

/// Every account of the directory.
pub async fn all_linked(db: &Db, today: Date) -> Result<Vec<Linked>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select d.account_id, d.key, d.left_at, a.closed_at,
                   (select count(*) from membership m where m.authority_id = d.authority_id and m.account_id = d.account_id and m.from_directory = true) as given,
                   (select count(*) from membership m where m.authority_id = d.authority_id and m.account_id = d.account_id and m.from_directory = false)
                     + (select count(*) from administrator g where g.authority_id = d.authority_id and g.account_id = d.account_id)
                     + (select count(*) from archivist k where k.authority_id = d.authority_id and k.account_id = d.account_id)
                     + (select count(*) from observer o where o.authority_id = d.authority_id and o.account_id = d.account_id)
                     + (select count(*) from entitlement e where e.authority_id = d.authority_id and e.account_id = d.account_id and (e.until_day is null or e.until_day >= $2)) as own
                 from directory_account d join account a on a.authority_id = d.authority_id and a.id = d.account_id
                 where d.authority_id = $1 order by d.account_id"
            ),
            args![db.authority(), today],
        )
        .await
}

/// The key under which an account waits for its entry to be found.
pub fn awaited(email: &str) -> String {
    format!("mail:{}", accounts::email_key(email))
}

/// The account of an entry: by its key, or waiting for it by its address.
pub async fn account_of(tx: &mut Tx, person: &Person, today: Date) -> Result<Option<Linked>, db::Error> {
    let awaited = person.email.as_deref().map(awaited).unwrap_or_default();
    tx.first(
        sql!(
            "select d.account_id, d.key, d.left_at, a.closed_at,
               (select count(*) from membership m where m.authority_id = d.authority_id and m.account_id = d.account_id and m.from_directory = true) as given,
               (select count(*) from membership m where m.authority_id = d.authority_id and m.account_id = d.account_id and m.from_directory = false)
                     + (select count(*) from administrator g where g.authority_id = d.authority_id and g.account_id = d.account_id)
                     + (select count(*) from archivist k where k.authority_id = d.authority_id and k.account_id = d.account_id)
                     + (select count(*) from observer o where o.authority_id = d.authority_id and o.account_id = d.account_id)
                     + (select count(*) from entitlement e where e.authority_id = d.authority_id and e.account_id = d.account_id and (e.until_day is null or e.until_day >= $4)) as own
             from directory_account d join account a on a.authority_id = d.authority_id and a.id = d.account_id
             where d.authority_id = $1 and d.key in ($2, $3) order by case when d.key = $2 then 0 else 1 end limit 1"
        ),
        args![tx.authority(), &person.key, &awaited, today],
    )
    .await
}

pub async fn link(tx: &mut Tx, account: Uuid, key: &str) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into directory_account (authority_id, account_id, key) values ($1, $2, $3)
             on conflict (authority_id, account_id) do update set key = excluded.key, left_at = null"
        ),
        args![tx.authority(), account, key],
    )
    .await?;
    Ok(())
}

/// Gives an account made here to the directory: its password opens nothing any more.
pub async fn adopt(tx: &mut Tx, account: Uuid, email: &str) -> Result<(), db::Error> {
    link(tx, account, &awaited(email)).await?;
    tx.run(
        sql!("update account set password_hash = null where authority_id = $1 and id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Notes that the account’s person is no longer in the directory, or is again (none).
pub async fn left(tx: &mut Tx, account: Uuid, at: Option<Timestamp>) -> Result<(), db::Error> {
    tx.run(
        sql!("update directory_account set left_at = $1 where authority_id = $2 and account_id = $3"),
        args![at, tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Names, quality, and the address, to sign in with and to write to, if nobody else signs in with it.
pub async fn rename(tx: &mut Tx, account: Uuid, person: &Person) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set first_name = $1, last_name = $2, quality = coalesce($3, quality) where authority_id = $4 and id = $5"),
        args![&person.first_name, &person.last_name, &person.quality, tx.authority(), account],
    )
    .await?;
    let Some(email) = &person.email else { return Ok(()) };
    tx.run(
        sql!(
            "update account set login = $1, login_key = $2, email = $1, email_key = $2
             where authority_id = $3 and id = $4 and (login <> $1 or email is null or email <> $1)
             and not exists (select 1 from account o where o.authority_id = $3 and o.kind = 'agent' and o.login_key = $2 and o.id <> $4)"
        ),
        args![email, accounts::email_key(email), tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Makes the departments that the directory gives these, and no others; gives how many were lost.
pub async fn set_roles(
    tx: &mut Tx,
    visit: &Visit,
    account: Uuid,
    roles: &BTreeMap<String, Role>,
) -> Result<usize, db::Error> {
    let given: Vec<String> = tx
        .all(
            sql!("select department_id from membership where authority_id = $1 and account_id = $2 and from_directory = true"),
            args![tx.authority(), account],
        )
        .await?;
    let lost: Vec<&String> = given.iter().filter(|department| !roles.contains_key(*department)).collect();
    for department in &lost {
        tx.run(
            sql!("delete from membership where authority_id = $1 and account_id = $2 and department_id = $3 and from_directory = true"),
            args![tx.authority(), account, department.as_str()],
        )
        .await?;
        let by = (None, department.as_str());
        connections::remember_agent(tx, visit, account, Happened::DepartmentLeft, by).await?;
    }
    for (department, role) in roles {
        if !given.contains(department) {
            let what = format!("{department}:{}", role.name());
            let trace = Line::city(None, Action::RightsChanged).about("account", account).detail(&what);
            journal::note(tx, visit.now, &trace).await?;
        }
        tx.run(
            sql!(
                "insert into membership (authority_id, account_id, department_id, role, from_directory)
                 select $1, $2, d.id, $4, true from department d where d.authority_id = $1 and d.id = $3
                 on conflict (authority_id, account_id, department_id) do update set role = excluded.role, from_directory = true"
            ),
            args![tx.authority(), account, department, role.name()],
        )
        .await?;
    }
    Ok(lost.len())
}
