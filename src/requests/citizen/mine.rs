//! « Mes demandes »: what waits for the usager first.

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
    platform::french,
    requests::{drafts, owner},
    visit::{Citizen, SignedIn, Visit},
};

const PAGE: usize = 50;

#[derive(Debug, Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
    avant: Option<Timestamp>,
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
    let lines = lines(&citizen, search.avant).await?;
    let next = if lines.len() > PAGE {
        lines.get(PAGE - 1).map(|last| format!("/mes-demandes?avant={}", last.submitted_at)).unwrap_or_default()
    } else {
        String::new()
    };
    let wanted = french::fold(&search.q);
    let (mut waiting, mut running, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines.iter().take(PAGE) {
        let shown = shown(&citizen, line).await?;
        let found = wanted.is_empty() || french::fold(&shown.to_string()).contains(wanted.trim());
        match (found, line.status.as_str(), line.ended) {
            (false, _, _) => {}
            (_, "action-needed", _) => waiting.push(shown),
            (_, _, false) => running.push(shown),
            (_, _, true) => ended.push(shown),
        }
    }
    let drafts = if search.avant.is_none() && wanted.is_empty() { drafts(&citizen).await? } else { Vec::new() };
    let context = context! {
        waiting => Serde(waiting), running => Serde(running), drafts => Serde(drafts), ended => Serde(ended),
        q => &search.q, next => next,
    };
    let title =
        citizen.acting.as_ref().map_or("Mes demandes".to_owned(), |acting| format!("Demandes\u{a0}: {}", acting.name));
    citizen.page("requests/mine.html", &title, context)
}

async fn lines(citizen: &Citizen, before: Option<Timestamp>) -> Result<Vec<Line>, db::Error> {
    let query = db::Query::new(
        "select r.id, r.reference, r.procedure_id, r.procedure_version, r.beneficiary, r.state, r.status, r.ended, r.submitted_at, r.updated_at, r.acted_as,
           (select count(*) from message m where m.authority_id = r.authority_id and m.request_id = r.id and m.author <> 'usager'
              and not m.internal and m.read_at is null) as unread
         from request r where r.authority_id = {}",
    );
    let query = owner::scope(query.bind(citizen.db.authority()), citizen).and_some("r.submitted_at < {}", before);
    citizen.db.all(query.push(" order by r.submitted_at desc limit 51"), args![]).await
}

async fn shown(visit: &Visit, line: &Line) -> Result<Json, Problem> {
    let procedure = catalogue::version(visit, &line.procedure_id, line.procedure_version).await?;
    let usager = procedure.workflow.state(&line.state).map_or("", |state| state.usager.as_str());
    Ok(json!({
        "href": format!("/demandes/{}", line.id), "title": procedure.title, "beneficiary": line.beneficiary, "reference": line.reference, "status": line.status,
        "text": usager, "detail": line.acted_as.as_ref().map(|by| format!("Envoyée par {by}")).unwrap_or_default(), "date": crate::platform::clock::day(line.updated_at, &visit.site.zone).to_string(), "unread": line.unread,
    }))
}

async fn drafts(citizen: &Citizen) -> Result<Vec<Json>, Problem> {
    let mut shown = Vec::new();
    for draft in drafts::waiting(citizen, None).await? {
        let procedure = catalogue::version(citizen, &draft.procedure_id, draft.procedure_version).await?;
        shown.push(json!({
            "href": format!("/brouillons/{}/verifier", draft.id), "title": procedure.title, "beneficiary": draft.beneficiary, "reference": "", "status": "draft", "text": "Brouillon", "detail": if draft.acted_by.is_some() && citizen.acting.is_none() { "Préparé par une personne que vous avez mandatée" } else { "" },
            "date": crate::platform::clock::day(draft.updated_at, &citizen.site.zone).to_string(), "unread": 0,
        }));
    }
    Ok(shown)
}
