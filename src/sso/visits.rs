//! Single logout: which applications were entered in a session, and telling them when it ends, however it
//! ends. The jobs are queued in the transaction that closes the session.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::http::StatusCode;
use db::{Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{cas::message, oidc, store};
use crate::{
    platform::{
        jobs::{self, Claimed, NewJob},
        mail::SendError,
    },
    visit::Visit,
};

pub const LOGOUT: &str = "sso-logout";

/// An application that does not answer is left alone after these many tries.
const TRIES: i64 = 5;
const PATIENCE: Duration = Duration::from_secs(5);

row! {
    struct Entered {
        id: Uuid,
        client_id: String,
        service: Option<String>,
        ticket: Option<String>,
        subject: String,
        at: Timestamp,
    }
}

/// A CAS application was entered: `ticket` names its session there.
pub async fn enter_cas(tx: &mut Tx, visit: (Uuid, Timestamp), entry: &Entry<'_>) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into sso_visit (authority_id, id, session_id, client_id, service, ticket, subject, at) values ($1, $2, $3, $4, $5, $6, $7, $8)"),
        args![tx.authority(), visit.0, entry.session, entry.client, entry.service, entry.ticket, entry.subject, visit.1],
    )
    .await?;
    Ok(())
}

/// What [`enter_cas`] keeps.
pub struct Entry<'a> {
    pub session: Uuid,
    pub client: &'a str,
    pub service: &'a str,
    pub ticket: &'a str,
    pub subject: &'a str,
}

/// An OpenID Connect application was entered; gives the `sid`, the same for each entry of one session.
pub async fn enter_oidc(
    tx: &mut Tx,
    visit: (Uuid, Timestamp),
    session: Uuid,
    client: &str,
    subject: &str,
) -> Result<Uuid, db::Error> {
    if let Some(known) = sid(tx, session, client).await? {
        return Ok(known);
    }
    tx.run(
        sql!("insert into sso_visit (authority_id, id, session_id, client_id, subject, at) values ($1, $2, $3, $4, $5, $6)"),
        args![tx.authority(), visit.0, session, client, subject, visit.1],
    )
    .await?;
    Ok(visit.0)
}

async fn sid(tx: &mut Tx, session: Uuid, client: &str) -> Result<Option<Uuid>, db::Error> {
    tx.first(
        sql!("select id from sso_visit where authority_id = $1 and session_id = $2 and client_id = $3 and service is null order by id limit 1"),
        args![tx.authority(), session, client],
    )
    .await
}

/// The session of a `sid`.
pub async fn session_of(db: &db::Db, sid: Uuid) -> Result<Option<Uuid>, db::Error> {
    db.first(sql!("select session_id from sso_visit where authority_id = $1 and id = $2"), args![db.authority(), sid])
        .await
}

/// A session ends: its applications will be told.
pub async fn session_ends(tx: &mut Tx, session: Uuid) -> Result<(), db::Error> {
    let entered: Vec<Entered> = tx
        .all(
            sql!(
                "delete from sso_visit where authority_id = $1 and session_id = $2 returning id, client_id, service, ticket, subject, at"
            ),
            args![tx.authority(), session],
        )
        .await?;
    for one in entered {
        let payload = json!({
            "client": one.client_id, "service": one.service, "ticket": one.ticket, "subject": one.subject, "sid": one.id,
        });
        let job = NewJob { kind: LOGOUT, effect: format!("{LOGOUT}:{}", one.id), request: None, payload };
        // Under the entry's own id and time: the same job however many times this transaction runs.
        jobs::enqueue(tx, one.id, one.at, job).await?;
    }
    Ok(())
}

/// Every session of an account ends, but `kept`.
pub async fn sessions_end(tx: &mut Tx, account: Uuid, kept: Option<Uuid>) -> Result<(), db::Error> {
    let ending: Vec<Uuid> = tx
        .all(
            sql!("select id from session where authority_id = $1 and account_id = $2 and (cast($3 as uuid) is null or id <> $3)"),
            args![tx.authority(), account, kept],
        )
        .await?;
    for session in ending {
        session_ends(tx, session).await?;
    }
    Ok(())
}

/// Somebody signed in again in the place of `old`: what they entered goes on.
pub async fn session_goes_on(tx: &mut Tx, old: Uuid, new: Uuid) -> Result<(), db::Error> {
    let authority = tx.authority();
    let args = || args![authority, old, new];
    tx.run(sql!("update sso_visit set session_id = $3 where authority_id = $1 and session_id = $2"), args()).await?;
    tx.run(sql!("update sso_grant set session_id = $3 where authority_id = $1 and session_id = $2"), args()).await?;
    tx.run(sql!("update sso_ticket set session_id = $3 where authority_id = $1 and session_id = $2"), args()).await?;
    Ok(())
}

/// Ends what is over by now, before expired sessions are put away.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    let over: Vec<Uuid> = tx
        .all(
            sql!(
                "select distinct s.id from session s join sso_visit v on v.authority_id = s.authority_id and v.session_id = s.id
                 where s.authority_id = $1 and s.expires_at < $2"
            ),
            args![tx.authority(), now],
        )
        .await?;
    for session in over {
        session_ends(tx, session).await?;
    }
    let authority = tx.authority();
    tx.run(sql!("delete from sso_ticket where authority_id = $1 and expires_at < $2"), args![authority, now]).await?;
    tx.run(sql!("delete from sso_token where authority_id = $1 and expires_at < $2"), args![authority, now]).await?;
    // A code must stay known as long as what came of it lives, so that its replay ends that.
    tx.run(
        sql!(
            "delete from sso_grant where authority_id = $1 and code_until < $2 and not exists
               (select 1 from sso_token t where t.authority_id = sso_grant.authority_id and t.grant_id = sso_grant.id)"
        ),
        args![authority, now],
    )
    .await?;
    oidc::keys::sweep(tx, now).await
}

/// Tells one application that a session is over. Nobody waits for it.
pub async fn logout(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    match tell(visit, &job.payload.0).await {
        Err(error) if job.attempts >= TRIES => {
            tracing::warn!(job = %job.id, error = format!("{error:#}"), "application not told of a logout");
            Ok(())
        }
        told => Ok(told?),
    }
}

async fn tell(visit: &Visit, payload: &Json) -> Result<()> {
    let text = |key: &str| payload.get(key).and_then(Json::as_str);
    let id = text("client").context("no client")?;
    // Taken out meanwhile: no address of its is good any more.
    let Some(client) = store::client(&visit.db, id).await? else { return Ok(()) };
    let (url, field, message) = match (text("service"), text("ticket")) {
        (Some(service), Some(ticket)) => {
            let message = message::logout(&visit.id().to_string(), visit.now, ticket);
            (service.to_owned(), "logoutRequest", message)
        }
        _ => {
            let Some(url) = client.oidc.as_ref().and_then(|oidc| oidc.backchannel_logout_uri.clone()) else {
                return Ok(());
            };
            let (subject, sid) = (text("subject").context("no subject")?, text("sid").context("no sid")?);
            (url, "logout_token", oidc::logout_token(visit, id, subject, sid).await?)
        }
    };
    let sent = visit.app.outside.post(&url).form(&[(field, message)]).timeout(PATIENCE).send().await;
    let status = sent.with_context(|| format!("{id} does not answer"))?.status();
    // An application that does not know how (501) will not know better in an hour.
    let later = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
    anyhow::ensure!(!later, "{id} answers {status}");
    if status.is_client_error() || status.is_server_error() {
        tracing::warn!(client = id, %status, "an application refuses to be told of a logout");
    }
    Ok(())
}
