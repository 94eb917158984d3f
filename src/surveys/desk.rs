//! « Enquêtes », for who manages a department: answers counted, read and taken away, results published.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx};
use forms::model::Survey;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    citizen, count,
    store::{self, Found},
};
use crate::{
    agents,
    error::Problem,
    journal::{self, Action, Line},
    platform::{
        attachment,
        form::Typed,
        sheet::{Cell, Format},
    },
    visit::Agent,
};

const HOME: &str = "/agent/enquetes";
const OPEN: &str = "Cette enquête est encore ouverte : ses résultats se publient après son dernier jour.";

pub async fn list(agent: Agent) -> Result<Response, Problem> {
    let managed = agents::managed(&agent)?;
    let counts = store::counts(&agent.db).await?;
    let mut surveys: Vec<Json> = Vec::new();
    for Found { survey, told } in store::all(&agent.db).await? {
        let Some(of) = managed.iter().find(|one| one.department_id == survey.department) else { continue };
        let many = counts.iter().find(|(id, _)| *id == survey.id).map_or(0, |(_, many)| *many);
        surveys.push(json!({
            "href": format!("{HOME}/{}", survey.id), "title": survey.title, "department": of.department_name, "many": many,
            "until": survey.opening.to.map(|day| day.to_string()), "closed": citizen::closed(&agent, &survey), "told": told,
        }));
    }
    agent.page("agent/surveys.html", "Enquêtes", context! { surveys => Serde(surveys) })
}

/// A survey of a department that the agent manages; another looks as if it did not exist.
async fn find(agent: &Agent, id: &str) -> Result<Found, Problem> {
    let managed = agents::managed(agent)?;
    let found = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    if managed.iter().any(|one| one.department_id == found.survey.department) {
        Ok(found)
    } else {
        Err(Problem::NotFound)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    page: usize,
    fait: String,
}

pub async fn show(agent: Agent, Path(id): Path<String>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Found { survey, told } = find(&agent, &id).await?;
    let answers = store::answers(&agent.db, &id).await?;
    let page = asked.page.clamp(1, 10_000);
    let counted: Vec<_> = survey.fields.iter().map(|field| (field, count::count(field, &answers))).collect();
    let asked_of = counted.iter().filter(|(field, _)| !field.kind.silent());
    let questions: Vec<Json> = asked_of.map(|(field, count)| count.shown(field, page)).collect();
    let url = format!("{HOME}/{id}");
    let turned = |page: usize| format!("{url}?page={page}");
    let texts = counted.iter().any(|(_, count)| count.texts() > page * count::PAGE);
    let flash = match asked.fait.as_str() {
        "publies" => Some("Les résultats sont publiés\u{a0}: tout le monde peut les lire."),
        "retires" => Some("Les résultats ne sont plus publiés."),
        _ => None,
    };
    let flash =
        flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let context = context! {
        title => &survey.title, anonymous => survey.anonymous, many => answers.len(), questions => Serde(questions), told => told,
        closed => citizen::closed(&agent, &survey), until => survey.opening.to.map(|day| day.to_string()),
        public => format!("/enquetes/{id}"), csv => format!("{url}/reponses.csv"), publish => format!("{url}/publier"), over => citizen::over(&agent, &survey),
        previous => if page > 1 { turned(page - 1) } else { String::new() }, next => if texts { turned(page + 1) } else { String::new() },
        least => count::LEAST, ..flash
    };
    agent.page("agent/survey.html", &survey.title, context)
}

/// Answers read at once for a file.
const BULK: usize = 500;

/// Every answer, one a line, of nobody.
pub async fn csv(agent: Agent, Path(id): Path<String>) -> Result<Response, Problem> {
    let Found { survey, .. } = find(&agent, &id).await?;
    let line = Line::agent(&agent, Action::SurveyExported).department(&survey.department).detail(&id);
    journal::read(&agent, &line).await?;
    let (db, name) = (agent.db.clone(), format!("enquete-{id}.csv"));
    Ok(attachment::streamed(
        &name,
        Format::Csv.media_type(),
        |sender| async move { write(&db, &survey, &sender).await },
    ))
}

async fn write(db: &Db, survey: &Survey, sender: &attachment::Sender) -> anyhow::Result<()> {
    let format = Format::Csv;
    let asked: Vec<_> = survey.fields.iter().filter(|field| !field.kind.silent()).collect();
    let mut out = format.begin().to_owned();
    format.row(&mut out, &asked.iter().map(|field| Cell::from(field.ask.as_str())).collect::<Vec<_>>());
    let mut after = None;
    loop {
        let some = store::some(db, &survey.id, after, BULK).await?;
        after = some.last().map(|(id, _)| *id);
        for (_, answers) in &some {
            let cell = |id: &str| answers.get(id);
            let cells: Vec<Cell> = asked
                .iter()
                .map(|field| Cell::Text(cell(&field.id).map(|answer| field.kind.export(answer)).unwrap_or_default()))
                .collect();
            format.row(&mut out, &cells);
        }
        let last = some.len() < BULK;
        if last {
            out.push_str(format.end());
        }
        // Nobody reads any more.
        if sender.send(Ok(std::mem::take(&mut out).into())).await.is_err() || last {
            return Ok(());
        }
    }
}

/// What is published is what was answered then: results that followed the answers would tell each of them apart.
pub async fn publish(agent: Agent, Path(id): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let Found { survey, .. } = find(&agent, &id).await?;
    let tell = typed.text("publier") == "oui";
    if tell && !citizen::over(&agent, &survey) {
        return Err(Problem::Conflict(OPEN));
    }
    let results = if tell { Some(count::published(&survey, &store::answers(&agent.db, &id).await?)) } else { None };
    let by = (agent.account.id, agent.now);
    let detail = format!("{}{id}", if tell { "" } else { "-" });
    let line = Line::agent(&agent, Action::SurveyPublished).department(&survey.department).detail(&detail);
    let write = async |tx: &mut Tx| {
        store::tell(tx, &id, results.as_ref(), by).await?;
        journal::note(tx, agent.now, &line).await
    };
    agent.db.write(write).await?;
    let done = if tell { "publies" } else { "retires" };
    Ok(Redirect::to(&format!("{HOME}/{id}?fait={done}")).into_response())
}
