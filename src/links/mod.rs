//! Linked services (« Mes services »): the references that a department prints on its bills and letters.
//! An usager links one once, with a second item of proof, and then sees what the department tells about it.
//! Each department knows its own references only; only the usager sees the whole. docs/decisions/0018 says why.

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

mod csv;
mod desk;
mod import;
mod judge;
mod kind;
mod model;
mod pages;
mod store;

pub use import::{Import, Report};
pub use model::Declaration;
pub use pages::shown;
pub use store::{count, export, find, merge, put, remove, sweep};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/mes-services", get(pages::show))
        .route("/mes-services/rattacher/{service}", get(pages::linking).post(pages::link))
        .route("/mes-services/{link}", get(pages::renaming).post(pages::rename))
        .route("/mes-services/{link}/detacher", get(pages::unlinking).post(pages::unlink))
        .route("/agent/references", get(desk::list))
        .route("/agent/references/{service}", get(desk::show).post(desk::load))
        .route("/agent/references/{service}/chercher", post(desk::search))
}
