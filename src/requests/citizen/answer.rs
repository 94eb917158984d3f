//! Completing a request already sent: what the department asked for is edited as a draft that has the
//! request's own id, checked, then sent as one answer.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::{Json, args, sql};
use forms::{
    journey::Reading,
    model::Procedure,
    step::{Actor, Context, Effect},
    workflow::{Need, Transition},
};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::Filling;
use crate::{
    acting::Deed,
    catalogue, contacts,
    error::Problem,
    household::addresses,
    requests::{
        access::{self, Mine},
        drafts,
        effects::{self, Queued},
        filler::{Filler, Follows},
        fire::{self, By, Corrected, With},
        model::{Ask, Request},
        store,
    },
    visit::{Agent, Visit},
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
pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>, Query(toward): Query<Toward>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own_to(&filler, id, Deed::Answer).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    if answering(&procedure, &request.state).next().is_none() {
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
    let raw = Json(procedure.fill(&request.answers.0));
    let beneficiary = procedure.beneficiary(&raw.0);
    filler
        .db
        .write(async |tx: &mut db::Tx| {
            drafts::correct(tx, request, &raw, beneficiary.as_deref(), filler.now).await?;
            tx.run(
                sql!("update draft set session_id = $3 where authority_id = $1 and id = $2"),
                args![tx.authority(), request.id, session],
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

/// The transition that these answers fire, given at this moment.
fn answered<'f>(
    visit: &Visit,
    filling: &'f Filling,
    request: &'f Request,
    reading: &Reading<'_>,
    now: Timestamp,
) -> Option<&'f Transition> {
    let known = fire::known(&filling.procedure, &reading.answers, &request.given.0);
    answering(&filling.procedure, &request.state).find(|one| one.holds(Context { now, ..fire::context(visit, &known) }))
}

pub async fn send_corrections(filler: &Filler, filling: &Filling) -> Result<Response, Problem> {
    let Some(request) = &filling.correcting else { return Err(Problem::NotFound) };
    let reading = filling.read(filler);
    if !reading.ready() {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let Some(transition) = answered(filler, filling, request, &reading, filler.now) else {
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

/// The same, typed by an agent for the usager who brought it: how and when it came stands among what is said
/// elsewhere, on both pages, and the usager is told.
pub async fn send_for(agent: &Agent, filling: &Filling) -> Result<Response, Problem> {
    let (Some(request), Some(intake)) = (&filling.correcting, &filling.intake) else { return Err(Problem::NotFound) };
    let home = format!("/agent/demandes/{}", request.id);
    let reading = filling.read(agent);
    if !reading.ready() {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let received = intake.answered(agent, request);
    let Some(transition) = answered(agent, filling, request, &reading, received) else {
        return Err(Problem::Elsewhere(home));
    };
    let confidential = addresses::told(&agent.db, request.account_id, &reading.answers).await?;
    let marks = filling.marks(agent, &reading);
    let corrected = Corrected::of(&filling.procedure, &reading.answers, confidential, &marks);
    let with = With { corrected: Some(corrected), entered: Some(received), ..With::default() };
    let by = By { actor: Actor::Usager, account: Some(agent.account.id), acted: None };
    let fired = fire::decide(agent, &filling.procedure, request, &transition.id, by, &with)?;
    let contact = contacts::New {
        id: agent.id(),
        department: &request.department_id,
        request: Some(request.id),
        channel: intake.channel.contact(),
        incoming: true,
        at: received,
        by: Some(agent.account.id),
        who: request.filer_name.as_deref().unwrap_or_default(),
        address: "",
        subject: "",
        body: "Réponse à ce qui était demandé, saisie par le service.",
        quoted: "",
        shared: true,
        as_message: false,
    };
    // Named after the version that it changes: once each.
    let told = Queued { request: request.id, reachable: request.email.is_some(), letter: None, seq: request.version };
    let (effects, job) = ([Effect::Notify("completee".to_owned())], [agent.id()]);
    let write = async |tx: &mut db::Tx| {
        let stored = fired.store(tx).await?;
        if stored {
            contacts::add(tx, &contact, agent.now).await?;
            effects::queue(tx, told, &effects, &job, agent.now).await?;
        }
        Ok::<bool, db::Error>(stored)
    };
    if !agent.db.write(write).await? {
        return Err(Problem::Conflict(
            "Cette demande a changé pendant que vous la complétiez. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    agent.app.work.notify_one();
    Ok(Redirect::to(&format!("{home}?fait=saisie")).into_response())
}
