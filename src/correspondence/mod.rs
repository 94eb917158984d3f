//! Letters, mails and SMS from templates that departments write: the templates and their versions, a letter put
//! together from one of them or written by an agent, its PDF, and the letters to post.

pub mod alone;
pub mod compose;
mod desk;
pub mod free;
pub mod jobs;
pub mod mail;
mod model;
pub mod post;
mod preview;
mod publishing;
mod store;

use axum::{
    Router,
    routing::{self, get},
};

use crate::app::App;

pub use model::{Author, Medium};
pub use publishing::{ready, seed};
pub use store::{New, insert};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/courriers/demandes", get(post::show))
        .route("/agent/courriers/demandes/imprimer", routing::post(post::print))
        .route("/agent/courriers/demandes/postes", routing::post(post::posted))
        .route("/agent/demandes/{request}/courrier", get(free::show).post(free::send))
        .route("/agent/demandes/{request}/courrier/apercu.pdf", routing::post(free::pdf))
        .route("/agent/modeles", get(desk::list))
        .route("/agent/modeles/{service}/{modele}", get(desk::edit).post(desk::save))
        .route("/agent/modeles/{service}/{modele}/apercu.pdf", routing::post(desk::pdf))
}
