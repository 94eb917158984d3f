//! SQL on applications and on what they know of accounts.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use reqwest::Url;
use uuid::Uuid;

use super::client::{Claims, Client, Declaration};
use crate::platform::secret;

row! {
    struct Found {
        declaration: Json<Declaration>,
        secret_hash: Option<Vec<u8>>,
        old_secret_hash: Option<Vec<u8>>,
        old_secret_until: Option<Timestamp>,
        version: i64,
    }
}

impl From<Found> for Client {
    fn from(found: Found) -> Self {
        let old_secret = found.old_secret_hash.zip(found.old_secret_until);
        Self { declaration: found.declaration.0, secret_hash: found.secret_hash, old_secret, version: found.version }
    }
}

pub async fn client(db: &Db, id: &str) -> Result<Option<Client>, db::Error> {
    let found: Option<Found> = db
        .first(
            sql!("select declaration, secret_hash, old_secret_hash, old_secret_until, version from sso_client where authority_id = $1 and id = $2"),
            args![db.authority(), id],
        )
        .await?;
    Ok(found.map(Client::from))
}

/// Every application, by id.
pub async fn clients(db: &Db) -> Result<Vec<Client>, db::Error> {
    let all: Vec<Found> = db
        .all(
            sql!("select declaration, secret_hash, old_secret_hash, old_secret_until, version from sso_client where authority_id = $1 order by id"),
            args![db.authority()],
        )
        .await?;
    Ok(all.into_iter().map(Client::from).collect())
}

/// The CAS application that a service belongs to: the one that declares it most closely.
pub async fn client_of(db: &Db, service: &Url) -> Result<Option<Client>, db::Error> {
    let all = clients(db).await?.into_iter();
    let covering = all.filter_map(|client| client.covers(service).map(|length| (length, client)));
    Ok(covering.max_by_key(|(length, _)| *length).map(|(_, client)| client))
}

/// The name by which an application knows an account: made at random the first time, then always the same.
pub async fn subject(tx: &mut Tx, account: Uuid, client: &str, now: Timestamp) -> Result<String, db::Error> {
    tx.run(
        sql!(
            "insert into sso_subject (authority_id, account_id, client_id, subject, created_at) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, account_id, client_id) do nothing"
        ),
        args![tx.authority(), account, client, secret::token(), now],
    )
    .await?;
    tx.one(
        sql!("select subject from sso_subject where authority_id = $1 and account_id = $2 and client_id = $3"),
        args![tx.authority(), account, client],
    )
    .await
}

/// What somebody agreed to give to an application; none when they never did.
pub async fn consent(db: &Db, account: Uuid, client: &str) -> Result<Option<Claims>, db::Error> {
    let found: Option<Json<Claims>> = db
        .first(
            sql!("select claims from sso_consent where authority_id = $1 and account_id = $2 and client_id = $3"),
            args![db.authority(), account, client],
        )
        .await?;
    Ok(found.map(|claims| claims.0))
}

pub async fn agree(tx: &mut Tx, account: Uuid, client: &str, claims: &Claims, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into sso_consent (authority_id, account_id, client_id, claims, given_at) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, account_id, client_id) do update set claims = excluded.claims, given_at = excluded.given_at"
        ),
        args![tx.authority(), account, client, Json(claims), now],
    )
    .await?;
    Ok(())
}

/// Takes a consent back, with the tokens that came from it. The name stays: whoever agrees again is known again.
pub async fn withdraw(tx: &mut Tx, account: Uuid, client: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from sso_consent where authority_id = $1 and account_id = $2 and client_id = $3"),
        args![tx.authority(), account, client],
    )
    .await?;
    tx.run(
        sql!("delete from sso_grant where authority_id = $1 and account_id = $2 and client_id = $3"),
        args![tx.authority(), account, client],
    )
    .await?;
    Ok(())
}

row! {
    pub struct Consent {
        pub client_id: String,
        pub declaration: Json<Declaration>,
        pub claims: Json<Claims>,
        pub given_at: Timestamp,
    }
}

/// Every consent of an account, latest first.
pub async fn consents(db: &Db, account: Uuid) -> Result<Vec<Consent>, db::Error> {
    db.all(
        sql!(
            "select c.client_id, s.declaration, c.claims, c.given_at from sso_consent c
             join sso_client s on s.authority_id = c.authority_id and s.id = c.client_id
             where c.authority_id = $1 and c.account_id = $2 order by c.given_at desc, c.client_id"
        ),
        args![db.authority(), account],
    )
    .await
}

row! {
    /// When a session was opened, and how.
    #[derive(Debug, Clone)]
    pub struct Opened {
        pub created_at: Timestamp,
        pub means: Option<String>,
        /// When its owner proved who they are at the provider that vouches for it, if it says so.
        pub proved_at: Option<Timestamp>,
    }
}

/// Of an account's session, as long as it lasts.
pub async fn opened(db: &Db, session: Uuid, now: Timestamp) -> Result<Option<Opened>, db::Error> {
    db.first(
        sql!(
            "select s.created_at, s.means, p.proved_at from session s
             left join provider_session p on p.authority_id = s.authority_id and p.session_id = s.id
             where s.authority_id = $1 and s.id = $2 and s.account_id is not null and s.expires_at > $3"
        ),
        args![db.authority(), session, now],
    )
    .await
}

row! {
    /// Whose session it is, and since when.
    #[derive(Debug, Clone)]
    pub struct Owner {
        pub account_id: Uuid,
        pub created_at: Timestamp,
        pub login: String,
        pub email: Option<String>,
        pub first_name: String,
        pub last_name: String,
        pub phone: Option<String>,
    }
}

/// Whose session this is, as long as it lasts.
pub async fn owner(tx: &mut Tx, session: Uuid, now: Timestamp) -> Result<Option<Owner>, db::Error> {
    tx.first(
        sql!(
            "select a.id as account_id, s.created_at, a.login, a.email, a.first_name, a.last_name, a.phone from session s
             join account a on a.authority_id = s.authority_id and a.id = s.account_id and a.closed_at is null
             where s.authority_id = $1 and s.id = $2 and s.expires_at > $3"
        ),
        args![tx.authority(), session, now],
    )
    .await
}

/// How many applications were allowed by an account.
pub async fn count(db: &Db, account: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from sso_consent where authority_id = $1 and account_id = $2"),
        args![db.authority(), account],
    )
    .await
}

/// Two accounts become one. An application that knew one of them goes on under the name it knew; one that knew
/// both keeps the kept account's, and the other name becomes an alias, given to nobody else.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid, now: Timestamp) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        sql!("update sso_alias set account_id = $1 where authority_id = $2 and account_id = $3"),
        args![to, a, from],
    )
    .await?;
    tx.run(
        sql!(
            "insert into sso_alias (authority_id, client_id, subject, account_id, since)
             select b.authority_id, b.client_id, b.subject, $1, $2 from sso_subject b
             join sso_subject k on k.authority_id = b.authority_id and k.client_id = b.client_id and k.account_id = $1
             where b.authority_id = $3 and b.account_id = $4"
        ),
        args![to, now, a, from],
    )
    .await?;
    tx.run(
        sql!(
            "update sso_subject set account_id = $1 where authority_id = $2 and account_id = $3
               and client_id not in (select client_id from sso_subject where authority_id = $2 and account_id = $1)"
        ),
        args![to, a, from],
    )
    .await?;
    tx.run(sql!("delete from sso_subject where authority_id = $1 and account_id = $2"), args![a, from]).await?;
    tx.run(
        sql!(
            "update sso_consent set account_id = $1 where authority_id = $2 and account_id = $3
               and client_id not in (select client_id from sso_consent where authority_id = $2 and account_id = $1)"
        ),
        args![to, a, from],
    )
    .await?;
    tx.run(sql!("delete from sso_consent where authority_id = $1 and account_id = $2"), args![a, from]).await?;
    Ok(())
}

/// The other names by which an application knew the account: (application, name).
pub async fn aliases(db: &Db, account: Uuid) -> Result<Vec<(String, String)>, db::Error> {
    db.all(
        sql!("select client_id, subject from sso_alias where authority_id = $1 and account_id = $2 order by since, client_id, subject"),
        args![db.authority(), account],
    )
    .await
}
