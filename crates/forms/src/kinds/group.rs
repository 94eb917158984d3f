//! `group`: repeated rows of fields. Its answer is an array of objects, built by the journey.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Group, Kind, Options, Today, clean,
    french::{NBSP, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["fields", "rows"];

/// The most rows that a procedure may allow.
const MOST: u32 = 50;

#[derive(Debug, Clone)]
pub struct Repeated {
    pub group: Group,
}

impl Repeated {
    pub fn new(group: Group) -> Self {
        Self { group }
    }

    pub fn read(keys: &mut dyn Options) -> Self {
        let fields = keys.fields("fields").unwrap_or_else(|| {
            keys.required("fields");
            Vec::new()
        });
        let (min, max, row_title) = keys.rows("rows").unwrap_or_else(|| {
            keys.required("rows");
            (0, 1, String::new())
        });
        if !(1..=MOST).contains(&max) {
            keys.wrong("rows", &format!("Donnez un maximum de 1 à {MOST} lignes."));
        }
        Self::new(Group { fields, min, max, row_title })
    }

    /// The rows' answers, field by field, those hidden or unanswered left out.
    fn cells<'a>(&'a self, row: &'a Json) -> impl Iterator<Item = (&'a Field, &'a Json)> {
        self.group.fields.iter().filter_map(|field| Some((field, row.get(&field.id)?)))
    }

    /// Every row's cells that may leave the request's own page, as this kind of text.
    fn outside(&self, answer: &Json, text: fn(&Field, &Json) -> String) -> impl Iterator<Item = String> {
        rows(answer).map(move |row| {
            let open = self.cells(row).filter(|(field, _)| !field.sensitive);
            let texts: Vec<String> = open.map(|(field, it)| text(field, it)).filter(|it| !it.is_empty()).collect();
            texts.join(", ")
        })
    }

    fn row_value(&self, row: &Json) -> BTreeMap<String, Value> {
        self.cells(row).filter_map(|(field, it)| Some((field.id.clone(), field.kind.expr_value(it)?))).collect()
    }
}

fn rows(answer: &Json) -> impl Iterator<Item = &Json> {
    answer.as_array().into_iter().flatten()
}

impl Kind for Repeated {
    fn name(&self) -> &'static str {
        "group"
    }

    /// Always unanswered: which fields of a row are shown depends on expressions, so that only the
    /// journey can read rows.
    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        Ok(None)
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.clear(name);
        for (at, row) in rows(answer).enumerate() {
            for (field, it) in self.cells(row) {
                field.kind.fill(&format!("{name}.{at}.{}", field.id), it, raw);
            }
        }
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, row) in rows(answer).enumerate() {
            lines.push(format!("{} {}", self.group.row_title, at + 1));
            for (field, it) in self.cells(row) {
                lines.push(format!("{}{NBSP}: {}", field.ask, field.kind.display(it).join(", ")));
            }
        }
        lines
    }

    fn export(&self, answer: &Json) -> String {
        self.outside(answer, |field, it| field.kind.export(it)).collect::<Vec<_>>().join(" ; ")
    }

    fn words(&self, answer: &Json) -> String {
        self.outside(answer, |field, it| field.kind.words(it)).collect::<Vec<_>>().join(" ")
    }

    fn expr_type(&self) -> Type {
        Type::Rows(self.group.fields.iter().map(|it| (it.id.clone(), it.kind.expr_type())).collect())
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_array().map(|_| Value::Rows(rows(answer).map(|row| self.row_value(row)).collect()))
    }

    /// The application adds `rows`: `{index, title, fields_html, remove_name}` for each.
    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        json!({
            "min": self.group.min,
            "max": self.group.max,
            "row_title": self.group.row_title,
            "rows": [],
            "anchor": clean::html_id(input.name),
        })
    }

    fn sample(&self, name: &str, today: Today, raw: &mut Raw) {
        for at in 0..self.group.min.max(1) {
            for field in &self.group.fields {
                field.kind.sample(&format!("{name}.{at}.{}", field.id), today, raw);
            }
        }
    }

    fn missing(&self, field: &Field) -> String {
        let (title, ask) = (quoted(&self.group.row_title), quoted(&field.ask));
        clean::missing(field, || format!("Ajoutez au moins une fois {title} pour {ask}"))
    }

    fn group(&self) -> Option<&Group> {
        Some(&self.group)
    }
}
