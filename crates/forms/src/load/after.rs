//! When the platform fires a transition: `10 days`, `3 working days before due`, `until`.

use super::{
    Finding,
    keys::{self, advised},
    node::Node,
};
use crate::workflow::{After, Origin};

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

pub(super) fn read(node: &Node, found: &mut Vec<Finding>) -> Option<After> {
    let text = keys::text(node, found)?;
    let read = after(&text);
    if read.is_none() {
        let advice = "« at once », « 10 days » depuis l'entrée dans l'état, « 2 months from sent » (ou complete, due, legal, until, opinions, approved, declined), « 3 working days before due » (ou legal, until), ou « due », « legal », « until » : le lendemain de ce jour ; « opinions » : dès que tous les avis demandés sont rendus ; « approved », « declined » : dès que tous ont visé, ou que l'un refuse.";
        found.push(advised(&node.at, "Le moment d'agir est attendu ici.", advice));
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
