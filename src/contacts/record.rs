//! Writing a contact down: on a request, or to qualify.

use axum::{
    extract::{Path, Query, Request},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    desk,
    model::{self, Contact, LOOSE, MOST_FILES, Typed},
    store::{self, New},
};
use crate::{
    error::Problem,
    household,
    journal::{Action, Line},
    platform::{secret, upload},
    requests::{
        Drawing, Process, files_of,
        form::{self, Form, Slot},
        open_at_desk, remove_file,
    },
    visit::Agent,
};

/// The input of a scan.
const FILE: &str = "document";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
    /// Names what is being written: sent twice, it is one contact.
    fois: String,
}

/// What the form is about.
struct Sheet {
    heading: &'static str,
    intro: String,
    /// Where the form goes, without its query.
    action: String,
    back: String,
    tied: bool,
}

fn on(reference: &str, id: Uuid) -> Sheet {
    Sheet {
        heading: "Noter un échange",
        intro: format!("Dossier {reference}. L’échange rejoint l’historique du dossier, avec votre nom."),
        action: format!("/agent/demandes/{id}/echanges"),
        back: format!("/agent/demandes/{id}?onglet=messages"),
        tied: true,
    }
}

fn loose(name: &str) -> Sheet {
    Sheet {
        heading: "Noter un contact à qualifier",
        intro: format!(
            "{name}. Le contact attend dans la liste du service jusqu’à ce qu’un agent le rattache à un dossier ou le classe."
        ),
        action: "/agent/contacts/nouveau".to_owned(),
        back: desk::HOME.to_owned(),
        tied: false,
    }
}

pub async fn on_request(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = open_at_desk::<Process>(&agent, id, Line::agent(&agent, Action::RequestOpened)).await?;
    let raw = model::proposed(agent.now, &agent.site.zone, request.filer_name.as_deref().unwrap_or_default());
    draw(&agent, &on(&request.reference, id), &Asked::default(), &Form { typed: raw, ..Form::default() }, false).await
}

pub async fn save_on_request(
    agent: Agent,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    let found = open_at_desk::<Process>(&agent, id, Line::agent(&agent, Action::RequestOpened)).await?;
    let sheet = on(&found.reference, id);
    let done = format!("{}&fait=contact", sheet.back);
    save(&agent, &sheet, &asked, request, Some(id), &found.department_id, &done).await
}

pub async fn new(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let (_, name) = desk::treated(&agent, &asked.service)?;
    let raw = model::proposed(agent.now, &agent.site.zone, "");
    draw(&agent, &loose(&name), &asked, &Form { typed: raw, ..Form::default() }, false).await
}

pub async fn save_new(agent: Agent, Query(asked): Query<Asked>, request: Request) -> Result<Response, Problem> {
    let (department, name) = desk::treated(&agent, &asked.service)?;
    let done = format!("{}?fait=note", desk::HOME);
    save(&agent, &loose(&name), &asked, request, None, &department, &done).await
}

async fn save(
    agent: &Agent,
    sheet: &Sheet,
    asked: &Asked,
    sent: Request,
    request: Option<Uuid>,
    department: &str,
    done: &str,
) -> Result<Response, Problem> {
    let id = agent.own_id("contact", &asked.fois);
    if let Some(kept) = store::find(&agent.db, id).await? {
        let form = Form { typed: form::texts(sent).await?, ..Form::default() };
        return noted(agent, sheet, asked, form, &kept, done).await;
    }
    let is_file = |name: &str| name.strip_suffix(".fichier") == Some(FILE);
    let place = || Slot { slot: LOOSE.to_owned(), most: MOST_FILES, images: false };
    let form = form::receive(agent, id, sent, |name| is_file(name).then(place)).await?;
    let questions = model::questions(sheet.tied);
    let mut readings = household::read(&questions, &form.typed, agent.today());
    let typed = model::read(&mut readings, agent.now, &agent.site.zone).filter(|_| form.refused.is_empty());
    let Some(typed) = typed else { return draw(agent, sheet, asked, &form, true).await };
    if keep(agent, id, request, department, &typed, &form).await? {
        return Ok(Redirect::to(done).into_response());
    }
    let kept = store::find(&agent.db.fresh(), id).await?.ok_or(Problem::NotFound)?;
    noted(agent, sheet, asked, form, &kept, done).await
}

/// What is noted is not touched any more: sent again with other words, these are shown, to be noted beside it.
async fn noted(
    agent: &Agent,
    sheet: &Sheet,
    asked: &Asked,
    mut form: Form,
    kept: &Contact,
    done: &str,
) -> Result<Response, Problem> {
    let questions = model::questions(sheet.tied);
    let mut readings = household::read(&questions, &form.typed, agent.today());
    let typed = model::read(&mut readings, agent.now, &agent.site.zone);
    if typed.is_some_and(|typed| typed.says(kept)) {
        return Ok(Redirect::to(done).into_response());
    }
    let text = "Cet échange est déjà noté comme vous l’aviez d’abord écrit. Ce que vous enverrez d’ici sera noté en plus : n’y laissez que ce qui change";
    form.refused.push((model::TEXT.to_owned(), text.to_owned()));
    let asked = Asked { service: asked.service.clone(), fois: String::new() };
    draw(agent, sheet, &asked, &form, true).await
}

/// False when another click was faster: the files that came with this one go.
async fn keep(
    agent: &Agent,
    id: Uuid,
    request: Option<Uuid>,
    department: &str,
    typed: &Typed,
    form: &Form,
) -> Result<bool, db::Error> {
    let new = New {
        id,
        department,
        request,
        channel: &typed.channel,
        incoming: typed.incoming,
        at: typed.at,
        by: Some(agent.account.id),
        who: &typed.who,
        address: &typed.address,
        subject: "",
        body: &typed.body,
        quoted: "",
        shared: typed.shared,
        as_message: false,
    };
    let write = async |tx: &mut Tx| {
        let added = store::add(tx, &new, agent.now).await?;
        if !added {
            for (_, file) in &form.added {
                remove_file(tx, id, Some(LOOSE), *file).await?;
            }
        }
        Ok::<_, db::Error>(added)
    };
    agent.db.write(write).await
}

async fn draw(agent: &Agent, sheet: &Sheet, asked: &Asked, form: &Form, again: bool) -> Result<Response, Problem> {
    let once = if asked.fois.is_empty() { secret::token() } else { asked.fois.clone() };
    let questions = model::questions(sheet.tied);
    let raw: &Raw = &form.typed;
    let mut readings = household::read(&questions, raw, agent.today());
    if again {
        let _ = model::read(&mut readings, agent.now, &agent.site.zone);
    }
    let drawn = Drawing::sheet(agent, None, raw, again).draw(&readings)?;
    let refused: Vec<Json> = form
        .refused
        .iter()
        .map(|(name, text)| json!({"href": format!("#{}", name.trim_end_matches(".fichier")), "text": text}))
        .collect();
    let kept = files_of(&agent.db, agent.own_id("contact", &once)).await?;
    let kept: Vec<&str> = kept.iter().map(|file| file.name.as_str()).collect();
    let query = crate::platform::encode(&asked.service);
    let context = context! {
        heading => sheet.heading, intro => &sheet.intro, back => &sheet.back,
        action => format!("{}?service={query}&fois={}", sheet.action, crate::platform::encode(&once)),
        errors => Serde(drawn.errors.into_iter().chain(refused).collect::<Vec<_>>()),
        fields_html => Value::from_safe_string(drawn.html),
        files => Serde(kept), accept => upload::ACCEPT, max_size => agent.app.config.upload_limit,
    };
    let draw = if again { Agent::page_again } else { Agent::page };
    draw(agent, "agent/contact_new.html", sheet.heading, context)
}
