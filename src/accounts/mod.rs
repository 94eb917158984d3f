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

use crate::{
    app::App,
    visit::{Arriving, Citizen},
};

mod activation;
pub mod citizen;
pub mod connections;
pub mod desk;
pub mod email;
pub mod ending;
mod entry;
pub mod factor;
pub mod jobs;
mod means;
mod merge;
mod model;
mod opening;
pub mod passkey;
mod password;
pub mod person;
pub mod session;
mod store;
#[cfg(test)]
mod tests;

pub use entry::{has_password, may_register, may_write_to, owner};
pub use factor::counter::sought;
pub use means::{Means, strongest};
pub use model::{
    Wrong, email as check_email, email_key, identity as read_identity, password as check_password, regular_password,
};
pub use passkey::sweep as sweep_passkeys;
pub use password::{hash, key};
pub use store::{NewAccount, find, hold, insert, remove, rename, set_phone, sweep};

pub fn routes() -> Router<App> {
    use citizen::{confirm, leave, mine, reset, sign_in, sign_up};
    Router::new()
        .route("/connexion", get(sign_in::show).post(sign_in::send))
        .route("/connexion/code", get(sign_in::start_again).post(sign_in::code))
        .route("/connexion/cle", get(sign_in::start_again).post(sign_in::passkey))
        .route("/connexion/cle/defi", post(passkey::door::challenge_usager))
        .route("/deconnexion", post(sign_in::leave))
        .route("/inscription", get(sign_up::show).post(sign_up::send))
        .route("/confirmer/{token}", get(confirm::show).post(confirm::send))
        .route("/mot-de-passe-oublie", get(reset::ask).post(reset::send))
        .route("/mot-de-passe/{token}", get(reset::show).post(reset::choose))
        .route("/compte", get(mine::show).post(mine::save))
        .route("/compte/adresse", post(email::pages::ask))
        .route("/compte/mot-de-passe", post(mine::change_password))
        .route("/compte/reunir", get(merge::pages::start).post(merge::pages::prove))
        .route("/compte/reunir/cle", get(merge::pages::start).post(merge::pages::passkey))
        .route("/compte/reunir/cle/defi", post(passkey::door::challenge_usager))
        .route("/compte/reunir/confirmer", get(merge::pages::start).post(merge::pages::confirm))
        .route("/compte/supprimer", get(leave::show).post(leave::send))
        .route("/compte/supprime", get(leave::done))
        .route("/agent/connexion", get(desk::show).post(desk::send))
        .route("/agent/connexion/code", get(desk::start_again).post(desk::code))
        .route("/agent/connexion/cle", get(desk::start_again).post(desk::passkey))
        .route("/agent/connexion/cle/defi", post(passkey::door::challenge_agent))
        .route("/agent/deconnexion", post(desk::leave))
        .merge(security())
        .merge(passkeys())
}

/// « Connexion et sécurité », of usagers and of agents.
fn security() -> Router<App> {
    use self::connections::pages as connections;
    use self::factor::{counter, pages as factor};
    Router::new()
        .route("/compte/securite", get(connections::show::<Citizen>))
        .route("/compte/securite/connexions/{session}/terminer", post(connections::end::<Citizen>))
        .route("/compte/securite/deconnecter", post(connections::end_others::<Citizen>))
        .route("/compte/securite/second-facteur", get(person::start::<Citizen>).post(factor::prepare::<Citizen>))
        .route(
            "/compte/securite/second-facteur/activer",
            get(person::start::<Citizen>).post(factor::confirm::<Citizen>),
        )
        .route(
            "/compte/securite/second-facteur/codes",
            get(person::start::<Citizen>).post(factor::renew_codes::<Citizen>),
        )
        .route("/compte/securite/second-facteur/retirer", post(factor::remove::<Citizen>))
        .route("/agent/securite", get(connections::show::<Arriving>))
        .route("/agent/securite/connexions/{session}/terminer", post(connections::end::<Arriving>))
        .route("/agent/securite/deconnecter", post(connections::end_others::<Arriving>))
        .route("/agent/securite/second-facteur", get(person::start::<Arriving>).post(factor::prepare::<Arriving>))
        .route(
            "/agent/securite/second-facteur/activer",
            get(person::start::<Arriving>).post(factor::confirm::<Arriving>),
        )
        .route(
            "/agent/securite/second-facteur/codes",
            get(person::start::<Arriving>).post(factor::renew_codes::<Arriving>),
        )
        .route("/agent/securite/second-facteur/retirer", post(factor::remove::<Arriving>))
        .route("/activation", get(activation::pages::show).post(activation::pages::send))
        .route("/agent/comptes/ouvrir", get(activation::counter::start).post(activation::counter::open))
        .route("/agent/comptes/{account}", get(activation::counter::show))
        .route("/agent/comptes/{account}/activation", post(activation::counter::print))
        .route("/agent/comptes", get(counter::show).post(counter::search))
        .route("/agent/comptes/{account}/second-facteur", post(counter::reset))
        .route("/agent/comptes/{account}/adresse", post(email::counter::change))
}

/// Passkeys on the same page.
fn passkeys() -> Router<App> {
    use self::passkey::pages as passkey;
    Router::new()
        .route("/compte/securite/cles", get(person::start::<Citizen>).post(passkey::prepare::<Citizen>))
        .route("/compte/securite/cles/ajouter", get(person::start::<Citizen>).post(passkey::add::<Citizen>))
        .route("/compte/securite/cles/retirer", post(passkey::remove::<Citizen>))
        .route("/agent/securite/cles", get(person::start::<Arriving>).post(passkey::prepare::<Arriving>))
        .route("/agent/securite/cles/ajouter", get(person::start::<Arriving>).post(passkey::add::<Arriving>))
        .route("/agent/securite/cles/retirer", post(passkey::remove::<Arriving>))
}

/// An open account, for features that have no session of it.
pub async fn person(db: &Db, id: Uuid) -> Result<Option<session::Account>, db::Error> {
    Ok(store::find(db, id).await?.map(session::Account::from))
}

/// Whether this address is the account's own.
pub fn reads(account: &session::Account, email: &str) -> bool {
    account.email.as_deref().is_some_and(|own| email_key(own) == email_key(email))
}

/// The open account of this kind at an address that its owner has proved theirs. Among those who share a
/// mailbox, the one that signs in with it.
pub async fn by_email(db: &Db, kind: session::Kind, email: &str) -> Result<Option<session::Account>, db::Error> {
    let mut found = store::at_address(db, kind, email).await?;
    found.retain(|account| account.confirmed_at.is_some());
    if found.len() > 1 {
        found.retain(|account| email_key(&account.login) == email_key(email));
    }
    Ok(found.pop().map(session::Account::from))
}

/// The same, when it is an usager's.
pub async fn usager(db: &Db, id: Uuid) -> Result<Option<session::Account>, db::Error> {
    let found = store::find(db, id).await?.filter(|account| account.kind() == session::Kind::Usager);
    Ok(found.map(session::Account::from))
}

/// The open or awaited account of an address, for who has proved something about it.
pub async fn id_of(db: &Db, kind: session::Kind, email: &str) -> Result<Option<Uuid>, db::Error> {
    Ok(store::credentials(db, kind, email).await?.map(|found| found.id))
}

/// Creates an account outside of any page (administration, sample city).
///
/// # Errors
/// `account_login_key` when the address has an account of this kind.
pub async fn create(db: &Db, new: &NewAccount, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| store::insert(tx, new, now).await).await
}
