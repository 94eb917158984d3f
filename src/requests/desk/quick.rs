//! Requests found while an agent types in the search box of every page: a piece of page with a few links, asked for
//! by the script of that box. The same search as the list's, with its rights and its line in the journal.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::{Html, IntoResponse, Response},
};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};

use super::{
    filters::{Asked, Filters},
    list,
    store::{self, Size},
    words,
};
use crate::{error::Problem, platform::encode, visit::Agent};

/// Links shown; one more is read, to know whether there are others.
const SHORT: Size = Size { lines: 6, limit: " limit 7" };
/// Fewer characters are not looked for: they would find everything.
const LEAST: usize = 3;

pub async fn show(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    // As many as forms; each agent for themself, wherever they are.
    let key = format!("recherche {}", agent.account.id);
    if agent.app.flood.as_ref().is_some_and(|flood| flood.check_key(&key).is_err()) {
        return Err(Problem::TooMany);
    }
    let filters = Filters::from(asked.map(|Query(asked)| asked).unwrap_or_default());
    if filters.search.chars().count() < LEAST {
        return Err(Problem::Bad("Trois lettres au moins sont attendues."));
    }
    list::searched(&agent, &filters).await?;
    let lines = store::lines(&agent, &filters, &SHORT).await?;
    let more = lines.len() > SHORT.lines;
    let versions = list::versions(
        &agent,
        lines.iter().take(SHORT.lines).map(|line| (line.procedure_id.clone(), line.procedure_version)),
    )
    .await?;
    let found: Vec<Json> = lines
        .iter()
        .take(SHORT.lines)
        .map(|line| {
            let procedure = versions.get(&(line.procedure_id.clone(), line.procedure_version));
            json!({
                "href": format!("/agent/demandes/{}", line.id), "reference": line.reference,
                "usager": line.filer_name.as_deref().unwrap_or("Sans nom"),
                "procedure": procedure.map_or(line.procedure_id.as_str(), |procedure| procedure.title.as_str()),
                "state": procedure.map_or_else(|| line.state.clone(), |procedure| words::state(procedure, &line.state)),
            })
        })
        .collect();
    let all = format!("/agent?q={}", encode(&filters.search));
    let context = context! { found => Serde(found), more => more, all => all };
    let html = agent.app.templates.render("agent/_quick.html", context).map_err(anyhow::Error::from)?;
    Ok(Html(html).into_response())
}
