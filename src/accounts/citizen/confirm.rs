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
        email,
        store::{self, Account, Purpose},
    },
    error::Problem,
    platform::{encode, form::Typed},
    visit::Visitor,
};

pub async fn show(visitor: Visitor, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(link) = store::link(&visitor.db, &token, visitor.now).await? else { return expired(&visitor, "sign-up") };
    match link.purpose {
        Purpose::Confirm => {
            visitor.page("accounts/confirm.html", "Confirmez votre adresse", context! { email => link.email })
        }
        Purpose::NewEmail | Purpose::OldEmail => email::pages::show(&visitor, &link).await,
        Purpose::Reset => expired(&visitor, "sign-up"),
    }
}

pub async fn send(
    visitor: Visitor,
    Path(token): Path<String>,
    Query(way): Query<Way>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let Some(link) = store::link(&visitor.db, &token, visitor.now).await? else { return expired(&visitor, "sign-up") };
    let Some(account) = store::find(&visitor.db, link.account).await? else { return expired(&visitor, "sign-up") };
    match link.purpose {
        Purpose::Confirm => open(&visitor, &token, &account, safe(&way.suite)).await,
        Purpose::NewEmail | Purpose::OldEmail => email::pages::answer(&visitor, &token, &link, &account, &typed).await,
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
