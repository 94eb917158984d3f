//! « Demander un avis »: the form of who processes a request; taking an opinion back; another link.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use forms::answers::Raw;
use jiff::Span;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    change::{self, Change},
    choices::{Choices, Ticked},
    model::{LONGEST_QUESTION, MOST_DAYS, New, To},
    store,
};
use crate::{
    accounts, authorities, catalogue,
    error::Problem,
    journal::{Action, Line},
    platform::form::Typed,
    requests::{self, Process, limited},
    visit::Agent,
};

const PAGE: &str = "agent/opinion_ask.html";
const TITLE: &str = "Demander un avis";
/// Days to answer, unless the agent says otherwise.
const DAYS: &str = "15";
/// The value of the choice that is no department.
const OUTSIDE: &str = "exterieur";

/// The request, when an opinion may be asked on it.
async fn open(agent: &Agent, id: Uuid) -> Result<requests::Permitted<Process>, Problem> {
    let request = requests::open_at_desk::<Process>(agent, id, Line::agent(agent, Action::RequestOpened)).await?;
    if request.ended_at.is_some() {
        return Err(Problem::Conflict("Cette demande est terminée : il n’y a plus d’avis à demander."));
    }
    Ok(request)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = open(&agent, id).await?;
    let mut fresh = Raw::default();
    fresh.set("jours".to_owned(), DAYS);
    let page = draw(&agent, &request, &fresh, &[]).await?;
    agent.page(PAGE, TITLE, page)
}

async fn draw(
    agent: &Agent,
    request: &requests::Permitted<Process>,
    typed: &Raw,
    wrong: &[(&str, String)],
) -> Result<Value, Problem> {
    let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
    let choices = choices(agent, request).await?;
    let mut to = departments(agent, request).await?;
    to.push((OUTSIDE.to_owned(), "Une personne extérieure, par courriel".to_owned()));
    let chosen = typed.text("destinataire");
    let to: Vec<Json> =
        to.iter().map(|(id, name)| json!({"value": id, "text": name, "chosen": id == chosen})).collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let url = format!("/agent/demandes/{}", request.id);
    let once = typed.text("once").parse().unwrap_or_else(|_| agent.id());
    let (fields, pieces) = choices.json(&choices.ticked(typed));
    Ok(context! {
        request => context! { reference => &request.reference, href => format!("{url}?onglet=avis"), procedure => &procedure.title },
        action => format!("{url}/avis/demander"), to => Serde(to), name => typed.text("nom"), email => typed.text("courriel"),
        question => typed.text("question"), days => typed.text("jours"), fields => Serde(fields), pieces => Serde(pieces),
        confidential_address => request.confidential_address, once => once.to_string(), errors => Serde(errors),
    })
}

async fn choices(agent: &Agent, request: &requests::Permitted<Process>) -> Result<Choices, Problem> {
    let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
    let files = limited::all(agent, request.id).await?;
    Ok(Choices::of(&procedure, request, &files))
}

/// Those that may be asked: every other one of the authority.
async fn departments(
    agent: &Agent,
    request: &requests::Permitted<Process>,
) -> Result<Vec<(String, String)>, db::Error> {
    let mut all = authorities::departments(&agent.db).await?;
    all.retain(|(id, _)| *id != request.department_id);
    Ok(all)
}

pub async fn send(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let request = open(&agent, id).await?;
    let mut wrong = Vec::new();
    let ticked = choices(&agent, &request).await?.ticked(&typed);
    let known = departments(&agent, &request).await?;
    let new = read(&agent, &typed, ticked, &known, &mut wrong);
    let Some(new) = new.filter(|_| wrong.is_empty()) else {
        let page = draw(&agent, &request, &typed, &wrong).await?;
        return agent.page_again(PAGE, TITLE, page);
    };
    // A second click finds it asked; a request that has just ended takes none.
    let done = change::apply(&agent, id, new.id, &Change::Ask(&new)).await?
        || store::find(&agent.db.fresh(), new.id).await?.is_some();
    back(id, if done { "avis-demande" } else { "avis-trop-tard" })
}

fn read(
    agent: &Agent,
    typed: &Raw,
    ticked: Ticked,
    departments: &[(String, String)],
    wrong: &mut Vec<(&'static str, String)>,
) -> Option<New> {
    let to = match typed.text("destinataire") {
        OUTSIDE => outside(typed, &ticked, wrong),
        id if departments.iter().any(|(known, _)| known == id) => Some(To::Department(id.to_owned())),
        _ => {
            wrong.push(("destinataire", "Choisissez à qui demander l’avis".to_owned()));
            None
        }
    };
    let question = typed.text("question").trim();
    match question.chars().count() {
        0 => wrong.push(("question", "Écrivez la question posée".to_owned())),
        length if length > LONGEST_QUESTION => wrong.push((
            "question",
            format!("Cette question compte {length} caractères\u{a0}: raccourcissez-la à 2\u{202f}000 au plus"),
        )),
        _ => {}
    }
    let days = typed.text("jours").trim().parse::<u16>().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    if days.is_none() {
        wrong.push(("jours", "Indiquez un nombre de jours, de 1 à 365".to_owned()));
    }
    let until = agent.today().checked_add(Span::new().days(days?)).ok()?;
    Some(New {
        id: typed.text("once").parse().unwrap_or_else(|_| agent.id()),
        job: agent.id(),
        to: to?,
        question: question.to_owned(),
        fields: ticked.fields,
        pieces: ticked.pieces,
        until,
        remind_at: agent.morning(until),
        asked_by: Some(agent.account.id),
    })
}

/// Nothing sensitive leaves the authority by a link.
fn outside(typed: &Raw, ticked: &Ticked, wrong: &mut Vec<(&'static str, String)>) -> Option<To> {
    let name = typed.text("nom").trim();
    if name.is_empty() || name.chars().count() > 200 {
        wrong.push(("nom", "Écrivez le nom de la personne ou de l’organisme, en 200 caractères au plus".to_owned()));
    }
    let email = accounts::check_email(typed.text("courriel")).map_err(|problem| wrong.push(("courriel", problem))).ok();
    if !ticked.sensitive.is_empty() {
        let text = format!(
            "Une personne extérieure ne voit rien de sensible. Décochez\u{a0}: {}",
            ticked.sensitive.join(", ")
        );
        wrong.push(("montre", text));
    }
    Some(To::Expert { name: name.to_owned(), email: email? })
}

/// One of this request's consultations.
async fn own(agent: &Agent, request: Uuid, id: Uuid) -> Result<super::model::Consultation, Problem> {
    requests::open_at_desk::<Process>(agent, request, Line::agent(agent, Action::RequestOpened)).await?;
    let found = store::find(&agent.db, id).await?.filter(|found| found.request_id == request);
    found.ok_or(Problem::NotFound)
}

pub async fn withdraw(agent: Agent, Path((request, id)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    own(&agent, request, id).await?;
    let done = change::apply(&agent, request, id, &Change::Withdraw(agent.account.id)).await?;
    back(request, if done { "avis-retire" } else { "avis-deja" })
}

pub async fn link(agent: Agent, Path((request, id)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    let found = own(&agent, request, id).await?;
    let done = found.reachable(agent.today()) && change::link(&agent, request, id, agent.account.id).await?;
    back(request, if done { "avis-lien" } else { "avis-deja" })
}

fn back(request: Uuid, done: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("/agent/demandes/{request}?onglet=avis&fait={done}")).into_response())
}
