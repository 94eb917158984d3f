//! « Mes données »: what the city holds on somebody, shown to them and taken away by them (GDPR, articles
//! 15, 16, 17, 20).

use axum::{Router, routing::get};

use crate::app::App;

mod export;
mod pages;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/donnees", get(pages::show))
        .route("/compte/donnees/export", get(pages::start).post(export::send))
        .route("/agent/interne/donnees.zip", get(export::send_to_staff))
}
