//! How late an answer is, in three colours.

use jiff::civil::Date;

use crate::{calendar::Calendar, model::Alerts};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    Green,
    Orange,
    Red,
}

impl Alerts {
    /// The colour, on `today`, of a request whose answer is due on the day `due`.
    pub fn colour(&self, due: Date, today: Date, calendar: &Calendar) -> Colour {
        if today >= self.red_from(due, calendar) {
            Colour::Red
        } else if today >= calendar.before(due, self.orange) {
            Colour::Orange
        } else {
            Colour::Green
        }
    }

    /// The first day on which it is red.
    pub fn red_from(&self, due: Date, calendar: &Calendar) -> Date {
        self.red.map_or_else(|| due.tomorrow().unwrap_or(due), |red| calendar.before(due, red))
    }

    /// The day on which managers are told that nobody answered.
    pub fn told_on(&self, due: Date, calendar: &Calendar) -> Date {
        calendar.after(self.red_from(due, calendar), self.escalate)
    }

    /// The last due day that is orange on `today`, or a few days later: to look no further.
    pub fn horizon(&self, today: Date, calendar: &Calendar) -> Date {
        let last = calendar.after(today, self.orange);
        last.checked_add(jiff::Span::new().days(3)).unwrap_or(last)
    }

    /// Whether orange comes first, whatever the day.
    pub(crate) fn in_order(&self) -> bool {
        let calendar = Calendar::default();
        let due = [Date::constant(2026, 3, 31), Date::constant(2026, 11, 12)];
        due.iter().all(|due| calendar.before(*due, self.orange) < self.red_from(*due, &calendar))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Delay, DelayUnit};

    fn working(count: u32) -> Delay {
        Delay { count, unit: DelayUnit::WorkingDays }
    }

    #[test]
    fn colours_follow_the_calendar() {
        let alerts = Alerts { orange: working(3), red: Some(working(1)), escalate: working(5) };
        // Due on a Monday: orange from the Wednesday before, red from the Friday.
        let due = Date::constant(2026, 11, 23);
        let on = |day| alerts.colour(due, Date::constant(2026, 11, day), &Calendar::default());
        assert_eq!(
            [17, 18, 19, 20, 30].map(on),
            [Colour::Green, Colour::Orange, Colour::Orange, Colour::Red, Colour::Red]
        );
        assert_eq!(alerts.told_on(due, &Calendar::default()), Date::constant(2026, 11, 27));
        let late = Alerts { red: None, ..alerts };
        let on = |day| late.colour(due, Date::constant(2026, 11, day), &Calendar::default());
        assert_eq!([23, 24].map(on), [Colour::Orange, Colour::Red]);
    }

    #[test]
    fn nothing_orange_is_beyond_the_horizon() {
        let calendar = Calendar::default();
        for unit in [DelayUnit::WorkingDays, DelayUnit::OuvrableDays, DelayUnit::Days, DelayUnit::Months] {
            let alerts = Alerts { orange: Delay { count: 2, unit }, red: None, escalate: working(5) };
            let mut today = Date::constant(2026, 1, 1);
            while today < Date::constant(2027, 3, 1) {
                let mut due = alerts.horizon(today, &calendar);
                for _ in 0..8 {
                    due = due.tomorrow().unwrap();
                    assert_eq!(alerts.colour(due, today, &calendar), Colour::Green, "{today} {due} {unit:?}");
                }
                today = today.tomorrow().unwrap();
            }
        }
    }

    #[test]
    fn what_is_usual_is_in_order() {
        for (count, unit) in
            [(1, DelayUnit::Days), (5, DelayUnit::WorkingDays), (1, DelayUnit::Weeks), (2, DelayUnit::Months)]
        {
            assert!(Alerts::usual(Delay { count, unit }).in_order());
        }
        assert!(!Alerts { orange: working(1), red: Some(working(3)), escalate: working(5) }.in_order());
        assert!(!Alerts { orange: working(1), red: Some(working(1)), escalate: working(5) }.in_order());
    }
}
