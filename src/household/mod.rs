//! « Mon foyer » and « Mes coordonnées »: the people that a usager declares, and where they live, to type them
//! once. Private to the account: no agent reads it, and a request holds only what its filer took up and sent.

use axum::{Router, routing::get};

use crate::app::App;

pub mod addresses;
pub mod changes;
mod model;
mod pages;
pub mod sharing;
mod sheet;
mod store;

pub use model::{Member, read};
use store::members;
pub use store::{count, export, merge, own, proposed};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/coordonnees", get(addresses::show))
        .route("/compte/coordonnees/changer", get(changes::changing).post(changes::declare))
        .route("/compte/coordonnees/ajouter", get(addresses::adding).post(addresses::add))
        .route("/compte/coordonnees/adresses/{address}", get(addresses::changing).post(addresses::change))
        .route("/compte/coordonnees/adresses/{address}/retirer", get(addresses::removing).post(addresses::remove))
        .route("/compte/foyer", get(pages::show))
        .route("/compte/foyer/ajouter", get(pages::adding).post(pages::add))
        .route("/compte/foyer/proteger", get(pages::protecting).post(pages::protect))
        .route("/compte/foyer/inviter", get(sharing::inviting).post(sharing::invite))
        .route("/compte/foyer/invitations/{invitation}", get(sharing::invited).post(sharing::answer))
        .route("/compte/foyer/partages/{share}/arreter", get(sharing::ending).post(sharing::end))
        .route("/compte/foyer/{member}", get(pages::changing).post(pages::change))
        .route("/compte/foyer/{member}/deces", get(pages::dying).post(pages::die))
        .route("/compte/foyer/{member}/retirer", get(pages::removing).post(pages::remove))
}
