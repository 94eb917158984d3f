//! Incoming mail: by a pipe of the mail server (`guichet mail-in`), or out of a mailbox (IMAP).

use anyhow::{Context, Result, ensure};
use db::{Db, Tx};
use uuid::Uuid;

use crate::{app::App, visit::Visit};

mod automatic;
mod declaration;
mod imap;
mod message;
mod quote;
mod receive;
mod store;
mod token;

pub use crate::platform::mail::Back;
pub use declaration::Mailbox;
pub use imap::{every, poll};
pub use receive::{Envelope, LARGEST, MAIL, Outcome, receive};
pub use store::{State, state};

const SEALING: &str = "courriel entrant";

/// Declares the mailbox of an authority, or declares it anew. Without `password`, the one before is kept.
///
/// # Errors
/// When the password is missing, or a department is not there.
pub async fn declare(app: &App, db: &Db, mailbox: &Mailbox, password: Option<&str>) -> Result<()> {
    let departments = crate::authorities::departments(db).await?;
    for named in mailbox.departments.values().chain([&mailbox.department]) {
        ensure!(departments.iter().any(|(id, _)| id == named), "no department {named}");
    }
    let owner = db.authority();
    let sealed = match password {
        // A pipe needs no password.
        None if mailbox.host.is_empty() => Some(app.secret.seal(SEALING, owner.as_bytes(), b"")?),
        None => None,
        Some(password) => Some(app.secret.seal(SEALING, owner.as_bytes(), password.as_bytes())?),
    };
    let declared = db.write(async |tx: &mut Tx| store::put(tx, mailbox, sealed.as_deref()).await).await?;
    ensure!(declared, "the password of {} is missing: give it on standard input", mailbox.login);
    Ok(())
}

/// Takes the mailbox away: mails are sent without an address to answer to.
pub async fn forget(db: &Db) -> Result<bool, db::Error> {
    db.write(async |tx: &mut Tx| store::forget(tx).await).await
}

/// The mailbox and its password.
async fn opened(visit: &Visit) -> Result<Option<(Mailbox, String)>> {
    let Some((mailbox, sealed)) = store::get(&visit.db).await? else { return Ok(None) };
    let clear = visit.app.secret.unseal(SEALING, visit.site.id.as_bytes(), &sealed);
    let password = clear.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(Some((mailbox, password.context("the mailbox’s password was sealed under another secret")?)))
}

/// Where an answer to a mail about a request comes back, when the authority reads a mailbox.
pub async fn back(visit: &Visit, request: Uuid) -> Result<Option<Back>> {
    let Some((mailbox, _)) = store::get(&visit.db).await? else { return Ok(None) };
    let token = token::of(visit, request);
    let (local, domain) = mailbox.address.rsplit_once('@').context("address")?;
    Ok(Some(Back { address: format!("{local}+{token}@{domain}"), token }))
}
