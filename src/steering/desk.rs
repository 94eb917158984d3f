//! « Statistiques », for the agents who process the requests of a department.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use jiff::civil::Date;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    SUMMED,
    chart::{days, number},
    facts::Measure,
    model::{Figures, funnel},
    period::{Period, Ranges, Step},
    reminders::{self, Rhythm},
    scope::{self, Scope},
    store,
    tables::{self, Table},
};
use crate::{
    agents::{Membership, Role},
    catalogue::{self, Current},
    error::Problem,
    platform::{attachment, encode, form::Typed, french, sheet::Format},
    requests::reach,
    visit::Agent,
};

const TITLE: &str = "Statistiques";
const OFTEN: [(&str, &str); 3] = [("semaine", "Chaque semaine"), ("mois", "Chaque mois"), ("jamais", "Jamais")];
const ACTIONS: [Measure; 4] = [Measure::Sent, Measure::OnTime, Measure::Late, Measure::Step];

/// The query of the address, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
    demarche: String,
    periode: String,
    tableau: String,
    fait: String,
}

impl Asked {
    /// The query that gives the same figures, of `procedure` if that is not empty.
    fn query(&self, procedure: &str) -> String {
        let pairs = [("service", self.service.as_str()), ("demarche", procedure), ("periode", &self.periode)];
        let given = pairs.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }
}

/// All that a page shows.
struct Report {
    period: Period,
    total: Figures,
    before: Figures,
    tables: Vec<Table>,
}

async fn report(agent: &Agent, asked: &Asked) -> Result<Report, Problem> {
    let scope = Scope::of(agent, &asked.service, &asked.demarche)?;
    let today = agent.today();
    let period = Period::named(&asked.periode, today);
    let by_day = period.step != Step::Month;
    let ranges = Ranges::of(period.from, period.to, by_day, today);
    let earlier = Ranges::of(period.before.0, period.before.1, by_day, today);
    let (counts, before) = tokio::try_join!(
        store::read(&agent.db, &scope, &ranges, &SUMMED),
        store::read(&agent.db, &scope, &earlier, &SUMMED),
    )?;
    let parts = tables::parts(&period, &counts);
    let mut each: BTreeMap<String, Figures> = BTreeMap::new();
    for read in &counts {
        match each.get_mut(&read.procedure) {
            Some(figures) => figures.add(&read.count),
            None => each.entry(read.procedure.clone()).or_default().add(&read.count),
        }
    }
    let mut total = Figures::default();
    each.values().for_each(|figures| total.merge(figures));
    let mut earlier = Figures::default();
    before.iter().for_each(|read| earlier.add(&read.count));
    if by_day && period.of_months() {
        elsewhere(agent, &scope, period.from, &mut total).await?;
        elsewhere(agent, &scope, period.before.0, &mut earlier).await?;
    }
    let mut tables = vec![tables::volumes(&parts), tables::delays(&parts)];
    if scope.procedure.is_some() {
        tables.extend(of_procedure(agent, &scope, &ranges).await?);
    } else {
        tables.push(procedures(agent, asked, each).await?);
    }
    tables.push(tables::satisfaction(&total));
    if period.of_months() {
        tables.push(tables::channels(&total));
    }
    Ok(Report { period, total, before: earlier, tables })
}

/// Adds what was declared of the month of `day`.
async fn elsewhere(agent: &Agent, scope: &Scope, day: Date, figures: &mut Figures) -> Result<(), Problem> {
    let first = day.first_of_month();
    let ranges = Ranges { months: Some((first, first)), days: Vec::new() };
    for read in store::read(&agent.db, scope, &ranges, &[Measure::Elsewhere]).await? {
        figures.add(&read.count);
    }
    Ok(())
}

/// What only makes sense of one procedure: where its form is left, what was done with its requests.
async fn of_procedure(agent: &Agent, scope: &Scope, ranges: &Ranges) -> Result<Vec<Table>, Problem> {
    let Some(published) = catalogue::any(agent, scope.procedure.as_deref().unwrap_or_default()).await? else {
        return Ok(Vec::new());
    };
    let procedure = &published.procedure;
    let counts = store::read(&agent.db, scope, ranges, &[Measure::Page]).await?;
    let moves: Vec<(String, i64)> = counts.into_iter().map(|read| (read.count.what, read.count.many)).collect();
    let steps = tables::steps(procedure, &funnel(&reach::steps(procedure), &moves));
    let mut done: BTreeMap<String, i64> = BTreeMap::new();
    for read in store::read(&agent.db, scope, ranges, &ACTIONS).await? {
        *done.entry(read.count.what).or_default() += read.count.many;
    }
    let transitions = procedure.workflow.transitions.iter();
    let named = transitions.filter_map(|one| Some((one.label.clone(), *done.get(&one.id)?)));
    Ok(vec![steps, tables::actions(&named.collect::<Vec<_>>())])
}

async fn procedures(agent: &Agent, asked: &Asked, each: BTreeMap<String, Figures>) -> Result<Table, Problem> {
    let current = catalogue::current(agent).await?;
    let mut found: Vec<(String, String, Figures)> = each
        .into_iter()
        .map(|(id, figures)| {
            let title = current.any(&id).map_or(id.as_str(), |one| one.procedure.title.as_str());
            (title.to_owned(), format!("/agent/statistiques?{}", asked.query(&id)), figures)
        })
        .collect();
    found.sort_by_cached_key(|(title, ..)| french::fold(title));
    Ok(tables::procedures(&found))
}

pub async fn show(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let report = report(&agent, &asked).await?;
    let period = &report.period;
    let span = format!("du {} au {}", french::date(period.from), french::date(period.to));
    let query = asked.query(&asked.demarche);
    let (seen, current) = (scope::seen(&agent)?, catalogue::current(&agent).await?);
    let mut filters = of_departments(&seen, &asked.service);
    filters.push(of_procedures(&seen, &current, &asked.service, &asked.demarche));
    filters.push(of_periods(agent.today(), &period.id));
    let mut context = json!({
        "filters": filters,
        "period": period.title, "span": span, "compared": period.before_title,
        "tiles": tiles(&report),
        "tables": report.tables,
        "csv": format!("/agent/statistiques.csv?{}{}tableau=", query, if query.is_empty() { "" } else { "&" }),
        "mails": mails(&agent).await?,
    });
    if let Some(shown) = context.as_object_mut().filter(|_| asked.fait == "courriels") {
        shown.insert("flash".to_owned(), json!({"kind": "success", "text": "Votre choix est enregistré."}));
    }
    agent.page("agent/statistics.html", TITLE, Value::from(Serde(context)))
}

/// For each department that the agent manages, how often they get its figures by mail.
async fn mails(agent: &Agent) -> Result<Vec<Json>, Problem> {
    let readers = reminders::readers(&agent.db, Some(agent.account.id)).await?;
    let managed = agent.memberships.iter().filter(|one| one.role >= Role::Manager);
    let of = |one: &Membership| {
        let kept = readers.iter().find(|reader| reader.department_id == one.department_id);
        let kept = kept.map_or("jamais", |reader| reader.every.as_str());
        let choices = OFTEN.map(|(value, text)| json!({"value": value, "text": text, "chosen": value == kept}));
        json!({"department": one.department_id, "name": one.department_name, "choices": choices})
    };
    Ok(managed.map(of).collect())
}

/// How often a manager gets the figures of a department.
pub async fn subscribe(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let department = typed.text("service");
    if agent.role(department).ok_or(Problem::NotFound)? < Role::Manager {
        return Err(Problem::Forbidden("Ces courriels sont pour les responsables du service."));
    }
    let often = typed.text("frequence");
    if !OFTEN.iter().any(|(known, _)| *known == often) {
        return Err(Problem::Bad("Choisissez une fréquence."));
    }
    let (account, today) = (agent.account.id, agent.today());
    let report = Rhythm::named(often);
    agent.db.write(async |tx: &mut Tx| reminders::subscribe(tx, department, account, report, today).await).await?;
    Ok(Redirect::to("/agent/statistiques?fait=courriels").into_response())
}

/// One table, for a spreadsheet.
pub async fn csv(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let report = report(&agent, &asked).await?;
    let table = report.tables.iter().find(|table| table.id == asked.tableau).ok_or(Problem::NotFound)?;
    let name = format!("statistiques-{}-{}.csv", table.id, report.period.id);
    Ok(attachment::file(table.csv(), Format::Csv.media_type(), &name))
}

/// The filter of departments, when there is a choice.
pub fn of_departments(seen: &[Membership], chosen: &str) -> Vec<Json> {
    let departments: Vec<(String, String)> =
        seen.iter().map(|one| (one.department_id.clone(), one.department_name.clone())).collect();
    if departments.len() < 2 {
        return Vec::new();
    }
    vec![select("service", "Service", Some("Tous mes services"), chosen, &departments)]
}

/// The filter of procedures: those of the department, or of all that are seen.
pub fn of_procedures(seen: &[Membership], current: &Current, department: &str, chosen: &str) -> Json {
    let ours = |id: &str| seen.iter().any(|one| one.department_id == id) && (department.is_empty() || department == id);
    let mut procedures: Vec<(String, String)> = current
        .all()
        .filter(|published| ours(&published.procedure.department))
        .map(|published| (published.procedure.id.clone(), published.procedure.title.clone()))
        .collect();
    procedures.sort_by_cached_key(|(_, title)| french::fold(title));
    select("demarche", "Démarche", Some("Toutes"), chosen, &procedures)
}

pub fn of_periods(today: Date, chosen: &str) -> Json {
    let capital = |title: String| {
        title.chars().take(1).flat_map(char::to_uppercase).chain(title.chars().skip(1)).collect::<String>()
    };
    let periods: Vec<(String, String)> =
        Period::offered(today).into_iter().map(|(id, title)| (id, capital(title))).collect();
    select("periode", "Période", None, chosen, &periods)
}

pub fn select(name: &str, label: &str, any: Option<&str>, chosen: &str, options: &[(String, String)]) -> Json {
    let any = any.map(|text| json!({"value": "", "text": text, "selected": chosen.is_empty()}));
    let options =
        options.iter().map(|(value, text)| json!({"value": value, "text": text, "selected": value == chosen}));
    json!({"name": name, "label": label, "options": any.into_iter().chain(options).collect::<Vec<_>>()})
}

/// What counts most, with what it was before.
fn tiles(report: &Report) -> Json {
    let (now, before) = (&report.total, &report.before);
    let count = |value: i64| Some(number(value));
    let percent = |value: Option<i64>| value.map(|value| format!("{value}\u{a0}%"));
    let delay = |value: Option<i64>| value.map(days);
    let tile = |label: &str, now: Option<String>, before: Option<String>| json!({"label": label, "value": now.unwrap_or_else(|| "–".to_owned()), "before": before.unwrap_or_else(|| "–".to_owned())});
    let mut tiles = vec![
        tile("Demandes reçues", count(now.sent), count(before.sent)),
        tile("Réponses données", count(now.answered()), count(before.answered())),
        tile("La moitié des réponses en", delay(now.delays.within(5)), delay(before.delays.within(5))),
        tile("Neuf réponses sur dix en", delay(now.delays.within(9)), delay(before.delays.within(9))),
        tile("Réponses dans le délai annoncé", percent(now.on_time()), percent(before.on_time())),
        tile("Demandes complètes d’emblée", percent(now.complete()), percent(before.complete())),
        tile("Usagers satisfaits", percent(now.marks.percent()), percent(before.marks.percent())),
    ];
    if report.period.of_months() {
        let before = before.online().filter(|_| report.period.whole_before());
        tiles.push(tile("Demandes en ligne", percent(now.online()), percent(before)));
    }
    Json::from(tiles)
}
