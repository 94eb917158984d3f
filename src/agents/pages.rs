//! « Agents du service »: who manages a department sees its agents, sets the end of their access and removes
//! them from it.

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
    given::{self, Given},
    rights, role_words,
    store::{self, Member, Person},
};
use crate::{
    accounts::{
        connections::{self, Happened},
        ending,
    },
    catalogue, directory,
    error::Problem,
    platform::form::Typed,
    requests::handover::{self, Held},
    visit::Agent,
};

const TITLE: &str = "Agents du service";

/// The departments that the agent manages.
///
/// # Errors
/// `Forbidden` when there is none.
pub fn managed(agent: &Agent) -> Result<Vec<&Membership>, Problem> {
    let managed: Vec<&Membership> = agent.memberships.iter().filter(|one| one.role == Role::Manager).collect();
    if managed.is_empty() {
        return Err(Problem::Forbidden("Cette page est réservée aux responsables de service."));
    }
    Ok(managed)
}

fn ids<'a>(managed: &[&'a Membership]) -> Vec<&'a str> {
    managed.iter().map(|one| one.department_id.as_str()).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

/// Where the hand-over of what an agent holds in a department begins.
pub fn hand_url(agent: Uuid, department: &str) -> String {
    format!("/agent/agents/{agent}/dossiers?service={}", crate::platform::encode(department))
}

pub async fn list(agent: Agent, Query(done): Query<Done>) -> Result<Response, Problem> {
    let managed = managed(&agent)?;
    let departments = ids(&managed);
    let members = store::of_departments(&agent.db, &departments).await?;
    let held = handover::held(&agent.db, &departments).await?;
    let given = given::of_departments(&agent.db, &departments, agent.today()).await?;
    let current = catalogue::current(&agent).await?;
    let title = |on: &str| rights::on_words(&agent, &current, on);
    let mut shown: Vec<Json> = managed.iter().map(|one| department(&agent, one, &members, (&held, &given))).collect();
    for (json, of) in shown.iter_mut().zip(&managed) {
        json["given"] = rights::shown(of, &given, &title, agent.today()).into();
        json["give"] = format!("/agent/droits/nouveau?service={}", crate::platform::encode(&of.department_id)).into();
    }
    let told = match done.fait.as_str() {
        "confies" => Some("Les dossiers sont confiés. Leur nouvel agent en est prévenu par courriel."),
        "liberes" => Some("Les dossiers sont libérés : un collègue peut les prendre en charge."),
        "droit" => Some("Le droit est donné."),
        "droit-retire" => Some("Le droit est retiré."),
        "retire" => Some("L’agent n’appartient plus à ce service."),
        _ => None,
    };
    let notice = directory_notice(&agent).await?;
    agent.page("agent/agents.html", TITLE, context! { departments => Serde(shown), notice => notice, ..flash(told) })
}

/// What is wrong with the directory, for who can have it mended.
async fn directory_notice(agent: &Agent) -> Result<String, Problem> {
    let Some(state) = directory::state(&agent.db).await? else { return Ok(String::new()) };
    Ok(match (state.held_lost, state.held_of, &state.last_error) {
        (Some(lost), Some(of), _) => format!(
            "La mise à jour depuis l’annuaire est suspendue\u{a0}: elle couperait {lost} agents sur {of}. Prévenez le service informatique si ce n’est pas voulu."
        ),
        (_, _, Some(_)) => {
            "L’annuaire ne peut pas être lu pour le moment\u{a0}: les changements d’agents attendent.".to_owned()
        }
        _ => String::new(),
    })
}

fn flash(told: Option<&str>) -> Value {
    told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } })
}

fn department(agent: &Agent, of: &Membership, members: &[Member], (held, given): (&[Held], &[Given])) -> Json {
    let today = agent.today();
    let holds = |id: Uuid| {
        held.iter().find(|one| one.account_id == id && one.department_id == of.department_id).map_or(0, |one| one.many)
    };
    let here: Vec<&Member> = members.iter().filter(|one| one.department_id == of.department_id).collect();
    let agents: Vec<Json> = here
        .iter()
        .map(|one| {
            let gone = one.closed_at.is_some() || ending::over(one.ends_on, today);
            let many = holds(one.id);
            json!({
                "href": format!("/agent/agents/{}", one.id), "name": one.name(), "email": one.email,
                "role": role_words(&one.role),
                "signed_in": one.signed_in_at, "ends_on": one.ends_on.map(|day| day.to_string()),
                "near": ending::near(one.ends_on, today), "gone": gone, "held": many,
                "hand": if many > 0 { hand_url(one.id, &of.department_id) } else { String::new() },
            })
        })
        .collect();
    let replaces = |id: Uuid| {
        given.iter().any(|one| one.account_id == id && one.department_id == of.department_id && one.holds(today))
    };
    let left: Vec<Json> = held
        .iter()
        .filter(|one| one.department_id == of.department_id && !here.iter().any(|member| member.id == one.account_id))
        .filter(|one| !replaces(one.account_id))
        .map(|one| json!({"name": one.name(), "held": one.many, "hand": hand_url(one.account_id, &of.department_id)}))
        .collect();
    json!({"id": of.department_id, "name": of.department_name, "agents": agents, "left": left})
}

/// An agent of a department that the visitor manages.
struct Managed {
    person: Person,
    memberships: Vec<Member>,
    /// Belongs to other departments too, or administers the authority: their end is not for one manager alone.
    elsewhere: bool,
    oneself: bool,
    /// The directory tells their end.
    theirs: bool,
}

async fn find(agent: &Agent, id: Uuid) -> Result<Managed, Problem> {
    let managed = managed(agent)?;
    let person = store::person(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let all = store::of_agent(&agent.db, id).await?;
    let count = all.len();
    let general = !super::standing(agent, id).await?.general.is_empty();
    let memberships: Vec<Member> =
        all.into_iter().filter(|one| managed.iter().any(|mine| mine.department_id == one.department_id)).collect();
    if memberships.is_empty() {
        return Err(Problem::NotFound);
    }
    let theirs = directory::tells_end(&agent.db, id).await?;
    let elsewhere = general || memberships.len() < count;
    Ok(Managed { elsewhere, person, memberships, oneself: id == agent.account.id, theirs })
}

pub async fn show(agent: Agent, Path(id): Path<Uuid>, Query(done): Query<Done>) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    let mut typed = Raw::default();
    if let Some(day) = found.person.ends_on {
        typed.set("fin.jour", day.day().to_string());
        typed.set("fin.mois", day.month().to_string());
        typed.set("fin.annee", day.year().to_string());
    }
    let told = match done.fait.as_str() {
        "fin" => Some("La fin d’accès est enregistrée."),
        "sans-fin" => Some("L’accès n’a plus de fin prévue."),
        _ => None,
    };
    let page = context(&agent, &found, &typed, None).await?;
    agent.page("agent/agent.html", &found.person.name(), context! { ..page, ..flash(told) })
}

async fn context(agent: &Agent, found: &Managed, typed: &Raw, wrong: Option<&str>) -> Result<Value, Problem> {
    let person = &found.person;
    let departments: Vec<&str> = found.memberships.iter().map(|one| one.department_id.as_str()).collect();
    let held = handover::held(&agent.db, &departments).await?;
    let rows: Vec<Json> = found
        .memberships
        .iter()
        .map(|one| {
            let mine = held.iter().find(|held| held.account_id == person.id && held.department_id == one.department_id);
            let many = mine.map_or(0, |held| held.many);
            json!({
                "department": one.department_name, "id": one.department_id, "role": role_words(&one.role),
                "directory": one.from_directory, "held": many, "hand": hand_url(person.id, &one.department_id),
            })
        })
        .collect();
    let errors: Vec<Json> = wrong.map(|text| json!({"href": "#fin-jour", "text": text})).into_iter().collect();
    Ok(context! {
        name => person.name(), email => &person.email, quality => person.quality.as_deref().unwrap_or_default(),
        rows => Serde(rows), ends_on => person.ends_on.map(|day| day.to_string()).unwrap_or_default(),
        gone => person.closed_at.is_some() || ending::over(person.ends_on, agent.today()), cut => person.closed_at.is_some(),
        oneself => found.oneself, elsewhere => found.elsewhere, theirs => found.theirs,
        day => typed.text("fin.jour"), month => typed.text("fin.mois"), year => typed.text("fin.annee"),
        base => format!("/agent/agents/{}", person.id), errors => Serde(errors),
    })
}

/// What was typed: a day from today on, or nothing at all.
fn last_day(typed: &Raw, today: Date) -> Result<Option<Date>, &'static str> {
    let part = |name: &str| typed.text(name).trim().to_owned();
    let (day, month, year) = (part("fin.jour"), part("fin.mois"), part("fin.annee"));
    if day.is_empty() && month.is_empty() && year.is_empty() {
        return Ok(None);
    }
    let read = || Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
    match read() {
        None => Err("Saisissez une date qui existe, par exemple 31 8 2027, ou videz les trois cases"),
        Some(last) if last < today => Err("Choisissez aujourd’hui ou un jour à venir"),
        Some(last) if last.year() > 2200 => Err("Écrivez l’année avec ses quatre chiffres"),
        last => Ok(last),
    }
}

pub async fn end(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    if found.oneself || found.elsewhere || found.theirs {
        return Err(Problem::Forbidden(
            "La fin de cet accès ne dépend pas de vous seul : l’annuaire ou l’administrateur de votre collectivité la fixe.",
        ));
    }
    let last = match last_day(&typed, agent.today()) {
        Ok(last) => last,
        Err(text) => {
            let page = context(&agent, &found, &typed, Some(text)).await?;
            return agent.page_again("agent/agent.html", &found.person.name(), page);
        }
    };
    let by = Some(agent.account.id);
    agent.db.write(async |tx: &mut Tx| ending::set(tx, &agent, id, last, by).await).await?;
    let done = if last.is_some() { "fin" } else { "sans-fin" };
    Ok(Redirect::to(&format!("/agent/agents/{id}?fait={done}")).into_response())
}

/// Out of one department, at once, with whatever rights were given there; what the agent holds there is proposed
/// to others.
pub async fn leave(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let found = find(&agent, id).await?;
    let department = typed.text("service");
    let left = found.memberships.iter().find(|one| one.department_id == department).ok_or(Problem::NotFound)?;
    if found.oneself || left.from_directory {
        return Err(Problem::Forbidden(
            "Vous ne pouvez pas retirer cet agent d’ici : l’annuaire ou l’administrateur de votre collectivité le fait.",
        ));
    }
    let by = Some(agent.account.id);
    let mut given = given::of_departments(&agent.db, &[department], agent.today()).await?;
    given.retain(|one| one.account_id == id);
    agent
        .db
        .write(async |tx: &mut Tx| {
            for one in &given {
                given::withdraw(tx, agent.account.id, one, agent.now).await?;
            }
            if store::leave(tx, id, department).await? {
                let reason = &left.department_name;
                connections::remember_agent(tx, &agent, id, Happened::DepartmentLeft, (by, reason)).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
    let held = handover::held(&agent.db, &[department]).await?;
    if held.iter().any(|one| one.account_id == id) {
        return Ok(Redirect::to(&hand_url(id, department)).into_response());
    }
    Ok(Redirect::to("/agent/agents?fait=retire").into_response())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_last_day_is_read() {
        let read = |day: &str, month: &str, year: &str| {
            let mut typed = Raw::default();
            typed.set("fin.jour", day);
            typed.set("fin.mois", month);
            typed.set("fin.annee", year);
            last_day(&typed, date(2026, 11, 17)).map_err(|_| ())
        };
        assert_eq!(read("", "", ""), Ok(None));
        assert_eq!(read("30", "11", "2026"), Ok(Some(date(2026, 11, 30))));
        assert_eq!(read(" 17 ", "11", "2026"), Ok(Some(date(2026, 11, 17))));
        for (day, month, year) in [
            ("16", "11", "2026"),
            ("31", "11", "2026"),
            ("30", "", "2026"),
            ("1", "1", "27"),
            ("un", "1", "2027"),
            ("1", "1", "9999"),
        ] {
            assert_eq!(read(day, month, year), Err(()), "{day} {month} {year}");
        }
    }
}
