//! « Mon identité vérifiée », and the ways to have it verified.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model,
    store::{self, Letter, Verified},
};
use crate::{
    accounts::connections::{self, Happened},
    authorities, catalogue,
    error::Problem,
    platform::{clock, encode, local},
    provider,
    visit::{Citizen, Visit, Visitor},
};

pub const HOME: &str = "/compte/identite";

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Way {
    /// Where to go once verified.
    pub suite: String,
    /// The procedure that asks for it.
    pub demarche: String,
    pub fait: String,
}

impl Way {
    pub fn next(&self) -> &str {
        if self.suite.is_empty() { "" } else { local(&self.suite) }
    }

    /// The page again, with the way kept.
    pub fn home(&self, done: &str) -> String {
        format!("{HOME}?suite={}&demarche={}&fait={done}", encode(self.next()), encode(&self.demarche))
    }
}

pub async fn show(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    draw(&citizen, &way, "", None).await
}

/// `wrong`: what is wrong with the code typed.
pub async fn draw(citizen: &Citizen, way: &Way, code: &str, wrong: Option<&str>) -> Result<Response, Problem> {
    let account = citizen.account.id;
    let verified = store::find(&citizen.db, account).await?;
    let letter = store::letter(&citizen.db, account, citizen.now).await?;
    let title = if verified.is_some() { "Mon identité vérifiée" } else { "Faire vérifier mon identité" };
    let told = match way.fait.as_str() {
        "verifiee" => Some("Votre identité est vérifiée."),
        "demandee" => Some("Votre lettre sera envoyée. Gardez votre compte : le code se saisit sur cette page."),
        "annulee" => Some("Votre demande de lettre est annulée."),
        "retiree" => Some("Votre identité vérifiée est retirée."),
        _ => None,
    };
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let errors: Vec<Json> = wrong.iter().map(|text| json!({"href": "#code", "text": text})).collect();
    let query = format!("?suite={}&demarche={}", encode(way.next()), encode(&way.demarche));
    let context = context! {
        verified => match &verified {
            Some(found) => Some(Serde(verified_json(citizen, found).await?)),
            None => None,
        },
        letter => letter.map(|letter| Serde(letter_json(citizen, &letter))),
        providers => Serde(provider::certifying(citizen).await?), back => way.home("verifiee"),
        place => Serde(place(citizen, &way.demarche).await?),
        next => way.next(), query => query, code => code, errors => Serde(errors), ..flash
    };
    let draw = if wrong.is_some() { Visitor::page_again } else { Visitor::page };
    draw(citizen, "identity/identity.html", title, context)
}

fn day(visit: &Visit, at: jiff::Timestamp) -> String {
    clock::day(at, &visit.site.zone).to_string()
}

async fn verified_json(visit: &Visit, found: &Verified) -> Result<Json, db::Error> {
    Ok(json!({
        "lines": model::lines(&found.identity.0), "how": model::how(visit, &found.source).await?, "date": day(visit, found.verified_at),
        "document": found.document.as_deref().and_then(model::document_label).unwrap_or_default(),
    }))
}

fn letter_json(visit: &Visit, letter: &Letter) -> Json {
    let until = letter.posted_at.and_then(|posted| posted.checked_add(model::CODE_LASTS).ok());
    json!({
        "lines": model::lines(&letter.identity.0), "address": model::address_lines(&letter.address.0), "asked": day(visit, letter.asked_at),
        "posted": letter.posted_at.map(|at| day(visit, at)).unwrap_or_default(), "until": until.map(|at| day(visit, at)).unwrap_or_default(),
    })
}

/// The counter to go to: the department in charge of the procedure, or the town hall.
async fn place(visit: &Visit, procedure: &str) -> Result<Json, Problem> {
    let settings = &visit.site.settings;
    let department = match catalogue::find(visit, procedure).await? {
        Some(found) => authorities::department(&visit.db, &found.procedure.department).await?,
        None => None,
    };
    Ok(match department {
        Some(found) => json!({
            "name": found.name, "address": found.address.unwrap_or_else(|| settings.address.clone()), "phone": found.phone.unwrap_or_else(|| settings.phone.clone()),
            "hours": found.hours.unwrap_or_else(|| settings.opening_hours.clone()),
        }),
        None => {
            json!({"name": visit.site.name, "address": settings.address, "phone": settings.phone, "hours": settings.opening_hours})
        }
    })
}

/// For « Mon compte »: `{lines, how, date, document}`, or none.
pub async fn shown(visit: &Visit, account: Uuid) -> Result<Value, db::Error> {
    let found = store::find(&visit.db, account).await?;
    Ok(match found {
        Some(found) => Value::from(Serde(verified_json(visit, &found).await?)),
        None => Value::from(()),
    })
}

/// For its owner's copy of their data.
pub async fn export(visit: &Visit, account: Uuid) -> Result<Json, db::Error> {
    let db: &Db = &visit.db;
    let verified = store::find(db, account).await?.map(|found| {
        json!({
            "identite": found.identity.0, "source": found.source, "verifiee_le": found.verified_at.to_string(),
            "document": found.document.as_deref().and_then(model::document_label),
        })
    });
    let letter = store::letter(db, account, visit.now).await?.map(|letter| {
        json!({
            "identite": letter.identity.0, "adresse": letter.address.0, "demandee_le": letter.asked_at.to_string(),
            "postee_le": letter.posted_at.map(|at| at.to_string()),
        })
    });
    Ok(json!({"verifiee": verified, "lettre_attendue": letter}))
}

pub async fn removing(citizen: Citizen) -> Result<Response, Problem> {
    if store::find(&citizen.db, citizen.account.id).await?.is_none() {
        return Err(Problem::Elsewhere(HOME.to_owned()));
    }
    citizen.page("identity/remove.html", "Retirer votre identité vérifiée", context! { back => HOME })
}

pub async fn remove(citizen: Citizen) -> Result<Response, Problem> {
    let (account, visit) = (citizen.account.id, &citizen.visit);
    citizen
        .db
        .write(async |tx: &mut Tx| {
            if store::remove(tx, account).await? {
                connections::remember(tx, visit, account, Happened::IdentityRemoved).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(Redirect::to(&format!("{HOME}?fait=retiree")).into_response())
}
