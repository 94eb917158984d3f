//! The documents of an organisation: making them, giving a representative the key, the recovery code.

use axum::{
    extract::Query,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    crypt::{Key, Recipient},
    door::{self, errors},
    model::{CODE_LENGTH, Safe, Way},
    opening::{self, Open, State},
    own, secrets, shared, store,
    whose::Holder,
};
use crate::{
    acting::{Choice, Kind, trace},
    error::Problem,
    organisations::{self, Role},
    platform::{form::Typed, secret},
};

const ACCESS: &str = "Qui ouvre les documents de l’organisation";
const RESCUE: &str = "Ouvrir avec le code de secours de l’organisation";
const NOT_PRESIDENT: Problem = Problem::Forbidden(
    "Seule la personne qui préside l’organisation crée l’espace de documents et change son code de secours.",
);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

fn id(holder: &Holder) -> Result<Uuid, Problem> {
    holder.organisation().ok_or(Problem::NotFound)
}

fn about(id: Uuid) -> Choice {
    Choice { kind: Kind::Organisation, id }
}

/// Whether the visitor presides the organisation; false for one's own documents.
pub async fn manages(holder: &Holder) -> Result<bool, Problem> {
    let Some(id) = holder.organisation() else { return Ok(false) };
    Ok(organisations::role(&holder.db, holder.account.id, id).await?.is_some_and(Role::manages))
}

/// # Errors
/// `Forbidden` for an organisation's documents to who does not preside it.
pub async fn presiding(holder: &Holder) -> Result<(), Problem> {
    if holder.organisation().is_none() || manages(holder).await? { Ok(()) } else { Err(NOT_PRESIDENT) }
}

/// What stands between the visitor and the organisation's documents, and what they can do about it.
pub async fn shut(holder: &Holder, headers: &HeaderMap, state: &State) -> Result<Response, Problem> {
    let organisation = id(holder)?;
    let mut givers = Vec::new();
    let why = match state {
        State::NoOwn => "own",
        State::NoKey(safe) => {
            let have = shared::holders(&holder.db, safe.id).await?;
            let people = organisations::representatives(&holder.db, organisation).await?;
            givers.extend(people.into_iter().filter(|(account, ..)| have.contains(account)).map(|(_, name, _)| name));
            "key"
        }
        _ if !manages(holder).await? => "president",
        _ if !super::exists(&holder.db, holder.account.id).await? => "own",
        _ if opening::own(holder, headers).await?.is_none() => {
            return Err(Problem::Elsewhere(opening::door(holder.owner, &holder.base())));
        }
        _ => "offer",
    };
    let context = context! {
        place => holder.place(), why => why, givers => givers, quota => holder.app.config.safe_quota,
    };
    holder.page("safe/organisation.html", holder.title(), context)
}

/// Keeps the key for a representative, if they may open the documents still. False when they may not any more.
async fn share(
    tx: &mut Tx,
    (organisation, safe): (Uuid, Uuid),
    account: Uuid,
    (reader, sealed): (Uuid, &[u8]),
    now: jiff::Timestamp,
) -> Result<bool, db::Error> {
    if !organisations::opens(tx, organisation, account).await? {
        return Ok(false);
    }
    shared::put(tx, &shared::Shared { safe, organisation, account, reader, sealed }, now).await?;
    Ok(true)
}

/// The president's own safe is open: the organisation's is made, which it opens, and a recovery code.
pub async fn create(holder: Holder, headers: HeaderMap) -> Result<Response, Problem> {
    let organisation = id(&holder)?;
    presiding(&holder).await?;
    let home = || Problem::Elsewhere(holder.base());
    if store::of(&holder.db, holder.owner).await?.is_some() {
        return Err(home());
    }
    let (own, own_key) = opening::own(&holder, &headers).await?.ok_or_else(home)?;
    let key = Key::generate();
    let safe = Safe { id: holder.id(), recipient: key.recipient() };
    let code = Zeroizing::new(secret::clear_text(CODE_LENGTH));
    let by_code = secrets::seal(&key, safe.id, Way::Code, &code).await?;
    let sealed = key.share(&Recipient::read(&own_key.recipient())?)?;
    let (visit, account, now) = (&holder.visit, &holder.account, holder.now);
    let made = holder
        .db
        .write(async |tx: &mut Tx| {
            store::create(tx, &safe, holder.owner, now).await?;
            store::put_wrap(tx, safe.id, Way::Code, &by_code, now).await?;
            trace::by(tx, visit, about(organisation), account, "documents-made", "").await?;
            share(tx, (organisation, safe.id), account.id, (own.id, &sealed), now).await
        })
        .await;
    match made {
        // Sent twice at once: the other one shows the code.
        Err(error) if error.is_unique("safe_organisation_key") => return Err(home()),
        other => other?,
    };
    door::show_code(&holder, &code, true, false)
}

pub async fn access(open: Open, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = (told.fait == "donne").then_some("Cette personne ouvre maintenant les documents de l’organisation.");
    draw_access(&open, text, &[]).await
}

async fn draw_access(open: &Open, told: Option<&str>, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let organisation = id(open)?;
    let have = shared::holders(&open.db, open.safe.id).await?;
    let readers = shared::readers(&open.db, organisation).await?;
    let people = organisations::representatives(&open.db, organisation).await?;
    let one = |(account, name, role): &(Uuid, String, Role)| {
        let state = if have.contains(account) {
            "open"
        } else if !role.opens_documents() {
            "reader"
        } else if readers.iter().any(|(reader, _)| reader == account) {
            "give"
        } else {
            "own"
        };
        json!({"id": account, "name": name, "role": role.label(), "state": state, "me": *account == open.account.id})
    };
    let shown: Vec<Json> = people.iter().map(one).collect();
    let context = context! {
        place => open.place(), people => Serde(shown), errors => errors(wrong),
        ..told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } }),
    };
    if wrong.is_empty() {
        open.page("safe/access.html", ACCESS, context)
    } else {
        open.page_again("safe/access.html", ACCESS, context)
    }
}

/// « Donner l'accès »: whoever has the documents open confirms it.
pub async fn give(open: Open, Typed(typed): Typed) -> Result<Response, Problem> {
    let organisation = id(&open)?;
    let to: Option<Uuid> = typed.text("representant").parse().ok();
    let people = organisations::representatives(&open.db, organisation).await?;
    let Some((account, name, _)) = people.iter().find(|(account, ..)| Some(*account) == to) else {
        let text = "Cette personne ne représente pas ou plus l’organisation".to_owned();
        return draw_access(&open, None, &[("representants", text)]).await;
    };
    let readers = shared::readers(&open.db, organisation).await?;
    let Some((_, reader)) = readers.iter().find(|(reader, _)| reader == account) else {
        let text = format!("{name} n’a pas encore créé son propre espace de documents");
        return draw_access(&open, None, &[("representants", text)]).await;
    };
    let sealed = open.key.share(&Recipient::read(&reader.recipient)?)?;
    let (visit, me, now) = (&open.visit, &open.account, open.now);
    let given = open
        .db
        .write(async |tx: &mut Tx| {
            let place = (organisation, open.safe.id);
            if !organisations::opens(tx, organisation, me.id).await?
                || !share(tx, place, *account, (reader.id, &sealed), now).await?
            {
                return Ok(false);
            }
            trace::by(tx, visit, about(organisation), me, "documents-given", name).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !given {
        let text = format!("Le rôle de {name} ne permet pas d’ouvrir les documents de l’organisation");
        return draw_access(&open, None, &[("representants", text)]).await;
    }
    Ok(Redirect::to(&format!("{}/acces?fait=donne", open.base())).into_response())
}

/// Tells the other representatives that the code on their paper is worth nothing any more.
pub async fn code_changed(open: &Open) -> Result<(), Problem> {
    let Some(organisation) = open.organisation() else { return Ok(()) };
    let (visit, account) = (&open.visit, &open.account);
    open.db
        .write(async |tx: &mut Tx| trace::by(tx, visit, about(organisation), account, "documents-code", "").await)
        .await?;
    Ok(())
}

/// The organisation's safe and the visitor's own with its key, when the recovery code is what is missing.
async fn rescuable(holder: &Holder, headers: &HeaderMap) -> Result<(Safe, Safe, Key), Problem> {
    match opening::state(holder, headers, holder.owner).await? {
        State::NoKey(safe) => {
            let (own, key) = opening::own(holder, headers).await?.ok_or(Problem::NotFound)?;
            Ok((safe, own, key))
        }
        State::Closed => Err(Problem::Elsewhere(opening::door(holder.owner, &holder.here))),
        State::None | State::NoOwn | State::Open(..) => Err(Problem::Elsewhere(holder.base())),
    }
}

pub async fn rescue(holder: Holder, headers: HeaderMap) -> Result<Response, Problem> {
    rescuable(&holder, &headers).await?;
    draw_rescue(&holder, &[])
}

fn draw_rescue(holder: &Holder, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let context = context! { place => holder.place(), errors => errors(wrong) };
    if wrong.is_empty() {
        holder.page("safe/organisation_rescue.html", RESCUE, context)
    } else {
        holder.page_again("safe/organisation_rescue.html", RESCUE, context)
    }
}

/// The recovery code gives the key to the visitor's own safe. Tries are counted with everybody's.
pub async fn rescued(holder: Holder, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let organisation = id(&holder)?;
    let (safe, own, own_key) = rescuable(&holder, &headers).await?;
    let code = typed.text("secours");
    if code.is_empty() {
        return draw_rescue(&holder, &[("secours", "Saisissez le code de secours de l’organisation".to_owned())]);
    }
    let key = match own::recover(&holder, &safe, code).await? {
        Ok(key) => key,
        Err(text) if text == own::UNKNOWN => {
            let text = "Ce n’est pas le code de secours des documents de l’organisation".to_owned();
            return draw_rescue(&holder, &[("secours", text)]);
        }
        Err(text) => return draw_rescue(&holder, &[("secours", text)]),
    };
    let sealed = key.share(&Recipient::read(&own_key.recipient())?)?;
    let (visit, account, now) = (&holder.visit, &holder.account, holder.now);
    let kept = holder
        .db
        .write(async |tx: &mut Tx| {
            let kept = share(tx, (organisation, safe.id), account.id, (own.id, &sealed), now).await?;
            if kept {
                trace::by(tx, visit, about(organisation), account, "documents-recovered", "").await?;
            }
            Ok::<_, db::Error>(kept)
        })
        .await?;
    if !kept {
        return Err(Problem::NotFound);
    }
    Ok(Redirect::to(&format!("{}?fait=acces", holder.base())).into_response())
}
