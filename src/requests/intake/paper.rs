//! « Formulaire papier »: a procedure to be filled in by hand, then entered here.

use axum::{extract::Path, response::Response};
use forms::{
    journey::{Blank, BlankPage},
    kinds::Paper,
    model::Procedure,
};
use serde_json::{Map, Value as Json, json};

use super::begin::offered;
use crate::{
    authorities,
    error::Problem,
    platform::attachment,
    requests::{citizen, jobs::render},
    visit::Agent,
};

pub async fn print(agent: Agent, Path(id): Path<String>) -> Result<Response, Problem> {
    let offered = offered(&agent).await?;
    let published = offered.iter().find(|one| one.procedure.id == id).ok_or(Problem::NotFound)?;
    let procedure = &published.procedure;
    let department = authorities::department(&agent.db, &procedure.department).await?.ok_or(Problem::NotFound)?;
    let data = json!({
        "authority": {"name": agent.site.name},
        "department": department.for_letters(),
        "reference": format!("Formulaire {id}, version {}", published.version),
        "procedure": procedure.title,
        "opening": "À remplir lisiblement, puis à remettre ou à envoyer au service. Ne répondez qu’aux questions qui vous concernent.",
        "parts": procedure.blank().iter().map(part).collect::<Vec<_>>(),
        "pieces": pieces(procedure),
        "declaration": procedure.declaration,
        "notice": citizen::notice(procedure),
    });
    Ok(attachment::pdf(render(&letters::BLANK, data, &agent).await?, &format!("formulaire-{id}.pdf")))
}

fn part(page: &BlankPage<'_>) -> Json {
    let questions: Vec<Json> = page.questions.iter().map(question).collect();
    json!({"title": page.title, "intro": page.intro, "when": page.when, "questions": questions})
}

fn optional(title: &str, optional: bool) -> String {
    if optional { format!("{title} (facultatif)") } else { title.to_owned() }
}

fn question(asked: &Blank<'_>) -> Json {
    let ask = optional(asked.ask, asked.optional);
    let rows: Vec<Json> = asked.rows.iter().map(question).collect();
    let ask = if rows.is_empty() { ask } else { format!("{ask} – à recopier pour chacun, {} au plus", asked.most) };
    let mut shown = Map::new();
    let room = match &asked.paper {
        Paper::Nothing => ("rows", json!(rows)),
        Paper::Text(text) => ("text", json!(text)),
        Paper::Lines(many) => ("lines", json!(many)),
        Paper::Model(model) => ("model", json!(model)),
        Paper::Parts(labels) => ("parts", json!(labels)),
        Paper::Joined => ("text", json!(["Document à joindre."])),
        Paper::Boxes { labels, several } => {
            shown.insert("several".to_owned(), if *several { json!("oui") } else { Json::Null });
            ("boxes", json!(labels))
        }
    };
    let rest = [("ask", json!(ask)), ("help", json!(asked.help)), ("when", json!(asked.when)), room];
    shown.extend(rest.map(|(key, value)| (key.to_owned(), value)));
    Json::Object(shown)
}

fn pieces(procedure: &Procedure) -> Vec<Json> {
    let one = |piece: forms::journey::BlankPiece<'_>| {
        let instead =
            (!piece.instead.is_empty()).then(|| format!("Ou, à la place\u{a0}: {}.", piece.instead.join(", ")));
        let help: Vec<String> = piece.help.map(str::to_owned).into_iter().chain(instead).collect();
        json!({"title": optional(piece.title, piece.optional), "help": help, "when": piece.when})
    };
    procedure.blank_pieces().map(one).collect()
}
