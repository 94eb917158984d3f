//! « Archives »: what is over in each department, and the lists that were made of it.

use std::collections::BTreeMap;

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::model::Fate;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    due, hold, model,
    store::{self, Disposal, MOST, New},
};
use crate::{
    accounts::citizen::flash,
    authorities,
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    visit::{Agent, Archivist},
};

const HOME: &str = "/agent/archives";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    pub fait: String,
    /// Where the page before this one ended; or empty.
    pub avant: String,
}

/// A line of the journal about a list.
pub fn trace<'a>(agent: &Agent, list: uuid::Uuid, department: &'a str, what: &'a str) -> Line<'a> {
    Line::agent(agent, Action::ArchivesChanged).about("disposal", list).department(department).detail(what)
}

/// What is over in one department: to eliminate, and to hand over to public archives.
#[derive(Default)]
struct Waiting {
    eliminate: i64,
    keep: i64,
}

pub async fn show(Archivist(agent): Archivist, Query(done): Query<Done>) -> Result<Response, Problem> {
    let mut waiting: BTreeMap<String, Waiting> = BTreeMap::new();
    for over in due::over(&agent).await? {
        for (department, many) in store::count(&agent.db, &over, agent.today()).await? {
            let of = waiting.entry(department).or_default();
            if over.fate == Fate::Keep { of.keep += many } else { of.eliminate += many }
        }
    }
    let departments: Vec<Json> = authorities::departments(&agent.db)
        .await?
        .iter()
        .filter_map(|(id, name)| {
            let of = waiting.get(id)?;
            Some(json!({"id": id, "name": name, "eliminate": of.eliminate, "keep": of.keep}))
        })
        .collect();
    let mut over = store::done(&agent.db, done.avant.parse().ok()).await?;
    let more = over.len() > store::PAGE;
    over.truncate(store::PAGE);
    let older = over.last().filter(|_| more).map(|last| format!("{HOME}?avant={}", last.number));
    let open = store::open(&agent.db).await?;
    let lists: Vec<Json> = open.iter().chain(&over).map(|list| shown(list, &agent)).collect();
    let told = match done.fait.as_str() {
        "rien" => Some("Un collègue a déjà préparé le bordereau de ce service."),
        "abandonne" => Some("Le bordereau est abandonné : ses demandes pourront figurer dans un autre."),
        _ => None,
    };
    let page = context! { departments => Serde(departments), lists => Serde(lists), older => older, held => hold::count(&agent.db).await?, most => MOST };
    agent.page("agent/archives.html", "Archives", context! { ..page, ..flash(told) })
}

fn shown(list: &Disposal, agent: &Agent) -> Json {
    let stage = list.stage();
    json!({
        "href": format!("{HOME}/{}", list.id), "number": model::reference(list.number), "department": list.department_name,
        "made": crate::platform::clock::day(list.made_at, &agent.site.zone).to_string(), "lines": list.lines,
        "stage": stage.name(), "state": stage.words(),
    })
}

/// Makes the list of a department.
pub async fn prepare(Archivist(agent): Archivist, Typed(typed): Typed) -> Result<Response, Problem> {
    let department = authorities::department(&agent.db, typed.text("service")).await?.ok_or(Problem::NotFound)?;
    let over = due::over(&agent).await?;
    let (id, now, today) = (agent.id(), agent.now, agent.today());
    let new = New { id, department: &department.id, by: agent.account.id, now, today };
    let made = agent
        .db
        .write(async |tx: &mut Tx| {
            let made = store::make(tx, &new, &over).await?;
            if made > 0 {
                journal::note(tx, now, &trace(&agent, id, &department.id, &format!("made:{made}"))).await?;
            }
            Ok::<i64, db::Error>(made)
        })
        .await?;
    let to = if made > 0 { format!("{HOME}/{id}") } else { format!("{HOME}?fait=rien") };
    Ok(Redirect::to(&to).into_response())
}
