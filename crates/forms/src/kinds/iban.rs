//! `iban`: a bank account number (ISO 13616). Its answer has no spaces.

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::{groups, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

pub const OPTIONS: &[&str] = &[];

/// Lengths of the SEPA countries and territories, and of near neighbours.
const LENGTHS: [(&str, usize); 45] = [
    ("AD", 24),
    ("AL", 28),
    ("AT", 20),
    ("BE", 16),
    ("BG", 22),
    ("CH", 21),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("EE", 20),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("GI", 23),
    ("GR", 27),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IS", 26),
    ("IT", 27),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("RO", 24),
    ("RS", 22),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TN", 24),
    ("TR", 26),
];

#[derive(Debug, Clone, Default)]
pub struct Iban;

impl Iban {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

/// What is wrong with an IBAN.
enum Fault {
    Shape,
    /// So many characters are expected.
    Length(usize),
    Checksum,
}

fn account(text: &str) -> Result<String, Fault> {
    let tight = clean::compact(text).to_uppercase();
    let bare = tight.strip_prefix("IBAN").map_or(tight.as_str(), |it| it.trim_start_matches(':'));
    let regular = bare.bytes().enumerate().all(|(at, byte)| match at {
        0 | 1 => byte.is_ascii_uppercase(),
        2 | 3 => byte.is_ascii_digit(),
        _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
    });
    let (Some(country), true) = (bare.get(..2), regular && (15..=34).contains(&bare.len())) else {
        let french = regular && bare.starts_with("FR");
        return Err(if french { Fault::Length(27) } else { Fault::Shape });
    };
    match LENGTHS.iter().find(|(code, _)| *code == country) {
        Some((_, length)) if *length != bare.len() => Err(Fault::Length(*length)),
        _ if remainder(bare) != Some(1) => Err(Fault::Checksum),
        _ => Ok(bare.to_owned()),
    }
}

/// ISO 7064 mod 97-10: the first four characters go last, letters count from 10.
fn remainder(iban: &str) -> Option<u32> {
    let (head, tail) = iban.split_at_checked(4)?;
    let mut digits = tail.chars().chain(head.chars()).map(|it| it.to_digit(36));
    digits.try_fold(0, |sum, digit| {
        let digit = digit?;
        Some((if digit < 10 { sum * 10 } else { sum * 100 } + digit) % 97)
    })
}

impl Kind for Iban {
    fn name(&self) -> &'static str {
        "iban"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let ask = quoted(&field.ask);
        match account(input.text()) {
            _ if input.text().is_empty() => Ok(None),
            Ok(iban) => Ok(Some(iban.into())),
            Err(Fault::Shape) => wrong(format!(
                "Saisissez un IBAN comme FR76 3000 6000 0112 3456 7890 189 pour {ask}\u{a0}: il est sur votre relevé d’identité bancaire"
            )),
            Err(Fault::Length(length)) => {
                wrong(format!("Vérifiez le nombre de caractères de {ask}\u{a0}: un IBAN de ce pays en compte {length}"))
            }
            Err(Fault::Checksum) => {
                wrong(format!("Vérifiez {ask}\u{a0}: un chiffre ou une lettre de cet IBAN est inexact"))
            }
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, groups(answer.as_str().unwrap_or(""), &[4]));
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_str().map(|it| groups(it, &[4])).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_str().unwrap_or("").to_owned()
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        clean::single(input).into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "FR76 3000 6000 0112 3456 7890 189");
    }
}
