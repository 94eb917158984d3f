//! Others' identities: providers that usagers and agents may sign in with (OpenID Connect, Guichet as relying
//! party), FranceConnect and ProConnect among them. A provider is declared by file. What it says of somebody
//! opens the account that was linked to that very subject, and no other; usagers are never found by their
//! address. Rules are pure ([`declaration`], `token`, `person`); `call` is the network.

use anyhow::{Context, ensure};
use axum::{
    Router,
    routing::{get, post},
};
use db::{Db, Tx};
use jiff::Timestamp;
use minijinja::{Value, value::Serde};
use serde_json::{Value as Json, json};

use crate::{
    accounts::session::Kind,
    app::App,
    journal::{self, Action, Line},
    platform::secret::Secret,
    visit::{Arriving, Citizen, Visit},
};

mod arrive;
mod attempt;
mod call;
mod declaration;
mod door;
mod first;
mod leave;
mod pages;
mod person;
mod store;
mod token;

pub use attempt::{Proved, wait, waiting};
pub use call::Cache;
pub use declaration::{Declaration, Door};
pub use leave::leaving;
pub use pages::summary;
pub use store::{export, merge, sweep};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/connexion/fournisseur/{provider}", post(door::start_usager))
        .route("/connexion/retour/{provider}", get(door::back_usager))
        .route("/connexion/identite/{token}", get(first::show).post(first::send))
        .route("/deconnexion/retour", get(leave::left_usager))
        .route("/agent/connexion/fournisseur/{provider}", post(door::start_agent))
        .route("/agent/connexion/retour/{provider}", get(door::back_agent))
        .route("/agent/deconnexion/retour", get(leave::left_agent))
        .route("/compte/securite/identites", get(pages::start::<Citizen>).post(pages::link::<Citizen>))
        .route("/compte/securite/identites/retirer", post(pages::unlink::<Citizen>))
        .route("/agent/securite/identites", get(pages::start::<Arriving>).post(pages::link::<Arriving>))
        .route("/agent/securite/identites/retirer", post(pages::unlink::<Arriving>))
}

/// What sealed secrets of providers are for.
const PURPOSE: &str = "fournisseur-secret";

/// A declared provider.
struct Provider {
    declared: Declaration,
    sealed_secret: Vec<u8>,
}

impl std::ops::Deref for Provider {
    type Target = Declaration;

    fn deref(&self) -> &Declaration {
        &self.declared
    }
}

impl From<store::Kept> for Provider {
    fn from(kept: store::Kept) -> Self {
        Self { declared: kept.declaration.0, sealed_secret: kept.sealed_secret }
    }
}

impl Provider {
    /// The provider of this door.
    async fn find(visit: &Visit, id: &str, door: Door) -> Result<Option<Self>, db::Error> {
        let found = store::find(&visit.db, id).await?.map(Self::from);
        Ok(found.filter(|provider| provider.door == door))
    }

    fn secret(&self, visit: &Visit) -> anyhow::Result<String> {
        let clear = visit.app.secret.unseal(PURPOSE, &place(&visit.db, &self.id), &self.sealed_secret);
        let clear = clear.with_context(|| {
            format!("the secret of {} cannot be decrypted: is the secret the one of this database?", self.id)
        })?;
        Ok(String::from_utf8(clear)?)
    }

    /// Where it sends people back to: one address for each provider, so that none answers for another.
    fn redirect_uri(&self, visit: &Visit) -> String {
        format!("{}{}/retour/{}", visit.public_url(), self.door.page(), self.id)
    }

    /// What sign-in pages show of it.
    fn view(&self) -> Json {
        json!({"id": self.id, "name": self.name, "text": self.invitation(), "about": self.about()})
    }
}

/// Whose a sealed secret is: bound to its place.
fn place(db: &Db, id: &str) -> Vec<u8> {
    format!("{} {id}", db.authority()).into_bytes()
}

/// The providers that a sign-in page offers.
pub async fn offered(visit: &Visit, kind: Kind) -> Result<Value, db::Error> {
    let door = Door::of(kind);
    let all = store::all(&visit.db).await?.into_iter().map(Provider::from);
    let list: Vec<Json> = all.filter(|provider| provider.door == door).map(|provider| provider.view()).collect();
    Ok(Value::from(Serde(list)))
}

/// Declares a provider, or declares it anew; without a secret, it keeps the one it has.
///
/// # Errors
/// When it has no secret, or when accounts linked to it would come to be opened by somebody else.
pub async fn declare(
    db: &Db,
    installation: &Secret,
    declaration: &Declaration,
    secret: Option<&str>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let known = store::find(db, &declaration.id).await?;
    if let Some(known) = &known {
        let before = &known.declaration.0;
        let same = before.issuer == declaration.issuer && before.door == declaration.door;
        ensure!(
            same || store::links(db, &declaration.id).await? == 0,
            "{}: accounts are linked to it: another issuer or door needs another id",
            declaration.id
        );
    }
    let sealed = match (secret, known) {
        (Some(secret), _) => installation.seal(PURPOSE, &place(db, &declaration.id), secret.as_bytes())?,
        (None, Some(known)) => known.sealed_secret,
        (None, None) => anyhow::bail!("{}: give its client secret with --secret", declaration.id),
    };
    let what = format!("declared {}", declaration.id);
    db.write(async |tx: &mut Tx| {
        journal::note(tx, now, &Line::city(None, Action::ProviderChanged).detail(&what)).await?;
        store::put(tx, declaration, &sealed, now).await
    })
    .await?;
    Ok(())
}

/// Takes a provider out. Accounts that it opens lose that way in: only when `forget` says so.
///
/// # Errors
/// When it is not there, or opens accounts.
pub async fn remove(db: &Db, id: &str, forget: bool, now: Timestamp) -> anyhow::Result<()> {
    ensure!(store::find(db, id).await?.is_some(), "no provider {id}");
    let links = store::links(db, id).await?;
    ensure!(forget || links == 0, "{id} opens {links} accounts: --forget-links takes that way in from them");
    let what = format!("removed {id}");
    db.write(async |tx: &mut Tx| {
        journal::note(tx, now, &Line::city(None, Action::ProviderChanged).detail(&what)).await?;
        store::remove(tx, id).await
    })
    .await?;
    Ok(())
}
