//! When the platform fires a transition: `10 days`, `3 working days before due`, `until`, or once an application
//! answered: `urbanisme answers recu`, `urbanisme fails`.

use super::{
    action,
    keys::{self, advised},
    node::Node,
    scope::Reader,
};
use crate::workflow::{After, Origin, Upon};

const ORIGINS: &[(&str, Origin)] = &[
    ("sent", Origin::Sent),
    ("complete", Origin::Complete),
    ("due", Origin::Due),
    ("legal", Origin::Legal),
    ("until", Origin::Until),
    ("opinions", Origin::Opinions),
    ("approved", Origin::Approved),
    ("declined", Origin::Declined),
];

/// What a timer may wait for without a delay: days that are known before they come.
const ALONE: &[&str] = &["due", "legal", "until"];

/// What `after` says: a moment, or an answer.
pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> (Option<After>, Option<Upon>) {
    let Some(text) = keys::text(node, reader.found) else { return (None, None) };
    match upon(node, &text) {
        Some((webhook, outcome)) => (None, answer(&webhook, outcome.as_ref(), reader)),
        None => (moment(node, &text, reader), None),
    }
}

/// `urbanisme answers recu`, `urbanisme fails`: the name and the word, each where it is written.
fn upon(node: &Node, text: &str) -> Option<(Node, Option<Node>)> {
    const ANSWERS: &str = " answers ";
    let name = |name: &str| Node::of_text(node.inside(0), name);
    if let Some(failing) = text.strip_suffix(" fails") {
        return Some((name(failing), None));
    }
    let (webhook, outcome) = text.split_once(ANSWERS)?;
    let place = node.inside(webhook.len().saturating_add(ANSWERS.len()));
    Some((name(webhook), Some(Node::of_text(place, outcome.trim()))))
}

fn answer(webhook: &Node, outcome: Option<&Node>, reader: &mut Reader<'_>) -> Option<Upon> {
    let webhook = action::called(webhook, reader);
    let outcome = match outcome {
        Some(word) => Some(keys::id(word, reader.found)?),
        None => None,
    };
    Some(Upon { webhook: webhook?, outcome })
}

fn moment(node: &Node, text: &str, reader: &mut Reader<'_>) -> Option<After> {
    let read = after(text);
    if read.is_none() {
        let advice = "« at once », « 10 days » depuis l'entrée dans l'état, « 2 months from sent » (ou complete, due, legal, until, opinions, approved, declined), « 3 working days before due » (ou legal, until), ou « due », « legal », « until » : le lendemain de ce jour ; « opinions » : dès que tous les avis demandés sont rendus ; « urbanisme answers recu » ou « urbanisme fails » : ce que répond une application appelée ; « approved », « declined » : dès que tous ont visé, ou que l'un refuse.";
        reader.found.push(advised(&node.at, "Le moment d'agir est attendu ici.", advice));
    }
    read
}

fn after(text: &str) -> Option<After> {
    let named = |name: &str| ORIGINS.iter().find(|(known, _)| *known == name).map(|(_, origin)| *origin);
    let split = |word: &str| text.split_once(word).map(|(delay, origin)| (delay.trim(), origin.trim()));
    if text == "at once" {
        return Some(After { delay: None, before: false, origin: Origin::Entry });
    }
    let event = named(text).is_some_and(Origin::is_event);
    if ALONE.contains(&text) || event {
        return Some(After { delay: None, before: false, origin: named(text)? });
    }
    if let Some((delay, origin)) = split(" before ") {
        let origin = named(origin).filter(|_| ALONE.contains(&origin))?;
        return Some(After { delay: Some(keys::delay_of(delay)?), before: true, origin });
    }
    match split(" from ") {
        Some((delay, origin)) => {
            Some(After { delay: Some(keys::delay_of(delay)?), before: false, origin: named(origin)? })
        }
        None => Some(After { delay: Some(keys::delay_of(text)?), before: false, origin: Origin::Entry }),
    }
}
