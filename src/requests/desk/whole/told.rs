//! The parts of a printed file, in words.

use forms::model::Procedure;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::super::words;
use crate::{
    platform::french,
    requests::model::{Decision, Event, Message},
};

/// A heading and what is under it: see [`letters::REQUEST`].
#[derive(Debug, Serialize)]
pub struct Part {
    title: &'static str,
    blocks: Vec<Json>,
}

/// None where there is nothing to tell.
fn part(title: &'static str, blocks: Vec<Json>) -> Option<Part> {
    (!blocks.is_empty()).then_some(Part { title, blocks })
}

/// Lines of which the value is known.
fn lines<const N: usize>(all: [(&str, String); N]) -> Vec<Json> {
    let known = all.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(label, value)| json!({"label": label, "value": value})).collect()
}

fn text<'a>(one: &'a Json, key: &str) -> &'a str {
    one[key].as_str().unwrap_or_default()
}

/// A moment as pages are given it, in words; nothing when there is none.
fn moment(one: &Json, key: &str, zone: &TimeZone) -> String {
    text(one, key).parse::<Timestamp>().map(|at| french::datetime(at, zone)).unwrap_or_default()
}

fn day(one: &Json, key: &str) -> String {
    text(one, key).parse::<Date>().map(french::date).unwrap_or_default()
}

pub fn history(procedure: &Procedure, events: &[Event], zone: &TimeZone) -> Option<Part> {
    let one = |event: &Event| json!({"label": french::datetime(event.at, zone), "value": [words::event(procedure, event), words::actor(procedure, event)]});
    let entries: Vec<Json> = events.iter().map(one).collect();
    part("Historique", vec![json!({"entries": entries})])
}

/// Messages and contacts: see [`super::super::view::said`].
pub fn said(all: &[(Timestamp, Json)], zone: &TimeZone) -> Option<Part> {
    let one = |(at, said): &(Timestamp, Json)| {
        let files: Vec<&str> = said["files"].as_array().into_iter().flatten().map(|file| text(file, "name")).collect();
        let internal = if said["internal"] == true { " (interne)" } else { "" };
        let how = if text(said, "how").is_empty() { "Message" } else { text(said, "how") };
        let entries = lines([
            ("Le", french::datetime(*at, zone)),
            ("Lu le", moment(said, "read", zone)),
            ("Avec", files.join(", ")),
        ]);
        let quoted = text(said, "quoted");
        let quoted =
            if quoted.is_empty() { String::new() } else { format!("Messages précédents cités\u{a0}:\n{quoted}") };
        let texts: Vec<&str> =
            [text(said, "text"), text(said, "sent"), &quoted].into_iter().filter(|text| !text.is_empty()).collect();
        json!({"title": format!("{how}{internal}\u{a0}: {}", text(said, "who")), "entries": entries, "text": texts})
    };
    part("Messages et échanges", all.iter().map(one).collect())
}

/// See [`crate::consultations::on_request`].
pub fn opinions(all: &[Json], zone: &TimeZone) -> Option<Part> {
    let one = |one: &Json| {
        let state = match text(one, "state") {
            "open" => "Attendu".to_owned(),
            "given" => text(one, "verdict").to_owned(),
            "withdrawn" => "Demande retirée".to_owned(),
            _ => "Non rendu".to_owned(),
        };
        let by = if text(one, "asked_by").is_empty() { "automatiquement" } else { text(one, "asked_by") };
        let entries = lines([
            ("Question", text(one, "question").to_owned()),
            ("Demandé le", format!("{} ({by})", moment(one, "asked", zone))),
            ("Attendu le", day(one, "until")),
            ("Avis", state),
            ("Rendu le", moment(one, "given", zone)),
            ("Rendu par", text(one, "by").to_owned()),
        ]);
        json!({"title": text(one, "who"), "entries": entries, "text": text(one, "answer")})
    };
    part("Avis", all.iter().map(one).collect())
}

/// See [`crate::approvals::on_request`].
pub fn visas(all: &[Json], zone: &TimeZone) -> Option<Part> {
    let step = |step: &Json| {
        let state = match text(step, "state") {
            "approved" => "Visé",
            "declined" => "Visa refusé",
            "open" => "Attendu",
            "waiting" => "Pas encore demandé",
            _ => "Non donné",
        };
        let told = [state, text(step, "by"), &moment(step, "at", zone), text(step, "reason")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>();
        json!({"label": format!("{} ({})", text(step, "title"), text(step, "department")), "value": told.join(", ")})
    };
    let one = |circuit: &Json| {
        let state = match text(circuit, "state") {
            "open" => "En cours",
            "approved" => "Visé par tous",
            "declined" => "Visa refusé",
            "void" => "Caduc, le dossier a changé",
            _ => "Retiré du parapheur",
        };
        let mut entries = lines([
            ("Mis au parapheur le", moment(circuit, "asked", zone)),
            ("Par", text(circuit, "asked_by").to_owned()),
            ("État", state.to_owned()),
        ]);
        entries.extend(circuit["steps"].as_array().into_iter().flatten().map(step));
        json!({"title": text(circuit, "title"), "entries": entries})
    };
    // The earliest first, like the rest.
    part("Visas", all.iter().rev().map(one).collect())
}

pub fn notes(all: &[Message], zone: &TimeZone) -> Option<Part> {
    let one = |note: &Message| {
        let who = note.author_name.as_deref().unwrap_or("Un agent");
        json!({"title": format!("{who}, le {}", french::datetime(note.at, zone)), "text": note.body})
    };
    part("Notes internes", all.iter().filter(|message| message.internal).map(one).collect())
}

pub fn decision(decision: &Decision, zone: &TimeZone) -> Json {
    let texts = [&decision.ground, &decision.facts, &decision.appeal].into_iter().flatten();
    let texts: Vec<&str> = texts.map(String::as_str).filter(|text| !text.is_empty()).collect();
    json!({
        "label": if decision.favourable { "Demande acceptée" } else { "Demande refusée" },
        "date": french::datetime(decision.at, zone),
        "author": format!("{}, {}, {}", decision.author_name, decision.author_quality, decision.author_department),
        "text": if texts.is_empty() { Json::Null } else { json!(texts.join("\n")) },
    })
}

/// A file that is named only, and why.
pub fn named(title: &str, mut lines: Vec<Json>, why: Option<&str>) -> Json {
    lines.extend(why.map(|why| json!({"label": "À joindre à part", "value": why})));
    json!({"title": title, "entries": lines})
}

/// Files that are named only; `bound`: others are bound.
pub fn apart(blocks: Vec<Json>, bound: bool) -> Option<Part> {
    part(if bound { "À joindre à part" } else { "Liste des pièces et documents" }, blocks)
}
