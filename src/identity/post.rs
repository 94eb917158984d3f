//! By post: somebody declares who they are and where they live; whoever receives the letter there types its
//! code, once.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, journey::FieldReading};
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    citizen::{self, HOME, Way},
    model, store,
};
use crate::{
    accounts::{
        connections::{self, Happened},
        jobs::{self, Letter, More},
    },
    error::Problem,
    household,
    platform::{
        form::Typed,
        secret,
        throttle::{self, ONE, SHARED},
    },
    requests::{Drawing, Drawn},
    visit::{Citizen, Visit, Visitor},
};

const TITLE: &str = "Recevoir un code par courrier";
const PURPOSE: &str = "courrier-identite";

/// The code of a letter: derived, kept nowhere.
pub fn code_of(visit: &Visit, letter: Uuid) -> String {
    visit.app.secret.long_code(PURPOSE, letter.as_bytes())
}

/// The answer to one of the questions, once all of them are right.
pub fn answer(readings: &[FieldReading<'_>], id: &str) -> Option<Json> {
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    readings.iter().find(|reading| reading.name == id)?.answer.clone().filter(|_| right)
}

fn draw(
    citizen: &Citizen,
    way: &Way,
    readings: &[FieldReading<'_>],
    raw: &Raw,
    again: bool,
    slowed: Option<&str>,
) -> Result<Response, Problem> {
    let Drawn { html, mut errors, .. } =
        Drawing::sheet(citizen, Some(("courrier identite", 0)), raw, again).draw(readings)?;
    errors.extend(slowed.map(|text| json!({"href": format!("#{}-numero_voie", model::ADDRESS), "text": text})));
    let context = context! {
        back => way.home(""), errors => Serde(errors), fields_html => Value::from_safe_string(html),
    };
    let draw = if again { Visitor::page_again } else { Visitor::page };
    draw(citizen, "identity/post.html", TITLE, context)
}

/// Whoever may not ask for a letter now is told so where they come from.
async fn may_ask(citizen: &Citizen) -> Result<(), Problem> {
    if store::letter(&citizen.db, citizen.account.id, citizen.now).await?.is_some() {
        return Err(Problem::Elsewhere(HOME.to_owned()));
    }
    let again = store::last_posted(&citizen.db, citizen.account.id).await?;
    let again = again.and_then(|posted| posted.checked_add(model::BETWEEN_LETTERS).ok());
    match again {
        Some(again) if again > citizen.now => Err(Problem::Bad(
            "Une lettre vous a été envoyée il y a moins de quinze jours. Venez au guichet, ou revenez un peu plus tard.",
        )),
        _ => Ok(()),
    }
}

pub async fn asking(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    may_ask(&citizen).await?;
    let mut raw = Raw::default();
    raw.set(format!("{}.nom_naissance", model::IDENTITY), citizen.account.last_name.clone());
    raw.set(format!("{}.prenoms", model::IDENTITY), citizen.account.first_name.clone());
    let questions = model::declaration();
    draw(&citizen, &way, &household::read(&questions, &raw, citizen.today()), &raw, false, None)
}

pub async fn ask(citizen: Citizen, Query(way): Query<Way>, Typed(typed): Typed) -> Result<Response, Problem> {
    may_ask(&citizen).await?;
    let questions = model::declaration();
    let readings = household::read(&questions, &typed, citizen.today());
    let (Some(identity), Some(address)) = (answer(&readings, model::IDENTITY), answer(&readings, model::ADDRESS))
    else {
        return draw(&citizen, &way, &readings, &typed, true, None);
    };
    // Paper costs: a crowd of accounts made from one place is slowed.
    let client = format!("lettre-de:{}", citizen.app.secret.code("lettre-de", citizen.client.as_bytes()));
    if let Some(left) = throttle::take(&citizen.db, &client, SHARED, citizen.now).await? {
        let left = throttle::in_words(left);
        let text = format!("Trop de lettres viennent d’être demandées d’ici\u{a0}: réessayez dans {left}");
        return draw(&citizen, &way, &readings, &typed, true, Some(&text));
    }
    let (account, id, now) = (citizen.account.id, citizen.id(), citizen.now);
    // Sent twice: the first one waits already.
    citizen.db.write(async |tx: &mut Tx| store::ask(tx, account, id, &identity, &address, now).await).await?;
    Ok(Redirect::to(&way.home("demandee")).into_response())
}

pub async fn cancel(citizen: Citizen) -> Result<Response, Problem> {
    let account = citizen.account.id;
    citizen.db.write(async |tx: &mut Tx| store::cancel(tx, account).await).await?;
    Ok(Redirect::to(&format!("{HOME}?fait=annulee")).into_response())
}

/// The code's page opened without its form.
pub async fn start_again(_: Citizen) -> Redirect {
    Redirect::to(HOME)
}

pub async fn code(citizen: Citizen, Query(way): Query<Way>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (account, typed) = (citizen.account.id, typed.text("code"));
    let Some(letter) = store::letter(&citizen.db, account, citizen.now).await? else {
        return Err(Problem::Elsewhere(HOME.to_owned()));
    };
    if typed.is_empty() {
        return citizen::draw(&citizen, &way, "", Some("Saisissez le code à 12 caractères de la lettre")).await;
    }
    let subject = format!("code-courrier:{account}");
    if let Some(left) = throttle::take(&citizen.db, &subject, ONE, citizen.now).await? {
        let text = format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left));
        return citizen::draw(&citizen, &way, typed, Some(&text)).await;
    }
    if !secret::same_code(typed, &code_of(&citizen, letter.id)) {
        return citizen::draw(&citizen, &way, typed, Some("Ce code n’est pas celui de la lettre")).await;
    }
    throttle::succeeded(&citizen.db, &subject).await?;
    let visit = &citizen.visit;
    let used = citizen
        .db
        .write(async |tx: &mut Tx| {
            let used = store::redeem(tx, account, letter.id).await?;
            if used {
                store::record(tx, account, model::POST, &letter.identity.0, visit.now).await?;
                connections::remember(tx, visit, account, Happened::IdentityVerified).await?;
                jobs::queue(tx, visit, Letter::IdentityVerified, account, More::default()).await?;
            }
            Ok::<bool, db::Error>(used)
        })
        .await?;
    citizen.app.work.notify_one();
    Ok(Redirect::to(&way.home(if used { "verifiee" } else { "" })).into_response())
}
