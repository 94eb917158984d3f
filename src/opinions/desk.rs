//! Comments to read before they are published, for the managers of a department.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{REASONS, SCORES, State},
    store::{self, Opinion},
};
use crate::{
    agents::Role,
    catalogue,
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    visit::Agent,
};

const TITLE: &str = "Avis des usagers";
/// Comments of a department on one page: the oldest come first, and others after them.
const SHOWN: i64 = 50;
const REFUSED: Problem = Problem::Forbidden("Les avis sont lus par les responsables du service.");

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

pub async fn list(agent: Agent, Query(done): Query<Done>) -> Result<Response, Problem> {
    let mut managed = agent.memberships.clone();
    managed.retain(|membership| membership.role >= Role::Manager);
    if managed.is_empty() {
        return Err(REFUSED);
    }
    let current = catalogue::current(&agent).await?;
    let title =
        |id: &str| current.procedures.get(id).map_or_else(|| id.to_owned(), |found| found.procedure.title.clone());
    let mut departments = Vec::new();
    for membership in &managed {
        let waiting = store::waiting(&agent.db, &membership.department_id, SHOWN).await?;
        let trace = Line::agent(&agent, Action::CommentsOpened).department(&membership.department_id);
        journal::read(&agent, &trace).await?;
        let opinions: Vec<Json> = waiting.iter().map(|one| shown(one, &title(&one.procedure_id))).collect();
        departments.push(json!({"name": membership.department_name, "opinions": opinions}));
    }
    let flash = match done.fait.as_str() {
        "publie" => Some("Le commentaire est publié."),
        "masque" => Some("Le commentaire n’est pas publié. La personne en lit la raison."),
        "deja" => Some("Un collègue avait déjà lu ce commentaire."),
        _ => None,
    };
    let flash =
        flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let reasons: Vec<Json> = REASONS.iter().map(|(id, text)| json!({"code": id, "label": text})).collect();
    let page = context! { departments => Serde(departments), reasons => Serde(reasons) };
    agent.page("agent/opinions.html", TITLE, context! { ..page, ..flash })
}

fn shown(one: &Opinion, title: &str) -> Json {
    let label = SCORES.iter().find(|(score, _)| *score == one.score).map_or("", |(_, label)| label);
    json!({"id": one.request_id, "procedure": title, "label": label, "comment": one.comment, "date": one.given_on.to_string(), "action": format!("/agent/avis/{}", one.request_id)})
}

pub async fn judge(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let opinion = store::of(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let role = agent.role(&opinion.department_id).ok_or(Problem::NotFound)?;
    if role < Role::Manager {
        return Err(REFUSED);
    }
    let reason = typed.text("raison");
    let (state, done) = if typed.text("publier") == "oui" {
        (State::Published, "publie")
    } else if REASONS.iter().any(|(known, _)| *known == reason) {
        (State::Hidden, "masque")
    } else {
        return Err(Problem::Bad("Choisissez la raison pour laquelle ce commentaire n’est pas publié."));
    };
    let reason = if state == State::Hidden { reason } else { "" };
    let judged =
        agent.db.write(async |tx: &mut Tx| store::judge(tx, id, state, reason, agent.account.id).await).await?;
    let done = if judged { done } else { "deja" };
    Ok(Redirect::to(&format!("/agent/avis?fait={done}")).into_response())
}
