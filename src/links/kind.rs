//! Kinds of what a department's file holds beside a reference: as proof, compared; as data, shown.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::platform::french;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    Name,
    Date,
    Amount,
    Postcode,
}

impl Kind {
    /// The one writing of what was typed, for comparison: case, accents, spaces and signs do not matter.
    ///
    /// # Errors
    /// What to write instead, as the end of a sentence.
    pub fn regular(self, typed: &str) -> Result<String, &'static str> {
        let tight = |text: &str| french::fold(text).split_whitespace().collect::<String>();
        match self {
            Self::Text | Self::Name => {
                Some(tight(typed)).filter(|text| !text.is_empty()).ok_or("des lettres ou des chiffres")
            }
            Self::Date => date(typed).map(|day| day.to_string()).ok_or("une date, comme 27/03/1985"),
            Self::Amount => cents(typed).map(|cents| cents.to_string()).ok_or("un montant, comme 84,50"),
            Self::Postcode => {
                let digits: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
                let whole = digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
                whole.then_some(digits).ok_or("un code postal de cinq chiffres")
            }
        }
    }

    /// What is shown of a department's value.
    ///
    /// # Errors
    /// As [`Kind::regular`].
    pub fn shown(self, given: &str) -> Result<String, &'static str> {
        match self {
            Self::Text | Self::Name => Ok(given.trim().to_owned()),
            _ if given.trim().is_empty() => Ok(String::new()),
            Self::Date => date(given).map(french::date).ok_or("une date, comme 27/03/1985"),
            Self::Amount => cents(given).map(euros).ok_or("un montant, comme 84,50"),
            Self::Postcode => self.regular(given),
        }
    }
}

/// 27/03/1985, 27.3.1985, 27-03-1985, 1985-03-27.
fn date(typed: &str) -> Option<Date> {
    let parts: Vec<&str> = typed.split(['/', '.', '-', ' ']).filter(|part| !part.is_empty()).collect();
    let [one, two, three] = parts.as_slice() else { return None };
    let (year, day) = if one.len() == 4 { (one, three) } else { (three, one) };
    let year = (year.len() == 4).then(|| year.parse().ok())??;
    Date::new(year, two.parse().ok()?, day.parse().ok()?).ok()
}

/// 84,50 €, 84.5, 1 284: in cents.
fn cents(typed: &str) -> Option<i64> {
    let text: String = typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '€').collect();
    let (sign, text) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, part) = text.split_once([',', '.']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    Some(sign * format!("{whole}{part:0<2}").parse::<i64>().ok()?)
}

/// 1 284,50 €.
fn euros(cents: i64) -> String {
    let (sign, cents) = (if cents < 0 { "−" } else { "" }, cents.unsigned_abs());
    let whole = (cents / 100).to_string();
    let mut spaced = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            spaced.push('\u{202f}');
        }
        spaced.push(digit);
    }
    format!("{sign}{spaced},{:02}\u{a0}€", cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writings_are_one_proof() {
        let same = [
            (Kind::Date, "27/03/1985", "1985-03-27"),
            (Kind::Date, "1.4.2001", "01/04/2001"),
            (Kind::Amount, "1 284,5 €", "1284.50"),
            (Kind::Amount, "84", "84,00"),
            (Kind::Name, "LE GOFF", "Le Goff"),
            (Kind::Name, "Bœuf-Évrard", "boeuf evrard"),
            (Kind::Postcode, "69 001", "69001"),
            (Kind::Text, "Contrat n° 12", "contrat N 12"),
        ];
        for (kind, one, other) in same {
            assert_eq!(kind.regular(one), kind.regular(other), "{one} {other}");
            assert!(kind.regular(one).is_ok());
        }
        let wrong = [
            (Kind::Date, "31/02/2020"),
            (Kind::Date, "27/03/85"),
            (Kind::Date, ""),
            (Kind::Amount, "84,555"),
            (Kind::Amount, "douze"),
            (Kind::Amount, ","),
            (Kind::Postcode, "6900"),
            (Kind::Name, " – "),
        ];
        for (kind, typed) in wrong {
            assert!(kind.regular(typed).is_err(), "{kind:?} {typed}");
        }
    }

    #[test]
    fn what_is_shown_is_french() {
        let shown = |kind: Kind, text| kind.shown(text).unwrap();
        assert_eq!(shown(Kind::Amount, "1284567.5"), "1\u{202f}284\u{202f}567,50\u{a0}€");
        assert_eq!(shown(Kind::Amount, "-12"), "−12,00\u{a0}€");
        assert_eq!(shown(Kind::Date, "2026-03-01"), "1er\u{a0}mars 2026");
        assert_eq!(shown(Kind::Date, " "), "");
        assert_eq!(shown(Kind::Text, " 3 quai du Lys "), "3 quai du Lys");
        assert!(Kind::Amount.shown("x").is_err());
    }
}
