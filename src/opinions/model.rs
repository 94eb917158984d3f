//! Marks, comments, and how they are summed up.

use forms::{
    answers::Raw,
    workflow::{Need, Transition, Who, Workflow},
};

/// Marks, the best first, as they are offered.
pub const SCORES: [(i64, &str); 5] = [
    (5, "Très satisfaisant"),
    (4, "Plutôt satisfaisant"),
    (3, "Ni satisfaisant, ni décevant"),
    (2, "Plutôt décevant"),
    (1, "Très décevant"),
];
/// Longest comment, in characters.
const LONGEST: usize = 1_000;
/// Fewer opinions, or fewer requests, than this are not told to the public: somebody might be recognised.
pub const FEW: i64 = 5;

/// What becomes of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Silent,
    Waiting,
    Published,
    Hidden,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Hidden => "hidden",
        }
    }
}

/// Why a comment is not published, told to its author.
pub const REASONS: [(&str, &str); 4] = [
    ("personne", "Il permet de reconnaître quelqu’un"),
    ("propos", "Il contient une injure ou des propos interdits par la loi"),
    ("sujet", "Il ne parle pas de cette démarche"),
    ("dossier", "Il demande une réponse : le service écrit à la personne sur sa demande"),
];

/// An opinion as its author types it.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    pub score: i64,
    pub comment: String,
}

/// Reads an opinion; else the fields that are wrong, with what to say.
pub fn read(typed: &Raw) -> Result<Given, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let score = typed.text("note").parse().ok().filter(|score| (1..=5).contains(score));
    if score.is_none() {
        wrong.push(("note", "Choisissez une réponse".to_owned()));
    }
    let comment = typed.text("commentaire").trim().replace("\r\n", "\n");
    let over = comment.chars().count().saturating_sub(LONGEST);
    if over > 0 {
        wrong.push(("commentaire", format!("Raccourcissez votre commentaire : il compte {over} caractères de trop")));
    }
    match score {
        Some(score) if wrong.is_empty() => Ok(Given { score, comment }),
        _ => Err(wrong),
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

/// Marks counted by value.
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

    /// « 4,2 »; none when too few were given.
    pub fn mean(self) -> Option<String> {
        (self.given >= FEW).then(|| {
            let tenths = (self.sum * 10 + self.given / 2) / self.given;
            format!("{},{}", tenths / 10, tenths % 10)
        })
    }

    /// Satisfied in a hundred; none when too few were given.
    pub fn percent(self) -> Option<i64> {
        (self.given >= FEW).then(|| (self.satisfied * 100 + self.given / 2) / self.given)
    }
}

/// How many requests took how many days.
#[derive(Debug, Default, Clone)]
pub struct Delays {
    /// (days, requests), in ascending order of days.
    days: std::collections::BTreeMap<i64, i64>,
}

impl Delays {
    pub fn add(&mut self, days: i64, requests: i64) {
        *self.days.entry(days.max(0)).or_default() += requests;
    }

    pub fn requests(&self) -> i64 {
        self.days.values().sum()
    }

    /// Days within which `tenths` in ten requests ended; none when there are too few.
    pub fn within(&self, tenths: i64) -> Option<i64> {
        let all = self.requests();
        if all < FEW {
            return None;
        }
        let mut seen = 0;
        self.days.iter().find_map(|(days, requests)| {
            seen += requests;
            (seen * 10 >= all * tenths).then_some(*days)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(note: &str, comment: &str) -> Raw {
        let fields = [("note", note), ("commentaire", comment)];
        Raw(fields.into_iter().map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).collect())
    }

    #[test]
    fn an_opinion_is_a_mark_and_perhaps_a_word() {
        assert_eq!(read(&typed("5", " Merci\r\n! ")), Ok(Given { score: 5, comment: "Merci\n!".to_owned() }));
        for note in ["", "0", "6", "-1", "5.0", "bien"] {
            assert_eq!(read(&typed(note, "")).unwrap_err()[0].0, "note", "{note}");
        }
        assert!(read(&typed("1", &"é".repeat(LONGEST))).is_ok());
        let wrong = read(&typed("", &"é".repeat(LONGEST + 2))).unwrap_err();
        assert_eq!((wrong[0].0, wrong[1].0), ("note", "commentaire"));
        assert!(wrong[1].1.contains("2 caractères de trop"));
    }

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
        delays.add(2, 4);
        assert_eq!(delays.within(5), None);
        delays.add(-1, 1);
        delays.add(30, 1);
        delays.add(9, 4);
        assert_eq!(
            (delays.requests(), delays.within(5), delays.within(9), delays.within(10)),
            (10, Some(2), Some(9), Some(30))
        );
    }
}
