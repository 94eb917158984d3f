//! What is asked, what may be answered, and until when.

use db::Json;
use jiff::{Span, Timestamp, civil::Date};
use uuid::Uuid;

/// Codes of the history.
pub const ASKED: &str = "opinion-asked";
pub const GIVEN: &str = "opinion-given";
pub const WITHDRAWN: &str = "opinion-withdrawn";
pub const REMINDED: &str = "opinion-reminded";
pub const LATE: &str = "opinion-late";
pub const LINKED: &str = "opinion-linked";

/// Slots of the files that came with opinions, among those of their request: `opinion:ID`.
pub const SLOT: &str = "opinion:";

/// Days after the last one during which a link still opens: an opinion a little late is better than none.
pub const GRACE: i64 = 7;
/// Most files that one opinion may bring.
pub const MOST_FILES: u32 = 5;
/// The longest text, in characters.
pub const LONGEST: usize = 10_000;
pub const LONGEST_QUESTION: usize = 2_000;
pub const MOST_DAYS: u16 = 365;

/// What may be answered: code, words.
pub const VERDICTS: [(&str, &str); 4] = [
    ("favourable", "Favorable"),
    ("reserves", "Favorable avec réserves"),
    ("unfavourable", "Défavorable"),
    ("none", "Sans avis"),
];

pub fn verdict_words(code: &str) -> &'static str {
    VERDICTS.iter().find(|(known, _)| *known == code).map_or("", |(_, words)| words)
}

db::row! {
    #[derive(Debug, Clone)]
    pub struct Consultation {
        pub id: Uuid,
        pub request_id: Uuid,
        pub department_id: Option<String>,
        /// None: somebody outside, or a department that is gone.
        pub department_name: Option<String>,
        pub expert_name: String,
        pub expert_email: String,
        pub question: String,
        pub fields: Json<Vec<String>>,
        pub pieces: Json<Vec<String>>,
        pub until: Date,
        pub asked_at: Timestamp,
        pub asked_by: Option<Uuid>,
        pub asked_by_name: Option<String>,
        pub state: String,
        pub verdict: Option<String>,
        pub answer: Option<String>,
        pub answered_at: Option<Timestamp>,
        pub answered_by_name: Option<String>,
        pub code_at: Option<Timestamp>,
        pub browser_hash: Option<Vec<u8>>,
        /// How many links came before the present one.
        pub links: i64,
    }
}

impl Consultation {
    pub fn open(&self) -> bool {
        self.state == "open"
    }

    /// Asked of somebody outside.
    pub fn outside(&self) -> bool {
        self.department_id.is_none()
    }

    /// Who is asked.
    pub fn who(&self) -> String {
        match (&self.department_id, &self.department_name) {
            (Some(_), Some(name)) => name.clone(),
            (Some(id), None) => format!("Service supprimé ({id})"),
            (None, _) => self.expert_name.clone(),
        }
    }

    /// Whether its link still opens.
    pub fn reachable(&self, today: Date) -> bool {
        self.open() && self.outside() && today <= last_day(self.until)
    }

    /// The slot of the files that come with it.
    pub fn slot(&self) -> String {
        format!("{SLOT}{}", self.id)
    }
}

/// Last day of a link.
pub fn last_day(until: Date) -> Date {
    until.checked_add(Span::new().days(GRACE)).unwrap_or(until)
}

/// What somebody is asked, and shown.
#[derive(Debug, Clone)]
pub struct New {
    pub id: Uuid,
    /// Of its mail.
    pub job: Uuid,
    pub to: To,
    pub question: String,
    pub fields: Vec<String>,
    pub pieces: Vec<String>,
    pub until: Date,
    pub remind_at: Option<Timestamp>,
    pub asked_by: Option<Uuid>,
}

#[derive(Debug, Clone)]
pub enum To {
    Department(String),
    Expert { name: String, email: String },
}

/// An opinion, as it is given.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    pub verdict: &'a str,
    pub text: &'a str,
    /// None: somebody outside.
    pub by: Option<Uuid>,
}

/// What is wrong in an opinion, with the field to point at. Reserves and refusals are explained.
pub fn problems(verdict: &str, text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if verdict_words(verdict).is_empty() {
        found.push(("avis", "Choisissez votre avis".to_owned()));
    }
    match text.chars().count() {
        0 if matches!(verdict, "reserves" | "unfavourable") => {
            found.push(("texte", "Expliquez vos réserves ou les raisons d’un avis défavorable".to_owned()));
        }
        length if length > LONGEST => found.push((
            "texte",
            format!("Ce texte compte {length} caractères\u{a0}: raccourcissez-le à 10\u{202f}000 au plus"),
        )),
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn fields(verdict: &str, text: &str) -> Vec<&'static str> {
        problems(verdict, text).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn reserves_are_explained() {
        assert_eq!(fields("", ""), ["avis"]);
        assert_eq!(fields("peut-être", "x"), ["avis"]);
        for verdict in ["favourable", "none"] {
            assert!(fields(verdict, "").is_empty());
        }
        for verdict in ["reserves", "unfavourable"] {
            assert_eq!(fields(verdict, ""), ["texte"]);
            assert!(fields(verdict, "Trop près du carrefour.").is_empty());
        }
        assert_eq!(fields("none", &"é".repeat(LONGEST + 1)), ["texte"]);
    }

    #[test]
    fn a_link_opens_a_week_longer_than_the_delay() {
        assert_eq!(last_day(date(2026, 12, 28)), date(2027, 1, 4));
        assert_eq!(last_day(Date::MAX), Date::MAX);
    }
}
