//! `computed`: a value worked out from other answers, shown and never typed. Its answer is the
//! evaluated value: a decimal string (euros for an amount), an ISO date, a text, a boolean.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;

use super::{
    Kind, Options, Today, clean, date,
    french::{self, NBSP},
    options::iso_day,
    partial_date::PartialDate,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Expr, Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["value", "format", "unit"];

#[derive(Debug, Clone, Default)]
pub struct Computed {
    /// Always there once loaded without a mistake.
    pub value: Option<Expr>,
    pub format: Format,
    /// « m² »; shown after a number.
    pub unit: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Number,
    /// Euros.
    Amount,
    Date,
    Text,
    YesNo,
}

impl Format {
    const NAMES: [(&'static str, Self); 5] = [
        ("number", Self::Number),
        ("amount", Self::Amount),
        ("date", Self::Date),
        ("text", Self::Text),
        ("yes-no", Self::YesNo),
    ];

    fn expr_type(self) -> Type {
        match self {
            Self::Number | Self::Amount => Type::Number,
            Self::Date => Type::Date,
            Self::Text => Type::Text,
            Self::YesNo => Type::Bool,
        }
    }
}

impl Computed {
    pub fn read(keys: &mut dyn Options) -> Self {
        let format = keys.text("format").map_or(Some(Format::Number), |typed| {
            Format::NAMES.into_iter().find(|(name, _)| *name == typed).map(|(_, format)| format)
        });
        if format.is_none() {
            keys.wrong("format", "Le format est number, amount, date, text ou yes-no.");
        }
        let wanted = format.map(Format::expr_type);
        let value = keys.expr("value", wanted.as_ref());
        if value.is_none() {
            keys.required("value");
        }
        Self { value, format: format.unwrap_or_default(), unit: keys.text("unit") }
    }

    fn french(&self, answer: &Json) -> Option<String> {
        match self.format {
            Format::Number => {
                let unit = self.unit.as_ref().map(|it| format!("{NBSP}{it}")).unwrap_or_default();
                decimal(answer).map(|it| format!("{}{unit}", french::decimal(it.normalize())))
            }
            Format::Amount => decimal(answer).map(|it| format!("{}{NBSP}€", french::decimal(cents(it)))),
            Format::Date => date::value(answer).map(PartialDate::french),
            Format::Text => answer.as_str().map(str::to_owned),
            Format::YesNo => answer.as_bool().map(|it| if it { "Oui" } else { "Non" }.to_owned()),
        }
    }
}

fn decimal(answer: &Json) -> Option<Decimal> {
    match answer {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// Rounded to the cent, halves away from zero as invoices do, with two digits shown.
fn cents(euros: Decimal) -> Decimal {
    let mut rounded = euros.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}

impl Kind for Computed {
    fn name(&self) -> &'static str {
        "computed"
    }

    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        Ok(None)
    }

    fn fill(&self, _name: &str, _answer: &Json, _raw: &mut Raw) {}

    fn display(&self, answer: &Json) -> Vec<String> {
        self.french(answer).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        match self.format {
            Format::Number => {
                decimal(answer).map(|it| it.normalize().to_string().replace('.', ",")).unwrap_or_default()
            }
            Format::Amount => decimal(answer).map(|it| cents(it).to_string().replace('.', ",")).unwrap_or_default(),
            Format::Date => answer.as_str().unwrap_or("").to_owned(),
            Format::Text | Format::YesNo => self.french(answer).unwrap_or_default(),
        }
    }

    fn expr_type(&self) -> Type {
        self.format.expr_type()
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        match self.format {
            Format::Number | Format::Amount => decimal(answer).map(Value::Number),
            Format::Date => answer.as_str().and_then(iso_day).map(Value::Date),
            Format::Text => answer.as_str().map(|it| Value::Text(it.to_owned())),
            Format::YesNo => answer.as_bool().map(Value::Bool),
        }
    }

    /// The application sets `answer`: the lines of [`Kind::display`]; none while not computed.
    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        json!({"answer": [], "anchor": clean::html_id(input.name)})
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {}

    fn silent(&self) -> bool {
        true
    }

    fn computed(&self) -> Option<&Expr> {
        self.value.as_ref()
    }
}
