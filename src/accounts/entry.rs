//! The way in: a password checked, with growing delays for who fails. Accounts that do not exist are
//! counted and timed like the others.

use jiff::SignedDuration;

use super::{
    connections::{self, Happened},
    model::email_key,
    password,
    session::Kind,
    store::{self, Credentials},
};
use crate::{
    directory::{self, Verdict},
    error::Problem,
    platform::throttle::{self, ONE, SHARED},
    visit::Visit,
};

pub enum Entry {
    Known(Credentials),
    Wrong,
    /// The directory knows the password, and gives no role here.
    Stranger,
    /// The directory cannot be asked.
    Unreachable,
    /// Too many failures: how long until the next try.
    Wait(SignedDuration),
}

impl Entry {
    /// What to say to who may not enter.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Wrong => Some("Adresse ou mot de passe incorrect".to_owned()),
            Self::Stranger => {
                Some("Votre compte n’ouvre pas l’espace agent\u{a0}: demandez-en l’accès à votre responsable".to_owned())
            }
            Self::Unreachable => Some(
                "L’annuaire de la collectivité ne répond pas\u{a0}: réessayez dans quelques minutes, ou prévenez le service informatique".to_owned(),
            ),
            Self::Wait(left) => Some(format!(
                "Trop d’essais\u{a0}: réessayez dans {}, ou choisissez un nouveau mot de passe",
                throttle::in_words(*left)
            )),
        }
    }
}

/// Checks a sign-in name and its password: the one place where a password is judged, at sign-in and before what
/// an open session alone may not do.
pub async fn check(visit: &Visit, kind: Kind, login: &str, typed: &str) -> Result<Entry, Problem> {
    let (account, client) = (subject(visit, kind.name(), login), client(visit));
    if let Some(left) = throttle::wait(&visit.db, &client, SHARED, visit.now).await? {
        return Ok(Entry::Wait(left));
    }
    if let Some(left) = throttle::take(&visit.db, &account, ONE, visit.now).await? {
        return Ok(Entry::Wait(left));
    }
    let found = store::credentials(&visit.db, kind, login).await?;
    let same = password::matches(typed, found.as_ref().and_then(|found| found.password_hash.as_deref())).await?;
    // Where agents have a directory, it judges those that it gives.
    let (found, same) = match kind {
        Kind::Usager => (found, same),
        Kind::Agent => match directory::judge(visit, found.as_ref().map(|found| found.id), same, login, typed).await? {
            Verdict::NotMine => (found, same),
            Verdict::Enters(login) => (store::credentials(&visit.db, kind, &login).await?, true),
            Verdict::Wrong => (found, false),
            Verdict::Stranger => return Ok(Entry::Stranger),
            Verdict::Unreachable => return Ok(Entry::Unreachable),
        },
    };
    match found {
        Some(found) if same => {
            forgive(visit, kind, login).await?;
            Ok(Entry::Known(found))
        }
        found => {
            let account = found.map(|found| found.id);
            connections::refused(visit, &client, account, Happened::WrongPassword).await?;
            Ok(Entry::Wrong)
        }
    }
}

/// What to say to who proved an account that closed, or got another password, before its session opened.
pub const CHANGED: &str = "Ce compte a changé pendant que vous vous connectiez : recommencez";

/// What to say to who is asked for a password and has none.
const NO_PASSWORD: &str = "Votre compte n’a pas encore de mot de passe : choisissez-en un par «\u{a0}J’ai oublié mon mot de passe\u{a0}», à la page de connexion";
const NO_ADDRESS: &str =
    "Votre compte n’a pas encore de mot de passe : confirmez d’abord une adresse électronique à la page « Mon compte »";

/// Whether the account of this sign-in name has a password, here or in the directory; one without name has none.
pub async fn has_password(visit: &Visit, kind: Kind, login: &str) -> Result<bool, db::Error> {
    let found = if login.is_empty() { None } else { store::credentials(&visit.db, kind, login).await? };
    let Some(found) = found else { return Ok(false) };
    Ok(found.password_hash.is_some() || kind == Kind::Agent && directory::linked(&visit.db, found.id).await?)
}

/// Whether the owner’s present password was typed; else what to say.
pub async fn owner(visit: &Visit, kind: Kind, login: &str, typed: &str) -> Result<Option<String>, Problem> {
    if !has_password(visit, kind, login).await? {
        return Ok(Some(if login.is_empty() { NO_ADDRESS } else { NO_PASSWORD }.to_owned()));
    }
    if typed.is_empty() {
        return Ok(Some("Saisissez votre mot de passe actuel".to_owned()));
    }
    let entry = check(visit, kind, login, typed).await?;
    Ok(match entry {
        Entry::Known(_) => None,
        Entry::Wrong => Some("Ce n’est pas votre mot de passe actuel".to_owned()),
        Entry::Wait(_) | Entry::Stranger | Entry::Unreachable => Some(entry.refusal().unwrap_or_default()),
    })
}

/// Forgets the failures at a sign-in name: its owner has come.
pub async fn forgive(visit: &Visit, kind: Kind, login: &str) -> Result<(), db::Error> {
    throttle::succeeded(&visit.db, &subject(visit, kind.name(), login)).await
}

/// Whether one more mail may be sent to this address: strangers must not fill a mailbox through us.
pub async fn may_write_to(visit: &Visit, email: &str) -> Result<bool, db::Error> {
    Ok(throttle::take(&visit.db, &subject(visit, "courriel", email), ONE, visit.now).await?.is_none())
}

/// Whether this network address may open one more account; if not, how long until it may.
pub async fn may_register(visit: &Visit) -> Result<Option<SignedDuration>, db::Error> {
    let subject = visit.app.secret.code("inscription", visit.client.as_bytes());
    throttle::take(&visit.db, &format!("inscription:{subject}"), SHARED, visit.now).await
}

/// No address of anybody is kept here in clear.
pub fn subject(visit: &Visit, what: &str, email: &str) -> String {
    format!("compte:{}", visit.app.secret.code(what, email_key(email).as_bytes()))
}

/// Failures are counted by network address too, at passwords and at codes together.
pub fn client(visit: &Visit) -> String {
    format!("connexion:{}", visit.app.secret.code("connexion", visit.client.as_bytes()))
}
