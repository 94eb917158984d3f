//! Kinds of documents, and how long each is good for when the document does not say.

use jiff::{ToSpan, civil::Date};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    Unlimited,
    /// The document says it.
    Written,
    Months(i8),
    Years(i8),
    /// 31 December.
    EndOfYear,
    /// 31 August: a school year begins on 1 September.
    EndOfSchoolYear,
}

impl Validity {
    /// The last day a document of this day is good for.
    pub fn until(self, issued: Date) -> Option<Date> {
        match self {
            Self::Unlimited | Self::Written => None,
            Self::Months(count) => issued.checked_add(i64::from(count).months()).ok(),
            Self::Years(count) => issued.checked_add(i64::from(count).years()).ok(),
            Self::EndOfYear => Date::new(issued.year(), 12, 31).ok(),
            Self::EndOfSchoolYear => {
                let year = if issued.month() >= 9 { issued.year().checked_add(1)? } else { issued.year() };
                Date::new(year, 8, 31).ok()
            }
        }
    }

    /// « 3 mois », for who chooses a kind.
    pub fn words(self) -> String {
        match self {
            Self::Unlimited => "sans limite".to_owned(),
            Self::Written => "la date écrite dessus".to_owned(),
            Self::Months(count) => format!("{count}\u{a0}mois"),
            Self::Years(1) => "1\u{a0}an".to_owned(),
            Self::Years(count) => format!("{count}\u{a0}ans"),
            Self::EndOfYear => "jusqu’au 31\u{a0}décembre".to_owned(),
            Self::EndOfSchoolYear => "jusqu’à la fin de l’année scolaire".to_owned(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    pub id: &'static str,
    pub name: &'static str,
    pub validity: Validity,
}

const fn kind(id: &'static str, name: &'static str, validity: Validity) -> Kind {
    Kind { id, name, validity }
}

/// In the order of pages. An identity document says its own last day, which depends on its model and its
/// holder's age: none is guessed.
pub const KINDS: [Kind; 12] = [
    kind("identite", "Pièce d’identité", Validity::Written),
    kind("livret-famille", "Livret de famille", Validity::Unlimited),
    kind("etat-civil", "Acte d’état civil", Validity::Months(3)),
    kind("domicile", "Justificatif de domicile", Validity::Months(3)),
    kind("impots", "Avis d’imposition", Validity::Years(1)),
    kind("revenus", "Bulletin de salaire ou attestation de revenus", Validity::Months(3)),
    kind("caf", "Attestation de la CAF ou de la MSA", Validity::Months(3)),
    kind("scolarite", "Certificat de scolarité", Validity::EndOfSchoolYear),
    kind("assurance-scolaire", "Attestation d’assurance scolaire", Validity::EndOfSchoolYear),
    kind("adhesion", "Carte ou licence de l’année", Validity::EndOfYear),
    kind("mairie", "Document de la mairie", Validity::Unlimited),
    OTHER,
];

const OTHER: Kind = kind("autre", "Autre document", Validity::Unlimited);

/// The kind of this id; « Autre document » for one that is no longer known.
pub fn of(id: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.id == id).unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn documents_end_by_their_rule() {
        let until = |validity: Validity, issued| validity.until(issued);
        assert_eq!(until(Validity::Unlimited, date(2026, 1, 31)), None);
        assert_eq!(until(Validity::Months(3), date(2026, 11, 30)), Some(date(2027, 2, 28)));
        assert_eq!(until(Validity::Years(1), date(2028, 2, 29)), Some(date(2029, 2, 28)));
        assert_eq!(until(Validity::EndOfYear, date(2026, 1, 1)), Some(date(2026, 12, 31)));
        assert_eq!(until(Validity::EndOfSchoolYear, date(2026, 8, 31)), Some(date(2026, 8, 31)));
        assert_eq!(until(Validity::EndOfSchoolYear, date(2026, 9, 1)), Some(date(2027, 8, 31)));
        assert_eq!(until(Validity::EndOfSchoolYear, date(2027, 2, 1)), Some(date(2027, 8, 31)));
    }

    #[test]
    fn kinds_are_told_apart() {
        let ids: std::collections::BTreeSet<&str> = KINDS.iter().map(|kind| kind.id).collect();
        assert_eq!(ids.len(), KINDS.len());
        assert_eq!(of("domicile").name, "Justificatif de domicile");
        assert_eq!(of("inconnu"), &OTHER);
    }
}
