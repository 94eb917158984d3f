//! Passkeys that open a safe: which do, adding one while the safe is open, opening with one.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    crypt::Key,
    door::{self, errors},
    model::Safe,
    opening::{self, Open},
    own::{self, Secrets},
    secrets, store,
    whose::Holder,
};
use crate::{
    accounts::passkey::{
        self,
        prf::{self, Salted},
    },
    error::Problem,
    platform::{form::Typed, throttle},
    visit::Citizen,
};

const TITLE: &str = "Ouvrir mes documents avec une clé d’accès";
const HOME: &str = "/mes-documents/cles";
/// Id of the buttons that ask the device.
const BUTTON: &str = "cle-d-acces";
const ADDING: &str = "documents-cle-ajout";
const OPENING: &str = "documents-cle-ouverture";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

/// Whether there is anything to choose: the account has passkeys.
pub async fn offered(citizen: &Citizen) -> Result<bool, Problem> {
    Ok(passkey::possible(citizen) && passkey::present(&citizen.db, citizen.account.id).await?)
}

pub async fn show(open: Open, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = match told.fait.as_str() {
        "ajoutee" => "Cette clé d’accès ouvre vos documents.",
        "retiree" => "Cette clé d’accès n’ouvre plus vos documents. Elle vous connecte toujours.",
        _ => return draw(&open, None, &[]).await,
    };
    draw(&open, Some(text), &[]).await
}

async fn draw(open: &Open, told: Option<&str>, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let wraps = store::key_wraps(&open.db, open.safe.id).await?;
    let keys = passkey::list(&open.db, open.account.id).await?;
    let shown = keys.iter().map(|key| {
        let since = wraps.iter().find(|wrap| wrap.passkey_id == key.id).map(|wrap| wrap.made_at.to_string());
        json!({"id": key.id, "name": key.name, "since": since.unwrap_or_default()})
    });
    let page = context! {
        keys => Serde(shown.collect::<Vec<Json>>()), possible => passkey::possible(open),
        more => keys.iter().any(|key| wraps.iter().all(|wrap| wrap.passkey_id != key.id)), errors => errors(wrong),
    };
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let page = context! { ..flash, ..page };
    if wrong.is_empty() {
        open.page("safe/keys.html", TITLE, page)
    } else {
        open.page_again("safe/keys.html", TITLE, page)
    }
}

/// Any passkey that does not open the safe yet may answer, with a salt of its own.
pub async fn challenge_add(open: Open) -> Result<Response, Problem> {
    let wraps = store::key_wraps(&open.db, open.safe.id).await?;
    let keys = passkey::list(&open.db, open.account.id).await?;
    let new = keys.iter().filter(|key| wraps.iter().all(|wrap| wrap.passkey_id != key.id));
    let salted = new.map(|key| Salted { passkey: key.id, salt: rand::random::<[u8; 32]>().to_vec() }).collect();
    prf::ask(&open, ADDING, salted).await
}

pub async fn add(open: Open, Typed(typed): Typed) -> Result<Response, Problem> {
    let derived = match prf::answer(&open, ADDING, &typed).await? {
        Ok(derived) => derived,
        Err(text) => return draw(&open, None, &[(BUTTON, text)]).await,
    };
    let wrap = secrets::seal_by_passkey(&open.key, (open.site.id, open.account.id), &open.safe, &derived, open.now)?;
    let kept = open
        .db
        .write(async |tx: &mut Tx| {
            if !derived.used(tx, open.now).await? {
                return Ok(false);
            }
            store::put_key_wrap(tx, open.safe.id, &wrap).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !kept {
        return draw(&open, None, &[(BUTTON, REMOVED.to_owned())]).await;
    }
    Ok(Redirect::to(&format!("{HOME}?fait=ajoutee")).into_response())
}

const REMOVED: &str = "Cette clé d’accès vient d’être retirée de votre compte";

/// The passkey still signs in. Nothing is lost: the recovery code always opens.
pub async fn remove(open: Open, Typed(typed): Typed) -> Result<Response, Problem> {
    let id: Uuid = typed.text("cle").parse().map_err(|_| Problem::NotFound)?;
    open.db.write(async |tx: &mut Tx| store::remove_key_wrap(tx, open.safe.id, id).await).await?;
    Ok(Redirect::to(&format!("{HOME}?fait=retiree")).into_response())
}

/// Somebody reloads an address that only forms reach, or was signed in or let in on the way there.
pub async fn start(holder: Holder) -> Redirect {
    Redirect::to(&format!("{}/ouvrir", holder.base()))
}

pub async fn again(_: Citizen) -> Redirect {
    Redirect::to(HOME)
}

pub async fn challenge_open(holder: Holder) -> Result<Response, Problem> {
    let safe = holder.own().await?;
    let wraps = store::key_wraps(&holder.db, safe.id).await?;
    let salted = wraps.into_iter().map(|wrap| Salted { passkey: wrap.passkey_id, salt: wrap.salt }).collect();
    prf::ask(&holder, OPENING, salted).await
}

pub async fn open(holder: Holder, Typed(typed): Typed) -> Result<Response, Problem> {
    let (safe, suite) = (holder.own().await?, typed.text("suite"));
    let key = match unlock(&holder, &safe, &typed).await? {
        Ok(key) => key,
        Err(text) => {
            let secrets = Secrets::of(&holder, &safe).await?;
            return door::draw_open(&holder, &secrets, suite, &[(BUTTON, text)]);
        }
    };
    let cookie = opening::open(&holder, &safe, &key).await?;
    Ok(door::with_cookie(Redirect::to(&holder.onward(suite)).into_response(), cookie))
}

/// The key by a passkey. Tries are counted with those of codes.
async fn unlock(citizen: &Citizen, safe: &Safe, typed: &Raw) -> Result<Result<Key, String>, Problem> {
    if let Some(text) = own::slow(citizen, safe).await? {
        return Ok(Err(text));
    }
    let derived = match prf::answer(citizen, OPENING, typed).await? {
        Ok(derived) => derived,
        Err(text) => return Ok(Err(text)),
    };
    let wraps = store::key_wraps(&citizen.db, safe.id).await?;
    let key = match wraps.iter().find(|wrap| wrap.passkey_id == derived.passkey) {
        Some(wrap) => secrets::unseal_by_passkey(wrap, (citizen.site.id, citizen.account.id), safe, &derived)?,
        None => None,
    };
    let Some(key) = key else {
        let text = "Cette clé d’accès n’a pas donné le secret qui ouvre vos documents\u{a0}: ouvrez-les autrement, puis ajoutez-la de nouveau";
        return Ok(Err(text.to_owned()));
    };
    if !citizen.db.write(async |tx: &mut Tx| derived.used(tx, citizen.now).await).await? {
        return Ok(Err(REMOVED.to_owned()));
    }
    throttle::succeeded(&citizen.db, &own::subject(safe)).await?;
    Ok(Ok(key))
}
