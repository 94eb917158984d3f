//! Making a safe, opening and closing it.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    crypt::Key,
    model::{self, CODE_LENGTH, Safe, Way},
    opening::{self, Open},
    organisation,
    own::{self, Secrets},
    secrets, store,
    whose::{Holder, Owner},
};
use crate::{
    accounts::{self, passkey, session::Kind},
    error::Problem,
    platform::{form::Typed, local, secret},
    visit::Citizen,
};

const HOME: &str = "/mes-documents";
const TITLE: &str = "Mes documents";
const OPEN: &str = "Ouvrir mes documents";
const RESCUE: &str = "Retrouver mes documents";
const CODE: &str = "Votre code de secours";
const NEW_CODE: &str = "Changer de code de secours";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Onward {
    /// Where to go afterwards.
    pub suite: String,
}

pub fn onward(suite: &str) -> &str {
    if suite.is_empty() { HOME } else { local(suite) }
}

pub fn errors(wrong: &[(&str, String)]) -> Value {
    let list: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Value::from(Serde(list))
}

pub async fn safe_of(citizen: &Citizen) -> Result<Safe, Problem> {
    let safe = store::of(&citizen.db, Owner::Account(citizen.account.id)).await?;
    safe.ok_or_else(|| Problem::Elsewhere(HOME.to_owned()))
}

/// The page of who has no safe: what it is, what it protects, what is lost when every secret is.
pub async fn offer(citizen: &Citizen, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let context = context! {
        quota => citizen.app.config.safe_quota, password => own::has_password(citizen).await?,
        passkeys => passkey::possible(citizen), errors => errors(wrong),
    };
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
    let (way, chosen) = match first_secret(&citizen, &typed).await? {
        Ok(first) => first,
        Err(refused) => return offer(&citizen, &[refused]).await,
    };
    let key = Key::generate();
    let safe = Safe { id: citizen.id(), recipient: key.recipient() };
    let owner = Owner::Account(citizen.account.id);
    let code = Zeroizing::new(secret::clear_text(CODE_LENGTH));
    let by_chosen = secrets::seal(&key, safe.id, way, &chosen).await?;
    let by_code = secrets::seal(&key, safe.id, Way::Code, &code).await?;
    let made = citizen
        .db
        .write(async |tx: &mut Tx| {
            store::create(tx, &safe, owner, citizen.now).await?;
            store::put_wrap(tx, safe.id, way, &by_chosen, citizen.now).await?;
            store::put_wrap(tx, safe.id, Way::Code, &by_code, citizen.now).await
        })
        .await;
    match made {
        // Sent twice at once: the other one shows the code.
        Err(error) if error.is_unique("safe_account_key") => return Ok(Redirect::to(HOME).into_response()),
        other => other?,
    }
    let cookie = opening::open(&citizen, &safe, &key).await?;
    let holder = Holder { citizen, owner };
    let page = show_code(&holder, &code, true, way == Way::Own)?;
    Ok(with_cookie(page, cookie))
}

/// What opens a new safe beside the recovery code: the password of who has one, else a code that they choose.
async fn first_secret(
    citizen: &Citizen,
    typed: &Raw,
) -> Result<Result<(Way, Zeroizing<String>), own::Refused>, Problem> {
    if !own::has_password(citizen).await? {
        return Ok(own::chosen(citizen, typed).map(|code| (Way::Own, code)));
    }
    let password = typed.text("mot-de-passe");
    Ok(match accounts::owner(citizen, Kind::Usager, &citizen.account.login, password).await? {
        Some(text) => Err(("mot-de-passe", text)),
        None => Ok((Way::Password, Zeroizing::new(password.to_owned()))),
    })
}

/// The only page that ever holds the recovery code; `own`: a code of one's own opens the safe.
pub fn show_code(holder: &Holder, code: &str, first: bool, own: bool) -> Result<Response, Problem> {
    let account = &holder.account;
    let whose = if account.login.is_empty() { account.full_name() } else { account.login.clone() };
    let context = context! {
        place => holder.place(), code => model::printed(code), first => first, own => own, whose => whose,
    };
    let title = if holder.organisation().is_some() { "Le code de secours de l’organisation" } else { CODE };
    holder.page("safe/code.html", title, context)
}

pub fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Opens the visitor's own safe, which opens also what organisations gave it a key for.
pub async fn show(holder: Holder, headers: HeaderMap, Query(way): Query<Onward>) -> Result<Response, Problem> {
    let safe = holder.own().await?;
    if opening::find(&holder, &headers, &safe).await?.is_some() {
        return Ok(Redirect::to(&holder.onward(&way.suite)).into_response());
    }
    let secrets = Secrets::of(&holder, &safe).await?;
    if secrets.lost() {
        return Ok(Redirect::to(&rescue_from(&holder, &way.suite)).into_response());
    }
    draw_open(&holder, &secrets, &way.suite, &[])
}

/// Who acts for an organisation comes back to themself first: the page says so. What they wanted of it is
/// not their own.
fn rescue_from(holder: &Holder, suite: &str) -> String {
    rescue_page(if holder.organisation().is_some() { "" } else { suite })
}

pub fn rescue_page(suite: &str) -> String {
    format!("{HOME}/secours?suite={}", crate::platform::encode(onward(suite)))
}

pub fn draw_open(
    holder: &Holder,
    secrets: &Secrets,
    suite: &str,
    wrong: &[(&str, String)],
) -> Result<Response, Problem> {
    let minutes = model::STAYS_OPEN.as_mins();
    let context = context! {
        place => holder.place(), suite => holder.onward(suite), minutes => minutes, secrets => secrets.shown(),
        rescue => rescue_from(holder, suite), errors => errors(wrong),
    };
    if wrong.is_empty() {
        holder.page("safe/open.html", OPEN, context)
    } else {
        holder.page_again("safe/open.html", OPEN, context)
    }
}

pub async fn open(holder: Holder, Typed(typed): Typed) -> Result<Response, Problem> {
    let safe = holder.own().await?;
    let (secrets, suite) = (Secrets::of(&holder, &safe).await?, typed.text("suite"));
    if secrets.nothing() {
        return Ok(Redirect::to(&rescue_from(&holder, suite)).into_response());
    }
    let key = match secrets.prove(&holder, &safe, &typed).await? {
        Ok(Some(key)) => key,
        Ok(None) => return Ok(Redirect::to(&rescue_from(&holder, suite)).into_response()),
        Err(refused) => return draw_open(&holder, &secrets, suite, &[refused]),
    };
    if let Some(refused) = secrets.add_password(&holder, &safe, &key, &typed).await? {
        return draw_open(&holder, &secrets, suite, &[refused]);
    }
    let cookie = opening::open(&holder, &safe, &key).await?;
    Ok(with_cookie(Redirect::to(&holder.onward(suite)).into_response(), cookie))
}

/// The account's password no longer opens the safe: the recovery code does, or the former password.
pub async fn rescue(citizen: Citizen, Query(way): Query<Onward>) -> Result<Response, Problem> {
    let safe = rescuable(&citizen, &way.suite).await?;
    draw_rescue(&citizen, &safe, &way.suite, &[]).await
}

/// The safe of an account with a password; without any, a code is chosen anew on another page.
async fn rescuable(citizen: &Citizen, suite: &str) -> Result<Safe, Problem> {
    let safe = safe_of(citizen).await?;
    if own::has_password(citizen).await? { Ok(safe) } else { Err(Problem::Elsewhere(own::page(suite))) }
}

async fn draw_rescue(
    citizen: &Citizen,
    safe: &Safe,
    suite: &str,
    wrong: &[(&str, String)],
) -> Result<Response, Problem> {
    let wrap = store::wrap(&citizen.db, safe.id, Way::Password).await?;
    let own = store::wrap(&citizen.db, safe.id, Way::Own).await?.is_some();
    let context = context! {
        suite => onward(suite), stale => wrap.map_or(!own, |wrap| wrap.stale), own => own, errors => errors(wrong),
    };
    if wrong.is_empty() {
        citizen.page("safe/rescue.html", RESCUE, context)
    } else {
        citizen.page_again("safe/rescue.html", RESCUE, context)
    }
}

pub async fn rescued(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let (password, typed_secret, suite) = (typed.text("mot-de-passe"), typed.text("secours"), typed.text("suite"));
    let safe = rescuable(&citizen, suite).await?;
    if typed_secret.is_empty() {
        let text = "Saisissez votre code de secours ou votre ancien mot de passe".to_owned();
        return draw_rescue(&citizen, &safe, suite, &[("secours", text)]).await;
    }
    if let Some(text) = accounts::owner(&citizen, Kind::Usager, &citizen.account.login, password).await? {
        return draw_rescue(&citizen, &safe, suite, &[("mot-de-passe", text)]).await;
    }
    let key = match own::recover(&citizen, &safe, typed_secret).await? {
        Ok(key) => key,
        Err(text) => return draw_rescue(&citizen, &safe, suite, &[("secours", text)]).await,
    };
    own::keep(&citizen, &safe, &key, Way::Password, password).await?;
    let cookie = opening::open(&citizen, &safe, &key).await?;
    Ok(with_cookie(Redirect::to(onward(suite)).into_response(), cookie))
}

pub async fn code(open: Open) -> Result<Response, Problem> {
    organisation::presiding(&open).await?;
    let secrets = Secrets::of(&open, &open.own().await?).await?;
    draw_new_code(&open, &secrets, &[])
}

fn draw_new_code(open: &Open, secrets: &Secrets, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let context = context! { place => open.place(), secrets => secrets.shown(), errors => errors(wrong) };
    if wrong.is_empty() {
        open.page("safe/new_code.html", NEW_CODE, context)
    } else {
        open.page_again("safe/new_code.html", NEW_CODE, context)
    }
}

/// A new recovery code; the one before is worth nothing any more. Asks for what opens the visitor's own safe.
pub async fn new_code(open: Open, Typed(typed): Typed) -> Result<Response, Problem> {
    organisation::presiding(&open).await?;
    let own = open.own().await?;
    let secrets = Secrets::of(&open, &own).await?;
    if let Err(refused) = secrets.prove(&open, &own, &typed).await? {
        return draw_new_code(&open, &secrets, &[refused]);
    }
    let code = Zeroizing::new(secret::clear_text(CODE_LENGTH));
    own::keep(&open, &open.safe, &open.key, Way::Code, &code).await?;
    organisation::code_changed(&open).await?;
    show_code(&open, &code, false, secrets.has_own())
}

pub async fn close(holder: Holder) -> Result<Response, Problem> {
    if let Some(session) = &holder.session {
        holder.db.write(async |tx: &mut Tx| store::close(tx, session.id).await).await?;
    }
    let door = format!("{}/ouvrir", holder.base());
    Ok(with_cookie(Redirect::to(&door).into_response(), opening::forget(&holder)))
}
