//! A forgotten password, of an usager or of an agent. The answer is the same for an unknown address.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context};

use super::{Way, errors, expired, new_password, sent};
use crate::{
    accounts::{
        connections::{self, Happened},
        entry,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        password,
        session::{self, Kind},
        store::{self, Account, Purpose},
    },
    error::Problem,
    platform::form::Typed,
    safe,
    visit::Visitor,
};

const ASK: &str = "Mot de passe oublié";
const CHOOSE: &str = "Nouveau mot de passe";

impl Way {
    fn kind(&self) -> Kind {
        if self.espace == Kind::Agent.name() { Kind::Agent } else { Kind::Usager }
    }
}

fn sign_in_page(kind: Kind) -> &'static str {
    match kind {
        Kind::Usager => "/connexion",
        Kind::Agent => "/agent/connexion",
    }
}

pub async fn ask(visitor: Visitor, Query(way): Query<Way>) -> Result<Response, Problem> {
    visitor.page("accounts/forgot.html", ASK, ask_context("", way.kind(), &[]))
}

fn ask_context(email: &str, kind: Kind, wrong: &[Wrong]) -> Value {
    context! { email => email, back => sign_in_page(kind), errors => errors(wrong) }
}

pub async fn send(visitor: Visitor, Query(way): Query<Way>, Typed(typed): Typed) -> Result<Response, Problem> {
    let email = match model::email(typed.text("email")) {
        Ok(email) => email,
        Err(text) => {
            return visitor.page_again(
                "accounts/forgot.html",
                ASK,
                ask_context(typed.text("email"), way.kind(), &[Wrong::new("email", text)]),
            );
        }
    };
    if entry::may_write_to(&visitor, &email).await? {
        // An unknown address queues a mail to nobody: every answer takes the same time.
        let accounts = store::at_address(&visitor.db, way.kind(), &email).await?;
        visitor.db.write(async |tx: &mut Tx| jobs::queue_reset(tx, &visitor, &accounts, &email).await).await?;
        visitor.app.work.notify_one();
    }
    sent(&visitor, "reset", &email, jobs::RESET_LASTS, "/mot-de-passe-oublie")
}

/// The account of a reset link that may still be used.
async fn account_of(visitor: &Visitor, token: &str) -> Result<Option<Account>, Problem> {
    match store::link(&visitor.db, token, visitor.now).await? {
        Some(link) if link.purpose == Purpose::Reset => Ok(store::find(&visitor.db, link.account).await?),
        _ => Ok(None),
    }
}

pub async fn show(visitor: Visitor, Path(token): Path<String>) -> Result<Response, Problem> {
    match account_of(&visitor, &token).await? {
        Some(account) => visitor.page("accounts/reset.html", CHOOSE, choose_context(&account, &token, &[])),
        None => expired(&visitor, "reset"),
    }
}

fn choose_context(account: &Account, token: &str, wrong: &[Wrong]) -> Value {
    context! { email => &account.login, token => token, min => model::LONG, errors => errors(wrong) }
}

pub async fn choose(visitor: Visitor, Path(token): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let Some(account) = account_of(&visitor, &token).await? else { return expired(&visitor, "reset") };
    let password = match new_password(&visitor, &typed, &account.known()) {
        Ok(password) => password,
        Err(wrong) => {
            return visitor.page_again("accounts/reset.html", CHOOSE, choose_context(&account, &token, &[wrong]));
        }
    };
    let hash = password::hash(&password).await?;
    if !replace(&visitor, &token, &account, &hash).await? {
        return expired(&visitor, "reset");
    }
    visitor.app.work.notify_one();
    // Somebody whom strangers locked out gets in at once.
    entry::forgive(&visitor, account.kind(), &account.login).await?;
    Ok(Redirect::to(&format!("{}?fait=mot-de-passe", sign_in_page(account.kind()))).into_response())
}

/// Every session ends, and the address is proved by the link itself. False when the link was used.
async fn replace(visitor: &Visitor, token: &str, account: &Account, hash: &str) -> Result<bool, db::Error> {
    visitor
        .db
        .write(async |tx: &mut Tx| {
            if !store::use_link(tx, token, visitor.now).await? {
                return Ok(false);
            }
            store::drop_links(tx, account.id).await?;
            store::set_password(tx, account.id, hash).await?;
            safe::password_changed(tx, account.id, None, visitor.now).await?;
            store::confirm(tx, account.id, visitor.now).await?;
            session::close_others(tx, account.id, None).await?;
            connections::remember(tx, visitor, account.id, Happened::PasswordChanged).await?;
            jobs::queue(tx, visitor, Letter::PasswordChanged, account.id, More::default()).await?;
            Ok(true)
        })
        .await
}
