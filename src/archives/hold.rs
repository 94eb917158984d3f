//! « Gels »: requests that must stay whatever their time, because of a litigation or an inquiry.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx, args, row, sql};
use forms::answers::Raw;
use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::pages::Done;
use crate::{
    accounts::{
        Wrong,
        citizen::{errors, flash},
    },
    error::Problem,
    journal::{self, Action, Line},
    platform::{clock, form::Typed},
    requests::{self, model::canonical_reference},
    visit::{Agent, Archivist},
};

const HOME: &str = "/agent/archives/gels";
const PAGE: &str = "agent/archive_holds.html";
const TITLE: &str = "Demandes gelées";
const LONGEST: usize = 300;
/// Requests of one page.
const PAGE_OF: usize = 50;

row! {
    struct Held {
        request_id: Uuid,
        reference: String,
        reason: String,
        at: Timestamp,
        by: Option<String>,
    }
}

pub async fn count(db: &Db) -> Result<i64, db::Error> {
    db.one(sql!("select count(*) from legal_hold where authority_id = $1"), args![db.authority()]).await
}

/// The latest first, after the page that ended there (`at_id`); one more than a page.
async fn some(db: &Db, before: &str) -> Result<Vec<Held>, db::Error> {
    let query = db::Query::new(
        "select h.request_id, r.reference, h.reason, h.at, a.first_name || ' ' || a.last_name as by
         from legal_hold h join request r on r.authority_id = h.authority_id and r.id = h.request_id
           left join account a on a.authority_id = h.authority_id and a.id = h.by_id
         where h.authority_id = {}",
    )
    .bind(db.authority());
    let ended = before
        .split_once('_')
        .and_then(|(at, id)| Some((Timestamp::from_microsecond(at.parse().ok()?).ok()?, id.parse::<Uuid>().ok()?)));
    let query = match ended {
        Some((at, id)) => query.and_args("(h.at, h.request_id) < ({}, {})", args![at, id]),
        None => query,
    };
    db.all(query.push(" order by h.at desc, h.request_id desc limit 51"), args![]).await
}

pub async fn show(Archivist(agent): Archivist, Query(done): Query<Done>) -> Result<Response, Problem> {
    let told = match done.fait.as_str() {
        "gelee" => Some("La demande est gelée : elle ne figurera dans aucun bordereau."),
        "liberee" => Some("La demande n’est plus gelée."),
        _ => None,
    };
    let page = page(&agent, &done.avant, &Raw::default(), &[]).await?;
    agent.page(PAGE, TITLE, context! { ..page, ..flash(told) })
}

async fn page(agent: &Agent, before: &str, typed: &Raw, wrong: &[Wrong]) -> Result<minijinja::Value, db::Error> {
    let mut found = some(&agent.db, before).await?;
    let more = found.len() > PAGE_OF;
    found.truncate(PAGE_OF);
    let older = found
        .last()
        .filter(|_| more)
        .map(|last| format!("{HOME}?avant={}_{}", last.at.as_microsecond(), last.request_id));
    let held: Vec<Json> = found
        .iter()
        .map(|one| {
            let at = clock::day(one.at, &agent.site.zone).to_string();
            json!({"id": one.request_id, "reference": one.reference, "reason": one.reason, "date": at, "by": one.by})
        })
        .collect();
    Ok(
        context! { held => Serde(held), older => older, errors => errors(wrong), reference => typed.text("reference"), reason => typed.text("motif") },
    )
}

/// `geste`: geler, or lever.
pub async fn act(Archivist(agent): Archivist, Typed(typed): Typed) -> Result<Response, Problem> {
    if typed.text("geste") == "lever" {
        let id = typed.text("demande").parse().map_err(|_| Problem::NotFound)?;
        release(&agent, id).await?;
        return Ok(Redirect::to(&format!("{HOME}?fait=liberee")).into_response());
    }
    let wrong = hold(&agent, &typed).await?;
    if wrong.is_empty() {
        Ok(Redirect::to(&format!("{HOME}?fait=gelee")).into_response())
    } else {
        agent.page_again(PAGE, TITLE, page(&agent, "", &typed, &wrong).await?)
    }
}

async fn hold(agent: &Agent, typed: &Raw) -> Result<Vec<Wrong>, Problem> {
    let unknown = || Wrong::new("reference", "Aucune demande n’a cette référence : vérifiez-la sur le dossier");
    let mut wrong = Vec::new();
    let (reference, reason) = (canonical_reference(typed.text("reference")), typed.text("motif").trim());
    let found = requests::store::by_reference(&agent.db, &reference).await?;
    if found.is_none() {
        wrong.push(unknown());
    }
    if reason.is_empty() || reason.chars().count() > LONGEST {
        wrong.push(Wrong::new(
            "motif",
            format!("Écrivez pourquoi cette demande doit rester, en {LONGEST}\u{a0}caractères au plus"),
        ));
    }
    let Some(id) = found.filter(|_| wrong.is_empty()) else { return Ok(wrong) };
    let held = agent
        .db
        .write(async |tx: &mut Tx| {
            // It may have been eliminated since.
            let held = tx
                .run(
                    sql!(
                        "insert into legal_hold (authority_id, request_id, reason, at, by_id)
                         select r.authority_id, r.id, $3, $4, $5 from request r where r.authority_id = $1 and r.id = $2
                         on conflict (authority_id, request_id) do update set reason = excluded.reason, at = excluded.at, by_id = excluded.by_id"
                    ),
                    args![tx.authority(), id, reason, agent.now, agent.account.id],
                )
                .await?;
            if held == 1 {
                let line = Line::agent(agent, Action::RequestHeld).request(id).detail("held");
                journal::note(tx, agent.now, &line).await?;
            }
            Ok::<bool, db::Error>(held == 1)
        })
        .await?;
    if !held {
        wrong.push(unknown());
    }
    Ok(wrong)
}

async fn release(agent: &Agent, id: Uuid) -> Result<(), Problem> {
    let released = agent
        .db
        .write(async |tx: &mut Tx| {
            let released = tx
                .run(
                    sql!("delete from legal_hold where authority_id = $1 and request_id = $2"),
                    args![tx.authority(), id],
                )
                .await?;
            if released == 1 {
                let line = Line::agent(agent, Action::RequestHeld).request(id).detail("released");
                journal::note(tx, agent.now, &line).await?;
            }
            Ok::<bool, db::Error>(released == 1)
        })
        .await?;
    if released { Ok(()) } else { Err(Problem::NotFound) }
}
