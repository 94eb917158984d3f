//! `explanation`: text between questions. It asks for nothing.

use serde_json::json;

use super::{Kind, Options, Paper, Today, clean};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["text"];

#[derive(Debug, Clone, Default)]
pub struct Explanation {
    /// Paragraphs.
    pub text: Vec<String>,
}

impl Explanation {
    /// Blank lines separate paragraphs.
    pub fn new(text: &str) -> Self {
        let mut paragraphs = vec![String::new()];
        for line in text.lines().map(str::trim) {
            match paragraphs.last_mut() {
                Some(last) if !line.is_empty() => {
                    if !last.is_empty() {
                        last.push(' ');
                    }
                    last.push_str(line);
                }
                _ => paragraphs.push(String::new()),
            }
        }
        paragraphs.retain(|it| !it.is_empty());
        Self { text: paragraphs }
    }

    pub fn read(keys: &mut dyn Options) -> Self {
        let found = keys.text("text").map(|it| Self::new(&it)).filter(|it| !it.text.is_empty());
        found.unwrap_or_else(|| {
            keys.required("text");
            Self::default()
        })
    }
}

impl Kind for Explanation {
    fn name(&self) -> &'static str {
        "explanation"
    }

    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        Ok(None)
    }

    fn fill(&self, _name: &str, _answer: &Json, _raw: &mut Raw) {}

    fn paper(&self) -> Paper {
        Paper::Text(self.text.clone())
    }

    fn display(&self, _answer: &Json) -> Vec<String> {
        self.text.clone()
    }

    fn export(&self, _answer: &Json) -> String {
        String::new()
    }

    fn expr_type(&self) -> Type {
        Type::Opaque
    }

    fn expr_value(&self, _answer: &Json) -> Option<Value> {
        None
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        json!({"paragraphs": self.text, "anchor": clean::html_id(input.name)})
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {}

    fn needs_ask(&self) -> bool {
        false
    }

    fn silent(&self) -> bool {
        true
    }
}
