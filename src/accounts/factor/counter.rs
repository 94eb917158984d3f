//! At the counter: an agent removes the second factor of an usager who has lost it and their recovery codes,
//! once their identity is checked. The password still has to be known.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use data_encoding::HEXLOWER;
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
        model::Wrong,
        passkey,
        session::{self, Kind},
        store::{self as accounts, Account},
    },
    error::Problem,
    journal::{self, Action, Line},
    platform::{form::Typed, french},
    visit::{Agent, Visit},
};

const TITLE: &str = "Comptes des usagers";
const PAGE: &str = "agent/accounts.html";
const LONGEST_REASON: usize = 300;

pub async fn show(agent: Agent, Query(way): Query<Way>) -> Result<Response, Problem> {
    agent.at_counter()?;
    let told = match way.fait.as_str() {
        "retire" => Some("Le second facteur est retiré. L’usager en est prévenu par courriel."),
        "identite" => Some("L’identité est vérifiée. L’usager en est prévenu par courriel."),
        "adresse" => Some("Un lien est envoyé à la nouvelle adresse : elle comptera quand l’usager l’aura ouvert."),
        _ => None,
    };
    let page = context! { email => "", searched => false, account => Value::from(()), others => Vec::<Value>::new(), ..fields(&Raw::default(), &[]) };
    agent.page(PAGE, TITLE, context! { ..page, ..flash(told) })
}

/// Accounts of usagers that this is the whole address or the sign-in name of; the journal has a line of it.
pub async fn sought(agent: &Agent, wanted: &str) -> Result<Vec<Account>, db::Error> {
    let mut found = accounts::at_address(&agent.db, Kind::Usager, wanted).await?;
    if let Some(named) = accounts::credentials(&agent.db, Kind::Usager, wanted).await?
        && found.iter().all(|account| account.id != named.id)
    {
        found.extend(accounts::find(&agent.db, named.id).await?);
    }
    let print = HEXLOWER.encode(&agent.app.secret.fingerprint("journal search", french::fold(wanted).as_bytes()));
    journal::read(agent, &Line::agent(agent, Action::AccountsSearched).detail(&print)).await?;
    Ok(found)
}

/// By the whole address or sign-in name only: nobody leafs through accounts. People who share an address are
/// told apart by their sign-in names.
pub async fn search(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let wanted = typed.text("email").trim();
    if wanted.is_empty() {
        let wrong = [Wrong::new("email", "Saisissez l’adresse ou l’identifiant du compte")];
        let page = context! { email => "", searched => false, account => Value::from(()), others => Vec::<Value>::new(), ..fields(&typed, &wrong) };
        return agent.page_again(PAGE, TITLE, page);
    }
    let found = sought(&agent, wanted).await?;
    let several = found.len() > 1;
    let others: Vec<Value> = if several { found.iter().map(one).collect() } else { Vec::new() };
    let account = found.first().filter(|_| !several);
    let page = context(&agent, wanted, account, &Raw::default(), &[]).await?;
    agent.page(PAGE, TITLE, context! { others => others, ..page })
}

/// An account in a list.
fn one(account: &Account) -> Value {
    let name = format!("{} {}", account.first_name, account.last_name);
    context! { name => name.trim(), login => &account.login, href => format!("/agent/comptes/{}", account.id) }
}

/// The page of one account.
pub async fn page(agent: &Agent, account: &Account, told: Value) -> Result<Response, Problem> {
    let page = context(agent, &account.login, Some(account), &Raw::default(), &[]).await?;
    agent.page(PAGE, TITLE, context! { ..page, ..told })
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
            journal::read(agent, &Line::agent(agent, Action::AccountOpened).about("account", account.id)).await?;
            let since = store::find(&agent.db, account.id).await?.map(|factor| factor.created_at.to_string());
            context! {
                email => account.email.as_deref().unwrap_or_default(), active => account.confirmed_at.is_some(),
                since => since.unwrap_or_default(), identity => format!("/agent/comptes/{}/identite", account.id),
                file => format!("/agent/depots/nouveau?compte={}", account.id), base => format!("/agent/comptes/{}", account.id), ..one(account)
            }
        }
        None => Value::from(()),
    };
    let nobody = Vec::<Value>::new();
    Ok(context! { email => email, searched => true, account => shown, others => nobody, ..fields(typed, wrong) })
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
    let page = context(agent, &account.login, Some(account), typed, wrong).await?;
    agent.page_again(PAGE, TITLE, page)
}

/// An usager’s account, for an agent who may look after it.
pub async fn usager(agent: &Agent, id: Uuid) -> Result<Account, Problem> {
    agent.at_counter()?;
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
                // What the lost telephone had opened is perhaps in other hands.
                session::close_others(tx, account.id, None).await?;
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
