//! `phone`: French or foreign. Its answer is in E.164 form (`+33612345678`).

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

/// French numbers that belong to another country code: national beginning, code (Arcep's plan).
const OVERSEAS: [(&str, &str); 13] = [
    ("0262", "262"),
    ("0263", "262"),
    ("0692", "262"),
    ("0693", "262"),
    ("0269", "262"),
    ("0639", "262"),
    ("0590", "590"),
    ("0690", "590"),
    ("0691", "590"),
    ("0594", "594"),
    ("0694", "594"),
    ("0596", "596"),
    ("0696", "596"),
];

/// A mainland range, among those of Mayotte, that is kept for fiction.
const FICTION: &str = "063998";

#[derive(Debug, Clone, Default)]
pub struct Phone;

impl Phone {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

/// What was typed → E.164.
pub fn e164(text: &str) -> Option<String> {
    let tight = clean::compact(text);
    let abroad = tight.strip_prefix('+').or_else(|| tight.strip_prefix("00"));
    match abroad {
        // +33 (0)6…: the zero is for those who call from France.
        Some(digits) => international(&digits.replace("(0)", "").replace(['(', ')'], "")),
        None => national(&tight.replace(['(', ')'], "")),
    }
}

fn international(digits: &str) -> Option<String> {
    if !clean::all_digits(digits) || digits.starts_with('0') {
        return None;
    }
    if let Some(french) = digits.strip_prefix("33") {
        let rest = french.strip_prefix('0').unwrap_or(french);
        return national(&format!("0{rest}"));
    }
    (6..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

/// Ten digits, `0` then `1` to `9`.
fn national(digits: &str) -> Option<String> {
    let rest = digits.strip_prefix('0')?;
    if digits.len() != 10 || !clean::all_digits(digits) || rest.starts_with('0') {
        return None;
    }
    let overseas = OVERSEAS.iter().find(|(start, _)| digits.starts_with(start) && !digits.starts_with(FICTION));
    Some(format!("+{}{rest}", overseas.map_or("33", |(_, code)| code)))
}

/// « 06 12 34 56 78 » for a French number, « +41 227 123 456 » for another.
pub fn french(answer: &str) -> String {
    let digits = answer.trim_start_matches('+');
    let national = ["33", "262", "590", "594", "596"].iter().find_map(|code| {
        let local = format!("0{}", digits.strip_prefix(code)?);
        // Only what reads back as the same number may be shown in the national way.
        (national(&local).as_deref() == Some(answer)).then_some(local)
    });
    match national {
        Some(local) => groups(&local, &[2]),
        None => format!("+{}", groups(digits, &[2, 3])),
    }
}

impl Kind for Phone {
    fn name(&self) -> &'static str {
        "phone"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let text = input.text();
        if text.is_empty() {
            return Ok(None);
        }
        match e164(text) {
            Some(number) => Ok(Some(number.into())),
            None => wrong(format!(
                "Saisissez un numéro de téléphone comme 06 12 34 56 78, ou +41 22 123 45 67 à l’étranger, pour {}",
                quoted(&field.ask)
            )),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, french(answer.as_str().unwrap_or("")));
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_str().map(french).into_iter().collect()
    }

    /// Both ways of writing it, each in one word.
    fn words(&self, answer: &Json) -> String {
        let number = answer.as_str().unwrap_or("");
        format!("{number} {}", french(number).replace(' ', ""))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        clean::single(input).into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "06 39 98 12 34");
    }
}
