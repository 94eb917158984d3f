//! Following a request, or taking up a draft, without an account: its reference and its code.

use axum::{
    extract::{Query, Request},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::received::ensure_session;
use crate::{
    error::Problem,
    journal::{self, Action, Line},
    platform::{secret, throttle},
    requests::{code, drafts, form, model, store},
    visit::Visitor,
};

#[derive(Debug, Deserialize)]
pub struct Known {
    #[serde(default)]
    reference: String,
}

pub async fn show(visitor: Visitor, Query(known): Query<Known>) -> Result<Response, Problem> {
    page(&visitor, &known.reference.replace('\0', ""), None)
}

fn page(visitor: &Visitor, reference: &str, error: Option<(&str, &str)>) -> Result<Response, Problem> {
    let errors: Vec<_> = error.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let context = context! { reference => reference, errors => Serde(errors) };
    let title = "Suivre une demande";
    if error.is_none() {
        visitor.page("requests/track.html", title, context)
    } else {
        visitor.page_again("requests/track.html", title, context)
    }
}

pub async fn open(mut visitor: Visitor, request: Request) -> Result<Response, Problem> {
    let typed = form::plain(request).await?;
    let (reference, code) = (typed.text("reference").to_owned(), typed.text("code").to_owned());
    if reference.is_empty() {
        return page(&visitor, "", Some(("reference", "Saisissez la référence de votre demande.")));
    }
    if code.is_empty() {
        return page(&visitor, &reference, Some(("code", "Saisissez le code de suivi.")));
    }
    let canonical = model::canonical_reference(&reference);
    // By reference and by visitor: guessing many codes of one, or one code of many, is slowed alike.
    let one = format!("suivi:{canonical}");
    let client = format!("suivi-de:{}", visitor.app.secret.code("suivi-de", visitor.client.as_bytes()));
    let wait = match throttle::wait(&visitor.db, &client, throttle::SHARED, visitor.now).await? {
        None => throttle::take(&visitor.db, &one, throttle::ONE, visitor.now).await?,
        waits => waits,
    };
    if let Some(left) = wait {
        let text = format!("Trop d’essais : attendez {} avant de recommencer.", throttle::in_words(left));
        return page(&visitor, &reference, Some(("code", &text)));
    }
    let Some(place) = find(&visitor, &canonical, &code).await? else {
        throttle::failed(&visitor.db, &client, throttle::SHARED, visitor.now).await?;
        return page(
            &visitor,
            &reference,
            Some(("reference", "Aucune demande n’a cette référence et ce code. Vérifiez-les, ou appelez-nous.")),
        );
    };
    throttle::succeeded(&visitor.db, &one).await?;
    let cookie = ensure_session(&mut visitor).await?;
    let session = visitor.session.as_ref().map(|session| session.id).unwrap_or_default();
    let to = match place {
        Place::Request(id) => {
            let trace = Line::usager(visitor.account().map(|account| account.id), Action::RequestFollowed).request(id);
            visitor
                .db
                .write(async |tx: &mut db::Tx| {
                    journal::note(tx, visitor.now, &trace).await?;
                    store::grant(tx, session, id).await
                })
                .await?;
            format!("/demandes/{id}")
        }
        Place::Draft(id) => {
            drafts::attach(&visitor, id, session).await?;
            format!("/brouillons/{id}/verifier")
        }
    };
    let mut response = Redirect::to(&to).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

enum Place {
    Request(Uuid),
    Draft(Uuid),
}

async fn find(visitor: &Visitor, reference: &str, typed: &str) -> Result<Option<Place>, db::Error> {
    let request = store::by_reference(&visitor.db, reference).await?;
    let place = match request {
        Some(id) => Some((id, Place::Request(id))),
        None => drafts::by_reference(visitor, reference).await?.map(|id| (id, Place::Draft(id))),
    };
    // A code is computed in any case: the answer takes as long for an unknown reference.
    let (id, place) = place.map_or((Uuid::nil(), None), |(id, place)| (id, Some(place)));
    let generation = code::generation(&visitor.db, id).await?;
    let right = secret::same_code(typed, &code::derived(&visitor.app.secret, id, generation));
    Ok(place.filter(|_| right))
}
