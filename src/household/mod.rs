//! « Mon foyer » and « Mes coordonnées »: the people that a usager declares, and where they live, to type them
//! once. Private to the account: no agent reads it, and a request holds only what its filer took up and sent.

use axum::{Router, routing::get};

use crate::app::App;

pub mod addresses;
mod model;
mod pages;
mod sheet;
mod store;

pub use model::Member;
pub use store::{export, proposed};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/coordonnees", get(addresses::show))
        .route("/compte/coordonnees/ajouter", get(addresses::adding).post(addresses::add))
        .route("/compte/coordonnees/adresses/{address}", get(addresses::changing).post(addresses::change))
        .route("/compte/coordonnees/adresses/{address}/retirer", get(addresses::removing).post(addresses::remove))
        .route("/compte/foyer", get(pages::show))
        .route("/compte/foyer/ajouter", get(pages::adding).post(pages::add))
        .route("/compte/foyer/{member}", get(pages::changing).post(pages::change))
        .route("/compte/foyer/{member}/deces", get(pages::dying).post(pages::die))
        .route("/compte/foyer/{member}/retirer", get(pages::removing).post(pages::remove))
}
