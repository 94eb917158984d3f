//! « Modèles »: the letters, mails and SMS of a department, for who manages it.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{
    answers::Raw,
    model::Procedure,
    text::{Mistake, Names},
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    jobs, mail,
    model::{self, Medium, Template},
    preview,
    store::{self, Saving},
};
use crate::{
    agents,
    authorities::{self, Department},
    catalogue, contacts,
    error::Problem,
    journal::{self, Action, Line},
    platform::{attachment, form::Typed},
    requests::unsent,
    visit::Agent,
};

const HOME: &str = "/agent/modeles";
const TITLE: &str = "Modèles de lettres, de courriels et de SMS";
const LONGEST_TITLE: usize = 100;
const LONGEST_SUBJECT: usize = 300;
/// Of the source of an SMS, conditions included.
const LONGEST_SMS: usize = 1_000;
/// More SMS than these for one message are told to cost much.
const MOST_PARTS: usize = 2;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fait: String,
    /// A version to look at.
    version: Option<i64>,
}

fn url(department: &str, code: &str) -> String {
    format!("{HOME}/{}/{code}", crate::platform::encode(department))
}

pub async fn list(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let managed = agents::managed(&agent)?;
    let current = catalogue::current(&agent).await?;
    let sms = contacts::sms::offered(&agent).await?;
    let mut shown = Vec::new();
    for department in managed {
        let id = &department.department_id;
        let templates = store::templates(&agent.db, id).await?;
        let letters: Vec<Json> = templates
            .iter()
            .filter(|one| one.medium() == Medium::Letter)
            .map(|one| {
                let senders = model::senders(&current, id, &one.code);
                let senders: Vec<&str> = senders.iter().map(|one| one.title.as_str()).collect();
                json!({"title": one.title, "href": url(id, &one.code), "version": one.version, "saved": one.saved_at, "by": one.saved_name, "senders": senders})
            })
            .collect();
        let unsent = unsent::waiting(&agent.db, id).await?;
        let messages = |medium: Medium| {
            let line = |message: &str, title: &str| {
                let code = medium.code(message);
                let own = templates.iter().find(|one| one.code == code);
                json!({"title": title, "href": url(id, &code), "version": own.map(|one| one.version), "saved": own.map(|one| one.saved_at), "by": own.and_then(|one| one.saved_name.clone()), "unsent": unsent.get(&code).copied().unwrap_or_default()})
            };
            mail::MESSAGES.iter().map(|(message, title)| line(message, title)).collect::<Vec<Json>>()
        };
        let sms = if sms { messages(Medium::Sms) } else { Vec::new() };
        shown.push(json!({"id": id, "name": department.department_name, "letters": letters, "mails": messages(Medium::Mail), "sms": sms}));
    }
    let flash = match asked.fait.as_str() {
        "enregistre" => {
            context! { flash => context! { kind => "success", text => "Le modèle est enregistré. Il sert dès maintenant." } }
        }
        "relances" => {
            context! { flash => context! { kind => "success", text => "Le modèle est enregistré. Les envois qui l’attendaient vont partir." } }
        }
        "identique" => context! { flash => context! { kind => "info", text => "Le modèle n’a pas changé." } },
        _ => context! {},
    };
    agent.page("agent/templates.html", TITLE, context! { departments => Serde(shown), ..flash })
}

/// A template that the agent may edit, and what it may name.
struct Editing {
    template: Template,
    department: Department,
    senders: Vec<Arc<Procedure>>,
}

impl Editing {
    async fn open(agent: &Agent, department: &str, code: &str, version: Option<i64>) -> Result<Self, Problem> {
        let managed = agents::managed(agent)?;
        if managed.iter().all(|one| one.department_id != department) {
            return Err(Problem::NotFound);
        }
        let known = store::template(&agent.db, department, code, version).await?;
        let template = match (known, Medium::of(code)) {
            (Some(known), _) => known,
            (None, (medium, Some(message)))
                if version.is_none() && mail::MESSAGES.iter().any(|(id, _)| *id == message) =>
            {
                mail::shipped(agent, medium, department, message)?
            }
            (None, _) => return Err(Problem::NotFound),
        };
        let department = authorities::department(&agent.db, department).await?.ok_or(Problem::NotFound)?;
        let current = catalogue::current(agent).await?;
        let senders = model::senders(&current, &department.id, code);
        Ok(Self { template, department, senders })
    }

    fn medium(&self) -> Medium {
        self.template.medium()
    }

    fn is_letter(&self) -> bool {
        self.medium() == Medium::Letter
    }

    /// What may stand in it, for each procedure that sends it: it must suit all of them.
    fn names(&self) -> Vec<Names> {
        if !self.is_letter() {
            return vec![mail::names(self.medium())];
        }
        let of: Vec<Names> = self.senders.iter().map(|one| model::names(one)).collect();
        if of.is_empty() { vec![Names::letter()] } else { of }
    }

    fn url(&self) -> String {
        url(&self.department.id, &self.template.code)
    }
}

/// The template with what was typed instead of what is kept.
fn typed(editing: &Editing, raw: &Raw) -> Template {
    let text = |name: &str| raw.text(name).to_owned();
    let title = if editing.is_letter() { text("titre") } else { editing.template.title.clone() };
    // What begins the text counts: an indented line is one.
    let body =
        raw.0.get("texte").and_then(|all| all.first()).map(|text| text.trim_end().to_owned()).unwrap_or_default();
    Template { title, subject: text("objet").replace('\n', " "), body, ..editing.template.clone() }
}

/// What is wrong: the field to point at, and a sentence.
fn problems(editing: &Editing, template: &Template) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut lengths = |field: &'static str, text: &str, most: usize, missing: &str| match text.chars().count() {
        0 => found.push((field, missing.to_owned())),
        length if length > most => {
            found.push((
                field,
                format!("Ce texte compte {length} caractères\u{a0}: raccourcissez-le à {most} au plus."),
            ));
        }
        _ => {}
    };
    lengths("titre", &template.title, LONGEST_TITLE, "Donnez un nom à ce modèle.");
    let sms = editing.medium() == Medium::Sms;
    if !sms {
        lengths("objet", &template.subject, LONGEST_SUBJECT, "Écrivez l’objet.");
    }
    let longest = if sms { LONGEST_SMS } else { forms::text::LONGEST };
    lengths("texte", &template.body, longest, "Écrivez le texte.");
    let mut told = BTreeSet::new();
    for names in editing.names() {
        for mistake in template.parse(&names).err().unwrap_or_default() {
            let (field, sentence) = sentence(&mistake);
            if told.insert(sentence.clone()) {
                found.push((field, sentence));
            }
        }
    }
    found
}

fn sentence(mistake: &Mistake) -> (&'static str, String) {
    let advice = mistake.advice.as_ref().map(|advice| format!(" {advice}")).unwrap_or_default();
    match mistake.line {
        0 => ("objet", format!("{}{advice}", mistake.message)),
        line => ("texte", format!("Ligne {line}\u{a0}: {}{advice}", mistake.message)),
    }
}

pub async fn edit(
    agent: Agent,
    Path((department, code)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let editing = Editing::open(&agent, &department, &code, asked.version).await?;
    let template = editing.template.clone();
    draw(&agent, &editing, &template, &Shown { reference: "", errors: &[] }).await
}

/// What the page says beside the template.
struct Shown<'a> {
    reference: &'a str,
    errors: &'a [(&'static str, String)],
}

async fn draw(agent: &Agent, editing: &Editing, template: &Template, shown: &Shown<'_>) -> Result<Response, Problem> {
    let versions = store::history(&agent.db, &editing.department.id, &template.code).await?;
    let latest = versions.first().map_or(0, |one| one.version);
    let url = editing.url();
    let listed: Vec<Json> = versions
        .iter()
        .map(|one| json!({"version": one.version, "date": one.saved_at, "who": one.saved_name, "href": format!("{url}?version={}", one.version), "shown": one.version == template.version}))
        .collect();
    let errors: Vec<Json> =
        shown.errors.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let mut variables: Vec<Json> = Vec::new();
    for names in editing.names() {
        for one in names.variables() {
            let line = json!({"path": one.path, "label": one.label, "maybe": one.maybe});
            if !variables.contains(&line) {
                variables.push(line);
            }
        }
    }
    let (letter, worded) = previews(agent, editing, template, shown).await?;
    let context = context! {
        department => &editing.department.name, medium => editing.medium().genre(), kind => editing.medium().words(), url => &url,
        form => Serde(json!({"title": template.title, "subject": template.subject, "body": template.body, "reference": shown.reference})),
        older => template.version < latest, version => template.version, latest => latest,
        errors => Serde(errors), variables => Serde(variables), letter => Serde(letter), worded => Serde(worded),
        versions => Serde(listed), senders => Serde(editing.senders.iter().map(|one| one.title.clone()).collect::<Vec<_>>()),
    };
    let draw = if shown.errors.is_empty() { Agent::page } else { Agent::page_again };
    draw(agent, "agent/template.html", &template.title, context)
}

/// The letter, or the mail or the SMS; nothing of what cannot be read.
async fn previews(
    agent: &Agent,
    editing: &Editing,
    template: &Template,
    shown: &Shown<'_>,
) -> Result<(Json, Json), Problem> {
    if !editing.is_letter() {
        return Ok((Json::Null, worded(agent, editing, template)?));
    }
    if !shown.errors.is_empty() {
        return Ok((Json::Null, Json::Null));
    }
    let senders: Vec<&Procedure> = editing.senders.iter().map(AsRef::as_ref).collect();
    let preview = preview::of(agent, template, &editing.department, &senders, shown.reference).await?;
    Ok((preview.json(), Json::Null))
}

/// A mail or an SMS as it would leave, and what the SMS costs.
fn worded(agent: &Agent, editing: &Editing, template: &Template) -> Result<Json, Problem> {
    let medium = editing.medium();
    let Ok(worded) = mail::sample(agent, medium, &editing.department, &template.subject, &template.body) else {
        return Ok(Json::Null);
    };
    if medium == Medium::Mail {
        return Ok(json!({"subject": worded.subject, "text": worded.text, "cost": Json::Null}));
    }
    let message = template.message().unwrap_or_default();
    let text = contacts::sms::whole(agent, message, &mail::reference(agent), &worded.text)?;
    let cost = contacts::sms::measure(&text);
    let costly: Vec<String> = cost.costly.iter().map(ToString::to_string).collect();
    Ok(json!({
        "subject": "", "text": text,
        "cost": {"letters": cost.letters, "parts": cost.parts, "gsm": cost.gsm, "costly": costly, "much": cost.parts > MOST_PARTS},
    }))
}

/// Saves a version, or shows what it would give.
pub async fn save(
    agent: Agent,
    Path((department, code)): Path<(String, String)>,
    Typed(raw): Typed,
) -> Result<Response, Problem> {
    let editing = Editing::open(&agent, &department, &code, None).await?;
    let template = typed(&editing, &raw);
    let mut errors = problems(&editing, &template);
    let seen: i64 = raw.text("version").parse().unwrap_or(-1);
    let latest = editing.template.latest;
    let reference = raw.text("dossier");
    if raw.text("action") == "apercu" || !errors.is_empty() {
        let shown = Template { version: seen.clamp(0, latest), ..template };
        return draw(&agent, &editing, &shown, &Shown { reference, errors: &errors }).await;
    }
    if seen == latest && same(&template, &editing.template) && latest > 0 {
        return Ok(Redirect::to(&format!("{HOME}?fait=identique")).into_response());
    }
    let saving = Saving {
        department: &department,
        code: &code,
        genre: &template.genre,
        title: &template.title,
        subject: &template.subject,
        body: &template.body,
        by: Some(agent.account.id),
    };
    let detail = format!("{code} v{}", seen + 1);
    let saved = agent
        .db
        .write(async |tx: &mut Tx| {
            if !store::save(tx, &saving, seen, agent.now).await? {
                return Ok(None);
            }
            let trace = Line::agent(&agent, Action::TemplateChanged).department(&department).detail(&detail);
            journal::note(tx, agent.now, &trace).await?;
            Ok::<Option<usize>, db::Error>(Some(
                unsent::release(tx, &department, &code, agent.account.id, agent.now).await?,
            ))
        })
        .await?;
    if let Some(released) = saved {
        if released > 0 {
            agent.app.work.notify_one();
        }
        let done = if released > 0 { "relances" } else { "enregistre" };
        return Ok(Redirect::to(&format!("{HOME}?fait={done}")).into_response());
    }
    let now = store::template(&agent.db, &department, &code, None).await?.map_or(0, |one| one.version);
    errors.push(("texte", format!("Un collègue a enregistré la version {now} pendant que vous écriviez. Comparez, puis enregistrez de nouveau pour la remplacer par votre texte.")));
    let shown = Template { version: now, ..template };
    draw(&agent, &editing, &shown, &Shown { reference, errors: &errors }).await
}

fn same(one: &Template, other: &Template) -> bool {
    (&one.title, &one.subject, &one.body) == (&other.title, &other.subject, &other.body)
}

/// The preview as it would be printed.
pub async fn pdf(
    agent: Agent,
    Path((department, code)): Path<(String, String)>,
    Typed(raw): Typed,
) -> Result<Response, Problem> {
    let editing = Editing::open(&agent, &department, &code, None).await?;
    if !editing.is_letter() {
        return Err(Problem::NotFound);
    }
    let template = typed(&editing, &raw);
    let (errors, reference) = (problems(&editing, &template), raw.text("dossier"));
    let senders: Vec<&Procedure> = editing.senders.iter().map(AsRef::as_ref).collect();
    let letter = if errors.is_empty() {
        preview::of(&agent, &template, &editing.department, &senders, reference).await?.letter
    } else {
        None
    };
    let Some(letter) = letter else {
        return draw(&agent, &editing, &template, &Shown { reference, errors: &errors }).await;
    };
    let pdf = jobs::set(std::slice::from_ref(&letter.content), agent.today()).await?;
    Ok(attachment::pdf(pdf, &format!("apercu-{code}.pdf")))
}
