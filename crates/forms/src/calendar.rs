//! Delays on the calendar: French public holidays, working days (« jours ouvrés »), ends of months.

use jiff::{
    Span,
    civil::{Date, Weekday, date},
};

use crate::model::{Delay, DelayUnit};

/// The day on which `delay` from `start` is over. The starting day does not count; months end on the
/// last day when their own is missing (31 January + 1 month = 28 February).
pub fn after(start: Date, delay: Delay) -> Date {
    let count = i64::from(delay.count);
    let span = match delay.unit {
        DelayUnit::WorkingDays => return working_days_after(start, delay.count),
        DelayUnit::Days => Span::new().try_days(count),
        DelayUnit::Weeks => Span::new().try_weeks(count),
        DelayUnit::Months => Span::new().try_months(count),
        DelayUnit::Years => Span::new().try_years(count),
    };
    // Beyond the calendar's end (year 9999) there is no sooner answer than its last day.
    span.ok().and_then(|span| start.checked_add(span).ok()).unwrap_or(Date::MAX)
}

fn working_days_after(start: Date, count: u32) -> Date {
    let (mut day, mut left) = (start, count);
    while left > 0 {
        let Ok(next) = day.tomorrow() else { return Date::MAX };
        day = next;
        left -= u32::from(is_working_day(day));
    }
    day
}

/// Monday to Friday, but public holidays.
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(day)
}

/// The eleven legal holidays of metropolitan France (Code du travail, L3133-1).
pub fn is_holiday(day: Date) -> bool {
    const FIXED: [(i8, i8); 8] = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    let easter = easter(day.year());
    let from_easter = day.since(easter).ok().map_or(i32::MAX, |span| span.get_days());
    FIXED.contains(&(day.month(), day.day())) || [1, 39, 50].contains(&from_easter)
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

    #[test]
    fn holidays() {
        // Easter Monday, Ascension, Whit Monday of 2026.
        for day in [date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25), date(2026, 11, 11)] {
            assert!(is_holiday(day), "{day}");
        }
        assert!(!is_holiday(date(2026, 4, 5).yesterday().unwrap()));
    }

    #[test]
    fn delays() {
        assert_eq!(after(date(2026, 11, 20), delay(5, DelayUnit::WorkingDays)), date(2026, 11, 27));
        assert_eq!(after(date(2026, 12, 23), delay(2, DelayUnit::WorkingDays)), date(2026, 12, 28));
        assert_eq!(after(date(2026, 1, 31), delay(1, DelayUnit::Months)), date(2026, 2, 28));
        assert_eq!(after(date(2026, 11, 21), delay(3, DelayUnit::Weeks)), date(2026, 12, 12));
        assert_eq!(after(date(2024, 2, 29), delay(1, DelayUnit::Years)), date(2025, 2, 28));
    }
}
