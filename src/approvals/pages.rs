//! « À viser »: what an agent's departments are asked to approve, and their answers.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use forms::model::Procedure;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    change::{self, Answered},
    model::{self, Answer, Visa, barred},
    shown,
    store::{self, Awaited},
};
use crate::{
    agents::Role,
    catalogue,
    error::Problem,
    journal::{Action, Line},
    platform::form::Typed,
    requests::{self, limited},
    visit::Agent,
};

const TITLE: &str = "À viser";
const PAGE: &str = "agent/visa.html";
const REFUSED: Problem = Problem::Forbidden("Les visas sont donnés par ceux qui instruisent ou qui décident.");

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
    let me = agent.account.id;
    let (mut waiting, mut given) = (Vec::new(), Vec::new());
    for one in store::awaited(&agent, &departments).await? {
        let own = one.asked_by == me && !one.asker_too;
        if !own && agent.role(&one.department_id) >= Role::parse(&one.role) {
            waiting.push(line(&agent, &one).await?);
        }
    }
    for one in store::answered(&agent).await? {
        given.push(line(&agent, &one).await?);
    }
    let page = context! { waiting => Serde(waiting), given => Serde(given) };
    let text = match done.fait.as_str() {
        "vise" => "Votre visa est donné.",
        "refuse" => "Votre refus est noté : le service qui instruit la demande le voit, avec votre raison.",
        _ => return agent.page("agent/visas.html", TITLE, page),
    };
    let flash = context! { flash => context! { kind => "success", text => text } };
    agent.page("agent/visas.html", TITLE, context! { ..page, ..flash })
}

async fn line(agent: &Agent, one: &Awaited) -> Result<Json, Problem> {
    let procedure = catalogue::version(agent, &one.procedure_id, one.procedure_version).await?;
    let late = one.state == "open" && one.until.is_some_and(|until| agent.today() > until);
    Ok(json!({
        "href": format!("/agent/a-viser/{}", one.visa), "reference": one.reference, "procedure": procedure.title, "circuit": one.circuit_title,
        "step": one.title, "until": one.until.map(|day| day.to_string()), "late": late, "approved": one.state == "approved", "given": one.decided_at,
    }))
}

/// A step of one of the agent's departments, with its circuit; what is others' looks as if it did not exist.
async fn find(agent: &Agent, id: Uuid) -> Result<(Visa, Vec<Visa>), Problem> {
    let db = agent.db.fresh();
    let found = store::find(&db, id).await?.ok_or(Problem::NotFound)?;
    let role = agent.role(&found.department_id).ok_or(Problem::NotFound)?;
    if role < found.least() {
        return Err(REFUSED);
    }
    if requests::is_asked_by(agent, found.request_id).await? {
        return Err(Problem::NotFound);
    }
    let circuit = store::circuit(&db, found.approval_id).await?;
    Ok((found, circuit))
}

/// All of a request but what is sensitive: questions and pieces.
struct Seen {
    fields: Vec<String>,
    pieces: Vec<String>,
}

impl Seen {
    fn of(procedure: &Procedure) -> Self {
        let fields = procedure.fields().filter(|field| !field.sensitive).map(|field| field.id.clone());
        let pieces = procedure.pieces.iter().filter(|piece| !piece.sensitive).map(|piece| piece.id.clone());
        Self { fields: fields.collect(), pieces: pieces.collect() }
    }

    fn shown(&self) -> limited::Shown<'_> {
        limited::Shown { fields: &self.fields, pieces: &self.pieces, given: true }
    }
}

async fn seen(agent: &Agent, found: &Visa) -> Result<Seen, Problem> {
    Ok(Seen::of(catalogue::version(agent, &found.procedure_id, found.procedure_version).await?.as_ref()))
}

fn trace<'a>(agent: &Agent, found: &'a Visa, action: Action) -> Line<'a> {
    Line::agent(agent, action).about("approval", found.id).on(agent.today()).department(&found.department_id)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    draw(&agent, &found, &Answer::default(), &[], false).await
}

async fn draw(
    agent: &Agent,
    (found, circuit): &(Visa, Vec<Visa>),
    typed: &Answer,
    wrong: &[(&'static str, String)],
    too_late: bool,
) -> Result<Response, Problem> {
    let url = format!("/agent/a-viser/{}", found.id);
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let page = context! {
        action => &url, back => "/agent/a-viser", title => &found.circuit_title, step => &found.title, department => found.department(),
        state => &found.circuit_state, asked => found.asked_at.to_string(), asked_by => &found.asked_by_name, until => found.until.map(|day| day.to_string()),
        steps => Serde(shown::steps(agent, circuit)), too_late => too_late, typed => context! { visa => &typed.visa, reason => &typed.reason }, errors => Serde(errors),
        open => found.open(), later => found.state == "later", barred => barred(circuit, found, agent.account.id), dossier => dossier(agent, found),
    };
    // What is settled shows nothing of the request any more.
    if !found.open() {
        return agent.page(PAGE, TITLE, context! { limited => (), letter => (), ..page });
    }
    let (seen, trace) = (seen(agent, found).await?, trace(agent, found, Action::ApprovalOpened));
    let limited = limited::page(agent, found.request_id, seen.shown(), trace, &format!("{url}/fichiers")).await?;
    let letter = store::shown(&agent.db, found.approval_id).await?.and_then(|shown| shown.letter.0);
    let page = context! { limited => Serde(limited), letter => Serde(letter.map(|letter| letter.content)), ..page };
    if wrong.is_empty() { agent.page(PAGE, TITLE, page) } else { agent.page_again(PAGE, TITLE, page) }
}

/// The request's own page, for who may open it; empty for others.
fn dossier(agent: &Agent, found: &Visa) -> String {
    let role = agent.role_on(&found.request_department, &found.procedure_id);
    if role >= Some(Role::Processor) { format!("/agent/demandes/{}", found.request_id) } else { String::new() }
}

pub async fn send(agent: Agent, Path(id): Path<Uuid>, Typed(raw): Typed) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    let answer = Answer { visa: raw.text("visa").to_owned(), reason: raw.text("raison").to_owned() };
    if !found.0.open() {
        return draw(&agent, &found, &answer, &[], true).await;
    }
    let mut wrong = model::problems(&answer);
    let barred = barred(&found.1, &found.0, agent.account.id);
    if !barred.is_empty() {
        wrong = vec![("visa", barred.to_owned())];
    }
    if !wrong.is_empty() {
        return draw(&agent, &found, &answer, &wrong, false).await;
    }
    let yes = answer.visa == "oui";
    let answered = Answered { by: agent.account.id, yes, reason: &answer.reason };
    if change::approve(&agent, &found.0, answered).await? {
        let done = if yes { "vise" } else { "refuse" };
        return Ok(Redirect::to(&format!("/agent/a-viser?fait={done}")).into_response());
    }
    draw(&agent, &find(&agent, id).await?, &answer, &[], true).await
}

pub async fn file(agent: Agent, Path((id, file)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    let (found, _) = find(&agent, id).await?;
    if !found.open() {
        return Err(Problem::NotFound);
    }
    let seen = seen(&agent, &found).await?;
    let trace = trace(&agent, &found, Action::FileOpened);
    limited::file(&agent, found.request_id, seen.shown(), "", file, trace).await
}
