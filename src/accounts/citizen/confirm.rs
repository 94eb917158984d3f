//! Links that prove an address: of a new account, or a new address of an account. Opening one shows
//! a button, because mail filters open links too.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::context;

use super::{Way, expired, safe};
use crate::{
    accounts::{
        connections::{self, Happened},
        jobs::{self, Letter, More},
        store::{self, Account, Link, Purpose},
    },
    error::Problem,
    platform::encode,
    visit::Visitor,
};

pub async fn show(visitor: Visitor, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(link) = store::link(&visitor.db, &token, visitor.now).await? else { return expired(&visitor, "sign-up") };
    let (purpose, title) = match link.purpose {
        Purpose::Confirm => ("sign-up", "Confirmez votre adresse"),
        Purpose::NewEmail => ("email", "Confirmez votre nouvelle adresse"),
        Purpose::Reset => return expired(&visitor, "sign-up"),
    };
    visitor.page("accounts/confirm.html", title, context! { email => link.email, purpose => purpose, token => token })
}

pub async fn send(visitor: Visitor, Path(token): Path<String>, Query(way): Query<Way>) -> Result<Response, Problem> {
    let Some(link) = store::link(&visitor.db, &token, visitor.now).await? else { return expired(&visitor, "sign-up") };
    let Some(account) = store::find(&visitor.db, link.account).await? else { return expired(&visitor, "sign-up") };
    match link.purpose {
        Purpose::Confirm => open(&visitor, &token, &account, safe(&way.suite)).await,
        Purpose::NewEmail => change(&visitor, &token, &account, &link).await,
        Purpose::Reset => expired(&visitor, "sign-up"),
    }
}

/// The account is open. Its owner signs in: whoever only received the mail cannot.
async fn open(visitor: &Visitor, token: &str, account: &Account, suite: &str) -> Result<Response, Problem> {
    let done = visitor
        .db
        .write(async |tx: &mut Tx| {
            if !store::use_link(tx, token, visitor.now).await? {
                return Ok(false);
            }
            store::drop_links(tx, account.id).await?;
            store::confirm(tx, account.id, visitor.now).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !done {
        return expired(visitor, "sign-up");
    }
    let then = if suite.is_empty() { String::new() } else { format!("&suite={}", encode(suite)) };
    Ok(Redirect::to(&format!("/connexion?fait=confirme{then}")).into_response())
}

async fn change(visitor: &Visitor, token: &str, account: &Account, link: &Link) -> Result<Response, Problem> {
    let done = visitor
        .db
        .write(async |tx: &mut Tx| {
            if !store::use_link(tx, token, visitor.now).await? {
                return Ok(false);
            }
            store::drop_links(tx, account.id).await?;
            store::set_email(tx, account.id, &link.email).await?;
            connections::remember(tx, visitor, account.id, Happened::EmailChanged).await?;
            jobs::queue(
                tx,
                visitor,
                Letter::EmailChanged,
                account.id,
                More { suite: "", to: &account.email, ..More::default() },
            )
            .await?;
            Ok::<_, db::Error>(true)
        })
        .await;
    match done {
        Ok(true) => {
            visitor.app.work.notify_one();
            Ok(Redirect::to("/compte?fait=adresse").into_response())
        }
        Ok(false) => expired(visitor, "email"),
        // An account was opened with this address meanwhile.
        Err(error) if error.is_unique("account_email_key") => expired(visitor, "email"),
        Err(error) => Err(error.into()),
    }
}
