//! At the counter: an agent types the civil identity read on the paper that the usager shows. Which kind of
//! paper it was is kept; never its number, nor a copy.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, journey::FieldReading};
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{citizen, model, post::answer, store};
use crate::{
    accounts::{
        self,
        connections::{self, Happened},
        jobs::{self, Letter, More},
        session,
    },
    error::Problem,
    household,
    journal::{self, Action, Line},
    platform::form::Typed,
    requests::{Drawing, Drawn},
    visit::Agent,
};

const TITLE: &str = "Vérifier l’identité d’un usager";
const CHECKED: &str = "verifie";

/// The usager's account, never an agent's; nobody verifies their own identity.
async fn account(agent: &Agent, id: Uuid) -> Result<session::Account, Problem> {
    agent.at_counter()?;
    let account = accounts::usager(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let own = agent.account.email.as_deref().unwrap_or(&agent.account.login);
    if [account.email.as_deref(), Some(account.login.as_str())]
        .into_iter()
        .flatten()
        .any(|email| email.eq_ignore_ascii_case(own))
    {
        return Err(Problem::Forbidden("C’est votre propre compte : un collègue doit vérifier votre identité."));
    }
    Ok(account)
}

async fn draw(
    agent: &Agent,
    account: &session::Account,
    readings: &[FieldReading<'_>],
    raw: &Raw,
    again: bool,
) -> Result<Response, Problem> {
    journal::read(agent, &Line::agent(agent, Action::AccountOpened).about("account", account.id)).await?;
    let drawing = Drawing::sheet(agent, Some(("guichet identite", 0)), raw, again);
    let Drawn { html, mut errors, .. } = drawing.draw(readings)?;
    if again && raw.text(CHECKED).is_empty() {
        let text = "Vérifiez que la personne est bien celle du document, puis cochez la case";
        errors.push(json!({"href": format!("#{CHECKED}"), "text": text}));
    }
    let context = context! {
        name => account.full_name(), email => account.email.as_deref().unwrap_or(&account.login), checked => !raw.text(CHECKED).is_empty(),
        known => citizen::shown(agent, account.id).await?, errors => Serde(errors), fields_html => Value::from_safe_string(html),
    };
    let draw = if again { Agent::page_again } else { Agent::page };
    draw(agent, "agent/identity.html", TITLE, context)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = account(&agent, id).await?;
    let (questions, raw) = (model::counter_questions(), Raw::default());
    draw(&agent, &account, &household::read(&questions, &raw, agent.today()), &raw, false).await
}

pub async fn verify(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = account(&agent, id).await?;
    let questions = model::counter_questions();
    let readings = household::read(&questions, &typed, agent.today());
    let document = answer(&readings, model::DOCUMENT);
    let document = document.as_ref().and_then(Json::as_str).filter(|_| !typed.text(CHECKED).is_empty());
    let (Some(identity), Some(document)) = (answer(&readings, model::IDENTITY), document) else {
        return draw(&agent, &account, &readings, &typed, true).await;
    };
    let (visit, label) = (&agent.visit, model::document_label(document).unwrap_or_default());
    agent
        .db
        .write(async |tx: &mut Tx| {
            store::record(tx, id, model::COUNTER, &identity, visit.now).await?;
            store::note_document(tx, id, document).await?;
            // A letter on its way would replace what an agent has seen.
            store::cancel(tx, id).await?;
            let by = (Some(agent.account.id), label);
            connections::remember_agent(tx, visit, id, Happened::IdentityVerified, by).await?;
            jobs::queue(tx, visit, Letter::IdentityVerified, id, More::default()).await
        })
        .await?;
    agent.app.work.notify_one();
    Ok(Redirect::to("/agent/comptes?fait=identite").into_response())
}
