//! Asking for another address, from « Mon compte », and the answers of both mailboxes. Opening a link shows
//! buttons, because mail filters open links too.

use axum::{http::StatusCode, response::Response};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};

use super::{
    Outcome, Side, outcome,
    store::{self, Change},
};
use crate::{
    accounts::{
        citizen::{expired, mine},
        connections::{self, Happened},
        entry,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        session,
        store::{self as accounts, Account, Link, Purpose},
    },
    error::Problem,
    platform::form::Typed,
    visit::{Citizen, Visitor},
};

const PAGE: &str = "accounts/email.html";

/// Reads the new address; an account's own is no change.
pub fn new_address(typed: &Raw, account: &Account, field: &'static str) -> Result<String, Wrong> {
    match model::email(typed.text(field)) {
        Ok(email) if Some(&email) == account.email.as_ref() => {
            Err(Wrong::new(field, "C’est déjà l’adresse de ce compte"))
        }
        Ok(email) => Ok(email),
        Err(text) => Err(Wrong::new(field, text)),
    }
}

pub async fn ask(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = mine::account(&citizen).await?;
    let email = match new_address(&typed, &account, "nouvelle-adresse") {
        Ok(email) => email,
        Err(wrong) => return mine::again(&citizen, &account, &typed, "adresse", &[wrong]).await,
    };
    // The first address of an account that a provider opens: there is no password to ask, and only the link
    // sent there makes it count.
    let first = account.login.is_empty() && account.password_hash.is_none();
    if !first && let Some(wrong) = mine::owner(&citizen, &account, &typed, "mot-de-passe-adresse").await? {
        return mine::again(&citizen, &account, &typed, "adresse", &[wrong]).await;
    }
    if entry::may_write_to(&citizen, &email).await? {
        let visit = &citizen.visit;
        citizen
            .db
            .write(async |tx: &mut Tx| {
                accounts::drop_links(tx, account.id).await?;
                store::begin(tx, account.id, &email, account.email.is_none(), visit.now).await?;
                connections::remember(tx, visit, account.id, Happened::EmailChangeAsked).await?;
                jobs::queue(tx, visit, Letter::OldEmail, account.id, More::default()).await?;
                jobs::queue(tx, visit, Letter::NewEmail, account.id, More { to: &email, ..More::default() }).await
            })
            .await?;
        citizen.app.work.notify_one();
    }
    draw(&citizen, StatusCode::OK, "Consultez vos courriels", "sent", &account, &email)
}

fn draw(
    visitor: &Visitor,
    status: StatusCode,
    title: &str,
    step: &str,
    account: &Account,
    email: &str,
) -> Result<Response, Problem> {
    let context = context! { step => step, former => account.email.as_deref().unwrap_or_default(), email => email, hours => super::LASTS.as_hours() };
    visitor.page_with(status, PAGE, title, context)
}

fn side(link: &Link) -> Side {
    if link.purpose == Purpose::OldEmail { Side::Old } else { Side::New }
}

/// Whether the link still speaks of the change under way: it may have been asked anew for another address.
fn concerns(link: &Link, change: &Change) -> bool {
    side(link) == Side::Old || link.email == change.email
}

/// What the link of a mail opens.
pub async fn show(visitor: &Visitor, link: &Link) -> Result<Response, Problem> {
    let change = store::find(&visitor.db, link.account, visitor.now).await?;
    let account = accounts::find(&visitor.db, link.account).await?;
    let (Some(change), Some(account)) = (change.filter(|change| concerns(link, change)), account) else {
        return expired(visitor, "email");
    };
    match side(link) {
        Side::New => draw(visitor, StatusCode::OK, "Confirmez votre nouvelle adresse", "new", &account, &change.email),
        Side::Old => draw(visitor, StatusCode::OK, "Changement d’adresse", "old", &account, &change.email),
    }
}

/// « Confirmer » or « Ce n'est pas moi ».
pub async fn answer(
    visitor: &Visitor,
    token: &str,
    link: &Link,
    account: &Account,
    typed: &Raw,
) -> Result<Response, Problem> {
    let agrees = typed.text("reponse") != "refus";
    let answered = visitor.db.write(async |tx: &mut Tx| settle(tx, visitor, token, link, account, agrees).await).await;
    let (outcome, email) = match answered {
        Ok(Some(done)) => done,
        Ok(None) => return expired(visitor, "email"),
        // An account was opened with this address meanwhile.
        Err(error) if error.is_unique("account_login_key") => return expired(visitor, "email"),
        Err(error) => return Err(error.into()),
    };
    visitor.app.work.notify_one();
    let (title, step) = match outcome {
        Outcome::Waits(Side::Old) => ("Il reste une étape", "waits-old"),
        Outcome::Waits(Side::New) => ("Il reste une étape", "waits-new"),
        Outcome::Done => ("Votre adresse est changée", "done"),
        Outcome::Refused(Side::Old) => ("Le changement d’adresse est annulé", "refused-old"),
        Outcome::Refused(Side::New) => ("Le changement d’adresse est annulé", "refused-new"),
    };
    draw(visitor, StatusCode::OK, title, step, account, &email)
}

/// Counts an answer: none when the link was used, or is of a change that is over.
async fn settle(
    tx: &mut Tx,
    visitor: &Visitor,
    token: &str,
    link: &Link,
    account: &Account,
    agrees: bool,
) -> Result<Option<(Outcome, String)>, db::Error> {
    let (side, now) = (side(link), visitor.now);
    let change = store::hold(tx, account.id, now).await?.filter(|change| concerns(link, change));
    let Some(change) = change else { return Ok(None) };
    if !accounts::use_link(tx, token, now).await? {
        return Ok(None);
    }
    let other = change.agreed(if side == Side::New { Side::Old } else { Side::New });
    let outcome = outcome(side, agrees, other);
    match outcome {
        Outcome::Waits(_) => store::agree(tx, account.id, side, now).await?,
        Outcome::Refused(side) => {
            accounts::drop_links(tx, account.id).await?;
            connections::remember(tx, visitor, account.id, Happened::EmailChangeRefused).await?;
            // Whoever asked for it knows the password: they are shown the door until it changes.
            if side == Side::Old {
                session::close_others(tx, account.id, None).await?;
            }
        }
        Outcome::Done => {
            accounts::drop_links(tx, account.id).await?;
            accounts::set_email(tx, account.id, &change.email).await?;
            connections::remember(tx, visitor, account.id, Happened::EmailChanged).await?;
            if let Some(former) = &account.email {
                jobs::queue(tx, visitor, Letter::EmailChanged, account.id, More { to: former, ..More::default() })
                    .await?;
            }
        }
    }
    Ok(Some((outcome, change.email)))
}

/// For « Mon compte »: the new address awaited, and which mailboxes have yet to agree.
pub async fn waiting(visitor: &Visitor, account: uuid::Uuid) -> Result<Value, Problem> {
    let change = store::find(&visitor.db, account, visitor.now).await?;
    Ok(change.map_or_else(
        || Value::from(()),
        |change| context! { email => &change.email, new => !change.agreed(Side::New), old => !change.agreed(Side::Old) },
    ))
}
