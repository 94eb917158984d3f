//! « Qui peut voir ce dossier »: every agent who may, and the usagers it belongs to.

use axum::{extract::Path, response::Response};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Opened, view};
use crate::{agents, approvals, consultations, error::Problem, requests::access::Process, visit::Agent};

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let request = &file.request;
    let watchers = agents::watchers(&agent, &request.department_id, &file.procedure.id, request.account_id).await?;
    let context = context! {
        request => Serde(view::banner(&agent, &file)), agents => Serde(watchers), owners => Serde(owners(&file)),
        consulted => Serde([consultations::watchers(&agent, id).await?, approvals::watchers(&agent, id).await?].concat()),
    };
    agent.page("agent/watchers.html", "Qui peut voir ce dossier", context)
}

fn owners(file: &Opened<Process>) -> Vec<Json> {
    let request = &file.request;
    let filer = request.filer_name.as_deref().unwrap_or("La personne qui a envoyé la demande");
    let mut owners = Vec::new();
    match &file.organisation {
        Some(card) => owners.push(json!({"who": card["name"], "why": "ses représentants, avec leur compte"})),
        None if file.procedure.is_internal() => {
            owners.push(json!({"who": filer, "why": "avec son compte d’agent"}));
        }
        None if request.account_id.is_some() => {
            owners.push(json!({"who": filer, "why": "avec son compte, ou qui agit en son nom par un mandat en cours"}));
        }
        None => owners.push(json!({"who": filer, "why": "avec le numéro du dossier et son code de suivi"})),
    }
    owners
}
