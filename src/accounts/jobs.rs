//! Mails about an account. The token of a link exists only here and in the mail: the database keeps
//! its hash, the queue never holds it.

use anyhow::{Context, Result};
use db::Tx;
use jiff::SignedDuration;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    connections::Happened,
    session::Kind,
    store::{self, Account, Link, Purpose},
};
use crate::{
    directory,
    platform::{
        encode,
        jobs::{self, Claimed, NewJob},
        mail::SendError,
        secret,
    },
    requests,
    visit::Visit,
};

pub const LETTER: &str = "account-letter";

/// How long the links of mails are good for.
pub const CONFIRM_LASTS: SignedDuration = SignedDuration::from_hours(24);
pub const RESET_LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Of the first password of an agent, who may be away for a week-end.
const WELCOME_LASTS: SignedDuration = SignedDuration::from_hours(72);

/// A mail, by the name of its templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// Confirms the address of a new account.
    Confirm,
    /// Somebody wanted to create an account that exists.
    Exists,
    Reset,
    PasswordChanged,
    /// Confirms a new address, to that address.
    NewEmail,
    /// Tells the former address.
    EmailChanged,
    FactorSet,
    FactorRemoved,
    /// Removed by an agent, at the counter.
    FactorReset,
    /// A recovery code opened the account.
    RecoveryUsed,
    RecoveryRenewed,
    PasskeyAdded,
    PasskeyRemoved,
    /// A first password is to be chosen.
    Welcome,
    /// To an agent whose access ends soon.
    EndNear,
    /// The same, to who manages the department.
    EndNearOf,
    /// A colleague's requests are theirs now.
    HandedOver,
    /// A new password was asked for, of an account whose password is the directory’s.
    DirectoryPassword,
}

impl Letter {
    const ALL: [Self; 18] = [
        Self::Confirm,
        Self::Exists,
        Self::Reset,
        Self::PasswordChanged,
        Self::NewEmail,
        Self::EmailChanged,
        Self::FactorSet,
        Self::FactorRemoved,
        Self::FactorReset,
        Self::RecoveryUsed,
        Self::RecoveryRenewed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::Welcome,
        Self::EndNear,
        Self::EndNearOf,
        Self::HandedOver,
        Self::DirectoryPassword,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirmer",
            Self::Exists => "existe",
            Self::Reset => "mot-de-passe",
            Self::PasswordChanged => "mot-de-passe-change",
            Self::NewEmail => "nouvelle-adresse",
            Self::EmailChanged => "adresse-changee",
            Self::FactorSet => "second-facteur-active",
            Self::FactorRemoved => "second-facteur-retire",
            Self::FactorReset => "second-facteur-retire-au-guichet",
            Self::RecoveryUsed => "code-de-secours",
            Self::RecoveryRenewed => "codes-de-secours",
            Self::PasskeyAdded => "cle-d-acces-ajoutee",
            Self::PasskeyRemoved => "cle-d-acces-retiree",
            Self::Welcome => "premier-mot-de-passe",
            Self::EndNear => "fin-d-acces",
            Self::EndNearOf => "fin-d-acces-d-un-agent",
            Self::HandedOver => "dossiers-confies",
            Self::DirectoryPassword => "mot-de-passe-de-l-annuaire",
        }
    }
}

/// What a mail needs to know beside its account.
#[derive(Debug, Clone, Default)]
pub struct More<'a> {
    /// Where its reader was going.
    pub suite: &'a str,
    /// The address to write to, when it is not the account's present one.
    pub to: &'a str,
    /// What the text needs beside: `about` in its template.
    pub about: Json,
}

/// Queues a mail in the transaction that causes it.
pub async fn queue(tx: &mut Tx, visit: &Visit, letter: Letter, account: Uuid, more: More<'_>) -> Result<(), db::Error> {
    let id = visit.id();
    let payload =
        json!({"message": letter.name(), "account": account, "suite": more.suite, "to": more.to, "about": more.about});
    let job = NewJob { kind: LETTER, effect: format!("account:{}:{id}", letter.name()), request: None, payload };
    jobs::enqueue(tx, id, visit.now, job).await
}

/// Tells the owner that a recovery code has just served, if one has.
pub async fn tell_recovery(tx: &mut Tx, visit: &Visit, account: Uuid, how: Happened) -> Result<(), db::Error> {
    if how == Happened::SignedInByRecovery {
        queue(tx, visit, Letter::RecoveryUsed, account, More::default()).await?;
    }
    Ok(())
}

/// Sends one mail about an account; nothing when the account is gone or has no more need of it.
pub async fn letter(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let text = |key: &str| job.payload.0.get(key).and_then(Json::as_str).unwrap_or_default();
    let letter = Letter::ALL.into_iter().find(|letter| letter.name() == text("message")).context("unknown message")?;
    let id: Uuid = text("account").parse().context("no account")?;
    let Some(account) = store::find(&visit.db, id).await.map_err(anyhow::Error::from)? else { return Ok(()) };
    let to = if text("to").is_empty() { &account.email } else { text("to") };
    let letter = match letter {
        Letter::Confirm if account.confirmed_at.is_some() => return Ok(()),
        // Whoever has an account at the new address learns it by mail, and only they.
        Letter::NewEmail if taken(visit, &account, to).await? => Letter::Exists,
        Letter::Reset if directory::linked(&visit.db, account.id).await.map_err(anyhow::Error::from)? => {
            Letter::DirectoryPassword
        }
        letter => letter,
    };
    let about = Value::from(Serde(job.payload.0.get("about").cloned().unwrap_or_default()));
    let context = context! { about => about, ..content(visit, letter, &account, to, text("suite")).await? };
    let mail = requests::jobs::letter(visit, letter.name(), context, to, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

async fn taken(visit: &Visit, account: &Account, wanted: &str) -> Result<bool> {
    Ok(store::credentials(&visit.db, Kind::Usager, wanted).await?.is_some_and(|found| found.id != account.id))
}

async fn content(visit: &Visit, letter: Letter, account: &Account, to: &str, suite: &str) -> Result<Value> {
    let link = |purpose| Link { purpose, account: account.id, email: to.to_owned() };
    let (path, label) = match letter {
        Letter::Confirm => {
            let token = add(visit, &link(Purpose::Confirm), CONFIRM_LASTS).await?;
            let then = if suite.is_empty() { String::new() } else { format!("?suite={}", encode(suite)) };
            (format!("/confirmer/{token}{then}"), "Confirmer mon adresse")
        }
        Letter::NewEmail => (
            format!("/confirmer/{}", add(visit, &link(Purpose::NewEmail), CONFIRM_LASTS).await?),
            "Confirmer ma nouvelle adresse",
        ),
        Letter::Reset => (
            format!("/mot-de-passe/{}", add(visit, &link(Purpose::Reset), RESET_LASTS).await?),
            "Choisir un nouveau mot de passe",
        ),
        Letter::Welcome => (
            format!("/mot-de-passe/{}", add(visit, &link(Purpose::Reset), WELCOME_LASTS).await?),
            "Choisir mon mot de passe",
        ),
        Letter::DirectoryPassword => ("/agent/connexion".to_owned(), "Me connecter"),
        Letter::EndNear | Letter::HandedOver => ("/agent?vue=mes-dossiers".to_owned(), "Mes dossiers"),
        Letter::EndNearOf => ("/agent/agents".to_owned(), "Agents du service"),
        Letter::Exists => ("/connexion".to_owned(), "Me connecter"),
        // Something changed at the door: whoever did not do it takes the account back.
        Letter::PasswordChanged
        | Letter::EmailChanged
        | Letter::FactorSet
        | Letter::FactorRemoved
        | Letter::FactorReset
        | Letter::RecoveryUsed
        | Letter::RecoveryRenewed
        | Letter::PasskeyAdded
        | Letter::PasskeyRemoved => {
            let space = if account.kind() == Kind::Agent { "?espace=agent" } else { "" };
            (format!("/mot-de-passe-oublie{space}"), "Choisir un nouveau mot de passe")
        }
    };
    let base = visit.public_url();
    Ok(context! { link => format!("{base}{path}"), link_label => label })
}

/// Makes a link and gives its token.
async fn add(visit: &Visit, link: &Link, lasts: SignedDuration) -> Result<String> {
    let token = secret::token();
    let expires = visit.now.checked_add(lasts).unwrap_or(visit.now);
    visit.db.write(async |tx: &mut Tx| store::add_link(tx, &token, link, expires).await).await?;
    Ok(token)
}
