//! « Journal », for administrators: whoever looks for what happened to a request or an account, or for what an
//! agent did. No name of a usager is shown: who looks for one types their address.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use db::{Db, args, row};
use jiff::Timestamp;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Action, Line},
    store,
};
use crate::{
    accounts::{self, session::Kind},
    error::Problem,
    platform::{encode, french},
    requests::{self, model::canonical_reference},
    visit::{Administrator, Agent},
};

const TITLE: &str = "Journal des accès";
const PAGE: &str = "agent/journal.html";
/// Lines of a page.
const SHOWN: usize = 50;

/// The query of the address, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Typed {
    demande: String,
    personne: String,
    agent: String,
    action: String,
    jour: String,
    avant: String,
}

/// What is looked for.
#[derive(Debug, Default)]
struct Wanted {
    request: Option<Uuid>,
    person: Option<Uuid>,
    agent: Option<Uuid>,
    action: Option<Action>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    before: Option<(Timestamp, Uuid)>,
}

row! {
    struct Found {
        id: Uuid,
        at: Timestamp,
        action: String,
        actor_kind: String,
        actor_name: Option<String>,
        department_name: Option<String>,
        reference: Option<String>,
        subject_name: Option<String>,
        detail: String,
        sealed: bool,
    }
}

pub async fn show(
    Administrator(agent): Administrator,
    asked: Result<Query<Typed>, QueryRejection>,
) -> Result<Response, Problem> {
    let typed = asked.map(|Query(typed)| typed.clean()).unwrap_or_default();
    let mut wrong = Vec::new();
    let wanted = read(&agent, &typed, &mut wrong).await?;
    let mut lines = if wrong.is_empty() { find(&agent.db, &wanted).await? } else { Vec::new() };
    let more = lines.len() > SHOWN;
    lines.truncate(SHOWN);
    let next = lines.last().filter(|_| more).map(|last| typed.url(last.at, last.id)).unwrap_or_default();
    let trace = Line { request: wanted.request, ..Line::agent(&agent, Action::JournalRead).detail(typed.criteria()) };
    let trace = match wanted.person.or(wanted.agent) {
        Some(account) => trace.about("account", account),
        None => trace,
    };
    store::read(&agent, &trace).await?;
    let rows: Vec<Json> = lines.iter().map(shown).collect();
    let errors: Vec<Json> =
        wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let actions: Vec<Json> = Action::ALL
        .iter()
        .map(|one| json!({"value": one.code(), "text": one.words(), "selected": Some(*one) == wanted.action}))
        .collect();
    let context = context! {
        request => &typed.demande, person => &typed.personne, agent => &typed.agent, day => &typed.jour, actions => Serde(actions),
        rows => Serde(rows), errors => Serde(errors), narrowed => !typed.criteria().is_empty(), next => next,
        later => !typed.avant.is_empty(),
    };
    draw(&agent, wrong.is_empty(), context)
}

fn draw(agent: &Agent, good: bool, context: Value) -> Result<Response, Problem> {
    if good { agent.page(PAGE, TITLE, context) } else { agent.page_again(PAGE, TITLE, context) }
}

impl Typed {
    /// What may go to the database and come back in the page.
    fn clean(mut self) -> Self {
        for text in [&mut self.demande, &mut self.personne, &mut self.agent, &mut self.jour] {
            *text = text.trim().chars().filter(|letter| !letter.is_control()).take(300).collect();
        }
        self
    }

    /// Which fields narrow the list: kept in the line of the consultation, without what was typed.
    fn criteria(&self) -> &'static str {
        match [&self.demande, &self.personne, &self.agent].map(|text| text.is_empty()) {
            [false, _, _] => "demande",
            [_, false, _] => "personne",
            [_, _, false] => "agent",
            _ if self.action.is_empty() && self.jour.is_empty() => "",
            _ => "liste",
        }
    }

    /// The address of the page that follows this line.
    fn url(&self, at: Timestamp, id: Uuid) -> String {
        let pairs = [
            ("demande", &self.demande),
            ("personne", &self.personne),
            ("agent", &self.agent),
            ("action", &self.action),
            ("jour", &self.jour),
        ];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let kept: String = pairs.map(|(name, value)| format!("{name}={}&", encode(value))).collect();
        format!("/agent/journal?{kept}avant={}_{id}", at.as_microsecond())
    }
}

async fn read(agent: &Agent, typed: &Typed, wrong: &mut Vec<(&'static str, &'static str)>) -> Result<Wanted, Problem> {
    let mut wanted = Wanted { action: Action::named(&typed.action), ..Wanted::default() };
    if !typed.demande.is_empty() {
        wanted.request = requests::store::by_reference(&agent.db, &canonical_reference(&typed.demande)).await?;
        if wanted.request.is_none() {
            wrong.push(("demande", "Aucune demande n’a cette référence : vérifiez-la sur le dossier"));
        }
    }
    if !typed.personne.is_empty() {
        wanted.person = accounts::id_of(&agent.db, Kind::Usager, &typed.personne).await?;
        if wanted.person.is_none() {
            wrong.push(("personne", "Aucun usager ne se connecte avec cette adresse ou cet identifiant"));
        }
    }
    if !typed.agent.is_empty() {
        wanted.agent = accounts::id_of(&agent.db, Kind::Agent, &typed.agent).await?;
        if wanted.agent.is_none() {
            wrong.push(("agent", "Aucun agent n’a cette adresse"));
        }
    }
    if !typed.jour.is_empty() {
        match bounds(agent, &typed.jour) {
            Some((from, to)) => (wanted.from, wanted.to) = (Some(from), Some(to)),
            None => wrong.push(("jour", "Saisissez un jour qui existe, par exemple 17/11/2026")),
        }
    }
    wanted.before = typed
        .avant
        .split_once('_')
        .and_then(|(at, id)| Some((Timestamp::from_microsecond(at.parse().ok()?).ok()?, id.parse().ok()?)));
    Ok(wanted)
}

/// When a local day begins and ends.
fn bounds(agent: &Agent, day: &str) -> Option<(Timestamp, Timestamp)> {
    let day = french::day(day)?;
    Some((agent.morning(day)?, agent.morning(day.tomorrow().ok()?)?))
}

/// Latest first, one more than a page.
async fn find(db: &Db, wanted: &Wanted) -> Result<Vec<Found>, db::Error> {
    let query = db::Query::new(
        "select j.id, j.at, j.action, j.actor_kind, a.first_name || ' ' || a.last_name as actor_name, d.name as department_name, r.reference,
           s.first_name || ' ' || s.last_name as subject_name, j.detail, j.sealed
         from journal j left join account a on a.authority_id = j.authority_id and a.id = j.actor_id and a.kind = 'agent'
           left join account s on s.authority_id = j.authority_id and s.id = j.subject_id and s.kind = 'agent'
           left join department d on d.authority_id = j.authority_id and d.id = j.department_id
           left join request r on r.authority_id = j.authority_id and r.id = j.request_id
         where j.authority_id = {}",
    )
    .bind(db.authority())
    .and_some("j.request_id = {}", wanted.request)
    .and_some(
        "j.subject_id = {} or j.actor_id = {} or j.request_id in (select p.id from request p where p.authority_id = j.authority_id and p.account_id = {})",
        wanted.person,
    )
    .and_some("j.actor_id = {} or j.subject_id = {}", wanted.agent)
    .and_some("j.action = {}", wanted.action.map(Action::code))
    .and_some("j.at >= {}", wanted.from)
    .and_some("j.at < {}", wanted.to);
    let query = match wanted.before {
        Some((at, id)) => query.and_args("(j.at, j.id) < ({}, {})", args![at, id]),
        None => query,
    };
    db.fresh().all(query.push(" order by j.at desc, j.id desc limit 51"), args![]).await
}

fn shown(line: &Found) -> Json {
    let who = match (line.actor_kind.as_str(), &line.actor_name) {
        ("agent", Some(name)) => name.trim(),
        ("agent", None) => "Un agent dont le compte n’existe plus",
        // An agent, of what they ask for themself.
        ("usager", Some(name)) => name.trim(),
        ("usager", None) => "Un usager",
        ("expert", _) => "Une personne extérieure, consultée pour avis",
        ("operator", _) => "L’exploitant ou l’annuaire",
        _ => "Automatique",
    };
    let action = match Action::named(&line.action) {
        Some(action) => action.words(),
        None => &line.action,
    };
    json!({
        "at": line.at.to_string(), "who": who, "department": line.department_name, "action": action, "detail": line.detail,
        "reference": line.reference, "subject": line.subject_name.as_deref().map(str::trim), "sealed": line.sealed,
    })
}
