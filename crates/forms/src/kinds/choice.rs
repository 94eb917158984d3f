//! `choice`: one answer among some (radio buttons). Its answer is the option's id.

use serde_json::json;

use super::{
    Kind, Narrows, Options, Paper, Today,
    clean::{self, wrong},
    french::{plural, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["options"];

#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Ids and labels, in the order shown.
    pub options: Vec<(String, String)>,
}

impl Choice {
    pub fn read(keys: &mut dyn Options) -> Self {
        Self { options: options(keys, 2) }
    }
}

/// The mandatory option `options`, with at least `least` of them.
pub(super) fn options(keys: &mut dyn Options, least: usize) -> Vec<(String, String)> {
    let Some(found) = keys.pairs("options") else {
        keys.required("options");
        return Vec::new();
    };
    if found.len() < least {
        keys.wrong("options", &format!("Donnez au moins {}.", plural(least, "réponse possible", "réponses possibles")));
    }
    if found.iter().any(|(id, label)| id.trim().is_empty() || label.trim().is_empty()) {
        keys.wrong("options", "Chaque réponse possible a un identifiant et un libellé.");
    }
    found
}

/// The label of an option; its id when a former version offered it.
pub(super) fn label<'a>(options: &'a [(String, String)], id: &'a str) -> &'a str {
    options.iter().find(|(known, _)| known == id).map_or(id, |(_, label)| label)
}

/// What stands beside the boxes of a paper form.
pub(super) fn labels(options: &[(String, String)]) -> Vec<String> {
    options.iter().map(|(_, label)| label.clone()).collect()
}

/// Options as the templates show them. The first one bears the field's own HTML id, where an error
/// leads; the others are numbered from 2.
pub(super) fn view(options: &[(String, String)], input: Input<'_>, checked: impl Fn(&str) -> bool) -> Json {
    let id = clean::html_id(input.name);
    let shown = options.iter().enumerate().map(|(at, (option, label))| {
        let html_id = if at == 0 { id.clone() } else { format!("{id}-{}", at + 1) };
        json!({"id": option, "label": label, "checked": checked(option), "html_id": html_id})
    });
    let shown: Vec<Json> = shown.collect();
    json!({"options": shown, "anchor": id})
}

/// Said when a mandatory choice is missing, or is not among those offered.
pub(super) fn choose(field: &Field) -> String {
    format!("Choisissez une réponse pour {}", quoted(&field.ask))
}

impl Kind for Choice {
    fn name(&self) -> &'static str {
        "choice"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        match input.text() {
            "" => Ok(None),
            id if self.options.iter().any(|(known, _)| known == id) => Ok(Some(id.into())),
            _ => wrong(choose(field)),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_str().unwrap_or(""));
    }

    fn paper(&self) -> Paper {
        Paper::Boxes { labels: labels(&self.options), several: false }
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_str().map(|it| label(&self.options, it).to_owned()).into_iter().collect()
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::One(self.options.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect())
    }

    fn expr_type(&self) -> Type {
        Type::Choice(self.options.iter().map(|(id, _)| id.clone()).collect())
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_str().map(|it| Value::Text(it.to_owned()))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        view(&self.options, input, |id| id == input.text())
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, self.options.first().map_or("", |(id, _)| id));
    }

    fn missing(&self, field: &Field) -> String {
        clean::missing(field, || choose(field))
    }
}
