//! Messages that could not be delivered, and trying again.

use axum::{
    extract::{Path, Query, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use forms::model::Procedure;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    list,
    store::{self, Failure},
};
use crate::{
    consultations, correspondence,
    error::Problem,
    hooks,
    requests::{form, jobs},
    visit::Agent,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fait: String,
}

pub async fn show(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let counts = store::counts(&agent).await?;
    let failures = store::failures(&agent, None).await?;
    let versions = list::versions(
        &agent,
        failures.iter().map(|failure| (failure.procedure_id.clone(), failure.procedure_version)),
    )
    .await?;
    let found = |failure: &Failure| {
        versions
            .get(&(failure.procedure_id.clone(), failure.procedure_version))
            .map(|procedure| one(procedure, failure, "/agent/envois"))
    };
    let mut context = json!({
        "menu": list::menu(&counts, None, true),
        "messages": failures.iter().filter_map(found).collect::<Vec<_>>(),
        "next": "",
    });
    if asked.fait == "relance"
        && let Some(object) = context.as_object_mut()
    {
        object.insert("flash".into(), json!({"kind": "success", "text": "L’envoi va être tenté de nouveau."}));
    }
    agent.page("agent/notifications.html", "Envois en échec", Value::from(Serde(context)))
}

/// One failure for the templates; `back`: where to return after trying again.
pub fn one(procedure: &Procedure, failure: &Failure, back: &str) -> Json {
    if failure.kind == hooks::WEBHOOK {
        return call(procedure, failure, back);
    }
    let own = failure.kind == consultations::MAIL;
    let mail = failure.kind == jobs::NOTIFY || own;
    json!({
        "reference": failure.reference,
        "href": format!("/agent/demandes/{}", failure.request_id),
        "to": if own { "Avis demandé, ou agent qui le demande" } else if mail { failure.email.as_deref().unwrap_or("Pas de courriel") } else { "" },
        "kind": if mail { "Courriel" } else { "Document" },
        "subject": match failure.kind.as_str() {
            jobs::NOTIFY | consultations::MAIL => procedure.title.as_str(),
            correspondence::jobs::MAKE | correspondence::alone::MAKE => "Lettre",
            _ => "Accusé d’enregistrement",
        },
        "problem": if own { "Un courriel sur un avis n’a pas pu partir. Relancez-le, ou prévenez autrement." } else { problem(mail, failure.last_error.as_deref().unwrap_or_default()) },
        "detail": failure.last_error,
        "date": failure.failed_at,
        "tries": failure.attempts,
        "retry": format!("/agent/envois/{}/relancer", failure.id),
        "back": back,
    })
}

/// A call to an application.
fn call(procedure: &Procedure, failure: &Failure, back: &str) -> Json {
    let id = failure.payload.0.get("webhook").and_then(Json::as_str).unwrap_or_default();
    json!({
        "reference": failure.reference,
        "href": format!("/agent/demandes/{}", failure.request_id),
        "to": procedure.workflow.webhook(id).map_or(id, |webhook| webhook.label.as_str()),
        "kind": "Appel",
        "subject": "Transmission de la demande",
        "problem": "L’application n’a pas reçu la demande. Relancez, ou prévenez la personne qui s’occupe de cette application.",
        "detail": failure.last_error,
        "date": failure.failed_at,
        "tries": failure.attempts,
        "retry": format!("/agent/envois/{}/relancer", failure.id),
        "back": back,
    })
}

/// The reason in words; the server's own answer is shown beside.
fn problem(mail: bool, error: &str) -> &'static str {
    let refused =
        ["550", "551", "553", "5.1.", "Mailbox", "mailbox", "no such user"].iter().any(|sign| error.contains(sign));
    match (mail, refused) {
        (true, true) => "L’adresse n’existe pas ou refuse nos messages. Prévenez l’usager autrement.",
        (true, false) => "Le courriel n’a pas pu partir. Relancez-le, ou prévenez l’usager autrement.",
        (false, _) => "Le document n’a pas pu être produit. Relancez, puis signalez-le au support si cela se répète.",
    }
}

pub async fn again(agent: Agent, Path(job): Path<Uuid>, sent: Sent) -> Result<Response, Problem> {
    let raw = form::plain(sent).await?;
    let request = store::again(&agent, job).await?.ok_or(Problem::NotFound)?;
    agent.app.work.notify_one();
    // Only two pages lead here.
    let own = format!("/agent/demandes/{request}");
    let back = if raw.text("retour") == own { own } else { "/agent/envois".to_owned() };
    Ok(Redirect::to(&format!("{back}?fait=relance")).into_response())
}
