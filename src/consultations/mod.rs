//! Opinions (« avis ») that somebody is asked for on a request: another department of the authority, or somebody
//! outside by mail. They see the question and what was chosen for them of the request, and nothing else of it;
//! each look leaves its line in the journal. Decision 0031.

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

mod answer;
mod ask;
mod change;
mod choices;
mod department;
mod expert;
mod jobs;
mod link;
mod model;
mod remind;
mod shown;
mod store;

pub use change::Automatic;
pub use jobs::{MAIL, send};
pub use model::{ASKED, GIVEN, LATE, LINKED, REMINDED, SLOT, WITHDRAWN};
pub use remind::Opinion;
pub use shown::{on_request, watchers};
pub use store::{close, export};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/demandes/{request}/avis/demander", get(ask::show).post(ask::send))
        .route("/agent/demandes/{request}/avis/{consultation}/retirer", post(ask::withdraw))
        .route("/agent/demandes/{request}/avis/{consultation}/lien", post(ask::link))
        .route("/agent/avis-a-rendre", get(department::list))
        .route("/agent/avis-a-rendre/{consultation}", get(department::show).post(department::send))
        .route("/agent/avis-a-rendre/{consultation}/fichiers/{file}", get(department::file))
        .route("/avis/{token}", get(expert::show).post(expert::send))
        .route("/avis/{token}/code", post(expert::code))
        .route("/avis/{token}/ouvrir", post(expert::open))
        .route("/avis/{token}/fichiers/{file}", get(expert::file))
}
