//! Drawing the fields of a page, with what was typed and what is wrong.

use std::sync::Arc;

use forms::{
    answers::{Input, Raw},
    journey::FieldReading,
};
use minijinja::{Value, context, value::Serde};
use quick_cache::sync::Cache;
use serde_json::{Value as Json, json};

use super::{certified::Certified, citizen::field_slot, model::File};
use crate::visit::Visit;

/// Fields that nobody has answered yet, drawn once: they look the same to everybody, so what is kept
/// holds nothing personal. By authority, procedure, version and name.
pub struct Untouched(Cache<String, Arc<str>>);

impl Default for Untouched {
    fn default() -> Self {
        Self(Cache::new(5_000))
    }
}

/// A page's fields as HTML.
pub struct Drawn {
    pub html: String,
    /// For the summary on top: `{href, text}`.
    pub errors: Vec<Json>,
    /// How many questions it asks.
    pub questions: usize,
}

pub struct Drawing<'a> {
    pub visit: &'a Visit,
    /// The procedure's id and version; none when what is asked depends on the person: nothing drawn is kept.
    pub procedure: Option<(&'a str, i64)>,
    pub raw: &'a Raw,
    pub files: &'a [File],
    /// Whether to tell what is wrong: not before the person has had a chance to answer.
    pub errors: bool,
    /// Sentences about files that were refused: (input name, sentence).
    pub refused: &'a [(String, String)],
    /// Prefix of file addresses.
    pub base: &'a str,
    /// What a verified identity has filled in.
    pub certified: Option<&'a Certified>,
}

impl<'a> Drawing<'a> {
    /// Questions of ours, of no procedure. What is drawn of them is kept under a name that no procedure has;
    /// none when what is asked depends on the person.
    pub fn sheet(visit: &'a Visit, kept: Option<(&'a str, i64)>, raw: &'a Raw, errors: bool) -> Self {
        Self { visit, procedure: kept, raw, files: &[], errors, refused: &[], base: "", certified: None }
    }

    pub fn draw(&self, fields: &[FieldReading<'_>]) -> anyhow::Result<Drawn> {
        let mut drawn = Drawn { html: String::new(), errors: Vec::new(), questions: 0 };
        for field in fields.iter().filter(|field| field.shown) {
            drawn.questions += usize::from(!field.field.kind.silent());
            match self.procedure.filter(|_| self.untouched(field)) {
                Some(procedure) => drawn.html.push_str(&self.kept(procedure, field)?),
                None => self.one(field, &mut drawn)?,
            }
        }
        Ok(drawn)
    }

    /// Whether nothing about this field depends on the person: nothing typed, nothing to tell.
    fn untouched(&self, reading: &FieldReading<'_>) -> bool {
        let kind = &reading.field.kind;
        let own = kind.computed().is_none() && kind.files().is_none() && kind.group().is_none();
        let told = self.errors && !reading.problems.is_empty();
        let certified = reading.field.verified && self.certified.is_some();
        own && !told && !certified && self.raw.is_blank(&reading.name)
    }

    fn kept(&self, (procedure, version): (&str, i64), reading: &FieldReading<'_>) -> anyhow::Result<Arc<str>> {
        let key = format!("{}/{procedure}/{version}/{}", self.visit.site.id, reading.name);
        let Untouched(kept) = &self.visit.app.untouched;
        kept.get_or_insert_with(&key, || {
            let mut drawn = Drawn { html: String::new(), errors: Vec::new(), questions: 0 };
            self.one(reading, &mut drawn)?;
            Ok(drawn.html.into())
        })
    }

    fn one(&self, reading: &FieldReading<'_>, drawn: &mut Drawn) -> anyhow::Result<()> {
        let field = reading.field;
        let kind = &field.kind;
        let mut view = kind.view(field, Input { raw: self.raw, name: &reading.name });
        let id = reading.name.replace('.', "-");
        let mut problems: Vec<(Option<String>, String)> = Vec::new();
        if self.errors {
            problems.extend(reading.problems.iter().map(|problem| (problem.part.clone(), problem.message.clone())));
        }
        let input = format!("{}.fichier", reading.name);
        problems.extend(self.refused.iter().filter(|(name, _)| *name == input).map(|(_, text)| (None, text.clone())));
        let anchor = view.get("anchor").and_then(Json::as_str).unwrap_or(&id).to_owned();
        for (part, message) in &problems {
            let target = part.as_ref().map_or(anchor.clone(), |part| format!("{id}-{part}"));
            drawn.errors.push(json!({"href": format!("#{target}"), "text": message}));
        }
        if let Some(view) = view.as_object_mut() {
            let errors: Vec<Json> =
                problems.iter().map(|(part, message)| json!({"part": part, "message": message})).collect();
            view.insert("kind".into(), json!(kind.name()));
            view.insert("name".into(), json!(reading.name));
            view.insert("id".into(), json!(id));
            view.insert("ask".into(), json!(field.ask));
            view.insert("help".into(), json!(field.help));
            let certified = self.certified.map(|certified| certified.view(self.visit, field, self.raw));
            view.insert("certified".into(), certified.unwrap_or_default());
            view.insert("optional".into(), json!(field.optional));
            view.insert("error".into(), json!(problems.first().map(|(_, message)| message)));
            view.insert("errors".into(), json!(errors));
            if kind.computed().is_some() {
                view.insert(
                    "answer".into(),
                    json!(reading.answer.as_ref().map(|answer| kind.display(answer)).unwrap_or_default()),
                );
            }
            if kind.files().is_some() {
                view.insert("uploads".into(), json!(self.uploads(&reading.name)));
            }
        }
        // Only a group: « rows » of a long text is its height.
        let f = match kind.group() {
            Some(_) => context! { rows => self.rows(reading, drawn)?, ..Value::from(Serde(view)) },
            None => Value::from(Serde(view)),
        };
        drawn
            .html
            .push_str(&self.visit.app.templates.render(&format!("fields/{}.html", kind.name()), context! { f => f })?);
        Ok(())
    }

    /// The rows of a group, each already drawn.
    fn rows(&self, reading: &FieldReading<'_>, drawn: &mut Drawn) -> anyhow::Result<Vec<Value>> {
        let Some(group) = reading.field.kind.group() else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for (index, row) in reading.rows.iter().enumerate() {
            let inner = self.draw(row)?;
            drawn.errors.extend(inner.errors);
            drawn.questions += inner.questions;
            rows.push(context! {
                index => index,
                title => format!("{} {}", group.row_title, index + 1),
                fields_html => Value::from_safe_string(inner.html),
                remove_name => format!("{}.{index}", reading.name),
            });
        }
        Ok(rows)
    }

    fn uploads(&self, name: &str) -> Vec<Json> {
        let slot = field_slot(name);
        let sent = self.files.iter().filter(|file| file.slot == slot);
        sent.map(|file| json!({"id": file.id, "name": file.name, "size": file.size, "href": format!("{}/{}", self.base, file.id), "remove_name": file.id})).collect()
    }
}
