//! The stretch of time that figures are about, as an address names it.

use forms::kinds::french::month as month_of_year;
use jiff::{ToSpan, civil::Date};

use crate::platform::french;

/// Years offered, the present one included.
const YEARS: i16 = 5;

/// Into what a chart divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Day,
    Week,
    Month,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// As addresses have it: `7j`, `30j`, `12m`, `2026`, `2026-10`.
    pub id: String,
    /// « les 12 derniers mois ».
    pub title: String,
    /// Both included; never after today.
    pub from: Date,
    pub to: Date,
    pub step: Step,
    /// What it is compared with: as long a stretch, just before or a year earlier.
    pub before: (Date, Date),
    pub before_title: String,
}

/// The first of a month, counted from that of `day`.
fn month(day: Date, ahead: i32) -> Date {
    let first = day.first_of_month();
    first.checked_add(ahead.months()).unwrap_or(first)
}

fn days(day: Date, ahead: i32) -> Date {
    day.checked_add(ahead.days()).unwrap_or(day)
}

fn year(day: Date, ahead: i32) -> Date {
    day.checked_add(ahead.years()).unwrap_or(day)
}

/// « octobre 2026 ».
pub fn month_name(day: Date) -> String {
    format!("{}\u{a0}{}", month_of_year(day.month()), day.year())
}

/// « de novembre 2026 », « d’octobre 2026 ».
fn of_month(day: Date) -> String {
    let name = month_name(day);
    if name.starts_with(['a', 'o']) { format!("d’{name}") } else { format!("de {name}") }
}

impl Period {
    /// The period of this id; the last twelve months for any other text.
    pub fn named(id: &str, today: Date) -> Self {
        let known = match id {
            "7j" => Some(Self::recent(7, today)),
            "30j" => Some(Self::recent(30, today)),
            _ if id.len() == 7 => format!("{id}-01").parse().ok().and_then(|first| Self::month(first, today)),
            _ => id.parse().ok().and_then(|number| Self::year(number, today)),
        };
        known.unwrap_or_else(|| Self::twelve(today))
    }

    /// All that are offered: (id, title).
    pub fn offered(today: Date) -> Vec<(String, String)> {
        let recent = [Self::recent(7, today), Self::recent(30, today), Self::twelve(today)];
        let years = (0..YEARS).filter_map(|ago| Self::year(today.year() - ago, today));
        let months = (0..12).filter_map(|ago| Self::month(month(today, -ago), today));
        recent.into_iter().chain(years).chain(months).map(|one| (one.id, one.title)).collect()
    }

    fn recent(count: i32, today: Date) -> Self {
        Self {
            id: format!("{count}j"),
            title: format!("les {count} derniers jours"),
            from: days(today, 1 - count),
            to: today,
            step: if count <= 7 { Step::Day } else { Step::Week },
            before: (days(today, 1 - 2 * count), days(today, -count)),
            before_title: format!("les {count} jours d’avant"),
        }
    }

    fn twelve(today: Date) -> Self {
        let from = month(today, -11);
        Self {
            id: "12m".to_owned(),
            title: "les 12 derniers mois".to_owned(),
            from,
            to: today,
            step: Step::Month,
            before: (year(from, -1), year(today, -1)),
            before_title: "la même période un an plus tôt".to_owned(),
        }
    }

    fn year(number: i16, today: Date) -> Option<Self> {
        let from = Date::new(number, 1, 1).ok().filter(|_| (2000..=today.year()).contains(&number))?;
        let to = today.min(Date::new(number, 12, 31).ok()?);
        Some(Self {
            id: number.to_string(),
            title: format!("l’année {number}"),
            from,
            to,
            step: Step::Month,
            before: (year(from, -1), year(to, -1)),
            before_title: format!("la même période en {}", number - 1),
        })
    }

    /// The month of `first`, if it began less than a year ago: its days are still counted apart.
    fn month(first: Date, today: Date) -> Option<Self> {
        let from = first.first_of_month();
        if from > today || from < month(today, -11) {
            return None;
        }
        let to = today.min(first.last_of_month());
        let earlier = month(from, -1);
        let whole = to == first.last_of_month();
        let end = if whole {
            earlier.last_of_month()
        } else {
            days(earlier, i32::from(to.day()) - 1).min(earlier.last_of_month())
        };
        Some(Self {
            id: format!("{:04}-{:02}", from.year(), from.month()),
            title: month_name(from),
            from,
            to,
            step: Step::Week,
            before: (earlier, end),
            before_title: if whole { month_name(earlier) } else { format!("les mêmes jours {}", of_month(earlier)) },
        })
    }

    /// Whether what is counted by month only is known of it.
    pub fn of_months(&self) -> bool {
        self.step == Step::Month || self.id.len() == 7
    }

    /// Whether it is compared with whole months: what is declared by month is of no part of one.
    pub fn whole_before(&self) -> bool {
        self.before.0 == self.before.0.first_of_month() && self.before.1 == self.before.1.last_of_month()
    }

    /// The parts of a chart: (first day, its name), in order.
    pub fn parts(&self) -> Vec<(Date, String)> {
        let mut parts = Vec::new();
        let mut at = self.from;
        while at <= self.to {
            let next = self.next(at);
            let last = days(next, -1).min(self.to);
            parts.push((at, self.name(at, last)));
            at = next;
        }
        parts
    }

    /// The first day of the part in which `day` falls.
    pub fn part(&self, day: Date) -> Date {
        let first = match self.step {
            Step::Day => day,
            Step::Week => days(day, -i32::from(day.weekday().to_monday_zero_offset())),
            Step::Month => day.first_of_month(),
        };
        first.max(self.from)
    }

    fn next(&self, at: Date) -> Date {
        match self.step {
            Step::Day => days(at, 1),
            Step::Week => days(at, 7 - i32::from(at.weekday().to_monday_zero_offset())),
            Step::Month => month(at, 1),
        }
    }

    fn name(&self, first: Date, last: Date) -> String {
        match self.step {
            Step::Month => month_name(first),
            _ if first == last => french::date(first),
            _ if first.month() == last.month() => format!("du {} au {}", day_of_month(first), french::date(last)),
            _ => format!("du {} au {}", short(first), french::date(last)),
        }
    }
}

/// « 1er », « 30 ».
fn day_of_month(day: Date) -> String {
    if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() }
}

/// « 30 octobre ».
fn short(day: Date) -> String {
    let whole = french::date(day);
    whole.rsplit_once(' ').map_or_else(|| whole.clone(), |(rest, _)| rest.to_owned())
}

/// How counters give a stretch of days: whole months, and days at its edges. With `by_day`, days only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// (first of the first month, first of the last).
    pub months: Option<(Date, Date)>,
    pub days: Vec<(Date, Date)>,
}

impl Ranges {
    pub fn of(from: Date, to: Date, by_day: bool, today: Date) -> Self {
        if by_day || from > to {
            return Self { months: None, days: if from > to { Vec::new() } else { vec![(from, to)] } };
        }
        let first = if from == from.first_of_month() { from } else { month(from, 1) };
        // Nothing is counted after today: its month is as good as whole.
        let whole = to >= today || to == to.last_of_month();
        let last = if whole { to.first_of_month() } else { month(to, -1) };
        if first > last {
            return Self { months: None, days: vec![(from, to)] };
        }
        let mut edges = Vec::new();
        if from < first {
            edges.push((from, days(first, -1)));
        }
        if !whole {
            edges.push((to.first_of_month(), to));
        }
        Self { months: Some((first, last)), days: edges }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = Date::constant(2026, 11, 22);

    #[test]
    fn an_address_names_a_period() {
        let at = |id: &str| {
            let found = Period::named(id, TODAY);
            (found.id.clone(), found.from, found.to, found.before)
        };
        assert_eq!(at("7j"), ("7j".into(), date(2026, 11, 16), TODAY, (date(2026, 11, 9), date(2026, 11, 15))));
        assert_eq!(at("12m"), ("12m".into(), date(2025, 12, 1), TODAY, (date(2024, 12, 1), date(2025, 11, 22))));
        assert_eq!(
            at("2025"),
            ("2025".into(), date(2025, 1, 1), date(2025, 12, 31), (date(2024, 1, 1), date(2024, 12, 31)))
        );
        assert_eq!(at("2026").3, (date(2025, 1, 1), date(2025, 11, 22)));
        assert_eq!(at("2026-10").3, (date(2026, 9, 1), date(2026, 9, 30)));
        assert_eq!(
            at("2026-11"),
            ("2026-11".into(), date(2026, 11, 1), TODAY, (date(2026, 10, 1), date(2026, 10, 22)))
        );
        for wrong in ["", "2027", "1066", "2026-12", "2024-01", "drop", "99j", "2026-1é"] {
            assert_eq!(at(wrong).0, "12m", "{wrong}");
        }
        for (id, title) in Period::offered(TODAY) {
            assert_eq!(Period::named(&id, TODAY).title, title);
        }
    }

    #[test]
    fn what_is_compared_is_named() {
        let before = |today| Period::named("2026-11", today).before_title.replace('\u{a0}', " ");
        assert_eq!(before(TODAY), "les mêmes jours d’octobre 2026");
        assert_eq!(before(date(2026, 12, 1)), "octobre 2026");
        let before = |id| Period::named(id, date(2026, 12, 1)).before_title.replace('\u{a0}', " ");
        assert_eq!(before("2026-12"), "les mêmes jours de novembre 2026");
        let whole = |id| Period::named(id, TODAY).whole_before();
        assert_eq!(
            ["7j", "12m", "2026", "2026-11", "2026-10", "2025"].map(whole),
            [false, false, false, false, true, true]
        );
    }

    #[test]
    fn parts_cover_it() {
        let names = |id: &str| {
            Period::named(id, TODAY)
                .parts()
                .into_iter()
                .map(|(_, name)| name.replace('\u{a0}', " "))
                .collect::<Vec<_>>()
        };
        assert_eq!(names("12m").first().map(String::as_str), Some("décembre 2025"));
        assert_eq!(names("12m").len(), 12);
        assert_eq!(names("7j").len(), 7);
        assert_eq!(
            names("2026-11"),
            ["1er novembre 2026", "du 2 au 8 novembre 2026", "du 9 au 15 novembre 2026", "du 16 au 22 novembre 2026"]
        );
        assert_eq!(names("2026-10").first().map(String::as_str), Some("du 1er au 4 octobre 2026"));
        assert_eq!(names("30j").first().map(String::as_str), Some("du 24 au 25 octobre 2026"));
        assert_eq!(Period::named("30j", TODAY).part(date(2026, 10, 25)), date(2026, 10, 24));
    }

    proptest! {
        /// Each day once, by the days or by the months that hold it.
        #[test]
        fn ranges_hold_each_day_once(ago in 0_i32..800, long in 0_i32..800, by_day: bool) {
            let to = days(TODAY, -ago);
            let from = days(to, -long);
            let ranges = Ranges::of(from, to, by_day, TODAY);
            let mut held = 0;
            for (first, last) in &ranges.days {
                prop_assert!(first <= last && *first >= from && *last <= to);
                held += (*last - *first).get_days() + 1;
            }
            if let Some((first, last)) = ranges.months {
                prop_assert!(first >= from && last.first_of_month() == last);
                held += (last.last_of_month().min(to) - first).get_days() + 1;
                prop_assert!(ranges.days.iter().all(|(a, b)| *b < first || *a > last.last_of_month()));
            }
            prop_assert_eq!(held, long + 1);
        }
    }
}
