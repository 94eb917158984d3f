//! What an usager was asked for, and brings or sends otherwise than on the site: how and when it came, before an
//! agent types it on the same pages.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::{Json as Stored, args, sql};
use forms::{answers::Raw, model::Procedure};
use jiff::Timestamp;
use minijinja::{Value, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Intake, Wrong},
    store,
};
use crate::{
    error::Problem,
    journal::Action,
    platform::{clock, form::Typed},
    requests::{
        access::Process,
        channel::Channel,
        citizen::{answer::answering, follow::ask_label},
        desk::Opened,
        drafts, store as requests,
    },
    visit::Agent,
};

const PAGE: &str = "agent/complete.html";
const TITLE: &str = "Saisir la réponse de l’usager";

/// A request of which something is asked.
async fn open(agent: &Agent, id: Uuid) -> Result<Opened<Process>, Problem> {
    let file = Opened::<Process>::open_to(agent, id, Action::RequestOpened).await?;
    let waits = answering(&file.procedure, &file.request.state).next().is_some();
    if waits { Ok(file) } else { Err(Problem::Elsewhere(file.url())) }
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let mut typed = Raw::default();
    typed.set("canal", Channel::Counter.id());
    typed.set("recu", agent.today().strftime("%d/%m/%Y").to_string());
    agent.page(PAGE, TITLE, context(&agent, &file, &typed, &[]).await?)
}

async fn context(agent: &Agent, file: &Opened<Process>, typed: &Raw, wrong: &[Wrong]) -> Result<Value, Problem> {
    let procedure: &Procedure = &file.procedure;
    let asks = requests::asks(&agent.db, file.request.id).await?;
    let open = asks.iter().filter(|ask| ask.answered_at.is_none());
    let asks: Vec<String> = open.map(|ask| ask_label(procedure, &ask.kind, &ask.target)).collect();
    let channels: Vec<Json> = Channel::FILED
        .iter()
        .map(|one| json!({"value": one.id(), "text": one.words(), "chosen": one.id() == typed.text("canal")}))
        .collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Ok(Value::from(Serde(json!({
        "reference": file.request.reference, "back": file.url(), "action": format!("{}/completer", file.url()), "asks": asks,
        "begun": begun(agent, file.request.id).await?, "channels": channels, "received": typed.text("recu"), "errors": errors,
    }))))
}

/// Since when the usager has been typing an answer of their own.
async fn begun(agent: &Agent, id: Uuid) -> Result<Option<Timestamp>, db::Error> {
    agent
        .db
        .first(
            sql!(
                "select d.updated_at from draft d where d.authority_id = $1 and d.id = $2
                   and not exists (select 1 from intake i where i.authority_id = d.authority_id and i.draft_id = d.id)"
            ),
            args![agent.db.authority(), id],
        )
        .await
}

pub async fn begin(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let request = &file.request;
    let mut wrong = Vec::new();
    let told = model::read(&typed, agent.today(), &mut wrong);
    let asked = clock::day(request.suspended_at.unwrap_or(request.submitted_at), &agent.site.zone);
    model::not_before(asked, told, &mut wrong);
    let Some(told) = told.filter(|_| wrong.is_empty()) else {
        return agent.page_again(PAGE, TITLE, context(&agent, &file, &typed, &wrong).await?);
    };
    let intake = Intake {
        department: request.department_id.clone(),
        agent: agent.account.id,
        account: None,
        channel: told.channel,
        received_on: told.received_on,
        paper: None,
        contact: None,
    };
    let raw = Stored(file.procedure.fill(&request.answers.0));
    let beneficiary = file.procedure.beneficiary(&raw.0);
    let write = async |tx: &mut db::Tx| {
        drafts::correct(tx, request, &raw, beneficiary.as_deref(), agent.now).await?;
        store::complete(tx, id, &intake).await
    };
    agent.db.write(write).await?;
    Ok(Redirect::to(&format!("/agent/depots/{id}/verifier")).into_response())
}
