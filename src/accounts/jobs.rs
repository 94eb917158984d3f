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
    email,
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
    /// The same, to the former address.
    OldEmail,
    /// Tells the former address that an agent agreed in its place: it may still refuse.
    OldEmailAtCounter,
    /// Tells the former address that it no longer counts.
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
    /// The owner's civil identity was verified, at the counter or by post.
    IdentityVerified,
    /// Two accounts have become one, to both addresses.
    Merged,
    /// Of a provider.
    IdentityLinked,
    IdentityUnlinked,
    /// A department no longer knows a reference that the owner linked.
    ReferenceGone,
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
    const ALL: [Self; 25] = [
        Self::Confirm,
        Self::Exists,
        Self::Reset,
        Self::PasswordChanged,
        Self::NewEmail,
        Self::OldEmail,
        Self::OldEmailAtCounter,
        Self::EmailChanged,
        Self::FactorSet,
        Self::FactorRemoved,
        Self::FactorReset,
        Self::RecoveryUsed,
        Self::RecoveryRenewed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::IdentityVerified,
        Self::Merged,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::ReferenceGone,
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
            Self::OldEmail => "adresse-a-quitter",
            Self::OldEmailAtCounter => "adresse-a-quitter-au-guichet",
            Self::EmailChanged => "adresse-changee",
            Self::FactorSet => "second-facteur-active",
            Self::FactorRemoved => "second-facteur-retire",
            Self::FactorReset => "second-facteur-retire-au-guichet",
            Self::RecoveryUsed => "code-de-secours",
            Self::RecoveryRenewed => "codes-de-secours",
            Self::PasskeyAdded => "cle-d-acces-ajoutee",
            Self::PasskeyRemoved => "cle-d-acces-retiree",
            Self::IdentityVerified => "identite-verifiee",
            Self::Merged => "comptes-reunis",
            Self::IdentityLinked => "identite-rattachee",
            Self::IdentityUnlinked => "identite-detachee",
            Self::ReferenceGone => "reference-retiree",
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
    if more.to.is_empty() && store::unreachable(tx, account).await? {
        return Ok(());
    }
    let id = visit.id();
    let payload =
        json!({"message": letter.name(), "account": account, "suite": more.suite, "to": more.to, "about": more.about});
    let job = NewJob { kind: LETTER, effect: format!("account:{}:{id}", letter.name()), request: None, payload };
    jobs::enqueue(tx, id, visit.now, job).await
}

/// Queues the mail of who forgot their password, for the accounts written to at this address: none queues a
/// mail to nobody.
pub async fn queue_reset(tx: &mut Tx, visit: &Visit, accounts: &[Account], email: &str) -> Result<(), db::Error> {
    let id = visit.id();
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id).collect();
    let payload = json!({"message": Letter::Reset.name(), "accounts": ids, "to": email});
    let effect = format!("account:{}:{id}", Letter::Reset.name());
    jobs::enqueue(tx, id, visit.now, NewJob { kind: LETTER, effect, request: None, payload }).await
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
    if letter == Letter::Reset {
        return reset(visit, job, text("to")).await;
    }
    let id: Uuid = text("account").parse().context("no account")?;
    let Some(account) = store::find(&visit.db, id).await.map_err(anyhow::Error::from)? else { return Ok(()) };
    let present = account.email.as_deref().unwrap_or_default();
    let to = if text("to").is_empty() { present } else { text("to") };
    if to.is_empty() {
        return Ok(());
    }
    let letter = match letter {
        Letter::Confirm if account.confirmed_at.is_some() => return Ok(()),
        // Whoever has an account at the new address learns it by mail, and only they.
        Letter::NewEmail if taken(visit, &account, to).await? => Letter::Exists,
        // Refused, or asked anew, before it was sent.
        Letter::NewEmail | Letter::OldEmail | Letter::OldEmailAtCounter
            if !email_changes(visit, &account, letter, to).await? =>
        {
            return Ok(());
        }
        letter => letter,
    };
    let about = Value::from(Serde(job.payload.0.get("about").cloned().unwrap_or_default()));
    let context = context! { about => about, ..content(visit, letter, &account, to, text("suite")).await? };
    let mail = requests::jobs::letter(visit, letter.name(), context, to, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

/// One link for each account of the address: people who share a mailbox have each their own.
async fn reset(visit: &Visit, job: &Claimed, to: &str) -> Result<(), SendError> {
    // Of an account whose password is the directory’s.
    let mut theirs = None;
    let mut accounts = Vec::new();
    for id in job.payload.0.get("accounts").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        let id: Uuid = id.parse().context("no account")?;
        let Some(found) = store::find(&visit.db, id).await.map_err(anyhow::Error::from)? else { continue };
        if directory::linked(&visit.db, id).await.map_err(anyhow::Error::from)? {
            theirs = Some(found);
        } else {
            accounts.push(found);
        }
    }
    let mail = match accounts.as_slice() {
        [] => {
            let Some(account) = &theirs else { return Ok(()) };
            let letter = Letter::DirectoryPassword;
            let context = content(visit, letter, account, to, "").await?;
            requests::jobs::letter(visit, letter.name(), context, to, job.id)?
        }
        [account] => {
            let context = content(visit, Letter::Reset, account, to, "").await?;
            requests::jobs::letter(visit, Letter::Reset.name(), context, to, job.id)?
        }
        several => {
            let mut links = Vec::new();
            for account in several {
                let token = add(
                    visit,
                    &Link { purpose: Purpose::Reset, account: account.id, email: to.to_owned() },
                    RESET_LASTS,
                )
                .await?;
                links.push(
                    json!({"login": account.login, "href": format!("{}/mot-de-passe/{token}", visit.public_url())}),
                );
            }
            let context = context! { link => "", link_label => "", accounts => Value::from(Serde(links)) };
            requests::jobs::letter(visit, "mots-de-passe", context, to, job.id)?
        }
    };
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

/// Whether somebody else signs in with the address, and it would be this account's to sign in with.
async fn taken(visit: &Visit, account: &Account, wanted: &str) -> Result<bool> {
    // Who has no sign-in name yet gets this one; who has another keeps it.
    if !account.login.is_empty() && account.email.as_deref() != Some(account.login.as_str()) {
        return Ok(false);
    }
    Ok(store::credentials(&visit.db, Kind::Usager, wanted).await?.is_some_and(|found| found.id != account.id))
}

/// Whether the change of address that the mail speaks of is still under way.
async fn email_changes(visit: &Visit, account: &Account, letter: Letter, to: &str) -> Result<bool> {
    let change = email::store::find(&visit.db, account.id, visit.now).await?;
    Ok(change.is_some_and(|change| letter != Letter::NewEmail || change.email == to))
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
            format!("/confirmer/{}", add(visit, &link(Purpose::NewEmail), email::LASTS).await?),
            "Confirmer ma nouvelle adresse",
        ),
        Letter::OldEmail | Letter::OldEmailAtCounter => {
            let label =
                if letter == Letter::OldEmail { "Confirmer ou refuser ce changement" } else { "Refuser ce changement" };
            (format!("/confirmer/{}", add(visit, &link(Purpose::OldEmail), email::LASTS).await?), label)
        }
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
        Letter::IdentityVerified => ("/compte/identite".to_owned(), "Voir mon identité vérifiée"),
        Letter::ReferenceGone => ("/mes-services".to_owned(), "Voir mes services"),
        // Something changed at the door: whoever did not do it takes the account back.
        Letter::PasswordChanged
        | Letter::EmailChanged
        | Letter::FactorSet
        | Letter::FactorRemoved
        | Letter::FactorReset
        | Letter::RecoveryUsed
        | Letter::RecoveryRenewed
        | Letter::PasskeyAdded
        | Letter::PasskeyRemoved
        | Letter::Merged
        | Letter::IdentityLinked
        | Letter::IdentityUnlinked => {
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
