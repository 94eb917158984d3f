//! Circuits of approvals as pages of a request show them, and whether what they approved still is what is there.

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Prepared, Visa, fingerprint, lacking, role},
    store,
};
use crate::{
    agents,
    error::Problem,
    requests::model::Request,
    visit::{Agent, Visit},
};

/// The steps of a circuit, for a page.
pub fn steps(visit: &Visit, circuit: &[Visa]) -> Vec<Json> {
    let late = |one: &Visa| one.open() && one.until.is_some_and(|until| visit.today() > until);
    circuit
        .iter()
        .map(|one| {
            json!({
                "title": one.title, "department": one.department(), "state": one.state, "until": one.until.map(|day| day.to_string()),
                "late": late(one), "at": one.decided_at, "by": one.decided_by_name, "reason": one.reason,
            })
        })
        .collect()
}

/// The circuits of a request, the latest first, for who processes it.
pub async fn on_request(agent: &Agent, request: Uuid) -> Result<Vec<Json>, db::Error> {
    let all = store::of(&agent.db, request).await?;
    let circuits = all.chunk_by(|one, next| one.approval_id == next.approval_id);
    Ok(circuits
        .filter_map(|circuit| {
            let first = circuit.first()?;
            Some(json!({
                "title": first.circuit_title, "state": first.circuit_state, "asked": first.asked_at, "asked_by": first.asked_by_name,
                "settled": first.settled_at, "steps": steps(agent, circuit),
            }))
        })
        .collect())
}

/// Who else sees a request now, and why, for « Qui peut voir ce dossier ».
pub async fn watchers(agent: &Agent, request: Uuid) -> Result<Vec<Json>, db::Error> {
    let all = store::of(&agent.db, request).await?;
    let open = all.iter().filter(|one| one.open());
    let why = |one: &Visa| {
        let able = if one.role == agents::Role::Decider.name() { "décident" } else { "instruisent" };
        format!(
            "pour un visa ({}), la lettre et ce qui n’est pas sensible\u{a0}: ceux qui y {able}, jusqu’à leur réponse",
            one.circuit_title
        )
    };
    Ok(open.map(|one| json!({"who": one.department(), "why": why(one)})).collect())
}

/// Why a circuit cannot be opened by this agent today: a step that nobody is left to approve. Empty when it can.
pub async fn able(agent: &Agent, request: &Request, approval: &forms::workflow::Approval) -> Result<String, db::Error> {
    let mut members = agents::members(&agent.db, agent.today()).await?;
    // Whoever asked for what the request is about approves nothing of it.
    members.retain(|(one, ..)| Some(*one) != request.account_id && (approval.asker_too || *one != agent.account.id));
    let department = |id: &Option<String>| id.clone().unwrap_or_else(|| request.department_id.clone());
    let places: Vec<String> = approval.steps.iter().map(|step| department(&step.department)).collect();
    let steps: Vec<_> = places.iter().map(String::as_str).zip(approval.steps.iter().map(role)).collect();
    let lacks = lacking(&steps, &members).and_then(|index| approval.steps.get(index));
    Ok(lacks.map_or_else(String::new, |step| {
        let other = if approval.asker_too { "" } else { " autre que vous" };
        format!(
            "Personne{other} ne peut viser aujourd’hui à l’étape « {} ». Demandez à un responsable de ce service de donner ce droit, ou de vous faire remplacer.",
            step.title
        )
    }))
}

/// What a circuit approved on a request, and when it was asked.
#[derive(Debug)]
pub struct Granted {
    pub asked_at: Timestamp,
    pub letter: Option<Prepared>,
}

/// What the latest circuit of this name approved.
///
/// # Errors
/// `Conflict` when it approved nothing, or other answers than those that are there.
pub async fn granted(visit: &Visit, request: &Request, circuit: &str) -> Result<Granted, Problem> {
    const MISSING: Problem =
        Problem::Conflict("Cette action attend un visa\u{a0}: l’onglet « Parapheur » du dossier dit où il en est.");
    let shown = store::latest(&visit.db, request.id, circuit).await?.filter(|shown| shown.state == "approved");
    let shown = shown.ok_or(MISSING)?;
    if shown.fingerprint != fingerprint(&request.answers.0, &request.given.0) {
        return Err(MISSING);
    }
    Ok(Granted { asked_at: shown.asked_at, letter: shown.letter.0 })
}
