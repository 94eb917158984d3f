//! « Agir pour… »: oneself, an organisation, somebody who gave a mandate.

use axum::{
    extract::{FromRequestParts, Query, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Choice, Kind},
    store,
};
use crate::{
    accounts::citizen::flash,
    error::Problem,
    mandates, organisations,
    platform::{
        form::{Typed, plain},
        local,
    },
    visit::{SignedIn, Visitor},
};

const ONESELF: &str = "moi";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn show(SignedIn(citizen): SignedIn, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = match told.fait.as_str() {
        "accepte" => Some("Vous avez accepté l’invitation."),
        "refuse" => Some("Vous avez refusé l’invitation. La personne qui vous a invité en est prévenue."),
        _ => None,
    };
    let current = citizen.acting.as_ref().map(|acting| acting.choice);
    let option = |choice: Choice, name: String, detail: String| json!({"value": format!("{}:{}", choice.kind.name(), choice.id), "name": name, "detail": detail, "current": current == Some(choice)});
    let mut options: Vec<Json> = Vec::new();
    for (id, name, detail) in organisations::choices(&citizen).await? {
        options.push(option(Choice { kind: Kind::Organisation, id }, name, detail));
    }
    for (id, name, detail) in mandates::choices(&citizen).await? {
        options.push(option(Choice { kind: Kind::Mandate, id }, name, detail));
    }
    let context = context! { myself => citizen.account.full_name(), oneself => current.is_none(), options => Serde(options), ..flash(text) };
    citizen.page("acting/choose.html", "Agir pour…", context)
}

/// Keeps the choice, if it is a right of the account.
pub async fn choose(SignedIn(citizen): SignedIn, Typed(typed): Typed) -> Result<Response, Problem> {
    let Some(session) = citizen.session.as_ref().map(|session| session.id) else { return Err(citizen.sign_in()) };
    let choice = match typed.text("pour") {
        "" => return Ok(Redirect::to("/agir-pour").into_response()),
        ONESELF => None,
        wanted => {
            let choice = read(wanted).ok_or(Problem::NotFound)?;
            store::find(&citizen, citizen.account.id, choice).await?.ok_or(Problem::NotFound)?;
            Some(choice)
        }
    };
    citizen.db.write(async |tx: &mut Tx| store::keep(tx, session, choice).await).await?;
    // Back to oneself from a page that is one's own: on to it.
    let suite = Some(typed.text("suite")).filter(|suite| choice.is_none() && !suite.is_empty());
    Ok(Redirect::to(suite.map_or("/mes-demandes", local)).into_response())
}

/// A page of answers sent in a name whose right had ended.
pub async fn over(request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    // The session was brought back to its person when the end was noticed.
    let visitor = Visitor::from_request_parts(&mut parts, &()).await?;
    give_back(&visitor, Request::from_parts(parts, body), true).await
}

/// A page of answers to a draft that is not theirs in whose name one acts now: another tab changed it.
pub async fn astray(visitor: &Visitor, request: Request) -> Result<Response, Problem> {
    give_back(visitor, request, false).await
}

/// What was typed is not kept, but given back, to be copied out.
async fn give_back(visitor: &Visitor, request: Request, over: bool) -> Result<Response, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let typed = if form { plain(request).await? } else { Raw::default() };
    let own =
        typed.0.iter().filter(|(name, _)| !name.starts_with('_') && !["action", "version"].contains(&name.as_str()));
    let answers: Vec<&String> = own.flat_map(|(_, values)| values).filter(|value| !value.is_empty()).collect();
    let (status, title) = if over {
        (StatusCode::FORBIDDEN, "Vous n’agissez plus pour cette personne ou cette organisation")
    } else {
        (StatusCode::NOT_FOUND, "Ce brouillon n’est pas accessible")
    };
    let context = context! { over => over, answers => Serde(answers) };
    visitor.page_with(status, "acting/over.html", title, context)
}

/// `organisation:ID`.
fn read(text: &str) -> Option<Choice> {
    let (kind, id) = text.split_once(':')?;
    Choice::of(Some(kind), id.parse::<Uuid>().ok())
}
