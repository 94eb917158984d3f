//! What an organisation is, what its representatives may do. No database.

use std::sync::Arc;

use db::row;
use forms::{
    answers::{Input, Raw},
    kinds::{Kind, Today, siret::Siret},
    model::Field,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    accounts::Wrong,
    acting::{Deed, May},
};

const LONGEST: usize = 200;

/// Each may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Reader,
    Delegate,
    President,
}

impl Role {
    /// Those that an invitation may give: the presidency is handed over.
    pub const GIVEN: [Self; 2] = [Self::Delegate, Self::Reader];

    pub fn code(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Delegate => "delegate",
            Self::President => "president",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        [Self::Reader, Self::Delegate, Self::President].into_iter().find(|role| role.code() == code)
    }

    pub fn given(code: &str) -> Option<Self> {
        Self::parse(code).filter(|role| Self::GIVEN.contains(role))
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Reader => "lecteur ou lectrice",
            Self::Delegate => "délégué ou déléguée",
            Self::President => "président ou présidente",
        }
    }

    pub fn means(self) -> &'static str {
        match self {
            Self::Reader => "consulter les demandes de l’organisation",
            Self::Delegate => "faire des demandes au nom de l’organisation et les suivre",
            Self::President => "faire des demandes au nom de l’organisation, et choisir ses représentants",
        }
    }

    pub fn may(self) -> May {
        match self {
            Self::Reader => May::new(&[Deed::Follow]),
            Self::Delegate | Self::President => May::new(&Deed::ALL),
        }
    }

    /// Whether they may be given a key to the organisation's documents: who prepares its requests.
    pub fn opens_documents(self) -> bool {
        self.may().includes(Deed::Fill)
    }

    /// Whether they choose the other representatives.
    pub fn manages(self) -> bool {
        self == Self::President
    }
}

/// Whether a representative who is `by` may take the role of, or remove, one who is `of`.
pub fn may_change(by: Role, of: Role) -> bool {
    by.manages() && of != Role::President
}

/// Whether somebody may leave by themselves: an organisation keeps a president.
pub fn may_leave(role: Role) -> bool {
    role != Role::President
}

row! {
    #[derive(Debug, Clone)]
    pub struct Organisation {
        pub id: Uuid,
        pub kind: String,
        pub siret: Option<String>,
        pub rna: Option<String>,
        pub name: String,
        pub address: String,
        pub declared_at: Timestamp,
        pub verified_at: Option<Timestamp>,
        pub successor_id: Option<Uuid>,
    }
}

impl Organisation {
    /// « Siret 356 000 000 00048, RNA W963001234 ».
    pub fn numbers(&self) -> String {
        let siret = self.siret.as_ref().map(|siret| format!("Siret {}", shown_siret(siret)));
        let rna = self.rna.as_ref().map(|rna| format!("RNA {rna}"));
        siret.into_iter().chain(rna).collect::<Vec<_>>().join(", ")
    }
}

/// Kinds of organisation: code, words.
pub const KINDS: [(&str, &str); 3] =
    [("association", "Une association"), ("company", "Une entreprise"), ("other", "Un autre organisme")];

pub fn kind_label(code: &str) -> &'static str {
    match code {
        "association" => "Association",
        "company" => "Entreprise",
        _ => "Organisme",
    }
}

fn shown_siret(siret: &str) -> String {
    let mut raw = Raw::default();
    Siret.fill("siret", &siret.into(), &mut raw);
    raw.text("siret").to_owned()
}

/// A Siret as typed: 14 digits and its key, by the field kind `siret`.
pub fn siret(typed: &str, today: Today) -> Result<Option<String>, String> {
    let field = Field::plain("siret", "Numéro Siret", Arc::new(Siret));
    let mut raw = Raw::default();
    raw.set("siret", typed);
    match field.kind.parse(&field, Input { raw: &raw, name: "siret" }, today) {
        Ok(read) => Ok(read.and_then(|read| read.as_str().map(str::to_owned))),
        Err(problems) => Err(problems.into_iter().next().map_or_else(String::new, |problem| problem.message)),
    }
}

/// A number of the « répertoire national des associations »: W and nine digits, the first three of the
/// registry (0 to 9 only: overseas and Corsica have digits too), without key.
pub fn rna(typed: &str) -> Result<Option<String>, String> {
    let text: String = typed.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    if text.is_empty() && typed.trim().is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix('W').unwrap_or_default();
    if digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(Some(text))
    } else {
        Err("Saisissez le numéro RNA comme sur le récépissé\u{a0}: W suivi de neuf chiffres, par exemple W963001234"
            .to_owned())
    }
}

/// What was typed to declare an organisation.
#[derive(Debug)]
pub struct Declared {
    pub kind: &'static str,
    pub siret: Option<String>,
    pub rna: Option<String>,
    pub name: String,
    pub address: String,
}

pub fn declared(typed: &Raw, today: Today) -> Result<Declared, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let kind = KINDS.iter().find(|(code, _)| *code == typed.text("nature")).map(|(code, _)| *code);
    if kind.is_none() {
        wrong.push(Wrong::new("nature", "Choisissez ce qu’est l’organisation"));
    }
    let mut text = |field: &'static str, missing: &str| {
        let value = typed.text(field).split_whitespace().collect::<Vec<_>>().join(" ");
        if value.is_empty() {
            wrong.push(Wrong::new(field, missing));
        } else if value.chars().count() > LONGEST {
            wrong.push(Wrong::new(field, format!("Raccourcissez ce texte\u{a0}: {LONGEST} caractères au plus")));
        }
        value
    };
    let name = text("nom", "Saisissez le nom de l’organisation");
    let address = text("adresse", "Saisissez l’adresse du siège");
    let mut number = |field: &'static str, read: Result<Option<String>, String>| {
        read.unwrap_or_else(|text| {
            wrong.push(Wrong::new(field, text));
            None
        })
    };
    let siret = number("siret", siret(typed.text("siret"), today));
    let rna = number("rna", rna(typed.text("rna")));
    let unread = wrong.iter().any(|wrong| ["siret", "rna"].contains(&wrong.field));
    if siret.is_none() && rna.is_none() && !unread {
        let (field, text) = if kind == Some("association") {
            ("rna", "Saisissez le numéro RNA ou le numéro Siret de l’association")
        } else {
            ("siret", "Saisissez le numéro Siret")
        };
        wrong.push(Wrong::new(field, text));
    }
    if rna.is_some() && kind.is_some_and(|kind| kind == "company") {
        wrong.push(Wrong::new("rna", "Une entreprise n’a pas de numéro RNA\u{a0}: laissez ce champ vide"));
    }
    match kind {
        Some(kind) if wrong.is_empty() => Ok(Declared { kind, siret, rna, name, address }),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Today = Today(date(2026, 11, 17));

    fn typed(fields: &[(&str, &str)]) -> Raw {
        let mut raw = Raw::default();
        for (name, value) in fields {
            raw.set(*name, *value);
        }
        raw
    }

    fn fields(read: Result<Declared, Vec<Wrong>>) -> Vec<&'static str> {
        read.err().unwrap_or_default().iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn rna_numbers() {
        assert_eq!(rna(" w963 001 234 "), Ok(Some("W963001234".into())));
        assert_eq!(rna("  "), Ok(None));
        for wrong in ["W96300123", "W9630012345", "963001234", "X963001234", "W96300123A", "W٩63001234", "-"] {
            assert!(rna(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn siret_numbers() {
        assert_eq!(siret("356 000 000 00048", TODAY), Ok(Some("35600000000048".into())));
        assert_eq!(siret("", TODAY), Ok(None));
        assert!(siret("356 000 000 00049", TODAY).is_err() && siret("356000000", TODAY).is_err());
    }

    #[test]
    fn an_organisation_has_a_number_of_its_kind() {
        let all = [("nature", "association"), ("nom", " Judo  club "), ("adresse", "1 rue X"), ("rna", "W963001234")];
        let read = declared(&typed(&all), TODAY).unwrap();
        assert_eq!((read.name.as_str(), read.rna.as_deref(), read.siret), ("Judo club", Some("W963001234"), None));
        assert_eq!(fields(declared(&typed(&[]), TODAY)), ["nature", "nom", "adresse", "siret"]);
        assert_eq!(fields(declared(&typed(&all[..3]), TODAY)), ["rna"]);
        let company =
            [("nature", "company"), ("nom", "A"), ("adresse", "B"), ("siret", "35600000000048"), ("rna", "W963001234")];
        assert_eq!(fields(declared(&typed(&company), TODAY)), ["rna"]);
        assert!(declared(&typed(&company[..4]), TODAY).is_ok());
        let wrong = [("nature", "company"), ("nom", "A"), ("adresse", "B"), ("siret", "1")];
        assert_eq!(fields(declared(&typed(&wrong), TODAY)), ["siret"]);
    }

    #[test]
    fn roles_hold_one_another() {
        let roles = [Role::Reader, Role::Delegate, Role::President];
        for (low, high) in [(0, 1), (1, 2), (0, 2)] {
            assert!(
                Deed::ALL.into_iter().all(|deed| !roles[low].may().includes(deed) || roles[high].may().includes(deed))
            );
        }
        assert!(
            !Role::Reader.may().includes(Deed::Send)
                && !Role::Reader.may().includes(Deed::Fill)
                && !Role::Reader.may().includes(Deed::Answer)
        );
        for by in roles {
            for of in roles {
                assert_eq!(may_change(by, of), by == Role::President && of != Role::President);
            }
            assert_eq!(may_leave(by), by != Role::President);
            assert_eq!(Role::parse(by.code()), Some(by));
        }
        assert_eq!((Role::given("president"), Role::given("reader")), (None, Some(Role::Reader)));
    }
}
