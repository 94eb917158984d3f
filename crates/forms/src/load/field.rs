//! One field, and through [`FieldOptions`] what its kind asks for.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    keys::{self, Keys, advised},
    node::{At, Node},
    options::FieldOptions,
    scope::{self, Reader},
};
use crate::{
    kinds::{self, Kind},
    model::Field,
};

/// Reads fields in their order; each is known to those that follow.
pub(super) fn read_all(nodes: &[Node], reader: &mut Reader<'_>, seen: &mut BTreeMap<String, At>) -> Vec<Field> {
    nodes.iter().filter_map(|node| read(node, reader, seen)).collect()
}

/// Reads the fields of one row of a group: their ids are their own, and hide the procedure's.
pub(super) fn read_rows(nodes: &[Node], reader: &mut Reader<'_>) -> Vec<Field> {
    let before = (reader.scope.clone(), reader.ahead.clone(), reader.broken.clone());
    let own = scope::ids(nodes);
    reader.scope.names.retain(|name, _| !own.contains(name));
    reader.ahead.extend(own);
    let fields = read_all(nodes, reader, &mut BTreeMap::new());
    (reader.scope, reader.ahead, reader.broken) = before;
    for node in nodes.iter().filter_map(|node| node.get("verified")).filter(|node| node.text() == Some("true")) {
        let message = "Une identité vérifiée est celle de l'usager : elle ne se demande pas dans un groupe.";
        reader.found.push(node.at.finding(message));
    }
    fields
}

fn read(node: &Node, reader: &mut Reader<'_>, seen: &mut BTreeMap<String, At>) -> Option<Field> {
    let errors = reader.found.len();
    let mut keys = Keys::new(node, "de la question", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| {
        let id = keys::name(node, reader.found)?;
        unique(&id, node, "La question", seen, reader);
        Some(id)
    });
    reader.current.clone_from(&id);
    let ask = keys.text("ask", reader.found);
    let help = keys.text("help", reader.found);
    let optional = keys.flag("optional", reader.found);
    let show_if = reader.show_if(&mut keys, "cette question n'est jamais posée");
    let sensitive = keys.flag("sensitive", reader.found);
    let search = keys.flag("search", reader.found);
    let verified = keys.flag("verified", reader.found);
    let error = keys.text("error", reader.found);
    let was = keys.take("was").and_then(|node| keys::name(node, reader.found));
    if sensitive && search {
        let message = "Une réponse sensible ne peut pas servir à la recherche.";
        reader.found.push(advised(keys.at, message, "Retirez « search » ou « sensitive »."));
    }
    let conditions = reader.found.len();
    let kind = kind(&mut keys, reader);
    let Some((id, kind)) = id.zip(kind) else {
        reader.current = None;
        skip_checks(keys, node, reader);
        return None;
    };
    if reader.found.len() > conditions {
        reader.broken.insert(id.clone());
    }
    if verified && !kind.takes_up() {
        let message = "« verified » ne va qu'à une question qui demande l'identité d'une personne vivante.";
        reader.found.push(advised(keys.at, message, "Retirez « verified », ou choisissez le genre « identity »."));
    }
    let ask = ask.or_else(|| kind.group().map(|group| group.row_title.clone()));
    if ask.is_none() && kind.needs_ask() && reader.found.len() == errors {
        reader.found.push(keys.at.finding("Il manque la clé « ask » de la question."));
    }
    reader.scope.names.insert(id.clone(), kind.expr_type());
    reader.current = None;
    let checks = reader.rules(&mut keys, "check", "aucune réponse ne convient");
    keys.finish(reader.found);
    let ask = ask.unwrap_or_default();
    Some(Field { id, ask, help, optional, show_if, sensitive, search, verified, error, was, checks, kind })
}

/// Without its kind or its id nothing more can be said of a field, nor of what names it.
fn skip_checks(mut keys: Keys<'_>, node: &Node, reader: &mut Reader<'_>) {
    keys.take("check");
    if node.get("kind").and_then(Node::text).is_some_and(|name| kinds::by_name(name).is_some()) {
        keys.finish(reader.found);
    }
    if let Some(id) = node.get("id").and_then(Node::text) {
        reader.broken.insert(id.to_owned());
    }
}

fn kind(keys: &mut Keys<'_>, reader: &mut Reader<'_>) -> Option<Arc<dyn Kind>> {
    let node = keys.need("kind", reader.found)?;
    let name = keys::text(node, reader.found)?;
    let Some((_, accepted, read)) = kinds::by_name(&name) else {
        let advice = keys::known_words(&name, kinds::KINDS.iter().map(|(name, ..)| *name));
        reader.found.push(advised(&node.at, format!("Le genre de question « {name} » n'existe pas."), advice));
        return None;
    };
    for option in *accepted {
        keys.take(option);
    }
    Some(read(&mut FieldOptions { keys, reader }))
}

/// Remembers an id, with a finding when it was already taken.
pub(super) fn unique(id: &str, node: &Node, what: &str, seen: &mut BTreeMap<String, At>, reader: &mut Reader<'_>) {
    if let Some(first) = seen.get(id) {
        let (place, advice) = if *first == node.at {
            (String::new(), "Ce bloc est employé deux fois : donnez-lui un « prefix » différent à chaque fois.")
        } else if first.file == node.at.file {
            (format!(" (ligne {})", first.line), "Chaque identifiant ne sert qu'une fois.")
        } else {
            (format!(" ({}, ligne {})", first.file, first.line), "Chaque identifiant ne sert qu'une fois.")
        };
        reader.found.push(advised(&node.at, format!("{what} « {id} » existe déjà{place}."), advice));
    } else {
        seen.insert(id.to_owned(), node.at.clone());
    }
}
