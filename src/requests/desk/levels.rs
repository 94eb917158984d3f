//! Which requests are orange or red today: each procedure says how long before its due date.

use std::collections::BTreeMap;

use db::Query;
use forms::{
    Colour,
    calendar::Calendar,
    model::{Alerts, Delay, DelayUnit},
};
use jiff::{Timestamp, civil::Date};

use super::filters::{Filters, Late};
use crate::{catalogue, visit::Agent};

/// What holds for a procedure that is published no more.
const PROMISED: Delay = Delay { count: 1, unit: DelayUnit::Months };

/// Due moments of one level: from the first on, before the second.
type Span = (Option<Timestamp>, Option<Timestamp>);

/// The due moments looked for, by procedure; nothing when lists are not narrowed by colour.
#[derive(Debug, Default)]
pub struct Levels {
    /// Those of the procedures that are not named in the others.
    usual: Option<Span>,
    others: BTreeMap<Span, Vec<String>>,
}

impl Levels {
    pub async fn of(agent: &Agent, filters: &Filters) -> anyhow::Result<Self> {
        let colour = match filters.late {
            Late::Orange => Colour::Orange,
            Late::Red => Colour::Red,
            Late::Any | Late::Past => return Ok(Self::default()),
        };
        let (today, calendar) = (agent.today(), &agent.site.calendar);
        let span = |alerts: &Alerts| -> Span {
            let (first, last) = days(alerts, colour, today, calendar);
            let after = |day: Date| agent.morning(day.tomorrow().ok()?);
            (first.and_then(|day| agent.morning(day)), after(last))
        };
        let usual = span(&Alerts::usual(PROMISED));
        let mut known: Vec<(Alerts, Span)> = Vec::new();
        let mut others: BTreeMap<Span, Vec<String>> = BTreeMap::new();
        for published in catalogue::current(agent).await?.all() {
            let procedure = &published.procedure;
            let found = known.iter().find(|(alerts, _)| *alerts == procedure.alerts).map(|(_, span)| *span);
            let span = found.unwrap_or_else(|| span(&procedure.alerts));
            if found.is_none() {
                known.push((procedure.alerts, span));
            }
            if span != usual {
                others.entry(span).or_default().push(procedure.id.clone());
            }
        }
        Ok(Self { usual: Some(usual), others })
    }

    /// Restricts a query on `request r` to them; those that wait for the department only.
    pub fn restrict(&self, query: Query) -> Query {
        let Some((from, before)) = self.usual else { return query };
        let latest = self.others.keys().map(|(_, before)| *before).chain([before]).max().flatten();
        let mut query = query
            .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
            // What an index reads.
            .and_some("r.due_at < {}", latest)
            .push(" and ((1 = 1")
            .and_some("r.due_at >= {}", from)
            .and_some("r.due_at < {}", before);
        for one in self.others.values().flatten() {
            query = query.push_with(" and r.procedure_id <> {}", one);
        }
        query = query.push(")");
        for ((from, before), procedures) in &self.others {
            query = query
                .push(" or (1 = 1")
                .and_in("r.procedure_id", procedures)
                .and_some("r.due_at >= {}", *from)
                .and_some("r.due_at < {}", *before)
                .push(")");
        }
        query.push(")")
    }
}

/// The first and the last due day that have this colour today; no first one when all before have it.
fn days(alerts: &Alerts, colour: Colour, today: Date, calendar: &Calendar) -> (Option<Date>, Date) {
    let end = alerts.horizon(today, calendar);
    // What was due yesterday is red, whatever the delays.
    let mut day = today.yesterday().unwrap_or(today);
    let mut red = day;
    let mut orange = day;
    while let (true, Ok(next)) = (day < end, day.tomorrow()) {
        day = next;
        match alerts.colour(day, today, calendar) {
            Colour::Red => (red, orange) = (day, day),
            Colour::Orange => orange = day,
            Colour::Green => {}
        }
    }
    match colour {
        Colour::Red => (None, red),
        _ => (red.tomorrow().ok(), orange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_a_level_are_those_of_its_colour() {
        let calendar = Calendar::default();
        let delay = |count, unit| Delay { count, unit };
        let working = |count| delay(count, DelayUnit::WorkingDays);
        for (orange, red) in [
            (working(1), None),
            (working(3), None),
            (working(5), Some(working(2))),
            (delay(1, DelayUnit::Months), Some(delay(10, DelayUnit::Days))),
        ] {
            let alerts = Alerts { orange, red, escalate: working(5) };
            let mut today = Date::constant(2026, 11, 1);
            while today < Date::constant(2026, 12, 1) {
                for colour in [Colour::Orange, Colour::Red] {
                    let (first, last) = days(&alerts, colour, today, &calendar);
                    let mut due = Date::constant(2026, 10, 1);
                    while due < Date::constant(2027, 2, 1) {
                        let within = first.is_none_or(|first| first <= due) && due <= last;
                        assert_eq!(
                            within,
                            alerts.colour(due, today, &calendar) == colour,
                            "{due} on {today}, {orange:?} {red:?}"
                        );
                        due = due.tomorrow().unwrap();
                    }
                }
                today = today.tomorrow().unwrap();
            }
        }
    }
}
