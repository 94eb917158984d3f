//! The circuit of a request: states, transitions, and what the whole must satisfy.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding,
    keys::{self, Keys, advised},
    node::{At, Node},
};
use crate::workflow::{Action, Need, State, Status, Transition, Who, Workflow};

const STATUSES: &[(&str, Status)] = &[
    ("draft", Status::Draft),
    ("sent", Status::Sent),
    ("in-progress", Status::InProgress),
    ("action-needed", Status::ActionNeeded),
    ("accepted", Status::Accepted),
    ("refused", Status::Refused),
    ("ended", Status::Ended),
];

const WHO: &[(&str, Who)] =
    &[("usager", Who::Usager), ("process", Who::Process), ("decide", Who::Decide), ("system", Who::System)];

const NEEDS: &[(&str, Need)] =
    &[("message", Need::Message), ("ask", Need::Ask), ("decision", Need::Decision), ("refusal", Need::Refusal)];

const ACTIONS: &[(&str, Action)] = &[
    ("receipt", Action::Receipt),
    ("take-charge", Action::TakeCharge),
    ("release", Action::Release),
    ("mark-complete", Action::MarkComplete),
];

/// A part of the workflow and where it is written.
struct Placed<'n, T> {
    at: &'n At,
    it: T,
}

/// Where a state is named: in `initial`, `from` or `to`.
struct Mention<'n> {
    at: &'n At,
    state: String,
}

pub(super) fn read(node: &Node, found: &mut Vec<Finding>) -> Option<Workflow> {
    let errors = found.len();
    let mut keys = Keys::new(node, "du circuit", found)?;
    let id = keys.need("id", found).and_then(|node| keys::id(node, found)).unwrap_or_default();
    let title = keys.need_text("title", found);
    let initial = keys.need("initial", found);
    let states = keys.need("states", found).map(|node| keys::items(node, found)).unwrap_or_default();
    let transitions = keys.need("transitions", found).map(|node| keys::items(node, found)).unwrap_or_default();
    keys.finish(found);

    let states: Vec<_> = states.iter().filter_map(|node| state(node, found)).collect();
    let mut mentions: Vec<_> = initial.and_then(|node| mention(node, found)).into_iter().collect();
    let initial = mentions.first().map(|first| first.state.clone()).unwrap_or_default();
    let transitions: Vec<_> = transitions.iter().filter_map(|node| transition(node, &mut mentions, found)).collect();

    once(states.iter().map(|state| (state.at, state.it.id.as_str())), "L'état", found);
    once(transitions.iter().map(|one| (one.at, one.it.id.as_str())), "La transition", found);
    known(&mentions, &states, found);
    // What follows judges the whole, which must first be readable.
    if found.len() == errors {
        start(&node.at, &initial, &states, &transitions, found);
        ways(&initial, &states, &transitions, found);
        decisions(&states, &transitions, found);
    }
    let states = states.into_iter().map(|state| state.it).collect();
    let transitions = transitions.into_iter().map(|transition| transition.it).collect();
    Some(Workflow { id, title, initial, states, transitions })
}

fn state<'n>(node: &'n Node, found: &mut Vec<Finding>) -> Option<Placed<'n, State>> {
    let mut keys = Keys::new(node, "de l'état", found)?;
    let id = keys.need("id", found).and_then(|node| keys::id(node, found));
    let label = keys.need_text("label", found);
    let usager = keys.need_text("usager", found);
    let status = keys.need("status", found).and_then(|node| keys::word(node, STATUSES, found));
    let end = keys.flag("end", found);
    let open_to_usager = keys.flag("open", found);
    keys.finish(found);
    Some(Placed { at: &node.at, it: State { id: id?, label, usager, status: status?, end, open_to_usager } })
}

fn transition<'n>(
    node: &'n Node,
    mentions: &mut Vec<Mention<'n>>,
    found: &mut Vec<Finding>,
) -> Option<Placed<'n, Transition>> {
    let mut keys = Keys::new(node, "de la transition", found)?;
    let id = keys.need("id", found).and_then(|node| keys::id(node, found));
    let label = keys.need_text("label", found);
    let from = keys.need("from", found).map(|node| states_of(node, found)).unwrap_or_default();
    let to = keys.need("to", found).and_then(|node| mention(node, found));
    let who = keys.need("who", found).and_then(|node| keys::word(node, WHO, found));
    let needs = keys.items("needs", found);
    let needs: Vec<_> = needs.iter().filter_map(|node| keys::word(node, NEEDS, found)).collect();
    let does = keys.items("does", found);
    let does = does.iter().filter_map(|node| action(node, found)).collect();
    let receives = keys.text("receives", found);
    keys.finish(found);
    if who == Some(Who::System) && !needs.is_empty() {
        found.push(node.at.finding("Une transition de la plateforme ne peut rien demander (« needs »)."));
    }
    let names = from.iter().map(|mention| mention.state.clone()).collect();
    let target = to.as_ref().map(|mention| mention.state.clone());
    mentions.extend(from);
    mentions.extend(to);
    let it = Transition { id: id?, label, from: names, to: target?, who: who?, needs, does, receives };
    Some(Placed { at: &node.at, it })
}

fn states_of<'n>(node: &'n Node, found: &mut Vec<Finding>) -> Vec<Mention<'n>> {
    let items = keys::items(node, found);
    if items.is_empty() && node.list().is_some() {
        found.push(node.at.finding("Cette transition ne part d'aucun état."));
    }
    items.iter().filter_map(|item| mention(item, found)).collect()
}

fn mention<'n>(node: &'n Node, found: &mut Vec<Finding>) -> Option<Mention<'n>> {
    Some(Mention { at: &node.at, state: keys::text(node, found)? })
}

/// `release`, `notify piece-demandee`.
fn action(node: &Node, found: &mut Vec<Finding>) -> Option<Action> {
    let text = keys::text(node, found)?;
    if let Some((_, action)) = ACTIONS.iter().find(|(name, _)| *name == text) {
        return Some(action.clone());
    }
    match text.split_once(' ') {
        Some(("notify", template)) => {
            let template = template.trim();
            keys::id(&Node::of_text(node.inside("notify ".len()), template), found).map(Action::Notify)
        }
        _ => {
            let known = ACTIONS.iter().map(|(name, _)| *name).chain(Some("notify …"));
            let advice = match text.as_str() {
                "notify" => "Dites avec quel message : « notify recue ».".to_owned(),
                _ => keys::known_words(&text, known),
            };
            found.push(advised(&node.at, format!("L'action « {text} » n'existe pas."), advice));
            None
        }
    }
}

fn once<'a>(ids: impl Iterator<Item = (&'a At, &'a str)>, what: &str, found: &mut Vec<Finding>) {
    let mut seen = BTreeMap::new();
    for (at, id) in ids {
        if let Some(line) = seen.insert(id, at.line) {
            let message = format!("{what} « {id} » existe déjà (ligne {line}).");
            found.push(advised(at, message, "Chaque identifiant ne sert qu'une fois."));
        }
    }
}

fn known(mentions: &[Mention<'_>], states: &[Placed<'_, State>], found: &mut Vec<Finding>) {
    for mention in mentions {
        if !states.iter().any(|state| state.it.id == mention.state) {
            let advice = keys::known_words(&mention.state, states.iter().map(|state| state.it.id.as_str()));
            let message = format!("L'état « {} » n'existe pas.", mention.state);
            found.push(advised(mention.at, message, advice));
        }
    }
}

/// A request begins as a draft that its usager can send.
fn start(
    at: &At,
    initial: &str,
    states: &[Placed<'_, State>],
    transitions: &[Placed<'_, Transition>],
    found: &mut Vec<Finding>,
) {
    if let Some(state) = states.iter().find(|state| state.it.id == initial)
        && state.it.status != Status::Draft
    {
        found.push(state.at.finding("L'état de départ doit avoir « status: draft »."));
    }
    if !transitions.iter().any(|one| one.it.who == Who::Usager && one.it.from.iter().any(|from| from == initial)) {
        let message = format!("Aucune transition de l'usager ne part de l'état de départ « {initial} ».");
        found.push(advised(at, message, "Sans elle, aucune demande ne peut être envoyée."));
    }
}

/// Every state can be reached, and left unless it is an end.
fn ways(initial: &str, states: &[Placed<'_, State>], transitions: &[Placed<'_, Transition>], found: &mut Vec<Finding>) {
    let mut reached = BTreeSet::from([initial]);
    let mut waiting = vec![initial];
    while let Some(from) = waiting.pop() {
        for Placed { it, .. } in transitions {
            if it.from.iter().any(|state| state == from) && reached.insert(&it.to) {
                waiting.push(&it.to);
            }
        }
    }
    for Placed { at, it } in states {
        let id = &it.id;
        if !reached.contains(id.as_str()) {
            let advice = "Ajoutez une transition qui y mène, ou retirez-le.";
            found.push(advised(at, format!("L'état « {id} » est inatteignable."), advice));
        }
        let left = transitions.iter().any(|one| one.it.to != *id && one.it.from.contains(id));
        if !it.end && !left {
            let advice = "Ajoutez une transition qui en part, ou « end: true » si c'est une fin.";
            found.push(advised(at, format!("Aucune transition ne part de l'état « {id} »."), advice));
        }
    }
}

/// A refusal carries its ground and its appeal routes (CRPA L211-2 s., CJA R421-5).
fn decisions(states: &[Placed<'_, State>], transitions: &[Placed<'_, Transition>], found: &mut Vec<Finding>) {
    let status = |id: &str| states.iter().find(|state| state.it.id == id).map(|state| state.it.status);
    for Placed { at, it } in transitions {
        let stays = it.from.iter().all(|from| status(from) == Some(Status::Refused));
        if status(&it.to) == Some(Status::Refused) && !stays && !it.needs.contains(&Need::Refusal) {
            let message = format!("La transition « {} » refuse la demande sans motif ni voies de recours.", it.id);
            let advice = "Ajoutez « needs: [refusal] » : la loi exige les motifs et les voies de recours.";
            found.push(advised(at, message, advice));
        }
    }
}
