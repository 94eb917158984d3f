//! At the counter: an agent removes the second factor of an usager who has lost it and their recovery codes,
//! once their identity is checked. The password still has to be known.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
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
    agents::Role,
    error::Problem,
    platform::form::Typed,
    visit::{Agent, Visit},
};

const TITLE: &str = "Comptes des usagers";
const PAGE: &str = "agent/accounts.html";
const LONGEST_REASON: usize = 300;

/// Who only reads, or belongs to no department, has no business with usagers’ accounts.
fn may(agent: &Agent) -> Result<(), Problem> {
    if agent.memberships.iter().any(|membership| membership.role >= Role::Processor) {
        Ok(())
    } else {
        Err(Problem::Forbidden("Votre rôle ne permet pas de consulter les comptes."))
    }
}

pub async fn show(agent: Agent, Query(way): Query<Way>) -> Result<Response, Problem> {
    may(&agent)?;
    let told = match way.fait.as_str() {
        "retire" => Some("Le second facteur est retiré. L’usager en est prévenu par courriel."),
        "adresse" => Some("Un lien est envoyé à la nouvelle adresse : elle comptera quand l’usager l’aura ouvert."),
        _ => None,
    };
    let page = context! { email => "", searched => false, account => Value::from(()), ..fields(&Raw::default(), &[]) };
    agent.page(PAGE, TITLE, context! { ..page, ..flash(told) })
}

/// By the whole address only: nobody leafs through accounts.
pub async fn search(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    may(&agent)?;
    let email = match model::email(typed.text("email")) {
        Ok(email) => email,
        Err(text) => {
            let wrong = [Wrong::new("email", text)];
            let page = context! { email => typed.text("email"), searched => false, account => Value::from(()), ..fields(&typed, &wrong) };
            return agent.page_again(PAGE, TITLE, page);
        }
    };
    let found = accounts::credentials(&agent.db, Kind::Usager, &email).await?;
    let account = match found {
        Some(found) => accounts::find(&agent.db, found.id).await?,
        None => None,
    };
    let page = context(&agent, &email, account.as_ref(), &Raw::default(), &[]).await?;
    agent.page(PAGE, TITLE, page)
}

async fn context(
    agent: &Agent,
    email: &str,
    account: Option<&Account>,
    typed: &Raw,
    wrong: &[Wrong],
) -> Result<Value, Problem> {
    let shown = match account {
        Some(account) => {
            let since = store::find(&agent.db, account.id).await?.map(|factor| factor.created_at.to_string());
            context! {
                name => format!("{} {}", account.first_name, account.last_name).trim(), email => &account.email,
                since => since.unwrap_or_default(), base => format!("/agent/comptes/{}", account.id),
            }
        }
        None => Value::from(()),
    };
    Ok(context! { email => email, searched => true, account => shown, ..fields(typed, wrong) })
}

/// What was typed in the forms of the page, and what is wrong with it.
fn fields(typed: &Raw, wrong: &[Wrong]) -> Value {
    context! {
        reason => typed.text("motif"), new_email => typed.text("nouvelle-adresse"), reason_email => typed.text("motif-adresse"),
        errors => errors(wrong),
    }
}

/// The page of an account again, with what is wrong.
pub async fn again(agent: &Agent, account: &Account, typed: &Raw, wrong: &[Wrong]) -> Result<Response, Problem> {
    let page = context(agent, &account.email, Some(account), typed, wrong).await?;
    agent.page_again(PAGE, TITLE, page)
}

/// An usager’s account, for an agent who may look after it.
pub async fn usager(agent: &Agent, id: Uuid) -> Result<Account, Problem> {
    may(agent)?;
    let account = accounts::find(&agent.db, id).await?.filter(|account| account.kind() == Kind::Usager);
    account.ok_or(Problem::NotFound)
}

/// Reads that the identity was checked, and why the agent acts: the owner will read it.
pub fn checked<'a>(typed: &'a Raw, identity: &'static str, reason: &'static str, wrong: &mut Vec<Wrong>) -> &'a str {
    let text = typed.text(reason).trim();
    if typed.text(identity).is_empty() {
        wrong.push(Wrong::new(identity, "Vérifiez l’identité de la personne, puis cochez la case"));
    }
    if text.is_empty() {
        wrong.push(Wrong::new(reason, "Écrivez le motif et la pièce d’identité présentée"));
    } else if text.chars().count() > LONGEST_REASON {
        wrong.push(Wrong::new(reason, format!("Raccourcissez le motif\u{a0}: {LONGEST_REASON} caractères au plus")));
    }
    text
}

pub async fn reset(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = usager(&agent, id).await?;
    let mut wrong = Vec::new();
    let reason = checked(&typed, "identite", "motif", &mut wrong);
    if !wrong.is_empty() {
        return again(&agent, &account, &typed, &wrong).await;
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
