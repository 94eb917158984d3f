//! SQL on organisations and their representatives.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::model::{Organisation, Role};

/// An organisation to be.
pub struct New<'a> {
    pub id: Uuid,
    pub kind: &'a str,
    pub siret: Option<&'a str>,
    pub rna: Option<&'a str>,
    pub name: &'a str,
    pub address: &'a str,
}

row! {
    /// An organisation, with what somebody is in it.
    #[derive(Debug, Clone)]
    pub struct Represented {
        pub id: Uuid,
        pub name: String,
        pub siret: Option<String>,
        pub rna: Option<String>,
        pub verified_at: Option<Timestamp>,
        pub successor_id: Option<Uuid>,
        pub role: String,
        pub since: Timestamp,
    }

    #[derive(Debug, Clone)]
    pub struct Person {
        pub account_id: Uuid,
        pub name: String,
        pub email: String,
        pub role: String,
        pub since: Timestamp,
    }
}

/// What a stored word says; an unknown one gives the least.
fn role(code: &str) -> Role {
    Role::parse(code).unwrap_or(Role::Reader)
}

impl Represented {
    pub fn role(&self) -> Role {
        role(&self.role)
    }
}

impl Person {
    pub fn role(&self) -> Role {
        role(&self.role)
    }
}

/// Declares an organisation with its president, once however often the form is sent. False when its
/// number is another's already.
pub async fn declare(tx: &mut Tx, new: &New<'_>, president: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    tx.run(
        sql!(
            "insert into organisation (authority_id, id, kind, siret, rna, name, address, declared_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing"
        ),
        args![tx.authority(), new.id, new.kind, new.siret, new.rna, new.name, new.address, now],
    )
    .await?;
    // A second sending finds it there, with the same president; a stranger's guess of an id finds nothing.
    let people: Vec<Uuid> = tx
        .all(
            sql!("select account_id from representative where authority_id = $1 and organisation_id = $2"),
            args![tx.authority(), new.id],
        )
        .await?;
    let made: Option<i64> = tx
        .first(sql!("select 1 from organisation where authority_id = $1 and id = $2"), args![tx.authority(), new.id])
        .await?;
    if made.is_none() || !people.is_empty() {
        return Ok(people.contains(&president));
    }
    join(tx, new.id, president, Role::President, now).await?;
    Ok(true)
}

/// Makes somebody a representative, or changes what they are.
pub async fn join(tx: &mut Tx, id: Uuid, account: Uuid, role: Role, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into representative (authority_id, organisation_id, account_id, role, since) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, organisation_id, account_id) do update set role = excluded.role, since = excluded.since"
        ),
        args![tx.authority(), id, account, role.code(), now],
    )
    .await?;
    if role.opens_documents() { Ok(()) } else { crate::safe::lose(tx, id, account).await }
}

/// False when they are no representative.
pub async fn remove(tx: &mut Tx, id: Uuid, account: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from representative where authority_id = $1 and organisation_id = $2 and account_id = $3"),
            args![tx.authority(), id, account],
        )
        .await?;
    tx.run(
        sql!("update organisation set successor_id = null where authority_id = $1 and id = $2 and successor_id = $3"),
        args![tx.authority(), id, account],
    )
    .await?;
    Ok(removed == 1)
}

/// What somebody is, read in a transaction that relies on it.
pub async fn role_of(tx: &mut Tx, id: Uuid, account: Uuid) -> Result<Option<Role>, db::Error> {
    // Held, so that two changes sent together are judged one after the other.
    let _: Option<Uuid> = tx
        .first(
            sql!("select id from organisation where authority_id = $1 and id = $2 for update"),
            args![tx.authority(), id],
        )
        .await?;
    let code: Option<String> = tx
        .first(
            sql!(
                "select role from representative where authority_id = $1 and organisation_id = $2 and account_id = $3"
            ),
            args![tx.authority(), id, account],
        )
        .await?;
    Ok(code.map(|code| role(&code)))
}

pub async fn president(tx: &mut Tx, id: Uuid) -> Result<Option<Uuid>, db::Error> {
    tx.first(
        sql!("select account_id from representative where authority_id = $1 and organisation_id = $2 and role = 'president'"),
        args![tx.authority(), id],
    )
    .await
}

/// To whom the presidency is proposed; none takes it back.
pub async fn propose(tx: &mut Tx, id: Uuid, successor: Option<Uuid>) -> Result<(), db::Error> {
    tx.run(
        sql!("update organisation set successor_id = $1 where authority_id = $2 and id = $3"),
        args![successor, tx.authority(), id],
    )
    .await?;
    Ok(())
}

pub async fn proposed(tx: &mut Tx, id: Uuid) -> Result<Option<Uuid>, db::Error> {
    let found: Option<(Option<Uuid>,)> = tx
        .first(
            sql!("select successor_id from organisation where authority_id = $1 and id = $2"),
            args![tx.authority(), id],
        )
        .await?;
    Ok(found.and_then(|(successor,)| successor))
}

pub async fn verify(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update organisation set verified_at = $1 where authority_id = $2 and id = $3"),
        args![now, tx.authority(), id],
    )
    .await?;
    Ok(())
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Organisation>, db::Error> {
    db.first(
        sql!("select id, kind, siret, rna, name, address, declared_at, verified_at, successor_id from organisation where authority_id = $1 and id = $2"),
        args![db.authority(), id],
    )
    .await
}

/// By a whole number, Siret or RNA.
pub async fn numbered(db: &Db, number: &str) -> Result<Option<Organisation>, db::Error> {
    db.first(
        sql!(
            "select id, kind, siret, rna, name, address, declared_at, verified_at, successor_id from organisation where authority_id = $1 and siret = $2
             union all select id, kind, siret, rna, name, address, declared_at, verified_at, successor_id from organisation where authority_id = $1 and rna = $2 limit 1"
        ),
        args![db.authority(), number],
    )
    .await
}

/// One organisation that an account represents.
pub async fn represented(db: &Db, account: Uuid, id: Uuid) -> Result<Option<Represented>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select o.id, o.name, o.siret, o.rna, o.verified_at, o.successor_id, r.role, r.since from representative r
                 join organisation o on o.authority_id = r.authority_id and o.id = r.organisation_id
                 where r.authority_id = $1 and r.account_id = $2 and r.organisation_id = $3"
            ),
            args![db.authority(), account, id],
        )
        .await
}

/// All those that an account represents.
pub async fn of(db: &Db, account: Uuid) -> Result<Vec<Represented>, db::Error> {
    db.all(
        sql!(
            "select o.id, o.name, o.siret, o.rna, o.verified_at, o.successor_id, r.role, r.since from representative r
             join organisation o on o.authority_id = r.authority_id and o.id = r.organisation_id
             where r.authority_id = $1 and r.account_id = $2 order by o.name, o.id"
        ),
        args![db.authority(), account],
    )
    .await
}

pub async fn people(db: &Db, id: Uuid) -> Result<Vec<Person>, db::Error> {
    db.all(
        sql!(
            "select r.account_id, a.first_name || ' ' || a.last_name as name, coalesce(a.email, '') as email, r.role, r.since from representative r
             join account a on a.authority_id = r.authority_id and a.id = r.account_id
             where r.authority_id = $1 and r.organisation_id = $2 order by r.since, r.account_id"
        ),
        args![db.authority(), id],
    )
    .await
}

/// Its requests that wait for an answer.
pub async fn waiting(db: &Db, id: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!(
            "select count(*) from request where authority_id = $1 and organisation_id = $2 and status = 'action-needed'"
        ),
        args![db.authority(), id],
    )
    .await
}

/// Names of those that this account presides, and that others represent too.
pub async fn needing(db: &Db, account: Uuid) -> Result<Vec<String>, db::Error> {
    db.all(
        sql!(
            "select o.name from representative r join organisation o on o.authority_id = r.authority_id and o.id = r.organisation_id
             where r.authority_id = $1 and r.account_id = $2 and r.role = 'president' and exists (select 1 from representative other
               where other.authority_id = r.authority_id and other.organisation_id = r.organisation_id and other.account_id <> r.account_id)
             order by o.name"
        ),
        args![db.authority(), account],
    )
    .await
}

/// Erases the organisations that this account alone represents. What they sent stays with the departments.
pub async fn dissolve_alone(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    let alone: Vec<Uuid> = tx
        .all(
            sql!(
                "select r.organisation_id from representative r where r.authority_id = $1 and r.account_id = $2 and not exists (select 1 from representative other
                   where other.authority_id = r.authority_id and other.organisation_id = r.organisation_id and other.account_id <> r.account_id)"
            ),
            args![tx.authority(), account],
        )
        .await?;
    for id in alone {
        crate::requests::owner::dissolve(tx, id).await?;
        crate::safe::dissolve(tx, id).await?;
        crate::acting::invitation::forget(tx, id).await?;
        crate::acting::trace::forget(tx, crate::acting::Kind::Organisation, id).await?;
        tx.run(sql!("delete from organisation where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
    }
    Ok(())
}

/// Two accounts become one, which represents what either did; in the same organisation, a president stays one.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    let a = tx.authority();
    let presided: Vec<Uuid> = tx
        .all(
            sql!(
                "select p.organisation_id from representative p join representative k on k.authority_id = p.authority_id and k.organisation_id = p.organisation_id
                 where p.authority_id = $1 and p.account_id = $2 and p.role = 'president' and k.account_id = $3"
            ),
            args![a, from, to],
        )
        .await?;
    crate::safe::follow(tx, from, to).await?;
    tx.run(
        sql!(
            "delete from representative where authority_id = $1 and account_id = $2 and organisation_id in
               (select o.organisation_id from representative o where o.authority_id = $1 and o.account_id = $3)"
        ),
        args![a, from, to],
    )
    .await?;
    for id in presided {
        tx.run(
            sql!("update representative set role = 'president' where authority_id = $1 and organisation_id = $2 and account_id = $3"),
            args![a, id, to],
        )
        .await?;
    }
    tx.run(
        sql!("update representative set account_id = $1 where authority_id = $2 and account_id = $3"),
        args![to, a, from],
    )
    .await?;
    tx.run(
        sql!(
            "update organisation set successor_id = null where authority_id = $1 and successor_id in ($2, $3) and id in
               (select organisation_id from representative where authority_id = $1 and account_id = $3 and role = 'president')"
        ),
        args![a, from, to],
    )
    .await?;
    tx.run(
        sql!("update organisation set successor_id = $1 where authority_id = $2 and successor_id = $3"),
        args![to, a, from],
    )
    .await?;
    Ok(())
}
