//! Completing a request already sent: what the department asked for is edited as a draft that has the
//! request's own id, checked, then sent as one answer.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::{Json, args, sql};
use forms::{
    model::Procedure,
    step::Actor,
    workflow::{Need, Transition},
};
use serde::Deserialize;
use uuid::Uuid;

use super::Filling;
use crate::{
    acting::Deed,
    catalogue,
    error::Problem,
    household::addresses,
    requests::{
        access::{self, Mine},
        drafts,
        fire::{self, Corrected, With},
        model::Ask,
        owner, store,
    },
    visit::{Visit, Visitor},
};

#[derive(Debug, Deserialize)]
pub struct Toward {
    vers: Option<String>,
}

/// The usager's transitions that answer the department: the first whose condition what they send fulfils is fired.
pub fn answering<'a>(procedure: &'a Procedure, state: &'a str) -> impl Iterator<Item = &'a Transition> {
    let waits = procedure.workflow.state(state).is_some_and(|state| state.open_to_usager);
    let offered = procedure.workflow.offered(state, Actor::Usager);
    offered.filter(move |transition| {
        waits
            && procedure.workflow.state(&transition.to).is_some_and(|to| !to.end)
            && !transition.needs.contains(&Need::Message)
    })
}

/// Opens the draft of corrections (made at the first visit) at one of its pages.
pub async fn show(visitor: Visitor, Path(id): Path<Uuid>, Query(toward): Query<Toward>) -> Result<Response, Problem> {
    let request = access::mine_to(&visitor, id, Deed::Answer).await?;
    let procedure = catalogue::version(&visitor, &request.procedure_id, request.procedure_version).await?;
    if answering(&procedure, &request.state).next().is_none() {
        return Err(Problem::Elsewhere(format!("/demandes/{id}")));
    }
    prepare(&visitor, &request, &procedure).await?;
    // Only a page or a piece of this draft: letters, digits, hyphens, one slash.
    let rest = toward
        .vers
        .filter(|vers| vers.chars().all(|letter| letter.is_alphanumeric() || "-_/".contains(letter)))
        .unwrap_or_else(|| "verifier".to_owned());
    Ok(Redirect::to(&format!("/brouillons/{id}/{rest}")).into_response())
}

async fn prepare(visitor: &Visitor, request: &Mine, procedure: &Procedure) -> Result<(), Problem> {
    // Who acts in somebody's name reaches the draft by that right alone.
    let session = visitor.session.as_ref().filter(|_| visitor.acting.is_none()).map(|session| session.id);
    let expires = visitor.now.checked_add(drafts::LASTS).unwrap_or(visitor.now);
    let raw = Json(procedure.fill(&request.answers.0));
    let beneficiary = procedure.beneficiary(&raw.0);
    visitor
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!(
                    "insert into draft (authority_id, id, procedure_id, procedure_version, reference, account_id, session_id, beneficiary, raw, created_at, updated_at, expires_at, organisation_id)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)
                     on conflict (authority_id, id) do update set session_id = excluded.session_id"
                ),
                args![
                    tx.authority(), request.id, &request.procedure_id, request.procedure_version, &request.reference, request.account_id, session, &beneficiary, &raw, visitor.now, expires, request.organisation_id
                ],
            )
            .await?;
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(())
}

/// The page (`/brouillons/ID/…`) where something asked for is given.
pub fn page_of(procedure: &Procedure, ask: &Ask) -> String {
    if ask.kind == "piece" {
        return format!("pieces/{}", ask.target);
    }
    let page = procedure.pages.iter().find(|page| page.fields.iter().any(|field| field.id == ask.target));
    page.map_or_else(|| "verifier".to_owned(), |page| page.id.clone())
}

/// The agent's words, on the pages where they are answered.
pub async fn asked_text(visit: &Visit, filling: &Filling) -> Result<String, Problem> {
    if filling.correcting.is_none() {
        return Ok(String::new());
    }
    let messages = store::messages(&visit.db, filling.draft.id).await?;
    Ok(messages
        .into_iter()
        .rfind(|message| message.author == "agent" && !message.internal)
        .map(|message| message.body)
        .unwrap_or_default())
}

/// Sends what was corrected and added: the delay runs again.
pub async fn send(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filling = Filling::open(&visitor.clone().into(), id).await?;
    send_corrections(&visitor, &filling).await
}

pub async fn send_corrections(visitor: &Visitor, filling: &Filling) -> Result<Response, Problem> {
    let Some(request) = &filling.correcting else { return Err(Problem::NotFound) };
    let reading = filling.read(visitor);
    if !reading.ready() {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let known = fire::known(&filling.procedure, &reading.answers, &request.given.0);
    let mut answering = answering(&filling.procedure, &request.state);
    let Some(transition) = answering.find(|one| one.holds(fire::context(visitor, &known))) else {
        return Err(Problem::Elsewhere(format!("/demandes/{}", request.id)));
    };
    let confidential = addresses::told(&visitor.db, request.account_id, &reading.answers).await?;
    let marks = filling.marks(visitor, &reading);
    let corrected = Corrected::of(&filling.procedure, &reading.answers, confidential, &marks);
    let with = With { corrected: Some(corrected), ..With::default() };
    let by = owner::by(visitor, request.account_id);
    fire::fire(visitor, &filling.procedure, request, &transition.id, by, &with).await?;
    Ok(Redirect::to(&format!("/demandes/{}?fait=repondu", request.id)).into_response())
}
