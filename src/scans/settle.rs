//! One document of a batch: read, then sent where it belongs.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    aside::{self, Failed},
    model::{self, Batch, Document, Fate, Page},
    pages::{HOME, noted, open, picture},
    store,
};
use crate::{
    contacts,
    error::Problem,
    journal::{self, Action, Line},
    platform::{
        attachment,
        form::Typed,
        upload::{self, Received},
    },
    requests::{
        Process, find_file, keep_file, model::canonical_reference, open_at_desk, received_at, send_file,
        store as requests,
    },
    visit::Agent,
};

const PAGE: &str = "agent/scan_document.html";
/// Longest name and longest text, in characters.
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 2_000;
const UNREADABLE: Problem = Problem::Bad(
    "Ces pages ne peuvent pas être extraites du fichier. Numérisez-les de nouveau, puis écartez-les de ce lot.",
);

type Wrong = (&'static str, String);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

fn there(pages: &[Page], first: i64) -> Option<Document<'_>> {
    model::documents(pages).into_iter().find(|one| one.first() == first)
}

pub async fn show(
    agent: Agent,
    Path((id, first)): Path<(Uuid, i64)>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let (batch, pages) = open(&agent, id).await?;
    // Cut otherwise since, or gone: the batch tells.
    let Some(document) = there(&pages, first).filter(Document::waits) else {
        return Err(Problem::Elsewhere(format!("{HOME}/{id}")));
    };
    let mut typed = Raw::default();
    typed.set("vers", if document.is_blank() { Fate::Aside.id() } else { Fate::Request.id() });
    let text = if told.fait == "traite" { Some("Le document est traité. Voici le suivant.") } else { None };
    agent.page(PAGE, &document.words(), draw(&batch, document, &typed, &[], text))
}

fn draw(batch: &Batch, document: Document<'_>, typed: &Raw, wrong: &[Wrong], told: Option<&str>) -> Value {
    let url = format!("{HOME}/{}", batch.id);
    let fates: Vec<Json> = Fate::ALL
        .iter()
        .map(|fate| json!({"value": fate.id(), "text": fate.words(), "chosen": fate.id() == typed.text("vers")}))
        .collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let pages: Vec<Json> = document.0.iter().map(|page| picture(&url, page, page.begins)).collect();
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    context! {
        url => format!("{url}/documents/{}", document.first()), back => &url, title => document.words(), last => document.last(),
        received => batch.received_on.to_string(), department => &batch.department, pages => Serde(pages), fates => Serde(fates),
        pdf => if document.parts().len() == 1 { format!("{url}/documents/{}/document.pdf", document.first()) } else { String::new() },
        reference => typed.text("reference"), writer => typed.text("qui"), text => typed.text("texte"), shared => typed.text("partage") == "oui",
        errors => Serde(errors), ..flash
    }
}

/// The document as a file, to read or print it.
pub async fn pdf(agent: Agent, Path((id, first)): Path<(Uuid, i64)>) -> Result<Response, Problem> {
    let (batch, pages) = open(&agent, id).await?;
    let document = there(&pages, first).filter(Document::waits).ok_or(Problem::NotFound)?;
    let parts = document.parts();
    let [part] = *parts.as_slice() else { return Err(Problem::NotFound) };
    if part.is_whole(&pages) {
        return send_file(&agent, &find_file(&agent.db, part.file).await?).await;
    }
    let name = format!("{}.pdf", name_of(&batch, &document));
    let visit = agent.visit.clone();
    Ok(attachment::streamed(&name, "application/pdf", |sender| aside::stream(visit, part, sender)))
}

fn unreadable(error: anyhow::Error) -> Problem {
    if error.is::<Failed>() { UNREADABLE } else { error.into() }
}

/// « courrier-2026-11-17-pages-3-5 ».
fn name_of(batch: &Batch, document: &Document<'_>) -> String {
    match (document.first(), document.last()) {
        (first, last) if first == last => format!("courrier-{}-page-{first}", batch.received_on),
        (first, last) => format!("courrier-{}-pages-{first}-{last}", batch.received_on),
    }
}

/// What the form says, once it is right.
struct Wanted {
    fate: Fate,
    /// The request and its department.
    request: Option<(Uuid, String)>,
    who: String,
    text: String,
    shared: bool,
}

pub async fn save(
    agent: Agent,
    Path((id, first)): Path<(Uuid, i64)>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let (batch, pages) = open(&agent, id).await?;
    let elsewhere = || Redirect::to(&format!("{HOME}/{id}?fait=deja")).into_response();
    let last = typed.text("jusqua").parse::<i64>().unwrap_or(-1);
    // As the agent saw it, or not at all.
    let Some(document) = there(&pages, first).filter(|one| one.waits() && one.last() == last) else {
        return Ok(elsewhere());
    };
    let mut wrong = Vec::new();
    let Some(wanted) = read(&agent, &document, &typed, &mut wrong).await? else {
        return agent.page_again(PAGE, &document.words(), draw(&batch, document, &typed, &wrong, None));
    };
    let Some(contact) = carry_out(&agent, &batch, &pages, document, &wanted).await? else { return Ok(elsewhere()) };
    let to = match (wanted.fate, next(&pages, last)) {
        (Fate::Filing, _) => format!("/agent/depots/nouveau?contact={contact}"),
        (_, Some(next)) => format!("{HOME}/{id}/documents/{next}?fait=traite"),
        (_, None) => format!("{HOME}/{id}?fait=traite"),
    };
    Ok(Redirect::to(&to).into_response())
}

fn next(pages: &[Page], after: i64) -> Option<i64> {
    let waiting = |one: &&Document<'_>| one.waits() && one.first() > after;
    model::documents(pages).iter().find(waiting).map(Document::first)
}

async fn read(
    agent: &Agent,
    document: &Document<'_>,
    typed: &Raw,
    wrong: &mut Vec<Wrong>,
) -> Result<Option<Wanted>, Problem> {
    let fate = Fate::named(typed.text("vers"));
    if fate.is_none() {
        wrong.push(("vers", "Choisissez où va ce document".to_owned()));
    }
    let (who, text) = (typed.text("qui").trim(), typed.text("texte").trim());
    if who.chars().count() > LONGEST_NAME {
        wrong.push(("qui", format!("Écrivez {LONGEST_NAME} caractères au plus")));
    }
    if text.chars().count() > LONGEST_TEXT {
        wrong.push(("texte", format!("Écrivez {LONGEST_TEXT} caractères au plus")));
    }
    let mut request = None;
    let mut named = String::new();
    if fate == Some(Fate::Request) {
        match find_request(agent, typed.text("reference")).await? {
            Ok((place, name)) => (request, named) = (Some(place), name),
            Err(text) => wrong.push(("reference", text)),
        }
    }
    let Some(fate) = fate.filter(|_| wrong.is_empty()) else { return Ok(None) };
    let many = document.0.len();
    let pages = if many == 1 { "une page".to_owned() } else { format!("{many} pages") };
    Ok(Some(Wanted {
        fate,
        request,
        who: if who.is_empty() { named } else { who.to_owned() },
        text: if text.is_empty() { format!("Lettre numérisée, {pages}.") } else { text.to_owned() },
        shared: typed.text("partage") == "oui",
    }))
}

/// The request of this reference that the agent treats, its department, and who filed it; or what to tell.
async fn find_request(agent: &Agent, typed: &str) -> Result<Result<((Uuid, String), String), String>, Problem> {
    if typed.trim().is_empty() {
        return Ok(Err("Saisissez la référence du dossier".to_owned()));
    }
    let unknown = || Err("Aucun dossier que vous instruisez n’a cette référence : vérifiez-la".to_owned());
    let Some(id) = requests::by_reference(&agent.db, &canonical_reference(typed.trim())).await? else {
        return Ok(unknown());
    };
    match open_at_desk::<Process>(agent, id, Line::agent(agent, Action::RequestOpened)).await {
        Ok(request) => {
            let name = request.filer_name.clone().unwrap_or_default();
            Ok(Ok(((id, request.department_id.clone()), name)))
        }
        Err(Problem::NotFound | Problem::Forbidden(_)) => Ok(unknown()),
        Err(problem) => Err(problem),
    }
}

/// Cuts the document out and puts it where it goes; gives its contact. None when a colleague was faster.
async fn carry_out(
    agent: &Agent,
    batch: &Batch,
    pages: &[Page],
    document: Document<'_>,
    wanted: &Wanted,
) -> Result<Option<Uuid>, Problem> {
    let id = agent.id();
    let whole = (document.first(), document.last());
    let (by, now) = (agent.account.id, agent.now);
    let line = noted(agent, batch.id, &batch.department_id).detail(wanted.fate.code());
    let files = if wanted.fate == Fate::Aside { Vec::new() } else { files(agent, batch, pages, document).await? };
    let (request, department) = match &wanted.request {
        Some((request, department)) => (Some(*request), department.as_str()),
        None => (None, batch.department_id.as_str()),
    };
    let new = contacts::New {
        id,
        department,
        request,
        channel: "letter",
        incoming: true,
        at: received_at(batch.received_on, agent),
        by: Some(by),
        who: &wanted.who,
        address: "",
        subject: "",
        body: &wanted.text,
        quoted: "",
        shared: wanted.shared && request.is_some(),
        as_message: false,
    };
    let contact = (wanted.fate != Fate::Aside).then_some(id);
    let write = async |tx: &mut Tx| {
        store::settle(tx, batch.id, whole, (wanted.fate, contact), by, now).await?;
        if contact.is_some() {
            for file in &files {
                keep_file(tx, id, contacts::LOOSE, file, now).await?;
            }
            contacts::add(tx, &new, now).await?;
        }
        journal::note(tx, now, &line).await
    };
    done(agent.db.write(write).await).map(|done| done.then_some(id))
}

/// The files of a document, in storage and named by nothing yet.
async fn files(agent: &Agent, batch: &Batch, pages: &[Page], document: Document<'_>) -> Result<Vec<Received>, Problem> {
    let (parts, mut files) = (document.parts(), Vec::new());
    for (number, part) in (1..).zip(&parts) {
        let source = find_file(&agent.db, part.file).await?;
        let media_type = upload::taken(&source.media_type).ok_or(Problem::NotFound)?;
        let suffix = if parts.len() == 1 { String::new() } else { format!("-{number}") };
        let name = format!("{}{suffix}.{}", name_of(batch, &document), upload::extension(media_type));
        let file = if part.is_whole(pages) {
            aside::copy(agent, part.file, &name, media_type).await?
        } else {
            aside::cut(agent, *part, &name).await.map_err(unreadable)?
        };
        files.push(file);
    }
    Ok(files)
}

/// Puts aside every document that is blank.
pub async fn blanks(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (batch, pages) = open(&agent, id).await?;
    let blank: Vec<(i64, i64)> = model::documents(&pages)
        .iter()
        .filter(|one| one.waits() && one.is_blank())
        .map(|one| (one.first(), one.last()))
        .collect();
    let line = noted(&agent, id, &batch.department_id).detail(Fate::Aside.code());
    let write = async |tx: &mut Tx| {
        for whole in &blank {
            store::settle(tx, id, *whole, (Fate::Aside, None), agent.account.id, agent.now).await?;
        }
        journal::note(tx, agent.now, &line).await
    };
    let settled = !blank.is_empty() && done(agent.db.write(write).await)?;
    let done = if settled { "ecarte" } else { "deja" };
    Ok(Redirect::to(&format!("{HOME}/{id}?fait={done}")).into_response())
}

/// False when a colleague was faster.
fn done(written: Result<(), db::Error>) -> Result<bool, Problem> {
    match written {
        Ok(()) => Ok(true),
        Err(db::Error::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
