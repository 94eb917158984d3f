//! One page of questions.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::{
    field,
    keys::{self, Keys, advised},
    node::{At, Node},
    scope::Reader,
};
use crate::model::Page;

/// What addresses say of a draft beside its pages: a page so named could not be reached.
const RESERVED: [&str; 4] = ["enregistre", "reception", "supprimer", "verifier"];

/// Ids already taken: pages, then fields, with their places.
#[derive(Default)]
pub(super) struct Seen {
    pages: BTreeMap<String, At>,
    fields: BTreeMap<String, At>,
}

pub(super) fn read(node: &Node, reader: &mut Reader<'_>, seen: &mut Seen) -> Option<Page> {
    let mut keys = Keys::new(node, "de la page", reader.found)?;
    let own = keys.take("id");
    let title = keys.need_text("title", reader.found);
    let id = match own {
        Some(node) => keys::id(node, reader.found).unwrap_or_default(),
        None => slug(&title),
    };
    if RESERVED.contains(&id.as_str()) {
        let message = format!("L'identifiant « {id} » d'une page est réservé aux adresses du site.");
        let advice = format!("Donnez-en un autre à la page : « id: la-{id} ».");
        reader.found.push(advised(&own.unwrap_or(node).at, &message, &advice));
    }
    if !id.is_empty() {
        field::unique(&id, own.unwrap_or(node), "La page", &mut seen.pages, reader);
    }
    let intro = keys.text("intro", reader.found);
    let show_if = reader.show_if(&mut keys, "cette page est inatteignable");
    let fields = keys.need("fields", reader.found).map(|node| keys::items(node, reader.found));
    if fields.is_some_and(<[Node]>::is_empty) {
        let advice = "Ajoutez une question, ou retirez la page.";
        reader.found.push(advised(&node.at, "Cette page n'a aucune question.", advice));
    }
    let fields = field::read_all(fields.unwrap_or_default(), reader, &mut seen.fields);
    let stop_if = reader.rules(&mut keys, "stop-if", "les pages suivantes sont inatteignables");
    keys.finish(reader.found);
    Some(Page { id, title, intro, show_if, fields, stop_if })
}

/// « L'acte demandé » → `l-acte-demande`.
pub(super) fn slug(title: &str) -> String {
    let mut slug = String::new();
    let title = title.replace(['œ', 'Œ'], "oe").replace('æ', "ae");
    for c in title.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
