//! The circuit of a request: states, transitions, and what the whole must satisfy.

use std::collections::BTreeMap;

use super::{
    Finding, action, after, field,
    keys::{self, Keys, advised},
    node::{At, Node},
    proof::{self, Circuit},
    scope::Reader,
};
use crate::{
    model::Field,
    workflow::{Action, Need, State, Status, Transition, Who, Workflow},
};

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

/// A part of the workflow and where it is written.
pub(super) struct Placed<'n, T> {
    pub at: &'n At,
    pub it: T,
}

/// Where a state is named: in `initial`, `from` or `to`.
struct Mention<'n> {
    at: &'n At,
    state: String,
}

/// The reader knows the procedure's questions, which conditions name; none when the workflow is read alone.
pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Workflow> {
    let errors = reader.found.len();
    let mut keys = Keys::new(node, "du circuit", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found)).unwrap_or_default();
    let title = keys.need_text("title", reader.found);
    let initial = keys.need("initial", reader.found);
    let opinions = keys.items("opinions", reader.found);
    let webhooks = keys.items("webhooks", reader.found);
    let approvals = keys.items("approvals", reader.found);
    let starts = keys.items("starts", reader.found);
    let states = keys.need("states", reader.found).map(|node| keys::items(node, reader.found)).unwrap_or_default();
    let transitions = keys.need("transitions", reader.found);
    let transitions = transitions.map(|node| keys::items(node, reader.found)).unwrap_or_default();
    keys.finish(reader.found);

    let states: Vec<_> = states.iter().filter_map(|node| state(node, reader.found)).collect();
    let mut mentions: Vec<_> = initial.and_then(|node| mention(node, reader.found)).into_iter().collect();
    let initial = mentions.first().map(|first| first.state.clone()).unwrap_or_default();
    let opinions: Vec<_> = opinions.iter().filter_map(|node| action::opinion(node, reader)).collect();
    reader.opinions = opinions.iter().map(|opinion| opinion.it.id.clone()).collect();
    let webhooks: Vec<_> = webhooks.iter().filter_map(|node| action::webhook(node, reader)).collect();
    reader.webhooks = webhooks.iter().map(|webhook| webhook.it.id.clone()).collect();
    let approvals: Vec<_> = approvals.iter().filter_map(|node| action::approval(node, reader)).collect();
    let starts: Vec<_> = starts.iter().filter_map(|node| action::start(node, reader)).collect();
    reader.starts = starts.iter().map(|start| start.it.id.clone()).collect();
    reader.approvals = approvals.iter().map(|approval| approval.it.id.clone()).collect();
    let transitions: Vec<_> = transitions.iter().filter_map(|node| transition(node, &mut mentions, reader)).collect();

    let found = &mut *reader.found;
    once(states.iter().map(|state| (state.at, state.it.id.as_str())), "L'état", found);
    once(opinions.iter().map(|one| (one.at, one.it.id.as_str())), "L'avis", found);
    once(webhooks.iter().map(|one| (one.at, one.it.id.as_str())), "L'appel", found);
    once(approvals.iter().map(|one| (one.at, one.it.id.as_str())), "Le visa", found);
    once(starts.iter().map(|one| (one.at, one.it.id.as_str())), "La démarche liée", found);
    once(transitions.iter().map(|one| (one.at, one.it.id.as_str())), "La transition", found);
    known(&mentions, &states, found);
    // What follows judges the whole, which must first be readable.
    if found.len() == errors {
        let circuit = Circuit {
            at: &node.at,
            initial: &initial,
            states: &states,
            transitions: &transitions,
            opinions: &opinions,
            webhooks: &webhooks,
            approvals: &approvals,
            starts: &starts,
        };
        proof::prove(&circuit, found);
    }
    let states = states.into_iter().map(|state| state.it).collect();
    let transitions = transitions.into_iter().map(|transition| transition.it).collect();
    let opinions = opinions.into_iter().map(|opinion| opinion.it).collect();
    let webhooks = webhooks.into_iter().map(|webhook| webhook.it).collect();
    let approvals = approvals.into_iter().map(|approval| approval.it).collect();
    let starts = starts.into_iter().map(|start| start.it).collect();
    Some(Workflow { id, title, initial, states, transitions, opinions, webhooks, approvals, starts })
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
    reader: &mut Reader<'_>,
) -> Option<Placed<'n, Transition>> {
    let mut keys = Keys::new(node, "de la transition", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let label = keys.need_text("label", reader.found);
    let from = keys.need("from", reader.found).map(|node| states_of(node, reader.found)).unwrap_or_default();
    let to = keys.need("to", reader.found).and_then(|node| mention(node, reader.found));
    let who = keys.need("who", reader.found).and_then(|node| keys::word(node, WHO, reader.found));
    let when = reader.condition(&mut keys, "when", "cette transition n'est jamais possible");
    let (after, upon) = keys.take("after").map(|node| after::read(node, reader)).unwrap_or_default();
    let times = keys.take("times").and_then(|node| keys::whole(node, 1, reader.found)).unwrap_or(1);
    let needs = keys.items("needs", reader.found);
    let needs: Vec<_> = needs.iter().filter_map(|node| keys::word(node, NEEDS, reader.found)).collect();
    let approved = keys.take("approved").and_then(|node| action::circuit(node, reader));
    let form = keys.take("form").map(|node| form(node, reader)).unwrap_or_default();
    let does = keys.items("does", reader.found);
    let does: Vec<_> = does.iter().filter_map(|node| action::read(node, reader)).collect();
    let assign = keys.items("assign", reader.found);
    let assign: Vec<_> = assign.iter().filter_map(|node| action::dispatch(node, reader)).collect();
    let moves = keys.items("dispatch", reader.found);
    let moves: Vec<_> = moves.iter().filter_map(|node| action::mover(node, reader)).collect();
    let sets = keys.items("set", reader.found);
    let sets: Vec<_> = sets.iter().filter_map(|node| action::setting(node, reader)).collect();
    let receives = keys.text("receives", reader.found);
    let says = keys.text("says", reader.found);
    keys.finish(reader.found);
    if who == Some(Who::System) && !needs.is_empty() {
        reader.found.push(node.at.finding("Une transition de la plateforme ne peut rien demander (« needs »)."));
    }
    if let Some(message) = letter_misplaced(who, &does) {
        reader.found.push(node.at.finding(message));
    }
    let names = from.iter().map(|mention| mention.state.clone()).collect();
    let target = to.as_ref().map(|mention| mention.state.clone());
    mentions.extend(from);
    mentions.extend(to);
    let (id, to, who) = (id?, target?, who?);
    let it = Transition {
        id,
        label,
        from: names,
        to,
        who,
        when,
        after,
        upon,
        times,
        needs,
        approved,
        form,
        does,
        assign,
        moves,
        sets,
        receives,
        says,
    };
    Some(Placed { at: &node.at, it })
}

/// An agent reads a letter before it leaves, the platform makes one of what needs no reader (`told`), and the usager
/// is told of it once it is there.
fn letter_misplaced(who: Option<Who>, does: &[Action]) -> Option<&'static str> {
    let letters = |action: &&Action| matches!(action, Action::Letter(_));
    let first = does.iter().position(|action| matches!(action, Action::Letter(_)))?;
    let told = does.iter().position(|action| matches!(action, Action::Notify(_)));
    if who == Some(Who::Usager) {
        return Some("Une transition de l'usager ne fait pas de lettre : c'est le service qui lui écrit.");
    }
    if does.iter().filter(letters).count() > 1 {
        return Some("Une transition fait une seule lettre.");
    }
    told.is_some_and(|told| told < first).then_some("« letter » vient avant « notify » : on annonce ce qui existe.")
}

/// Questions to the agent: their ids are those of no other question, since conditions name them.
fn form(node: &Node, reader: &mut Reader<'_>) -> Vec<Field> {
    let nodes = keys::items(node, reader.found);
    let mut seen = BTreeMap::new();
    for node in nodes {
        let Some(id) = node.get("id").filter(|id| id.text().is_some_and(|id| reader.asked(id))) else { continue };
        let message = format!("La question « {} » existe déjà.", id.text().unwrap_or_default());
        let advice = "L'identifiant d'une question de l'agent n'est celui d'aucune autre, ni d'un autre formulaire.";
        reader.found.push(advised(&id.at, message, advice));
    }
    let fields = field::read_all(nodes, reader, &mut seen);
    for field in &fields {
        let wrong = [
            (field.kind.files().is_some(), "un fichier"),
            (field.kind.group().is_some(), "un groupe"),
            (field.verified, "une identité vérifiée"),
        ];
        for (_, what) in wrong.iter().filter(|(wrong, _)| *wrong) {
            let at = seen.get(&field.id).unwrap_or(&node.at);
            let message = format!("Un formulaire d'agent ne demande pas {what} (question « {} »).", field.id);
            reader.found.push(advised(at, message, "Retirez cette question, ou changez son genre."));
        }
    }
    fields
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
