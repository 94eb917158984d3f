//! « Qualité du service », for everybody: satisfaction and delays over a year, never of so few requests that
//! somebody might be recognised.

use std::collections::BTreeMap;

use axum::{extract::Path, response::Response};
use forms::model::Procedure;
use jiff::ToSpan;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};

use super::{
    model::{self, Delays, Marks, SCORES},
    store,
};
use crate::{catalogue, error::Problem, platform::french, visit::Visitor};

/// Published comments shown, the latest first.
const COMMENTS: i64 = 20;

pub async fn all(visitor: Visitor) -> Result<Response, Problem> {
    let current = catalogue::current(&visitor).await?;
    let measures = measures(&visitor).await?;
    let mut procedures: Vec<&Procedure> =
        current.procedures.values().map(|published| published.procedure.as_ref()).collect();
    procedures.sort_by_cached_key(|procedure| french::fold(&procedure.title));
    let rows: Vec<Json> = procedures.iter().map(|procedure| row(procedure, measures.get(&procedure.id))).collect();
    visitor.page("opinions/quality.html", "Qualité du service", context! { rows => Serde(rows) })
}

pub async fn one(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let published = catalogue::find(&visitor, &id).await?.ok_or(Problem::NotFound)?;
    let procedure = &published.procedure;
    let measures = measures(&visitor).await?;
    let comments: Vec<Json> = store::published(&visitor.db, &id, COMMENTS)
        .await?
        .iter()
        .map(|one| {
            let label = SCORES.iter().find(|(score, _)| *score == one.score).map_or("", |(_, label)| label);
            json!({"label": label, "text": one.comment, "month": month(one.given_on)})
        })
        .collect();
    let context = context! {
        measure => Serde(row(procedure, measures.get(&id))), comments => Serde(comments), href => format!("/demarches/{id}"),
    };
    visitor.page("opinions/procedure.html", &format!("Qualité du service : {}", procedure.title), context)
}

/// « novembre 2026 »: a day would help to recognise who wrote.
fn month(day: jiff::civil::Date) -> String {
    let whole = french::date(day);
    whole.split_once('\u{a0}').map_or_else(|| whole.clone(), |(_, month)| month.to_owned())
}

/// Marks and delays of each procedure over a year.
async fn measures(visitor: &Visitor) -> Result<BTreeMap<String, (Marks, Delays)>, Problem> {
    let since = visitor.today().checked_sub(1.year()).unwrap_or(visitor.today());
    let mut measures: BTreeMap<String, (Marks, Delays)> = BTreeMap::new();
    for (procedure, score, given) in store::scores(&visitor.db, since).await? {
        measures.entry(procedure).or_default().0.add(score, given);
    }
    let current = catalogue::current(visitor).await?;
    for (procedure, transition, days, requests) in store::facts(&visitor.db, since).await? {
        let workflow = current.procedures.get(&procedure).map(|published| &published.procedure.workflow);
        if workflow.is_some_and(|workflow| model::answers(workflow, &transition)) {
            measures.entry(procedure).or_default().1.add(days, requests);
        }
    }
    Ok(measures)
}

fn row(procedure: &Procedure, measure: Option<&(Marks, Delays)>) -> Json {
    let (marks, delays) = measure.cloned().unwrap_or_default();
    let within = |tenths| delays.within(tenths).map(days).unwrap_or_default();
    json!({
        "title": procedure.title, "href": format!("/qualite/{}", procedure.id), "promised": procedure.delay.to_string(),
        "half": within(5), "most": within(9), "mean": marks.mean().unwrap_or_default(), "percent": marks.percent(),
        "given": if marks.mean().is_some() { marks.given } else { 0 },
    })
}

fn days(days: i64) -> String {
    match days {
        0 => "le jour même".to_owned(),
        1 => "1 jour".to_owned(),
        days => format!("{days} jours"),
    }
}
