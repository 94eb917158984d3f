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
        filler::{Filler, Follows},
        fire::{self, Corrected, With},
        model::Ask,
        store,
    },
    visit::Visit,
};

#[derive(Debug, Deserialize)]
pub struct Toward {
    vers: Option<String>,
}

/// The usager's transition that answers the department.
pub fn answering<'a>(procedure: &'a Procedure, state: &'a str) -> Option<&'a Transition> {
    let waits = procedure.workflow.state(state).is_some_and(|state| state.open_to_usager);
    let mut offered = procedure.workflow.offered(state, Actor::Usager);
    offered.find(|transition| {
        waits
            && procedure.workflow.state(&transition.to).is_some_and(|to| !to.end)
            && !transition.needs.contains(&Need::Message)
    })
}

/// Opens the draft of corrections (made at the first visit) at one of its pages.
pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>, Query(toward): Query<Toward>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own_to(&filler, id, Deed::Answer).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    if answering(&procedure, &request.state).is_none() {
        return Err(Problem::Elsewhere(filler.request(id)));
    }
    prepare(&filler, &request, &procedure).await?;
    // Only a page or a piece of this draft: letters, digits, hyphens, one slash.
    let rest = toward
        .vers
        .filter(|vers| vers.chars().all(|letter| letter.is_alphanumeric() || "-_/".contains(letter)))
        .unwrap_or_else(|| "verifier".to_owned());
    Ok(Redirect::to(&format!("{}/{id}/{rest}", filler.place().drafts)).into_response())
}

async fn prepare(filler: &Filler, request: &Mine, procedure: &Procedure) -> Result<(), Problem> {
    // Who acts in somebody's name reaches the draft by that right alone.
    let usager = filler.usager().filter(|visitor| visitor.acting.is_none());
    let session = usager.and_then(|visitor| visitor.session.as_ref()).map(|session| session.id);
    let expires = filler.now.checked_add(drafts::LASTS).unwrap_or(filler.now);
    let raw = Json(procedure.fill(&request.answers.0));
    let beneficiary = procedure.beneficiary(&raw.0);
    filler
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!(
                    "insert into draft (authority_id, id, procedure_id, procedure_version, reference, account_id, session_id, beneficiary, raw, created_at, updated_at, expires_at, organisation_id)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)
                     on conflict (authority_id, id) do update set session_id = excluded.session_id"
                ),
                args![
                    tx.authority(), request.id, &request.procedure_id, request.procedure_version, &request.reference, request.account_id, session, &beneficiary, &raw, filler.now, expires, request.organisation_id
                ],
            )
            .await?;
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(())
}

/// The page (after `/brouillons/ID/`) where something asked for is given.
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
pub async fn send<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    send_corrections(&filler, &filling).await
}

pub async fn send_corrections(filler: &Filler, filling: &Filling) -> Result<Response, Problem> {
    let Some(request) = &filling.correcting else { return Err(Problem::NotFound) };
    let reading = filling.read(filler);
    if !reading.ready() {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let Some(transition) = answering(&filling.procedure, &request.state) else {
        return Err(Problem::Elsewhere(filling.request_url()));
    };
    let confidential = addresses::told(&filler.db, request.account_id, &reading.answers).await?;
    let marks = filling.marks(filler, &reading);
    let corrected = Corrected::of(&filling.procedure, &reading.answers, confidential, &marks);
    let with = With { corrected: Some(corrected), ..With::default() };
    let by = filler.by(request.account_id);
    fire::fire(filler, &filling.procedure, request, &transition.id, by, &with).await?;
    Ok(Redirect::to(&format!("{}?fait=repondu", filling.request_url())).into_response())
}
