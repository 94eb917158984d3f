//! « Avis à rendre »: what an agent's departments are asked, and their answers.

use axum::{
    extract::{Path, Query, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    answer::{self, Outcome, Typed},
    model::{Consultation, verdict_words},
    shown,
    store::{self, Asked},
};
use crate::{
    agents::Role,
    catalogue,
    error::Problem,
    journal::{Action, Line},
    requests::{self, limited},
    visit::Agent,
};

const TITLE: &str = "Avis à rendre";
const PAGE: &str = "agent/opinion.html";
const REFUSED: Problem =
    Problem::Forbidden("Les avis du service sont rendus par ceux qui instruisent ou qui décident.");

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

pub async fn list(agent: Agent, Query(done): Query<Done>) -> Result<Response, Problem> {
    let able = agent.memberships.iter().filter(|membership| membership.role >= Role::Processor);
    let departments: Vec<&str> = able.map(|membership| membership.department_id.as_str()).collect();
    if departments.is_empty() {
        return Err(REFUSED);
    }
    let mut lists = [Vec::new(), Vec::new()];
    for (list, open) in lists.iter_mut().zip([true, false]) {
        for asked in store::asked(&agent, &departments, open).await? {
            list.push(line(&agent, &asked).await?);
        }
    }
    let [waiting, given] = lists;
    let page = context! { waiting => Serde(waiting), given => Serde(given) };
    let flash = match done.fait.as_str() {
        "rendu" => {
            context! { flash => context! { kind => "success", text => "Votre avis est rendu. Le service qui instruit la demande le voit." } }
        }
        _ => context! {},
    };
    agent.page("agent/opinions_asked.html", TITLE, context! { ..page, ..flash })
}

async fn line(agent: &Agent, asked: &Asked) -> Result<Json, Problem> {
    let procedure = catalogue::version(agent, &asked.procedure_id, asked.procedure_version).await?;
    Ok(json!({
        "href": format!("/agent/avis-a-rendre/{}", asked.id), "reference": asked.reference, "procedure": procedure.title, "department": asked.department_name,
        "question": asked.question, "until": asked.until.to_string(), "late": asked.state == "open" && agent.today() > asked.until,
        "verdict": asked.verdict.as_deref().map(verdict_words), "given": asked.answered_at,
    }))
}

/// What one of the agent's departments is asked; what others are looks as if it did not exist.
async fn find(agent: &Agent, id: Uuid) -> Result<Consultation, Problem> {
    let found = store::find(&agent.db.fresh(), id).await?.ok_or(Problem::NotFound)?;
    let role = found.department_id.as_deref().and_then(|department| agent.role(department));
    match role.ok_or(Problem::NotFound)? {
        Role::Reader => Err(REFUSED),
        _ if requests::is_asked_by(agent, found.request_id).await? => Err(Problem::NotFound),
        Role::Processor | Role::Decider | Role::Manager => Ok(found),
    }
}

fn trace<'a>(agent: &Agent, found: &'a Consultation, action: Action) -> Line<'a> {
    let line = Line::agent(agent, action).about("consultation", found.id).on(agent.today());
    line.department(found.department_id.as_deref().unwrap_or_default())
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    draw(&agent, &found, &Typed::default(), false).await
}

async fn draw(agent: &Agent, found: &Consultation, typed: &Typed, late: bool) -> Result<Response, Problem> {
    let url = format!("/agent/avis-a-rendre/{}", found.id);
    let files = format!("{url}/fichiers");
    let page = context! {
        asked => Serde(shown::asked(found)), action => &url, back => "/agent/avis-a-rendre", too_late => late, typed => context! { verdict => verdict_words(&typed.verdict), text => &typed.text },
    };
    // What is settled shows nothing of the request any more.
    if !found.open() {
        let page = context! { open => false, limited => (), form => (), ..page };
        return agent.page(PAGE, TITLE, page);
    }
    let trace = trace(agent, found, Action::OpinionOpened);
    let limited = limited::page(agent, found.request_id, shown::of(found), trace, &files).await?;
    let form = answer::drawn(agent, found, typed, &files).await?;
    let page = context! { open => true, limited => Serde(limited), form => Serde(form), ..page };
    if typed.errors.is_empty() { agent.page(PAGE, TITLE, page) } else { agent.page_again(PAGE, TITLE, page) }
}

pub async fn send(agent: Agent, Path(id): Path<Uuid>, sent: Sent) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    if !found.open() {
        return draw(&agent, &found, &answer::only_typed(sent).await?, true).await;
    }
    match answer::receive(&agent, &found, sent, Some(agent.account.id)).await? {
        Outcome::Given => Ok(Redirect::to("/agent/avis-a-rendre?fait=rendu").into_response()),
        Outcome::Again(typed) => draw(&agent, &found, &typed, false).await,
        Outcome::TooLate(typed) => draw(&agent, &find(&agent, id).await?, &typed, true).await,
    }
}

pub async fn file(agent: Agent, Path((id, file)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    if !found.open() {
        return Err(Problem::NotFound);
    }
    let trace = trace(&agent, &found, Action::FileOpened);
    limited::file(&agent, found.request_id, shown::of(&found), &found.slot(), file, trace).await
}
