//! Steering: what is counted of requests, the figures agents read, delays told to usagers, late requests and who
//! is told of them.

pub mod chart;
mod compare;
mod desk;
mod elsewhere;
pub mod facts;
mod late;
mod mails;
mod model;
mod observers;
mod overview;
mod period;
mod reminders;
mod scope;
mod store;
mod tables;
mod usual;

use std::collections::BTreeMap;

use anyhow::Result;
use axum::{
    Router,
    routing::{get, post},
};
use forms::model::Procedure;
use jiff::ToSpan;

use crate::{app::App, catalogue, visit::Visit};

pub use facts::{Fact, Measure, note};
pub use mails::{LETTER, send};
pub use model::{FEW, Figures, answers, bucket};
use period::Ranges;
use scope::Scope;
pub use usual::{Usual, sentence as usual};

/// What figures are summed of; the rest is read for one procedure only.
const SUMMED: [Measure; 6] =
    [Measure::Sent, Measure::OnTime, Measure::Late, Measure::Asked, Measure::Score, Measure::Elsewhere];

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/statistiques", get(desk::show))
        .route("/agent/statistiques.csv", get(desk::csv))
        .route("/agent/statistiques/courriels", post(desk::subscribe))
        .route("/agent/statistiques/autrement", get(elsewhere::show).post(elsewhere::save))
        .route("/agent/ensemble", get(overview::show))
        .route("/agent/ensemble.csv", get(overview::csv))
        .route("/agent/observateurs", get(observers::show).post(observers::give))
        .route("/agent/observateurs/{account}/retirer", post(observers::remove))
        .route("/agent/retards", get(late::show))
        .route("/agent/retards/rappels", post(late::choose))
}

/// What the worker does every minute.
pub async fn tick(app: &App) -> Result<()> {
    facts::fold(app).await?;
    reminders::rounds(app).await
}

/// Answers and marks of each published procedure over a year, or of this one. Small numbers are in it: the public
/// is told of them by [`FEW`] at least.
pub async fn of_year(visit: &Visit, procedure: Option<&Procedure>) -> Result<BTreeMap<String, Figures>> {
    let mut scope = Scope::public(catalogue::current(visit).await?.as_ref());
    scope.procedure = procedure.map(|one| one.id.clone());
    let today = visit.today();
    let ranges = Ranges::of(today.checked_sub(1.year()).unwrap_or(today), today, false, today);
    let mut figures: BTreeMap<String, Figures> = BTreeMap::new();
    let measures = [Measure::OnTime, Measure::Late, Measure::Score];
    for read in store::read(&visit.db, &scope, &ranges, &measures).await? {
        figures.entry(read.procedure).or_default().add(&read.count);
    }
    Ok(figures)
}
