//! What counters amount to: volumes, delays, marks, how many leave a form.

use std::{collections::BTreeMap, fmt};

use forms::workflow::{Need, Transition, Who, Workflow};

use super::facts::{Measure, WEB};

/// Fewer opinions, or fewer requests, than this are not told to the public: somebody might be recognised.
pub const FEW: i64 = 5;

/// Delays are counted in whole days up to here,
const EXACT: i64 = 60;
/// then in weeks up to here, then in stretches of thirty days: what is told is wrong by six days at most within a
/// year, a tenth of it; nothing below two months.
const WEEKS: i64 = 60 + 44 * 7;

/// The first day of the stretch in which a delay falls. `days`: calendar days since the request was sent, 0 on the same day.
pub fn bucket(days: i64) -> i64 {
    match days.max(0) {
        days @ ..EXACT => days,
        days @ EXACT..WEEKS => days - (days - EXACT) % 7,
        days => days - (days - WEEKS) % 30,
    }
}

/// Whether a transition is the department's answer: a decision where the circuit has one, else an agent's end.
pub fn answers(workflow: &Workflow, transition: &str) -> bool {
    let decides = |one: &Transition| one.needs.iter().any(|need| matches!(need, Need::Decision | Need::Refusal));
    let Some(fired) = workflow.transition(transition) else { return false };
    if workflow.transitions.iter().any(decides) {
        return decides(fired);
    }
    matches!(fired.who, Who::Process | Who::Decide) && workflow.state(&fired.to).is_some_and(|state| state.end)
}

/// `part` of `whole` in a hundred, rounded; none of nothing.
pub fn percent(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| (part.clamp(0, whole) * 100 + whole / 2) / whole)
}

/// Marks from 1 to 5, summed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    pub given: i64,
    sum: i64,
    /// Marks of 4 and 5.
    satisfied: i64,
}

impl Marks {
    pub fn add(&mut self, score: i64, given: i64) {
        self.given += given;
        self.sum += score * given;
        self.satisfied += if score >= 4 { given } else { 0 };
    }

    fn merge(&mut self, other: Self) {
        self.given += other.given;
        self.sum += other.sum;
        self.satisfied += other.satisfied;
    }

    /// « 4,2 »; none when too few were given.
    pub fn mean(self) -> Option<String> {
        (self.given >= FEW).then(|| {
            let tenths = (self.sum * 10 + self.given / 2) / self.given;
            format!("{},{}", tenths / 10, tenths % 10)
        })
    }

    /// Satisfied in a hundred; none when too few were given.
    pub fn percent(self) -> Option<i64> {
        (self.given >= FEW).then(|| percent(self.satisfied, self.given)).flatten()
    }
}

/// How many requests took how many days.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delays {
    /// (days, requests), in ascending order of days: a short list, read and merged thousands of times for one page.
    days: Vec<(i64, i64)>,
}

impl Delays {
    /// One request, or none.
    pub fn of(days: Option<i64>) -> Self {
        let mut one = Self::default();
        if let Some(days) = days {
            one.add(days, 1);
        }
        one
    }

    /// As counters keep them; what is not so is left out.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for (days, requests) in text.split(' ').filter_map(|pair| pair.split_once(':')) {
            if let (Ok(days), Ok(requests)) = (days.parse(), requests.parse()) {
                found.add(days, requests);
            }
        }
        found
    }

    pub fn merge(&mut self, other: &Self) {
        for (days, requests) in &other.days {
            self.add(*days, *requests);
        }
    }

    pub fn add(&mut self, days: i64, requests: i64) {
        let days = days.max(0);
        match self.days.binary_search_by_key(&days, |(days, _)| *days) {
            Ok(found) => {
                if let Some((_, many)) = self.days.get_mut(found) {
                    *many += requests;
                }
            }
            Err(place) => self.days.insert(place, (days, requests)),
        }
    }

    pub fn requests(&self) -> i64 {
        self.days.iter().map(|(_, requests)| requests).sum()
    }

    /// Days within which `tenths` in ten requests were answered; none when there is none.
    pub fn within(&self, tenths: i64) -> Option<i64> {
        let all = self.requests();
        let mut seen = 0;
        self.days.iter().find_map(|(days, requests)| {
            seen += requests;
            (seen * 10 >= all * tenths).then_some(*days)
        })
    }

    /// The same for the public: none when there are too few.
    pub fn told(&self, tenths: i64) -> Option<i64> {
        self.within(tenths).filter(|_| self.requests() >= FEW)
    }
}

/// « 3:12 9:1 ».
impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (days, requests)) in self.days.iter().enumerate() {
            write!(f, "{}{days}:{requests}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// A counter as it is read.
#[derive(Debug, Clone)]
pub struct Count {
    pub measure: Measure,
    pub what: String,
    pub channel: String,
    pub many: i64,
    pub delays: Delays,
}

/// What happened to some requests in some time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Figures {
    pub sent: i64,
    /// Of those, asked later to be completed.
    pub asked: i64,
    pub late: i64,
    /// Of the department's answers, whenever their request was sent.
    pub delays: Delays,
    pub marks: Marks,
    /// Marks by value.
    pub scores: BTreeMap<i64, i64>,
    /// Sent, by channel: `web`, and those that departments declare.
    pub channels: BTreeMap<String, i64>,
}

impl Figures {
    pub fn add(&mut self, count: &Count) {
        match count.measure {
            Measure::Sent => {
                self.sent += count.many;
                self.came(&count.channel, count.many);
            }
            Measure::Elsewhere => self.came(&count.channel, count.many),
            Measure::Asked => self.asked += count.many,
            Measure::OnTime => self.delays.merge(&count.delays),
            Measure::Late => {
                self.late += count.many;
                self.delays.merge(&count.delays);
            }
            Measure::Score => {
                let score = count.what.parse().unwrap_or_default();
                self.marks.add(score, count.many);
                *self.scores.entry(score).or_default() += count.many;
            }
            Measure::Step | Measure::Page => {}
        }
    }

    fn came(&mut self, channel: &str, many: i64) {
        match self.channels.get_mut(channel) {
            Some(known) => *known += many,
            None => drop(self.channels.insert(channel.to_owned(), many)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.asked += other.asked;
        self.late += other.late;
        self.delays.merge(&other.delays);
        self.marks.merge(other.marks);
        other.scores.iter().for_each(|(score, many)| *self.scores.entry(*score).or_default() += many);
        other.channels.iter().for_each(|(channel, many)| self.came(channel, *many));
    }

    pub fn answered(&self) -> i64 {
        self.delays.requests()
    }

    /// Answered within the promised delay, in a hundred.
    pub fn on_time(&self) -> Option<i64> {
        percent(self.answered() - self.late, self.answered())
    }

    /// Sent complete at first, in a hundred.
    pub fn complete(&self) -> Option<i64> {
        percent(self.sent - self.asked, self.sent)
    }

    /// Sent through the portal, in a hundred.
    pub fn online(&self) -> Option<i64> {
        percent(self.channels.get(WEB).copied().unwrap_or_default(), self.channels.values().sum())
    }
}

/// A step of a form, and how many drafts reached it and went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub id: String,
    pub reached: i64,
    /// Stopped there, so far.
    pub left: i64,
}

/// How drafts went through `steps` (ids in order), from counts of « from>to ». Steps that nobody reached are left
/// out. Of the first, only those who completed it are known: nothing is kept before a first answer.
pub fn funnel(steps: &[String], moves: &[(String, i64)]) -> Vec<Step> {
    let sum = |holds: &dyn Fn(&str, &str) -> bool| -> i64 {
        let each = moves.iter().filter(|(what, _)| what.split_once('>').is_some_and(|(from, to)| holds(from, to)));
        each.map(|(_, many)| many).sum()
    };
    let of = |(index, id): (usize, &String)| {
        let on = sum(&|from, _| from == id);
        let reached = if index == 0 { on } else { sum(&|_, to| to == id).max(on) };
        (reached > 0).then(|| Step { id: id.clone(), reached, left: reached - on })
    };
    steps.iter().enumerate().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_marks_say_nothing() {
        let mut marks = Marks::default();
        marks.add(5, 3);
        marks.add(1, 1);
        assert_eq!((marks.mean(), marks.percent()), (None, None));
        marks.add(4, 1);
        assert_eq!((marks.mean().as_deref(), marks.percent()), (Some("4,0"), Some(80)));
    }

    #[test]
    fn delays_are_read_at_the_half_and_at_nine_tenths() {
        let mut delays = Delays::default();
        assert_eq!(delays.within(5), None);
        delays.add(2, 4);
        assert_eq!((delays.within(5), delays.told(5)), (Some(2), None));
        delays.add(-1, 1);
        delays.add(30, 1);
        delays.add(9, 4);
        assert_eq!(
            (delays.requests(), delays.within(5), delays.told(9), delays.within(10)),
            (10, Some(2), Some(9), Some(30))
        );
    }

    #[test]
    fn buckets_are_exact_below_two_months() {
        assert_eq!([0, 1, 2, 59].map(bucket), [0, 1, 2, 59]);
        assert_eq!([60, 66, 67, 366, 367, 368, 397, 398].map(bucket), [60, 60, 67, 361, 361, 368, 368, 398]);
        assert_eq!(bucket(-5), 0);
    }

    proptest! {
        /// What decision 0028 promises of a delay that is read back.
        #[test]
        fn a_bucket_is_never_far(days in 0_i64..3_000) {
            let told = bucket(days);
            let error = days - told;
            let most = if days < 60 { 0 } else if days < 368 { 6 } else { 29 };
            prop_assert!((0..=most).contains(&error), "{days} told as {told}");
            prop_assert!(error * 10 <= days);
            prop_assert_eq!(bucket(told), told);
        }
    }

    fn count(measure: Measure, what: &str, delays: &str, many: i64) -> Count {
        Count { measure, what: what.to_owned(), channel: WEB.to_owned(), many, delays: Delays::parse(delays) }
    }

    #[test]
    fn delays_are_kept_as_text() {
        let mut delays = Delays::parse("3:12 9:1");
        delays.merge(&Delays::of(Some(9)));
        delays.merge(&Delays::of(None));
        assert_eq!((delays.to_string().as_str(), delays.requests()), ("3:12 9:2", 14));
        assert_eq!(Delays::parse("").to_string(), "");
        assert_eq!(Delays::parse("x 3: :4 5:1").to_string(), "5:1");
    }

    #[test]
    fn figures_add_up() {
        let mut figures = Figures::default();
        assert_eq!((figures.on_time(), figures.complete(), figures.online()), (None, None, None));
        for one in [
            count(Measure::Sent, "send", "", 8),
            count(Measure::Asked, "ask", "", 2),
            count(Measure::OnTime, "accept", "3:3", 3),
            count(Measure::Late, "refuse", "20:1", 1),
            count(Measure::Step, "take", "", 9),
            Count { channel: "guichet".to_owned(), ..count(Measure::Elsewhere, "", "", 2) },
        ] {
            figures.add(&one);
        }
        assert_eq!((figures.sent, figures.answered(), figures.late), (8, 4, 1));
        assert_eq!((figures.on_time(), figures.complete(), figures.online()), (Some(75), Some(75), Some(80)));
    }

    #[test]
    fn a_page_that_some_do_not_see_is_not_taken_for_one_that_they_left() {
        let steps = ["a", "b", "c", "verifier"].map(str::to_owned);
        // Ten begin; seven skip « b »; of three who see it one stops; one stops at the check page.
        let moves = [("a>c", 7), ("a>b", 3), ("b>c", 2), ("c>verifier", 9), ("verifier>", 8)];
        let moves = moves.map(|(what, many)| (what.to_owned(), many));
        let found: Vec<(String, i64, i64)> =
            funnel(&steps, &moves).into_iter().map(|step| (step.id, step.reached, step.left)).collect();
        let wanted = [("a", 10, 0), ("b", 3, 1), ("c", 9, 0), ("verifier", 9, 1)];
        assert_eq!(found, wanted.map(|(id, reached, left)| (id.to_owned(), reached, left)));
        assert_eq!(funnel(&steps, &[]), []);
    }
}
