//! Changes of applications: from the command line or by an administrator, each kept with who made it.

use db::{Db, Json, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::client::{Client, Declaration};
use crate::{
    journal::{self, Action, Line},
    platform::{clock::Clock, secret},
    visit::Agent,
};

/// How long the secret before stays good beside a new one: time to set the application up anew.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Who changes an application, and when.
#[derive(Debug, Clone)]
pub struct By {
    /// One change may leave two lines.
    ids: (Uuid, Uuid),
    now: Timestamp,
    agent: Option<(Uuid, String)>,
}

impl By {
    pub fn operator(clock: &Clock) -> Self {
        Self { ids: (clock.id(), clock.id()), now: clock.now(), agent: None }
    }

    pub fn agent(agent: &Agent) -> Self {
        let who = (agent.account.id, agent.account.full_name());
        Self { ids: (agent.id(), agent.id()), now: agent.now, agent: Some(who) }
    }
}

/// What becomes of an application's secret when its declaration is kept.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    Keep,
    None,
    /// The one before ends at once.
    New(&'a str),
    /// The one before stays good for [`OVERLAP`]; the one before that ends.
    Beside(&'a str),
}

impl<'a> Secret<'a> {
    /// What a declaration calls for: `made` if a secret is needed that is not there yet.
    pub fn needed(declaration: &Declaration, known: Option<&Client>, made: &'a str) -> Self {
        let has_one = known.is_some_and(|client| client.secret_hash.is_some());
        match (declaration.wants_secret(), has_one) {
            (false, _) => Self::None,
            (true, true) => Self::Keep,
            (true, false) => Self::New(made),
        }
    }

    /// The new one, to be shown once.
    pub fn made(self) -> Option<&'a str> {
        match self {
            Self::New(text) | Self::Beside(text) => Some(text),
            Self::Keep | Self::None => None,
        }
    }
}

/// What must be there for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Anything,
    /// No application of this id.
    Nothing,
    /// This version of it.
    Version(i64),
}

/// What happened to an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Added,
    Changed,
    SecretRenewed,
    SecretReplaced,
    Removed,
}

impl Code {
    const ALL: [Self; 5] = [Self::Added, Self::Changed, Self::SecretRenewed, Self::SecretReplaced, Self::Removed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::SecretRenewed => "secret-renewed",
            Self::SecretReplaced => "secret-replaced",
            Self::Removed => "removed",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

row! {
    struct Kept {
        declaration: Json<Declaration>,
        secret_hash: Option<Vec<u8>>,
        old_secret_hash: Option<Vec<u8>>,
        old_secret_until: Option<Timestamp>,
        version: i64,
    }
}

async fn kept(tx: &mut Tx, id: &str) -> Result<Option<Kept>, db::Error> {
    tx.first(
        sql!("select declaration, secret_hash, old_secret_hash, old_secret_until, version from sso_client where authority_id = $1 and id = $2 for update"),
        args![tx.authority(), id],
    )
    .await
}

/// Keeps a declaration. False when what was expected is not there: somebody was faster.
pub async fn put(
    db: &Db,
    declaration: &Declaration,
    secret: Secret<'_>,
    expected: Expected,
    by: &By,
) -> Result<bool, db::Error> {
    db.write(async |tx: &mut Tx| {
        let before = kept(tx, &declaration.id).await?;
        match (expected, &before) {
            (Expected::Anything, _) | (Expected::Nothing, None) => {}
            (Expected::Version(version), Some(kept)) if kept.version == version => {}
            _ => return Ok(false),
        }
        let Some(before) = before else { return add(tx, declaration, secret, by).await };
        change(tx, declaration, secret, &before, by).await?;
        Ok::<_, db::Error>(true)
    })
    .await
}

async fn add(tx: &mut Tx, declaration: &Declaration, secret: Secret<'_>, by: &By) -> Result<bool, db::Error> {
    let hash = secret.made().map(secret::digest);
    let added = tx
        .run(
            sql!(
                "insert into sso_client (authority_id, id, declaration, secret_hash, created_at, updated_at, version)
                 values ($1, $2, $3, $4, $5, $5, 1) on conflict (authority_id, id) do nothing"
            ),
            args![tx.authority(), &declaration.id, Json(declaration), hash, by.now],
        )
        .await?;
    if added == 0 {
        return Ok(false);
    }
    trace(tx, by.ids.0, Code::Added, declaration, by).await?;
    Ok(true)
}

async fn change(
    tx: &mut Tx,
    declaration: &Declaration,
    secret: Secret<'_>,
    before: &Kept,
    by: &By,
) -> Result<(), db::Error> {
    let old = before.old_secret_hash.clone().zip(before.old_secret_until);
    let (hash, old) = match secret {
        Secret::Keep => (before.secret_hash.clone(), old),
        Secret::None => (None, None),
        Secret::New(text) => (Some(secret::digest(text)), None),
        Secret::Beside(text) => {
            let until = by.now.checked_add(OVERLAP).unwrap_or(by.now);
            (Some(secret::digest(text)), before.secret_hash.clone().map(|hash| (hash, until)))
        }
    };
    let (old_hash, old_until) = old.unzip();
    tx.run(
        sql!(
            "update sso_client set declaration = $3, secret_hash = $4, old_secret_hash = $5, old_secret_until = $6, updated_at = $7, version = version + 1
             where authority_id = $1 and id = $2"
        ),
        args![tx.authority(), &declaration.id, Json(declaration), hash, old_hash, old_until, by.now],
    )
    .await?;
    if before.declaration.0 != *declaration {
        trace(tx, by.ids.0, Code::Changed, declaration, by).await?;
    }
    match secret {
        Secret::New(_) if before.secret_hash.is_some() => {
            trace(tx, by.ids.1, Code::SecretReplaced, declaration, by).await
        }
        Secret::New(_) | Secret::Beside(_) => trace(tx, by.ids.1, Code::SecretRenewed, declaration, by).await,
        Secret::Keep | Secret::None => Ok(()),
    }
}

/// Takes an application out, with all that it was given. False when it was not there.
pub async fn remove(db: &Db, id: &str, by: &By) -> Result<bool, db::Error> {
    db.write(async |tx: &mut Tx| {
        let Some(before) = kept(tx, id).await? else { return Ok(false) };
        tx.run(sql!("delete from sso_client where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
        trace(tx, by.ids.0, Code::Removed, &before.declaration.0, by).await?;
        Ok::<_, db::Error>(true)
    })
    .await
}

async fn trace(tx: &mut Tx, id: Uuid, code: Code, declaration: &Declaration, by: &By) -> Result<(), db::Error> {
    let (actor, name) = by.agent.clone().unzip();
    let what = format!("{} {}", code.name(), declaration.id);
    journal::note(tx, by.now, &Line::city(actor, Action::ApplicationChanged).detail(&what)).await?;
    tx.run(
        sql!(
            "insert into sso_change (authority_id, id, client_id, at, code, actor_id, actor_name, declaration)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        args![tx.authority(), id, &declaration.id, by.now, code.name(), actor, name, Json(declaration)],
    )
    .await?;
    Ok(())
}

row! {
    /// One line of the history of applications.
    #[derive(Debug, Clone)]
    pub struct Change {
        pub client_id: String,
        pub at: Timestamp,
        pub code: String,
        pub actor_name: Option<String>,
        pub declaration: Json<Declaration>,
    }
}

/// Latest first: of one application, or of all of them, removed ones too.
pub async fn history(db: &Db, client: Option<&str>, most: i64) -> Result<Vec<Change>, db::Error> {
    db.all(
        sql!(
            "select client_id, at, code, actor_name, declaration from sso_change
             where authority_id = $1 and (cast($2 as text) is null or client_id = $2) order by id desc limit $3"
        ),
        args![db.authority(), client, most],
    )
    .await
}

row! {
    /// What ends with an application.
    #[derive(Debug, Clone)]
    pub struct Users {
        /// Accounts it has a number for.
        pub known: i64,
        /// Accounts that agreed and have not taken it back.
        pub agreed: i64,
        /// Sessions in which it was entered and that are still open.
        pub sessions: i64,
    }
}

pub async fn users(db: &Db, client: &str, now: Timestamp) -> Result<Users, db::Error> {
    db.one(
        sql!(
            "select (select count(*) from sso_subject where authority_id = $1 and client_id = $2) as known,
               (select count(*) from sso_consent where authority_id = $1 and client_id = $2) as agreed,
               (select count(distinct v.session_id) from sso_visit v join session s on s.authority_id = v.authority_id and s.id = v.session_id
                where v.authority_id = $1 and v.client_id = $2 and s.expires_at > $3) as sessions"
        ),
        args![db.authority(), client, now],
    )
    .await
}
