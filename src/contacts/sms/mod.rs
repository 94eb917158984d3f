//! SMS: usagers who chose it are told that something waits; what becomes of it is heard; what comes in is kept.

use anyhow::{Context, Result, ensure};
use axum::{Router, routing::get, routing::post};
use data_encoding::BASE32_NOPAD;
use db::{Db, Tx};

use crate::{app::App, visit::Visit};

mod callback;
mod declaration;
mod number;
mod send;
mod store;
mod text;

pub use callback::RECEIVED;
pub use declaration::Gateway;
pub use send::{SMS, carry_out, tell, whole};
pub use store::{chosen, export, merge, reach};
pub use text::{Measure, measure};

const SEALING: &str = "passerelle sms";

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/sms", get(number::show).post(number::ask))
        .route("/compte/sms/code", post(number::confirm))
        .route("/compte/sms/arreter", post(number::stop))
        .route("/sms/{token}/remise", get(callback::delivered))
        .route("/sms/{token}/recu", get(callback::received))
}

/// Declares the gateway of an authority, or declares it anew. Without `password`, the one before is kept.
///
/// # Errors
/// When the password is missing, or the department is not there.
pub async fn declare(app: &App, db: &Db, gateway: &Gateway, password: Option<&str>) -> Result<()> {
    let known = crate::authorities::department(db, &gateway.department).await?.is_some();
    ensure!(known, "no department {}", gateway.department);
    let owner = db.authority();
    let sealed = match password {
        Some(password) => Some(app.secret.seal(SEALING, owner.as_bytes(), password.as_bytes())?),
        None => None,
    };
    let declared = db.write(async |tx: &mut Tx| store::put(tx, gateway, sealed.as_deref()).await).await?;
    ensure!(declared, "the password of {} is missing: give it on standard input", gateway.username);
    Ok(())
}

/// Takes the gateway away: nobody is told by SMS any more.
pub async fn forget(db: &Db) -> Result<bool, db::Error> {
    db.write(async |tx: &mut Tx| store::forget(tx).await).await
}

/// Whether the authority sends SMS.
pub async fn offered(visit: &Visit) -> Result<bool, db::Error> {
    Ok(store::get(&visit.db).await?.is_some())
}

/// The gateway and its password.
async fn opened(visit: &Visit) -> Result<Option<(Gateway, String)>> {
    let Some((gateway, sealed)) = store::get(&visit.db).await? else { return Ok(None) };
    let clear = visit.app.secret.unseal(SEALING, visit.site.id.as_bytes(), &sealed);
    let password = clear.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(Some((gateway, password.context("the gateway’s password was sealed under another secret")?)))
}

/// The secret in the addresses that the gateway calls.
pub fn token(visit: &Visit) -> String {
    let print = visit.app.secret.fingerprint("sms callback", visit.site.id.as_bytes());
    BASE32_NOPAD.encode(print.get(..20).unwrap_or_default()).to_ascii_lowercase()
}
