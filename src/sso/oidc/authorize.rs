//! `/oidc/authorize`: who is signed in and agrees goes back to the application with a code.

use axum::{
    extract::{Query, RawQuery},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use reqwest::Url;

use super::{
    level::Level,
    request::{self, Asked, Refusal, UNMET},
    store as grants,
};
use crate::{
    accounts,
    error::Problem,
    platform::{
        form::{self, Typed},
        secret,
    },
    sso::{
        address,
        client::Client,
        gate::{self, Marks, Ready},
        store,
    },
    visit::Visitor,
};

/// The same request, posted: cookies of this site do not come with a form of another one, so it is asked again.
pub async fn posted(Typed(typed): Typed) -> Response {
    Redirect::to(&format!("/oidc/authorize?{}", query(&typed))).into_response()
}

pub fn query(raw: &Raw) -> String {
    let pairs = raw.0.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let encode = crate::platform::encode;
    pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

pub async fn show(
    visitor: Visitor,
    RawQuery(query): RawQuery,
    Query(marks): Query<Marks>,
) -> Result<Response, Problem> {
    let raw = form::urlencoded(query.unwrap_or_default().as_bytes());
    let mut ids = raw.all("client_id");
    let (Some(id), None) = (ids.next(), ids.next()) else { return gate::unknown(&visitor) };
    let Some(client) = store::client(&visitor.db, id).await? else { return gate::unknown(&visitor) };
    let Some(uri) = request::redirect_uri(&client, &raw) else { return gate::unknown(&visitor) };
    // Declared, so readable.
    let Some(url) = address::given(&uri) else { return gate::unknown(&visitor) };
    let back = Back { visitor: &visitor, client: &client, marks: &marks, url, state: request::state(&raw) };
    match request::read(&client, uri, &raw) {
        Ok(asked) => decide(&back, &asked).await,
        Err(refusal) => back.refuse(refusal),
    }
}

/// The way back to the application.
struct Back<'a> {
    visitor: &'a Visitor,
    client: &'a Client,
    marks: &'a Marks,
    url: Url,
    state: Option<String>,
}

impl Back<'_> {
    fn refuse(&self, Refusal(code, text): Refusal) -> Result<Response, Problem> {
        self.answer(&[("error", code), ("error_description", text)])
    }

    /// With the state as it came, and who answers (RFC 9207): the application asked us, nobody else.
    fn answer(&self, parameters: &[(&str, &str)]) -> Result<Response, Problem> {
        let mut all = parameters.to_vec();
        if let Some(state) = &self.state {
            all.push(("state", state));
        }
        all.push(("iss", self.visitor.public_url()));
        gate::onward(self.visitor, self.client, self.marks, &address::with(&self.url, &all))
    }
}

async fn decide(back: &Back<'_>, asked: &Asked) -> Result<Response, Problem> {
    let (visitor, client, marks) = (back.visitor, back.client, back.marks);
    if marks.retour == "refus" {
        return back.refuse(Refusal("access_denied", "the usager did not agree"));
    }
    if marks.retour == gate::ABANDON {
        return back.refuse(Refusal(UNMET, "the usager did not sign in as surely as acr_values asks"));
    }
    let Some(ready) = gate::signed_in(visitor, client, marks, asked.silent).await? else {
        return if asked.silent {
            back.refuse(Refusal("login_required", "nobody is signed in"))
        } else {
            Ok(gate::to_sign_in(visitor, client, asked.login || asked.max_age.is_some()))
        };
    };
    let age = visitor.now.duration_since(ready.since).as_secs();
    let too_old = asked.max_age.is_some_and(|most| !ready.dated || age > most);
    if (asked.login || too_old || asked.max_age == Some(0)) && !ready.fresh {
        return if asked.silent {
            back.refuse(Refusal("login_required", "credentials are too old"))
        } else {
            Ok(gate::to_sign_in(visitor, client, true))
        };
    }
    if let Some(page) = step_up(back, asked, &ready).await? {
        return Ok(page);
    }
    let agreed = gate::agreed(visitor, ready.account.id, client, &asked.claims).await?;
    if !agreed || (asked.consent && marks.retour != gate::AGREED) {
        return if asked.silent {
            back.refuse(Refusal("consent_required", "the usager did not agree yet"))
        } else {
            gate::ask(visitor, client, ready.account, &asked.claims, marks)
        };
    }
    let code = give(visitor, client, asked, &ready).await?;
    back.answer(&[("code", &code)])
}

/// Nothing when the session is as sure as is asked. Else to sign in again, once, if the account has what it
/// takes; else the page that tells what to do.
async fn step_up(back: &Back<'_>, asked: &Asked, ready: &Ready<'_>) -> Result<Option<Response>, Problem> {
    let level = ready.means.map(Level::of);
    let Some(least) = asked.levels.iter().min().filter(|least| level < Some(**least)) else { return Ok(None) };
    if asked.silent {
        return back.refuse(Refusal("login_required", "the session is not as sure as acr_values asks")).map(Some);
    }
    let strongest = accounts::strongest(&back.visitor.db, ready.account.id).await?;
    let have = Level::of(strongest) >= *least;
    if have && !ready.fresh {
        return Ok(Some(gate::to_sign_in(back.visitor, back.client, true)));
    }
    gate::stronger(back.visitor, back.client, *least == Level::Resistant, have).map(Some)
}

async fn give(visitor: &Visitor, client: &Client, asked: &Asked, ready: &Ready<'_>) -> Result<String, db::Error> {
    let code = secret::token();
    let grant = grants::NewGrant {
        id: visitor.id(),
        client: &client.id,
        account: ready.account.id,
        session: ready.session,
        redirect_uri: &asked.redirect_uri,
        challenge: asked.challenge.as_deref(),
        nonce: asked.nonce.as_deref(),
        claims: &asked.claims,
        auth_time: ready.since,
        means: ready.means,
        acr: ready.means.map(|means| Level::of(means).told(&asked.levels).acr()),
    };
    visitor.db.write(async |tx: &mut Tx| grants::add(tx, &code, &grant, visitor.now).await).await?;
    Ok(code)
}
