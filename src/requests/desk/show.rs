//! One request as agents see it, its printed file, and what they write: messages and notes.

use axum::{
    extract::{Path, Query, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    LONGEST, Opened,
    store::{self as desk, Failure},
    transfer, view, words,
};
use crate::{
    approvals, consultations,
    contacts::{self, Contact},
    error::Problem,
    journal,
    platform::{french, jobs},
    requests::{
        access::{Process, Read},
        certified::{self, Mark},
        files, form,
        jobs::NOTIFY,
        linked,
        mailed::{self, Mailed},
        model::{Ask, Decision, Event, File, Form, Message},
        store::{self, NewMessage},
    },
    visit::Agent,
};

/// A request with all that its page shows. For a reader, little of it is read at all.
pub struct Dossier {
    pub file: Opened<Read>,
    /// What is certified of the answers.
    pub marks: Vec<Mark>,
    pub files: Vec<File>,
    pub messages: Vec<Message>,
    pub contacts: Vec<Contact>,
    /// Mails and SMS that left.
    pub mailed: Vec<Mailed>,
    pub events: Vec<Event>,
    pub asks: Vec<Ask>,
    pub decision: Option<Decision>,
    pub forms: Vec<Form>,
    pub failures: Vec<Failure>,
    /// Asked of others: see [`consultations::on_request`].
    pub opinions: Vec<Json>,
    /// Circuits of approvals, the latest first: see [`approvals::on_request`].
    pub approvals: Vec<Json>,
    /// Requests that it led to, or that led to it.
    pub linked: Vec<Json>,
    /// How else its filer is told.
    pub reach: Vec<String>,
    /// Pages of the requests before and after it in the list it was opened from.
    /// A colleague at work on it now.
    pub busy: Option<String>,
    pub beside: (String, String),
}

impl Dossier {
    async fn open(agent: &Agent, id: Uuid, tab: &str) -> Result<Self, Problem> {
        let file = Opened::<Read>::open(agent, id).await?;
        let events = store::events(&agent.db, id).await?;
        let beside = file.came.neighbours(agent, &file.request).await?;
        let mut dossier = Self {
            file,
            events,
            marks: Vec::new(),
            files: Vec::new(),
            messages: Vec::new(),
            contacts: Vec::new(),
            mailed: Vec::new(),
            asks: Vec::new(),
            decision: None,
            forms: Vec::new(),
            failures: Vec::new(),
            opinions: Vec::new(),
            approvals: Vec::new(),
            linked: Vec::new(),
            reach: Vec::new(),
            busy: None,
            beside,
        };
        if dossier.file.content() {
            dossier.busy = journal::busy(agent, &[id]).await?.remove(&id);
            dossier.marks = certified::of(agent, id).await?;
            dossier.files = files::of(&agent.db, id).await?;
            dossier.messages = store::messages(&agent.db, id).await?;
            match tab {
                "messages" => {
                    dossier.contacts = contacts::of_request(&agent.db, id).await?;
                    dossier.mailed = mailed::of(&agent.db, id).await?;
                }
                "demande" => {
                    dossier.linked = dossier.links(agent).await?;
                    dossier.reach = contacts::show::reach(agent, id).await?;
                }
                _ => {}
            }
            dossier.asks = store::asks(&agent.db, id).await?;
            dossier.decision = store::decision(&agent.db, id).await?;
            // None is stored where no transition has one.
            if !dossier.file.request.given.0.is_empty() {
                dossier.forms = store::forms(&agent.db, id).await?;
            }
            // None is stored where none was asked.
            if dossier.events.iter().any(|event| event.code == consultations::ASKED) {
                dossier.opinions = consultations::on_request(agent, id, &dossier.files).await?;
            }
            if dossier.events.iter().any(|event| event.code == approvals::ASKED) {
                dossier.approvals = approvals::on_request(agent, id).await?;
            }
            dossier.failures = desk::failures(agent, Some(id)).await?;
        }
        Ok(dossier)
    }

    /// The other request of each link: who may not open it knows that it exists, what it is and its public status.
    async fn links(&self, agent: &Agent) -> Result<Vec<Json>, Problem> {
        let request = &self.file.request;
        let offered = self.events.iter().any(|event| event.code == linked::OFFERED);
        if !offered && !request.follows {
            return Ok(Vec::new());
        }
        let mut list = Vec::new();
        for link in linked::of(&agent.db, request.id).await? {
            let other = link.other(agent, request.id).await?;
            let opens = other.reference.is_some() && agent.role_on(other.department, other.procedure).is_some();
            list.push(json!({
                "before": other.before, "title": other.title, "reference": other.reference, "status": other.status,
                "href": if opens { format!("/agent/demandes/{}", other.id) } else { String::new() },
            }));
        }
        Ok(list)
    }

    fn unread(&self) -> usize {
        self.messages
            .iter()
            .filter(|message| message.author == "usager" && !message.internal && message.read_at.is_none())
            .count()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    onglet: String,
    /// What was just done: a transition, or a code of [`done`].
    fait: String,
}

const TABS: [(&str, &str); 7] = [
    ("demande", "Demande"),
    ("pieces", "Pièces"),
    ("messages", "Messages"),
    ("avis", "Avis"),
    ("parapheur", "Parapheur"),
    ("notes", "Notes internes"),
    ("historique", "Historique"),
];

pub async fn show(agent: Agent, Path(id): Path<Uuid>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let tab = TABS.iter().map(|(id, _)| *id).find(|id| *id == asked.onglet).unwrap_or("demande");
    let dossier = match Dossier::open(&agent, id, tab).await {
        Err(Problem::NotFound) => return transfer::gone(&agent, id).await,
        opened => opened?,
    };
    let tab = if dossier.file.content() { tab } else { "demande" };
    if tab == "messages" && dossier.unread() > 0 {
        // The usager sees « Lu par le service le… ».
        store::read(&agent.db, id, "usager", agent.now).await?;
    }
    let context = context(&agent, &dossier, tab, &Written::default(), done(&dossier, &asked.fait));
    agent.page("agent/request.html", &title(&dossier), context)
}

fn title(dossier: &Dossier) -> String {
    format!("{} – {}", dossier.file.request.reference, dossier.file.procedure.title)
}

/// What is being written, when the page comes back with an error.
#[derive(Debug, Default)]
struct Written<'a> {
    message: &'a str,
    note: &'a str,
    error: Option<(&'static str, String)>,
}

fn context(agent: &Agent, dossier: &Dossier, tab: &str, written: &Written<'_>, flash: Json) -> Value {
    let (file, url) = (&dossier.file, dossier.file.url());
    let errors: Vec<Json> =
        written.error.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let failures: Vec<Json> =
        dossier.failures.iter().map(|failure| super::failures::one(file.procedure.as_ref(), failure, &url)).collect();
    let mut context = json!({
        "tab": tab,
        "tabs": tabs(dossier),
        "restricted": !file.content(),
        "request": view::banner(agent, file),
        "lock": view::lock(agent, dossier),
        "busy": dossier.busy,
        "actions": view::actions(agent, dossier),
        "held_back": view::held_back(agent, dossier),
        "waiting": waiting(agent, dossier),
        "asks": view::asks(dossier),
        "decision": dossier.decision.as_ref().map(view::decision),
        "failures": failures,
        "opinions": {
            "list": dossier.opinions,
            "ask": if file.request.ended_at.is_none() { format!("{url}/avis/demander") } else { String::new() },
        },
        "approvals": dossier.approvals,
        "linked": dossier.linked,
        "unapproved": view::unapproved(dossier),
        "sections": [], "pieces": [], "messages": [], "notes": [], "history": [],
        "message": written.message,
        "note": written.note,
        "errors": errors,
        "reply": file.came.on(&format!("{url}/messages")),
        "add_contact": format!("{url}/echanges"),
        "add_note": file.came.on(&format!("{url}/notes")),
        "once": agent.id(),
        "reachable": file.request.email.is_some(),
        "pdf": format!("{url}/dossier"),
        "watchers": if file.content() { file.came.on(&format!("{url}/acces")) } else { String::new() },
        "renew_code": if file.request.account_id.is_none() { format!("{url}/code") } else { String::new() },
        "back": file.came.back(),
        "previous": dossier.beside.0,
        "next": dossier.beside.1,
        "version": file.request.version,
    });
    if let Some(known) = context.pointer_mut("/request/contact").and_then(Json::as_array_mut) {
        known.extend(dossier.reach.iter().map(|line| json!(line)));
    }
    let part = match tab {
        _ if !file.content() => None,
        "pieces" => Some(("pieces", view::pieces(agent, dossier))),
        "messages" => Some(("messages", view::messages(dossier))),
        "notes" => Some(("notes", view::notes(dossier))),
        "historique" => Some(("history", view::history(dossier))),
        _ => Some(("sections", view::sections(agent, dossier))),
    };
    if let Some(object) = context.as_object_mut() {
        object.extend(part.map(|(name, part)| (name.to_owned(), part)));
        if !flash.is_null() {
            object.insert("flash".into(), flash);
        }
    }
    Value::from(Serde(context))
}

fn tabs(dossier: &Dossier) -> Json {
    let url = dossier.file.url();
    let count = |tab: &str| match tab {
        "pieces" => Some(
            dossier
                .files
                .iter()
                .filter(|file| file.slot.starts_with("piece:") || file.slot.starts_with("field:"))
                .count(),
        ),
        "messages" => Some(dossier.unread()).filter(|unread| *unread > 0),
        "avis" => Some(dossier.opinions.iter().filter(|one| one["state"] == "open").count()),
        "parapheur" => Some(dossier.approvals.iter().filter(|one| one["state"] == "open").count()),
        "notes" => Some(dossier.messages.iter().filter(|message| message.internal).count()),
        _ => None,
    };
    // Few procedures have circuits of approvals.
    let circuits = !dossier.file.procedure.workflow.approvals.is_empty();
    let shown = TABS.iter().filter(|(id, _)| dossier.file.content() && (*id != "parapheur" || circuits));
    json!(shown.map(|(id, title)| json!({"id": id, "title": title, "href": dossier.file.came.on(&format!("{url}?onglet={id}")), "count": count(id).filter(|many| *many > 0)})).collect::<Vec<_>>())
}

fn waiting(agent: &Agent, dossier: &Dossier) -> String {
    let since = dossier.file.request.suspended_at.map(|since| crate::platform::clock::day(since, &agent.site.zone));
    since.map(|day| format!("En attente de l’usager depuis le {}.", french::date(day))).unwrap_or_default()
}

/// What to say of what was just done; nothing for an invented code.
fn done(dossier: &Dossier, code: &str) -> Json {
    let reachable = dossier.file.request.email.is_some();
    let told = |what: &str| {
        if reachable {
            what.to_owned()
        } else {
            "Cet usager n’a pas de courriel : prévenez-le autrement, il le verra aussi sur sa page de suivi.".to_owned()
        }
    };
    let text = match code {
        "" => return Json::Null,
        "affecte" => "Ce dossier vous est affecté.".to_owned(),
        "confie" => "Le dossier est confié. Un courriel prévient votre collègue.".to_owned(),
        "transmise" => format!("La demande est transmise. {}", told("Un courriel prévient l’usager.")),
        "libere" => "Ce dossier n’est plus affecté à personne.".to_owned(),
        "note" => "Votre note est ajoutée. L’usager ne la voit pas ici.".to_owned(),
        "message" => format!("Votre message est envoyé. {}", told("Un courriel prévient l’usager qu’il l’attend.")),
        "contact" => "L’échange est noté dans l’historique du dossier.".to_owned(),
        "rattache" => "Le contact est rattaché à ce dossier.".to_owned(),
        "saisie" => format!("La réponse est enregistrée. {}", told("Un courriel prévient l’usager.")),
        "code" => "Le nouveau code de suivi part par courriel. L’ancien ne fonctionne plus.".to_owned(),
        "avis-demande" => "L’avis est demandé. Vous le lirez ici, et un courriel vous préviendra.".to_owned(),
        "avis-retire" => "La demande d’avis est retirée\u{a0}: plus rien de ce dossier n’est montré.".to_owned(),
        "avis-lien" => "Un nouveau lien est envoyé. L’ancien ne s’ouvre plus.".to_owned(),
        "avis-trop-tard" => "La demande vient de se terminer\u{a0}: l’avis n’a pas été demandé.".to_owned(),
        "avis-deja" => "Cet avis n’est plus attendu\u{a0}: il vient d’être rendu ou retiré.".to_owned(),
        "relance" => "L’envoi va être tenté de nouveau.".to_owned(),
        "lettre" => "La lettre est envoyée. Elle est parmi les documents de l’usager dans un instant.".to_owned(),
        _ => match dossier.file.procedure.workflow.transition(code) {
            None => return Json::Null,
            Some(transition) => {
                let receives = transition.receives.as_deref().map(|receives| {
                    told(&format!(
                        "L’usager reçoit\u{a0}: {}{}",
                        receives.chars().take(1).flat_map(char::to_lowercase).collect::<String>(),
                        receives.chars().skip(1).collect::<String>()
                    ))
                });
                format!("C’est fait\u{a0}: {}. {}", transition.label, receives.unwrap_or_default())
            }
        },
    };
    json!({"kind": "success", "text": text.trim_end()})
}

/// A message to the usager; a mail tells them that it waits, without its text.
pub async fn write(agent: Agent, Path(id): Path<Uuid>, sent: Sent) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let typed = form::plain(sent).await?;
    let body = typed.text("message");
    if let Err(error) = acceptable(body, "Écrivez votre message.") {
        let written = Written { message: body, error: Some(("message", error)), ..Written::default() };
        return again(&agent, id, "messages", &written).await;
    }
    let once = typed.text("once").parse().unwrap_or_else(|_| agent.id());
    keep(&agent, &file, once, body, false).await?;
    agent.app.work.notify_one();
    Ok(Redirect::to(&file.came.on(&format!("{}?onglet=messages&fait=message", file.url()))).into_response())
}

/// An internal note.
pub async fn note(agent: Agent, Path(id): Path<Uuid>, sent: Sent) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let typed = form::plain(sent).await?;
    let body = typed.text("note");
    if let Err(error) = acceptable(body, "Écrivez votre note.") {
        let written = Written { note: body, error: Some(("note", error)), ..Written::default() };
        return again(&agent, id, "notes", &written).await;
    }
    let once = typed.text("once").parse().unwrap_or_else(|_| agent.id());
    keep(&agent, &file, once, body, true).await?;
    Ok(Redirect::to(&file.came.on(&format!("{}?onglet=notes&fait=note", file.url()))).into_response())
}

fn acceptable(body: &str, missing: &str) -> Result<(), String> {
    match body.chars().count() {
        0 => Err(missing.to_owned()),
        length if length > LONGEST => {
            Err(format!("Ce texte compte {length} caractères\u{a0}: raccourcissez-le à 10\u{202f}000 au plus."))
        }
        _ => Ok(()),
    }
}

async fn again(agent: &Agent, id: Uuid, tab: &str, written: &Written<'_>) -> Result<Response, Problem> {
    let dossier = Dossier::open(agent, id, tab).await?;
    let context = context(agent, &dossier, tab, written, Json::Null);
    agent.page_again("agent/request.html", &title(&dossier), context)
}

/// Stores a message or a note. Its id came with the form: a double click writes it once.
async fn keep(agent: &Agent, file: &Opened<Process>, id: Uuid, body: &str, internal: bool) -> Result<(), db::Error> {
    let (request, now, by) = (file.request.id, agent.now, agent.account.id);
    let (job, notify) = (agent.id(), !internal && file.request.email.is_some());
    agent
        .db
        .write(async |tx: &mut Tx| {
            if desk::written(tx, id).await? {
                return Ok(());
            }
            store::write(tx, request, &NewMessage { id, author: "agent", author_id: Some(by), internal, body }, now)
                .await?;
            if !internal {
                desk::note(tx, request, by, words::MESSAGE, Some(id), now).await?;
            }
            if notify || (!internal && contacts::sms::chosen(tx, request).await?) {
                let new = jobs::NewJob {
                    kind: NOTIFY,
                    effect: format!("notify:{request}:message:{id}"),
                    request: Some(request),
                    payload: json!({"message": "message"}),
                };
                jobs::enqueue(tx, job, now, new).await?;
            }
            Ok(())
        })
        .await
}
