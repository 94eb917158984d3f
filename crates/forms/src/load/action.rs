//! What transitions do (`release`, `notify piece-demandee`), and what a workflow declares for them by name.

use super::{
    keys::{self, Keys, advised},
    node::Node,
    scope::Reader,
    workflow::Placed,
};
use crate::workflow::{Action, Opinion};

const ACTIONS: &[(&str, Action)] = &[
    ("receipt", Action::Receipt),
    ("take-charge", Action::TakeCharge),
    ("release", Action::Release),
    ("mark-complete", Action::MarkComplete),
];

/// `release`, `notify piece-demandee`.
pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Action> {
    let text = keys::text(node, reader.found)?;
    if let Some((_, action)) = ACTIONS.iter().find(|(name, _)| *name == text) {
        return Some(action.clone());
    }
    if let Some(("notify", template)) = text.split_once(' ') {
        return notify(&Node::of_text(node.inside("notify ".len()), template.trim()), reader);
    }
    if let Some(("letter", template)) = text.split_once(' ') {
        return letter(&Node::of_text(node.inside("letter ".len()), template.trim()), reader);
    }
    if let Some(("opinion", name)) = text.split_once(' ') {
        return asked(&Node::of_text(node.inside("opinion ".len()), name.trim()), reader);
    }
    let known = ACTIONS.iter().map(|(name, _)| *name).chain(["notify …", "letter …", "opinion …"]);
    let advice = match text.as_str() {
        "notify" => "Dites avec quel message : « notify recue ».".to_owned(),
        "letter" => "Dites avec quel modèle : « letter accord ».".to_owned(),
        "opinion" => "Dites lequel : « opinion voirie », déclaré sous « opinions » du circuit.".to_owned(),
        _ => keys::known_words(&text, known),
    };
    reader.found.push(advised(&node.at, format!("L'action « {text} » n'existe pas."), advice));
    None
}

/// A message has its template, where templates are known.
fn notify(node: &Node, reader: &mut Reader<'_>) -> Option<Action> {
    let template = keys::id(node, reader.found)?;
    let messages = &reader.shared.messages;
    if !messages.is_empty() && !messages.contains(&template) {
        let advice = keys::known_words(&template, messages.iter().map(String::as_str));
        reader.found.push(advised(&node.at, format!("Aucun modèle de message ne s'appelle « {template} »."), advice));
    }
    Some(Action::Notify(template))
}

/// A letter has its template, where templates are known.
fn letter(node: &Node, reader: &mut Reader<'_>) -> Option<Action> {
    let template = keys::id(node, reader.found)?;
    let shared = reader.shared;
    if !shared.messages.is_empty() && shared.letter(&template).is_none() {
        let advice = keys::known_words(&template, shared.letters());
        reader.found.push(advised(&node.at, format!("Aucun modèle de lettre ne s'appelle « {template} »."), advice));
    }
    Some(Action::Letter(template))
}

/// An opinion is declared by its workflow.
fn asked(node: &Node, reader: &mut Reader<'_>) -> Option<Action> {
    let name = keys::id(node, reader.found)?;
    if !reader.opinions.contains(&name) {
        let advice = keys::known_words(&name, reader.opinions.iter().map(String::as_str));
        let message = format!("Le circuit ne déclare pas d'avis « {name} » (« opinions »).");
        reader.found.push(advised(&node.at, message, advice));
    }
    Some(Action::Opinion(name))
}

/// What another department is asked, and shown.
pub(super) fn opinion<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<Placed<'n, Opinion>> {
    let mut keys = Keys::new(node, "de l'avis", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let department = keys.need("department", reader.found).and_then(|node| keys::id(node, reader.found));
    let question = keys.need_text("question", reader.found);
    let delay = keys.need("delay", reader.found).and_then(|node| keys::delay(node, reader.found));
    let shows = keys.texts("shows", reader.found);
    let pieces = keys.texts("pieces", reader.found);
    keys.finish(reader.found);
    let it = Opinion { id: id?, department: department?, question, delay: delay?, shows, pieces };
    Some(Placed { at: &node.at, it })
}
