//! The attestation of an acceptance by silence, which its usager asks for with one button (CRPA L232-3): delivered by
//! an agent, as the letter of a transition, or made at once where the procedure says so.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::{args, sql};
use forms::model::{Attestation, Procedure};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    acting::Deed,
    catalogue,
    correspondence::alone,
    error::Problem,
    platform::{clock, french, jobs},
    requests::{
        access,
        filler::Filler,
        model::{Event, Request},
        store::{self, Entry, NewMessage},
    },
    visit::Visitor,
};

/// Code of the history.
pub const ASKED: &str = "attestation-asked";
const ASKS: &str = "Ma demande est acceptée par le silence de l’administration. Je vous demande l’attestation prévue par l’article L. 232-3 du code des relations entre le public et l’administration.";

/// Where the attestation of a request stands.
enum Standing<'p> {
    /// Silence accepted, and nobody asked for it.
    Due(&'p Attestation),
    Asked(&'p Event),
    /// Nothing was accepted so, it was given already, or something else was decided since.
    Nothing,
}

fn standing<'p>(procedure: &'p Procedure, request: &Request, events: &'p [Event]) -> Standing<'p> {
    let attestation = procedure.legal.as_ref().and_then(|legal| legal.attestation.as_ref());
    let accepted = events.iter().rposition(|event| procedure.implied(&event.code) == Some(true));
    let stands = matches!(request.status.as_str(), "accepted" | "ended");
    let Some((attestation, since)) = attestation.zip(accepted.and_then(|at| events.get(at..))).filter(|_| stands)
    else {
        return Standing::Nothing;
    };
    let letter =
        |event: &Event| procedure.workflow.transition(&event.code).and_then(|one| one.letter().map(str::to_owned));
    let asked = since.iter().find(|event| event.code == ASKED);
    let given = since.iter().any(|event| letter(event).is_some_and(|code| code == attestation.letter));
    match asked {
        _ if given => Standing::Nothing,
        // Made in a moment, and among the documents then.
        Some(_) if attestation.automatic => Standing::Nothing,
        Some(event) => Standing::Asked(event),
        None => Standing::Due(attestation),
    }
}

/// For the page of the request: where to ask, or since when it is awaited.
pub fn shown(filler: &Filler, procedure: &Procedure, request: &Request, events: &[Event]) -> Json {
    let may = filler.usager().is_some() && filler.require(Deed::Answer).is_ok();
    match standing(procedure, request, events) {
        Standing::Due(_) if may => json!({"ask": format!("/demandes/{}/attestation", request.id), "asked": ""}),
        Standing::Asked(event) => {
            json!({"ask": "", "asked": french::date(clock::day(event.at, &filler.site.zone))})
        }
        _ => Json::Null,
    }
}

/// Asks for it, once.
pub async fn ask(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler = Filler::from(visitor);
    let request = access::own_to(&filler, id, Deed::Answer).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    let events = store::events(&filler.db.fresh(), id).await?;
    let page = filler.request(id);
    let Standing::Due(attestation) = standing(&procedure, &request, &events) else {
        return Err(Problem::Elsewhere(page));
    };
    let (by, now) = (filler.by(request.account_id), filler.now);
    let (message, job) = (filler.id(), filler.id());
    filler
        .db
        .write(async |tx: &mut db::Tx| {
            let known: Option<i64> = tx
                .first(
                    sql!("select 1 from request_event where authority_id = $1 and request_id = $2 and code = $3"),
                    args![tx.authority(), id, ASKED],
                )
                .await?;
            if known.is_some() {
                return Ok(());
            }
            let subject = (!attestation.automatic).then_some(message);
            if subject.is_some() {
                // Agents see it as they see any message: unread, until one reads it.
                let new =
                    NewMessage { id: message, author: "usager", author_id: by.account, internal: false, body: ASKS };
                store::write(tx, id, &new, now).await?;
            }
            let entry = Entry {
                actor: "usager",
                actor_id: by.account,
                code: ASKED,
                from: None,
                to: None,
                subject,
                acted: by.acted,
            };
            let seq = store::record(tx, id, &entry, now).await?;
            if attestation.automatic {
                jobs::enqueue(tx, job, now, alone::making(id, seq, Some(&attestation.letter))).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    filler.app.work.notify_one();
    Ok(Redirect::to(&format!("{page}?fait=attestation")).into_response())
}
