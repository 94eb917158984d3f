//! « Agir pour… »: somebody acts for an organisation they represent, or for a person who gave them a
//! mandate. The session keeps for whom; each request asks the database whether that still holds.

use axum::{Router, routing::get};

use crate::app::App;

pub mod invitation;
pub mod mails;
mod model;
mod pages;
mod store;
pub mod trace;

pub use model::{Acting, Choice, Deed, For, Kind, May};
pub use pages::{astray, over};
pub use store::resolve;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agir-pour", get(pages::show).post(pages::choose))
        .route("/invitations/{token}", get(invitation::show).post(invitation::answer))
}
