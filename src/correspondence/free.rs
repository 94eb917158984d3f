//! « Écrire une lettre »: an agent writes to the usager of a request, outside of any transition, from nothing or from
//! the words of a template. As with other letters, what was read is what leaves.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{
    answers::Raw,
    model::Procedure,
    text::{self, Block},
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use uuid::Uuid;

use super::{
    compose::{self, About, Composed},
    jobs,
    model::{Author, Medium},
    store::{self, New},
};
use crate::{
    authorities::{self, Department},
    catalogue, contacts, delegations,
    error::Problem,
    journal::{Action, Line},
    platform::{
        attachment,
        form::Typed,
        jobs::{self as queue, NewJob},
    },
    requests::{
        self, Permitted, Process,
        jobs::NOTIFY,
        store::{Entry, record},
    },
    visit::Agent,
};

const TITLE: &str = "Écrire une lettre";
const LONGEST_SUBJECT: usize = 150;
/// The code, in the history of a request.
pub const WRITTEN: &str = "letter-written";
const NO_QUALITY: &str = "Votre qualité n’est pas renseignée\u{a0}: elle doit figurer sur une lettre. Demandez à l’administrateur de l’ajouter à votre compte.";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The code of a template to begin from.
    modele: String,
}

/// A request to whose usager the agent writes, and who signs.
struct Writing {
    request: Permitted<Process>,
    procedure: Arc<Procedure>,
    department: Department,
    author: Author,
}

/// What is typed, as it is.
#[derive(Debug, Default)]
struct Words {
    /// Of the letter: what is sent twice is written once.
    id: Uuid,
    subject: String,
    body: String,
    to_post: bool,
    /// The digest of the letter that was shown.
    seen: String,
}

impl Words {
    fn read(raw: &Raw) -> Self {
        let body = raw.0.get("texte").and_then(|all| all.first()).map(|text| text.trim_end().to_owned());
        Self {
            id: raw.text("lettre").parse().unwrap_or_default(),
            subject: raw.text("objet").replace('\n', " "),
            body: body.unwrap_or_default(),
            to_post: raw.text("poste") == "oui",
            seen: raw.text("vue").to_owned(),
        }
    }
}

impl Writing {
    async fn open(agent: &Agent, id: Uuid) -> Result<Self, Problem> {
        let trace = Line::agent(agent, Action::RequestOpened);
        let request = requests::open_at_desk::<Process>(agent, id, trace).await?;
        let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
        let department = authorities::department(&agent.db, &request.department_id).await?.ok_or(Problem::NotFound)?;
        let author = author(agent, &department, &request.procedure_id).await?;
        Ok(Self { request, procedure, department, author })
    }

    fn url(&self) -> String {
        format!("/agent/demandes/{}/courrier", self.request.id)
    }

    fn about(&self, agent: &Agent, to_post: bool) -> About<'_> {
        About { to_post, ..About::request(agent, &self.request, &self.procedure, &self.author) }
    }

    fn address(&self, agent: &Agent) -> Vec<String> {
        compose::address(&self.about(agent, false))
    }

    /// The letter, unless something is wrong: the field to point at, and a sentence.
    fn letter(&self, agent: &Agent, words: &Words) -> (Option<Composed>, Vec<(&'static str, String)>) {
        let mut wrong = Vec::new();
        match words.subject.chars().count() {
            0 => wrong.push(("objet", "Écrivez l’objet.".to_owned())),
            length if length > LONGEST_SUBJECT => {
                wrong.push((
                    "objet",
                    format!("L’objet compte {length} caractères\u{a0}: raccourcissez-le à {LONGEST_SUBJECT} au plus."),
                ));
            }
            _ => {}
        }
        if words.body.trim().is_empty() {
            wrong.push(("texte", "Écrivez le texte.".to_owned()));
        }
        for hole in compose::holes(&self.procedure, &format!("{}\n{}", words.subject, words.body)) {
            wrong.push((
                "texte",
                format!("Remplacez «\u{a0}{hole}\u{a0}»\u{a0}: cette demande n’a pas de réponse à cette question."),
            ));
        }
        if words.to_post && self.address(agent).is_empty() {
            let text = "Cette demande n’a pas d’adresse postale\u{a0}: la lettre ne peut pas être postée.";
            wrong.push(("poste", text.to_owned()));
        }
        if self.author.name.is_empty() || self.author.quality.is_empty() {
            wrong.push(("lettre", NO_QUALITY.to_owned()));
        }
        let blocks: Vec<Block> = text::typed(&words.body).unwrap_or_else(|mistakes| {
            let told = |one: &text::Mistake| {
                let advice = one.advice.as_ref().map(|advice| format!(" {advice}")).unwrap_or_default();
                ("texte", format!("Ligne {}\u{a0}: {}{advice}", one.line, one.message))
            };
            wrong.extend(mistakes.iter().map(told));
            Vec::new()
        });
        let letter = wrong.is_empty().then(|| {
            compose::written(agent, &self.department, &self.about(agent, words.to_post), &words.subject, &blocks)
        });
        (letter, wrong)
    }
}

/// Who signs a letter that decides nothing: in the quality that the register of delegations gives them, by its act;
/// who is not in it signs in their own (CRPA L111-2: name, quality and department).
async fn author(agent: &Agent, department: &Department, procedure: &str) -> Result<Author, Problem> {
    let place = (department.id.as_str(), procedure);
    let line = delegations::for_letters(&agent.db, agent.account.id, place, agent.today()).await?;
    let (quality, delegation) = match &line {
        Some(line) => (line.quality.clone(), line.mention()),
        None => (agent.account.quality.clone().unwrap_or_default(), None),
    };
    let quality = quality.trim().to_owned();
    Ok(Author { name: agent.account.full_name(), quality, service: department.name.clone(), delegation })
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let writing = Writing::open(&agent, id).await?;
    let unreachable = writing.request.email.is_none() && writing.request.account_id.is_none();
    let mut words =
        Words { id: agent.id(), to_post: unreachable && !writing.address(&agent).is_empty(), ..Words::default() };
    let mut wrong = Vec::new();
    if !asked.modele.is_empty() {
        match begin(&agent, &writing, &asked.modele).await? {
            Ok((subject, body)) => (words.subject, words.body) = (subject, body),
            Err(sentences) => wrong.extend(sentences.into_iter().map(|one| ("modele", one))),
        }
    }
    draw(&agent, &writing, &words, &Shown { letter: None, wrong: &wrong, asked: &asked.modele }).await
}

/// The words of a template for this request.
async fn begin(agent: &Agent, writing: &Writing, code: &str) -> Result<Result<(String, String), Vec<String>>, Problem> {
    if Medium::of(code).0 != Medium::Letter {
        return Err(Problem::NotFound);
    }
    let template = store::template(&agent.db, &writing.department.id, code, None).await?.ok_or(Problem::NotFound)?;
    let decision = requests::store::decision(&agent.db, writing.request.id).await?;
    let about = About { decision: decision.as_ref(), ..writing.about(agent, false) };
    Ok(compose::begun(agent, &template, &writing.department, &about))
}

/// What the page says beside the words.
struct Shown<'a> {
    letter: Option<&'a Composed>,
    wrong: &'a [(&'static str, String)],
    /// The template that was begun from.
    asked: &'a str,
}

async fn draw(agent: &Agent, writing: &Writing, words: &Words, shown: &Shown<'_>) -> Result<Response, Problem> {
    let request = &writing.request;
    let templates = store::templates(&agent.db, &writing.department.id).await?;
    let letters = templates.iter().filter(|one| one.medium() == Medium::Letter);
    let templates: Vec<Json> =
        letters.map(|one| json!({"value": one.code, "text": one.title, "chosen": one.code == shown.asked})).collect();
    let errors: Vec<Json> =
        shown.wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let Author { name, quality, service, delegation } = &writing.author;
    let context = context! {
        request => Serde(json!({
            "reference": request.reference, "href": format!("/agent/demandes/{}", request.id),
            "procedure": writing.procedure.title, "usager": request.filer_name.as_deref().unwrap_or("Usager sans nom"),
        })),
        url => writing.url(), errors => Serde(errors), templates => Serde(templates),
        form => Serde(json!({"id": words.id, "subject": words.subject, "body": words.body, "to_post": words.to_post})),
        address => writing.address(agent), reachable => request.email.is_some(),
        author => Serde(json!({"name": name, "quality": quality, "service": service, "delegation": delegation})),
        letter => Serde(shown.letter.map(|letter| json!({"content": letter.content, "seen": letter.digest()}))),
    };
    let draw = if shown.wrong.is_empty() { Agent::page } else { Agent::page_again };
    draw(agent, "agent/free_letter.html", TITLE, context)
}

/// Shows the letter, or sends the one that was shown.
pub async fn send(agent: Agent, Path(id): Path<Uuid>, Typed(raw): Typed) -> Result<Response, Problem> {
    let writing = Writing::open(&agent, id).await?;
    let words = Words::read(&raw);
    let (letter, wrong) = writing.letter(&agent, &words);
    let read = letter.as_ref().filter(|letter| raw.text("action") == "envoyer" && letter.digest() == words.seen);
    let Some(letter) = read else {
        return draw(&agent, &writing, &words, &Shown { letter: letter.as_ref(), wrong: &wrong, asked: "" }).await;
    };
    if words.id.is_nil() {
        return Err(Problem::Bad("Cette page n’est plus bonne. Ouvrez de nouveau la lettre."));
    }
    keep(&agent, &writing, &words, letter).await?;
    agent.app.work.notify_one();
    Ok(Redirect::to(&format!("/agent/demandes/{id}?onglet=pieces&fait=lettre")).into_response())
}

/// The letter, its entry in the history, its document, and the word to the usager; once.
async fn keep(agent: &Agent, writing: &Writing, words: &Words, letter: &Composed) -> Result<(), Problem> {
    let (request, id, by, now) = (writing.request.id, words.id, agent.account.id, agent.now);
    let new = New {
        id,
        department: writing.department.id.clone(),
        code: letter.code.clone(),
        version: letter.version,
        title: letter.title.clone(),
        content: letter.content.clone(),
        written_on: agent.today(),
        author: Some(by),
        to_post: words.to_post,
    };
    let (making, telling) = (agent.id(), agent.id());
    let reachable = writing.request.email.is_some();
    let kept = agent
        .db
        .write(async |tx: &mut Tx| {
            if let Some(of) = store::request_of(tx, id).await? {
                return Ok(of == request);
            }
            store::insert(tx, request, &new).await?;
            let entry = Entry {
                actor: "agent",
                actor_id: Some(by),
                code: WRITTEN,
                from: None,
                to: None,
                subject: Some(id),
                acted: None,
            };
            record(tx, request, &entry, now).await?;
            queue::enqueue(tx, making, now, jobs::making(request, id)).await?;
            if reachable || contacts::sms::chosen(tx, request).await? {
                let job = NewJob {
                    kind: NOTIFY,
                    effect: format!("notify:{request}:letter:{id}"),
                    request: Some(request),
                    payload: json!({"message": "message"}),
                };
                queue::enqueue(tx, telling, now, job).await?;
            }
            Ok::<bool, db::Error>(true)
        })
        .await?;
    if kept { Ok(()) } else { Err(Problem::NotFound) }
}

/// The letter as it would be printed.
pub async fn pdf(agent: Agent, Path(id): Path<Uuid>, Typed(raw): Typed) -> Result<Response, Problem> {
    let writing = Writing::open(&agent, id).await?;
    let words = Words::read(&raw);
    let (letter, wrong) = writing.letter(&agent, &words);
    let Some(letter) = letter else {
        return draw(&agent, &writing, &words, &Shown { letter: None, wrong: &wrong, asked: "" }).await;
    };
    let pdf = jobs::set(std::slice::from_ref(&letter.content), agent.today()).await?;
    Ok(attachment::pdf(pdf, &format!("apercu-{}.pdf", writing.request.reference)))
}
