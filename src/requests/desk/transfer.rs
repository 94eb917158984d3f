//! « Transmettre à un autre service »: whoever decides sends a request to the department that it is for (CRPA L114-2),
//! and its usager is told which, and why.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use forms::{answers::Raw, model::Procedure, step::Outcome};
use minijinja::{Value, context, value::Serde};
use serde_json::json;
use uuid::Uuid;

use super::{LONGEST, Opened};
use crate::{
    accounts::{Wrong, citizen::errors},
    authorities, catalogue, contacts,
    error::Problem,
    platform::{clock, form::Typed, french, jobs},
    requests::{
        access::Decide,
        jobs::NOTIFY,
        model::Request,
        moves::{self, New},
        store::{self, NewMessage},
    },
    visit::Agent,
};

const PAGE: &str = "agent/transfer.html";
const TITLE: &str = "Transmettre à un autre service";

/// Whether there is another department for requests of this procedure.
pub fn possible(procedure: &Procedure, request: &Request) -> bool {
    request.ended_at.is_none() && procedure.serving().iter().any(|id| *id != request.department_id)
}

async fn open(agent: &Agent, id: Uuid) -> Result<Opened<Decide>, Problem> {
    let file = Opened::<Decide>::open(agent, id).await?;
    if !possible(&file.procedure, &file.request) {
        return Err(Problem::Conflict(
            "Cette demande ne peut pas être transmise\u{a0}: elle est terminée, ou aucun autre service ne traite cette démarche.",
        ));
    }
    Ok(file)
}

/// (id, name) of the departments that it may go to.
async fn departments(agent: &Agent, file: &Opened<Decide>) -> Result<Vec<(String, String)>, db::Error> {
    let mut all = authorities::departments(&agent.db).await?;
    let serving = file.procedure.serving();
    all.retain(|(id, _)| serving.contains(id.as_str()) && *id != file.request.department_id);
    Ok(all)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let mut typed = Raw::default();
    typed.set("version", file.request.version.to_string());
    typed.set("une-fois", agent.id().to_string());
    let departments = departments(&agent, &file).await?;
    agent.page(PAGE, TITLE, page(&agent, &file, &departments, &typed, &[]))
}

fn page(agent: &Agent, file: &Opened<Decide>, departments: &[(String, String)], typed: &Raw, wrong: &[Wrong]) -> Value {
    let request = &file.request;
    let option =
        |(id, name): &(String, String)| json!({"value": id, "text": name, "chosen": id == typed.text("service")});
    context! {
        request => context! { reference => &request.reference, href => file.url(), procedure => &file.procedure.title, usager => &request.filer_name },
        received => french::date(clock::day(request.submitted_at, &agent.site.zone)),
        departments => Serde(departments.iter().map(option).collect::<Vec<_>>()),
        reason => typed.text("motif"), version => typed.text("version"), once => typed.text("une-fois"), errors => errors(wrong),
    }
}

pub async fn save(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let request = &file.request;
    let departments = departments(&agent, &file).await?;
    let chosen = departments.iter().find(|(id, _)| id == typed.text("service"));
    let reason = typed.text("motif").trim();
    let mut wrong = Vec::new();
    if chosen.is_none() {
        wrong.push(Wrong::new("service", "Choisissez le service qui traitera cette demande"));
    }
    match reason.chars().count() {
        0 => wrong.push(Wrong::new("motif", "Dites à l’usager pourquoi sa demande change de service")),
        length if length > LONGEST => {
            wrong.push(Wrong::new("motif", "Raccourcissez cette explication\u{a0}: 10\u{202f}000 caractères au plus"));
        }
        _ => {}
    }
    let circuit = request.life().clocks.approval.map(|circuit| circuit.outcome);
    if matches!(circuit, Some(Outcome::Open | Outcome::Approved)) {
        wrong.push(Wrong::new(
            "service",
            "Un visa est en cours ou donné\u{a0}: retirez d’abord la demande du parapheur",
        ));
    }
    let (Some((to, name)), true) = (chosen, wrong.is_empty()) else {
        return agent.page_again(PAGE, TITLE, page(&agent, &file, &departments, &typed, &wrong));
    };
    let seen: Option<i64> = typed.text("version").parse().ok();
    if seen != Some(request.version) {
        return Err(Problem::Conflict(
            "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est. Votre texte est encore dans la page précédente.",
        ));
    }
    let received = french::date(clock::day(request.submitted_at, &agent.site.zone));
    let told = format!(
        "Votre demande est transmise à un autre service de la collectivité\u{a0}: {name}.\n\n{reason}\n\nElle garde sa date de réception, le {received}\u{a0}: les délais ne changent pas, et vous n’avez rien à refaire."
    );
    let message = typed.text("une-fois").parse().unwrap_or_else(|_| agent.id());
    if !send(&agent, request, (to, reason), (message, &told)).await? {
        return Err(Problem::Conflict(
            "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    agent.app.work.notify_one();
    Ok(Redirect::to(&format!("{}?fait=transmise", file.url())).into_response())
}

/// In one transaction: the request, its history, the message to its usager, the mail that announces it.
async fn send(
    agent: &Agent,
    request: &Request,
    (to, reason): (&str, &str),
    (message, told): (Uuid, &str),
) -> Result<bool, db::Error> {
    let (id, me, now) = (request.id, agent.account.id, agent.now);
    let (line, job) = (agent.id(), agent.id());
    agent
        .db
        .write(async |tx: &mut db::Tx| {
            let new = New { id: line, to, reason: Some(reason), by: Some(me), acting: "agent" };
            if !moves::make(tx, request, &new, now).await? {
                return Ok(false);
            }
            let body = NewMessage { id: message, author: "agent", author_id: Some(me), internal: false, body: told };
            store::write(tx, id, &body, now).await?;
            if request.email.is_some() || contacts::sms::chosen(tx, id).await? {
                let new = jobs::NewJob {
                    kind: NOTIFY,
                    effect: format!("notify:{id}:message:{message}"),
                    request: Some(id),
                    payload: json!({"message": "message"}),
                };
                jobs::enqueue(tx, job, now, new).await?;
            }
            Ok(true)
        })
        .await
}

/// What is left for who had the request before: that it exists, and where it is.
pub async fn gone(agent: &Agent, id: Uuid) -> Result<Response, Problem> {
    let before = moves::gone(&agent.db, id).await?;
    let ours = |one: &&moves::Gone| agent.role_on(&one.from_department, &one.procedure_id).is_some();
    let one = before.iter().find(ours).ok_or(Problem::NotFound)?;
    let procedure = catalogue::version(agent, &one.procedure_id, one.procedure_version).await?;
    let day = |at| clock::day(at, &agent.site.zone).to_string();
    let context = context! {
        reference => &one.reference, procedure => &procedure.title, department => &one.department,
        sent => day(one.submitted_at), moved => day(one.moved_at),
    };
    agent.page("agent/transferred.html", &one.reference, context)
}
