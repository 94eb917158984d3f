//! The letters that agents print and post: one file for all those chosen.

use anyhow::Context;
use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    citizen::Way,
    model, post,
    store::{self, Letter},
};
use crate::{
    correspondence,
    error::Problem,
    journal::{self, Action, Line},
    platform::{attachment, clock, form::Typed, french},
    requests::jobs,
    visit::Agent,
};

const HOME: &str = "/agent/courriers";
/// Letters of one file.
const MOST: i64 = 50;

pub async fn show(agent: Agent, Query(way): Query<Way>) -> Result<Response, Problem> {
    agent.at_counter()?;
    let told = match way.fait.as_str() {
        "postees" => Some(("success", "Les lettres sont notées comme postées : leurs codes sont valables 30 jours.")),
        "aucune" => Some(("info", "Cochez au moins une lettre qui attend encore.")),
        _ => None,
    };
    let flash =
        told.map_or_else(|| context! {}, |(kind, text)| context! { flash => context! { kind => kind, text => text } });
    journal::read(&agent, &Line::agent(&agent, Action::LettersOpened)).await?;
    let others = correspondence::post::count(&agent).await?;
    let letters: Vec<Json> = store::queue(&agent.db, MOST)
        .await?
        .iter()
        .map(|letter| {
            let asked = french::date(clock::day(letter.asked_at, &agent.site.zone));
            let (name, address) = (model::name(&letter.identity.0), model::address_lines(&letter.address.0).join(", "));
            json!({"id": letter.id, "label": format!("{name}, {address} (demandée le {asked})")})
        })
        .collect();
    agent.page(
        "agent/letters.html",
        "Lettres à poster",
        context! { letters => Serde(letters), others => others, ..flash },
    )
}

/// Those whose boxes are ticked and that still wait.
async fn chosen(agent: &Agent, typed: &Raw) -> Result<Vec<Letter>, Problem> {
    agent.at_counter()?;
    let wanted: Vec<Uuid> = typed.all("lettre").filter_map(|id| id.parse().ok()).collect();
    let mut letters = store::queue(&agent.db, MOST).await?;
    letters.retain(|letter| wanted.contains(&letter.id));
    Ok(letters)
}

fn none() -> Response {
    Redirect::to(&format!("{HOME}?fait=aucune")).into_response()
}

/// Printing again gives the same codes: nothing is spoilt by a paper jam.
pub async fn print(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let letters = chosen(&agent, &typed).await?;
    if letters.is_empty() {
        return Ok(none());
    }
    agent
        .db
        .write(async |tx: &mut Tx| {
            for letter in &letters {
                let trace = Line::agent(&agent, Action::LettersPrinted).about("letter", letter.id);
                journal::note(tx, agent.now, &trace).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    let settings = &agent.site.settings;
    let pages: Vec<Json> = letters
        .iter()
        .map(|letter| {
            let code = model::readable(&post::code_of(&agent, letter.id));
            json!({"name": model::name(&letter.identity.0), "address": model::address_lines(&letter.address.0), "code": code})
        })
        .collect();
    let site = format!("{}{}", agent.public_url(), super::citizen::HOME);
    let data = json!({
        "authority": {"name": agent.site.name},
        "department": {"name": "Accueil", "address": settings.address, "email": settings.email, "phone": settings.phone},
        "site": site,
        "letters": pages,
    });
    let pdf = jobs::render(&::letters::CODE, data, &agent).await.context("letters with codes")?;
    Ok(attachment::pdf(pdf, "lettres.pdf"))
}

pub async fn posted(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let letters = chosen(&agent, &typed).await?;
    let (by, now) = (agent.account.id, agent.now);
    let noted = agent
        .db
        .write(async |tx: &mut Tx| {
            let mut noted = 0;
            for letter in &letters {
                let posted = store::posted(tx, letter.id, by, now).await?;
                if posted {
                    let trace = Line::agent(&agent, Action::LettersPosted).about("letter", letter.id);
                    journal::note(tx, now, &trace).await?;
                }
                noted += usize::from(posted);
            }
            Ok::<usize, db::Error>(noted)
        })
        .await?;
    if noted == 0 {
        return Ok(none());
    }
    Ok(Redirect::to(&format!("{HOME}?fait=postees")).into_response())
}
