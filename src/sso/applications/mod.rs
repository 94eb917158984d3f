//! « Applications reliées », for administrators: the declarations of the file, filled in on pages.

use axum::{
    Router,
    body::Body,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    changes::{self, By, Expected, OVERLAP, Secret},
    client::Client,
    store,
};
use crate::{
    app::App,
    error::Problem,
    platform::{attachment::attachment, form::Typed, secret},
    visit::{Administrator, Agent},
};

mod form;
mod told;

const HOME: &str = "/agent/applications";
const TITLE: &str = "Applications reliées";
const ADD: &str = "Ajouter une application";
/// Lines of history that a page shows.
const SHOWN: i64 = 50;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/applications", get(list))
        .route("/agent/applications/ajouter", get(adding).post(add))
        .route("/agent/applications/fiche/{client}", get(show))
        .route("/agent/applications/fiche/{client}/modifier", get(changing).post(change))
        .route("/agent/applications/fiche/{client}/secret", get(renewing).post(renew))
        .route("/agent/applications/fiche/{client}/declaration.toml", get(file))
        .route("/agent/applications/fiche/{client}/retirer", get(removing).post(remove))
}

fn address(client: &str) -> String {
    format!("{HOME}/fiche/{client}")
}

async fn client(agent: &Agent, id: &str) -> Result<Client, Problem> {
    store::client(&agent.db, id).await?.ok_or(Problem::NotFound)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Way {
    fait: String,
}

impl Way {
    fn flash(&self) -> Value {
        let text = match self.fait.as_str() {
            "modifiee" => "La déclaration est enregistrée. Elle vaut tout de suite.",
            "ajoutee" => "L’application est ajoutée.",
            "retiree" => "L’application est retirée.",
            "deja" => "Le secret a été changé entre-temps. S’il vous manque, renouvelez-le de nouveau.",
            _ => return context! {},
        };
        context! { flash => context! { kind => "success", text => text } }
    }
}

async fn list(Administrator(agent): Administrator, Query(way): Query<Way>) -> Result<Response, Problem> {
    let applications: Vec<Json> = store::clients(&agent.db)
        .await?
        .iter()
        .map(|client| {
            let protocols = [client.oidc.as_ref().map(|_| "OpenID Connect"), client.cas.as_ref().map(|_| "CAS")];
            let protocols: Vec<&str> = protocols.into_iter().flatten().collect();
            json!({"href": address(&client.id), "name": client.name, "id": client.id, "protocols": protocols.join(", ")})
        })
        .collect();
    let history = told::history(&changes::history(&agent.db, None, SHOWN).await?);
    let page =
        context! { applications => Serde(applications), history => Serde(history), add => format!("{HOME}/ajouter") };
    agent.page("agent/applications.html", TITLE, context! { ..page, ..way.flash() })
}

async fn show(
    Administrator(agent): Administrator,
    Path(id): Path<String>,
    Query(way): Query<Way>,
) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    let users = changes::users(&agent.db, &id, agent.now).await?;
    let rows: Vec<Json> = told::lines(&client.declaration)
        .into_iter()
        .map(|(key, values)| json!({"key": key, "values": values}))
        .collect();
    let history = told::history(&changes::history(&agent.db, Some(&id), SHOWN).await?);
    let old = client.old_secret.as_ref().filter(|(_, until)| agent.now < *until);
    let page = context! {
        name => &client.name, id => &client.id, rows => Serde(rows), back => HOME, base => address(&id),
        issuer => agent.public_url(), oidc => client.oidc.is_some(), cas => client.cas.is_some(), secret => client.wants_secret(),
        old_until => old.map(|(_, until)| until.to_string()).unwrap_or_default(), agreed => users.agreed, sessions => users.sessions,
        history => Serde(history),
    };
    agent.page("agent/application.html", &client.name, context! { ..page, ..way.flash() })
}

/// The declaration, as `guichet admin add-client` takes it.
async fn file(Administrator(agent): Administrator, Path(id): Path<String>) -> Result<Response, Problem> {
    let text = client(&agent, &id).await?.toml()?;
    let size = i64::try_from(text.len()).unwrap_or_default();
    Ok(attachment(Body::from(text), "application/toml", size, &format!("{id}.toml")))
}

/// The form, for a new application or for the one `of`.
struct Sheet<'a> {
    of: Option<&'a Client>,
    /// The version that the page shows: another one when it is sent means that somebody was faster.
    version: String,
}

impl Sheet<'_> {
    fn title(&self) -> String {
        self.of.map_or_else(|| ADD.to_owned(), |client| format!("Modifier {}", client.name))
    }

    fn draw(&self, agent: &Agent, raw: &Raw, wrong: &[(&str, String)]) -> Result<Response, Problem> {
        let errors: Vec<Json> =
            wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
        let back = self.of.map_or_else(|| HOME.to_owned(), |client| address(&client.id));
        let context = context! {
            new => self.of.is_none(), title => self.title(), version => &self.version, back => back, errors => Serde(errors), form => form::values(raw),
            base => self.of.map(|client| address(&client.id)).unwrap_or_default(),
        };
        let draw = if wrong.is_empty() { Agent::page } else { Agent::page_again };
        draw(agent, "agent/application_form.html", &self.title(), context)
    }
}

async fn adding(Administrator(agent): Administrator) -> Result<Response, Problem> {
    Sheet { of: None, version: String::new() }.draw(&agent, &Raw::default(), &[])
}

async fn add(Administrator(agent): Administrator, Typed(typed): Typed) -> Result<Response, Problem> {
    keep(&agent, None, Expected::Nothing, &typed).await
}

async fn changing(Administrator(agent): Administrator, Path(id): Path<String>) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    let raw = form::typed(&client.declaration);
    Sheet { of: Some(&client), version: client.version.to_string() }.draw(&agent, &raw, &[])
}

async fn change(
    Administrator(agent): Administrator,
    Path(id): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    let version = typed.text("version").parse().unwrap_or_default();
    keep(&agent, Some(&client), Expected::Version(version), &typed).await
}

/// Keeps what was typed, or shows it again with what is wrong.
async fn keep(agent: &Agent, of: Option<&Client>, expected: Expected, typed: &Raw) -> Result<Response, Problem> {
    let declaration = form::read(typed, of.map(|client| client.id.as_str()));
    let sheet = Sheet { of, version: typed.text("version").to_owned() };
    let mut wrong: Vec<(&str, String)> = Vec::new();
    for mistake in declaration.mistakes() {
        let field = form::field(mistake.key);
        // One message by field: the next shows once this one is mended.
        if !wrong.iter().any(|(known, _)| *known == field) {
            wrong.push((field, mistake.french()));
        }
    }
    if !wrong.is_empty() {
        return sheet.draw(agent, typed, &wrong);
    }
    let made = secret::token();
    let kept = Secret::needed(&declaration, of, &made);
    if changes::put(&agent.db, &declaration, kept, expected, &By::agent(agent)).await? {
        return match kept.made() {
            Some(secret) => secret_page(agent, &declaration.id, &declaration.name, secret, of.is_none(), false),
            None => done(&declaration.id, if of.is_none() { "ajoutee" } else { "modifiee" }),
        };
    }
    let Some(present) = store::client(&agent.db, &declaration.id).await? else { return Err(Problem::NotFound) };
    if of.is_none() {
        let text = "Une application a déjà cet identifiant\u{a0}: choisissez-en un autre".to_owned();
        return sheet.draw(agent, typed, &[("identifiant", text)]);
    }
    // Sent again, it replaces what the colleague wrote: told before.
    let text = "Cette déclaration a été modifiée pendant votre saisie. Comparez avec sa fiche\u{a0}: si vous enregistrez de nouveau, votre saisie la remplace".to_owned();
    Sheet { of, version: present.version.to_string() }.draw(agent, typed, &[("nom", text)])
}

fn done(id: &str, what: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("{}?fait={what}", address(id))).into_response())
}

/// The secret, once: it is kept nowhere.
fn secret_page(
    agent: &Agent,
    id: &str,
    name: &str,
    secret: &str,
    new: bool,
    beside: bool,
) -> Result<Response, Problem> {
    let until = agent.now.checked_add(OVERLAP).ok().filter(|_| beside);
    let context = context! {
        name => name, id => id, secret => secret, new => new, next => address(id), issuer => agent.public_url(),
        old_until => until.map(|until| until.to_string()).unwrap_or_default(),
    };
    agent.page("agent/application_secret.html", &format!("Le secret de {name}"), context)
}

async fn renewing(Administrator(agent): Administrator, Path(id): Path<String>) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    if !client.wants_secret() {
        return Err(Problem::NotFound);
    }
    let old = client.old_secret.as_ref().filter(|(_, until)| agent.now < *until);
    let context = context! {
        name => &client.name, version => client.version, back => address(&id), days => OVERLAP.as_hours() / 24,
        old_until => old.map(|(_, until)| until.to_string()).unwrap_or_default(),
    };
    agent.page("agent/application_renew.html", &format!("Renouveler le secret de {}", client.name), context)
}

async fn renew(
    Administrator(agent): Administrator,
    Path(id): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    if !client.wants_secret() {
        return Err(Problem::NotFound);
    }
    let (made, at_once) = (secret::token(), typed.text("tout-de-suite") == "oui");
    let secret = if at_once { Secret::New(&made) } else { Secret::Beside(&made) };
    // The same form sent twice must not end the secret that the first answer showed.
    let expected = Expected::Version(typed.text("version").parse().unwrap_or_default());
    if !changes::put(&agent.db, &client.declaration, secret, expected, &By::agent(&agent)).await? {
        return done(&id, "deja");
    }
    secret_page(&agent, &id, &client.name, &made, false, !at_once)
}

async fn removing(Administrator(agent): Administrator, Path(id): Path<String>) -> Result<Response, Problem> {
    let client = client(&agent, &id).await?;
    let users = changes::users(&agent.db, &id, agent.now).await?;
    let context = context! {
        name => &client.name, back => address(&id), known => users.known, agreed => users.agreed, sessions => users.sessions,
    };
    agent.page("agent/application_remove.html", &format!("Retirer {}", client.name), context)
}

async fn remove(Administrator(agent): Administrator, Path(id): Path<String>) -> Result<Response, Problem> {
    if !changes::remove(&agent.db, &id, &By::agent(&agent)).await? {
        return Err(Problem::NotFound);
    }
    Ok(Redirect::to(&format!("{HOME}?fait=retiree")).into_response())
}
