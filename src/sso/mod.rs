//! Guichet as the single sign-on of the authority's other applications (« services »): a CAS server and an
//! OpenID Connect provider. Applications are declared by file or in the administration pages; each knows an usager by a random name of its
//! own, and gets what the usager agreed to give. Messages and rules are pure ([`client`], `cas/message`,
//! `oidc/request`, `oidc/jws`); everything durable is in the database.

use axum::{
    Router,
    http::HeaderValue,
    routing::{get, post},
};
use db::Tx;

use crate::{
    accounts::session::{self, Kind},
    app::App,
    error::Problem,
    platform::address,
    visit::Visitor,
};

mod applications;
mod cas;
mod changes;
mod client;
mod gate;
mod mistake;
mod oidc;
mod store;
mod visits;

pub use changes::{By, Expected, Secret, put, remove};
pub use client::{Client, Declaration};
pub use gate::{asks_fresh, consents, data, page_onward};
pub use oidc::{
    jws::Key,
    keys::{Read as ReadKeys, make as make_key, rotate},
};
pub use store::{client, count, merge};
pub use visits::{LOGOUT, logout, session_ends, session_goes_on, sessions_end, sweep};

/// Pages for people.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/services/autoriser", post(gate::answer))
        .route("/compte/services", get(gate::list))
        .route("/compte/services/retirer", post(gate::withdraw))
        .merge(applications::routes())
        .merge(cas::routes())
        .merge(oidc::routes())
}

/// What applications ask by themselves, without any cookie.
pub fn open_routes() -> Router<App> {
    cas::open_routes().merge(oidc::open_routes())
}

/// Ends the visitor's session here and tells the applications; gives the cookie to set.
async fn end_session(visitor: &Visitor) -> Result<HeaderValue, Problem> {
    if let Some(session) = &visitor.session {
        visitor.db.write(async |tx: &mut Tx| session::close(tx, session.id).await).await?;
        visitor.app.work.notify_one();
    }
    Ok(session::forget(visitor, Kind::Usager))
}

/// The same visitor, signed out.
pub fn nobody(visitor: &Visitor) -> Visitor {
    Visitor { session: None, acting: None, ..visitor.clone() }
}
