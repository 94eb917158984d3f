//! SQL on providers, and on whose account their identities open.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::declaration::Declaration;

row! {
    /// A declared provider; its secret is opened by [`super::Provider::secret`].
    #[derive(Debug, Clone)]
    pub struct Kept {
        pub declaration: Json<Declaration>,
        pub sealed_secret: Vec<u8>,
    }

    #[derive(Debug, Clone)]
    pub struct Link {
        pub account_id: Uuid,
        pub first_name: String,
        pub last_name: String,
    }

    /// What its owner sees of a link.
    #[derive(Debug, Clone)]
    pub struct Listed {
        pub provider_id: String,
        pub declaration: Json<Declaration>,
        pub first_name: String,
        pub last_name: String,
        pub linked_at: Timestamp,
        pub used_at: Option<Timestamp>,
    }
}

pub async fn find(db: &Db, id: &str) -> Result<Option<Kept>, db::Error> {
    db.first(
        sql!("select declaration, sealed_secret from provider where authority_id = $1 and id = $2"),
        args![db.authority(), id],
    )
    .await
}

pub async fn all(db: &Db) -> Result<Vec<Kept>, db::Error> {
    db.all(
        sql!("select declaration, sealed_secret from provider where authority_id = $1 order by id"),
        args![db.authority()],
    )
    .await
}

pub async fn put(tx: &mut Tx, declaration: &Declaration, sealed: &[u8], now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into provider (authority_id, id, declaration, sealed_secret, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
             on conflict (authority_id, id) do update set declaration = excluded.declaration, sealed_secret = excluded.sealed_secret, updated_at = excluded.updated_at"
        ),
        args![tx.authority(), &declaration.id, Json(declaration), sealed, now],
    )
    .await?;
    Ok(())
}

/// The same as [`find`], in the transaction that changes it.
pub async fn hold(tx: &mut Tx, id: &str) -> Result<Option<Kept>, db::Error> {
    tx.first(
        sql!("select declaration, sealed_secret from provider where authority_id = $1 and id = $2 for update"),
        args![tx.authority(), id],
    )
    .await
}

/// The accounts that a provider opens.
pub async fn links(tx: &mut Tx, provider: &str) -> Result<Vec<Uuid>, db::Error> {
    tx.all(
        sql!("select account_id from provider_link where authority_id = $1 and provider_id = $2 order by account_id"),
        args![tx.authority(), provider],
    )
    .await
}

/// Takes a provider out, and ends the sessions that it opened.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<(), db::Error> {
    let opened: Vec<Uuid> = tx
        .all(
            sql!("select session_id from provider_session where authority_id = $1 and provider_id = $2"),
            args![tx.authority(), id],
        )
        .await?;
    for session in opened {
        crate::accounts::session::close(tx, session).await?;
    }
    tx.run(sql!("delete from provider where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
    Ok(())
}

/// Whose account this subject opens, if it is open and of this kind.
pub async fn linked(db: &Db, provider: &str, subject: &str, kind: &str) -> Result<Option<Link>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select l.account_id, l.first_name, l.last_name from provider_link l
                 join account a on a.authority_id = l.authority_id and a.id = l.account_id
                 where l.authority_id = $1 and l.provider_id = $2 and l.subject = $3 and a.kind = $4 and a.closed_at is null"
            ),
            args![db.authority(), provider, subject, kind],
        )
        .await
}

/// What is linked to what.
pub struct NewLink<'a> {
    pub provider: &'a str,
    pub subject: &'a str,
    pub account: Uuid,
    pub first_name: &'a str,
    pub last_name: &'a str,
}

/// False when the subject has an account already, or the account another identity of this provider.
pub async fn link(tx: &mut Tx, new: &NewLink<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let added = tx
        .run(
            sql!(
                "insert into provider_link (authority_id, provider_id, subject, account_id, first_name, last_name, linked_at, used_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing"
            ),
            args![tx.authority(), new.provider, new.subject, new.account, new.first_name, new.last_name, now],
        )
        .await?;
    Ok(added == 1)
}

/// Whether this very subject opens this very account.
pub async fn opens(tx: &mut Tx, new: &NewLink<'_>) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from provider_link where authority_id = $1 and provider_id = $2 and subject = $3 and account_id = $4"),
            args![tx.authority(), new.provider, new.subject, new.account],
        )
        .await?;
    Ok(found.is_some())
}

/// The identity has served; the provider calls its owner so.
pub async fn used(tx: &mut Tx, new: &NewLink<'_>, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update provider_link set first_name = $1, last_name = $2, used_at = $3 where authority_id = $4 and provider_id = $5 and subject = $6"
        ),
        args![new.first_name, new.last_name, now, tx.authority(), new.provider, new.subject],
    )
    .await?;
    Ok(())
}

/// Whether an agent took this provider's identities away from their account.
pub async fn unlinked(tx: &mut Tx, account: Uuid, provider: &str) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from provider_unlinked where authority_id = $1 and account_id = $2 and provider_id = $3"),
            args![tx.authority(), account, provider],
        )
        .await?;
    Ok(found.is_some())
}

/// They want one again.
pub async fn forget_unlinked(tx: &mut Tx, account: Uuid, provider: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from provider_unlinked where authority_id = $1 and account_id = $2 and provider_id = $3"),
        args![tx.authority(), account, provider],
    )
    .await?;
    Ok(())
}

/// Unlinks a provider's identity from an account, and ends the sessions it opened but `kept`. That an agent did
/// so is remembered: no address links it again. False when there was none.
pub async fn unlink(tx: &mut Tx, account: Uuid, provider: &str, kept: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from provider_link where authority_id = $1 and account_id = $2 and provider_id = $3"),
            args![tx.authority(), account, provider],
        )
        .await?;
    let opened: Vec<(Uuid,)> = tx
        .all(
            sql!(
                "select s.id from session s join provider_session p on p.authority_id = s.authority_id and p.session_id = s.id
                 where s.authority_id = $1 and s.account_id = $2 and p.provider_id = $3 and s.id <> $4"
            ),
            args![tx.authority(), account, provider, kept],
        )
        .await?;
    for (id,) in opened {
        crate::accounts::session::close(tx, id).await?;
    }
    if removed > 0 {
        // Usagers are never found by their address: nothing is kept of them.
        tx.run(
            sql!(
                "insert into provider_unlinked (authority_id, account_id, provider_id, at)
                 select authority_id, id, $3, $4 from account where authority_id = $1 and id = $2 and kind = 'agent' on conflict do nothing"
            ),
            args![tx.authority(), account, provider, now],
        )
        .await?;
    }
    Ok(removed > 0)
}

/// The identities that open an account.
pub async fn of(db: &Db, account: Uuid) -> Result<Vec<Listed>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select l.provider_id, p.declaration, l.first_name, l.last_name, l.linked_at, l.used_at from provider_link l
                 join provider p on p.authority_id = l.authority_id and p.id = l.provider_id
                 where l.authority_id = $1 and l.account_id = $2 order by l.provider_id"
            ),
            args![db.authority(), account],
        )
        .await
}

/// For who asks for their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    row! {
        struct Given {
            provider_id: String,
            subject: String,
            first_name: String,
            last_name: String,
            linked_at: Timestamp,
            used_at: Option<Timestamp>,
        }
    }
    let all: Vec<Given> = db
        .fresh()
        .all(
            sql!(
                "select provider_id, subject, first_name, last_name, linked_at, used_at from provider_link
                 where authority_id = $1 and account_id = $2 order by provider_id"
            ),
            args![db.authority(), account],
        )
        .await?;
    let line = |one: &Given| {
        json!({
            "fournisseur": one.provider_id, "identifiant": one.subject, "prenom": one.first_name, "nom": one.last_name,
            "rattachee_le": one.linked_at.to_string(), "servie_le": one.used_at.map(|at| at.to_string()),
        })
    };
    Ok(all.iter().map(line).collect())
}

fn moving() -> db::Sql {
    sql!(
        "select l.provider_id, p.declaration from provider_link l join provider p on p.authority_id = l.authority_id and p.id = l.provider_id
         where l.authority_id = $1 and l.account_id = $2
           and not exists (select 1 from provider_link k where k.authority_id = $1 and k.account_id = $3 and k.provider_id = l.provider_id)
         order by l.provider_id"
    )
}

fn names(found: Vec<(String, Json<Declaration>)>) -> Vec<String> {
    found.into_iter().map(|(_, declaration)| declaration.0.name).collect()
}

/// Names of the providers whose identities [`merge`] would move.
pub async fn coming(db: &Db, from: Uuid, to: Uuid) -> Result<Vec<String>, db::Error> {
    Ok(names(db.fresh().all(moving(), args![db.authority(), from, to]).await?))
}

/// Two accounts become one: of one provider, the kept account's own identity stays, else it takes the other's.
/// Gives the names of the providers that open the kept account from now on.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<Vec<String>, db::Error> {
    let moving: Vec<(String, Json<Declaration>)> = tx.all(moving(), args![tx.authority(), from, to]).await?;
    tx.run(
        sql!(
            "update provider_link set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from provider_link k where k.authority_id = $2 and k.account_id = $1 and k.provider_id = provider_link.provider_id)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    tx.run(sql!("delete from provider_link where authority_id = $1 and account_id = $2"), args![tx.authority(), from])
        .await?;
    Ok(names(moving))
}
