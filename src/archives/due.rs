//! What is over today: one version of a procedure at a time, whose requests all have the same retention.

use forms::model::Fate;
use jiff::{Timestamp, civil::Date};

use super::{model, store};
use crate::{catalogue, visit::Visit};

/// Requests of one version of a procedure whose time is over.
pub struct Over {
    pub procedure: String,
    pub version: i64,
    pub title: String,
    /// « 1 an ».
    pub dua: String,
    pub basis: String,
    pub fate: Fate,
    /// They ended before this moment.
    pub ended_before: Timestamp,
    /// And before this one, those with a decision.
    pub settled_before: Timestamp,
}

/// Every version of which something may be over. One that can no longer be read holds its requests: nothing says
/// how long they are kept.
pub async fn over(visit: &Visit) -> anyhow::Result<Vec<Over>> {
    let (calendar, today) = (&visit.site.calendar, visit.today());
    let settled = model::last_settled(calendar, today);
    let mut found = Vec::new();
    for (id, version) in store::versions(&visit.db).await? {
        let procedure = match catalogue::version(visit, &id, version).await {
            Ok(procedure) => procedure,
            Err(error) => {
                tracing::error!(procedure = id, version, error = format!("{error:#}"), "retention not readable");
                continue;
            }
        };
        let retention = &procedure.notice.retention;
        let Some(last) = model::last_over(retention, calendar, today) else { continue };
        found.push(Over {
            procedure: id,
            version,
            title: procedure.title.clone(),
            dua: retention.dua.to_string(),
            basis: retention.basis.clone().unwrap_or_default(),
            fate: retention.fate,
            ended_before: evening(visit, last)?,
            settled_before: evening(visit, settled)?,
        });
    }
    Ok(found)
}

/// When a day is over, in the authority's zone.
fn evening(visit: &Visit, day: Date) -> anyhow::Result<Timestamp> {
    Ok(day.tomorrow()?.to_zoned(visit.site.zone.clone())?.timestamp())
}
