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
    accounts::{
        connections::{self, Happened},
        jobs::{self, Letter, More},
        session::Kind,
    },
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
mod stage;
mod store;
mod token;

pub use attempt::{Proved, wait, waiting};
pub use call::Cache;
pub use declaration::{Declaration, Door};
pub use leave::{leaving, onward};
pub use pages::summary;
pub use stage::sweep;
pub use store::{coming, export, merge};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/connexion/fournisseur/{provider}", post(door::start::<Citizen>))
        .route("/connexion/retour/{provider}", get(door::back::<Citizen>))
        .route("/connexion/identite/{token}", get(first::show).post(first::send))
        .route("/deconnexion/retour", get(leave::left::<Citizen>))
        .route("/agent/connexion/fournisseur/{provider}", post(door::start::<Arriving>))
        .route("/agent/connexion/retour/{provider}", get(door::back::<Arriving>))
        .route("/agent/deconnexion/retour", get(leave::left::<Arriving>))
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

/// The providers of usagers that certify an identity: `{id, name}`.
pub async fn certifying(visit: &Visit) -> Result<Vec<Json>, db::Error> {
    let all = store::all(&visit.db).await?.into_iter().map(|kept| kept.declaration.0);
    let certifying = all.filter(|declared| declared.door == Door::Usagers && declared.verified());
    Ok(certifying.map(|declared| json!({"id": declared.id, "name": declared.name})).collect())
}

/// What people call a provider, while it is declared.
pub async fn name(db: &Db, id: &str) -> Result<Option<String>, db::Error> {
    Ok(store::find(db, id).await?.map(|kept| kept.declaration.0.name))
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
    let id = &declaration.id;
    let given = secret.map(|secret| installation.seal(PURPOSE, &place(db, id), secret.as_bytes())).transpose()?;
    let refused = db
        .write(async |tx: &mut Tx| {
            let known = store::hold(tx, id).await?;
            let moved = known.as_ref().is_some_and(|known| {
                let before = &known.declaration.0;
                before.issuer != declaration.issuer || before.door != declaration.door
            });
            if moved && !store::links(tx, id).await?.is_empty() {
                return Ok(Some("accounts are linked to it: another issuer or door needs another id"));
            }
            let Some(sealed) = given.clone().or(known.map(|known| known.sealed_secret)) else {
                return Ok(Some("give its client secret with --secret"));
            };
            journal::note(tx, now, &Line::city(None, Action::ProviderChanged).detail(&format!("declared {id}")))
                .await?;
            store::put(tx, declaration, &sealed, now).await?;
            Ok::<_, db::Error>(None)
        })
        .await?;
    match refused {
        Some(why) => anyhow::bail!("{id}: {why}"),
        None => Ok(()),
    }
}

/// Takes a provider out, with the sessions that it opened. Accounts lose that way in, and their owners are told:
/// only when `forget` says so.
///
/// # Errors
/// When it is not there, or opens accounts.
pub async fn remove(visit: &Visit, id: &str, forget: bool) -> anyhow::Result<()> {
    let left = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(known) = store::hold(tx, id).await? else { return Ok(None) };
            let links = store::links(tx, id).await?;
            if !links.is_empty() && !forget {
                return Ok(Some(links.len()));
            }
            for account in links {
                let by = (None, known.declaration.0.name.as_str());
                connections::remember_agent(tx, visit, account, Happened::IdentityUnlinked, by).await?;
                jobs::queue(tx, visit, Letter::IdentityUnlinked, account, More::default()).await?;
            }
            let line = Line::city(None, Action::ProviderChanged);
            journal::note(tx, visit.now, &line.detail(&format!("removed {id}"))).await?;
            store::remove(tx, id).await?;
            Ok::<_, db::Error>(Some(0))
        })
        .await?;
    let links = left.with_context(|| format!("no provider {id}"))?;
    ensure!(links == 0, "{id} opens {links} accounts: --forget-links takes that way in from them");
    Ok(())
}
