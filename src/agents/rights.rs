//! « Droits donnés »: whoever manages a department gives rights on its requests beside memberships, and takes
//! them back. « Qui peut voir ce dossier » tells everybody who may see a request, and why.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Membership, Role,
    given::{self, Covers, Given, New},
    pages::managed,
    role_words, store,
};
use crate::{
    accounts::ending,
    catalogue,
    error::Problem,
    platform::{form::Typed, french},
    visit::Agent,
};

const TITLE: &str = "Donner un droit";
const ROLES: [Role; 3] = [Role::Reader, Role::Processor, Role::Decider];
/// Longest reason, in characters.
const LONGEST: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
}

/// The title of a theme of this authority.
fn theme<'a>(agent: &'a Agent, id: &'a str) -> &'a str {
    agent.site.settings.themes.iter().find(|theme| theme.id == id).map_or(id, |theme| theme.title.as_str())
}

/// What a right is on, in words: a category, or the title of a procedure.
pub fn on_words(agent: &Agent, current: &catalogue::Current, on: &str) -> String {
    match given::as_category(on) {
        Some(id) => format!("Catégorie «\u{a0}{}\u{a0}»", theme(agent, id)),
        None => current.any(on).map_or(on, |one| one.procedure.title.as_str()).to_owned(),
    }
}

/// The rights given in a department, as its manager's page shows them.
pub fn shown(of: &Membership, all: &[Given], titles: &dyn Fn(&str) -> String, today: Date) -> Vec<Json> {
    let here = all.iter().filter(|one| one.department_id == of.department_id);
    here.map(|one| {
        let on: Vec<String> = one.on().into_iter().map(titles).collect();
        json!({
            "name": one.name(), "role": role_words(&one.role), "on": on, "from": one.from_day.to_string(),
            "until": one.until_day.map(|day| day.to_string()), "now": one.holds(today), "reason": one.reason,
            "by": one.by_name, "withdraw": format!("/agent/droits/{}/retirer", one.id),
        })
    })
    .collect()
}

fn department<'a>(agent: &'a Agent, id: &str) -> Result<&'a Membership, Problem> {
    managed(agent)?.into_iter().find(|one| one.department_id == id).ok_or(Problem::NotFound)
}

pub async fn show(agent: Agent, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let of = department(&agent, &asked.service)?;
    let mut typed = Raw::default();
    typed.set("du", agent.today().strftime("%d/%m/%Y").to_string());
    typed.set("once", agent.id().to_string());
    let context = context(&agent, of, &typed, &[]).await?;
    agent.page("agent/right.html", TITLE, context)
}

async fn context(
    agent: &Agent,
    of: &Membership,
    typed: &Raw,
    errors: &[(&'static str, String)],
) -> Result<Value, Problem> {
    let current = catalogue::current(agent).await?;
    let ours = current.all().filter(|one| one.procedure.department == of.department_id);
    let chosen: Vec<&str> = typed.all("demarches").collect();
    let mut procedures: Vec<Json> = ours
        .map(|one| {
            let id = one.procedure.id.as_str();
            json!({"value": id, "text": one.procedure.title, "checked": chosen.contains(&id)})
        })
        .collect();
    procedures.sort_by_cached_key(|one| french::fold(one["text"].as_str().unwrap_or_default()));
    let wanted: Vec<&str> = typed.all("categories").collect();
    let categories: Vec<Json> = categories(agent, &current, of)
        .into_iter()
        .map(|id| json!({"value": id, "text": theme(agent, id), "checked": wanted.contains(&id)}))
        .collect();
    let roles: Vec<Json> = ROLES
        .iter()
        .map(|role| json!({"value": role.name(), "text": role.words(), "hint": may(*role), "chosen": typed.text("role") == role.name()}))
        .collect();
    let errors: Vec<Json> =
        errors.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let text = |name: &str| typed.text(name).to_owned();
    Ok(context! {
        department => &of.department_name, service => &of.department_id, procedures => Serde(procedures), categories => Serde(categories),
        roles => Serde(roles), email => text("courriel"), from => text("du"), until => text("au"),
        reason => text("motif"), once => text("once"), errors => Serde(errors),
    })
}

/// The themes that the department has procedures of, in the order of the catalogue.
fn categories<'a>(agent: &'a Agent, current: &catalogue::Current, of: &Membership) -> Vec<&'a str> {
    let ours = |id: &str| {
        let mut ours = current.all().filter(|one| one.procedure.department == of.department_id);
        ours.any(|one| one.procedure.theme == id)
    };
    agent.site.settings.themes.iter().map(|theme| theme.id.as_str()).filter(|id| ours(id)).collect()
}

/// What a role may do, in words.
fn may(role: Role) -> &'static str {
    match role {
        Role::Reader => "Voit qu’un dossier existe, son état et la prochaine étape, sans les réponses",
        Role::Processor => "Voit les dossiers et les traite, sans décider",
        Role::Decider | Role::Manager => "Voit les dossiers, les traite et décide",
    }
}

pub async fn send(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let of = department(&agent, typed.text("service"))?;
    let new = match read(&agent, of, &typed).await? {
        Ok(new) => new,
        Err(errors) => {
            let context = context(&agent, of, &typed, &errors).await?;
            return agent.page_again("agent/right.html", TITLE, context);
        }
    };
    let (by, now) = (agent.account.id, agent.now);
    agent.db.write(async |tx: &mut Tx| given::give(tx, by, &new, now).await).await?;
    Ok(Redirect::to("/agent/agents?fait=droit").into_response())
}

/// What was typed, or what is wrong in it.
async fn read(
    agent: &Agent,
    of: &Membership,
    typed: &Raw,
) -> Result<Result<New, Vec<(&'static str, String)>>, Problem> {
    let mut wrong = Vec::new();
    let mut say = |field: &'static str, text: &str| wrong.push((field, text.to_owned()));
    let account = store::by_email(&agent.db, typed.text("courriel").trim()).await?;
    match account {
        None => say("courriel", "Saisissez le courriel d’un agent qui a un compte ici"),
        Some(id) if id == agent.account.id => say("courriel", "Vous ne pouvez pas vous donner un droit à vous-même"),
        Some(_) => {}
    }
    let role = ROLES.into_iter().find(|role| role.name() == typed.text("role"));
    if role.is_none() {
        say("role", "Choisissez ce que cette personne pourra faire");
    }
    let current = catalogue::current(agent).await?;
    let ours = |id: &&str| current.any(id).is_some_and(|one| one.procedure.department == of.department_id);
    let mut on: Vec<String> = typed.all("demarches").filter(ours).map(str::to_owned).collect();
    if on.len() < typed.all("demarches").count() {
        say("demarches", "Une de ces démarches n’est plus celle de ce service");
    }
    let known = categories(agent, &current, of);
    if typed.all("categories").any(|id| !known.contains(&id)) {
        say("categories", "Une de ces catégories n’a plus de démarche dans ce service");
    }
    on.extend(typed.all("categories").map(given::category));
    let day = |name: &str| french::day(typed.text(name).trim());
    let (from, until) = (day("du"), day("au"));
    if from.is_none() {
        say("du", "Écrivez une date comme 27/03/2026");
    }
    match until {
        None if !typed.text("au").trim().is_empty() => say("au", "Écrivez une date comme 27/03/2026"),
        Some(last) if from.is_some_and(|first| last < first) => say("au", "La fin est avant le début"),
        Some(last) if last < agent.today() => say("au", "Choisissez aujourd’hui ou un jour à venir"),
        _ => {}
    }
    let reason = typed.text("motif").trim().to_owned();
    match reason.chars().count() {
        0 => say("motif", "Dites pourquoi : remplacement, partenaire, renfort…"),
        length if length > LONGEST => say("motif", "Raccourcissez ce motif à 300 caractères au plus"),
        _ => {}
    }
    let (Some(account), Some(role), Some(from), true) = (account, role, from, wrong.is_empty()) else {
        return Ok(Err(wrong));
    };
    // Sent twice, it is given once.
    let id = typed.text("once").parse().unwrap_or_else(|_| agent.id());
    Ok(Ok(New { id, account, department: of.department_id.clone(), role, on, from, until, reason }))
}

pub async fn withdraw(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    managed(&agent)?;
    let given = given::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    department(&agent, &given.department_id)?;
    let (by, now) = (agent.account.id, agent.now);
    agent.db.write(async |tx: &mut Tx| given::withdraw(tx, by, &given, now).await).await?;
    Ok(Redirect::to("/agent/agents?fait=droit-retire").into_response())
}

/// Every agent who may see a request of this department and procedure today, but its filer: what they see, and why.
pub async fn watchers(
    agent: &Agent,
    department: &str,
    procedure: &str,
    filer: Option<Uuid>,
) -> Result<Vec<Json>, Problem> {
    let today = agent.today();
    let members = store::of_departments(&agent.db, &[department]).await?;
    let open = members.iter().filter(|one| one.closed_at.is_none() && !ending::over(one.ends_on, today));
    let open = open.filter(|one| Some(one.id) != filer);
    let mut seen: Vec<Json> = open.map(|one| watcher(&one.name(), &one.role, "Agent du service")).collect();
    let current = catalogue::current(agent).await?;
    for one in given::of_departments(&agent.db, &[department], today).await? {
        let open = one.closed_at.is_none() && !ending::over(one.ends_on, today);
        let open = open && Some(one.account_id) != filer && one.holds(today);
        if let Some(covers) = one.covers(&current, procedure).filter(|_| open) {
            let until = one.until_day.map(|day| format!(" jusqu’au {}", french::date(day))).unwrap_or_default();
            let on = match covers {
                Covers::Department => String::new(),
                Covers::Procedure => ", sur cette démarche".to_owned(),
                Covers::Category(id) => format!(", sur la catégorie «\u{a0}{}\u{a0}»", theme(agent, &id)),
            };
            let why = format!("Droit donné par {}{until}{on}\u{a0}: {}", one.by_name, one.reason);
            seen.push(watcher(&one.name(), &one.role, &why));
        }
    }
    Ok(seen)
}

fn watcher(name: &str, role: &str, why: &str) -> Json {
    let sees = Role::parse(role).map_or("", may);
    json!({"name": name, "role": role_words(role), "sees": sees, "why": why})
}
