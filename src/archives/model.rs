//! When a request may go, and where a list stands.

use forms::{
    calendar::Calendar,
    model::{Delay, DelayUnit, Fate, Retention},
};
use jiff::civil::{Date, date};

use crate::requests::recipients;

/// Nothing ended here before.
const FIRST: Date = date(1970, 1, 1);

/// How long a decision may still be contested: two months to ask the authority again, two of its silence, two to
/// go to court (CRPA, L411-2 and L231-4; Code de justice administrative, R421-1).
const CONTESTED: Delay = Delay { count: 6, unit: DelayUnit::Months };

/// The last day of which all that ended has outlived its retention `today`; none when nothing has.
pub fn last_over(retention: &Retention, calendar: &Calendar, today: Date) -> Option<Date> {
    let over = |ended: Date| recipients::until(retention, ended, calendar) < today;
    if !over(FIRST) {
        return None;
    }
    // Who ends later is kept at least as long: what is over and what is not meet at one day.
    let (mut yes, mut no) = (FIRST, today);
    loop {
        let half = (no - yes).get_days() / 2;
        if half == 0 {
            return Some(yes);
        }
        let middle = yes.checked_add(jiff::Span::new().days(half)).unwrap_or(no);
        if over(middle) { yes = middle } else { no = middle }
    }
}

/// The last day of which no decision may be contested `today`.
pub fn last_settled(calendar: &Calendar, today: Date) -> Date {
    calendar.before(today, CONTESTED).yesterday().unwrap_or(Date::MIN)
}

/// « Sort final ».
pub fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Destroy => "destroy",
        Fate::Keep => "keep",
        Fate::Sample => SAMPLE,
    }
}

pub const SAMPLE: &str = "sample";

pub fn fate_words(fate: &str) -> &'static str {
    if fate == SAMPLE { "Tri, puis élimination" } else { "Élimination" }
}

/// « BE-0007 ».
pub fn reference(number: i64) -> String {
    format!("BE-{number:04}")
}

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Waits for its visa.
    Proposed,
    /// Given up.
    Dropped,
    /// The visa is there, the elimination is under way.
    Signed,
    Done,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Dropped => "dropped",
            Self::Signed => "signed",
            Self::Done => "done",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Proposed => "Attend le visa",
            Self::Dropped => "Abandonné",
            Self::Signed => "Élimination en cours",
            Self::Done => "Éliminé",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(count: u32, unit: DelayUnit) -> Retention {
        let dua = Delay { count, unit };
        Retention { current: Delay { count: 1, unit: DelayUnit::Months }, dua, basis: None, fate: Fate::Destroy }
    }

    #[test]
    fn the_last_day_that_is_over() {
        let year = kept(1, DelayUnit::Years);
        let calendar = Calendar::default();
        // Ended on 17 November 2026: kept until 17 November 2027 included.
        assert_eq!(last_over(&year, &calendar, date(2027, 11, 17)), Some(date(2026, 11, 16)));
        assert_eq!(last_over(&year, &calendar, date(2027, 11, 18)), Some(date(2026, 11, 17)));
        // 28 and 29 February 2028 are both kept until 28 February 2029.
        assert_eq!(last_over(&year, &calendar, date(2029, 3, 1)), Some(date(2028, 2, 29)));
        assert_eq!(last_over(&year, &calendar, date(2029, 2, 28)), Some(date(2028, 2, 27)));
        assert_eq!(last_over(&kept(100, DelayUnit::Years), &calendar, date(2027, 11, 17)), None);
        // The longer of both times counts.
        assert_eq!(last_over(&kept(0, DelayUnit::Days), &calendar, date(2026, 3, 31)), Some(date(2026, 2, 28)));
    }

    #[test]
    fn a_decision_that_may_be_contested() {
        assert_eq!(last_settled(&Calendar::default(), date(2027, 1, 31)), date(2026, 7, 30));
    }

    proptest! {
        #[test]
        fn no_day_too_early_none_too_late(count in 0_u32..80, unit in 0_u8..4, day in 0_i32..20_000) {
            let unit = [DelayUnit::Days, DelayUnit::Weeks, DelayUnit::Months, DelayUnit::WorkingDays][usize::from(unit)];
            let today = date(1985, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            let (retention, calendar) = (kept(count, unit), Calendar::default());
            let last = last_over(&retention, &calendar, today).unwrap();
            prop_assert!(recipients::until(&retention, last, &calendar) < today);
            prop_assert!(recipients::until(&retention, last.tomorrow().unwrap(), &calendar) >= today);
        }
    }
}
