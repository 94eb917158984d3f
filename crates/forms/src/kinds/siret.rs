//! `siret`: an establishment's number, 14 digits.

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

/// La Poste ran out of numbers: the digits of its establishments add up to a multiple of 5.
const LA_POSTE: &str = "356000000";

#[derive(Debug, Clone, Default)]
pub struct Siret;

impl Siret {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

fn checksum(siret: &str) -> bool {
    let digits = || siret.chars().rev().filter_map(|it| it.to_digit(10));
    let luhn: u32 = digits().enumerate().map(|(at, it)| if at % 2 == 1 { it * 2 / 10 + it * 2 % 10 } else { it }).sum();
    let post = siret.starts_with(LA_POSTE) && digits().sum::<u32>().is_multiple_of(5);
    luhn.is_multiple_of(10) || post
}

impl Kind for Siret {
    fn name(&self) -> &'static str {
        "siret"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let ask = quoted(&field.ask);
        let digits = clean::compact(input.text());
        if input.text().is_empty() {
            return Ok(None);
        }
        if clean::all_digits(&digits) && digits.len() == 9 {
            return wrong(format!(
                "Complétez {ask}\u{a0}: ces 9 chiffres sont un numéro SIREN, le SIRET en a 5 de plus"
            ));
        }
        if !clean::all_digits(&digits) || digits.len() != 14 {
            return wrong(format!("Saisissez les 14 chiffres du SIRET, comme 356 000 000 00048, pour {ask}"));
        }
        if !checksum(&digits) {
            return wrong(format!("Vérifiez {ask}\u{a0}: un chiffre de ce SIRET est inexact"));
        }
        Ok(Some(digits.into()))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, groups(answer.as_str().unwrap_or(""), &[3, 3, 3, 5]));
    }

    fn numbers_organisation(&self) -> bool {
        true
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_str().map(|it| groups(it, &[3, 3, 3, 5])).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_str().unwrap_or("").to_owned()
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        clean::single(input).into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "356 000 000 00048");
    }
}
