//! A manager hands over what an agent holds in their department.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::list;
use crate::{
    agents::{self, Membership, role_words},
    error::Problem,
    platform::form::Typed,
    requests::handover::{self, Held, Order},
    visit::Agent,
};

const TITLE: &str = "Confier les dossiers d’un agent";
const PAGE: &str = "agent/handover.html";
/// Chosen in the place of a colleague.
const NOBODY: &str = "personne";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
}

/// A department that the visitor manages, and the agent who holds requests there.
async fn find<'a>(agent: &'a Agent, holder: Uuid, service: &str) -> Result<(&'a Membership, Held), Problem> {
    let department = agents::managed(agent)?.into_iter().find(|one| one.department_id == service);
    let department = department.ok_or(Problem::NotFound)?;
    let held = handover::held(&agent.db, &[service]).await?;
    let held = held.into_iter().find(|one| one.account_id == holder).ok_or(Problem::NotFound)?;
    Ok((department, held))
}

pub async fn show(agent: Agent, Path(holder): Path<Uuid>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let (department, held) = find(&agent, holder, &asked.service).await?;
    let page = context(&agent, department, &held, "", None).await?;
    agent.page(PAGE, TITLE, page)
}

async fn context(
    agent: &Agent,
    department: &Membership,
    held: &Held,
    chosen: &str,
    wrong: Option<&str>,
) -> Result<Value, Problem> {
    let counts = handover::preview(&agent.db, &department.department_id, held.account_id, agent.now).await?;
    let versions =
        list::versions(agent, counts.iter().map(|one| (one.procedure_id.clone(), one.procedure_version))).await?;
    let procedures: Vec<Json> = counts
        .iter()
        .map(|one| {
            let procedure = versions.get(&(one.procedure_id.clone(), one.procedure_version));
            json!({"title": procedure.map_or(one.procedure_id.as_str(), |found| found.title.as_str()), "many": one.many, "late": one.late})
        })
        .collect();
    let receivers = handover::receivers(&agent.db, &department.department_id, held.account_id, agent.today()).await?;
    let receivers: Vec<Json> = receivers
        .iter()
        .map(|one| {
            let name = format!("{} {}", one.first_name, one.last_name);
            let role = role_words(&one.role);
            json!({"id": one.id, "name": name.trim(), "role": role, "chosen": chosen == one.id.to_string()})
        })
        .collect();
    let errors: Vec<Json> = wrong.map(|text| json!({"href": "#a", "text": text})).into_iter().collect();
    Ok(context! {
        name => held.name(), department => &department.department_name, service => &department.department_id,
        procedures => Serde(procedures), total => held.many, late => counts.iter().map(|one| one.late).sum::<i64>(),
        receivers => Serde(receivers), nobody => chosen == NOBODY, action => format!("/agent/agents/{}/dossiers", held.account_id),
        errors => Serde(errors),
    })
}

pub async fn send(agent: Agent, Path(holder): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (department, held) = find(&agent, holder, typed.text("service")).await?;
    let chosen = typed.text("a");
    let to = match chosen {
        NOBODY => Ok(None),
        "" => Err("Choisissez un collègue, ou « Personne »"),
        other => other.parse::<Uuid>().map(Some).map_err(|_| "Choisissez un collègue de la liste"),
    };
    let refused = match to {
        Ok(to) => {
            let order = Order { department: &department.department_id, from: holder, to, by: Some(agent.account.id) };
            if handover::hand_over(&agent, order).await?.is_some() {
                let done = if to.is_some() { "confies" } else { "liberes" };
                return Ok(Redirect::to(&format!("/agent/agents?fait={done}")).into_response());
            }
            "Ce collègue ne peut pas recevoir ces dossiers : choisissez-en un autre"
        }
        Err(text) => text,
    };
    let page = context(&agent, department, &held, chosen, Some(refused)).await?;
    agent.page_again(PAGE, TITLE, page)
}
