//! How, when and for whom a draft of the department came, told again: a year typed wrong, an account found since.

use std::collections::BTreeMap;

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, model::Procedure};
use uuid::Uuid;

use super::{
    begin::{self, PAGE, Place},
    model::{self, Intake},
    store,
};
use crate::{
    accounts::session::Account,
    catalogue,
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    requests::{
        citizen::known_of,
        drafts::{self, Draft},
    },
    visit::Agent,
};

const TITLE: &str = "Réception de la demande";

fn url(draft: &Draft) -> String {
    format!("/agent/depots/{}", draft.id)
}

/// Of a request being completed, the day is told once: its clock stood still until then.
async fn find(agent: &Agent, id: Uuid) -> Result<(Draft, Intake), Problem> {
    store::find(agent, id).await?.filter(|(draft, _)| !draft.correcting).ok_or(Problem::NotFound)
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (draft, intake) = find(&agent, id).await?;
    let procedure = catalogue::version(&agent, &draft.procedure_id, draft.procedure_version).await?;
    let mut typed = Raw::default();
    typed.set("canal", intake.channel.id());
    typed.set("recu", intake.received_on.strftime("%d/%m/%Y").to_string());
    typed.set("compte", intake.account.map(|account| account.login).unwrap_or_default());
    typed.set("piece", intake.paper.unwrap_or_default());
    let place = Place::Draft(&url(&draft), &procedure);
    agent.page(PAGE, TITLE, begin::context(&agent, place, &typed, &[], &[]))
}

pub async fn save(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (draft, intake) = find(&agent, id).await?;
    let procedure = catalogue::version(&agent, &draft.procedure_id, draft.procedure_version).await?;
    let mut wrong = Vec::new();
    let told = model::read(&typed, agent.today(), &mut wrong);
    let (account, several) = whom(&agent, &typed, &intake, &mut wrong).await?;
    if let Some(told) = &told {
        begin::suits(&agent, &procedure, told, account.as_ref(), &mut wrong).await?;
    }
    let (Some(told), true) = (told, wrong.is_empty()) else {
        let place = Place::Draft(&url(&draft), &procedure);
        return agent.page_again(PAGE, TITLE, begin::context(&agent, place, &typed, &several, &wrong));
    };
    if let Some(account) = account.as_ref().filter(|account| known(&intake) != Some(account.id)) {
        journal::read(&agent, &Line::agent(&agent, Action::AccountOpened).about("account", account.id)).await?;
    }
    if account.as_ref().map(|account| account.id) != known(&intake) {
        retype(&agent, &draft, &procedure, intake.account.as_ref(), account.as_ref()).await?;
    }
    let account = account.map(|account| account.id);
    agent.db.write(async |tx: &mut Tx| store::amend(tx, id, &told, account).await).await?;
    Ok(Redirect::to(&format!("{}/verifier", url(&draft))).into_response())
}

/// What the account before told of its owner goes from the draft, unless it was changed since; what this one tells is
/// typed where nothing is.
async fn retype(
    agent: &Agent,
    draft: &Draft,
    procedure: &Procedure,
    before: Option<&Account>,
    after: Option<&Account>,
) -> Result<(), db::Error> {
    let mut raw = draft.raw.0.clone();
    let told = |account: Option<&Account>| account.map(|one| known_of(one, procedure).0).unwrap_or_default();
    let gone = told(before);
    raw.0.retain(|name, values| gone.get(name) != Some(values));
    let mut names: Vec<String> = gone.into_keys().filter(|name| !raw.0.contains_key(name)).collect();
    let blank = |name: &String| raw.0.get(name).is_none_or(|values| values.iter().all(String::is_empty));
    let new: BTreeMap<String, Vec<String>> = told(after).into_iter().filter(|(name, _)| blank(name)).collect();
    names.extend(new.keys().cloned());
    drafts::save(agent, procedure, draft.id, &names, &Raw(new), None).await
}

fn known(intake: &Intake) -> Option<Uuid> {
    intake.account.as_ref().map(|account| account.id)
}

/// The account that was typed; who may not look accounts up leaves it as it is.
async fn whom(
    agent: &Agent,
    typed: &Raw,
    intake: &Intake,
    wrong: &mut Vec<model::Wrong>,
) -> Result<(Option<Account>, Vec<Account>), Problem> {
    let unchanged = intake.account.as_ref().is_some_and(|account| account.login == typed.text("compte").trim());
    if unchanged || agent.at_counter().is_err() {
        return Ok((intake.account.clone(), Vec::new()));
    }
    begin::whom(agent, typed, wrong).await
}
