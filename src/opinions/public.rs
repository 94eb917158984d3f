//! « Qualité du service », for everybody: satisfaction and delays over a year, never of so few requests that
//! somebody might be recognised.

use axum::{extract::Path, response::Response};
use forms::model::Procedure;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};

use super::{model::SCORES, store};
use crate::{
    catalogue,
    error::Problem,
    platform::french,
    steering::{self, Figures, chart::days},
    visit::Visitor,
};

/// Published comments shown, the latest first.
const COMMENTS: i64 = 20;

pub async fn all(visitor: Visitor) -> Result<Response, Problem> {
    let current = catalogue::current(&visitor).await?;
    let figures = steering::of_year(&visitor, None).await?;
    let mut procedures: Vec<&Procedure> =
        current.procedures.values().map(|published| published.procedure.as_ref()).collect();
    procedures.sort_by_cached_key(|procedure| french::fold(&procedure.title));
    let rows: Vec<Json> = procedures.iter().map(|procedure| row(procedure, figures.get(&procedure.id))).collect();
    visitor.page("opinions/quality.html", "Qualité du service", context! { rows => Serde(rows) })
}

pub async fn one(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let published = catalogue::find(&visitor, &id).await?.ok_or(Problem::NotFound)?;
    let procedure = &published.procedure;
    let figures = steering::of_year(&visitor, Some(procedure)).await?;
    let comments: Vec<Json> = store::published(&visitor.db, &id, COMMENTS)
        .await?
        .iter()
        .map(|one| {
            let label = SCORES.iter().find(|(score, _)| *score == one.score).map_or("", |(_, label)| label);
            json!({"label": label, "text": one.comment, "month": month(one.given_on)})
        })
        .collect();
    let context = context! {
        measure => Serde(row(procedure, figures.get(&id))), comments => Serde(comments), href => format!("/demarches/{id}"),
    };
    visitor.page("opinions/procedure.html", &format!("Qualité du service : {}", procedure.title), context)
}

/// « novembre 2026 »: a day would help to recognise who wrote.
fn month(day: jiff::civil::Date) -> String {
    let whole = french::date(day);
    whole.split_once('\u{a0}').map_or_else(|| whole.clone(), |(_, month)| month.to_owned())
}

fn row(procedure: &Procedure, figures: Option<&Figures>) -> Json {
    let figures = figures.cloned().unwrap_or_default();
    let within = |tenths| figures.delays.told(tenths).map(days).unwrap_or_default();
    let marks = figures.marks;
    json!({
        "title": procedure.title, "href": format!("/qualite/{}", procedure.id), "promised": procedure.delay.to_string(),
        "half": within(5), "most": within(9), "mean": marks.mean().unwrap_or_default(), "percent": marks.percent(),
        "given": if marks.mean().is_some() { marks.given } else { 0 },
    })
}
