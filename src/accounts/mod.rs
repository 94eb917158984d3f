//! Accounts: who somebody is, and how they prove it. Usagers (« citizen ») open theirs themselves and
//! prove their address; agents get theirs from the administrator. Nothing here tells whether an address
//! has an account: every answer is the same, and the mail says the rest.

use axum::{
    Router,
    routing::{get, post},
};
use db::{Db, Tx};
use jiff::Timestamp;
use uuid::Uuid;

use crate::app::App;

pub mod citizen;
mod desk;
mod entry;
pub mod jobs;
mod model;
mod password;
pub mod session;
mod store;
#[cfg(test)]
mod tests;

pub use model::password as check_password;
pub use password::hash;
pub use store::NewAccount;

pub fn routes() -> Router<App> {
    use citizen::{confirm, mine, reset, sign_in, sign_up};
    Router::new()
        .route("/connexion", get(sign_in::show).post(sign_in::send))
        .route("/deconnexion", post(sign_in::leave))
        .route("/inscription", get(sign_up::show).post(sign_up::send))
        .route("/confirmer/{token}", get(confirm::show).post(confirm::send))
        .route("/mot-de-passe-oublie", get(reset::ask).post(reset::send))
        .route("/mot-de-passe/{token}", get(reset::show).post(reset::choose))
        .route("/compte", get(mine::show).post(mine::save))
        .route("/compte/adresse", post(mine::change_email))
        .route("/compte/mot-de-passe", post(mine::change_password))
        .route("/compte/deconnecter", post(mine::disconnect))
        .route("/compte/donnees", get(mine::data))
        .route("/compte/supprimer", post(mine::remove))
        .route("/compte/supprime", get(mine::removed))
        .route("/agent/connexion", get(desk::show).post(desk::send))
        .route("/agent/deconnexion", post(desk::leave))
}

/// An open account, for features that have no session of it.
pub async fn person(db: &Db, id: Uuid) -> Result<Option<session::Account>, db::Error> {
    Ok(store::find(db, id).await?.map(session::Account::from))
}

/// Creates an account outside of any page (administration, sample city).
///
/// # Errors
/// `account_email_key` when the address has an account of this kind.
pub async fn create(db: &Db, new: &NewAccount, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| store::insert(tx, new, now).await).await
}
