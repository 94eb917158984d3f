//! What a mandate is, when it holds, what it covers. No database.

use db::{Json, row};
use jiff::{Timestamp, ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{acting::May, catalogue::Current};

/// Kinds of helper: code, words.
pub const KINDS: [(&str, &str); 3] = [
    ("family", "proche"),
    ("social", "travailleur social ou travailleuse sociale"),
    ("digital", "aidant ou aidante numérique"),
];

/// How long, in months: a year at most, from the day it is given or prolonged.
pub const MONTHS: [i64; 4] = [1, 3, 6, 12];

pub fn kind_label(code: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == code).map_or("mandataire", |(_, label)| label)
}

/// The last day of a mandate given `today` for so many months: none for a length that is not offered.
pub fn until(today: Date, months: i64) -> Option<Date> {
    if !MONTHS.contains(&months) {
        return None;
    }
    today.checked_add(months.months()).ok()?.yesterday().ok()
}

/// Themes and single procedures; neither: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub themes: Vec<String>,
    pub procedures: Vec<String>,
}

impl Scope {
    pub fn is_everything(&self) -> bool {
        self.themes.is_empty() && self.procedures.is_empty()
    }

    pub fn covers(&self, procedure: &str, theme: &str) -> bool {
        self.is_everything()
            || self.themes.iter().any(|one| one == theme)
            || self.procedures.iter().any(|one| one == procedure)
    }

    /// The procedures that it covers: those named, and those of its themes as they are published.
    pub fn procedures(&self, current: &Current) -> Vec<String> {
        let published = current.procedures.values().map(|one| &one.procedure);
        let themed = published.filter(|one| self.themes.contains(&one.theme)).map(|one| one.id.clone());
        let mut all: Vec<String> = self.procedures.iter().cloned().chain(themed).collect();
        all.sort();
        all.dedup();
        all
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Mandate {
        pub id: Uuid,
        pub principal_id: Uuid,
        pub helper_id: Option<Uuid>,
        pub kind: String,
        pub scope: Json<Scope>,
        pub may: String,
        pub until: Date,
        pub offered_at: Timestamp,
        pub accepted_at: Option<Timestamp>,
        pub ended_at: Option<Timestamp>,
        pub recorded_by: Option<Uuid>,
    }
}

impl Mandate {
    pub fn may(&self) -> May {
        May::read(&self.may)
    }

    /// Accepted, not ended, its last day not over.
    pub fn is_live(&self, today: Date) -> bool {
        self.accepted_at.is_some() && self.helper_id.is_some() && self.ended_at.is_none() && today <= self.until
    }

    /// Waits for the helper's answer.
    pub fn is_offered(&self, today: Date) -> bool {
        self.accepted_at.is_none() && self.ended_at.is_none() && today <= self.until
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn mandate(until: Date) -> Mandate {
        let at = Timestamp::UNIX_EPOCH;
        Mandate {
            id: Uuid::nil(),
            principal_id: Uuid::nil(),
            helper_id: Some(Uuid::nil()),
            kind: "family".into(),
            scope: Json(Scope::default()),
            may: "fill".into(),
            until,
            offered_at: at,
            accepted_at: Some(at),
            ended_at: None,
            recorded_by: None,
        }
    }

    #[test]
    fn a_mandate_lasts_a_year_at_most() {
        let mut day = date(2024, 1, 1);
        while day < date(2029, 1, 1) {
            for months in MONTHS {
                let until = until(day, months).unwrap();
                assert!(until > day && until < day.checked_add(1.year()).unwrap(), "{day} {months} {until}");
            }
            day = day.tomorrow().unwrap();
        }
        for months in [-1, 0, 2, 13, 24, i64::MAX] {
            assert_eq!(until(date(2026, 11, 17), months), None);
        }
        assert_eq!(until(date(2026, 11, 17), 12), Some(date(2027, 11, 16)));
        assert_eq!(until(date(2026, 1, 31), 1), Some(date(2026, 2, 27)));
    }

    #[test]
    fn a_mandate_holds_to_the_end_of_its_last_day() {
        let last = date(2026, 12, 16);
        assert!(mandate(last).is_live(last) && !mandate(last).is_live(last.tomorrow().unwrap()));
        let offered = Mandate { accepted_at: None, helper_id: None, ..mandate(last) };
        assert!(!offered.is_live(last) && offered.is_offered(last) && !offered.is_offered(last.tomorrow().unwrap()));
        let ended = Mandate { ended_at: Some(Timestamp::UNIX_EPOCH), ..mandate(last) };
        assert!(!ended.is_live(last) && !ended.is_offered(last));
        // The helper's account is closed.
        assert!(!Mandate { helper_id: None, ..mandate(last) }.is_live(last));
    }

    #[test]
    fn a_scope_covers_what_it_names() {
        let all = Scope::default();
        assert!(all.covers("acte-naissance", "etat-civil"));
        let some = Scope { themes: vec!["enfance".into()], procedures: vec!["acte-naissance".into()] };
        for (procedure, theme, covered) in [
            ("inscription-scolaire", "enfance", true),
            ("acte-naissance", "etat-civil", true),
            ("acte-deces", "etat-civil", false),
            ("enfance", "acte-naissance", false),
        ] {
            assert_eq!(some.covers(procedure, theme), covered, "{procedure}");
        }
    }
}
