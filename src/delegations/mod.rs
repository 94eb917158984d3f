//! The register of delegations of signature: who may sign which decisions, by which act, since when and until
//! when (CGCT L2122-18, L2122-19; CRPA L212-1).

mod desk;
mod form;
mod model;
mod store;

use axum::{Router, routing::get};

use crate::app::App;

pub use model::{Delegation, Scope};
pub use store::{New, add, for_letters, in_force, signatories};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/delegations", get(desk::list))
        .route("/agent/delegations/nouvelle", get(desk::new).post(desk::add))
        .route("/agent/delegations/{delegation}/fin", get(desk::end).post(desk::ended))
}
