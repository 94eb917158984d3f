//! `long-text`: several lines.

use super::{
    Kind, Options, Paper, Today,
    clean::{self, wrong},
    text::max_length,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

pub const OPTIONS: &[&str] = &["max", "rows"];

/// The longest `max` that a procedure may set.
const LONGEST: i64 = 20_000;

#[derive(Debug, Clone)]
pub struct LongText {
    /// Most characters, ends of line included.
    pub max: usize,
    /// Height of the input, in lines.
    pub rows: u32,
}

impl Default for LongText {
    fn default() -> Self {
        Self { max: 4_000, rows: 5 }
    }
}

impl LongText {
    pub fn read(keys: &mut dyn Options) -> Self {
        let rows = keys.integer("rows").unwrap_or(5);
        if !(2..=30).contains(&rows) {
            keys.wrong("rows", "Donnez une hauteur de 2 à 30 lignes.");
        }
        Self { max: max_length(keys, 4_000, LONGEST), rows: u32::try_from(rows).unwrap_or(5) }
    }
}

impl Kind for LongText {
    fn name(&self) -> &'static str {
        "long-text"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let Some(text) = clean::lines(input.text()) else {
            return wrong(clean::control(&field.ask));
        };
        match clean::within(&text, &field.ask, self.max) {
            Ok(()) if text.is_empty() => Ok(None),
            Ok(()) => Ok(Some(text.into())),
            Err(message) => wrong(message),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_str().unwrap_or(""));
    }

    fn paper(&self) -> Paper {
        Paper::Lines(6)
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_str().unwrap_or("").lines().map(str::to_owned).collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_str().unwrap_or("").to_owned()
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = clean::single(input);
        view.insert("max".to_owned(), self.max.into());
        view.insert("rows".to_owned(), self.rows.into());
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        let text = "Première ligne d’un exemple.\nSeconde ligne.";
        raw.set(name, text.chars().take(self.max).collect::<String>());
    }
}
