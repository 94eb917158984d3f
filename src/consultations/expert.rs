//! The page behind the link of somebody outside.

use axum::{
    extract::{Path, Request as Sent},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context, value::Serde};
use uuid::Uuid;

use super::{
    answer::{self, Outcome, Typed},
    jobs::{self, What},
    link::{self, Gate},
    model::{Consultation, verdict_words},
    shown, store,
};
use crate::{
    error::Problem,
    journal::{Action, Line},
    platform::{form::Typed as Form, secret, throttle},
    requests::limited,
    visit::Visitor,
};

const PAGE: &str = "consultations/expert.html";
const TITLE: &str = "Avis demandé";
const WRONG: &str = "Ce code n’est pas le bon, ou il n’est plus valable. Vérifiez-le, ou demandez-en un autre";

pub async fn show(visitor: Visitor, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    match link::gate(&visitor, &headers, &token).await? {
        Gate::In(found) => draw(&visitor, &token, &found, &Typed::default()).await,
        Gate::Code(_, sent) => visitor.page(PAGE, TITLE, code_page(&token, sent, "")),
        Gate::Elsewhere => closed(&visitor, "elsewhere", &Typed::default()),
        Gate::Over(own) => closed(&visitor, if own { "thanks" } else { "over" }, &Typed::default()),
    }
}

fn page(step: &str, typed: &Typed) -> Value {
    let typed = context! { verdict => verdict_words(&typed.verdict), text => &typed.text };
    context! { step => step, typed => typed, asked => (), limited => (), form => (), action => "", errors => Vec::<Value>::new(), sent => false }
}

fn closed(visitor: &Visitor, step: &str, typed: &Typed) -> Result<Response, Problem> {
    visitor.page(PAGE, TITLE, page(step, typed))
}

fn code_page(token: &str, sent: bool, wrong: &str) -> Value {
    let errors: Vec<Value> = Some(wrong)
        .filter(|wrong| !wrong.is_empty())
        .map(|text| context! { href => "#code", text => text })
        .into_iter()
        .collect();
    context! { action => format!("/avis/{token}"), sent => sent, errors => errors, ..page("code", &Typed::default()) }
}

async fn draw(visitor: &Visitor, token: &str, found: &Consultation, typed: &Typed) -> Result<Response, Problem> {
    let action = format!("/avis/{token}");
    let files = format!("{action}/fichiers");
    let trace = trace(visitor, found, Action::OpinionOpened);
    let limited = limited::page(visitor, found.request_id, shown::of(found), trace, &files).await?;
    let form = answer::drawn(visitor, found, typed, &files).await?;
    let own = context! { asked => Serde(shown::asked(found)), limited => Serde(limited), form => Serde(form), action => action };
    let page = context! { ..own, ..page("answer", typed) };
    if typed.errors.is_empty() { visitor.page(PAGE, TITLE, page) } else { visitor.page_again(PAGE, TITLE, page) }
}

fn trace(visitor: &Visitor, found: &Consultation, action: Action) -> Line<'static> {
    Line::expert(action).about("consultation", found.id).on(visitor.today())
}

/// Sends a code to the address that the link was sent to. However often it is asked for, at the pace of one mailbox.
pub async fn code(visitor: Visitor, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let here = format!("/avis/{token}");
    let Gate::Code(found, _) = link::gate(&visitor, &headers, &token).await? else {
        return Ok(Redirect::to(&here).into_response());
    };
    if throttle::take(&visitor.db, &format!("avis-code:{}", found.id), throttle::ONE, visitor.now).await?.is_some() {
        return Err(Problem::TooMany);
    }
    let (job, now) = (visitor.id(), visitor.now);
    visitor
        .db
        .write(async |tx: &mut Tx| {
            if store::set_code(tx, found.id, Some(now)).await? {
                jobs::queue(tx, job, found.request_id, found.id, What::Code, now).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    visitor.app.work.notify_one();
    Ok(Redirect::to(&here).into_response())
}

/// The browser that gives the code has the link from then on.
pub async fn open(
    visitor: Visitor,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(typed): Form,
) -> Result<Response, Problem> {
    let here = format!("/avis/{token}");
    let Gate::Code(found, sent) = link::gate(&visitor, &headers, &token).await? else {
        return Ok(Redirect::to(&here).into_response());
    };
    let subject = format!("avis:{}", found.id);
    if throttle::take(&visitor.db, &subject, throttle::ONE, visitor.now).await?.is_some() {
        return Err(Problem::TooMany);
    }
    let right = link::code(&visitor, &found).is_some_and(|code| secret::same_code(typed.text("code"), &code));
    let browser = secret::token();
    let bound = match found.code_at.filter(|_| right) {
        Some(at) => visitor.db.write(async |tx: &mut Tx| store::bind(tx, found.id, at, &browser).await).await?,
        None => false,
    };
    if !bound {
        return visitor.page_again(PAGE, TITLE, code_page(&token, sent, WRONG));
    }
    throttle::succeeded(&visitor.db, &subject).await?;
    let mut response = Redirect::to(&here).into_response();
    response.headers_mut().append(header::SET_COOKIE, link::cookie(&visitor, &found, &browser));
    Ok(response)
}

pub async fn send(
    visitor: Visitor,
    Path(token): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Problem> {
    let found = match link::gate(&visitor, &headers, &token).await? {
        Gate::In(found) => found,
        // Settled while they wrote: their words are theirs to keep.
        Gate::Over(own) => {
            let typed = answer::only_typed(sent).await?;
            return closed(&visitor, if own { "thanks" } else { "over" }, &typed);
        }
        Gate::Code(..) | Gate::Elsewhere => return Ok(Redirect::to(&format!("/avis/{token}")).into_response()),
    };
    match answer::receive(&visitor, &found, sent, None).await? {
        Outcome::Given => Ok(Redirect::to(&format!("/avis/{token}")).into_response()),
        Outcome::Again(typed) => draw(&visitor, &token, &found, &typed).await,
        Outcome::TooLate(typed) => closed(&visitor, "over", &typed),
    }
}

pub async fn file(
    visitor: Visitor,
    Path((token, file)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Gate::In(found) = link::gate(&visitor, &headers, &token).await? else { return Err(Problem::NotFound) };
    let trace = trace(&visitor, &found, Action::FileOpened);
    limited::file(&visitor, found.request_id, shown::of(&found), &found.slot(), file, trace).await
}
