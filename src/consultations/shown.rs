//! Consultations as pages show them: to who is asked, and to who asked.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Consultation, verdict_words},
    store,
};
use crate::{
    requests::{
        limited::{self, Shown},
        model::File,
    },
    visit::Agent,
};

/// What was chosen for who is asked.
pub fn of(found: &Consultation) -> Shown<'_> {
    Shown { fields: &found.fields.0, pieces: &found.pieces.0, given: false }
}

/// The question, and the answer once there is one.
pub fn asked(found: &Consultation) -> Json {
    json!({
        "who": found.who(), "question": found.question, "until": found.until.to_string(), "asked": found.asked_at, "state": found.state,
        "verdict": found.verdict.as_deref().map(verdict_words), "answer": found.answer, "given": found.answered_at, "by": found.answered_by_name,
    })
}

/// Who else sees some of a request now, and why, for « Qui peut voir ce dossier ».
pub async fn watchers(agent: &Agent, request: Uuid) -> Result<Vec<Json>, db::Error> {
    let found = store::of(&agent.db, request).await?;
    let open = found.iter().filter(|one| one.open() && (!one.outside() || one.reachable(agent.today())));
    let why = |one: &Consultation| {
        let how = if one.outside() { "par un lien, dans un seul navigateur" } else { "ceux qui y instruisent" };
        format!("pour un avis, ce qui lui est montré ({how}), jusqu’à sa réponse")
    };
    Ok(open.map(|one| json!({"who": one.who(), "why": why(one)})).collect())
}

/// The opinions asked on a request, which has these `files`, for who processes it.
pub async fn on_request(agent: &Agent, request: Uuid, files: &[File]) -> Result<Vec<Json>, db::Error> {
    let mut list = Vec::new();
    for found in store::of(&agent.db, request).await? {
        let url = format!("/agent/demandes/{request}/avis/{}", found.id);
        let slot = found.slot();
        let attached: Vec<Json> = files
            .iter()
            .filter(|file| found.state == "given" && file.slot == slot)
            .map(|file| limited::json(file, "/agent/fichiers"))
            .collect();
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
    Ok(list)
}
