//! A lost tracking code: an agent who processes the request checks who asks, and gives a new one, on paper or
//! to the request's own address. What was checked is kept with the request.

use axum::{
    extract::{Path, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};
use serde_json::json;
use uuid::Uuid;

use super::{Opened, store as desk};
use crate::{
    accounts::{Wrong, citizen::errors},
    authorities,
    error::Problem,
    platform::{attachment, jobs},
    requests::{
        access::Process,
        code, form,
        jobs::{CODE, NOTIFY, render},
        store::{self, NewMessage},
    },
    visit::Agent,
};

const PAGE: &str = "agent/code.html";
const TITLE: &str = "Donner un nouveau code de suivi";
const LONGEST: usize = 300;

/// How the new code goes to the usager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Paper,
    Mail,
}

/// Who has an account follows the request there: such a request has no code.
async fn open(agent: &Agent, id: Uuid) -> Result<Opened<Process>, Problem> {
    let file = Opened::<Process>::open(agent, id).await?;
    if file.request.account_id.is_some() { Err(Problem::NotFound) } else { Ok(file) }
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let page = context(&agent, &file, &Raw::default(), &[]).await?;
    agent.page(PAGE, TITLE, page)
}

async fn context(agent: &Agent, file: &Opened<Process>, typed: &Raw, wrong: &[Wrong]) -> Result<Value, Problem> {
    let request = &file.request;
    Ok(context! {
        request => context! { reference => &request.reference, href => file.url(), procedure => &file.procedure.title, usager => &request.filer_name },
        email => request.email.clone().unwrap_or_default(),
        checked => typed.text("verifie"), reason => typed.text("motif"), by => typed.text("remise"),
        seen => code::generation(&agent.db, request.id).await?, errors => errors(wrong),
    })
}

fn read<'a>(typed: &'a Raw, reachable: bool, wrong: &mut Vec<Wrong>) -> (&'a str, &'a str, By) {
    let mut text = |field: &'static str, missing: &str| {
        let text = typed.text(field).trim();
        match text.chars().count() {
            0 => wrong.push(Wrong::new(field, missing)),
            length if length > LONGEST => {
                wrong.push(Wrong::new(field, format!("Raccourcissez ce texte\u{a0}: {LONGEST} caractères au plus")));
            }
            _ => {}
        }
        text
    };
    let checked = text("verifie", "Écrivez ce que vous avez vérifié");
    let reason = text("motif", "Écrivez pourquoi un nouveau code est donné");
    let by = match typed.text("remise") {
        "courriel" if reachable => By::Mail,
        "papier" => By::Paper,
        _ => {
            wrong.push(Wrong::new("remise-papier", "Choisissez comment donner le code"));
            By::Paper
        }
    };
    (checked, reason, by)
}

pub async fn give(agent: Agent, Path(id): Path<Uuid>, sent: Sent) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let typed = form::plain(sent).await?;
    let mut wrong = Vec::new();
    let (checked, reason, by) = read(&typed, file.request.email.is_some(), &mut wrong);
    if wrong.is_empty() && !renew(&agent, &file, &typed, checked, reason, by).await? {
        wrong.push(Wrong::new("motif", "Un autre code vient d’être donné. Si celui-ci est perdu aussi, recommencez"));
    }
    if !wrong.is_empty() {
        let page = context(&agent, &file, &typed, &wrong).await?;
        return agent.page_again(PAGE, TITLE, page);
    }
    match by {
        By::Mail => {
            agent.app.work.notify_one();
            Ok(Redirect::to(&format!("{}?onglet=historique&fait=code", file.url())).into_response())
        }
        By::Paper => {
            let name = format!("code-de-suivi-{}.pdf", file.request.reference);
            Ok(attachment::pdf(paper(&agent, &file).await?, &name))
        }
    }
}

/// The new code, its trace and, by mail, its sending. False when another code was given since the form was drawn.
async fn renew(
    agent: &Agent,
    file: &Opened<Process>,
    typed: &Raw,
    checked: &str,
    reason: &str,
    by: By,
) -> Result<bool, Problem> {
    let (id, now, author) = (file.request.id, agent.now, agent.account.id);
    let Ok(seen) = typed.text("vu").parse::<i64>() else { return Ok(false) };
    let (note, job) = (agent.id(), agent.id());
    let how = if by == By::Mail { "envoyé par courriel" } else { "remis sur papier" };
    let body = format!("Nouveau code de suivi, {how}.\nVérifié\u{a0}: {checked}\nMotif\u{a0}: {reason}");
    let renewed = agent
        .db
        .write(async |tx: &mut Tx| {
            if !code::renew(tx, id, seen).await? {
                return Ok(false);
            }
            let message =
                NewMessage { id: note, author: "agent", author_id: Some(author), internal: true, body: &body };
            store::write(tx, id, &message, now).await?;
            desk::note(tx, id, author, code::RENEWED, Some(note), now).await?;
            if by == By::Mail {
                let new = jobs::NewJob {
                    kind: NOTIFY,
                    effect: format!("notify:{id}:code:{}", seen + 1),
                    request: Some(id),
                    payload: json!({"message": CODE}),
                };
                jobs::enqueue(tx, job, now, new).await?;
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(renewed)
}

async fn paper(agent: &Agent, file: &Opened<Process>) -> Result<Vec<u8>, Problem> {
    let request = &file.request;
    let department = authorities::department(&agent.db, &request.department_id).await?.ok_or(Problem::NotFound)?;
    let page = format!("{}/suivre", agent.public_url());
    let data = json!({
        "authority": {"name": agent.site.name},
        "department": department.for_letters(),
        "reference": request.reference,
        "subject": "Votre code de suivi",
        "recipient": request.filer_name,
        "opening": format!("Voici le code qui permet de suivre votre demande «\u{a0}{}\u{a0}». Il remplace celui que vous aviez, qui ne fonctionne plus.", file.procedure.title),
        "entries": [
            {"label": "Adresse du site", "value": page},
            {"label": "Référence", "value": request.reference},
            {"label": "Code de suivi", "value": code::shown(agent, request.id).await?},
        ],
        "closing": ["Quiconque a ce papier peut voir votre demande\u{a0}: gardez-le en lieu sûr.", "Les majuscules, les espaces et les tirets du code ne comptent pas."],
    });
    Ok(render(&letters::SLIP, data, agent).await?)
}
