//! « Courrier numérisé »: the post of a day comes as one batch of scanned pages. An agent says where each document
//! begins and where it goes: to a request, to the contacts to qualify, to a filing at the counter. A batch waits
//! until its last page has gone, whoever goes on with it. See docs/decisions/0037-scans.md.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::app::App;

mod aside;
mod bound;
pub mod child;
mod jobs;
mod model;
mod pages;
mod receive;
mod settle;
mod store;

pub use aside::{Failed, Sheaf, bind, print};
pub use jobs::{DRAW, draw};
pub use store::sweep;

/// Largest body of a batch; `scan_limit` bounds its files.
const LARGEST: usize = 2 * 1024 * 1024 * 1024;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/numerisations", get(pages::list))
        .route(
            "/agent/numerisations/nouvelle",
            get(receive::new).post(receive::save).layer(DefaultBodyLimit::max(LARGEST)),
        )
        .route("/agent/numerisations/{batch}", get(pages::show).post(pages::mark))
        .route("/agent/numerisations/{batch}/blanches", post(settle::blanks))
        .route("/agent/numerisations/{batch}/images/{file}", get(pages::image))
        .route("/agent/numerisations/{batch}/documents/{first}", get(settle::show).post(settle::save))
        .route("/agent/numerisations/{batch}/documents/{first}/document.pdf", get(settle::pdf))
}
