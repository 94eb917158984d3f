//! « Demandes reçues autrement »: what came at the counter, by post or by telephone in a month and was not entered
//! here, as the managers of a department declare it, so that the part that comes online is known.

use std::sync::Arc;

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, model::Procedure};
use jiff::civil::Date;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    desk::{of_procedures, select},
    facts::{self, Fact, Measure},
    period::{Period, Ranges},
    scope::Scope,
    store,
};
use crate::{
    agents::{Membership, Role},
    catalogue,
    error::Problem,
    platform::{encode, form::Typed},
    requests::Channel,
    visit::Agent,
};

const TITLE: &str = "Demandes reçues autrement";
const REFUSED: Problem = Problem::Forbidden("Ces nombres sont déclarés par les responsables du service.");
/// More in a month is a mistake of typing.
const MOST: i64 = 100_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    demarche: String,
    mois: String,
    fait: String,
}

fn managed(agent: &Agent) -> Result<Vec<Membership>, Problem> {
    let mut managed = agent.memberships.clone();
    managed.retain(|one| one.role >= Role::Manager);
    if managed.is_empty() { Err(REFUSED) } else { Ok(managed) }
}

/// Months that may be declared, the latest first: (id, title).
fn months(today: Date) -> Vec<(String, String)> {
    Period::offered(today).into_iter().filter(|(id, _)| id.len() == 7).collect()
}

/// The month of this id, if it may be declared.
fn named(id: &str, today: Date) -> Option<Date> {
    months(today).iter().find(|(known, _)| known == id).and_then(|(id, _)| format!("{id}-01").parse().ok())
}

/// The month shown for this id: last month, or the present one, for any other text.
fn month(id: &str, today: Date) -> Option<Date> {
    let months = months(today);
    let usual = months.get(1).or_else(|| months.first());
    named(id, today).or_else(|| usual.and_then(|(id, _)| named(id, today)))
}

/// A procedure of a department that the agent manages.
async fn procedure(agent: &Agent, id: &str) -> Result<Arc<Procedure>, Problem> {
    let published = catalogue::any(agent, id).await?.ok_or(Problem::NotFound)?;
    match agent.role(&published.procedure.department) {
        Some(Role::Manager) => Ok(published.procedure),
        Some(_) => Err(REFUSED),
        None => Err(Problem::NotFound),
    }
}

pub async fn show(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    managed(&agent)?;
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let mut typed = Raw::default();
    if !asked.demarche.is_empty() {
        let procedure = procedure(&agent, &asked.demarche).await?;
        if let Some(first) = month(&asked.mois, agent.today()) {
            let ranges = Ranges { months: Some((first, first)), days: Vec::new() };
            for read in store::read(&agent.db, &Scope::procedure(&procedure), &ranges, &[Measure::Elsewhere]).await? {
                typed.set(read.count.channel, read.count.many.to_string());
            }
        }
    }
    draw(&agent, &asked, &typed, &[]).await
}

pub async fn save(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    managed(&agent)?;
    let asked =
        Asked { demarche: typed.text("demarche").to_owned(), mois: typed.text("mois").to_owned(), fait: String::new() };
    let procedure = procedure(&agent, &asked.demarche).await?;
    let first = named(&asked.mois, agent.today());
    let (mut counts, mut errors) = (Vec::new(), Vec::new());
    if first.is_none() {
        errors.push(json!({"href": "#filtre-mois", "text": "Le mois que vous aviez choisi ne se déclare plus : rien n’est enregistré. Ces nombres sont montrés pour un autre mois, vérifiez-le avant de les enregistrer"}));
    }
    for (channel, label) in declared() {
        match number(typed.text(channel)) {
            Some(many) => counts.push((channel, many)),
            None => errors.push(json!({"href": format!("#{channel}"), "text": format!("{label} : écrivez un nombre entier, de 0 à 100 000")})),
        }
    }
    let Some(first) = first.filter(|_| errors.is_empty()) else {
        return draw(&agent, &asked, &typed, &errors).await;
    };
    let (department, id) = (procedure.department.as_str(), procedure.id.as_str());
    let counted = |channel| Fact {
        day: first,
        department,
        procedure: id,
        measure: Measure::Elsewhere,
        what: "",
        channel,
        days: None,
    };
    agent
        .db
        .write(async |tx: &mut Tx| {
            for (channel, many) in &counts {
                facts::declare(tx, &counted(*channel), *many).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    let (demarche, mois) = (encode(id), encode(&asked.mois));
    Ok(Redirect::to(&format!("/agent/statistiques/autrement?demarche={demarche}&mois={mois}&fait=oui")).into_response())
}

fn declared() -> impl Iterator<Item = (&'static str, &'static str)> {
    Channel::FILED.into_iter().map(|channel| (channel.id(), channel.words()))
}

/// Nothing typed is none.
fn number(typed: &str) -> Option<i64> {
    let plain: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    if plain.is_empty() {
        return Some(0);
    }
    plain.parse().ok().filter(|many| (0..=MOST).contains(many))
}

async fn draw(agent: &Agent, asked: &Asked, typed: &Raw, errors: &[Json]) -> Result<Response, Problem> {
    let current = catalogue::current(agent).await?;
    let months = months(agent.today());
    let chosen =
        month(&asked.mois, agent.today()).map_or_else(String::new, |first| first.strftime("%Y-%m").to_string());
    let fields: Vec<Json> =
        declared().map(|(id, label)| json!({"id": id, "label": label, "value": typed.text(id)})).collect();
    let title = current.any(&asked.demarche).map(|found| found.procedure.title.clone());
    let named = months.iter().find(|(id, _)| *id == chosen).map(|(_, title)| title.clone());
    let mut context = json!({
        "filters": [of_procedures(&managed(agent)?, &current, "", &asked.demarche), select("mois", "Mois", None, &chosen, &months)],
        "procedure": asked.demarche, "title": title.unwrap_or_default(), "month": chosen, "month_name": named.unwrap_or_default(),
        "fields": fields, "errors": errors,
    });
    if let Some(shown) = context.as_object_mut().filter(|_| asked.fait == "oui") {
        shown.insert("flash".to_owned(), json!({"kind": "success", "text": "Ces nombres sont enregistrés."}));
    }
    let context = Value::from(Serde(context));
    if errors.is_empty() {
        agent.page("agent/elsewhere.html", TITLE, context)
    } else {
        agent.page_again("agent/elsewhere.html", TITLE, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_plausible() {
        assert_eq!(["", "0", " 1 200 ", "100000"].map(number), [Some(0), Some(0), Some(1_200), Some(100_000)]);
        assert_eq!(["-1", "1,5", "beaucoup", "100001"].map(number), [None; 4]);
    }

    #[test]
    fn last_month_comes_first() {
        let today = Date::constant(2026, 1, 12);
        assert_eq!(month("", today), Some(Date::constant(2025, 12, 1)));
        assert_eq!(month("2026-01", today), Some(Date::constant(2026, 1, 1)));
        assert_eq!(month("2020-01", today), Some(Date::constant(2025, 12, 1)));
        assert_eq!(["", "2020-01", "2026-02", "12m"].map(|id| named(id, today)), [None; 4]);
    }
}
