//! « Demandes en cours de saisie »: drafts of the agent's departments.

use axum::{extract::Query, response::Response};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{begin::offered, store};
use crate::{catalogue, error::Problem, requests::channel, visit::Agent};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn show(agent: Agent, Query(told): Query<Told>) -> Result<Response, Problem> {
    let offered = offered(&agent).await?;
    let mut drafts: Vec<Json> = Vec::new();
    for one in store::waiting(&agent).await? {
        let procedure = catalogue::version(&agent, &one.procedure_id, one.procedure_version).await?;
        drafts.push(json!({
            "href": format!("/agent/depots/{}/verifier", one.id), "reference": one.reference, "procedure": procedure.title,
            "usager": one.usager, "beneficiary": one.beneficiary, "channel": channel::words(&one.channel),
            "received": one.received_on.to_string(), "agent": one.agent, "updated": one.updated_at.to_string(),
        }));
    }
    let flash = match told.fait.as_str() {
        "garde" => Some("Cette demande est gardée : reprenez-la quand vous voulez, vous ou un collègue du service."),
        "efface" => Some("Le brouillon est effacé."),
        _ => None,
    };
    let flash =
        flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let papers: Vec<Json> = offered
        .iter()
        .map(|one| json!({"href": format!("/agent/depots/papier/{}", one.procedure.id), "text": one.procedure.title}))
        .collect();
    let page = context! { drafts => Serde(drafts), papers => Serde(papers), ..flash };
    agent.page("agent/intakes.html", "Demandes au guichet", page)
}
