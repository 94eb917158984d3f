//! Batches: the list, and one of them with its pages and where its documents begin.

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Batch, Document, Fate, Page},
    store,
};
use crate::{
    agents::Role,
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    requests::{find_file, send_file},
    visit::Agent,
};

pub const HOME: &str = "/agent/numerisations";
const TITLE: &str = "Courrier numérisé";
/// Batches of a department in the list.
const SHOWN: i64 = 30;
const REFUSED: Problem =
    Problem::Forbidden("Le courrier numérisé est réparti par ceux qui instruisent les demandes du service.");

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

/// The departments whose post the agent deals out: id and name.
pub fn departments(agent: &Agent) -> Result<Vec<(String, String)>, Problem> {
    let able = agent.memberships.iter().filter(|one| one.role >= Role::Processor);
    let found: Vec<_> = able.map(|one| (one.department_id.clone(), one.department_name.clone())).collect();
    if found.is_empty() { Err(REFUSED) } else { Ok(found) }
}

/// The line that a batch was changed.
pub fn noted<'a>(agent: &'a Agent, batch: Uuid, department: &'a str) -> Line<'a> {
    Line::agent(agent, Action::ScansChanged).about("scans", batch).department(department)
}

/// A batch of a department where the agent treats requests, with its pages. Its pictures are read with it: they
/// leave no line of their own.
pub async fn open(agent: &Agent, id: Uuid) -> Result<(Batch, Vec<Page>), Problem> {
    let batch = find(agent, id).await?;
    let line = Line::agent(agent, Action::ScansOpened).about("scans", id).department(&batch.department_id);
    journal::read(agent, &line).await?;
    let pages = store::pages(&agent.db, &batch).await?;
    Ok((batch, pages))
}

async fn find(agent: &Agent, id: Uuid) -> Result<Batch, Problem> {
    let batch = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    match agent.role(&batch.department_id) {
        None => Err(Problem::NotFound),
        Some(role) if role < Role::Processor => Err(REFUSED),
        Some(_) => Ok(batch),
    }
}

pub async fn list(agent: Agent) -> Result<Response, Problem> {
    let mut shown = Vec::new();
    for (id, name) in departments(&agent)? {
        let waiting = store::waiting(&agent.db, &id, SHOWN).await?;
        let done = store::done(&agent.db, &id, SHOWN).await?;
        let lines = |batches: &[Batch]| batches.iter().map(line).collect::<Vec<Json>>();
        shown.push(json!({"name": name, "waiting": lines(&waiting), "done": lines(&done)}));
    }
    let context = context! { departments => Serde(shown), new => format!("{HOME}/nouvelle"), days => agent.site.settings.scans_days };
    agent.page("agent/scans.html", TITLE, context)
}

fn line(one: &Batch) -> Json {
    json!({
        "href": format!("{HOME}/{}", one.id), "received": one.received_on.to_string(), "sent": one.created_at, "agent": one.agent,
        "pages": one.pages, "waiting": one.waiting,
    })
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>, Query(told): Query<Told>) -> Result<Response, Problem> {
    let (batch, pages) = open(&agent, id).await?;
    let text = match told.fait.as_str() {
        "recu" => Some("Le lot est reçu. Dites où commence chaque document, puis traitez-les un par un."),
        "decoupe" => Some("Le découpage est enregistré."),
        "traite" => Some("Le document est traité."),
        "ecarte" => Some("Les pages sont écartées."),
        "deja" => Some("Un collègue avait déjà traité ou découpé ces pages autrement. Voici où en est le lot."),
        _ => None,
    };
    draw(&agent, &batch, &pages, StatusCode::OK, text)
}

fn draw(
    agent: &Agent,
    batch: &Batch,
    pages: &[Page],
    status: StatusCode,
    told: Option<&str>,
) -> Result<Response, Problem> {
    let url = format!("{HOME}/{}", batch.id);
    let documents = model::documents(pages);
    let waiting: Vec<Json> = documents
        .iter()
        .filter(|one| one.waits())
        .flat_map(|one| one.0.iter().map(|page| picture(&url, page, page.number == one.first())))
        .collect();
    let documents: Vec<Json> = documents.iter().map(|one| document(&url, one)).collect();
    let blanks = pages.iter().filter(|page| page.waits() && page.blank == Some(true)).count();
    let flash = told.map_or_else(
        || context! {},
        |text| context! { flash => context! { kind => if status == StatusCode::OK { "success" } else { "info" }, text => text } },
    );
    let context = context! {
        url => &url, department => &batch.department, received => batch.received_on.to_string(), sent => batch.created_at.to_string(), by => &batch.agent,
        version => batch.version, pages => batch.pages, left => batch.waiting, waiting => Serde(waiting), documents => Serde(documents), blanks => blanks,
        drawing => pages.iter().any(|page| page.blank.is_none()), days => agent.site.settings.scans_days, ..flash
    };
    agent.page_with(status, "agent/scan.html", TITLE, context)
}

/// `begins`: a document does, with this page.
pub fn picture(url: &str, page: &Page, begins: bool) -> Json {
    let image = |id: Option<Uuid>| id.map(|id| format!("{url}/images/{id}")).unwrap_or_default();
    json!({
        "number": page.number, "begins": begins, "blank": page.blank == Some(true), "pending": page.blank.is_none(),
        "small": image(page.small_id), "large": image(page.large_id),
    })
}

fn document(url: &str, one: &Document<'_>) -> Json {
    let page = one.0.first();
    let fate = Fate::ALL.into_iter().find(|fate| page.is_some_and(|page| page.fate == fate.code()));
    let request = page.and_then(|page| page.request_id).map(|id| format!("/agent/demandes/{id}?onglet=messages"));
    let contact = page.filter(|page| page.loose).and_then(|page| page.contact_id);
    let contact = contact.map(|id| format!("/agent/contacts/{id}"));
    let what = match fate {
        None => "À traiter",
        Some(Fate::Aside) => "Écarté",
        Some(_) if page.is_some_and(|page| page.loose) => "Dans les contacts",
        Some(_) if request.is_some() => "Dans le dossier",
        Some(_) => "Dans un dossier d’un autre service",
    };
    json!({
        "href": if one.waits() { format!("{url}/documents/{}", one.first()) } else { request.or(contact).unwrap_or_default() },
        "title": one.words(), "waits": one.waits(), "blank": one.is_blank(), "what": what,
        "reference": page.and_then(|page| page.reference.clone()).unwrap_or_default(),
    })
}

/// Keeps where documents begin.
pub async fn mark(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (batch, mut pages) = open(&agent, id).await?;
    let begins = match typed.text("action") {
        "blanches" => model::at_blanks(&pages),
        "chacune" => model::each(&pages),
        _ => model::typed(&typed),
    };
    let seen = typed.text("version").parse::<i64>().unwrap_or(-1);
    if seen != batch.version {
        // What was ticked stays on the page, over what a colleague did.
        for page in pages.iter_mut().filter(|page| page.waits()) {
            page.begins = begins.contains(&page.number);
        }
        let told = "Un collègue travaille aussi sur ce lot : vos coches sont gardées ici, vérifiez-les puis enregistrez de nouveau.";
        return draw(&agent, &batch, &pages, StatusCode::CONFLICT, Some(told));
    }
    let line = noted(&agent, id, &batch.department_id).detail("cut");
    let write = async |tx: &mut Tx| {
        let marked = store::mark(tx, &batch, &begins, agent.now).await?;
        if marked {
            journal::note(tx, agent.now, &line).await?;
        }
        Ok::<bool, db::Error>(marked)
    };
    let done = if agent.db.write(write).await? { "decoupe" } else { "deja" };
    Ok(Redirect::to(&format!("{HOME}/{id}?fait={done}")).into_response())
}

/// A picture of a page.
pub async fn image(agent: Agent, Path((id, file)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    find(&agent, id).await?;
    let file = find_file(&agent.db, file).await?;
    if file.owner_id == id && file.slot == model::PICTURE {
        send_file(&agent, &file).await
    } else {
        Err(Problem::NotFound)
    }
}
