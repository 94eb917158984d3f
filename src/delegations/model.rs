//! What a line of the register allows.

use db::{Json, row};
use jiff::civil::Date;
use uuid::Uuid;

use crate::platform::french;

row! {
    #[derive(Debug, Clone)]
    pub struct Delegation {
        pub id: Uuid,
        pub account_id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub department_id: String,
        pub quality: String,
        pub procedures: Json<Vec<String>>,
        pub decisions: String,
        pub delegated: bool,
        pub act_number: String,
        pub act_date: Date,
        pub from_on: Date,
        pub until_on: Option<Date>,
    }
}

/// Which decisions, as the register keeps it and as people read it.
pub const DECISIONS: [(&str, &str); 4] = [
    ("all", "Toutes les décisions"),
    ("favourable", "Les accords seulement"),
    ("refusal", "Les refus seulement"),
    ("letters", "Aucune\u{a0}: les courriers qui ne décident rien"),
];

/// What is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub department: &'a str,
    pub procedure: &'a str,
    pub favourable: bool,
}

impl Delegation {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    /// Both days included.
    pub fn runs(&self, day: Date) -> bool {
        self.from_on <= day && self.until_on.is_none_or(|until| day <= until)
    }

    /// Whether it says in which quality letters that decide nothing are signed: a line about all decisions does
    /// too, one about some of them does not.
    pub fn covers_letters(&self, department: &str, procedure: &str, day: Date) -> bool {
        let procedures = &self.procedures.0;
        let procedure = procedures.is_empty() || procedures.iter().any(|one| one == procedure);
        let letters = matches!(self.decisions.as_str(), "all" | "letters");
        self.department_id == department && procedure && letters && self.runs(day)
    }

    pub fn covers(&self, scope: Scope<'_>, day: Date) -> bool {
        let decisions = match self.decisions.as_str() {
            "all" => true,
            "favourable" => scope.favourable,
            "refusal" => !scope.favourable,
            _ => false,
        };
        let procedures = &self.procedures.0;
        let procedure = procedures.is_empty() || procedures.iter().any(|one| one == scope.procedure);
        self.department_id == scope.department && decisions && procedure && self.runs(day)
    }

    /// « arrêté n° 2026-118 du 3 avril 2026 ».
    pub fn act(&self) -> String {
        format!("{} du {}", self.act_number, french::date(self.act_date))
    }

    /// Under the name of who signs by delegation.
    pub fn mention(&self) -> Option<String> {
        self.delegated.then(|| format!("Par délégation, {}", self.act()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_line_covers_its_days_its_procedures_and_its_decisions() {
        let mut line = Delegation {
            id: Uuid::nil(),
            account_id: Uuid::nil(),
            first_name: "Marc".into(),
            last_name: "Rinaldi".into(),
            department_id: "commerce".into(),
            quality: "Directeur".into(),
            procedures: Json(vec!["buvette".into()]),
            decisions: "favourable".into(),
            delegated: true,
            act_number: "arrêté n° 2026-118".into(),
            act_date: date(2026, 4, 3),
            from_on: date(2026, 4, 5),
            until_on: Some(date(2026, 12, 31)),
        };
        let scope = Scope { department: "commerce", procedure: "buvette", favourable: true };
        let days = |line: &Delegation, scope: Scope<'_>| {
            [date(2026, 4, 4), date(2026, 4, 5), date(2026, 12, 31), date(2027, 1, 1)]
                .map(|day| line.covers(scope, day))
        };
        assert_eq!(days(&line, scope), [false, true, true, false]);
        let day = date(2026, 5, 1);
        assert!(!line.covers(Scope { favourable: false, ..scope }, day));
        assert!(!line.covers(Scope { procedure: "foire", ..scope }, day));
        assert!(!line.covers(Scope { department: "voirie", ..scope }, day));
        assert_eq!(line.mention().unwrap(), "Par délégation, arrêté n° 2026-118 du 3\u{a0}avril 2026");
        assert!(!line.covers_letters("commerce", "buvette", day), "some decisions only");
        line.decisions = "letters".into();
        assert!(line.covers_letters("commerce", "buvette", day) && !line.covers(scope, day));
        assert!(!line.covers_letters("commerce", "foire", day) && !line.covers_letters("voirie", "buvette", day));
        (line.decisions, line.procedures, line.until_on, line.delegated) = ("all".into(), Json(vec![]), None, false);
        assert!(line.covers(Scope { procedure: "foire", favourable: false, ..scope }, date(2040, 1, 1)));
        assert_eq!(line.mention(), None);
    }
}
