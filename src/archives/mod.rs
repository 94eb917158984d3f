//! The end of retention: requests whose time is over are gathered in lists (« bordereaux d'élimination »), one
//! department each; nothing of a list goes before the visa of the State's archivist is noted (Code du patrimoine,
//! L212-2, R212-14, R212-51; destroying without it: L214-3). Decision 0026.

use axum::{Router, routing::get};

use crate::app::App;

mod due;
mod hold;
pub mod job;
mod list;
mod model;
mod pages;
mod paper;
mod progress;
mod store;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/archives", get(pages::show).post(pages::prepare))
        .route("/agent/archives/gels", get(hold::show).post(hold::act))
        .route("/agent/archives/{disposal}", get(list::show).post(list::act))
        .route("/agent/archives/{disposal}/bordereau.pdf", get(paper::pdf))
        .route("/agent/archives/{disposal}/bordereau.csv", get(paper::csv))
}
