//! Where one mail goes: on the request that it answers, if it says it comes from its usager; else to be
//! qualified. Kept once, however often it comes.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    automatic::Automatic,
    declaration::Mailbox,
    message::{self, Incoming},
    store as mails, token,
};
use crate::{
    accounts,
    contacts::{
        arrive::{self, Arrived, Place},
        model::MOST_FILES,
    },
    organisations,
    platform::{
        french,
        upload::{self, Received, Refused},
    },
    requests::{form, mailed, model::Request, store as requests},
    visit::Visit,
};

/// Largest mail taken, in bytes: what most mail servers let through.
pub const LARGEST: usize = 40_000_000;
/// Code, in the history of a request, of a mail from the address of its usager.
pub const MAIL: &str = "mail-in";
/// Mails of robots that one request keeps: a loop stops there.
const MOST_ROBOTS: i64 = 20;
/// Messages by mail that one request takes in a day; others are looked at first.
const MOST_A_DAY: i64 = 50;
/// Attached files that are named when they are not kept.
const MOST_NAMED: usize = 20;
const CHANNEL: &str = "email";

#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A message on a request.
    Message(Uuid),
    /// A contact on a request, which its usager does not see.
    Noted(Uuid),
    ToQualify,
    /// It was there already.
    Known,
    /// Written by a robot, about no request: put with what is closed.
    Robot,
    /// It is no mail.
    Unreadable,
}

/// What is known of a mail beside itself.
#[derive(Debug, Default, Clone, Copy)]
pub struct Envelope<'a> {
    pub sender: Option<&'a str>,
    pub recipient: Option<&'a str>,
}

/// Takes one mail. Once it is answered `Ok`, the mail is kept for good: its mailbox may forget it.
///
/// # Errors
/// Nothing was kept, or all of it: to try again.
pub async fn receive(visit: &Visit, raw: &[u8], envelope: Envelope<'_>) -> Result<Outcome> {
    let (mailbox, _) = mails::get(&visit.db).await?.context("this authority reads no mail")?;
    let Some(mail) = message::read(raw, envelope.sender, envelope.recipient) else { return Ok(Outcome::Unreadable) };
    let print = print(visit, &mail, raw);
    if arrive::is_known(&visit.db, CHANNEL, &print).await? {
        return Ok(Outcome::Known);
    }
    let named = token::find(visit, mail.to.iter().chain(&mail.answers).map(String::as_str));
    let request = match named {
        Some(id) => requests::find(&visit.db, id).await?,
        None => None,
    };
    let place = place(visit, &mailbox, &mail, request.as_ref()).await?;
    if let Some(request) = request.as_ref().filter(|_| mail.automatic == Automatic::Bounce) {
        mailed::returned(&visit.db, request.id, raw).await?;
    }
    // Before anything is stored: the mail comes again.
    arrive::bounded(visit, &place, &mail.from).await?;
    let files = attach(visit, &mail).await?;
    keep(visit, &mail, &place, files, &print).await
}

/// Of the Message-ID; of the whole when it has none.
fn print(visit: &Visit, mail: &Incoming, raw: &[u8]) -> Vec<u8> {
    let what = mail.message_id.as_deref().map_or(raw, str::as_bytes);
    visit.app.secret.fingerprint("received mail", what)
}

async fn place(visit: &Visit, mailbox: &Mailbox, mail: &Incoming, request: Option<&Request>) -> Result<Place> {
    let Some(found) = request else {
        let department = mailbox.department(mail.to.iter().map(String::as_str)).to_owned();
        return Ok(if mail.automatic == Automatic::No {
            Place::ToQualify { department }
        } else {
            Place::Closed { department }
        });
    };
    let department = found.department_id.clone();
    if mail.automatic != Automatic::No {
        let many = mails::unproven(&visit.db, found.id).await?;
        return Ok(if many < MOST_ROBOTS {
            Place::Noted { request: found.id, department }
        } else {
            Place::Closed { department }
        });
    }
    // An ended request is no longer looked at: somebody has to see this.
    let theirs = found.ended_at.is_none() && theirs(visit, found).await?.contains(&mail.from.to_lowercase());
    if theirs && mails::today(&visit.db, found.id, visit.now).await? < MOST_A_DAY {
        return Ok(Place::Message { request: found.id, department });
    }
    Ok(Place::ToQualify { department })
}

/// Addresses of whoever may write for the usager of a request today: of an organisation, whom it is written to; else
/// the usager, and not somebody who acted for them once.
async fn theirs(visit: &Visit, request: &Request) -> Result<BTreeSet<String>> {
    let own = request.email.as_deref();
    if let Some(organisation) = request.organisation_id {
        let to = organisations::recipient(&visit.db, organisation, request.acted_by, own.unwrap_or_default()).await?;
        return Ok([to.to_lowercase()].into_iter().filter(|to| !to.is_empty()).collect());
    }
    let own = own.filter(|_| request.acted_by.is_none_or(|by| Some(by) == request.account_id));
    let mut known: BTreeSet<String> = own.iter().map(|email| email.to_lowercase()).collect();
    if let Some(account) = request.account_id {
        let found = accounts::find(&visit.db, account).await?.filter(|one| one.confirmed_at.is_some());
        known.extend(found.and_then(|one| one.email).map(|email| email.to_lowercase()));
    }
    Ok(known)
}

/// Stores what is attached; gives it with what to say of the rest.
async fn attach(visit: &Visit, mail: &Incoming) -> Result<(Vec<Received>, String)> {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    let limit = visit.app.config.upload_limit;
    for (name, bytes) in &mail.files {
        if kept.len() >= usize::try_from(MOST_FILES)? {
            refused.push(format!("{name} (trop de fichiers)"));
            continue;
        }
        let id = visit.id();
        let writer = visit.app.storage.writer(visit.site.id, id);
        match upload::whole(writer, &visit.app.config.clamd, id, name, bytes, limit).await {
            Ok(received) => kept.push(received),
            Err(Refused::Nothing) => {}
            // Storage or antivirus: the mail comes again.
            Err(Refused::Failed(error) | Refused::NotScanned(error)) => return Err(error),
            Err(other) => {
                let why = form::says(&other, limit, false);
                refused.push(format!("{name}, {} : {why}", french::size(bytes.len() as u64)));
            }
        }
    }
    let others = refused.len().saturating_sub(MOST_NAMED);
    if others > 0 {
        refused.truncate(MOST_NAMED);
        refused.push(format!("et {others} autres"));
    }
    let said = if refused.is_empty() {
        String::new()
    } else {
        format!("\n\n[Pièces jointes non gardées]\n{}", refused.join("\n"))
    };
    Ok((kept, said))
}

async fn keep(
    visit: &Visit,
    mail: &Incoming,
    place: &Place,
    (files, refused): (Vec<Received>, String),
    print: &[u8],
) -> Result<Outcome> {
    let body = format!("{}{refused}", mail.text);
    let arrived = Arrived {
        channel: CHANNEL,
        code: MAIL,
        print,
        at: at(mail.date, visit.now),
        who: &mail.name,
        address: &mail.from,
        subject: &mail.subject,
        body: if body.trim().is_empty() { "[Message vide]" } else { &body },
        quoted: &mail.quoted,
        files: &files,
    };
    if !arrive::keep(visit, &arrived, place).await? {
        return Ok(Outcome::Known);
    }
    Ok(match place {
        Place::Message { request, .. } => Outcome::Message(*request),
        Place::Noted { request, .. } => Outcome::Noted(*request),
        Place::ToQualify { .. } => Outcome::ToQualify,
        Place::Closed { .. } => Outcome::Robot,
    })
}

/// When its sender says, unless that is to come or long ago.
fn at(date: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let old = now.checked_sub(SignedDuration::from_hours(24 * 30)).unwrap_or(now);
    date.filter(|date| *date <= now && *date > old).unwrap_or(now)
}
