//! « Dossier complet »: all that a request holds as one PDF, as it is printed for a commission or a court. A cover
//! with its contents, the answers, the history, what was said and decided, then every file, each behind a page that
//! names it. Decision 0038.

use std::io;

use axum::{
    body::Body,
    extract::{Path, Query},
    response::Response,
};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use self::{files::Entry, told::Part};
use super::{Opened, view, words};
use crate::{
    approvals, authorities, consultations,
    contacts::{self, Contact},
    error::Problem,
    journal::{Action, Line},
    platform::{attachment, french},
    requests::{
        access::Process,
        channel, file_kind,
        jobs::{common, printed_section, render},
        mailed::{self, Mailed},
        model::{Decision, Event, File, Message},
        store,
    },
    scans::{self, Failed, Sheaf},
    visit::Agent,
};

mod files;
mod told;

const PAGE: &str = "agent/whole_file.html";
const TITLE: &str = "Dossier complet";
/// Bytes of the files that one PDF may hold.
const LARGEST: u64 = 100_000_000;
/// Pages of the same. What is read of files may be larger than they are.
const MOST_PAGES: usize = 1_000;
/// Bytes of what was read of files, before it is bound.
const LARGEST_READ: u64 = 3 * LARGEST;

/// What the agent wants in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `oui`: what is internal too.
    notes: String,
    /// `non`: files are named, and that is all.
    pieces: String,
}

impl Asked {
    fn internal(&self) -> bool {
        self.notes == "oui"
    }

    fn files(&self) -> bool {
        self.pieces != "non"
    }

    /// What was read, for the journal.
    fn words(&self) -> &'static str {
        match (self.files(), self.internal()) {
            (true, true) => "avec les pièces et les notes internes",
            (true, false) => "avec les pièces",
            (false, true) => "sans les pièces, avec les notes internes",
            (false, false) => "sans les pièces",
        }
    }
}

/// All that is printed of a request.
struct Whole {
    file: Opened<Process>,
    events: Vec<Event>,
    messages: Vec<Message>,
    contacts: Vec<Contact>,
    mailed: Vec<Mailed>,
    stored: Vec<File>,
    decision: Option<Decision>,
    opinions: Vec<Json>,
    approvals: Vec<Json>,
    entries: Vec<Entry>,
}

impl Whole {
    /// `internal`: what the usager does not see as well.
    async fn open(agent: &Agent, id: Uuid, line: Line<'_>, internal: bool) -> Result<Self, Problem> {
        let file = Opened::<Process>::open_with(agent, id, line).await?;
        let (db, stored) = (&agent.db, crate::requests::files_of(&agent.db, id).await?);
        let mut events = store::events(db, id).await?;
        let mut contacts = contacts::of_request(db, id).await?;
        let mut messages = store::messages(db, id).await?;
        if !internal {
            events.retain(|event| event.code != contacts::INTERNAL);
            contacts.retain(|contact| contact.shared);
            messages.retain(|message| !message.internal);
        }
        let opinions = consultations::on_request(agent, id, &stored).await?;
        let known = files::Known {
            procedure: &file.procedure,
            filer: file.request.filer_name.as_deref().unwrap_or("L’usager"),
            city: &agent.site.name,
            contacts: &contacts,
            opinions: &opinions,
        };
        let entries = files::of(db, id, &known).await?;
        Ok(Self {
            approvals: approvals::on_request(agent, id).await?,
            decision: store::decision(db, id).await?,
            file,
            mailed: mailed::of(db, id).await?,
            events,
            messages,
            contacts,
            stored,
            opinions,
            entries,
        })
    }

    /// What the cover says.
    async fn facts(&self, agent: &Agent, asked: &Asked) -> Result<Vec<Json>, Problem> {
        let (request, procedure, zone) = (&self.file.request, &self.file.procedure, &agent.site.zone);
        let department = authorities::department(&agent.db, &request.department_id).await?;
        let day = |at: Option<jiff::Timestamp>| at.map(|at| french::datetime(at, zone));
        let organisation = self.file.organisation.as_ref().and_then(|card| card["name"].as_str());
        let said = [
            ("Démarche", Some(procedure.title.clone())),
            (words::who(procedure), request.filer_name.clone()),
            ("Pour", request.beneficiary.clone()),
            ("Organisation", organisation.map(str::to_owned)),
            ("Service", department.map(|department| department.name)),
            ("Reçue le", Some(request.received(zone))),
            ("Par", Some(french::lower_first(channel::words(&request.channel)))),
            ("Complète le", day(request.completed_at)),
            ("Échéance", request.ended_at.is_none().then(|| french::datetime(request.due_at, zone))),
            ("Terminée le", day(request.ended_at)),
            ("État", Some(words::state(procedure, &request.state))),
            ("Notes internes", Some(if asked.internal() { "comprises" } else { "non comprises" }.to_owned())),
            ("Imprimé par", Some(agent.account.full_name())),
        ];
        Ok(said.into_iter().filter_map(|(label, value)| Some(json!({"label": label, "value": value?}))).collect())
    }

    /// Data of [`letters::REQUEST`], without its files.
    async fn data(&self, agent: &Agent, asked: &Asked) -> Result<Json, Problem> {
        let (request, procedure, zone) = (&self.file.request, &self.file.procedure, &agent.site.zone);
        let mut data = common(agent, request, true).await?;
        let forms = view::forms(agent, procedure, &store::forms(&agent.db, request.id).await?);
        if let Some(sections) = data.get_mut("sections").and_then(Json::as_array_mut) {
            sections.extend(forms.iter().map(|section| printed_section(section, true)));
        }
        let said = view::said(procedure, &self.messages, &self.contacts, &self.stored, &self.mailed);
        let parts: Vec<Part> = [
            told::history(procedure, &self.events, zone),
            told::said(&said, zone),
            told::opinions(&self.opinions, zone),
            told::visas(&self.approvals, zone),
            told::notes(&self.messages, zone),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some(object) = data.as_object_mut() {
            object.insert("facts".into(), json!(self.facts(agent, asked).await?));
            object.insert("decision".into(), json!(self.decision.as_ref().map(|one| told::decision(one, zone))));
            object.insert("parts".into(), json!(parts));
            object.insert("files".into(), json!([]));
        }
        Ok(data)
    }

    /// How heavy the files to bind are, when that is too much.
    fn too_heavy(&self) -> Option<String> {
        let sizes = self.entries.iter().filter(|entry| entry.apart().is_none()).map(Entry::size);
        let size = sizes.sum::<u64>();
        (size > LARGEST).then(|| {
            let (size, most) = (french::size(size), french::size(LARGEST));
            format!("Les pièces et documents pèsent {size}, et un seul PDF en contient {most} au plus. Téléchargez-les un à un ci-dessous, et le dossier sans eux.")
        })
    }

    /// The page where an agent says what to print; with `problem`, why it is not.
    fn options(&self, agent: &Agent, asked: &Asked, problem: Option<&str>) -> Result<Response, Problem> {
        let request = &self.file.request;
        let files: Vec<Json> = self
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "title": entry.title, "name": entry.stored.name, "href": format!("/agent/fichiers/{}", entry.stored.id),
                    "type": file_kind(&entry.stored.media_type), "size": entry.size(), "apart": entry.apart().unwrap_or_default(),
                })
            })
            .collect();
        let errors: Vec<Json> = problem.iter().map(|text| json!({"href": "#sans-pieces", "text": text})).collect();
        let context: Value = context! {
            request => context! { reference => &request.reference, href => self.file.url(), procedure => &self.file.procedure.title },
            pdf => format!("{}/dossier.pdf", self.file.url()), files => Serde(files), notes => asked.internal(),
            bare => !asked.files() || problem.is_some(), largest => LARGEST, pages => MOST_PAGES, errors => Serde(errors),
        };
        if problem.is_some() { agent.page_again(PAGE, TITLE, context) } else { agent.page(PAGE, TITLE, context) }
    }
}

/// What to print.
pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let line = Line::agent(&agent, Action::RequestOpened);
    let whole = Whole::open(&agent, id, line, true).await?;
    whole.options(&agent, &Asked::default(), None)
}

/// The PDF; or the list of what is too much for one.
pub async fn pdf(agent: Agent, Path(id): Path<Uuid>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let line = Line::agent(&agent, Action::RequestPrinted).detail(asked.words());
    let whole = Whole::open(&agent, id, line, asked.internal()).await?;
    if asked.files()
        && let Some(problem) = whole.too_heavy()
    {
        return whole.options(&agent, &asked, Some(&problem));
    }
    let (sheaf, files, apart) = match gather(&agent, &whole, &asked).await? {
        Gathered::All { sheaf, files, apart } => (sheaf, files, apart),
        Gathered::TooMuch => {
            let problem = format!(
                "Les pièces et documents comptent plus de {MOST_PAGES} pages, ou en prendraient trop une fois réunis. Téléchargez-les un à un ci-dessous, et le dossier sans eux."
            );
            return whole.options(&agent, &asked, Some(&problem));
        }
    };
    let mut data = whole.data(&agent, &asked).await?;
    if let Some(parts) = data.get_mut("parts").and_then(Json::as_array_mut) {
        parts.extend(told::apart(apart, asked.files()).map(|part| json!(part)));
    }
    let name = format!("dossier-{}.pdf", whole.file.request.reference);
    if files.is_empty() {
        return Ok(attachment::pdf(render(&letters::REQUEST, data, &agent).await?, &name));
    }
    if let Some(object) = data.as_object_mut() {
        object.insert("files".into(), json!(files));
    }
    let (bound, size) = scans::bind(&agent, data, agent.today(), sheaf).await?;
    let size = i64::try_from(size).map_err(io::Error::other).map_err(anyhow::Error::from)?;
    Ok(attachment::attachment(Body::from_stream(ReaderStream::new(bound)), "application/pdf", size, &name))
}

enum Gathered {
    All {
        sheaf: Sheaf,
        /// Of [`letters::REQUEST`], in the order of the sheaf.
        files: Vec<Json>,
        apart: Vec<Json>,
    },
    TooMuch,
}

/// Reads every file that can be printed; the others are named, each with its reason.
async fn gather(agent: &Agent, whole: &Whole, asked: &Asked) -> Result<Gathered, Problem> {
    let (mut sheaf, mut pages) = (Sheaf::new(agent).await?, 0);
    let (mut files, mut apart) = (Vec::new(), Vec::new());
    for (index, entry) in whole.entries.iter().enumerate() {
        let title = format!("{}. {}", index + 1, entry.title);
        let lines = entry.lines(&agent.site.zone);
        if !asked.files() {
            apart.push(told::named(&title, lines, None));
            continue;
        }
        if let Some(why) = entry.apart() {
            apart.push(told::named(&title, lines, Some(why)));
            continue;
        }
        match scans::print(agent, entry.stored.id, &mut sheaf).await {
            Ok(many) => {
                pages += many;
                files.push(json!({"title": title, "entries": lines, "pages": many}));
            }
            Err(error) => match error.downcast_ref::<Failed>() {
                Some(failed) => apart.push(told::named(&title, lines, Some(words_of(*failed)))),
                None => return Err(error.into()),
            },
        }
        if pages > MOST_PAGES || sheaf.size() > LARGEST_READ {
            return Ok(Gathered::TooMuch);
        }
    }
    Ok(Gathered::All { sheaf, files, apart })
}

fn words_of(failed: Failed) -> &'static str {
    match failed {
        Failed::Locked => "N’a pas pu être joint\u{a0}: un mot de passe protège ce fichier.",
        Failed::Form => {
            "N’a pas pu être joint\u{a0}: ce formulaire PDF a été rempli à l’écran, et ses réponses ne s’imprimeraient pas toutes."
        }
        Failed::Broken => "N’a pas pu être joint\u{a0}: ce fichier est abîmé, ou trop complexe pour être lu.",
    }
}
