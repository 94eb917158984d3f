//! Signing out at the provider that opened the session, as FranceConnect obliges its services to
//! (OpenID Connect RP-Initiated Logout 1.0).

use axum::response::Response;
use minijinja::{Value, context};
use reqwest::Url;
use uuid::Uuid;

use super::{Door, Provider, attempt, call, stage};
use crate::{
    accounts::{
        person::{self, Person},
        session::Kind,
    },
    error::Problem,
    platform::{address, secret},
    visit::{Visit, Visitor},
};

/// What ends a session at the provider that opened it: gone with the session, so read before.
pub struct Leaving {
    provider: Provider,
    id_token: String,
    kind: Kind,
}

/// None: the session was opened otherwise, or nobody signs out at that provider.
pub async fn leaving(visit: &Visit, session: Uuid, kind: Kind) -> Result<Option<Leaving>, Problem> {
    let Some(opened) = stage::opened(&visit.db, session).await? else { return Ok(None) };
    let provider = Provider::find(visit, &opened.provider_id, Door::of(kind)).await?.filter(|one| one.logout());
    let token = attempt::id_token(visit, &opened.sealed);
    Ok(provider.zip(token).map(|(provider, id_token)| Leaving { provider, id_token, kind }))
}

/// Where the browser goes, and the provider's name; asked once the session is closed here, for the provider may
/// not answer. None: it does not, has no such address, or there is none.
pub async fn onward(visit: &Visit, leaving: Option<Leaving>) -> Option<(String, Url)> {
    let Leaving { provider, id_token, kind } = leaving?;
    let known = match call::known(visit, &provider).await {
        Ok(known) => known,
        Err(trouble) => {
            tracing::warn!(provider = provider.id, ?trouble, "provider not told of a sign-out");
            return None;
        }
    };
    let end = known.end_session.as_ref()?;
    let back = format!("{}{}", visit.public_url(), page(kind));
    // The state must be there; our page changes nothing, so nothing hangs on it.
    let state = secret::token();
    let all = [("id_token_hint", id_token.as_str()), ("state", &state), ("post_logout_redirect_uri", &back)];
    Some((provider.name.clone(), address::with(end, &all)))
}

fn page(kind: Kind) -> &'static str {
    match kind {
        Kind::Usager => "/deconnexion/retour",
        Kind::Agent => "/agent/deconnexion/retour",
    }
}

/// Back from the provider.
pub async fn left<P: Person>(visitor: Visitor) -> Result<Response, Problem> {
    let kind = P::KIND;
    let page = context! { door => Door::of(kind).page() };
    // Whoever is signed in as an usager in this browser is nobody at the agents' door.
    let nobody = if kind == Kind::Agent {
        context! { who => Value::from(()) }
    } else {
        context! {}
    };
    visitor.page("provider/left.html", "Vous êtes déconnecté", context! { ..page, ..person::frame(kind), ..nobody })
}
