//! Surveys (« enquêtes »): questions of the same kinds as procedures', answered once, without circuit nor answer.
//! Anonymous ones keep nothing of who answered; the others one answer by account. Managers read the results, and
//! publish them. See docs/decisions/0036-surveys.md.

use axum::{
    Router, middleware,
    routing::{get, post},
};

use crate::{app::App, visit::cached};

mod citizen;
mod count;
mod desk;
mod store;

pub use store::{export, merge, put, sweep};

pub fn routes() -> Router<App> {
    let public = Router::new()
        .route("/enquetes", get(citizen::list))
        .route("/enquetes/{survey}/resultats", get(citizen::results))
        .layer(middleware::from_fn(cached));
    Router::new()
        .route("/enquetes/{survey}", get(citizen::show).post(citizen::send))
        .route("/enquetes/{survey}/merci", get(citizen::done))
        .route("/agent/enquetes", get(desk::list))
        .route("/agent/enquetes/{survey}", get(desk::show))
        .route("/agent/enquetes/{survey}/reponses.csv", get(desk::csv))
        .route("/agent/enquetes/{survey}/publier", post(desk::publish))
        .merge(public)
}
