//! What a person typed ([`Raw`]) and what is wrong with it ([`Problem`]).
//!
//! A draft keeps exactly what was typed, so that nothing is lost to a mistake; typed answers are
//! derived from it at each reading and stored only when the request is sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A typed answer, in the canonical JSON shape of its field's kind.
pub type Json = serde_json::Value;

/// Typed answers by field id; rows of a group are an array of such objects.
pub type Answers = serde_json::Map<String, Json>;

/// Form input by HTML name, in the order received. Names: `nom`, `naissance.jour` (a part of a
/// field), `enfants.0.nom` (a field in a row, rows counted from 0).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub BTreeMap<String, Vec<String>>);

impl Raw {
    /// The first value under this name, trimmed; empty when absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.first()).map_or("", |value| value.trim())
    }

    /// Every value under this name, trimmed, empty ones left out.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), vec![value.into()]);
    }

    /// Whether nothing was typed for the field called `name`, its parts or its rows.
    pub fn is_blank(&self, name: &str) -> bool {
        let near = self.0.range(name.to_owned()..).take_while(|(key, _)| key.starts_with(name));
        let mut own =
            near.filter(|(key, _)| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        own.all(|(_, values)| values.iter().all(|value| value.trim().is_empty()))
    }

    /// Drops the field called `name`, its parts and its rows.
    pub fn clear(&mut self, name: &str) {
        self.0.retain(|key, _| key != name && !key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
    }
}

/// One field's input: the whole form and the field's HTML name.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub raw: &'a Raw,
    pub name: &'a str,
}

impl<'a> Input<'a> {
    pub fn text(self) -> &'a str {
        self.raw.text(self.name)
    }

    /// A part of the field: `input.part("jour")` reads `naissance.jour`.
    pub fn part(self, part: &str) -> &'a str {
        self.raw.text(&format!("{}.{part}", self.name))
    }

    pub fn all(self) -> impl Iterator<Item = &'a str> {
        self.raw.all(self.name)
    }
}

/// What is wrong with one answer, said to the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The part of the field to point at (`jour`), when it is not the whole field.
    pub part: Option<String>,
    /// A full French sentence that names the field.
    pub message: String,
}

impl Problem {
    pub fn new(message: impl Into<String>) -> Self {
        Self { part: None, message: message.into() }
    }

    pub fn at(part: &str, message: impl Into<String>) -> Self {
        Self { part: Some(part.to_owned()), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_blank_whatever_stands_in_its_namesakes() {
        let mut raw = Raw::default();
        for (name, value) in
            [("nom", " "), ("nom_usage", "Martin"), ("nom.jour", ""), ("no", "x"), ("enfants.0.nom", "Léa")]
        {
            raw.set(name, value);
        }
        assert!(raw.is_blank("nom") && raw.is_blank("absent"));
        assert!(!raw.is_blank("nom_usage") && !raw.is_blank("enfants") && !raw.is_blank("enfants.0.nom"));
        raw.set("nom.jour", "3");
        assert!(!raw.is_blank("nom"));
    }
}
