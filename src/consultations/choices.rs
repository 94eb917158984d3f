//! What may be shown of a request to who is asked for an opinion.

use std::collections::BTreeSet;

use forms::{answers::Raw, model::Procedure};
use serde_json::{Value as Json, json};

use crate::requests::model::{File, Request, piece_slot};

struct Choice {
    id: String,
    title: String,
    /// The page it is on; empty for a piece.
    section: String,
    sensitive: bool,
}

/// Questions that were answered, and pieces that were given.
pub struct Choices {
    fields: Vec<Choice>,
    pieces: Vec<Choice>,
}

/// What was ticked of them.
#[derive(Debug, Default)]
pub struct Ticked {
    pub fields: Vec<String>,
    pub pieces: Vec<String>,
    /// Titles of those that are sensitive.
    pub sensitive: Vec<String>,
}

impl Choices {
    pub fn of(procedure: &Procedure, request: &Request, files: &[File]) -> Self {
        let answered = |id: &str| request.answers.0.contains_key(id);
        let fields = procedure.pages.iter().flat_map(|page| page.fields.iter().map(move |field| (page, field)));
        let fields = fields.filter(|(_, field)| answered(&field.id)).map(|(page, field)| Choice {
            id: field.id.clone(),
            title: if field.ask.is_empty() { field.id.clone() } else { field.ask.clone() },
            section: page.title.clone(),
            sensitive: field.sensitive,
        });
        let given = |id: &str| files.iter().any(|file| file.slot == piece_slot(id));
        let pieces = procedure.pieces.iter().filter(|piece| given(&piece.id)).map(|piece| Choice {
            id: piece.id.clone(),
            title: piece.title.clone(),
            section: String::new(),
            sensitive: piece.sensitive,
        });
        Self { fields: fields.collect(), pieces: pieces.collect() }
    }

    /// What was ticked and is offered; nothing is ticked by itself.
    pub fn ticked(&self, typed: &Raw) -> Ticked {
        let all = |name: &str| typed.all(name).map(str::to_owned).collect::<BTreeSet<_>>();
        let (fields, pieces) = (all("champs"), all("pieces"));
        let ids = |offered: &[Choice], ticked: &BTreeSet<String>| {
            offered.iter().map(|one| one.id.clone()).filter(|id| ticked.contains(id)).collect()
        };
        let of = |offered: &[Choice], ticked: &BTreeSet<String>| {
            let found = offered.iter().filter(|one| one.sensitive && ticked.contains(&one.id));
            found.map(|one| one.title.clone()).collect::<Vec<_>>()
        };
        Ticked {
            sensitive: [of(&self.fields, &fields), of(&self.pieces, &pieces)].concat(),
            fields: ids(&self.fields, &fields),
            pieces: ids(&self.pieces, &pieces),
        }
    }

    /// Questions, then pieces, as the form lists them.
    pub fn json(&self, ticked: &Ticked) -> (Vec<Json>, Vec<Json>) {
        let list = |offered: &[Choice], ticked: &[String]| -> Vec<Json> {
            let one = |one: &Choice| json!({"id": one.id, "title": one.title, "section": one.section, "sensitive": one.sensitive, "checked": ticked.contains(&one.id)});
            offered.iter().map(one).collect()
        };
        (list(&self.fields, &ticked.fields), list(&self.pieces, &ticked.pieces))
    }
}
