//! « Mon foyer »: the people that a usager declares, to type them once. Private to the account: no agent
//! reads it, and a request holds only what its filer took up and sent.

use axum::{Router, routing::get};

use crate::app::App;

mod model;
mod pages;
mod store;

pub use model::Member;
pub use store::{count, export, merge, proposed};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/foyer", get(pages::show))
        .route("/compte/foyer/ajouter", get(pages::adding).post(pages::add))
        .route("/compte/foyer/{member}", get(pages::changing).post(pages::change))
        .route("/compte/foyer/{member}/deces", get(pages::dying).post(pages::die))
        .route("/compte/foyer/{member}/retirer", get(pages::removing).post(pages::remove))
}
