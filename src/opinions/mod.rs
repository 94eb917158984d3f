//! What usagers think of a request once it has ended, the managers' reading of comments, and what the public
//! sees of both: satisfaction and delays of each procedure.

mod citizen;
mod desk;
mod model;
mod public;
mod store;

use axum::{Router, middleware, routing::get};

use crate::{app::App, visit::cached};

pub use citizen::invited;
pub use model::SCORES;
pub use store::export;

pub fn routes() -> Router<App> {
    let public = Router::new()
        .route("/qualite", get(public::all))
        .route("/qualite/{procedure}", get(public::one))
        .layer(middleware::from_fn(cached));
    Router::new()
        .route("/demandes/{request}/avis", get(citizen::show).post(citizen::send))
        .route("/agent/avis", get(desk::list))
        .route("/agent/avis/{request}", axum::routing::post(desk::judge))
        .merge(public)
}
