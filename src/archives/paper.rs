//! A list on paper, for the visa, and as a file for spreadsheets. Neither names anybody.

use anyhow::Context;
use axum::{extract::Path, response::Response};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model,
    store::{self, Disposal, Entry, Part},
};
use crate::{
    authorities,
    error::Problem,
    platform::{
        attachment, clock, french,
        sheet::{Cell, Format},
    },
    requests::jobs,
    visit::{Agent, Archivist},
};

async fn find(agent: &Agent, id: Uuid) -> Result<(Disposal, Vec<Part>, Vec<Entry>), Problem> {
    let list = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    Ok((list, store::parts(&agent.db, id).await?, store::entries(&agent.db, id).await?))
}

fn send(bytes: Vec<u8>, media_type: &str, list: &Disposal, ending: &str) -> Response {
    attachment::file(bytes, media_type, &format!("bordereau-{}.{ending}", model::reference(list.number)))
}

pub async fn pdf(Archivist(agent): Archivist, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (list, parts, entries) = find(&agent, id).await?;
    let department = authorities::department(&agent.db, &list.department_id).await?.context("no department")?;
    let date = |at: Timestamp| french::date(clock::day(at, &agent.site.zone));
    let kept = entries.iter().filter_map(|entry| {
        let until = french::date(entry.kept_until?);
        Some(json!({"label": entry.reference, "value": format!("Jusqu’au {until}\u{a0}: {}", entry.kept_reason)}))
    });
    let visa = list.visa_on.map(|on| {
        json!([
            {"label": "Signé par", "value": list.visa_by}, {"label": "Numéro", "value": list.visa_number},
            {"label": "Date", "value": french::date(on)},
        ])
    });
    let state = match list.done_at {
        Some(at) => format!("Éliminé le {}", date(at)),
        None => list.stage().words().to_owned(),
    };
    let data = json!({
        "authority": {"name": agent.site.name}, "department": department.for_letters(), "reference": model::reference(list.number),
        "made": date(list.made_at), "state": state, "total": list.lines.to_string(),
        "parts": parts.iter().filter(|part| part.many > 0).map(|part| printed(part, &entries, date)).collect::<Vec<_>>(),
        "kept": kept.collect::<Vec<_>>(), "visa": visa,
    });
    let pdf = jobs::render(&::letters::DISPOSAL, data, &agent).await?;
    Ok(send(pdf, "application/pdf", &list, "pdf"))
}

fn printed(part: &Part, entries: &[Entry], date: impl Fn(Timestamp) -> String) -> Json {
    let of = |entry: &&Entry| entry.of(part) && entry.kept_until.is_none();
    let references: Vec<&str> = entries.iter().filter(of).map(|entry| entry.reference.as_str()).collect();
    let ended = match (part.first, part.last) {
        (Some(first), Some(last)) => format!("{} et le {}", date(first), date(last)),
        _ => String::new(),
    };
    let ground = if part.basis.is_empty() { part.dua.clone() } else { format!("{} – {}", part.dua, part.basis) };
    json!({
        "title": part.title, "references": references,
        "entries": [
            {"label": "Nombre", "value": part.many.to_string()},
            {"label": "Terminées entre le", "value": ended},
            {"label": "Durée d’utilité administrative", "value": ground},
            {"label": "Sort final", "value": model::fate_words(&part.fate)},
        ],
    })
}

const COLUMNS: [&str; 12] = [
    "Bordereau",
    "Référence",
    "Démarche",
    "Version",
    "Reçue le",
    "Terminée le",
    "DUA",
    "Fondement",
    "Sort final",
    "Gardée jusqu’au",
    "Motif",
    "Éliminée le",
];

pub async fn csv(Archivist(agent): Archivist, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (list, parts, entries) = find(&agent, id).await?;
    let (number, day) = (model::reference(list.number), |at: Timestamp| Some(clock::day(at, &agent.site.zone)));
    let mut text = Format::Csv.begin().to_owned();
    Format::Csv.row(&mut text, &COLUMNS.map(Cell::from));
    for entry in &entries {
        let Some(part) = parts.iter().find(|part| entry.of(part)) else { continue };
        let cells = [
            Cell::from(number.as_str()),
            Cell::from(entry.reference.as_str()),
            Cell::from(part.title.as_str()),
            Cell::Text(entry.procedure_version.to_string()),
            Cell::Day(day(entry.submitted_at)),
            Cell::Day(day(entry.ended_at)),
            Cell::from(part.dua.as_str()),
            Cell::from(part.basis.as_str()),
            Cell::from(model::fate_words(&part.fate)),
            Cell::Day(entry.kept_until),
            Cell::from(entry.kept_reason.as_str()),
            Cell::Day(entry.done_at.and_then(day)),
        ];
        Format::Csv.row(&mut text, &cells);
    }
    Ok(send(text.into_bytes(), Format::Csv.media_type(), &list, "csv"))
}
