//! « Démarches internes »: what agents ask of their own administration (leave, expenses, equipment), each from their
//! own account and for themself, on the pages of usagers. The department in charge treats it as any request, but
//! nobody their own. See docs/decisions/0035-staff.md.

use axum::{
    Router,
    routing::{get, post},
};
use forms::model::Procedure;

use super::{
    citizen::{answer, cancel, check, follow, mine, piece, question, received, sent, start},
    files,
};
use crate::{
    app::App,
    error::Problem,
    visit::{Agent, Staff},
};

mod begin;

/// « Démarches internes ».
pub const LIST: &str = "/agent/interne/demarches";

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/interne/demarches", get(begin::list))
        .route("/agent/interne/demarches/{procedure}", get(begin::show).post(begin::begin))
        .route("/agent/interne/brouillons/{draft}/verifier", get(check::show::<Staff>).post(check::send::<Staff>))
        .route(
            "/agent/interne/brouillons/{draft}/supprimer",
            get(start::discarding::<Staff>).post(start::discard::<Staff>),
        )
        .route("/agent/interne/brouillons/{draft}/pieces/{piece}", get(piece::show::<Staff>).post(piece::save::<Staff>))
        .route("/agent/interne/brouillons/{draft}/{page}", get(question::show::<Staff>).post(received::save::<Staff>))
        .route("/agent/interne/demandes", get(mine::of_staff))
        .route("/agent/interne/demandes/{request}", get(follow::show::<Staff>))
        .route("/agent/interne/demandes/{request}/envoyee", get(sent::show::<Staff>))
        .route("/agent/interne/demandes/{request}/recepisse.pdf", get(sent::receipt::<Staff>))
        .route("/agent/interne/demandes/{request}/messages", post(follow::write::<Staff>))
        .route("/agent/interne/demandes/{request}/repondre", get(answer::show::<Staff>).post(answer::send::<Staff>))
        .route("/agent/interne/demandes/{request}/annuler", get(cancel::show::<Staff>).post(cancel::confirm::<Staff>))
        .route("/agent/interne/fichiers/{file}", get(files::mine::<Staff>))
}

/// Whether an agent may file this procedure for themself: any agent may, unless the file names departments.
///
/// # Errors
/// `NotFound` for a procedure of usagers; `Forbidden`.
pub fn may_file(agent: &Agent, procedure: &Procedure) -> Result<(), Problem> {
    if !procedure.is_internal() {
        return Err(Problem::NotFound);
    }
    let named = |id: &str| procedure.reserved_to.iter().any(|one| one == id);
    if procedure.reserved_to.is_empty() || agent.memberships.iter().any(|one| named(&one.department_id)) {
        return Ok(());
    }
    Err(Problem::Forbidden("Cette démarche est réservée aux agents de certains services."))
}
