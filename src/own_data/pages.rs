//! The page « Mes données ».

use axum::response::{IntoResponse, Redirect, Response};
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};

use crate::{
    accounts::{self, session::Kind},
    error::Problem,
    links,
    requests::{readings, recipients},
    sso,
    visit::Citizen,
};

const TITLE: &str = "Mes données";
/// Requests, and readings, that the page shows; the export holds all.
const SHOWN: i64 = 100;
const PAGE: &str = "own_data/own_data.html";

pub async fn show(citizen: Citizen) -> Result<Response, Problem> {
    let context = context(&citizen).await?;
    citizen.page(PAGE, TITLE, context! { errors => Serde(json!([])), ..context })
}

/// The page again, with what is wrong in the field `field`.
pub async fn again(citizen: &Citizen, field: &str, text: &str) -> Result<Response, Problem> {
    let context = context(citizen).await?;
    let errors = json!([{"href": format!("#{field}"), "text": text}]);
    citizen.page_again(PAGE, TITLE, context! { errors => Serde(errors), ..context })
}

/// Somebody reloads an address that only a form reaches.
pub async fn start(_: Citizen) -> Response {
    Redirect::to("/compte/donnees").into_response()
}

async fn context(citizen: &Citizen) -> Result<Value, Problem> {
    let (visit, account) = (&citizen.visit, citizen.account.id);
    let readings: Vec<Json> = readings::of(&visit.db, account, SHOWN)
        .await?
        .iter()
        .map(|one| json!({"day": one.day.to_string(), "department": one.department_name, "reference": one.reference, "href": format!("/demandes/{}", one.request_id)}))
        .collect();
    Ok(context! {
        email => citizen.account.email.as_deref().unwrap_or_default(),
        password => accounts::has_password(visit, Kind::Usager, &citizen.account.login).await?,
        services => Serde(sso::consents(visit, account).await?),
        linked => Serde(links::shown(visit, account).await?),
        recipients => Serde(recipients::of(visit, account, SHOWN).await?),
        readings => Serde(readings),
        most => SHOWN,
    })
}
