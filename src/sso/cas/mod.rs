//! Guichet as a CAS server (CAS Protocol 3.0). People pass by [`login`] and [`logout`]; applications ask
//! the rest by themselves, without any cookie.

use axum::{Router, routing::get};

use crate::app::App;

mod login;
mod logout;
pub mod message;
mod ticket;
mod validate;

/// Pages.
pub fn routes() -> Router<App> {
    Router::new().route("/cas/login", get(login::show)).route("/cas/logout", get(logout::show))
}

/// What applications ask.
pub fn open_routes() -> Router<App> {
    Router::new()
        .route("/cas/validate", get(validate::first))
        .route("/cas/serviceValidate", get(validate::second))
        .route("/cas/proxyValidate", get(validate::second_proxy))
        .route("/cas/p3/serviceValidate", get(validate::third))
        .route("/cas/p3/proxyValidate", get(validate::third_proxy))
        .route("/cas/proxy", get(validate::proxy))
}
