//! `text`: one line.

use serde_json::json;

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::quoted,
    mask::Mask,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

pub const OPTIONS: &[&str] = &["max", "pattern", "example", "autocomplete"];

/// The longest `max` that a procedure may set.
const LONGEST: i64 = 1_000;

#[derive(Debug, Clone)]
pub struct Text {
    /// Most characters.
    pub max: usize,
    pub pattern: Option<Mask>,
    /// Shown beside the question and in problems.
    pub example: Option<String>,
    /// HTML autofill token (`organization`).
    pub autocomplete: Option<String>,
}

impl Default for Text {
    fn default() -> Self {
        Self { max: 200, pattern: None, example: None, autocomplete: None }
    }
}

impl Text {
    pub fn read(keys: &mut dyn Options) -> Self {
        let pattern = keys.text("pattern").and_then(|it| match it.parse::<Mask>() {
            Ok(mask) => Some(mask),
            Err(bad) => {
                keys.wrong("pattern", &format!("{bad}."));
                None
            }
        });
        let example = keys.text("example");
        if let (Some(mask), Some(example)) = (&pattern, &example)
            && mask.apply(example).is_none()
        {
            keys.wrong("example", &format!("L’exemple ne suit pas le modèle {mask}."));
        }
        Self { max: max_length(keys, 200, LONGEST), pattern, example, autocomplete: keys.text("autocomplete") }
    }

    fn shape(&self, mask: &Mask) -> String {
        match &self.example {
            Some(example) => format!("par exemple {example}"),
            None => format!("sous la forme {mask} (A\u{a0}: une lettre, 9\u{a0}: un chiffre)"),
        }
    }
}

/// The option `max` of a text: characters, from 1 to `longest`.
pub(super) fn max_length(keys: &mut dyn Options, default: usize, longest: i64) -> usize {
    let Some(max) = keys.integer("max") else {
        return default;
    };
    if !(1..=longest).contains(&max) {
        keys.wrong("max", &format!("Donnez un nombre de caractères de 1 à {longest}."));
    }
    usize::try_from(max).unwrap_or(default)
}

impl Kind for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let line = match clean::checked_line(input.text(), &field.ask, self.max) {
            Ok(line) if line.is_empty() => return Ok(None),
            Ok(line) => line,
            Err(message) => return wrong(message),
        };
        let Some(mask) = &self.pattern else {
            return Ok(Some(line.into()));
        };
        match mask.apply(&line) {
            Some(fitted) => Ok(Some(fitted.into())),
            None => wrong(format!("Saisissez {} {}", quoted(&field.ask), self.shape(mask))),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_str().unwrap_or(""));
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        clean::text_lines(answer)
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = clean::single(input);
        view.insert("max".to_owned(), self.max.into());
        view.insert("example".to_owned(), json!(self.example));
        view.insert("autocomplete".to_owned(), json!(self.autocomplete));
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        let plain = || "Exemple".chars().take(self.max).collect();
        let masked = || self.pattern.as_ref().map_or_else(plain, Mask::sample);
        raw.set(name, self.example.clone().unwrap_or_else(masked));
    }
}
