//! Consultations as pages show them: to who is asked, and to who asked.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Consultation, verdict_words},
    store,
};
use crate::{
    error::Problem,
    journal::Line,
    requests::limited::{self, Shown},
    visit::{Agent, Visit},
};

/// What was chosen for who is asked.
pub fn of(found: &Consultation) -> Shown<'_> {
    Shown { fields: &found.fields.0, pieces: &found.pieces.0 }
}

/// The question, and the answer once there is one.
pub fn asked(found: &Consultation) -> Json {
    json!({
        "who": found.who(), "question": found.question, "until": found.until.to_string(), "asked": found.asked_at, "state": found.state,
        "verdict": found.verdict.as_deref().map(verdict_words), "answer": found.answer, "given": found.answered_at, "by": found.answered_by_name,
    })
}

/// What they see of the request, with files under `base`; its line in the journal comes first.
pub async fn limited(visit: &Visit, found: &Consultation, trace: Line<'_>, base: &str) -> Result<Json, Problem> {
    let seen = limited::open(visit, found.request_id, of(found), trace).await?;
    let rows = |section: &forms::journey::Section| -> Vec<Json> {
        section.rows.iter().map(|line| json!({"key": line.label, "values": line.lines})).collect()
    };
    let sections: Vec<Json> = seen.sections.iter().map(|one| json!({"title": one.title, "rows": rows(one)})).collect();
    let mut files: Vec<Json> = Vec::new();
    for (title, file) in &seen.files {
        let mut one = limited::json(file, base);
        one["name"] = format!("{title}\u{a0}: {}", file.name).into();
        files.push(one);
    }
    Ok(json!({"reference": seen.reference, "procedure": seen.procedure, "sections": sections, "files": files}))
}

/// The opinions asked on a request, for who processes it; and whether another may be asked.
pub async fn on_request(agent: &Agent, request: Uuid, ended: bool) -> Result<Json, Problem> {
    let mut list = Vec::new();
    let files = limited::all(agent, request).await?;
    for found in store::of(&agent.db, request).await? {
        let url = format!("/agent/demandes/{request}/avis/{}", found.id);
        let slot = found.slot();
        let attached: Vec<Json> =
            files.iter().filter(|file| file.slot == slot).map(|file| limited::json(file, "/agent/fichiers")).collect();
        let mut one = asked(&found);
        let own = json!({
            "outside": found.outside(), "email": found.expert_email, "asked_by": found.asked_by_name, "files": attached,
            "late": found.open() && agent.today() > found.until, "opened": found.browser_hash.is_some(),
            "withdraw": if found.open() { format!("{url}/retirer") } else { String::new() },
            "link": if found.reachable(agent.today()) { format!("{url}/lien") } else { String::new() },
        });
        if let (Some(one), Json::Object(own)) = (one.as_object_mut(), own) {
            one.extend(own);
        }
        list.push(one);
    }
    let ask = if ended { String::new() } else { format!("/agent/demandes/{request}/avis/demander") };
    Ok(json!({"list": list, "ask": ask}))
}
