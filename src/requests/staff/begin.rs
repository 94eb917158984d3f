//! Which procedures an agent may file for themself, and how one is begun.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use forms::{answers::Raw, model::Procedure};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::may_file;
use crate::{
    authorities,
    catalogue::{self, Published},
    error::Problem,
    platform::{clock, form::Typed, french},
    requests::{
        citizen,
        drafts::{self, Holder},
        filler,
        owner::Whose,
    },
    visit::{Staff, Visit},
};

const TITLE: &str = "Démarches internes";

async fn offered(staff: &Staff) -> Result<Vec<Published>, Problem> {
    let current = catalogue::current(staff).await?;
    let may = |one: &&Published| may_file(staff, &one.procedure).is_ok();
    let mut offered: Vec<Published> = current.internal.values().filter(may).cloned().collect();
    offered.sort_by_cached_key(|one| french::fold(&one.procedure.title));
    Ok(offered)
}

pub async fn list(staff: Staff) -> Result<Response, Problem> {
    let one = |published: &Published| {
        let procedure = &published.procedure;
        json!({
            "href": citizen::procedure_page(procedure), "title": procedure.title, "summary": procedure.summary,
            "minutes": procedure.minutes, "delay": procedure.delay.to_string(),
            "closed": closed(&staff, procedure),
        })
    };
    let procedures: Vec<Json> = offered(&staff).await?.iter().map(one).collect();
    staff.page("agent/internal.html", TITLE, context! { procedures => Serde(procedures) })
}

/// « Ouvre le 3 mars 2027 »; empty while it is open.
fn closed(visit: &Visit, procedure: &Procedure) -> String {
    let (opening, today) = (procedure.opening, visit.today());
    match (opening.from, opening.to) {
        (Some(from), _) if today < from => format!("Ouvre le {}", french::date(from)),
        (_, Some(to)) if to < today => format!("Fermée depuis le {}", french::date(to)),
        _ => String::new(),
    }
}

async fn find(staff: &Staff, id: &str) -> Result<Published, Problem> {
    let published = catalogue::any(staff, id).await?.ok_or(Problem::NotFound)?;
    may_file(staff, &published.procedure)?;
    Ok(published)
}

pub async fn show(staff: Staff, Path(id): Path<String>) -> Result<Response, Problem> {
    let procedure = find(&staff, &id).await?.procedure;
    let department = authorities::department(&staff.db, &procedure.department).await?.ok_or(Problem::NotFound)?;
    let drafts: Vec<Json> = drafts::waiting_of(&staff.db, staff.account.id)
        .await?
        .iter()
        .filter(|draft| draft.procedure_id == id)
        .map(|draft| {
            let day = clock::day(draft.updated_at, &staff.site.zone).to_string();
            json!({"href": format!("{}/{}/verifier", filler::STAFF.drafts, draft.id), "date": day, "beneficiary": null})
        })
        .collect();
    let pieces: Vec<Json> = procedure
        .pieces
        .iter()
        .map(|piece| json!({"title": piece.title, "help": piece.help, "optional": piece.optional, "condition": piece.show_if.is_some()}))
        .collect();
    let context = context! {
        procedure => Serde(json!({
            "title": procedure.title, "summary": procedure.summary, "description": procedure.description,
            "before": procedure.before, "minutes": procedure.minutes, "delay": procedure.delay.to_string(),
            "department": department.name,
        })),
        closed => closed(&staff, &procedure), pieces => Serde(pieces), drafts => Serde(drafts),
        legal => Serde(citizen::legal(procedure.legal.as_ref())), notice => Serde(citizen::notice(&procedure)),
        start => citizen::procedure_page(&procedure), once => staff.id().to_string(),
    };
    staff.page("agent/internal_procedure.html", &procedure.title, context)
}

/// Begins a draft, typed with what the agent's account tells; the form sent twice begins one.
pub async fn begin(staff: Staff, Path(id): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let published = find(&staff, &id).await?;
    let procedure = &published.procedure;
    if !closed(&staff, procedure).is_empty() {
        return Err(Problem::Elsewhere(citizen::procedure_page(procedure)));
    }
    let draft: Uuid = typed.text("une-fois").parse().unwrap_or_else(|_| staff.id());
    if !drafts::exists(&staff, draft).await? {
        let raw: Raw = citizen::known_of(&staff.account, procedure);
        let whose = Whose::account(Some(staff.account.id));
        drafts::begin(&staff, draft, &published, whose, Holder::Right, raw, None).await?;
    }
    let first = procedure.pages.first().map_or("verifier", |page| page.id.as_str());
    Ok(Redirect::to(&format!("{}/{draft}/{first}", filler::STAFF.drafts)).into_response())
}
