//! « Poursuivre » with a linked request, and both requests of a link as their usager sees them.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{question::identified, start::open_procedure};
use crate::{
    acting::{Deed, trace},
    catalogue,
    error::Problem,
    requests::{
        access::{self, Mine},
        drafts::{self, Holder},
        filler::Filler,
        linked,
        owner::Whose,
    },
    visit::Visitor,
};

/// The links of a request; `offered`: its history says that it offered some.
pub async fn shown(filler: &Filler, request: &Mine, offered: bool) -> Result<Vec<Json>, Problem> {
    if !offered && !request.follows {
        return Ok(Vec::new());
    }
    let may = filler.usager().is_some_and(|visitor| visitor.require(Deed::Fill).is_ok());
    let mut list = Vec::new();
    for link in linked::of(&filler.db, request.id).await? {
        let other = link.other(filler, request.id).await?;
        let sent = other.reference.is_some();
        list.push(json!({
            "before": other.before, "title": other.title, "reference": other.reference, "status": other.status,
            "href": if sent { filler.request(other.id) } else { String::new() },
            "action": if sent || !may { String::new() } else { format!("/demandes/{}/suites/{}", request.id, link.id) },
        }));
    }
    Ok(list)
}

/// Begins its draft with the answers that are carried over, once; then leads to it, or to what it became.
pub async fn go_on(visitor: Visitor, Path((id, link)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    let request = access::mine(&visitor, id).await?;
    visitor.require(Deed::Fill)?;
    let links = linked::of(&visitor.db.fresh(), id).await?;
    let found = links.into_iter().find(|one| one.id == link && one.request_id == id).ok_or(Problem::NotFound)?;
    if found.next_reference.is_some() {
        return Ok(Redirect::to(&format!("/demandes/{link}")).into_response());
    }
    let published = open_procedure(&visitor, &found.procedure_id).await?;
    identified(&visitor, &published.procedure)?;
    visitor.may_begin(&found.procedure_id)?;
    let page = published.procedure.pages.first().ok_or(Problem::NotFound)?;
    if !drafts::exists(&visitor, link).await? {
        let procedure = catalogue::version(&visitor, &request.procedure_id, request.procedure_version).await?;
        let mut answers = request.answers.0.clone();
        // A confidential address is typed by its owner's own hand, or not at all.
        let address = |id: &str| procedure.fields().any(|field| field.id == id && field.kind.name() == "address");
        answers.retain(|id, _| !(request.confidential_address && address(id)));
        let start = procedure.workflow.start(&found.start);
        let carried = |start| procedure.carried(start, &answers, &request.given.0, &published.procedure);
        let raw = start.map(carried).unwrap_or_default();
        let whose = Whose::of(&visitor);
        let holder = match &visitor.session {
            Some(_) if whose.by.is_some() => Holder::Right,
            Some(session) => Holder::Session(session.id),
            None => return Err(visitor.sign_in()),
        };
        let begun = drafts::begin(&visitor, link, &published, whose, holder, raw, None).await?;
        if begun.made {
            trace::note(&visitor, trace::BEGUN, &begun.reference).await?;
        }
    }
    // It may have been begun from another session, which proved the same right to the request.
    if let Some(session) = visitor.session.as_ref().filter(|_| visitor.acting.is_none()) {
        drafts::attach(&visitor, link, session.id).await?;
    }
    Ok(Redirect::to(&format!("/brouillons/{link}/{}", page.id)).into_response())
}
