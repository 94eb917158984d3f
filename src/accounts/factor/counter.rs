//! At the counter: an agent removes the second factor of an usager who has lost it and their recovery codes,
//! once their identity is checked. The password still has to be known.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context};
use uuid::Uuid;

use super::store;
use crate::{
    accounts::{
        citizen::{Way, errors, flash},
        connections::{self, Happened},
        jobs::{self, Letter, More},
        model::{self, Wrong},
        passkey,
        session::Kind,
        store::{self as accounts, Account},
    },
    error::Problem,
    platform::form::Typed,
    visit::{Agent, Visit},
};

const TITLE: &str = "Comptes des usagers";
const PAGE: &str = "agent/accounts.html";
const LONGEST_REASON: usize = 300;

pub async fn show(agent: Agent, Query(way): Query<Way>) -> Result<Response, Problem> {
    agent.at_counter()?;
    let told = (way.fait == "retire").then_some("Le second facteur est retiré. L’usager en est prévenu par courriel.");
    let page =
        context! { email => "", searched => false, account => Value::from(()), reason => "", errors => errors(&[]) };
    agent.page(PAGE, TITLE, context! { ..page, ..flash(told) })
}

/// By the whole address only: nobody leafs through accounts.
pub async fn search(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let email = match model::email(typed.text("email")) {
        Ok(email) => email,
        Err(text) => {
            let wrong = [Wrong::new("email", text)];
            let page = context! { email => typed.text("email"), searched => false, account => Value::from(()), reason => "", errors => errors(&wrong) };
            return agent.page_again(PAGE, TITLE, page);
        }
    };
    let found = accounts::credentials(&agent.db, Kind::Usager, &email).await?;
    let account = match found {
        Some(found) => accounts::find(&agent.db, found.id).await?,
        None => None,
    };
    let page = context(&agent, &email, account.as_ref(), "", &[]).await?;
    agent.page(PAGE, TITLE, page)
}

async fn context(
    agent: &Agent,
    email: &str,
    account: Option<&Account>,
    reason: &str,
    wrong: &[Wrong],
) -> Result<Value, Problem> {
    let shown = match account {
        Some(account) => {
            let since = store::find(&agent.db, account.id).await?.map(|factor| factor.created_at.to_string());
            context! {
                name => format!("{} {}", account.first_name, account.last_name).trim(), email => &account.email,
                since => since.unwrap_or_default(), action => format!("/agent/comptes/{}/second-facteur", account.id),
            }
        }
        None => Value::from(()),
    };
    Ok(context! { email => email, searched => true, account => shown, reason => reason, errors => errors(wrong) })
}

pub async fn reset(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let account = accounts::find(&agent.db, id).await?.filter(|account| account.kind() == Kind::Usager);
    let account = account.ok_or(Problem::NotFound)?;
    let reason = typed.text("motif").trim();
    let mut wrong = Vec::new();
    if typed.text("identite").is_empty() {
        wrong.push(Wrong::new("identite", "Vérifiez l’identité de la personne, puis cochez la case"));
    }
    if reason.is_empty() {
        wrong.push(Wrong::new("motif", "Écrivez le motif et la pièce d’identité présentée"));
    } else if reason.chars().count() > LONGEST_REASON {
        wrong.push(Wrong::new("motif", format!("Raccourcissez le motif\u{a0}: {LONGEST_REASON} caractères au plus")));
    }
    if !wrong.is_empty() {
        let page = context(&agent, &account.email, Some(&account), reason, &wrong).await?;
        return agent.page_again(PAGE, TITLE, page);
    }
    take_away(&agent, Some(agent.account.id), &account, reason).await?;
    Ok(Redirect::to("/agent/comptes?fait=retire").into_response())
}

/// Removes an account's second factor in its owner's name, who is told. False when there was none.
async fn take_away(visit: &Visit, agent: Option<Uuid>, account: &Account, reason: &str) -> Result<bool, db::Error> {
    let removed = visit
        .db
        .write(async |tx: &mut Tx| {
            let mut removed = store::remove(tx, account.id).await?;
            // Lost with the rest; an agent obliged to a second factor enters by nothing else.
            if account.kind() == Kind::Agent {
                removed |= passkey::remove_all(tx, account.id).await?;
            }
            if removed {
                connections::remember_agent(tx, visit, account.id, Happened::FactorReset, (agent, reason)).await?;
                jobs::queue(tx, visit, Letter::FactorReset, account.id, More::default()).await?;
            }
            Ok::<_, db::Error>(removed)
        })
        .await?;
    visit.app.work.notify_one();
    Ok(removed)
}

/// By the operator, for an agent: the counter's agents have no power over one another. False when no agent of
/// this address has a second factor.
///
/// # Errors
/// Only when the database cannot be reached.
pub async fn reset_agent(visit: &Visit, email: &str, reason: &str) -> Result<bool, db::Error> {
    let Some(found) = accounts::credentials(&visit.db, Kind::Agent, email).await? else { return Ok(false) };
    let Some(account) = accounts::find(&visit.db, found.id).await? else { return Ok(false) };
    take_away(visit, None, &account, reason).await
}
