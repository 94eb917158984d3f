//! SQL on linked services. What an usager sees binds their account; what a department sees, its service.

use db::{Db, Json, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Declaration, MOST, Service};
use crate::{
    accounts::{
        self,
        jobs::{self, Letter, More},
    },
    platform::clock,
    visit::Visit,
};

/// How long refused tries are counted, in days.
const COUNTED: i64 = 365;
/// A load that is not whole after this long will never be.
const LOADING: SignedDuration = SignedDuration::from_hours(24);

macro_rules! services {
    ($rest:literal) => {
        sql!(concat!(
            "select s.id, s.department_id, d.name as department_name, s.declaration, s.load_id, s.loaded_at
             from linked_service s join department d on d.authority_id = s.authority_id and d.id = s.department_id ",
            $rest
        ))
    };
}

pub async fn all(db: &Db) -> Result<Vec<Service>, db::Error> {
    db.all(services!("where s.authority_id = $1 order by s.id"), args![db.authority()]).await
}

pub async fn find(db: &Db, id: &str) -> Result<Option<Service>, db::Error> {
    db.first(services!("where s.authority_id = $1 and s.id = $2"), args![db.authority(), id]).await
}

/// Keeps a declaration, in the place of the one that had its id.
///
/// # Errors
/// When its department is not there.
pub async fn put(db: &Db, declaration: &Declaration, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| {
        tx.run(
            sql!(
                "insert into linked_service (authority_id, id, department_id, declaration, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
                 on conflict (authority_id, id) do update
                 set department_id = excluded.department_id, declaration = excluded.declaration, updated_at = excluded.updated_at"
            ),
            args![tx.authority(), &declaration.id, &declaration.department, Json(declaration), now],
        )
        .await?;
        Ok(())
    })
    .await
}

/// Takes a service out, with all that was linked; those who had linked something are told. False when it was
/// not there.
pub async fn remove(visit: &Visit, id: &str) -> Result<bool, db::Error> {
    let removed = visit
        .db
        .write(async |tx: &mut Tx| {
            let accounts: Vec<Uuid> = tx
                .all(
                    sql!("select distinct account_id from linked_account where authority_id = $1 and service_id = $2 and gone_at is null"),
                    args![tx.authority(), id],
                )
                .await?;
            tell(tx, visit, accounts).await?;
            tx.run(sql!("delete from linked_service where authority_id = $1 and id = $2"), args![tx.authority(), id]).await
        })
        .await?;
    visit.app.work.notify_one();
    Ok(removed == 1)
}

/// Tells each of these once that a service no longer knows a reference of theirs.
async fn tell(tx: &mut Tx, visit: &Visit, mut accounts: Vec<Uuid>) -> Result<(), db::Error> {
    accounts.sort_unstable();
    accounts.dedup();
    for account in accounts {
        jobs::queue(tx, visit, Letter::ReferenceGone, account, More::default()).await?;
    }
    Ok(())
}

// --- Loading

pub async fn begin(tx: &mut Tx, service: &str, load: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into linked_load (authority_id, service_id, id, started_at) values ($1, $2, $3, $4) on conflict do nothing"),
        args![tx.authority(), service, load, now],
    )
    .await?;
    Ok(())
}

/// One reference on its way in.
#[derive(Debug)]
pub struct Row {
    pub key: Vec<u8>,
    pub proof: Vec<u8>,
    pub sealed: Vec<u8>,
}

pub async fn add(tx: &mut Tx, service: &str, load: Uuid, rows: &[Row]) -> Result<(), db::Error> {
    for row in rows {
        tx.run(
            sql!("insert into linked_reference (authority_id, service_id, load_id, ref_key, proof, sealed) values ($1, $2, $3, $4, $5, $6)"),
            args![tx.authority(), service, load, &row.key, &row.proof, &row.sealed],
        )
        .await?;
    }
    Ok(())
}

/// The references of a load.
pub async fn size(db: &Db, service: &str, load: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from linked_reference where authority_id = $1 and service_id = $2 and load_id = $3"),
        args![db.authority(), service, load],
    )
    .await
}

/// A load counts from now on, whole: what it no longer holds is gone for who linked it, and they are told;
/// what came back is back.
pub async fn change_over(tx: &mut Tx, visit: &Visit, service: &str, load: Uuid) -> Result<(), db::Error> {
    let (a, now) = (tx.authority(), visit.now);
    tx.run(
        sql!("update linked_service set load_id = $1, loaded_at = $2 where authority_id = $3 and id = $4"),
        args![load, now, a, service],
    )
    .await?;
    let gone: Vec<Uuid> = tx
        .all(
            sql!(
                "update linked_account set gone_at = $1 where authority_id = $2 and service_id = $3 and gone_at is null
                   and not exists (select 1 from linked_reference r where r.authority_id = $2 and r.service_id = $3 and r.load_id = $4 and r.ref_key = linked_account.ref_key)
                 returning account_id"
            ),
            args![now, a, service, load],
        )
        .await?;
    tx.run(
        sql!(
            "update linked_account set gone_at = null where authority_id = $1 and service_id = $2 and gone_at is not null
               and exists (select 1 from linked_reference r where r.authority_id = $1 and r.service_id = $2 and r.load_id = $3 and r.ref_key = linked_account.ref_key)"
        ),
        args![a, service, load],
    )
    .await?;
    tell(tx, visit, gone).await
}

/// Drops a load that counts no more, or never did.
pub async fn drop_load(db: &Db, service: &str, load: Uuid) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| {
        tx.run(
            sql!("delete from linked_load where authority_id = $1 and service_id = $2 and id = $3"),
            args![tx.authority(), service, load],
        )
        .await?;
        Ok(())
    })
    .await
}

pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    let before = now.checked_sub(LOADING).unwrap_or(now);
    tx.run(
        sql!(
            "delete from linked_load where authority_id = $1 and started_at < $2
               and not exists (select 1 from linked_service s where s.authority_id = $1 and s.id = linked_load.service_id and s.load_id = linked_load.id)"
        ),
        args![tx.authority(), before],
    )
    .await?;
    let today = clock::day(now, &TimeZone::UTC);
    let first = today.checked_sub(COUNTED.days()).unwrap_or(today);
    tx.run(sql!("delete from linked_failure where authority_id = $1 and day < $2"), args![tx.authority(), first])
        .await?;
    Ok(())
}

// --- Linking

/// The proof kept of a reference that counts.
pub async fn proof(db: &Db, service: &Service, key: &[u8]) -> Result<Option<Vec<u8>>, db::Error> {
    db.first(
        sql!("select proof from linked_reference where authority_id = $1 and service_id = $2 and load_id = $3 and ref_key = $4"),
        args![db.authority(), &service.id, service.load_id, key],
    )
    .await
}

/// Links a reference; once, however often it is asked. `person_key` serves when the account has none with
/// this service. False when the account has as many as it may.
pub async fn link(
    tx: &mut Tx,
    account: Uuid,
    new: (Uuid, &str),
    service: &Service,
    key: &[u8],
    now: Timestamp,
) -> Result<bool, db::Error> {
    let (a, (id, person_key)) = (tx.authority(), new);
    accounts::hold(tx, account).await?;
    let count: i64 = tx
        .one(sql!("select count(*) from linked_account where authority_id = $1 and account_id = $2"), args![a, account])
        .await?;
    if count >= MOST {
        return Ok(false);
    }
    tx.run(
        sql!(
            "insert into linked_account (authority_id, account_id, id, service_id, ref_key, name, person_key, linked_at)
             values ($1, $2, $3, $4, $5, $6,
               coalesce((select min(person_key) from linked_account where authority_id = $1 and account_id = $2 and service_id = $4), $7), $8)
             on conflict (authority_id, service_id, ref_key, account_id) do update set gone_at = null"
        ),
        args![a, account, id, &service.id, key, &service.declaration.0.label, person_key, now],
    )
    .await?;
    Ok(true)
}

pub async fn count_failure(tx: &mut Tx, service: &str, day: Date) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into linked_failure (authority_id, service_id, day, failures) values ($1, $2, $3, 1)
             on conflict (authority_id, service_id, day) do update set failures = linked_failure.failures + 1"
        ),
        args![tx.authority(), service, day],
    )
    .await?;
    Ok(())
}

row! {
    /// A reference that an account linked.
    #[derive(Debug, Clone)]
    pub struct Linked {
        pub id: Uuid,
        pub name: String,
        pub ref_key: Vec<u8>,
        pub linked_at: Timestamp,
        pub gone_at: Option<Timestamp>,
        pub department_name: String,
        pub declaration: Json<Declaration>,
        pub loaded_at: Option<Timestamp>,
        pub sealed: Option<Vec<u8>>,
    }
}

/// All that an account linked, in the order it did.
pub async fn linked(db: &Db, account: Uuid) -> Result<Vec<Linked>, db::Error> {
    db.all(
        sql!(
            "select l.id, l.name, l.ref_key, l.linked_at, l.gone_at, d.name as department_name, s.declaration, s.loaded_at, r.sealed
             from linked_account l join linked_service s on s.authority_id = l.authority_id and s.id = l.service_id
             join department d on d.authority_id = s.authority_id and d.id = s.department_id
             left join linked_reference r on r.authority_id = s.authority_id and r.service_id = s.id and r.load_id = s.load_id and r.ref_key = l.ref_key
             where l.authority_id = $1 and l.account_id = $2 order by l.linked_at, l.id"
        ),
        args![db.authority(), account],
    )
    .await
}

/// The name that an account gave to what it linked.
pub async fn name(db: &Db, account: Uuid, id: Uuid) -> Result<Option<String>, db::Error> {
    db.first(
        sql!("select name from linked_account where authority_id = $1 and account_id = $2 and id = $3"),
        args![db.authority(), account, id],
    )
    .await
}

/// False when it is not there.
pub async fn rename(tx: &mut Tx, account: Uuid, id: Uuid, name: &str) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!("update linked_account set name = $1 where authority_id = $2 and account_id = $3 and id = $4"),
            args![name, tx.authority(), account, id],
        )
        .await?;
    Ok(changed == 1)
}

/// False when it is not there.
pub async fn unlink(tx: &mut Tx, account: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from linked_account where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    Ok(removed == 1)
}

// --- What a department sees

row! {
    #[derive(Debug, Clone)]
    pub struct Figures {
        pub known: i64,
        pub linked: i64,
        pub gone: i64,
    }
}

pub async fn figures(db: &Db, service: &Service) -> Result<Figures, db::Error> {
    db.one(
        sql!(
            "select (select count(*) from linked_reference where authority_id = $1 and service_id = $2 and load_id = $3) as known,
               (select count(distinct ref_key) from linked_account where authority_id = $1 and service_id = $2 and gone_at is null) as linked,
               (select count(distinct ref_key) from linked_account where authority_id = $1 and service_id = $2 and gone_at is not null) as gone"
        ),
        args![db.authority(), &service.id, service.load_id],
    )
    .await
}

/// Refused tries by day, latest first.
pub async fn failures(db: &Db, service: &str, since: Date) -> Result<Vec<(Date, i64)>, db::Error> {
    db.all(
        sql!("select day, failures from linked_failure where authority_id = $1 and service_id = $2 and day >= $3 order by day desc"),
        args![db.authority(), service, since],
    )
    .await
}

/// By which keys the service knows those who linked a reference.
pub async fn keys(db: &Db, service: &str, key: &[u8]) -> Result<Vec<String>, db::Error> {
    db.all(
        sql!("select person_key from linked_account where authority_id = $1 and service_id = $2 and ref_key = $3 order by person_key"),
        args![db.authority(), service, key],
    )
    .await
}

/// What an account linked, for the export of one's data.
pub async fn export(visit: &Visit, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let one = |one: &Linked| {
        let told = super::judge::told(visit, one);
        json!({
            "nom": one.name, "service": one.department_name, "rattache_le": one.linked_at.to_string(),
            "inconnue_depuis": one.gone_at.map(|at| at.to_string()), "reference": told.as_ref().map(|told| &told.reference),
            "donnees": told.as_ref().map(|told| &told.values),
        })
    };
    Ok(linked(&visit.db, account).await?.iter().map(one).collect())
}

/// How many references an account linked.
pub async fn count(db: &Db, account: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from linked_account where authority_id = $1 and account_id = $2"),
        args![db.authority(), account],
    )
    .await
}

/// Two accounts become one: it keeps what both had linked.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update linked_account set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from linked_account k where k.authority_id = $2 and k.account_id = $1
                 and k.service_id = linked_account.service_id and k.ref_key = linked_account.ref_key)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    tx.run(sql!("delete from linked_account where authority_id = $1 and account_id = $2"), args![tx.authority(), from])
        .await?;
    Ok(())
}
