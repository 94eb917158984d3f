//! Sessions: an opaque random token in a cookie, its hash in the database. Usagers and agents have
//! separate cookies, so that an agent may also file their own requests in the same browser.

use axum::http::{HeaderMap, HeaderValue, header};
use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp, civil::Date};
use uuid::Uuid;

use super::{ending, means::Means, password::Print};
use crate::{
    acting::Choice,
    platform::secret,
    sso,
    visit::{Visit, Visitor},
};

/// How old « last seen » may be: no write at each page.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Usager,
    Agent,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Usager => "usager",
            Self::Agent => "agent",
        }
    }

    /// Drafts outlive a working day; an agent's screen should not.
    fn lasts(self) -> SignedDuration {
        match self {
            Self::Usager => SignedDuration::from_hours(30 * 24),
            Self::Agent => SignedDuration::from_hours(12),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: Uuid,
    pub account: Option<Account>,
    /// The passkey that opened it or was added in it: both factors are there.
    pub passkey: Option<Uuid>,
    /// Requests of the account that wait for its answer.
    pub waiting: i64,
    /// In whose name it was chosen to act; checked by [`crate::acting::resolve`].
    pub acting: Option<Choice>,
    /// Last day of the account, when one is set.
    pub ends_on: Option<Date>,
}

#[derive(Debug, Clone)]
pub struct Account {
    pub id: Uuid,
    /// What its owner signs in with.
    pub login: String,
    /// Where mails go; none: they read the site.
    pub email: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub phone: Option<String>,
    /// An agent's quality (« Responsable de l'état civil »), on every decision.
    pub quality: Option<String>,
}

impl Account {
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    /// Where mails go; empty: nowhere.
    pub fn mailbox(&self) -> &str {
        self.email.as_deref().unwrap_or_default()
    }
}

row! {
    struct Found {
        id: Uuid,
        seen_at: Timestamp,
        passkey_id: Option<Uuid>,
        acting_kind: Option<String>,
        acting_id: Option<Uuid>,
        account_id: Option<Uuid>,
        login: Option<String>,
        email: Option<String>,
        first_name: Option<String>,
        last_name: Option<String>,
        phone: Option<String>,
        quality: Option<String>,
        ends_on: Option<Date>,
        waiting: i64,
    }
}

/// Name of the cookie. `__Host-` binds it to this very host, over HTTPS.
fn cookie_name(visit: &Visit, kind: Kind) -> String {
    let prefix = if visit.app.config.secure_cookies { "__Host-" } else { "" };
    format!("{prefix}guichet-{}", kind.name())
}

/// The value of a cookie.
pub fn token<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'));
    cookies.filter_map(|cookie| cookie.trim().split_once('=')).find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether the browser presents any session, valid or not.
pub fn presented(visit: &Visit, headers: &HeaderMap) -> bool {
    token(headers, &cookie_name(visit, Kind::Usager)).is_some()
}

/// The token that the browser presents, if it looks like one of ours.
pub fn token_of(visit: &Visit, headers: &HeaderMap) -> Option<String> {
    token(headers, &cookie_name(visit, Kind::Usager))
        .filter(|token| token.len() == 43 && token.is_ascii())
        .map(str::to_owned)
}

/// A cookie for who has none yet; nothing is stored before a first answer.
pub fn offer(visitor: &Visitor) -> Option<HeaderValue> {
    let none = visitor.session.is_none() && visitor.offered.is_none();
    none.then(|| cookie(visitor, Kind::Usager, &secret::token(), Kind::Usager.lasts().as_secs()))
}

/// The session of somebody without account, under the token offered earlier: the same one however
/// many first answers arrive together. A guessed or imposed token opens nothing that exists.
pub async fn begin(tx: &mut Tx, visit: &Visit, offered: Option<&str>) -> Result<Opened, db::Error> {
    let Some(token) = offered else { return open(tx, visit, Kind::Usager, None).await };
    let (id, hash) = (visit.id(), secret::digest(token));
    let expires = visit.now.checked_add(Kind::Usager.lasts()).unwrap_or(visit.now);
    tx.run(
        sql!(
            "insert into session (authority_id, id, token_hash, kind, created_at, seen_at, expires_at) values ($1, $2, $3, 'usager', $4, $4, $5)
             on conflict (authority_id, token_hash) do nothing"
        ),
        args![tx.authority(), id, &hash, visit.now, expires],
    )
    .await?;
    // An ended session's token is not revived: a new one is made.
    let known: Option<Uuid> = tx
        .first(
            sql!("select id from session where authority_id = $1 and token_hash = $2 and kind = 'usager' and account_id is null and expires_at > $3"),
            args![tx.authority(), &hash, visit.now],
        )
        .await?;
    match known {
        Some(id) => Ok(Opened { id, cookie: cookie(visit, Kind::Usager, token, Kind::Usager.lasts().as_secs()) }),
        None => open(tx, visit, Kind::Usager, None).await,
    }
}

pub async fn find(visit: &Visit, headers: &HeaderMap, kind: Kind) -> Result<Option<Session>, db::Error> {
    let Some(token) = token(headers, &cookie_name(visit, kind)) else { return Ok(None) };
    let hash = secret::digest(token);
    let found: Option<Found> = visit
        .db
        .first(
            sql!(
                "select s.id, s.seen_at, s.passkey_id, s.acting_kind, s.acting_id, a.id as account_id, a.login, a.email, a.first_name, a.last_name, a.phone, a.quality, a.ends_on,
                   (select count(*) from request r where r.authority_id = s.authority_id and r.account_id = s.account_id and r.status = 'action-needed') as waiting
                 from session s left join account a on a.authority_id = s.authority_id and a.id = s.account_id and a.closed_at is null
                 where s.authority_id = $1 and s.token_hash = $2 and s.kind = $3 and s.expires_at > $4"
            ),
            args![visit.db.authority(), hash, kind.name(), visit.now],
        )
        .await?;
    let Some(found) = found else { return Ok(None) };
    if visit.now.duration_since(found.seen_at) >= SEEN_EVERY {
        seen(visit, found.id).await;
    }
    let account = match (found.account_id, found.login) {
        (Some(id), Some(login)) => Some(Account {
            id,
            login,
            email: found.email,
            first_name: found.first_name.unwrap_or_default(),
            last_name: found.last_name.unwrap_or_default(),
            phone: found.phone,
            quality: found.quality,
        }),
        _ => None,
    };
    let acting = Choice::of(found.acting_kind.as_deref(), found.acting_id);
    // An account whose last day is over opens nothing any more, whatever was open.
    let account = account.filter(|_| !ending::over(found.ends_on, visit.today()));
    Ok(Some(Session {
        id: found.id,
        account,
        passkey: found.passkey_id,
        waiting: found.waiting,
        ends_on: found.ends_on,
        acting,
    }))
}

/// Notes that the session is in use. A page is shown even when that cannot be written.
async fn seen(visit: &Visit, id: Uuid) {
    let written = visit
        .db
        .write(async |tx: &mut Tx| {
            tx.run(
                sql!("update session set seen_at = $1 where authority_id = $2 and id = $3"),
                args![visit.now, tx.authority(), id],
            )
            .await
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(error = format!("{error:#}"), "session not noted as seen");
    }
}

/// A session just opened: its id, and the cookie to set.
pub struct Opened {
    pub id: Uuid,
    pub cookie: HeaderValue,
}

/// Opens a session: whose, and how they proved it; none for somebody who files without an account.
pub async fn open(tx: &mut Tx, visit: &Visit, kind: Kind, account: Option<(Uuid, Means)>) -> Result<Opened, db::Error> {
    let (account, means) = account.unzip();
    let (id, token) = (visit.id(), secret::token());
    let expires = visit.now.checked_add(kind.lasts()).unwrap_or(visit.now);
    tx.run(
        sql!("insert into session (authority_id, id, token_hash, kind, account_id, created_at, seen_at, expires_at, device, means) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)"),
        args![tx.authority(), id, secret::digest(&token), kind.name(), account, visit.now, expires, visit.device.words(), means.map(Means::name)],
    )
    .await?;
    Ok(Opened { id, cookie: cookie(visit, kind, &token, kind.lasts().as_secs()) })
}

/// Who has proved whose account it is, and how; `print`: of the password they gave, if they gave one.
#[derive(Debug, Clone, Copy)]
pub struct Entrant {
    pub account: Uuid,
    pub means: Means,
    pub print: Option<Print>,
}

/// Opens the session of who has just proved themselves: none when the account closed, or changed its password,
/// between the proof and now.
pub async fn enter(tx: &mut Tx, visit: &Visit, kind: Kind, who: Entrant) -> Result<Option<Opened>, db::Error> {
    if !still(tx, who.account, who.print).await? {
        return Ok(None);
    }
    open(tx, visit, kind, Some((who.account, who.means))).await.map(Some)
}

/// Whether the account is open and has the password that was proved (`print`; none when something else was).
/// Its row is held until the transaction ends.
pub async fn still(tx: &mut Tx, id: Uuid, print: Option<Print>) -> Result<bool, db::Error> {
    let found: Option<Option<String>> = tx
        .first(
            sql!(
                "select password_hash from account where authority_id = $1 and id = $2 and closed_at is null for update"
            ),
            args![tx.authority(), id],
        )
        .await?;
    Ok(found.is_some_and(|hash| print.is_none_or(|print| print == Print::of(hash.as_deref()))))
}

/// When a session was opened.
pub async fn since(db: &Db, id: Uuid) -> Result<Option<Timestamp>, db::Error> {
    db.fresh()
        .first(sql!("select created_at from session where authority_id = $1 and id = $2"), args![db.authority(), id])
        .await
}

pub async fn close(tx: &mut Tx, id: Uuid) -> Result<(), db::Error> {
    sso::session_ends(tx, id).await?;
    tx.run(sql!("delete from session where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
    Ok(())
}

/// Ends every other session of an account (its password changed).
pub async fn close_others(tx: &mut Tx, account: Uuid, kept: Option<Uuid>) -> Result<(), db::Error> {
    sso::sessions_end(tx, account, kept).await?;
    tx.run(
        sql!(
            "delete from session where authority_id = $1 and account_id = $2 and (cast($3 as uuid) is null or id <> $3)"
        ),
        args![tx.authority(), account, kept],
    )
    .await?;
    Ok(())
}

/// The cookie that makes the browser forget its session.
pub fn forget(visit: &Visit, kind: Kind) -> HeaderValue {
    cookie(visit, kind, "", 0)
}

fn cookie(visit: &Visit, kind: Kind, token: &str, seconds: i64) -> HeaderValue {
    let secure = if visit.app.config.secure_cookies { "; Secure" } else { "" };
    let text =
        format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", cookie_name(visit, kind));
    // Only letters, digits and punctuation fit for headers: this cannot fail.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
