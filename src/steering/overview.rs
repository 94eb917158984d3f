//! « Chiffres de la collectivité »: every department side by side, for who sees the whole authority and no request.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use jiff::civil::Date;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::json;

use super::{
    SUMMED,
    compare::{self, By, Group, Online},
    desk::{of_periods, select},
    facts::Measure,
    period::{Period, Ranges, Step},
    scope::Scope,
    store::{self, Read},
};
use crate::{
    authorities, catalogue,
    error::Problem,
    platform::{attachment, encode, french, sheet::Format},
    visit::Observer,
};

const HOME: &str = "/agent/ensemble";
const TITLE: &str = "Chiffres de la collectivité";

/// The query of the address, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `service` or `demarche`.
    par: String,
    service: String,
    periode: String,
}

struct Report {
    by: By,
    period: Period,
    online: Online,
    groups: Vec<Group>,
    /// Ids and names.
    departments: Vec<(String, String)>,
}

async fn report(observer: &Observer, asked: &Asked) -> Result<Report, Problem> {
    let departments = authorities::departments(&observer.db).await?;
    let wanted: Vec<String> = departments
        .iter()
        .map(|(id, _)| id.clone())
        .filter(|id| asked.service.is_empty() || *id == asked.service)
        .collect();
    if wanted.is_empty() && !asked.service.is_empty() {
        return Err(Problem::NotFound);
    }
    let (by, period) = (By::named(&asked.par), Period::named(&asked.periode, observer.today()));
    let scope = Scope::departments_of(wanted.clone());
    let (now, before) = tokio::try_join!(
        counts(observer, &scope, &period, (period.from, period.to)),
        counts(observer, &scope, &period, period.before),
    )?;
    let mut found = compare::groups(by, &now, &before);
    if by == By::Department {
        // One that received nothing is a line too.
        for id in &wanted {
            found.entry((id.clone(), String::new())).or_default();
        }
    }
    let current = catalogue::current(observer).await?;
    let mut groups: Vec<Group> = found
        .into_iter()
        .map(|((department, procedure), (now, before))| {
            let named = departments.iter().find(|(id, _)| *id == department).map_or("", |(_, name)| name.as_str());
            match by {
                By::Department => {
                    let query = format!("par=demarche&service={}&periode={}", encode(&department), period.id);
                    Group { name: named.to_owned(), href: format!("{HOME}?{query}"), now, before }
                }
                By::Procedure => {
                    let title = current.any(&procedure).map_or(procedure.as_str(), |one| one.procedure.title.as_str());
                    Group { name: format!("{title} ({named})"), href: String::new(), now, before }
                }
            }
        })
        .collect();
    groups.sort_by_cached_key(|group| french::fold(&group.name));
    let online = Online { now: period.of_months(), before: period.of_months() && period.whole_before() };
    Ok(Report { by, period, online, groups, departments })
}

/// What is counted of those days, and what was declared of their month.
async fn counts(
    observer: &Observer,
    scope: &Scope,
    period: &Period,
    (from, to): (Date, Date),
) -> Result<Vec<Read>, db::Error> {
    let by_day = period.step != Step::Month;
    let ranges = Ranges::of(from, to, by_day, observer.today());
    let mut counts = store::read(&observer.db, scope, &ranges, &SUMMED).await?;
    if by_day && period.of_months() {
        let month = Ranges { months: Some((from.first_of_month(), from.first_of_month())), days: Vec::new() };
        counts.extend(store::read(&observer.db, scope, &month, &[Measure::Elsewhere]).await?);
    }
    Ok(counts)
}

pub async fn show(observer: Observer, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let report = report(&observer, &asked).await?;
    let (by, period) = (report.by, &report.period);
    let ways = [("service".to_owned(), "Service".to_owned()), ("demarche".to_owned(), "Démarche".to_owned())];
    let filters = [
        select("par", "Une ligne par", None, by.name(), &ways),
        select("service", "Service", Some("Tous les services"), &asked.service, &report.departments),
        of_periods(observer.today(), &period.id),
    ];
    let query = format!("par={}&service={}&periode={}", by.name(), encode(&asked.service), period.id);
    let context = json!({
        "filters": filters,
        "period": period.title, "compared": period.before_title,
        "span": format!("du {} au {}", french::date(period.from), french::date(period.to)),
        "table": compare::table(by, &report.groups, report.online),
        "csv": format!("{HOME}.csv?{query}"),
    });
    observer.page("agent/overview.html", TITLE, Value::from(Serde(context)))
}

/// The same, for a spreadsheet.
pub async fn csv(observer: Observer, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let report = report(&observer, &asked).await?;
    let table = compare::sheet(report.by, &report.groups, report.online);
    let name = format!("chiffres-{}-{}.csv", report.by.name(), report.period.id);
    Ok(attachment::file(table.csv(), Format::Csv.media_type(), &name))
}
