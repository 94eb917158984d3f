//! Who else is at work on a request, as a piece of page: the script of its pages asks for it again while they are in
//! sight. Nothing of the request is shown, so that asking leaves no line in the journal and is no presence itself.

use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use minijinja::context;
use uuid::Uuid;

use crate::{
    error::Problem,
    journal,
    requests::access::{self, Process},
    visit::Agent,
};

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    // As many as forms; each agent for themself, wherever they are.
    let key = format!("presence {}", agent.account.id);
    if agent.app.flood.as_ref().is_some_and(|flood| flood.check_key(&key).is_err()) {
        return Err(Problem::TooMany);
    }
    if !access::reaches::<Process>(&agent, id).await? {
        return Err(Problem::NotFound);
    }
    let busy = journal::busy(&agent, &[id]).await?.remove(&id);
    let html = agent.app.templates.render("agent/_presence.html", context! { busy => busy });
    Ok(Html(html.map_err(anyhow::Error::from)?).into_response())
}
