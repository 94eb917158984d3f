//! Letters of requests to print and post: one file for all those chosen, each noted as posted once.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    jobs,
    store::{self, Waiting},
};
use crate::{
    agents::Role,
    error::Problem,
    journal::{self, Action, Line},
    platform::{attachment, form::Typed, french},
    requests::{
        self,
        store::{Entry, record},
    },
    visit::Agent,
};

const HOME: &str = "/agent/courriers/demandes";
/// The code, in the history of a request.
pub const POSTED: &str = "letter-posted";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

/// Those whose letters the agent posts.
fn departments(agent: &Agent) -> Result<Vec<&str>, Problem> {
    agent.at_counter()?;
    let able = agent.memberships.iter().filter(|one| one.role >= Role::Processor);
    Ok(able.map(|one| one.department_id.as_str()).collect())
}

async fn queue(agent: &Agent) -> Result<Vec<Waiting>, Problem> {
    let query = |query| requests::others(query, agent);
    Ok(store::waiting(&agent.db, &departments(agent)?, query).await?)
}

/// How many letters of requests wait, fifty at most.
pub async fn count(agent: &Agent) -> Result<i64, Problem> {
    Ok(store::count_waiting(&agent.db, &departments(agent)?).await?)
}

pub async fn show(agent: Agent, Query(done): Query<Done>) -> Result<Response, Problem> {
    let letters = queue(&agent).await?;
    journal::read(&agent, &Line::agent(&agent, Action::LettersOpened)).await?;
    let told = match done.fait.as_str() {
        "postees" => Some(("success", "Les lettres sont notées comme postées.")),
        "aucune" => Some(("info", "Cochez au moins une lettre qui attend encore.")),
        _ => None,
    };
    let flash =
        told.map_or_else(|| context! {}, |(kind, text)| context! { flash => context! { kind => kind, text => text } });
    let letters: Vec<Json> = letters
        .iter()
        .map(|one| {
            let name = one.content.0.get("recipient").and_then(|to| to.get("name")).and_then(Json::as_str);
            let to = name.map(|name| format!("à {name}, ")).unwrap_or_default();
            let written = french::date(one.written_on);
            json!({"id": one.id, "label": format!("{}, {to}{} (écrite le {written})", one.title, one.reference)})
        })
        .collect();
    agent.page(
        "agent/letters_of_requests.html",
        "Lettres des demandes à poster",
        context! { letters => Serde(letters), ..flash },
    )
}

/// Those whose boxes are ticked and that still wait.
async fn chosen(agent: &Agent, typed: &Raw) -> Result<Vec<Waiting>, Problem> {
    let wanted: Vec<Uuid> = typed.all("lettre").filter_map(|id| id.parse().ok()).collect();
    let mut letters = queue(agent).await?;
    letters.retain(|letter| wanted.contains(&letter.id));
    Ok(letters)
}

fn none() -> Response {
    Redirect::to(&format!("{HOME}?fait=aucune")).into_response()
}

fn trace<'a>(agent: &Agent, action: Action, letter: &'a Waiting) -> Line<'a> {
    Line::agent(agent, action).about("letter", letter.id).request(letter.request_id).department(&letter.department_id)
}

/// Printing again gives the same letters: nothing is spoilt by a paper jam.
pub async fn print(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let letters = chosen(&agent, &typed).await?;
    if letters.is_empty() {
        return Ok(none());
    }
    agent
        .db
        .write(async |tx: &mut Tx| {
            for letter in &letters {
                journal::note(tx, agent.now, &trace(&agent, Action::LettersPrinted, letter)).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    let contents: Vec<Json> = letters.iter().map(|letter| letter.content.0.clone()).collect();
    let pdf = jobs::set(&contents, agent.today()).await?;
    Ok(attachment::pdf(pdf, "lettres.pdf"))
}

pub async fn posted(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let letters = chosen(&agent, &typed).await?;
    let (by, now) = (agent.account.id, agent.now);
    let noted = agent
        .db
        .write(async |tx: &mut Tx| {
            let mut noted = 0;
            for letter in &letters {
                if !store::posted(tx, letter.id, by, now).await? {
                    continue;
                }
                noted += 1;
                journal::note(tx, now, &trace(&agent, Action::LettersPosted, letter)).await?;
                let entry = Entry {
                    actor: "agent",
                    actor_id: Some(by),
                    code: POSTED,
                    from: None,
                    to: None,
                    subject: Some(letter.id),
                    acted: None,
                };
                record(tx, letter.request_id, &entry, now).await?;
            }
            Ok::<usize, db::Error>(noted)
        })
        .await?;
    if noted == 0 {
        return Ok(none());
    }
    Ok(Redirect::to(&format!("{HOME}?fait=postees")).into_response())
}
