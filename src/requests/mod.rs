//! Requests (« demandes »): drafts, sending, following, processing. A request is a procedure's version,
//! answers, files and an append-only history; its state is kept beside.

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    app::App,
    visit::{Agent, Visitor},
};

mod access;
mod assign;
pub mod awaited;
pub mod certified;
mod channel;
mod citizen;
pub mod code;
mod desk;
pub mod drafts;
mod effects;
mod erase;
pub mod export;
mod fields;
mod files;
mod filler;
pub mod fire;
pub mod form;
pub mod handover;
mod intake;
pub mod jobs;
pub mod late;
pub mod limited;
pub mod linked;
pub mod mailed;
pub mod model;
pub mod moves;
pub mod owner;
pub mod purge;
pub mod reach;
pub mod readings;
pub mod recipients;
pub mod search;
pub mod sought;
mod staff;
pub mod store;
pub mod submit;
mod summary;
pub mod sweep;
pub mod timers;
pub mod unsent;

pub use access::{Mine, Permitted, Process, desk as open_at_desk, is_asked_by, mine_to, others};
pub use channel::Channel;
pub use citizen::{file_json, file_kind, notice_of, restore};
pub use desk::{appeal, list::explain};
pub use fields::{Drawing, Drawn, Untouched};
pub use files::{
    attachment as send_file, find as find_file, keep as keep_file, of as files_of, take_out as remove_file,
};
pub use intake::{received_at, reception as received_on};
pub use summary::{drafts_on, legal_words, notice_words, running_on, todo};

pub fn routes() -> Router<App> {
    use citizen::{
        answer, attestation, cancel, check, follow, linked as next, mine, piece, question, received, sent, start, track,
    };
    Router::new()
        .merge(staff::routes())
        .route("/demarches/{procedure}/commencer", get(start::show))
        .route("/demarches/{procedure}/remplir", get(question::first).post(received::begin))
        .route("/brouillons/{draft}/verifier", get(check::show::<Visitor>).post(check::send::<Visitor>))
        .route("/brouillons/{draft}/enregistre", get(start::saved))
        .route("/brouillons/{draft}/supprimer", get(start::discarding::<Visitor>).post(start::discard::<Visitor>))
        .route("/brouillons/{draft}/pieces/{piece}", get(piece::show::<Visitor>).post(piece::save::<Visitor>))
        .route("/brouillons/{draft}/{page}", get(question::show::<Visitor>).post(received::save::<Visitor>))
        .route("/agent/depots", get(intake::list))
        .route("/agent/depots/nouveau", get(intake::start).post(intake::begin))
        .route("/agent/depots/papier/{procedure}", get(intake::print))
        .route("/agent/depots/{draft}/verifier", get(check::show::<Agent>).post(check::send::<Agent>))
        .route("/agent/depots/{draft}/reception", get(intake::amending).post(intake::amend))
        .route("/agent/depots/{draft}/supprimer", get(start::discarding::<Agent>).post(start::discard::<Agent>))
        .route("/agent/depots/{draft}/pieces/{piece}", get(piece::show::<Agent>).post(piece::save::<Agent>))
        .route("/agent/depots/{draft}/{page}", get(question::show::<Agent>).post(received::save::<Agent>))
        .route("/agent/demandes/{request}/completer", get(intake::completing).post(intake::complete))
        .route("/agent/demandes/{request}/deposee", get(intake::confirmation))
        .route("/agent/demandes/{request}/accuse.pdf", get(intake::receipt))
        .route("/mes-demandes", get(mine::show))
        .route("/demandes/{request}", get(follow::show::<Visitor>))
        .route("/demandes/{request}/envoyee", get(sent::show::<Visitor>))
        .route("/demandes/{request}/recepisse.pdf", get(sent::receipt::<Visitor>))
        .route("/demandes/{request}/ranger", post(sent::keep))
        .route("/demandes/{request}/messages", post(follow::write::<Visitor>))
        .route("/demandes/{request}/repondre", get(answer::show::<Visitor>).post(answer::send::<Visitor>))
        .route("/demandes/{request}/suites/{linked}", post(next::go_on))
        .route("/demandes/{request}/attestation", post(attestation::ask))
        .route("/demandes/{request}/annuler", get(cancel::show::<Visitor>).post(cancel::confirm::<Visitor>))
        .route("/suivre", get(track::show).post(track::open))
        .route("/fichiers/{file}", get(files::mine::<Visitor>))
        .route("/agent", get(desk::list::show))
        .route("/agent/recherche", get(desk::quick::show))
        .route("/agent/demandes/{request}/presence", get(desk::presence::show))
        .route("/agent/lot", get(desk::batch::show).post(desk::batch::confirm))
        .route("/agent/vues", get(desk::saved::show).post(desk::saved::save))
        .route("/agent/vues/renommer", post(desk::saved::rename))
        .route("/agent/vues/supprimer", post(desk::saved::remove))
        .route("/agent/export.csv", get(desk::export::csv))
        .route("/agent/export.xlsx", get(desk::export::xlsx))
        .route("/agent/export.ods", get(desk::export::ods))
        .route("/agent/demandes/{request}", get(desk::show::show))
        .route("/agent/demandes/{request}/dossier", get(desk::whole::show))
        .route("/agent/demandes/{request}/dossier.pdf", get(desk::whole::pdf))
        .route("/agent/demandes/{request}/acces", get(desk::watchers::show))
        .route("/agent/demandes/{request}/notes", post(desk::show::note))
        .route("/agent/demandes/{request}/messages", post(desk::show::write))
        .route("/agent/demandes/{request}/code", get(desk::code::show).post(desk::code::give))
        .route("/agent/demandes/{request}/affecter", post(desk::act::take))
        .route("/agent/demandes/{request}/liberer", post(desk::act::release))
        .route("/agent/demandes/{request}/transmettre", get(desk::transfer::show).post(desk::transfer::save))
        .route("/agent/demandes/{request}/confier", get(desk::entrust::show).post(desk::entrust::save))
        .route("/agent/demandes/{request}/actions/{transition}", get(desk::act::show).post(desk::act::confirm))
        .route("/agent/demandes/{request}/actions/{transition}/lettre.pdf", post(desk::letter::pdf))
        .route("/agent/agents/{agent}/dossiers", get(desk::handover::show).post(desk::handover::send))
        .route("/agent/fichiers/{file}", get(files::desk))
        .route("/agent/envois", get(desk::failures::show))
        .route("/agent/envois/{job}/relancer", post(desk::failures::again))
}
