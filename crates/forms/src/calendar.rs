//! Delays on the calendar: French public holidays, working days (« jours ouvrés »), ends of months.

use std::collections::BTreeSet;

use jiff::{
    Span,
    civil::{Date, Weekday, date},
};

use crate::model::{Delay, DelayUnit};

/// Which days count for an authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Good Friday and 26 December are holidays too (Code du travail, L3134-13).
    pub alsace_moselle: bool,
    /// Days on which the authority is closed, beside weekends and holidays (« ponts »).
    pub closed: BTreeSet<Date>,
}

impl Calendar {
    /// The day on which `delay` from `start` is over. The starting day does not count; months end on
    /// the last day when their own is missing (31 January + 1 month = 28 February).
    pub fn after(&self, start: Date, delay: Delay) -> Date {
        self.count(start, delay, 1)
    }

    /// The day that is `delay` before `end`, counted the same way.
    pub fn before(&self, end: Date, delay: Delay) -> Date {
        self.count(end, delay, -1)
    }

    /// `way`: 1 forwards, -1 backwards.
    fn count(&self, start: Date, delay: Delay, way: i64) -> Date {
        let count = i64::from(delay.count).saturating_mul(way);
        let span = match delay.unit {
            DelayUnit::WorkingDays => return walk(start, delay.count, way, |day| self.is_working_day(day)),
            DelayUnit::OuvrableDays => return walk(start, delay.count, way, |day| self.is_ouvrable_day(day)),
            DelayUnit::Days => Span::new().try_days(count),
            DelayUnit::Weeks => Span::new().try_weeks(count),
            DelayUnit::Months => Span::new().try_months(count),
            DelayUnit::Years => Span::new().try_years(count),
        };
        // Beyond the calendar's ends (years -9999 and 9999) there is no better answer than its edge.
        span.ok().and_then(|span| start.checked_add(span).ok()).unwrap_or(edge(way))
    }

    /// Monday to Friday, but public holidays and the authority's closed days (« jour ouvré »).
    pub fn is_working_day(&self, day: Date) -> bool {
        self.is_ouvrable_day(day) && day.weekday() != Weekday::Saturday && !self.closed.contains(&day)
    }

    /// Monday to Saturday, but public holidays (« jour ouvrable »): that the authority is closed changes
    /// nothing.
    pub fn is_ouvrable_day(&self, day: Date) -> bool {
        day.weekday() != Weekday::Sunday && !self.is_holiday(day)
    }

    /// The eleven legal holidays of metropolitan France (Code du travail, L3133-1), and the two of the
    /// Haut-Rhin, the Bas-Rhin and the Moselle (L3134-13).
    pub fn is_holiday(&self, day: Date) -> bool {
        const FIXED: [(i8, i8); 8] = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
        let from_easter = day.since(easter(day.year())).ok().map_or(i32::MAX, |span| span.get_days());
        FIXED.contains(&(day.month(), day.day()))
            || [1, 39, 50].contains(&from_easter)
            || self.alsace_moselle && (from_easter == -2 || (day.month(), day.day()) == (12, 26))
    }
}

fn walk(start: Date, count: u32, way: i64, counts: impl Fn(Date) -> bool) -> Date {
    let (mut day, mut left) = (start, count);
    while left > 0 {
        let next = if way < 0 { day.yesterday() } else { day.tomorrow() };
        let Ok(next) = next else { return edge(way) };
        day = next;
        left -= u32::from(counts(day));
    }
    day
}

fn edge(way: i64) -> Date {
    if way < 0 { Date::MIN } else { Date::MAX }
}

/// Easter Sunday, by the Gregorian computus (anonymous algorithm of 1876).
fn easter(year: i16) -> Date {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let small = |number: i32| i8::try_from(number).unwrap_or(1);
    Date::new(i16::try_from(year).unwrap_or(1), small(days / 31), small(days % 31 + 1)).unwrap_or(date(2000, 4, 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(count: u32, unit: DelayUnit) -> Delay {
        Delay { count, unit }
    }

    #[test]
    fn easters() {
        for (year, month, day) in [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25)] {
            assert_eq!(easter(year), date(year, month, day));
        }
    }

    fn after(start: Date, count: u32, unit: DelayUnit) -> Date {
        Calendar::default().after(start, delay(count, unit))
    }

    #[test]
    fn holidays() {
        // Easter Monday, Ascension, Whit Monday of 2026.
        for day in [date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25), date(2026, 11, 11)] {
            assert!(Calendar::default().is_holiday(day), "{day}");
        }
        assert!(!Calendar::default().is_holiday(date(2026, 4, 4)));
        let strasbourg = Calendar { alsace_moselle: true, ..Calendar::default() };
        for day in [date(2026, 4, 3), date(2026, 12, 26)] {
            assert!(strasbourg.is_holiday(day) && !Calendar::default().is_holiday(day), "{day}");
        }
    }

    #[test]
    fn delays() {
        assert_eq!(after(date(2026, 11, 20), 5, DelayUnit::WorkingDays), date(2026, 11, 27));
        assert_eq!(after(date(2026, 12, 23), 2, DelayUnit::WorkingDays), date(2026, 12, 28));
        assert_eq!(after(date(2026, 12, 23), 2, DelayUnit::OuvrableDays), date(2026, 12, 26));
        assert_eq!(after(date(2026, 1, 31), 1, DelayUnit::Months), date(2026, 2, 28));
        assert_eq!(after(date(2026, 11, 21), 3, DelayUnit::Weeks), date(2026, 12, 12));
        assert_eq!(after(date(2024, 2, 29), 1, DelayUnit::Years), date(2025, 2, 28));
    }

    #[test]
    fn closed_days_are_worked_by_nobody_and_still_ouvrables() {
        let calendar = Calendar { closed: BTreeSet::from([date(2026, 12, 24)]), ..Calendar::default() };
        assert_eq!(calendar.after(date(2026, 12, 23), delay(1, DelayUnit::WorkingDays)), date(2026, 12, 28));
        assert_eq!(calendar.after(date(2026, 12, 23), delay(1, DelayUnit::OuvrableDays)), date(2026, 12, 24));
        assert_eq!(calendar.before(date(2026, 12, 28), delay(1, DelayUnit::WorkingDays)), date(2026, 12, 23));
        assert_eq!(calendar.before(date(2026, 3, 31), delay(1, DelayUnit::Months)), date(2026, 2, 28));
    }
}
