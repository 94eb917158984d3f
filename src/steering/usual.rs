//! How long answers really take these weeks, as usagers are told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, RwLock},
};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp, ToSpan};
use uuid::Uuid;

use super::{facts::Measure, model::Delays, period::Ranges, scope::Scope, store};
use crate::{catalogue, visit::Visit};

/// Answers of these last weeks are looked at.
const WEEKS: i32 = 8;
/// Fewer say nothing of the next one: the promise alone is told.
const LEAST: i64 = 20;
/// Answers in ten that came within what is told.
const TENTHS: i64 = 8;
/// How long a process keeps what it read.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Days by procedure.
type Days = Arc<BTreeMap<String, i64>>;

/// Those of each authority, and when they were read.
#[derive(Default)]
pub struct Usual(RwLock<HashMap<Uuid, (Timestamp, Days)>>);

/// « En ce moment, une réponse arrive en général sous 12 jours. »; empty when too few were given these weeks.
pub async fn sentence(visit: &Visit, procedure: &str) -> Result<String> {
    Ok(current(visit).await?.get(procedure).map_or_else(String::new, |days| match days {
        0 => "En ce moment, une réponse arrive en général le jour même.".to_owned(),
        1 => "En ce moment, une réponse arrive en général sous un jour.".to_owned(),
        days => format!("En ce moment, une réponse arrive en général sous {days}\u{a0}jours."),
    }))
}

async fn current(visit: &Visit) -> Result<Days> {
    let kept = &visit.app.usual.0;
    if let Ok(known) = kept.read()
        && let Some((read, days)) = known.get(&visit.site.id)
        && visit.now.duration_since(*read) < FRESH
    {
        return Ok(days.clone());
    }
    let today = visit.today();
    let from = today.checked_sub(WEEKS.weeks()).unwrap_or(today);
    let scope = Scope::public(catalogue::current(visit).await?.as_ref());
    let ranges = Ranges::of(from, today, true, today);
    let mut delays: BTreeMap<String, Delays> = BTreeMap::new();
    for read in store::read(&visit.db, &scope, &ranges, &[Measure::OnTime, Measure::Late]).await? {
        delays.entry(read.procedure).or_default().merge(&read.count.delays);
    }
    delays.retain(|_, found| found.requests() >= LEAST);
    let days: BTreeMap<String, i64> =
        delays.into_iter().filter_map(|(id, found)| Some((id, found.within(TENTHS)?))).collect();
    let days = Arc::new(days);
    if let Ok(mut known) = kept.write() {
        known.insert(visit.site.id, (visit.now, days.clone()));
    }
    Ok(days)
}
