//! Making a safe, opening and closing it.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    crypt::Key,
    model::{self, CODE_LENGTH, Safe, Way},
    opening::{self, Open},
    secrets, store,
};
use crate::{
    accounts::{self, session::Kind},
    error::Problem,
    platform::{
        form::Typed,
        local, secret,
        throttle::{self, ONE},
    },
    visit::Citizen,
};

const HOME: &str = "/mes-documents";
pub const TITLE: &str = "Mes documents";
const OPEN: &str = "Ouvrir mes documents";
const RESCUE: &str = "Retrouver mes documents";
const CODE: &str = "Votre code de secours";
const NEW_CODE: &str = "Changer de code de secours";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Onward {
    /// Where to go afterwards.
    suite: String,
}

fn onward(suite: &str) -> &str {
    if suite.is_empty() { HOME } else { local(suite) }
}

pub fn errors(wrong: &[(&str, String)]) -> Value {
    let list: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Value::from(Serde(list))
}

async fn safe_of(citizen: &Citizen) -> Result<Safe, Problem> {
    let safe = store::of(&citizen.db, citizen.account.id).await?;
    safe.ok_or_else(|| Problem::Elsewhere(HOME.to_owned()))
}

/// The page of who has no safe: what it is, what it protects, what is lost when every secret is.
pub fn offer(citizen: &Citizen, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let context = context! { quota => citizen.app.config.safe_quota, errors => errors(wrong) };
    if wrong.is_empty() {
        citizen.page("safe/create.html", TITLE, context)
    } else {
        citizen.page_again("safe/create.html", TITLE, context)
    }
}

pub async fn create(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    if super::exists(&citizen.db, citizen.account.id).await? {
        return Ok(Redirect::to(HOME).into_response());
    }
    let password = typed.text("mot-de-passe");
    if let Some(text) = accounts::owner(&citizen, Kind::Usager, &citizen.account.login, password).await? {
        return offer(&citizen, &[("mot-de-passe", text)]);
    }
    let key = Key::generate();
    let safe = Safe { id: citizen.id(), account_id: citizen.account.id, recipient: key.recipient() };
    let code = Zeroizing::new(secret::clear_text(CODE_LENGTH));
    let by_password = secrets::seal(&key, safe.id, Way::Password, password).await?;
    let by_code = secrets::seal(&key, safe.id, Way::Code, &code).await?;
    let made = citizen
        .db
        .write(async |tx: &mut Tx| {
            store::create(tx, &safe, citizen.now).await?;
            store::put_wrap(tx, safe.id, Way::Password, &by_password, citizen.now).await?;
            store::put_wrap(tx, safe.id, Way::Code, &by_code, citizen.now).await
        })
        .await;
    match made {
        // Sent twice at once: the other one shows the code.
        Err(error) if error.is_unique("safe_account_key") => return Ok(Redirect::to(HOME).into_response()),
        other => other?,
    }
    let cookie = opening::open(&citizen, &safe, &key).await?;
    let page = show_code(&citizen, &code, true)?;
    Ok(with_cookie(page, cookie))
}

/// The only page that ever holds the code.
fn show_code(citizen: &Citizen, code: &str, first: bool) -> Result<Response, Problem> {
    citizen.page(
        "safe/code.html",
        CODE,
        context! { code => model::printed(code), first => first, email => &citizen.account.login },
    )
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

pub async fn show(citizen: Citizen, headers: HeaderMap, Query(way): Query<Onward>) -> Result<Response, Problem> {
    let safe = safe_of(&citizen).await?;
    if opening::find(&citizen, &headers, &safe).await?.is_some() {
        return Ok(Redirect::to(onward(&way.suite)).into_response());
    }
    let wrap = store::wrap(&citizen.db, safe.id, Way::Password).await?;
    if wrap.is_none_or(|wrap| wrap.stale) {
        return Ok(Redirect::to(&rescue_page(&way.suite)).into_response());
    }
    draw_open(&citizen, &way.suite, &[])
}

fn rescue_page(suite: &str) -> String {
    format!("{HOME}/secours?suite={}", crate::platform::encode(onward(suite)))
}

fn draw_open(citizen: &Citizen, suite: &str, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let minutes = model::STAYS_OPEN.as_mins();
    let context =
        context! { suite => onward(suite), minutes => minutes, rescue => rescue_page(suite), errors => errors(wrong) };
    if wrong.is_empty() {
        citizen.page("safe/open.html", OPEN, context)
    } else {
        citizen.page_again("safe/open.html", OPEN, context)
    }
}

pub async fn open(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let safe = safe_of(&citizen).await?;
    let (password, suite) = (typed.text("mot-de-passe"), typed.text("suite"));
    if let Some(text) = accounts::owner(&citizen, Kind::Usager, &citizen.account.login, password).await? {
        return draw_open(&citizen, suite, &[("mot-de-passe", text)]);
    }
    let wrap = store::wrap(&citizen.db, safe.id, Way::Password).await?;
    let key = match &wrap {
        Some(wrap) => secrets::unseal(wrap, &safe, Way::Password, password).await?,
        None => None,
    };
    let Some(key) = key else { return Ok(Redirect::to(&rescue_page(suite)).into_response()) };
    let cookie = opening::open(&citizen, &safe, &key).await?;
    Ok(with_cookie(Redirect::to(onward(suite)).into_response(), cookie))
}

/// The account's password no longer opens the safe: the recovery code does, or the former password.
pub async fn rescue(citizen: Citizen, Query(way): Query<Onward>) -> Result<Response, Problem> {
    let safe = safe_of(&citizen).await?;
    draw_rescue(&citizen, &safe, &way.suite, &[]).await
}

async fn draw_rescue(
    citizen: &Citizen,
    safe: &Safe,
    suite: &str,
    wrong: &[(&str, String)],
) -> Result<Response, Problem> {
    let wrap = store::wrap(&citizen.db, safe.id, Way::Password).await?;
    let context = context! {
        suite => onward(suite), stale => wrap.is_none_or(|wrap| wrap.stale), errors => errors(wrong),
    };
    if wrong.is_empty() {
        citizen.page("safe/rescue.html", RESCUE, context)
    } else {
        citizen.page_again("safe/rescue.html", RESCUE, context)
    }
}

pub async fn rescued(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let safe = safe_of(&citizen).await?;
    let (password, typed_secret, suite) = (typed.text("mot-de-passe"), typed.text("secours"), typed.text("suite"));
    if typed_secret.is_empty() {
        let text = "Saisissez votre code de secours ou votre ancien mot de passe".to_owned();
        return draw_rescue(&citizen, &safe, suite, &[("secours", text)]).await;
    }
    if let Some(text) = accounts::owner(&citizen, Kind::Usager, &citizen.account.login, password).await? {
        return draw_rescue(&citizen, &safe, suite, &[("mot-de-passe", text)]).await;
    }
    let subject = format!("documents:{}", safe.id);
    if let Some(left) = throttle::take(&citizen.db, &subject, ONE, citizen.now).await? {
        let text = format!("Trop d’essais : réessayez dans {}", throttle::in_words(left));
        return draw_rescue(&citizen, &safe, suite, &[("secours", text)]).await;
    }
    let Some(key) = unseal_either(&citizen, &safe, typed_secret).await? else {
        let text = "Ce n’est ni votre code de secours ni votre ancien mot de passe".to_owned();
        return draw_rescue(&citizen, &safe, suite, &[("secours", text)]).await;
    };
    throttle::succeeded(&citizen.db, &subject).await?;
    let wrap = secrets::seal(&key, safe.id, Way::Password, password).await?;
    citizen.db.write(async |tx: &mut Tx| store::put_wrap(tx, safe.id, Way::Password, &wrap, citizen.now).await).await?;
    let cookie = opening::open(&citizen, &safe, &key).await?;
    Ok(with_cookie(Redirect::to(onward(suite)).into_response(), cookie))
}

/// The key, by the recovery code or by the password that the safe was last sealed under.
async fn unseal_either(citizen: &Citizen, safe: &Safe, typed: &str) -> Result<Option<Key>, Problem> {
    let code = model::regular_code(typed);
    let ways = [code.as_deref().map(|code| (Way::Code, code)), Some((Way::Password, typed))];
    for (way, secret) in ways.into_iter().flatten() {
        if let Some(wrap) = store::wrap(&citizen.db, safe.id, way).await?
            && let Some(key) = secrets::unseal(&wrap, safe, way, secret).await?
        {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

pub async fn code(open: Open) -> Result<Response, Problem> {
    open.page("safe/new_code.html", NEW_CODE, context! { errors => errors(&[]) })
}

/// A new code; the one before is worth nothing any more.
pub async fn new_code(open: Open, Typed(typed): Typed) -> Result<Response, Problem> {
    let password = typed.text("mot-de-passe");
    if let Some(text) = accounts::owner(&open, Kind::Usager, &open.account.login, password).await? {
        return open.page_again(
            "safe/new_code.html",
            NEW_CODE,
            context! { errors => errors(&[("mot-de-passe", text)]) },
        );
    }
    let code = Zeroizing::new(secret::clear_text(CODE_LENGTH));
    let wrap = secrets::seal(&open.key, open.safe.id, Way::Code, &code).await?;
    open.db.write(async |tx: &mut Tx| store::put_wrap(tx, open.safe.id, Way::Code, &wrap, open.now).await).await?;
    show_code(&open, &code, false)
}

pub async fn close(citizen: Citizen) -> Result<Response, Problem> {
    if let Some(session) = &citizen.session {
        citizen.db.write(async |tx: &mut Tx| store::close(tx, session.id).await).await?;
    }
    Ok(with_cookie(Redirect::to("/mes-documents/ouvrir").into_response(), opening::forget(&citizen)))
}
