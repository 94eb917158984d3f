//! Which departments hold somebody's requests: why, on what legal basis, for whom and until when, as each
//! procedure's notice says.

use db::{Db, args, row, sql};
use forms::{
    calendar::Calendar,
    model::{Fate, Procedure, Retention},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::citizen;
use crate::{authorities::Authority, catalogue, error::Problem, platform::clock, visit::Visit};

row! {
    #[derive(Debug, Clone)]
    struct Line {
        id: Uuid,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        department_name: String,
        submitted_at: Timestamp,
        ended_at: Option<Timestamp>,
    }
}

async fn lines(db: &Db, account: Uuid, most: i64) -> Result<Vec<Line>, db::Error> {
    db.all(
        sql!(
            "select r.id, r.reference, r.procedure_id, r.procedure_version, d.name as department_name, r.submitted_at, r.ended_at from request r
             join department d on d.authority_id = r.authority_id and d.id = r.department_id
             where r.authority_id = $1 and r.account_id = $2 order by r.submitted_at desc limit $3"
        ),
        args![db.authority(), account, most],
    )
    .await
}

/// The latest `most` requests of an account, grouped by version of a procedure and department: {title,
/// department, purpose, basis, recipients, retention, fate, requests: list of {reference, href, sent: date-time,
/// until: date or "" (not ended yet)}}.
pub async fn of(visit: &Visit, account: Uuid, most: i64) -> Result<Vec<Json>, Problem> {
    let mut groups: Vec<((String, i64, String), Vec<Line>)> = Vec::new();
    for line in lines(&visit.db, account, most).await? {
        let key = (line.procedure_id.clone(), line.procedure_version, line.department_name.clone());
        match groups.iter_mut().find(|(found, _)| *found == key) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((key, vec![line])),
        }
    }
    let mut shown = Vec::new();
    for ((id, version, department), lines) in groups {
        shown.push(match catalogue::version(visit, &id, version).await {
            Ok(procedure) => group(&procedure, &department, &lines, &visit.site),
            // Somebody's right to see who has their data outlives a procedure that can no longer be read.
            Err(error) => {
                tracing::error!(procedure = id, version, error = format!("{error:#}"), "notice not readable");
                unreadable(&id, &department, &lines)
            }
        });
    }
    Ok(shown)
}

fn group(procedure: &Procedure, department: &str, lines: &[Line], site: &Authority) -> Json {
    let notice = &procedure.notice;
    let one = |line: &Line| {
        let until = line
            .ended_at
            .map(|ended| until(&notice.retention, clock::day(ended, &site.zone), &site.calendar).to_string());
        json!({
            "reference": line.reference, "href": format!("/demandes/{}", line.id), "sent": line.submitted_at.to_string(),
            "until": until.unwrap_or_default(),
        })
    };
    json!({
        "title": procedure.title, "department": department, "purpose": notice.purpose, "basis": notice.basis,
        "recipients": procedure.recipients(), "retention": citizen::retention(notice), "fate": fate(notice.retention.fate),
        "requests": lines.iter().map(one).collect::<Vec<_>>(),
    })
}

fn unreadable(title: &str, department: &str, lines: &[Line]) -> Json {
    const UNKNOWN: &str = "Information indisponible : demandez-la au service";
    let one = |line: &Line| {
        let (href, sent) = (format!("/demandes/{}", line.id), line.submitted_at.to_string());
        json!({"reference": line.reference, "href": href, "sent": sent, "until": ""})
    };
    json!({
        "title": title, "department": department, "purpose": UNKNOWN, "basis": UNKNOWN, "recipients": [], "retention": UNKNOWN,
        "fate": "sans date connue", "requests": lines.iter().map(one).collect::<Vec<_>>(),
    })
}

/// The last day a request that ended on `ended` is kept: both times of retention count from its end.
pub fn until(retention: &Retention, ended: Date, calendar: &Calendar) -> Date {
    calendar.after(ended, retention.current).max(calendar.after(ended, retention.dua))
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Destroy => "puis détruites",
        Fate::Keep => "puis versées aux archives publiques",
        Fate::Sample => "puis détruites, sauf un échantillon versé aux archives publiques",
    }
}

/// All of them, for the export of one's data.
pub async fn export(visit: &Visit, account: Uuid) -> Result<Vec<Json>, Problem> {
    let groups = of(visit, account, i64::from(i32::MAX)).await?;
    let one = |group: &Json| {
        let text = |key: &str| group.get(key).cloned().unwrap_or_default();
        let requests = group.get("requests").and_then(Json::as_array).into_iter().flatten();
        let requests =
            requests.map(|one| json!({"reference": one.get("reference"), "gardee_jusqu_au": one.get("until")}));
        json!({
            "demarche": text("title"), "service": text("department"), "finalite": text("purpose"), "base_legale": text("basis"),
            "destinataires": text("recipients"), "conservation": text("retention"), "demandes": requests.collect::<Vec<_>>(),
        })
    };
    Ok(groups.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use forms::model::{Delay, DelayUnit};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_request_is_kept_until_the_later_of_both_times() {
        let months = |count| Delay { count, unit: DelayUnit::Months };
        let kept =
            |current, dua| Retention { current: months(current), dua: months(dua), basis: None, fate: Fate::Destroy };
        assert_eq!(until(&kept(3, 12), date(2026, 8, 31), &Calendar::default()), date(2027, 8, 31));
        assert_eq!(until(&kept(6, 6), date(2026, 8, 31), &Calendar::default()), date(2027, 2, 28));
        assert_eq!(until(&kept(6, 1), date(2026, 8, 31), &Calendar::default()), date(2027, 2, 28));
    }
}
