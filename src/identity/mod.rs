//! Verified identity: who an account's owner is, as checked by somebody else than themselves. At the counter
//! (`counter`), by the code of a letter (`post`), or by a provider: the level is the same.

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

mod citizen;
mod counter;
mod letters;
mod model;
mod post;
mod store;

pub use citizen::{export, shown};
pub use model::{COUNTER, document_label, documents, page, sentence};
pub use store::{Verified, correct, differ, find, merge, record, sweep};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/identite", get(citizen::show))
        .route("/compte/identite/retirer", get(citizen::removing).post(citizen::remove))
        .route("/compte/identite/courrier", get(post::asking).post(post::ask))
        .route("/compte/identite/courrier/annuler", post(post::cancel))
        .route("/compte/identite/code", get(post::start_again).post(post::code))
        .route("/agent/comptes/{account}/identite", get(counter::show).post(counter::verify))
        .route("/agent/courriers", get(letters::show))
        .route("/agent/courriers/imprimer", post(letters::print))
        .route("/agent/courriers/postes", post(letters::posted))
}
