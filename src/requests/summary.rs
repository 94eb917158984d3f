//! What other pages show of requests.

use db::{Query, args};
use forms::model::Procedure;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{citizen, drafts, owner};
use crate::{
    catalogue,
    error::Problem,
    platform::{clock, french},
    visit::Visitor,
};

pub fn legal_words(procedure: &Procedure) -> Json {
    citizen::legal(procedure.legal.as_ref())
}

pub fn notice_words(procedure: &Procedure) -> Json {
    citizen::notice(procedure)
}

/// « À faire »: what waits for the visitor, most pressing first.
pub async fn todo(visitor: &Visitor) -> Result<Vec<Json>, Problem> {
    let mut found = Vec::new();
    if visitor.account().is_none() {
        return Ok(found);
    }
    let query = Query::new(
        "select r.id, r.reference, r.procedure_id, r.procedure_version, r.beneficiary from request r where r.authority_id = {} and r.status = 'action-needed'",
    );
    let query = owner::scope(query.bind(visitor.db.authority()), visitor).push(" order by r.submitted_at desc limit 5");
    let waiting: Vec<(Uuid, String, String, i64, Option<String>)> = visitor.db.all(query, args![]).await?;
    for (id, reference, procedure, version, beneficiary) in waiting {
        let procedure = catalogue::version(visitor, &procedure, version).await?;
        found.push(json!({"href": format!("/demandes/{id}"), "icon": "bell", "text": format!("Compléter votre demande : {}{}", procedure.title, whose(beneficiary.as_deref())), "detail": reference}));
    }
    for draft in drafts::waiting(visitor, None).await?.into_iter().take(3) {
        let procedure = catalogue::version(visitor, &draft.procedure_id, draft.procedure_version).await?;
        let day = french::date(clock::day(draft.updated_at, &visitor.site.zone));
        found.push(json!({"href": format!("/brouillons/{}/verifier", draft.id), "icon": "pencil", "text": format!("Reprendre : {}{}", procedure.title, whose(draft.beneficiary.as_deref())), "detail": format!("Brouillon du {day}")}));
    }
    Ok(found)
}

/// « , pour Léa Martin », after a title.
fn whose(beneficiary: Option<&str>) -> String {
    beneficiary.map(|name| format!(", pour {name}")).unwrap_or_default()
}

/// Drafts of the visitor on one procedure, for its page.
pub async fn drafts_on(visitor: &Visitor, procedure: &str) -> Result<Vec<Json>, Problem> {
    let drafts = drafts::waiting(visitor, Some(procedure)).await?;
    let one = |draft: &drafts::Draft| json!({"href": format!("/brouillons/{}/verifier", draft.id), "date": clock::day(draft.updated_at, &visitor.site.zone).to_string(), "beneficiary": draft.beneficiary});
    Ok(drafts.iter().map(one).collect())
}

/// Running requests of the visitor on one procedure.
pub async fn running_on(visitor: &Visitor, procedure: &str) -> Result<Vec<Json>, Problem> {
    if visitor.account().is_none() {
        return Ok(Vec::new());
    }
    let query = Query::new(
        "select r.id, r.reference, r.status, r.state, r.procedure_version, r.beneficiary from request r where r.authority_id = {} and r.procedure_id = {} and not r.ended",
    );
    let query = owner::scope(query.bind(visitor.db.authority()).bind(procedure), visitor)
        .push(" order by r.submitted_at desc limit 5");
    let rows: Vec<(Uuid, String, String, String, i64, Option<String>)> = visitor.db.all(query, args![]).await?;
    let mut found = Vec::new();
    for (id, reference, status, state, version, beneficiary) in rows {
        let definition = catalogue::version(visitor, procedure, version).await?;
        let text = definition.workflow.state(&state).map_or("", |state| state.usager.as_str());
        found.push(json!({"href": format!("/demandes/{id}"), "reference": reference, "status": status, "text": text, "beneficiary": beneficiary}));
    }
    Ok(found)
}
