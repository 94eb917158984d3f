//! A batch on its way in: one or several files, streamed to storage, looked at for viruses, their pages counted.

use axum::{
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    aside::{self, Failed},
    model::MOST_PAGES,
    pages::{HOME, departments, noted},
    store::{self, New},
};
use crate::{
    error::Problem,
    journal,
    platform::{
        form::push,
        french,
        scan::Scanned,
        upload::{self, Received, Refused},
    },
    requests::{form, received_on},
    visit::Agent,
};

const PAGE: &str = "agent/scan_new.html";
const TITLE: &str = "Nouveau lot numérisé";
/// Most files of one batch.
const MOST_FILES: usize = 50;
/// Longest text field.
const LONGEST: usize = 10_000;
const BROKEN: Problem = Problem::Bad("L’envoi a été interrompu. Rien n’a été gardé : recommencez.");

type Wrong = (&'static str, String);

#[derive(Default)]
struct Sent {
    typed: Raw,
    files: Vec<Received>,
    wrong: Vec<Wrong>,
}

pub async fn new(agent: Agent) -> Result<Response, Problem> {
    let departments = departments(&agent)?;
    let mut typed = Raw::default();
    typed.set("recu", agent.today().strftime("%d/%m/%Y").to_string());
    typed.set("une-fois", agent.id().to_string());
    agent.page(PAGE, TITLE, draw(&agent, &departments, &typed, &[]))
}

fn draw(agent: &Agent, departments: &[(String, String)], typed: &Raw, wrong: &[Wrong]) -> Value {
    let options: Vec<Json> = departments
        .iter()
        .map(|(id, name)| json!({"value": id, "text": name, "chosen": id == typed.text("service")}))
        .collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    context! {
        departments => Serde(options), received => typed.text("recu"), once => typed.text("une-fois"), errors => Serde(errors),
        accept => upload::ACCEPT, max_size => agent.app.config.scan_limit, max_pages => MOST_PAGES,
    }
}

pub async fn save(agent: Agent, request: Request) -> Result<Response, Problem> {
    let departments = departments(&agent)?;
    let mut sent = receive(&agent, request).await?;
    let id = match sent.typed.text("une-fois") {
        "" => agent.id(),
        once => agent.own_id("scan batch", once),
    };
    // Another click was faster: its batch is the same.
    if store::find(&agent.db, id).await?.is_some() {
        drop_all(&agent, &sent.files).await?;
        return Ok(Redirect::to(&format!("{HOME}/{id}")).into_response());
    }
    let only = departments.first().filter(|_| departments.len() == 1).map(|(id, _)| id.as_str());
    let asked = sent.typed.text("service").to_owned();
    let department = departments.iter().map(|(id, _)| id.as_str()).find(|id| *id == asked).or(only);
    if department.is_none() {
        sent.wrong.push(("service", "Choisissez le service qui traitera ce courrier".to_owned()));
    }
    let day = received_on(sent.typed.text("recu"), agent.today()).map_err(|text| sent.wrong.push(("recu", text))).ok();
    let counted = if sent.wrong.is_empty() { count(&agent, &mut sent).await? } else { Vec::new() };
    let (Some(department), Some(day), true) = (department, day, sent.wrong.is_empty()) else {
        drop_all(&agent, &sent.files).await?;
        return agent.page_again(PAGE, TITLE, draw(&agent, &departments, &sent.typed, &sent.wrong));
    };
    keep(&agent, id, department, day, sent.files, counted).await?;
    Ok(Redirect::to(&format!("{HOME}/{id}?fait=recu")).into_response())
}

async fn keep(
    agent: &Agent,
    id: Uuid,
    department: &str,
    received_on: Date,
    files: Vec<Received>,
    counted: Vec<usize>,
) -> Result<(), db::Error> {
    let files: Vec<(Received, usize, Uuid)> =
        files.into_iter().zip(counted).map(|(file, pages)| (file, pages, agent.id())).collect();
    let new = New { id, department, agent: agent.account.id, received_on, files: &files };
    let line = noted(agent, id, department).detail("recorded");
    let write = async |tx: &mut Tx| {
        if store::add(tx, &new, agent.now).await? {
            journal::note(tx, agent.now, &line).await?;
        }
        Ok::<(), db::Error>(())
    };
    agent.db.write(write).await?;
    agent.app.work.notify_one();
    Ok(())
}

/// How many pages each file has.
async fn count(agent: &Agent, sent: &mut Sent) -> Result<Vec<usize>, Problem> {
    if sent.files.is_empty() {
        sent.wrong.push(("documents", "Choisissez d’abord un fichier".to_owned()));
    }
    let mut counted = Vec::new();
    for file in &sent.files {
        let pages = if file.media_type == "application/pdf" { aside::count(agent, file.id).await } else { Ok(1) };
        match pages {
            Ok(pages) => counted.push(pages),
            Err(error) => match error.downcast::<Failed>() {
                Ok(Failed::Locked) => {
                    let text =
                        format!("« {} » est protégé par un mot de passe : enlevez-le, puis renvoyez-le", file.name);
                    sent.wrong.push(("documents", text));
                }
                Ok(Failed::Broken | Failed::Form) => {
                    let text = format!("« {} » ne peut pas être lu : numérisez de nouveau ces pages", file.name);
                    sent.wrong.push(("documents", text));
                }
                Err(error) => return Err(error.into()),
            },
        }
    }
    let all: usize = counted.iter().sum();
    if all > MOST_PAGES {
        sent.wrong.push(("documents", format!("Ce lot a {all} pages : envoyez-en {MOST_PAGES} au plus à la fois")));
    }
    Ok(counted)
}

/// What no batch names.
async fn drop_all(agent: &Agent, files: &[Received]) -> Result<(), Problem> {
    for file in files {
        agent.app.storage.remove(agent.site.id, file.id).await?;
    }
    Ok(())
}

async fn receive(agent: &Agent, request: Request) -> Result<Sent, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Ok(Sent { typed: form::plain(request).await?, ..Sent::default() });
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| BROKEN)?;
    let mut sent = Sent::default();
    for _ in 0..MOST_FILES + 10 {
        let Some(field) = parts.next_field().await.map_err(|_| BROKEN)? else { return Ok(sent) };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "documents" && field.file_name().is_some() {
            file(agent, field, &mut sent).await?;
        } else {
            text(&name, field, &mut sent.typed).await?;
        }
    }
    sent.wrong.push(("documents", format!("Envoyez {MOST_FILES} fichiers au plus à la fois")));
    Ok(sent)
}

async fn file(agent: &Agent, field: Field<'_>, sent: &mut Sent) -> Result<(), Problem> {
    let (id, config) = (agent.id(), &agent.app.config);
    let name = upload::clean_name(field.file_name().unwrap_or_default());
    let before: u64 = sent.files.iter().map(|file| file.size).sum();
    let writer = Scanned::new(agent.app.storage.writer(agent.site.id, id), &config.clamd);
    match upload::receive(writer, id, field, config.scan_limit.saturating_sub(before), false).await {
        Ok((received, ())) => sent.files.push(received),
        Err(Refused::Nothing) => {}
        Err(refused) => {
            let says = match &refused {
                Refused::TooLarge => {
                    format!("Ce lot dépasse {} : envoyez-le en plusieurs fois", french::size(config.scan_limit))
                }
                other => form::says(other, config.scan_limit, false).trim_end_matches('.').to_owned(),
            };
            if let Refused::Failed(error) | Refused::NotScanned(error) = refused {
                tracing::error!(error = format!("{error:#}"), "a batch of scans is refused");
            }
            sent.wrong.push(("documents", format!("{name} : {}", french::lower_first(&says))));
        }
    }
    Ok(())
}

async fn text(name: &str, mut field: Field<'_>, typed: &mut Raw) -> Result<(), Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| BROKEN)? {
        if bytes.len() + chunk.len() > LONGEST {
            return Err(Problem::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    push(typed, name, &String::from_utf8_lossy(&bytes));
    Ok(())
}
