//! `amount`: euros. Its answer is a whole number of cents; expressions see euros.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::json;

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::{self, quoted},
    number,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["min", "max"];

#[derive(Debug, Clone, Default)]
pub struct Amount {
    /// In cents.
    pub min: Option<i64>,
    /// In cents.
    pub max: Option<i64>,
}

impl Amount {
    pub fn read(keys: &mut dyn Options) -> Self {
        let (min, max) = number::bounds(keys);
        Self { min: bound(keys, "min", min), max: bound(keys, "max", max) }
    }

    fn problem(&self, field: &Field) -> String {
        let range = number::range(self.min.map(french::euros), self.max.map(french::euros));
        format!("Saisissez un montant{range} pour {}, par exemple 12,50", quoted(&field.ask))
    }
}

fn bound(keys: &mut dyn Options, key: &str, euros: Option<Decimal>) -> Option<i64> {
    let in_cents = cents(euros?);
    if in_cents.is_none() {
        keys.wrong(key, "Donnez un montant en euros avec deux décimales au plus, comme 12.50.");
    }
    in_cents
}

/// Whole cents, or nothing when the amount is finer than a cent.
fn cents(euros: Decimal) -> Option<i64> {
    euros.checked_mul(Decimal::ONE_HUNDRED).filter(Decimal::is_integer).and_then(|it| it.to_i64())
}

/// « 1234,50 », as typed.
fn plain(cents: i64) -> String {
    Decimal::new(cents, 2).to_string().replace('.', ",")
}

impl Kind for Amount {
    fn name(&self) -> &'static str {
        "amount"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let text = input.text().to_lowercase();
        if text.is_empty() {
            return Ok(None);
        }
        let bare = ["€", "euros", "euro", "eur"].iter().find_map(|it| text.strip_suffix(it)).unwrap_or(&text);
        let inside = |it: &i64| self.min.is_none_or(|min| *it >= min) && self.max.is_none_or(|max| *it <= max);
        match number::typed(bare).and_then(cents).filter(inside) {
            Some(cents) => Ok(Some(cents.into())),
            None => wrong(self.problem(field)),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_i64().map(plain).unwrap_or_default());
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_i64().map(french::euros).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_i64().map(plain).unwrap_or_default()
    }

    fn expr_type(&self) -> Type {
        Type::Number
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_i64().map(|it| Value::Number(Decimal::new(it, 2).normalize()))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = clean::single(input);
        view.insert("min".to_owned(), json!(self.min.map(french::euros)));
        view.insert("max".to_owned(), json!(self.max.map(french::euros)));
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, plain(self.min.or(self.max).unwrap_or(1_250)));
    }
}
