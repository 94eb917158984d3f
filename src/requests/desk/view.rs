//! The parts of a request's page, from what was read of it.

use std::collections::{BTreeMap, BTreeSet};

use forms::{
    journey::{Section, form_shown},
    model::Procedure,
    step::{Actor, Life},
    workflow::{Action, Need, Transition},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value as Json, json};

use super::{Opened, delays, show::Dossier, transfer, words};
use crate::{
    contacts::{self, Contact, show::Came},
    platform::{clock, french},
    requests::{
        access::Right,
        assign::ASSIGNED,
        certified, channel,
        citizen::{self, answer::answering, field_slot},
        files, fire,
        handover::HANDED,
        mailed::Mailed,
        model::{Decision, File, Form, Message, piece_slot},
    },
    visit::Agent,
};

/// Where downloads of agents begin.
const FILES: &str = "/agent/fichiers";

/// Who, what, until when.
pub fn banner<R: Right>(agent: &Agent, file: &Opened<R>) -> Json {
    let (request, procedure, zone) = (&file.request, &file.procedure, &agent.site.zone);
    let (life, known): (Life, _) = (request.life(), BTreeMap::new());
    let due = delays::due(agent, Some(&procedure.alerts), request.due_at, &request.status, request.ended_at.is_some());
    let email = request.email.clone().filter(|_| file.content());
    let contact = email.unwrap_or_else(|| {
        if request.email.is_some() {
            "Courriel donné"
        } else {
            "Pas de courriel : à prévenir par courrier ou par téléphone"
        }
        .to_owned()
    });
    json!({
        "reference": request.reference,
        "href": file.came.on(&file.url()),
        "procedure": procedure.title,
        "status": request.status,
        "state": words::state(procedure, &request.state),
        "usager": request.filer_name.as_deref().unwrap_or("Sans nom"),
        "beneficiary": request.beneficiary,
        "newer": file.newer.map(|newer| json!({"own": request.procedure_version, "published": newer})),
        "organisation": file.organisation,
        "acted_as": request.acted_as,
        "internal": procedure.is_internal(),
        "confidential_address": request.confidential_address,
        "contact": [contact],
        "received": request.received(zone),
        "channel": channel::words(&request.channel),
        "due": (due.look != "none").then(|| due.day.to_string()),
        "due_state": due.look,
        "due_text": due.text,
        "silence": delays::silence(procedure, &life, &request.status, fire::context(agent, &known)),
        "assigned": if request.holder_id == Some(agent.account.id) { Some("Vous") } else { request.holder_name.as_deref() },
        "complete": request.completed_at,
        "next": words::next_step(request),
        "presence": if file.content() { format!("{}/presence", file.url()) } else { String::new() },
    })
}

/// The usager's answers; sensitive ones are marked.
pub fn sections(agent: &Agent, dossier: &Dossier) -> Json {
    let answers = &dossier.file.request.answers.0;
    let mut sections = dossier.file.procedure.show(answers);
    certified::annotate(&dossier.marks, answers, &mut sections);
    sections.extend(forms(agent, &dossier.file.procedure, &dossier.forms));
    let rows = |section: &Section| -> Vec<Json> {
        section
            .rows
            .iter()
            .map(|line| json!({"key": line.label, "values": line.lines, "sensitive": line.sensitive}))
            .collect()
    };
    json!(
        sections
            .iter()
            .map(|section| json!({"title": section.title, "depth": section.depth, "rows": rows(section)}))
            .collect::<Vec<_>>()
    )
}

/// What agents answered to the forms of transitions, each with who and when.
pub fn forms(agent: &Agent, procedure: &Procedure, forms: &[Form]) -> Vec<Section> {
    let shown = forms.iter().filter_map(|form| {
        let transition = procedure.workflow.transition(&form.transition)?;
        let by = form.agent.as_deref().unwrap_or("automatiquement");
        let day = french::date(clock::day(form.at, &agent.site.zone));
        let title = format!("{} ({by}, {day})", transition.label);
        // A value may be set without being asked for there.
        let fields: Vec<_> = procedure.workflow.form_fields().cloned().collect();
        Some(form_shown(&title, &fields, &form.answers.0))
    });
    shown.flatten().collect()
}

/// Pieces asked for or given, then files sent as answers, then what the city made.
pub fn pieces(agent: &Agent, dossier: &Dossier) -> Json {
    let (request, procedure, sent) = (&dossier.file.request, &dossier.file.procedure, &dossier.files);
    let day = clock::day(request.submitted_at, &agent.site.zone);
    let filled = procedure.fill(&request.answers.0);
    let reading = procedure.read(&filled, &files::by_piece(sent), day);
    let needed: BTreeSet<&str> = reading.pieces.iter().map(|asked| asked.piece.id.as_str()).collect();
    let asked: BTreeSet<&str> = dossier
        .asks
        .iter()
        .filter(|ask| ask.answered_at.is_none() && ask.kind == "piece")
        .map(|ask| ask.target.as_str())
        .collect();
    let mut shown = Vec::new();
    for piece in &procedure.pieces {
        let files = in_slot(sent, &piece_slot(&piece.id));
        if !files.is_empty() || needed.contains(piece.id.as_str()) || asked.contains(piece.id.as_str()) {
            let missing = if piece.optional { "Non fournie (facultative)" } else { "Non fournie" };
            shown.push(json!({"title": piece.title, "basis": piece.basis, "files": files, "missing": missing, "asked": asked.contains(piece.id.as_str())}));
        }
    }
    for field in procedure.fields().filter(|field| field.kind.files().is_some()) {
        let files = in_slot(sent, &field_slot(&field.id));
        if !files.is_empty() {
            shown.push(json!({"title": field.ask, "basis": "", "files": files, "missing": "", "asked": false}));
        }
    }
    let made: Vec<Json> = sent
        .iter()
        .filter(|file| file.slot.starts_with("document:"))
        .map(|file| citizen::file_json(file, FILES))
        .collect();
    if !made.is_empty() {
        shown.push(
            json!({"title": "Documents de la mairie", "basis": "", "files": made, "missing": "", "asked": false}),
        );
    }
    json!(shown)
}

fn in_slot(sent: &[File], slot: &str) -> Vec<Json> {
    sent.iter().filter(|file| file.slot == slot).map(|file| citizen::file_json(file, FILES)).collect()
}

pub fn messages(dossier: &Dossier) -> Json {
    let all = said(&dossier.file.procedure, &dossier.messages, &dossier.contacts, &dossier.files, &dossier.mailed);
    json!(all.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>())
}

/// Messages, what was said otherwise, mails and SMS that left, in the order in which it happened; `files` of the
/// request.
pub fn said(
    procedure: &Procedure,
    messages: &[Message],
    contacts: &[Contact],
    files: &[File],
    mailed: &[Mailed],
) -> Vec<(Timestamp, Json)> {
    let one = |message: &Message| {
        let from_usager = message.author == "usager";
        let usager = words::filer(procedure);
        let who = if from_usager { usager } else { message.author_name.as_deref().unwrap_or("Le service") };
        let came = Came::of(message.id, contacts, files, FILES);
        let shown = json!({
            "from_usager": from_usager, "who": who, "text": message.body, "date": message.at, "read": message.read_at,
            "how": came.how, "internal": false, "quoted": came.quoted, "files": came.files,
        });
        (message.at, shown)
    };
    let others = contacts.iter().filter(|contact| !contact.as_message);
    let others = others.map(|contact| (contact.at, contacts::show::for_agents(contact, files, FILES)));
    let left = mailed.iter().map(|one| (one.at(), one.for_agents()));
    let mut all: Vec<_> =
        messages.iter().filter(|message| !message.internal).map(one).chain(others).chain(left).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

pub fn notes(dossier: &Dossier) -> Json {
    let one = |note: &Message| json!({"who": note.author_name.as_deref().unwrap_or("Un agent"), "text": note.body, "date": note.at});
    json!(dossier.messages.iter().filter(|message| message.internal).map(one).collect::<Vec<_>>())
}

/// Latest first.
pub fn history(dossier: &Dossier) -> Json {
    let procedure = &dossier.file.procedure;
    json!(
        dossier
            .events
            .iter()
            .rev()
            .map(|event| json!({"date": event.at, "text": words::event(procedure, event), "who": words::actor(procedure, event)}))
            .collect::<Vec<_>>()
    )
}

pub fn decision(decision: &Decision) -> Json {
    json!({
        "accepted": decision.favourable,
        "date": decision.at,
        "text": decision.facts.as_deref().unwrap_or_default(),
        "ground": decision.ground.as_deref().unwrap_or_default(),
        "appeal": decision.appeal.as_deref().unwrap_or_default(),
        "author": {"name": decision.author_name, "quality": decision.author_quality, "service": decision.author_department},
    })
}

/// What the usager was asked for and did not answer yet, with the last day to do so.
pub fn asks(dossier: &Dossier) -> Vec<String> {
    let procedure = &dossier.file.procedure;
    let title = |kind: &str, target: &str| match kind {
        "piece" => procedure.pieces.iter().find(|piece| piece.id == target).map(|piece| piece.title.clone()),
        _ => procedure.fields().find(|field| field.id == target).map(|field| field.ask.clone()),
    };
    let open = dossier.asks.iter().filter(|ask| ask.answered_at.is_none());
    let until = |day: Option<Date>| day.map(|day| format!(", avant le {}", french::date(day))).unwrap_or_default();
    open.map(|ask| {
        format!("{}{}", title(&ask.kind, &ask.target).unwrap_or_else(|| ask.target.clone()), until(ask.until))
    })
    .collect()
}

/// Who holds the request, and since when, as long as there is something to do about it.
pub fn lock(agent: &Agent, dossier: &Dossier) -> Json {
    let request = &dossier.file.request;
    let Some(holder) = request.holder_id.filter(|_| request.ended_at.is_none() && dossier.file.content()) else {
        return Json::Null;
    };
    let takes = |code: &str| {
        [words::HELD, HANDED, ASSIGNED].contains(&code)
            || dossier
                .file
                .procedure
                .workflow
                .transition(code)
                .is_some_and(|transition| transition.does.contains(&Action::TakeCharge))
    };
    let since = dossier.events.iter().rev().find(|event| takes(&event.code)).map(|event| event.at);
    json!({"name": request.holder_name.as_deref().unwrap_or("un collègue"), "mine": holder == agent.account.id, "since": since})
}

/// The transitions that the agent may fire now, then who holds the request: nobody is told of that.
pub fn actions(agent: &Agent, dossier: &Dossier) -> Json {
    let (request, url, came) = (&dossier.file.request, dossier.file.url(), &dossier.file.came);
    let offered: Vec<&Transition> = offered(agent, dossier).filter(|(_, holds)| *holds).map(|(one, _)| one).collect();
    let main = offered.iter().position(|transition| transition.needs.contains(&Need::Decision)).unwrap_or(0);
    let mut actions: Vec<Json> = offered
        .iter()
        .enumerate()
        .map(|(index, transition)| {
            let kind = if index == main && button(transition).is_empty() { "" } else if button(transition).is_empty() { "secondary" } else { button(transition) };
            json!({"href": came.on(&format!("{url}/actions/{}", transition.id)), "label": transition.label, "kind": kind, "direct": false})
        })
        .collect();
    if dossier.file.content() && answering(&dossier.file.procedure, &request.state).next().is_some() {
        actions.push(json!({"href": format!("{url}/completer"), "label": "Saisir la réponse de l’usager", "kind": "secondary", "direct": false}));
    }
    if dossier.file.content() && request.ended_at.is_none() {
        let from = request.holder_id.map(|holder| holder.to_string()).unwrap_or_default();
        let taking = offered.iter().any(|transition| transition.does.contains(&Action::TakeCharge));
        match request.holder_id {
            Some(holder) if holder == agent.account.id => actions.push(json!({"href": came.on(&format!("{url}/liberer?de={from}")), "label": "Libérer le dossier", "kind": "secondary", "direct": true})),
            Some(_) => actions.push(json!({"href": came.on(&format!("{url}/affecter?de={from}")), "label": "Reprendre le dossier", "kind": "secondary", "direct": true})),
            None if !taking => actions.push(json!({"href": came.on(&format!("{url}/affecter?de=")), "label": "M’affecter le dossier", "kind": "secondary", "direct": true})),
            None => {}
        }
        actions.push(json!({"href": came.on(&format!("{url}/confier")), "label": "Confier à un collègue", "kind": "secondary", "direct": false}));
        if request.actor == Actor::Decider && transfer::possible(&dossier.file.procedure, request) {
            actions.push(json!({"href": came.on(&format!("{url}/transmettre")), "label": "Transmettre à un autre service", "kind": "secondary", "direct": false}));
        }
    }
    json!(actions)
}

/// What their role lets the agent fire from here, and whether the answers do too.
fn offered<'d>(agent: &Agent, dossier: &'d Dossier) -> impl Iterator<Item = (&'d Transition, bool)> {
    let (request, procedure) = (&dossier.file.request, &dossier.file.procedure);
    let known = fire::known(procedure, &request.answers.0, &request.given.0);
    let judged = procedure.workflow.offered(&request.state, request.actor);
    let life = request.life();
    let able = |one: &Transition| one.holds(fire::context(agent, &known)) && one.is_approved(&life);
    let judged: Vec<_> = judged.map(|one| (one, able(one))).collect();
    judged.into_iter()
}

/// The transitions that the answers do not allow, or that wait for approvals, each with its condition; conditions tell
/// of answers.
pub fn held_back(agent: &Agent, dossier: &Dossier) -> Vec<Json> {
    let procedure = &dossier.file.procedure;
    let held = offered(agent, dossier).filter(|(_, holds)| !holds && dossier.file.content());
    held.map(|(one, _)| {
        let circuit = one.approved.as_ref().and_then(|id| procedure.workflow.approval(id));
        let approved = circuit.map(|circuit| format!("« {} » est visé", circuit.title));
        let when = one.when.as_ref().map(|when| procedure.says(when));
        json!({"label": one.label, "when": when.into_iter().chain(approved).collect::<Vec<_>>().join(", et ")})
    })
    .collect()
}

/// The latest circuit of approvals when it says something that agents must read: somebody refused, or what was to be
/// approved has changed.
pub fn unapproved(dossier: &Dossier) -> Json {
    let latest = dossier.approvals.first();
    let told = latest.filter(|circuit| circuit["state"] == "declined" || circuit["state"] == "void");
    told.filter(|_| dossier.file.request.ended_at.is_none()).cloned().unwrap_or(Json::Null)
}

/// `warning` for a refusal.
pub fn button(transition: &Transition) -> &'static str {
    if transition.needs.contains(&Need::Refusal) { "warning" } else { "" }
}
