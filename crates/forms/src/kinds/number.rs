//! `number`: an exact decimal. Its answer is a decimal string without useless zeros (`"3"`).

use rust_decimal::Decimal;
use serde_json::json;

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::{self, NBSP, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["min", "max", "decimals", "unit"];

#[derive(Debug, Clone, Default)]
pub struct Number {
    pub min: Option<Decimal>,
    pub max: Option<Decimal>,
    /// Most digits after the comma.
    pub decimals: u32,
    /// « m² »; shown after the input and the answer.
    pub unit: Option<String>,
}

impl Number {
    pub fn read(keys: &mut dyn Options) -> Self {
        let decimals = keys.integer("decimals").unwrap_or(0);
        if !(0..=6).contains(&decimals) {
            keys.wrong("decimals", "Donnez un nombre de décimales de 0 à 6.");
        }
        let (min, max) = bounds(keys);
        Self { min, max, decimals: u32::try_from(decimals).unwrap_or(0), unit: keys.text("unit") }
    }

    fn problem(&self, field: &Field) -> String {
        let sort = if self.decimals == 0 { "un nombre entier" } else { "un nombre" };
        let show = |it: Decimal| french::decimal(it);
        let range = range(self.min.map(show), self.max.map(show));
        let unit = self.unit.as_ref().map(|it| format!(", en {it},")).unwrap_or_default();
        format!("Saisissez {sort}{range}{unit} pour {}", quoted(&field.ask))
    }
}

/// The options `min` and `max`, in order.
pub(super) fn bounds(keys: &mut dyn Options) -> (Option<Decimal>, Option<Decimal>) {
    let (min, max) = (keys.decimal("min"), keys.decimal("max"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        keys.wrong("max", "Le maximum est plus petit que le minimum.");
    }
    (min, max)
}

/// « de 1 à 5 », « d'au moins 1 », « d'au plus 5 », with a space before; empty without bounds.
pub(super) fn range(min: Option<String>, max: Option<String>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" de {min} à {max}"),
        (Some(min), None) => format!(" d’au moins {min}"),
        (None, Some(max)) => format!(" d’au plus {max}"),
        (None, None) => String::new(),
    }
}

/// A number as French people type it: « 1 234,5 », « 12.5 », « −3 ». At most 15 digits before the
/// comma and 10 after.
pub(super) fn typed(text: &str) -> Option<Decimal> {
    let tight: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    let dotted = tight.replace(',', ".").replace('\u{2212}', "-");
    let (sign, digits) = dotted.strip_prefix('-').map_or(("", dotted.trim_start_matches('+')), |it| ("-", it));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let (whole, fraction) = (non_empty(whole), non_empty(fraction));
    let regular = clean::all_digits(whole) && clean::all_digits(fraction) && whole.len() <= 15 && fraction.len() <= 10;
    let lone = digits.is_empty() || digits == ".";
    if lone || !regular {
        return None;
    }
    let number: Decimal = format!("{sign}{whole}.{fraction}").parse().ok()?;
    Some(if number.is_zero() { Decimal::ZERO } else { number.normalize() })
}

fn non_empty(digits: &str) -> &str {
    if digits.is_empty() { "0" } else { digits }
}

/// The number in an answer.
pub(super) fn value(answer: &Json) -> Option<Decimal> {
    answer.as_str().and_then(|it| it.parse().ok())
}

impl Kind for Number {
    fn name(&self) -> &'static str {
        "number"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let mut text = input.text();
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(bare) = self.unit.as_ref().and_then(|unit| text.strip_suffix(unit.as_str())) {
            text = bare;
        }
        let inside = |it: &Decimal| self.min.is_none_or(|min| *it >= min) && self.max.is_none_or(|max| *it <= max);
        match typed(text).filter(|it| it.scale() <= self.decimals).filter(inside) {
            Some(number) => Ok(Some(number.to_string().into())),
            None => wrong(self.problem(field)),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_str().unwrap_or("").replace('.', ","));
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        let unit = |it: Decimal| {
            self.unit.as_ref().map(|unit| format!("{NBSP}{}", french::unit(it, unit))).unwrap_or_default()
        };
        value(answer).map(|it| format!("{}{}", french::decimal(it), unit(it))).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_str().unwrap_or("").replace('.', ",")
    }

    fn expr_type(&self) -> Type {
        Type::Number
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        value(answer).map(Value::Number)
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let negative = self.min.is_some_and(|it| it.is_sign_negative());
        // Numeric keypads of phones have no minus, and no comma without « decimal ».
        let inputmode = match (negative, self.decimals) {
            (true, _) => "text",
            (false, 0) => "numeric",
            (false, _) => "decimal",
        };
        let mut view = clean::single(input);
        view.insert("inputmode".to_owned(), inputmode.into());
        view.insert("unit".to_owned(), json!(self.unit));
        view.insert("min".to_owned(), json!(self.min.map(french::decimal)));
        view.insert("max".to_owned(), json!(self.max.map(french::decimal)));
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        let number = self.min.or(self.max).unwrap_or(Decimal::ONE);
        raw.set(name, number.to_string().replace('.', ","));
    }
}
