//! « Délégations de signature », for who manages a department and for administrators.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, journey::FieldReading};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    form,
    model::{DECISIONS, Delegation},
    store::{self, New},
};
use crate::{
    agents::{self, General, Role},
    authorities, catalogue,
    error::Problem,
    household,
    journal::{self, Action, Line},
    platform::form::Typed,
    requests::Drawing,
    visit::Agent,
};

const HOME: &str = "/agent/delegations";
const TITLE: &str = "Délégations de signature";
/// Field of a new line's id: sent twice, it is one line.
const NEW: &str = "ligne";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fait: String,
    service: String,
}

/// The departments whose register the agent keeps: (id, name).
async fn kept(agent: &Agent) -> Result<Vec<(String, String)>, Problem> {
    if agent.general.contains(&General::Administrator) {
        return Ok(authorities::departments(&agent.db).await?);
    }
    let managed = agent.memberships.iter().filter(|one| one.role == Role::Manager);
    let managed: Vec<_> = managed.map(|one| (one.department_id.clone(), one.department_name.clone())).collect();
    if managed.is_empty() {
        return Err(Problem::Forbidden(
            "Le registre des délégations est tenu par les responsables de service et les administrateurs.",
        ));
    }
    Ok(managed)
}

/// One of them; none is not theirs to know of.
async fn department(agent: &Agent, id: &str) -> Result<(String, String), Problem> {
    kept(agent).await?.into_iter().find(|(one, _)| one == id).ok_or(Problem::NotFound)
}

pub async fn list(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let current = catalogue::current(&agent).await?;
    let title = |id: &String| current.any(id).map_or_else(|| id.clone(), |found| found.procedure.title.clone());
    let mut shown = Vec::new();
    for (id, name) in kept(&agent).await? {
        let lines = store::of_department(&agent.db, &id).await?;
        let lines: Vec<Json> = lines.iter().map(|line| shown_line(&agent, line, &title)).collect();
        let add = format!("{HOME}/nouvelle?service={}", crate::platform::encode(&id));
        shown.push(json!({"id": id, "name": name, "lines": lines, "add": add}));
    }
    let told = match asked.fait.as_str() {
        "ajoutee" => Some("La délégation est au registre."),
        "terminee" => Some("La fin de la délégation est notée."),
        _ => None,
    };
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    agent.page("agent/delegations.html", TITLE, context! { departments => Serde(shown), ..flash })
}

fn shown_line(agent: &Agent, line: &Delegation, title: &dyn Fn(&String) -> String) -> Json {
    let today = agent.today();
    let state = match (line.runs(today), today < line.from_on) {
        (true, _) => "now",
        (false, true) => "soon",
        (false, false) => "over",
    };
    let decisions = DECISIONS.iter().find(|(id, _)| *id == line.decisions).map_or("", |(_, words)| words);
    let procedures: Vec<String> = line.procedures.0.iter().map(title).collect();
    json!({
        "name": line.name(), "quality": line.quality, "act": line.act(), "delegated": line.delegated,
        "decisions": decisions, "procedures": procedures, "state": state,
        "from": line.from_on.to_string(), "until": line.until_on.map(|day| day.to_string()),
        "end": if state == "over" { String::new() } else { format!("{HOME}/{}/fin", line.id) },
    })
}

/// Those who may be named, and what they may sign.
async fn questions(agent: &Agent, department: &str) -> Result<Vec<forms::model::Field>, Problem> {
    let current = catalogue::current(agent).await?;
    let of = current.all().filter(|found| found.procedure.department == department);
    let procedures = of.map(|found| (found.procedure.id.clone(), found.procedure.title.clone())).collect();
    let people = agents::signatories(&agent.db, department, agent.today()).await?;
    Ok(form::questions(people.into_iter().map(|(id, name)| (id.to_string(), name)).collect(), procedures))
}

struct Sheet<'a> {
    heading: &'a str,
    intro: String,
    button: &'a str,
    new: String,
}

impl Sheet<'_> {
    fn draw(&self, agent: &Agent, readings: &[FieldReading<'_>], raw: &Raw, again: bool) -> Result<Response, Problem> {
        let drawn = Drawing::sheet(agent, None, raw, again).draw(readings)?;
        let context = context! {
            heading => self.heading, intro => &self.intro, button => self.button, new => &self.new, back => HOME,
            errors => Serde(drawn.errors), fields_html => Value::from_safe_string(drawn.html),
        };
        let draw = if again { Agent::page_again } else { Agent::page };
        draw(agent, "agent/delegation.html", self.heading, context)
    }
}

fn adding(id: Uuid, department: &str) -> Sheet<'static> {
    Sheet {
        heading: "Noter une délégation de signature",
        intro: format!("{department}. Le registre recopie les actes signés et publiés : il n’en tient pas lieu."),
        button: "Noter au registre",
        new: id.to_string(),
    }
}

pub async fn new(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let (id, name) = department(&agent, &asked.service).await?;
    let (questions, raw) = (questions(&agent, &id).await?, Raw::default());
    adding(agent.id(), &name).draw(&agent, &household::read(&questions, &raw, agent.today()), &raw, false)
}

pub async fn add(agent: Agent, Query(asked): Query<Asked>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (department, name) = department(&agent, &asked.service).await?;
    let id = typed.text(NEW).parse().unwrap_or_else(|_| agent.id());
    let questions = questions(&agent, &department).await?;
    let mut readings = household::read(&questions, &typed, agent.today());
    let Some(line) = form::line(&mut readings) else {
        return adding(id, &name).draw(&agent, &readings, &typed, true);
    };
    let new = New {
        id,
        account: line.agent,
        department: &department,
        quality: &line.quality,
        procedures: &line.procedures,
        decisions: &line.decisions,
        delegated: line.delegated,
        act_number: &line.act_number,
        act_date: line.act_date,
        from_on: line.from_on,
        until_on: line.until_on,
        by: agent.account.id,
    };
    let added = agent
        .db
        .write(async |tx: &mut Tx| {
            let added = store::add(tx, &new, agent.now).await?;
            if added {
                journal::note(tx, agent.now, &trace(&agent, id, &department)).await?;
            }
            Ok::<bool, db::Error>(added)
        })
        .await?;
    // Sent twice, it is one line; sent again after a correction, it would be lost without a word.
    if !added && !store::find(&agent.db.fresh(), id).await?.is_some_and(|known| new.says(&known)) {
        form::noted(&mut readings);
        return adding(agent.id(), &name).draw(&agent, &readings, &typed, true);
    }
    Ok(Redirect::to(&format!("{HOME}?fait=ajoutee")).into_response())
}

fn trace<'a>(agent: &Agent, id: Uuid, department: &'a str) -> Line<'a> {
    Line::agent(agent, Action::DelegationChanged).about("delegation", id).department(department)
}

async fn found(agent: &Agent, id: Uuid) -> Result<Delegation, Problem> {
    let managed = kept(agent).await?;
    let line = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    if managed.iter().any(|(department, _)| *department == line.department_id) {
        Ok(line)
    } else {
        Err(Problem::NotFound)
    }
}

fn ending(line: &Delegation) -> Sheet<'static> {
    Sheet {
        heading: "Mettre fin à une délégation",
        intro: format!("{}, {}, {}.", line.name(), line.quality, line.act()),
        button: "Noter la fin",
        new: String::new(),
    }
}

pub async fn end(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let line = found(&agent, id).await?;
    let (questions, raw) = (form::ending(), form::typed_day(line.until_on.unwrap_or(agent.today())));
    ending(&line).draw(&agent, &household::read(&questions, &raw, agent.today()), &raw, false)
}

pub async fn ended(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let line = found(&agent, id).await?;
    let questions = form::ending();
    let mut readings = household::read(&questions, &typed, agent.today());
    let day = form::last_day(&mut readings, line.until_on, agent.today());
    let Some(day) = day else { return ending(&line).draw(&agent, &readings, &typed, true) };
    let by = agent.account.id;
    let ended = agent
        .db
        .write(async |tx: &mut Tx| {
            let ended = store::end(tx, id, day, by).await?;
            if ended {
                journal::note(tx, agent.now, &trace(&agent, id, &line.department_id).detail("-")).await?;
            }
            Ok::<bool, db::Error>(ended)
        })
        .await?;
    if !ended {
        let known = store::find(&agent.db.fresh(), id).await?.and_then(|line| line.until_on);
        if known != Some(day) {
            return Err(Problem::Conflict(
                "Un collègue vient de noter une fin plus proche pour cette délégation. Revenez au registre pour la voir.",
            ));
        }
    }
    Ok(Redirect::to(&format!("{HOME}?fait=terminee")).into_response())
}
