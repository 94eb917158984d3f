//! « Contacts à qualifier »: what waits in the agent's departments, and what becomes of it. Only who treats
//! requests in the whole department reads its contacts.

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Contact, REASONS},
    store,
};
use crate::{
    agents::Role,
    authorities,
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    requests::{Process, file_json, files_of, model::canonical_reference, open_at_desk, send_file, store as requests},
    visit::Agent,
};

pub const HOME: &str = "/agent/contacts";
const TITLE: &str = "Contacts à qualifier";
/// Contacts of a department on one page: the oldest come first, and others after them.
const SHOWN: i64 = 50;
const REFUSED: Problem =
    Problem::Forbidden("Les contacts à qualifier sont lus par ceux qui instruisent les demandes du service.");

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fait: String,
    etat: String,
}

/// The departments whose contacts the agent treats: id and name.
fn departments(agent: &Agent) -> Vec<(String, String)> {
    let able = agent.memberships.iter().filter(|one| one.role >= Role::Processor);
    able.map(|one| (one.department_id.clone(), one.department_name.clone())).collect()
}

/// One of them.
pub fn treated(agent: &Agent, department: &str) -> Result<(String, String), Problem> {
    match agent.role(department) {
        None => Err(Problem::NotFound),
        Some(role) if role < Role::Processor => Err(REFUSED),
        Some(_) => departments(agent).into_iter().find(|(id, _)| id == department).ok_or(Problem::NotFound),
    }
}

pub async fn list(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let treated = departments(&agent);
    if treated.is_empty() {
        return Err(REFUSED);
    }
    journal::read(&agent, &Line::agent(&agent, Action::ContactsOpened)).await?;
    let over = asked.etat == "classes";
    let mut shown = Vec::new();
    for (id, name) in treated {
        let found = if over {
            store::closed(&agent.db, &id, SHOWN).await?
        } else {
            store::waiting(&agent.db, &id, SHOWN).await?
        };
        let contacts: Vec<Json> = found.iter().map(line).collect();
        let new = format!("{HOME}/nouveau?service={}", crate::platform::encode(&id));
        shown.push(json!({"name": name, "contacts": contacts, "new": new}));
    }
    let told = match asked.fait.as_str() {
        "note" => Some("Le contact est noté."),
        "classe" => Some("Le contact est classé."),
        "confie" => Some("Le contact est confié à l’autre service."),
        "deja" => Some("Un collègue avait déjà traité ce contact."),
        _ => None,
    };
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    agent.page("agent/contacts.html", TITLE, context! { departments => Serde(shown), over => over, ..flash })
}

fn line(one: &Contact) -> Json {
    json!({
        "href": format!("{HOME}/{}", one.id), "how": one.how(), "who": if one.who.is_empty() { &one.address } else { &one.who },
        "date": one.at, "subject": one.subject, "text": one.body,
        "unproven": one.unproven(), "reason": one.reason_words(),
    })
}

/// A contact of a department that the agent treats.
///
/// # Errors
/// `Elsewhere` when it is on a request by now.
pub async fn found(agent: &Agent, id: Uuid) -> Result<Contact, Problem> {
    let contact = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    if let Some(request) = contact.request_id {
        // It is its request's, with the rights of that one.
        open_at_desk::<Process>(agent, request, Line::agent(agent, Action::RequestOpened)).await?;
        return Err(Problem::Elsewhere(format!("/agent/demandes/{request}?onglet=messages")));
    }
    treated(agent, &contact.department_id)?;
    let trace = Line::agent(agent, Action::ContactsOpened).about("contact", id).department(&contact.department_id);
    journal::read(agent, &trace).await?;
    Ok(contact)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let contact = found(&agent, id).await?;
    draw(&agent, &contact, &Raw::default(), &[]).await
}

async fn draw(agent: &Agent, contact: &Contact, typed: &Raw, errors: &[Json]) -> Result<Response, Problem> {
    let url = format!("{HOME}/{}", contact.id);
    let files = files_of(&agent.db, contact.id).await?;
    let files: Vec<Json> = files.iter().map(|file| file_json(file, &format!("{url}/fichiers"))).collect();
    let others = authorities::departments(&agent.db).await?;
    let others: Vec<Json> = others
        .iter()
        .filter(|(id, _)| *id != contact.department_id)
        .map(|(id, name)| json!({"id": id, "name": name}))
        .collect();
    let reasons: Vec<Json> = REASONS.iter().map(|(code, label)| json!({"code": code, "label": label})).collect();
    let context = context! {
        contact => Serde(json!({
            "how": contact.how(), "who": contact.who, "address": contact.address, "date": contact.at, "recorded": contact.recorded_at,
            "by": contact.recorded_name, "subject": contact.subject, "text": contact.body, "quoted": contact.quoted,
            "unproven": contact.unproven(), "waiting": contact.state == "waiting", "reason": contact.reason_words(), "settled": contact.settled_at,
        })),
        id => contact.id.to_string(), files => Serde(files), departments => Serde(others), reasons => Serde(reasons), url => url,
        reference => typed.text("reference"), shared => typed.text("partage") == "oui", errors => Serde(errors),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = if errors.is_empty() { contact.how() } else { format!("Erreur : {}", contact.how()) };
    agent.page_with(status, "agent/contact.html", &title, context)
}

fn wrong(field: &str, text: &str) -> [Json; 1] {
    [json!({"href": format!("#{field}"), "text": text})]
}

fn done(code: &str) -> Response {
    Redirect::to(&format!("{HOME}?fait={code}")).into_response()
}

/// Ties it to a request that the agent may treat.
pub async fn tie(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let contact = found(&agent, id).await?;
    let reference = typed.text("reference").trim();
    if reference.is_empty() {
        return draw(&agent, &contact, &typed, &wrong("reference", "Saisissez la référence du dossier")).await;
    }
    let unknown = wrong("reference", "Aucun dossier que vous instruisez n’a cette référence : vérifiez-la");
    let named = requests::by_reference(&agent.db, &canonical_reference(reference)).await?;
    let Some(named) = named else { return draw(&agent, &contact, &typed, &unknown).await };
    let request = match open_at_desk::<Process>(&agent, named, Line::agent(&agent, Action::RequestOpened)).await {
        Ok(request) => request,
        Err(Problem::NotFound | Problem::Forbidden(_)) => return draw(&agent, &contact, &typed, &unknown).await,
        Err(problem) => return Err(problem),
    };
    let (shared, by, now) = (typed.text("partage") == "oui", agent.account.id, agent.now);
    let tied = agent
        .db
        .write(async |tx: &mut Tx| {
            let place = (request.id, request.department_id.as_str());
            let tied = store::tie(tx, &contact, place, shared, by, now).await?;
            if tied {
                note(tx, &agent, &contact, "tied").await?;
            }
            Ok::<bool, db::Error>(tied)
        })
        .await?;
    if !tied {
        return Ok(done("deja"));
    }
    Ok(Redirect::to(&format!("/agent/demandes/{}?onglet=messages&fait=rattache", request.id)).into_response())
}

async fn note(tx: &mut Tx, agent: &Agent, contact: &Contact, detail: &str) -> Result<(), db::Error> {
    let line = Line::agent(agent, Action::ContactChanged).about("contact", contact.id);
    journal::note(tx, agent.now, &line.department(&contact.department_id).detail(detail)).await
}

pub async fn close(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let contact = found(&agent, id).await?;
    let reason = typed.text("motif");
    if !REASONS.iter().any(|(code, _)| *code == reason) {
        return draw(&agent, &contact, &typed, &wrong("motif", "Choisissez pourquoi vous classez ce contact")).await;
    }
    let closed = agent
        .db
        .write(async |tx: &mut Tx| {
            let closed = store::close(tx, id, reason, agent.account.id, agent.now).await?;
            if closed {
                note(tx, &agent, &contact, "closed").await?;
            }
            Ok::<bool, db::Error>(closed)
        })
        .await?;
    Ok(done(if closed { "classe" } else { "deja" }))
}

/// Hands it to another department, where the agent may have no right.
pub async fn hand(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let contact = found(&agent, id).await?;
    let to = typed.text("service");
    let known = authorities::department(&agent.db, to).await?.is_some_and(|one| one.id != contact.department_id);
    if !known {
        return draw(&agent, &contact, &typed, &wrong("service", "Choisissez le service à qui le confier")).await;
    }
    let handed = agent
        .db
        .write(async |tx: &mut Tx| {
            let handed = store::hand(tx, id, &contact.department_id, to).await?;
            if handed {
                note(tx, &agent, &contact, to).await?;
            }
            Ok::<bool, db::Error>(handed)
        })
        .await?;
    Ok(done(if handed { "confie" } else { "deja" }))
}

/// A file of a contact that is on no request.
pub async fn file(agent: Agent, Path((id, file)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    found(&agent, id).await?;
    let files = files_of(&agent.db, id).await?;
    let file = files.iter().find(|one| one.id == file).ok_or(Problem::NotFound)?;
    send_file(&agent, file).await
}
