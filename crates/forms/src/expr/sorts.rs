//! What types are called, which ones go together, and how to get a value out of those that have
//! none.

use super::{Type, ast::Sort, mistakes::listed};

impl Type {
    /// What it is, for a person who writes conditions: « une date ».
    pub fn says(&self) -> &'static str {
        match self {
            Self::Bool => "une condition (vraie ou fausse)",
            Self::Text => "un texte",
            Self::Number => "un nombre",
            Self::Date => "une date",
            Self::Choice(_) => "un choix",
            Self::Choices(_) => "plusieurs choix",
            Self::Parts(_) => "une réponse en plusieurs parties",
            Self::Rows(_) => "un groupe répété",
            Self::Opaque => "une réponse dont on sait seulement si elle est donnée",
        }
    }

    /// Whether a value of this type can stand where `wanted` is asked for; a choice is a text.
    pub(super) fn fits(&self, wanted: &Self) -> bool {
        self == wanted || (self.is_text() && wanted.is_text())
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_))
    }

    pub(super) fn has_value(&self) -> bool {
        matches!(self, Self::Bool | Self::Text | Self::Number | Self::Date | Self::Choice(_))
    }

    /// How to get a value out of a type that has none.
    pub(super) fn advice(&self) -> Option<String> {
        match self {
            Self::Parts(parts) => Some(format!(
                "Précisez la partie après un point\u{a0}: {}.",
                listed(parts.iter().map(|(name, _)| name.as_str()))
            )),
            Self::Rows(_) => Some("Employez count, any, all ou sum.".to_owned()),
            Self::Choices(_) => Some("Employez «\u{a0}in\u{a0}» ou count\u{a0}: \"option\" in question.".to_owned()),
            Self::Opaque => Some("Employez answered(question).".to_owned()),
            _ => None,
        }
    }
}

/// What two types have in common when they are compared for equality.
pub(super) fn sort_of(left: &Type, right: &Type) -> Option<Sort> {
    match (left, right) {
        (Type::Bool, Type::Bool) => Some(Sort::Bool),
        (Type::Number, Type::Number) => Some(Sort::Number),
        (Type::Date, Type::Date) => Some(Sort::Date),
        (Type::Text, Type::Text) => Some(Sort::Text),
        _ if left.is_text() && right.is_text() => Some(Sort::Choice),
        _ => None,
    }
}

pub(super) fn advice_on(found: &Type, wanted: &Type) -> Option<String> {
    match (found, wanted) {
        (Type::Date, Type::Number) => {
            Some("Entre deux dates, employez days(a, b)\u{a0}; pour un âge, age(d).".to_owned())
        }
        (Type::Text | Type::Choice(_), Type::Bool) => Some("Comparez-le\u{a0}: question == \"option\".".to_owned()),
        (Type::Text, Type::Date) => Some("Une date s'écrit date(\"2026-09-01\").".to_owned()),
        (Type::Number, Type::Bool) => Some("Comparez-le\u{a0}: nombre > 0.".to_owned()),
        _ => found.advice(),
    }
}
