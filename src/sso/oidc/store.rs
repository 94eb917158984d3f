//! SQL on authorizations: a code, then its tokens. Codes and tokens are kept as hashes.

use db::{Db, Json, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{accounts::Means, platform::secret, sso::client::Claims};

const CODE_LASTS: SignedDuration = SignedDuration::from_secs(60);
pub const ACCESS_LASTS: SignedDuration = SignedDuration::from_hours(1);
/// As long as a session at most, with which it ends.
const REFRESH_LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An authorization just given.
pub struct NewGrant<'a> {
    pub id: Uuid,
    pub client: &'a str,
    pub account: Uuid,
    pub session: Uuid,
    pub redirect_uri: &'a str,
    pub challenge: Option<&'a str>,
    pub nonce: Option<&'a str>,
    pub claims: &'a Claims,
    pub auth_time: Timestamp,
    pub means: Option<Means>,
    pub acr: Option<&'static str>,
}

row! {
    #[derive(Debug, Clone)]
    pub struct Grant {
        pub id: Uuid,
        pub client_id: String,
        pub account_id: Uuid,
        pub session_id: Uuid,
        pub code_until: Timestamp,
        pub code_used: bool,
        pub redirect_uri: String,
        pub challenge: Option<String>,
        pub nonce: Option<String>,
        pub claims: Json<Claims>,
        pub auth_time: Timestamp,
        pub means: Option<String>,
        pub acr: Option<String>,
    }

    #[derive(Debug, Clone)]
    pub struct Token {
        pub grant_id: Uuid,
        pub expires_at: Timestamp,
        pub used: bool,
    }
}

pub async fn add(tx: &mut Tx, code: &str, grant: &NewGrant<'_>, now: Timestamp) -> Result<(), db::Error> {
    let until = now.checked_add(CODE_LASTS).unwrap_or(now);
    tx.run(
        sql!(
            "insert into sso_grant (authority_id, id, client_id, account_id, session_id, code_hash, code_until, code_used, redirect_uri, challenge, nonce, claims, auth_time, means, acr)
             values ($1, $2, $3, $4, $5, $6, $7, false, $8, $9, $10, $11, $12, $13, $14)"
        ),
        args![
            tx.authority(),
            grant.id,
            grant.client,
            grant.account,
            grant.session,
            secret::digest(code),
            until,
            grant.redirect_uri,
            grant.challenge,
            grant.nonce,
            Json(grant.claims),
            grant.auth_time,
            grant.means.map(Means::name),
            grant.acr
        ],
    )
    .await?;
    Ok(())
}

/// The authorization of a code, used or not; nobody else reads it meanwhile.
pub async fn of_code(tx: &mut Tx, code: &str) -> Result<Option<Grant>, db::Error> {
    tx.first(
        sql!(
            "select id, client_id, account_id, session_id, code_until, code_used, redirect_uri, challenge, nonce, claims, auth_time, means, acr
             from sso_grant where authority_id = $1 and code_hash = $2 for update"
        ),
        args![tx.authority(), secret::digest(code)],
    )
    .await
}

pub async fn grant(tx: &mut Tx, id: Uuid) -> Result<Option<Grant>, db::Error> {
    tx.first(
        sql!(
            "select id, client_id, account_id, session_id, code_until, code_used, redirect_uri, challenge, nonce, claims, auth_time, means, acr
             from sso_grant where authority_id = $1 and id = $2 for update"
        ),
        args![tx.authority(), id],
    )
    .await
}

pub async fn use_code(tx: &mut Tx, grant: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update sso_grant set code_used = true where authority_id = $1 and id = $2"),
        args![tx.authority(), grant],
    )
    .await?;
    Ok(())
}

/// Ends an authorization with every token that came of it.
pub async fn revoke(tx: &mut Tx, grant: Uuid) -> Result<(), db::Error> {
    tx.run(sql!("delete from sso_grant where authority_id = $1 and id = $2"), args![tx.authority(), grant]).await?;
    Ok(())
}

/// Keeps an access token, and a refresh token when there is one.
pub async fn give(
    tx: &mut Tx,
    grant: Uuid,
    access: &str,
    refresh: Option<&str>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let one = [("access", access, ACCESS_LASTS)].into_iter();
    for (kind, token, lasts) in one.chain(refresh.map(|token| ("refresh", token, REFRESH_LASTS))) {
        let until = now.checked_add(lasts).unwrap_or(now);
        tx.run(
            sql!("insert into sso_token (authority_id, hash, grant_id, kind, expires_at, used) values ($1, $2, $3, $4, $5, false)"),
            args![tx.authority(), secret::digest(token), grant, kind, until],
        )
        .await?;
    }
    Ok(())
}

pub async fn refresh(tx: &mut Tx, token: &str) -> Result<Option<Token>, db::Error> {
    tx.first(
        sql!("select grant_id, expires_at, used from sso_token where authority_id = $1 and hash = $2 and kind = 'refresh' for update"),
        args![tx.authority(), secret::digest(token)],
    )
    .await
}

pub async fn use_refresh(tx: &mut Tx, token: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update sso_token set used = true where authority_id = $1 and hash = $2"),
        args![tx.authority(), secret::digest(token)],
    )
    .await?;
    Ok(())
}

row! {
    /// What an access token opens.
    pub struct Opened {
        pub client_id: String,
        pub account_id: Uuid,
        pub subject: String,
        pub claims: Json<Claims>,
    }
}

/// What an access token opens, as long as it, its session and its consent last.
pub async fn opened(db: &Db, token: &str, now: Timestamp) -> Result<Option<Opened>, db::Error> {
    db.first(
        sql!(
            "select g.client_id, g.account_id, u.subject, g.claims from sso_token t
             join sso_grant g on g.authority_id = t.authority_id and g.id = t.grant_id
             join session s on s.authority_id = g.authority_id and s.id = g.session_id
             join sso_subject u on u.authority_id = g.authority_id and u.account_id = g.account_id and u.client_id = g.client_id
             where t.authority_id = $1 and t.hash = $2 and t.kind = 'access' and t.expires_at > $3 and s.expires_at > $3"
        ),
        args![db.authority(), secret::digest(token), now],
    )
    .await
}
