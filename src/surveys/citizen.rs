//! « Enquêtes », for everybody: those that are open, their questions, and the results that are published.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{
    answers::Raw,
    journey::{self, FieldReading},
    model::Survey,
};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    count,
    store::{self, Found},
};
use crate::{
    error::Problem,
    platform::{form::Typed, french},
    requests::{Drawing, notice_of},
    visit::{Visit, Visitor},
};

fn address(survey: &Survey) -> String {
    format!("/enquetes/{}", survey.id)
}

/// « Ouvre le 3 mars 2027 »; empty while it is open.
pub fn closed(visit: &Visit, survey: &Survey) -> String {
    let (opening, today) = (survey.opening, visit.today());
    match (opening.from, opening.to) {
        (Some(from), _) if today < from => format!("Cette enquête ouvre le {}", french::date(from)),
        (_, Some(to)) if to < today => format!("Cette enquête est close depuis le {}", french::date(to)),
        _ => String::new(),
    }
}

/// Whether nobody answers any more.
pub fn over(visit: &Visit, survey: &Survey) -> bool {
    survey.opening.to.is_some_and(|to| to < visit.today())
}

async fn find(visit: &Visit, id: &str) -> Result<Found, Problem> {
    store::find(&visit.db, id).await?.ok_or(Problem::NotFound)
}

pub async fn list(visitor: Visitor) -> Result<Response, Problem> {
    let (mut open, mut told) = (Vec::new(), Vec::new());
    for found in store::all(&visitor.db).await? {
        let survey = &found.survey;
        if closed(&visitor, survey).is_empty() {
            open.push(json!({
                "href": address(survey), "title": survey.title, "summary": survey.summary, "minutes": survey.minutes,
                "until": survey.opening.to.map(|day| day.to_string()), "anonymous": survey.anonymous,
            }));
        }
        if found.told {
            told.push(json!({"href": format!("{}/resultats", address(survey)), "title": survey.title}));
        }
    }
    visitor.page("surveys/list.html", "Enquêtes", context! { open => Serde(open), told => Serde(told) })
}

/// The account that answers: none where nobody is asked who they are.
fn whom(visitor: &Visitor, survey: &Survey) -> Result<Option<Uuid>, Problem> {
    match visitor.account() {
        _ if survey.anonymous => Ok(None),
        None => Err(visitor.sign_in()),
        Some(_) if visitor.acting.is_some() => Err(Problem::Oneself),
        Some(account) => Ok(Some(account.id)),
    }
}

async fn has_answered(visitor: &Visitor, survey: &Survey, account: Option<Uuid>) -> Result<bool, Problem> {
    match account {
        Some(account) => Ok(store::has_answered(&visitor.db, &survey.id, account).await?),
        None => Ok(false),
    }
}

pub async fn show(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = find(&visitor, &id).await?;
    let survey = &found.survey;
    if closed(&visitor, survey).is_empty() {
        let account = whom(&visitor, survey)?;
        if has_answered(&visitor, survey, account).await? {
            return Ok(again(survey));
        }
    }
    let raw = Raw::default();
    draw(&visitor, &found, &read(&visitor, survey, &raw), &raw, &visitor.id().to_string(), None)
}

fn read<'a>(visit: &Visit, survey: &'a Survey, raw: &Raw) -> Vec<FieldReading<'a>> {
    journey::form(&survey.fields, raw, BTreeMap::new(), visit.today())
}

fn again(survey: &Survey) -> Response {
    Redirect::to(&format!("{}/merci?deja=oui", address(survey))).into_response()
}

/// `wrong`: what to say on top; with it, what is wrong in each answer is told.
fn draw(
    visitor: &Visitor,
    found: &Found,
    readings: &[FieldReading<'_>],
    raw: &Raw,
    once: &str,
    wrong: Option<Vec<Json>>,
) -> Result<Response, Problem> {
    let survey = &found.survey;
    let drawn = Drawing::sheet(visitor, None, raw, wrong.is_some()).draw(readings)?;
    let again = wrong.is_some();
    let errors: Vec<Json> = drawn.errors.into_iter().chain(wrong.unwrap_or_default()).collect();
    let context = context! {
        title => &survey.title, summary => &survey.summary, description => &survey.description, minutes => survey.minutes,
        anonymous => survey.anonymous, until => survey.opening.to.map(|day| day.to_string()), closed => closed(visitor, survey),
        results => if found.told { format!("{}/resultats", address(survey)) } else { String::new() },
        notice => Serde(notice_of(&survey.notice, "la clôture de l’enquête")), errors => Serde(errors),
        fields_html => Value::from_safe_string(drawn.html), once => once,
    };
    if again {
        visitor.page_again("surveys/survey.html", &survey.title, context)
    } else {
        visitor.page("surveys/survey.html", &survey.title, context)
    }
}

pub async fn send(visitor: Visitor, Path(id): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let found = find(&visitor, &id).await?;
    let survey = &found.survey;
    if !closed(&visitor, survey).is_empty() {
        return Err(Problem::Elsewhere(address(survey)));
    }
    let account = whom(&visitor, survey)?;
    if has_answered(&visitor, survey, account).await? {
        return Ok(again(survey));
    }
    let (readings, once) = (read(&visitor, survey, &typed), typed.text("une-fois").to_owned());
    let answers = journey::answered(&readings);
    if readings.iter().any(|one| one.shown && !one.problems.is_empty()) {
        return draw(&visitor, &found, &readings, &typed, &once, Some(Vec::new()));
    }
    if answers.is_empty() {
        let told = json!({"href": "#questions", "text": "Répondez à une question au moins."});
        return draw(&visitor, &found, &readings, &typed, &once, Some(vec![told]));
    }
    // Ids of ours tell when they were made: what is kept of this one does not. The same page filled again, by the next
    // person at a shared screen, is another answer.
    let once = if once.is_empty() { visitor.id().to_string() } else { once };
    let sent = json!([once, answers]).to_string();
    let print = visitor.app.secret.fingerprint("survey answer", sent.as_bytes());
    let id = Uuid::from_slice(print.get(..16).unwrap_or_default()).map_err(anyhow::Error::from)?;
    let day = visitor.today();
    let kept =
        visitor.db.write(async |tx: &mut Tx| store::answer(tx, &survey.id, id, account, &answers, day).await).await?;
    if !kept && account.is_some() {
        return Ok(again(survey));
    }
    Ok(Redirect::to(&format!("{}/merci", address(survey))).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    deja: String,
}

pub async fn done(visitor: Visitor, Path(id): Path<String>, Query(told): Query<Told>) -> Result<Response, Problem> {
    let Found { survey, .. } = find(&visitor, &id).await?;
    let context = context! { title => &survey.title, after => &survey.after, already => !told.deja.is_empty() };
    visitor.page("surveys/done.html", "Merci", context)
}

/// What everybody may read of the answers, as it was when a manager published it.
pub async fn results(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let Found { survey, .. } = find(&visitor, &id).await?;
    let told = store::told(&visitor.db, &survey.id).await?.ok_or(Problem::NotFound)?;
    let context = context! { title => &survey.title, summary => &survey.summary, least => count::LEAST, ..Value::from(Serde(told)) };
    visitor.page("surveys/results.html", &format!("Résultats\u{a0}: {}", survey.title), context)
}
