//! The references of a department, for its managers: loading them, and how many are linked. Never by whom, nor
//! what other departments know.

use axum::{
    extract::{FromRequest, Multipart, Path, Query, Request},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use jiff::ToSpan;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    import::{Import, Report},
    judge,
    model::Service,
    store,
};
use crate::{agents::Role, error::Problem, platform::form::Typed, visit::Agent};

/// Largest file taken.
const LARGEST: u64 = 60 * 1024 * 1024;
/// Days of refused tries that are shown.
const LOOKED_AT: i64 = 30;
const BROKEN: Problem = Problem::Bad("L’envoi a été interrompu. Rien n’a été changé : recommencez.");

/// The one place where an agent gets a linked service: a manager of its department.
async fn of(agent: &Agent, id: &str) -> Result<Service, Problem> {
    let service = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let role = agent.role(&service.department_id).ok_or(Problem::NotFound)?;
    if role < Role::Manager {
        return Err(Problem::Forbidden("Les références sont gérées par les responsables du service."));
    }
    Ok(service)
}

pub async fn list(agent: Agent) -> Result<Response, Problem> {
    if !agent.memberships.iter().any(|membership| membership.role >= Role::Manager) {
        return Err(Problem::Forbidden("Les références sont gérées par les responsables de service."));
    }
    let services = store::all(&agent.db).await?;
    let mine = services.iter().filter(|service| agent.role(&service.department_id) >= Some(Role::Manager));
    let shown: Vec<Json> = mine
        .map(|service| json!({"label": service.declaration.0.label, "department": service.department_name, "href": format!("/agent/references/{}", service.id)}))
        .collect();
    agent.page("agent/references.html", "Références", context! { services => Serde(shown) })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    charge: String,
}

/// What the page shows beside the service itself.
#[derive(Default)]
struct Said {
    errors: Vec<Json>,
    mistakes: Json,
    /// Mistakes in all.
    wrong: usize,
    /// The file may hold less than half of what is there: to be confirmed.
    fewer: String,
    searched: String,
    found: Json,
}

async fn draw(agent: &Agent, service: &Service, said: Said, flash: Option<String>) -> Result<Response, Problem> {
    let declaration = &service.declaration.0;
    let figures = store::figures(&agent.db, service).await?;
    let since = agent.today().checked_sub(LOOKED_AT.days()).unwrap_or(agent.today());
    let failures = store::failures(&agent.db, &service.id, since).await?;
    let failures: Vec<Json> =
        failures.iter().map(|(day, count)| json!({"day": day.to_string(), "count": count})).collect();
    let again = !said.errors.is_empty();
    let page: Value = context! {
        heading => &declaration.label, department => &service.department_name, base => format!("/agent/references/{}", service.id),
        columns => Serde(json!(declaration.columns())), example => declaration.reference.pattern.example(),
        loaded => service.loaded_at.map(|at| at.to_string()).unwrap_or_default(),
        known => figures.known, linked => figures.linked, gone => figures.gone, failures => Serde(failures),
        errors => Serde(said.errors), mistakes => Serde(said.mistakes), wrong => said.wrong, fewer => said.fewer,
        searched => said.searched, found => Serde(said.found),
    };
    let flash =
        flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let (title, page) = (format!("Références : {}", declaration.label), context! { ..page, ..flash });
    if again { agent.page_again(PAGE, &title, page) } else { agent.page(PAGE, &title, page) }
}

const PAGE: &str = "agent/references_of.html";

fn nothing() -> Said {
    Said { mistakes: json!([]), ..Said::default() }
}

pub async fn show(agent: Agent, Path(id): Path<String>, Query(done): Query<Done>) -> Result<Response, Problem> {
    let service = of(&agent, &id).await?;
    let count = done.charge.parse::<u32>().ok();
    draw(&agent, &service, nothing(), count.map(|count| format!("Le fichier est chargé : {count} références."))).await
}

pub async fn load(agent: Agent, Path(id): Path<String>, request: Request) -> Result<Response, Problem> {
    let service = of(&agent, &id).await?;
    let said = match receive(&agent, &service, request).await? {
        None => Said {
            errors: vec![json!({"href": "#fichier", "text": "Choisissez d’abord un fichier CSV"})],
            ..nothing()
        },
        Some(Report::Loaded(count)) => {
            return Ok(Redirect::to(&format!("/agent/references/{id}?charge={count}")).into_response());
        }
        Some(Report::Wrong(mistakes, wrong)) => Said {
            errors: vec![
                json!({"href": "#fichier", "text": "Le fichier contient des erreurs : rien n’a été changé. Corrigez-le et renvoyez-le"}),
            ],
            mistakes: json!(mistakes),
            wrong,
            ..nothing()
        },
        Some(Report::Fewer { before, after }) => Said {
            errors: vec![
                json!({"href": "#fichier", "text": format!("Ce fichier contient {after} références au lieu de {before} : rien n’a été changé. Si c’est voulu, cochez la case et renvoyez-le")}),
            ],
            fewer: "oui".to_owned(),
            ..nothing()
        },
    };
    draw(&agent, &service, said, None).await
}

/// Reads the sent form, its file piece by piece; none when it holds no file.
async fn receive(agent: &Agent, service: &Service, request: Request) -> Result<Option<Report>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) {
        return Ok(None);
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| BROKEN)?;
    let (mut import, mut fewer, mut size) = (None, false, 0_u64);
    for _ in 0..10 {
        let Some(mut field) = parts.next_field().await.map_err(|_| BROKEN)? else { break };
        match field.name() {
            Some("moins") => fewer = true,
            Some("fichier") if import.is_none() => {
                while let Some(piece) = field.chunk().await.map_err(|_| BROKEN)? {
                    size += piece.len() as u64;
                    if size > LARGEST {
                        if let Some(import) = &import {
                            Import::abandon(import).await?;
                        }
                        return Err(Problem::TooLarge);
                    }
                    // What a browser sends when no file was chosen.
                    if piece.is_empty() {
                        continue;
                    }
                    let import = match &mut import {
                        Some(import) => import,
                        none => none.insert(Import::begin(agent, service).await?),
                    };
                    import.push(&piece).await?;
                }
            }
            _ => {}
        }
    }
    match import {
        Some(import) => import.end(fewer).await.map(Some),
        None => Ok(None),
    }
}

/// Whether one reference is known, and linked: to answer somebody at the counter who has the letter in hand.
pub async fn search(agent: Agent, Path(id): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let service = of(&agent, &id).await?;
    let pattern = &service.declaration.0.reference.pattern;
    let searched = typed.text("reference").to_owned();
    let Some(canonical) = pattern.canonical(&searched) else {
        let text = format!("Écrivez une référence entière, comme {}", pattern.example());
        let errors = vec![json!({"href": "#reference", "text": text})];
        return draw(&agent, &service, Said { errors, searched, ..nothing() }, None).await;
    };
    let key = judge::key(&agent, &service.id, &canonical);
    let known = store::proof(&agent.db, &service, &key).await?.is_some();
    let keys = store::keys(&agent.db, &service.id, &key).await?;
    let found = json!({"known": known, "keys": keys});
    draw(&agent, &service, Said { searched, found, ..nothing() }, None).await
}
