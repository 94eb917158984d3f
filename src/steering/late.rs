//! « Retards »: what is orange or red in the agent's departments, and how often they want to be reminded of it.

use std::collections::{BTreeMap, HashMap};

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{Colour, model::Alerts};
use jiff::{Timestamp, civil::Date};
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    desk::{of_departments, of_procedures},
    reminders::{self, Every},
    scope::{self, Scope},
};
use crate::{
    catalogue::{self, Current},
    error::Problem,
    platform::{clock, encode, form::Typed, french},
    requests::late::{self, Due, Group, Line, Spans},
    visit::{Agent, Visit},
};

const TITLE: &str = "Retards";

/// What waits too long, or soon will.
#[derive(Debug, Default)]
pub struct Watch {
    /// (department, procedure, due day, colour, how many): nothing green.
    pub groups: Vec<(String, String, Date, Colour, i64)>,
    /// The first ones.
    pub lines: Vec<(Line, Date, Colour)>,
}

impl Watch {
    pub fn many(&self, colour: Colour) -> i64 {
        self.groups.iter().filter(|(.., found, _)| *found == colour).map(|(.., many)| many).sum()
    }
}

/// What a procedure says of its alerts; of one that is not published any more, what is usual.
pub fn alerts(current: &Current, procedure: &str) -> Alerts {
    current.any(procedure).map_or_else(usual, |published| published.procedure.alerts)
}

fn usual() -> Alerts {
    Alerts::usual(forms::model::Delay { count: 1, unit: forms::model::DelayUnit::Months })
}

/// When the last request that may have a colour today is due, whatever its procedure.
fn horizon(visit: &Visit, current: &Current) -> Timestamp {
    let all = current.all().map(|one| one.procedure.alerts).chain([usual()]);
    let furthest = all.map(|alerts| alerts.horizon(visit.today(), &visit.site.calendar)).max();
    after(visit, furthest.unwrap_or(visit.today()))
}

/// The first instant after a day in the city.
fn after(visit: &Visit, day: Date) -> Timestamp {
    let next = day.tomorrow().unwrap_or(day);
    next.to_zoned(visit.site.zone.clone()).map_or(visit.now, |zoned| zoned.timestamp())
}

/// What is orange or red today. `lines`: with the first hundred requests.
pub async fn watch(visit: &Visit, scope: &Scope, lines: bool) -> Result<Watch, Problem> {
    let current = catalogue::current(visit).await?;
    let (today, calendar) = (visit.today(), &visit.site.calendar);
    let due = Due {
        departments: scope.departments(),
        procedure: scope.procedure.as_deref(),
        before: horizon(visit, &current),
    };
    // Many are due on the same days.
    let mut known: HashMap<(String, Date), Colour> = HashMap::new();
    let mut colour = |procedure: &str, at: Timestamp| {
        let day = clock::day(at, &visit.site.zone);
        let of_day = || alerts(&current, procedure).colour(day, today, calendar);
        (day, *known.entry((procedure.to_owned(), day)).or_insert_with(of_day))
    };
    let (mut watch, mut spans) = (Watch::default(), Spans::default());
    for Group { department_id, procedure_id, due_at, many } in late::groups(&visit.db, &due).await? {
        let (day, colour) = colour(&procedure_id, due_at);
        if colour > Colour::Green {
            spans.add(&procedure_id, due_at, many);
            watch.groups.push((department_id, procedure_id, day, colour, many));
        }
    }
    if lines {
        for line in late::lines(&visit.db, due.departments, &spans).await? {
            let (day, colour) = colour(&line.procedure_id, line.due_at);
            watch.lines.push((line, day, colour));
        }
    }
    Ok(watch)
}

/// The requests of a department whose answer has been red for as long as its procedure says, since a day
/// (excluded): how many, and the first ones.
pub async fn escalated(visit: &Visit, department: &str, since: Date) -> Result<(i64, Vec<(Line, Date)>), Problem> {
    let current = catalogue::current(visit).await?;
    let (today, calendar, zone) = (visit.today(), &visit.site.calendar, &visit.site.zone);
    let departments = [department.to_owned()];
    // Where red comes before the day it is due, so may this.
    let due = Due { departments: &departments, procedure: None, before: horizon(visit, &current) };
    let crosses = |procedure: &str, at: Timestamp| {
        let told = alerts(&current, procedure).told_on(clock::day(at, zone), calendar);
        since < told && told <= today
    };
    let (mut many, mut spans) = (0, Spans::default());
    for group in late::groups(&visit.db, &due).await? {
        if crosses(&group.procedure_id, group.due_at) {
            many += group.many;
            spans.add(&group.procedure_id, group.due_at, group.many);
        }
    }
    let lines = late::lines(&visit.db, &departments, &spans).await?;
    let told = lines.into_iter().map(|line| (clock::day(line.due_at, zone), line)).map(|(day, line)| (line, day));
    Ok((many, told.collect()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
    demarche: String,
    fait: String,
}

pub async fn show(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let scope = Scope::of(&agent, &asked.service, &asked.demarche)?;
    let current = catalogue::current(&agent).await?;
    let watch = watch(&agent, &scope, true).await?;
    let title = |id: &str| current.any(id).map_or_else(|| id.to_owned(), |found| found.procedure.title.clone());
    let mut filters = of_departments(&scope::seen(&agent)?, &asked.service);
    filters.push(of_procedures(&scope::seen(&agent)?, &current, &asked.service, &asked.demarche));
    let every = reminders::choice(&agent.db, agent.account.id).await?;
    let mut context = json!({
        "filters": filters,
        "red": watch.many(Colour::Red), "orange": watch.many(Colour::Orange),
        "procedures": procedures(&watch, &title),
        "rows": watch.lines.iter().map(|(line, day, colour)| row(&agent, line, *day, *colour, &title(&line.procedure_id))).collect::<Vec<_>>(),
        "more": watch.groups.iter().map(|(.., many)| many).sum::<i64>() > i64::try_from(watch.lines.len()).unwrap_or(i64::MAX),
        "choices": Every::ALL.map(|one| json!({"value": one.name(), "text": one.words(), "chosen": one == every})),
    });
    if let Some(shown) = context.as_object_mut().filter(|_| asked.fait == "rappels") {
        shown.insert("flash".to_owned(), json!({"kind": "success", "text": "Votre choix est enregistré."}));
    }
    agent.page("agent/late.html", TITLE, Value::from(Serde(context)))
}

/// By procedure, the most late first.
fn procedures(watch: &Watch, title: &impl Fn(&str) -> String) -> Vec<Json> {
    let mut each: BTreeMap<&str, (i64, i64, Date)> = BTreeMap::new();
    for (_, procedure, day, colour, many) in &watch.groups {
        let found = each.entry(procedure).or_insert((0, 0, *day));
        match colour {
            Colour::Red => found.0 += many,
            Colour::Orange => found.1 += many,
            Colour::Green => {}
        }
        found.2 = found.2.min(*day);
    }
    let mut sorted: Vec<(&str, (i64, i64, Date))> = each.into_iter().collect();
    sorted.sort_by_key(|(id, (red, orange, _))| (-red, -orange, *id));
    let shown = |(id, (red, orange, oldest)): (&str, (i64, i64, Date))| json!({"title": title(id), "href": format!("/agent/retards?demarche={}", encode(id)), "red": red, "orange": orange, "oldest": oldest.to_string()});
    sorted.into_iter().map(shown).collect()
}

fn row(agent: &Agent, line: &Line, day: Date, colour: Colour, procedure: &str) -> Json {
    let mine = line.holder_id == Some(agent.account.id);
    json!({
        "href": format!("/agent/demandes/{}", line.id), "reference": line.reference, "procedure": procedure,
        "due": day.to_string(), "due_text": text(day, agent.today()), "red": colour == Colour::Red,
        "assigned": if mine { "Vous" } else { line.holder_name.as_deref().unwrap_or_default() },
    })
}

/// « en retard de 3 jours », « à rendre le 4 décembre 2026 ».
pub fn text(due: Date, today: Date) -> String {
    match (today - due).get_days() {
        ..0 => format!("à rendre le {}", french::date(due)),
        0 => "à rendre aujourd’hui".to_owned(),
        1 => "en retard d’un jour".to_owned(),
        late => format!("en retard de {late}\u{a0}jours"),
    }
}

/// How often the agent wants to be reminded.
pub async fn choose(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    scope::seen(&agent)?;
    let every = Every::named(typed.text("frequence")).ok_or(Problem::Bad("Choisissez une fréquence."))?;
    agent.db.write(async |tx: &mut Tx| reminders::choose(tx, agent.account.id, every).await).await?;
    Ok(Redirect::to("/agent/retards?fait=rappels").into_response())
}
