//! « Mes demandes »: what waits for their filer first.

use axum::{extract::Query, response::Response};
use db::{args, row};
use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    catalogue,
    error::Problem,
    platform::{clock, encode, french},
    requests::{
        drafts::{self, Draft},
        filler::Filler,
        owner, staff,
    },
    visit::{SignedIn, Staff},
};

const PAGE: usize = 50;

#[derive(Debug, Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
    avant: Option<Timestamp>,
    #[serde(default)]
    fait: String,
}

row! {
    struct Line {
        id: Uuid,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        beneficiary: Option<String>,
        state: String,
        status: String,
        ended: bool,
        submitted_at: Timestamp,
        updated_at: Timestamp,
        unread: i64,
        acted_as: Option<String>,
    }
}

pub async fn show(SignedIn(citizen): SignedIn, Query(search): Query<Search>) -> Result<Response, Problem> {
    let title =
        citizen.acting.as_ref().map_or("Mes demandes".to_owned(), |acting| format!("Demandes\u{a0}: {}", acting.name));
    draw(&citizen.visitor.into(), &title, "/demarches", &search).await
}

/// « Mes demandes internes ».
pub async fn of_staff(staff: Staff, Query(search): Query<Search>) -> Result<Response, Problem> {
    draw(&staff.into(), "Mes demandes internes", staff::LIST, &search).await
}

async fn draw(filler: &Filler, title: &str, start: &str, search: &Search) -> Result<Response, Problem> {
    let lines = lines(filler, search.avant).await?;
    let next = if lines.len() > PAGE {
        let older = |last: &Line| format!("{}?avant={}", filler.home(), encode(&last.submitted_at.to_string()));
        lines.get(PAGE - 1).map(older).unwrap_or_default()
    } else {
        String::new()
    };
    let wanted = french::fold(&search.q);
    let (mut waiting, mut running, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines.iter().take(PAGE) {
        let shown = shown(filler, line).await?;
        let found = wanted.is_empty() || french::fold(&shown.to_string()).contains(wanted.trim());
        match (found, line.status.as_str(), line.ended) {
            (false, _, _) => {}
            (_, "action-needed", _) => waiting.push(shown),
            (_, _, false) => running.push(shown),
            (_, _, true) => ended.push(shown),
        }
    }
    let drafts = if search.avant.is_none() && wanted.is_empty() { begun(filler).await? } else { Vec::new() };
    let flash = match search.fait.as_str() {
        "garde" => {
            context! { flash => context! { kind => "success", text => "Vos réponses sont gardées : reprenez ce brouillon quand vous voulez." } }
        }
        _ => context! {},
    };
    let context = context! {
        waiting => Serde(waiting), running => Serde(running), drafts => Serde(drafts), ended => Serde(ended),
        q => &search.q, next => next, start => start, home => filler.home(), ..flash
    };
    filler.page("requests/mine.html", title, context)
}

async fn lines(filler: &Filler, before: Option<Timestamp>) -> Result<Vec<Line>, db::Error> {
    let query = db::Query::new(
        "select r.id, r.reference, r.procedure_id, r.procedure_version, r.beneficiary, r.state, r.status, r.ended, r.submitted_at, r.updated_at, r.acted_as,
           (select count(*) from message m where m.authority_id = r.authority_id and m.request_id = r.id and m.author <> 'usager'
              and not m.internal and m.read_at is null) as unread
         from request r where r.authority_id = {}",
    );
    let query = query.bind(filler.db.authority());
    let query = match filler.usager() {
        Some(visitor) => owner::scope(query, visitor),
        None => query.and("r.account_id = {}", filler.account()),
    };
    let query = query.and_some("r.submitted_at < {}", before);
    filler.db.all(query.push(" order by r.submitted_at desc limit 51"), args![]).await
}

async fn shown(filler: &Filler, line: &Line) -> Result<Json, Problem> {
    let procedure = catalogue::version(filler, &line.procedure_id, line.procedure_version).await?;
    let usager = procedure.workflow.state(&line.state).map_or("", |state| state.usager.as_str());
    Ok(json!({
        "href": filler.request(line.id), "title": procedure.title, "beneficiary": line.beneficiary, "reference": line.reference, "status": line.status,
        "text": usager, "detail": line.acted_as.as_ref().map(|by| format!("Envoyée par {by}")).unwrap_or_default(), "date": clock::day(line.updated_at, &filler.site.zone).to_string(), "unread": line.unread,
    }))
}

async fn begun(filler: &Filler) -> Result<Vec<Json>, Problem> {
    let found = match (filler.usager(), filler.account()) {
        (Some(visitor), _) => drafts::waiting(visitor, None).await?,
        (None, Some(account)) => drafts::waiting_of(&filler.db, account).await?,
        (None, None) => Vec::new(),
    };
    let acting = filler.usager().is_some_and(|visitor| visitor.acting.is_some());
    let mut shown = Vec::new();
    for draft in found {
        let procedure = catalogue::version(filler, &draft.procedure_id, draft.procedure_version).await?;
        let date = clock::day(draft.updated_at, &filler.site.zone).to_string();
        shown.push(json!({
            "href": format!("{}/{}/verifier", filler.place().drafts, draft.id), "title": procedure.title, "beneficiary": draft.beneficiary, "reference": "", "status": "draft", "text": "Brouillon", "detail": prepared(&draft, acting),
            "date": date, "unread": 0,
        }));
    }
    Ok(shown)
}

fn prepared(draft: &Draft, acting: bool) -> &'static str {
    if draft.acted_by.is_some() && !acting { "Préparé par une personne que vous avez mandatée" } else { "" }
}
