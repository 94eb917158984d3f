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
    agents::Role,
    consultations, contacts, correspondence,
    error::Problem,
    hooks,
    journal::{self, Action, Line},
    requests::{form, jobs, unsent},
    visit::Agent,
};

/// The one page that lists them.
const HOME: &str = "/agent/envois";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fait: String,
}

pub async fn show(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let counts = store::counts(&agent).await?;
    let failures = store::failures(&agent, None).await?;
    journal::read(&agent, &Line::agent(&agent, Action::FailuresOpened)).await?;
    let versions = list::versions(
        &agent,
        failures.iter().map(|failure| (failure.procedure_id.clone(), failure.procedure_version)),
    )
    .await?;
    let found = |failure: &Failure| {
        versions
            .get(&(failure.procedure_id.clone(), failure.procedure_version))
            .map(|procedure| one(procedure, failure, HOME))
    };
    let mut context = json!({
        "menu": list::menu(&counts, None, true),
        "messages": failures.iter().filter_map(found).collect::<Vec<_>>(),
        "next": "",
        "manages": agent.memberships.iter().any(|one| one.role == Role::Manager),
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
    if let Some(code) = unsent::template(failure.last_error.as_deref().unwrap_or_default()) {
        return unfilled(procedure, failure, code, back);
    }
    if failure.kind == contacts::sms::SMS {
        return sms(procedure, failure, back);
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
        "retry": format!("{HOME}/{}/relancer", failure.id),
        "back": back,
    })
}

/// A message that waits for its template to be corrected.
fn unfilled(procedure: &Procedure, failure: &Failure, code: &str, back: &str) -> Json {
    let (medium, message) = correspondence::Medium::of(code);
    let message = message.and_then(|message| correspondence::mail::MESSAGES.iter().find(|(id, _)| *id == message));
    let title = message.map_or(code, |(_, title)| title);
    json!({
        "reference": failure.reference,
        "href": format!("/agent/demandes/{}", failure.request_id),
        "to": if medium == correspondence::Medium::Sms { "Téléphone de l’usager" } else { failure.email.as_deref().unwrap_or("Pas de courriel") },
        "kind": medium.words(),
        "subject": procedure.title,
        "problem": format!("Le modèle du service, «\u{a0}{title}\u{a0}», ne peut pas être rempli. Un responsable le corrige dans «\u{a0}Modèles\u{a0}»\u{a0}: l’envoi part aussitôt. Ou envoyez le texte commun."),
        "detail": failure.last_error,
        "template": true,
        "date": failure.failed_at,
        "tries": failure.attempts,
        "retry": format!("{HOME}/{}/relancer", failure.id),
        "back": back,
    })
}

fn sms(procedure: &Procedure, failure: &Failure, back: &str) -> Json {
    json!({
        "reference": failure.reference,
        "href": format!("/agent/demandes/{}", failure.request_id),
        "to": "Téléphone de l’usager",
        "kind": "SMS",
        "subject": procedure.title,
        "problem": "La passerelle n’a pas pris ce SMS. Relancez-le\u{a0}; l’usager est aussi prévenu par courriel.",
        "detail": failure.last_error,
        "date": failure.failed_at,
        "tries": failure.attempts,
        "retry": format!("{HOME}/{}/relancer", failure.id),
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
        "retry": format!("{HOME}/{}/relancer", failure.id),
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
    let common = raw.text("texte") == "commun";
    let request = if common { unsent::send_common(&agent, job).await? } else { store::again(&agent, job).await? };
    let request = request.ok_or(Problem::NotFound)?;
    agent.app.work.notify_one();
    // Only two pages lead here.
    let own = format!("/agent/demandes/{request}");
    let back = if raw.text("retour") == own { own } else { HOME.to_owned() };
    Ok(Redirect::to(&format!("{back}?fait=relance")).into_response())
}
