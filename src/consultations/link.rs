//! The link of somebody outside. A mail may be forwarded, read by a gateway, kept for years: the link alone shows
//! nothing. The first browser that gives a code, sent to the same address when it asks for one, has it from then
//! on; any other is told so.

use axum::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use super::{
    model::{self, Consultation},
    store,
};
use crate::{accounts::session, error::Problem, platform::secret, visit::Visit};

/// How long a code is good.
const LASTS: SignedDuration = SignedDuration::from_mins(30);
const PURPOSE: &str = "avis";
const LINK: &str = "link of an opinion";

/// How far a browser comes with a link.
pub enum Gate {
    /// It is the one.
    In(Consultation),
    /// It may ask for a code, or give the one that was sent (`true`).
    Code(Consultation, bool),
    /// Another has it.
    Elsewhere,
    /// Settled, or too late: nothing opens any more. `true`: this browser gave the opinion.
    Over(bool),
}

pub async fn gate(visit: &Visit, headers: &HeaderMap, token: &str) -> Result<Gate, Problem> {
    let found = store::by_token(&visit.db.fresh(), token).await?.ok_or(Problem::NotFound)?;
    let bound = found.browser_hash.clone();
    let own = bound.as_ref().is_some_and(|bound| {
        let presented = session::token(headers, &cookie_name(visit, &found)).map(secret::digest);
        presented.is_some_and(|presented| presented.ct_eq(bound).into())
    });
    if !found.reachable(visit.today()) {
        return Ok(Gate::Over(own && found.state == "given"));
    }
    Ok(match bound {
        Some(_) if own => Gate::In(found),
        Some(_) => Gate::Elsewhere,
        None => {
            let sent = code(visit, &found).is_some();
            Gate::Code(found, sent)
        }
    })
}

/// The token of the present link: a reminder, or a mail sent twice, holds the same one. Bound to the installation's
/// secret; the database keeps its hash.
pub fn token(visit: &Visit, found: &Consultation) -> String {
    let print =
        visit.app.secret.fingerprint(LINK, &[found.id.as_bytes().as_slice(), &found.links.to_be_bytes()].concat());
    print.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The code that was asked for, while it is good: bound to this link and this moment, kept nowhere.
pub fn code(visit: &Visit, found: &Consultation) -> Option<String> {
    let at = found.code_at.filter(|at| visit.now.duration_since(*at) < LASTS)?;
    Some(visit.app.secret.code(PURPOSE, &[found.id.as_bytes().as_slice(), &at.as_microsecond().to_be_bytes()].concat()))
}

/// The cookie that says which browser has the link, until the link ends.
pub fn cookie(visit: &Visit, found: &Consultation, browser: &str) -> HeaderValue {
    let secure = if visit.app.config.secure_cookies { "; Secure" } else { "" };
    let end = model::last_day(found.until).tomorrow().ok().and_then(|day| visit.morning(day));
    let seconds = end.map_or(0, |end: Timestamp| end.duration_since(visit.now).as_secs()).max(60);
    let name = cookie_name(visit, found);
    let cookie = format!("{name}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    // Only letters, digits and punctuation fit for headers: this cannot fail.
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

fn cookie_name(visit: &Visit, found: &Consultation) -> String {
    let prefix = if visit.app.config.secure_cookies { "__Host-" } else { "" };
    format!("{prefix}guichet-avis-{}", found.id.simple())
}
