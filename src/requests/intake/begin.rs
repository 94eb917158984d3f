//! Before the first page: which procedure, how and when it came, for whom.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use forms::{answers::Raw, model::Procedure};
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::model::{self, Intake, Told, Wrong};
use crate::{
    accounts::{self, session::Account},
    agents::Role,
    catalogue::{self, Published},
    contacts,
    error::Problem,
    household::changes,
    identity,
    journal::{self, Action, Line},
    platform::{clock, form::Typed, french},
    requests::{
        channel::Channel,
        citizen,
        drafts::{self, Holder},
        owner::Whose,
    },
    visit::Agent,
};

pub const PAGE: &str = "agent/intake.html";
const TITLE: &str = "Nouvelle demande au guichet";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    demarche: String,
    /// An account, from its page.
    compte: Option<Uuid>,
    /// A contact to qualify, from its page or from a scanned letter.
    contact: Option<Uuid>,
}

/// The procedures that the agent may file, by department and title. « Je change de coordonnées » is sent to several
/// departments at once, by the person alone.
pub async fn offered(agent: &Agent) -> Result<Vec<Published>, Problem> {
    let current = catalogue::current(agent).await?;
    let may = |one: &&Published| {
        let procedure = &one.procedure;
        procedure.id != changes::PROCEDURE
            && agent.role_on(&procedure.department, &procedure.id) >= Some(Role::Processor)
    };
    let mut offered: Vec<Published> = current.procedures.values().filter(may).cloned().collect();
    offered.sort_by_cached_key(|one| {
        let department = agent.department(&one.procedure.department).unwrap_or_default();
        (french::fold(department), french::fold(&one.procedure.title))
    });
    if agent.treats() {
        Ok(offered)
    } else {
        Err(Problem::Forbidden("Votre rôle ne permet pas de déposer une demande pour un usager."))
    }
}

pub async fn start(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let offered = offered(&agent).await?;
    let mut typed = Raw::default();
    typed.set("demarche", asked.demarche);
    typed.set("canal", Channel::Counter.id());
    typed.set("recu", agent.today().strftime("%d/%m/%Y").to_string());
    typed.set("une-fois", agent.id().to_string());
    if let Some(id) = asked.compte {
        agent.at_counter()?;
        let account = accounts::usager(&agent.db, id).await?.ok_or(Problem::NotFound)?;
        journal::read(&agent, &Line::agent(&agent, Action::AccountOpened).about("account", id)).await?;
        typed.set("compte", account.login);
    }
    if let Some(id) = asked.contact {
        let contact = contacts::open_waiting(&agent, id).await?;
        let channel = Channel::of_contact(&contact.channel);
        typed.set("canal", channel.id());
        typed.set("recu", clock::day(contact.at, &agent.site.zone).strftime("%d/%m/%Y").to_string());
        typed.set("contact", id.to_string());
    }
    agent.page(PAGE, TITLE, context(&agent, Place::New(&offered), &typed, &[], &[]))
}

/// The contact that a filing begins from, as long as it waits and the agent may read it.
async fn from(agent: &Agent, typed: &Raw) -> Result<Option<Uuid>, Problem> {
    let Ok(id) = typed.text("contact").parse() else { return Ok(None) };
    match contacts::open_waiting(agent, id).await {
        Ok(contact) => Ok(Some(contact.id)),
        Err(Problem::NotFound | Problem::Forbidden(_) | Problem::Elsewhere(_)) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Where the form stands.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// Before a draft of one of these.
    New(&'a [Published]),
    /// Beside a draft: its address, and its procedure.
    Draft(&'a str, &'a Procedure),
}

fn option(value: &str, text: &str, chosen: &str) -> Json {
    json!({"value": value, "text": text, "chosen": value == chosen})
}

fn groups(agent: &Agent, offered: &[Published], chosen: &str) -> Vec<Json> {
    let mut groups: Vec<Json> = Vec::new();
    for (id, name) in agent.departments() {
        let ours = offered.iter().filter(|one| one.procedure.department == id);
        let options: Vec<Json> = ours.map(|one| option(&one.procedure.id, &one.procedure.title, chosen)).collect();
        if !options.is_empty() {
            groups.push(json!({"name": name, "options": options}));
        }
    }
    groups
}

pub fn context(agent: &Agent, place: Place<'_>, typed: &Raw, several: &[Account], wrong: &[Wrong]) -> Value {
    let (groups, draft, procedure) = match place {
        Place::New(offered) => (groups(agent, offered, typed.text("demarche")), "", ""),
        Place::Draft(url, procedure) => (Vec::new(), url, procedure.title.as_str()),
    };
    let channels: Vec<Json> =
        Channel::FILED.iter().map(|one| option(one.id(), one.words(), typed.text("canal"))).collect();
    let papers: Vec<Json> =
        identity::documents().map(|(code, label)| option(code, label, typed.text("piece"))).collect();
    let several: Vec<Json> = several
        .iter()
        .map(|one| option(&one.id.to_string(), &format!("{} ({})", one.full_name(), one.login), typed.text("choix")))
        .collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Value::from(Serde(json!({
        "procedures": groups, "draft": draft, "procedure": procedure, "channels": channels, "papers": papers, "several": several, "errors": errors,
        "received": typed.text("recu"), "account": typed.text("compte"), "once": typed.text("une-fois"),
        "accounts": agent.at_counter().is_ok(), "contact": typed.text("contact"),
    })))
}

pub async fn begin(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let offered = offered(&agent).await?;
    let mut wrong = Vec::new();
    let chosen = offered.iter().find(|one| one.procedure.id == typed.text("demarche"));
    if chosen.is_none() {
        wrong.push(("demarche", "Choisissez la démarche".to_owned()));
    }
    let told = model::read(&typed, agent.today(), &mut wrong);
    let (account, several) = whom(&agent, &typed, &mut wrong).await?;
    if let (Some(chosen), Some(told)) = (chosen, &told) {
        suits(&agent, &chosen.procedure, told, account.as_ref(), &mut wrong).await?;
    }
    let (Some(chosen), Some(told), true) = (chosen, told, wrong.is_empty()) else {
        return agent.page_again(PAGE, TITLE, context(&agent, Place::New(&offered), &typed, &several, &wrong));
    };
    // The form's own: sent twice, it begins one draft.
    let id = typed.text("une-fois").parse().unwrap_or_else(|_| agent.id());
    if !drafts::exists(&agent, id).await? {
        let contact = from(&agent, &typed).await?;
        make(&agent, id, chosen, told, account, contact).await?;
    }
    let first = chosen.procedure.pages.first().map_or("verifier", |page| page.id.as_str());
    Ok(Redirect::to(&format!("/agent/depots/{id}/{first}")).into_response())
}

/// The account that the agent typed, as far as accounts may be looked for: by the whole address or sign-in name. When
/// several people share it, those to choose from.
pub async fn whom(
    agent: &Agent,
    typed: &Raw,
    wrong: &mut Vec<Wrong>,
) -> Result<(Option<Account>, Vec<Account>), Problem> {
    let text = typed.text("compte").trim();
    if text.is_empty() {
        return Ok((None, Vec::new()));
    }
    agent.at_counter()?;
    let mut found: Vec<Account> = accounts::sought(agent, text).await?.into_iter().map(Account::from).collect();
    let chosen = found.iter().position(|one| one.id.to_string() == typed.text("choix"));
    let account = match (chosen, found.len()) {
        (Some(at), _) => found.get(at).cloned(),
        (None, 1) => found.pop(),
        (None, 0) => {
            wrong.push(("compte", "Aucun compte n’a cette adresse ni cet identifiant, écrits en entier. Vérifiez-les, ou laissez vide pour une personne sans compte".to_owned()));
            return Ok((None, found));
        }
        (None, _) => {
            wrong.push(("choix", "Plusieurs personnes partagent cette adresse\u{a0}: choisissez".to_owned()));
            return Ok((None, found));
        }
    };
    if account.as_ref().is_some_and(|account| model::own(agent, account)) {
        wrong.push((
            "compte",
            "C’est votre propre compte\u{a0}: faites votre demande depuis le site des usagers".to_owned(),
        ));
    }
    Ok((account, found))
}

/// What the procedure itself asks: to be open that day, and somebody whose identity is known.
pub async fn suits(
    agent: &Agent,
    procedure: &Procedure,
    told: &Told,
    account: Option<&Account>,
    wrong: &mut Vec<Wrong>,
) -> Result<(), Problem> {
    if !citizen::start::is_open(procedure, told.received_on) {
        let day = french::date(told.received_on);
        wrong.push(("demarche", format!("Cette démarche n’était pas ouverte le {day}, jour de la réception")));
    }
    let verified = match account {
        Some(account) => identity::find(&agent.db, account.id).await?.is_some(),
        None => false,
    };
    model::identified(procedure, told, verified, wrong);
    Ok(())
}

async fn make(
    agent: &Agent,
    id: Uuid,
    chosen: &Published,
    told: Told,
    account: Option<Account>,
    contact: Option<Uuid>,
) -> Result<(), Problem> {
    let raw = account.as_ref().map(|account| citizen::known_of(account, &chosen.procedure)).unwrap_or_default();
    if let Some(account) = &account {
        journal::read(agent, &Line::agent(agent, Action::AccountOpened).about("account", account.id)).await?;
    }
    let intake = Intake {
        department: chosen.procedure.department.clone(),
        agent: agent.account.id,
        account,
        channel: told.channel,
        received_on: told.received_on,
        paper: told.paper.map(str::to_owned),
        contact,
    };
    drafts::begin(agent, id, chosen, Whose::default(), Holder::Department(&intake), raw, None).await?;
    Ok(())
}
