//! A request entrusted to a colleague who processes it too, with a word if need be. The colleague is told by mail.

use std::collections::BTreeMap;

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{LONGEST, Opened, store as desk};
use crate::{
    accounts::{
        Wrong,
        citizen::errors,
        jobs::{self, Letter, More},
    },
    error::Problem,
    platform::form::Typed,
    requests::{
        access::Process,
        handover::{self, Receiver},
        model::Request,
        store::{self, NewMessage},
    },
    visit::Agent,
};

const PAGE: &str = "agent/entrust.html";
const TITLE: &str = "Confier le dossier";

/// The agent's colleagues who process in each of these departments.
pub async fn colleagues(agent: &Agent, departments: &[&str]) -> Result<BTreeMap<String, Vec<Receiver>>, db::Error> {
    let mut found = BTreeMap::new();
    for department in departments {
        if !found.contains_key(*department) {
            let all = handover::receivers(&agent.db, department, agent.account.id, agent.today()).await?;
            found.insert((*department).to_owned(), all);
        }
    }
    Ok(found)
}

/// As a list to choose from.
pub fn options(colleagues: &[Receiver], chosen: &str) -> Vec<Json> {
    let option = |one: &Receiver| json!({"value": one.id, "text": one.name(), "chosen": one.id.to_string() == chosen});
    colleagues.iter().map(option).collect()
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let mut typed = Raw::default();
    typed.set("de", file.request.holder_id.map(|id| id.to_string()).unwrap_or_default());
    typed.set("une-fois", agent.id().to_string());
    let page = context(&file, &of(&agent, &file).await?, &typed, &[]);
    agent.page(PAGE, TITLE, page)
}

/// Who processes it; nothing is done about one that has ended.
async fn open(agent: &Agent, id: Uuid) -> Result<Opened<Process>, Problem> {
    let file = Opened::<Process>::open(agent, id).await?;
    if file.request.ended_at.is_some() {
        return Err(Problem::Conflict("Cette demande est terminée : il n’y a plus rien à confier."));
    }
    Ok(file)
}

async fn of(agent: &Agent, file: &Opened<Process>) -> Result<Vec<Receiver>, db::Error> {
    let request = &file.request;
    let mut found = handover::receivers(&agent.db, &request.department_id, agent.account.id, agent.today()).await?;
    // Who has it already, and who asks for it themself: nobody treats their own request.
    found.retain(|one| request.holder_id != Some(one.id) && request.account_id != Some(one.id));
    Ok(found)
}

fn context(file: &Opened<Process>, colleagues: &[Receiver], typed: &Raw, wrong: &[Wrong]) -> Value {
    let request = &file.request;
    context! {
        request => context! { reference => &request.reference, href => file.url(), procedure => &file.procedure.title, usager => &request.filer_name },
        colleagues => Serde(options(colleagues, typed.text("collegue"))), note => typed.text("note"),
        from => typed.text("de"), once => typed.text("une-fois"), errors => errors(wrong),
    }
}

pub async fn save(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let file = open(&agent, id).await?;
    let colleagues = of(&agent, &file).await?;
    // A second click finds it done.
    let again = |to: Uuid| to.to_string() == typed.text("collegue") && typed.text("de") != typed.text("collegue");
    let again = file.request.holder_id.is_some_and(again);
    let chosen = colleagues.iter().find(|one| one.id.to_string() == typed.text("collegue"));
    let note = typed.text("note").trim();
    let once = typed.text("une-fois").parse().unwrap_or_else(|_| agent.id());
    let mut wrong = Vec::new();
    if chosen.is_none() && !again {
        wrong.push(Wrong::new("collegue", "Choisissez à qui confier ce dossier"));
    }
    if note.chars().count() > LONGEST {
        wrong.push(Wrong::new("note", "Raccourcissez cette note : 10\u{202f}000 caractères au plus"));
    }
    if again && wrong.is_empty() {
        // By this very form, whose note is there already; or by a colleague, who did not write it.
        agent.db.write(async |tx: &mut Tx| tell(tx, &agent, file.request.id, once, note).await).await?;
        return Ok(Redirect::to(&file.came.on(&format!("{}?fait=confie", file.url()))).into_response());
    }
    let (Some(chosen), true) = (chosen, wrong.is_empty()) else {
        return agent.page_again(PAGE, TITLE, context(&file, &colleagues, &typed, &wrong));
    };
    if entrust(&agent, &file, typed.text("de").parse().ok(), chosen.id, (once, note)).await? {
        agent.app.work.notify_one();
        return Ok(Redirect::to(&file.came.on(&format!("{}?fait=confie", file.url()))).into_response());
    }
    wrong.push(Wrong::new("collegue", "Ce dossier vient de changer de mains, ou votre collègue n’instruit plus dans ce service : ouvrez-le de nouveau"));
    agent.page_again(PAGE, TITLE, context(&file, &colleagues, &typed, &wrong))
}

/// False when it is not held by `from` any more, or the colleague may not hold it.
async fn entrust(
    agent: &Agent,
    file: &Opened<Process>,
    from: Option<Uuid>,
    to: Uuid,
    (once, note): (Uuid, &str),
) -> Result<bool, db::Error> {
    agent
        .db
        .write(async |tx: &mut Tx| {
            if !hand(tx, agent, &file.request, (from, to), 1).await? {
                return Ok(false);
            }
            tell(tx, agent, file.request.id, once, note).await?;
            Ok(true)
        })
        .await
}

/// Writes a note, once.
async fn tell(tx: &mut Tx, agent: &Agent, request: Uuid, once: Uuid, note: &str) -> Result<(), db::Error> {
    if !note.is_empty() {
        let author_id = Some(agent.account.id);
        let message = NewMessage { id: once, author: "agent", author_id, internal: true, body: note };
        store::write(tx, request, &message, agent.now).await?;
    }
    Ok(())
}

/// Gives a request to a colleague, if it is still held by `from` and they may hold it. `told`: they are told of so
/// many, by one mail; 0: they are told already.
pub async fn hand(
    tx: &mut Tx,
    agent: &Agent,
    request: &Request,
    (from, to): (Option<Uuid>, Uuid),
    told: usize,
) -> Result<bool, db::Error> {
    let done = request.account_id != Some(to)
        && handover::may_hold(tx, agent.today(), &request.department_id, to).await?
        && desk::hand(tx, request.id, from, Some(to), agent.account.id, agent.now).await?;
    if done && told > 0 {
        let reference = if told == 1 { request.reference.as_str() } else { "" };
        let about = json!({"by": agent.account.full_name(), "reference": reference, "count": told});
        jobs::queue(tx, agent, Letter::HandedOver, to, More { about, ..More::default() }).await?;
    }
    Ok(done)
}
