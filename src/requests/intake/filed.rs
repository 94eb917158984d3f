//! Filed: the reference to give, the receipt to print.

use axum::{extract::Path, response::Response};
use minijinja::{context, value::Serde};
use serde_json::json;
use uuid::Uuid;

use crate::{
    error::Problem,
    journal::Action,
    platform::attachment,
    requests::{access::Process, channel, code, desk::Opened, jobs, store},
    visit::Agent,
};

/// The tracking code, for the agent who filed it for somebody without account, as long as no other was given: they
/// gave it themself. Anybody else gives a new one, which says why.
async fn code(agent: &Agent, file: &Opened<Process>) -> Result<String, Problem> {
    let id = file.request.id;
    let filed = store::events(&agent.db, id).await?.into_iter().find(|event| event.is_filing(&file.procedure));
    let own = filed.is_some_and(|event| event.actor_id == Some(agent.account.id));
    if own && file.request.is_anonymous() && code::generation(&agent.db, id).await? == 0 {
        Ok(code::shown(agent, id).await?)
    } else {
        Ok(String::new())
    }
}

pub async fn confirmation(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let request = &file.request;
    if request.channel == channel::Channel::Web.id() {
        return Err(Problem::Elsewhere(file.url()));
    }
    let context = context! {
        reference => &request.reference,
        procedure => &file.procedure.title,
        usager => &request.filer_name,
        channel => channel::words(&request.channel),
        received => crate::platform::clock::day(request.submitted_at, &agent.site.zone).to_string(),
        code => code(&agent, &file).await?,
        email => request.email.clone().unwrap_or_default(),
        account => request.account_id.is_some(),
        receipt => format!("{}/accuse.pdf", file.url()),
        request => file.url(),
        after => Serde(json!(file.procedure.after)),
        again => format!("/agent/depots/nouveau?demarche={}", request.procedure_id),
    };
    agent.page("agent/intake_done.html", &format!("Demande déposée {}", request.reference), context)
}

/// The receipt as it is given by hand.
pub async fn receipt(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = Opened::<Process>::open_to(&agent, id, Action::RequestPrinted).await?;
    let code = Some(code(&agent, &file).await?).filter(|code| !code.is_empty());
    let bytes = jobs::render_receipt(&agent, &file.request, code.as_deref()).await?;
    Ok(attachment::pdf(bytes, &format!("accuse-enregistrement-{}.pdf", file.request.reference)))
}
