//! What transitions do (`release`, `notify piece-demandee`), and what a workflow declares for them by name.

use super::{
    keys::{self, Keys, advised},
    node::{Body, Node},
    scope::Reader,
    workflow::Placed,
};
use crate::{
    expr::{Env, Type, Value},
    workflow::{
        Action, Approval, Asked, Assignee, Dispatch, Expert, Move, Opinion, Setting, Start, Visa, Webhook, Who,
    },
};

const ACTIONS: &[(&str, Action)] = &[
    ("receipt", Action::Receipt),
    ("take-charge", Action::TakeCharge),
    ("release", Action::Release),
    ("mark-complete", Action::MarkComplete),
];

/// Where a rule that gives requests to departments leaves one.
const STAY: &str = "stay";

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
    if let Some(("webhook", name)) = text.split_once(' ') {
        return called(&Node::of_text(node.inside("webhook ".len()), name.trim()), reader).map(Action::Webhook);
    }
    if let Some(("approval", name)) = text.split_once(' ') {
        return circuit(&Node::of_text(node.inside("approval ".len()), name.trim()), reader).map(Action::Approval);
    }
    if let Some(("start", name)) = text.split_once(' ') {
        return started(&Node::of_text(node.inside("start ".len()), name.trim()), reader);
    }
    if let Some(("erase", name)) = text.split_once(' ') {
        return keys::text(&Node::of_text(node.inside("erase ".len()), name.trim()), reader.found).map(Action::Erase);
    }
    let known = ACTIONS.iter().map(|(name, _)| *name).chain([
        "notify …",
        "letter …",
        "opinion …",
        "approval …",
        "start …",
        "webhook …",
        "erase …",
    ]);
    let advice = match text.as_str() {
        "notify" => "Dites avec quel message : « notify recue ».".to_owned(),
        "letter" => "Dites avec quel modèle : « letter accord ».".to_owned(),
        "opinion" => "Dites lequel : « opinion voirie », déclaré sous « opinions » du circuit.".to_owned(),
        "webhook" => "Dites lequel : « webhook urbanisme », déclaré sous « webhooks » du circuit.".to_owned(),
        "approval" => "Dites lequel : « approval arrete », déclaré sous « approvals » du circuit.".to_owned(),
        "start" => "Dites laquelle : « start cantine », déclarée sous « starts » du circuit.".to_owned(),
        "erase" => "Dites quoi : « erase rib », une réponse ou une pièce.".to_owned(),
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

/// An application that is called is declared by the workflow.
pub(super) fn called(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let name = keys::id(node, reader.found)?;
    if !reader.webhooks.contains(&name) {
        let advice = keys::known_words(&name, reader.webhooks.iter().map(String::as_str));
        let message = format!("Le circuit ne déclare pas d'appel « {name} » (« webhooks »).");
        reader.found.push(advised(&node.at, message, advice));
    }
    Some(name)
}

/// What another application is told, and what its answer may give.
pub(super) fn webhook<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<Placed<'n, Webhook>> {
    let mut keys = Keys::new(node, "de l'appel", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let label = keys.need_text("label", reader.found);
    let sends = keys.texts("sends", reader.found);
    let sensitive = keys.texts("sensitive", reader.found);
    let gives = keys.texts("gives", reader.found);
    keys.finish(reader.found);
    Some(Placed { at: &node.at, it: Webhook { id: id?, label, sends, sensitive, gives } })
}

/// A circuit of approvals is declared by its workflow.
pub(super) fn circuit(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let name = keys::id(node, reader.found)?;
    if !reader.approvals.contains(&name) {
        let advice = keys::known_words(&name, reader.approvals.iter().map(String::as_str));
        let message = format!("Le circuit ne déclare pas de visa « {name} » (« approvals »).");
        reader.found.push(advised(&node.at, message, advice));
    }
    Some(name)
}

/// A linked request is declared by its workflow.
fn started(node: &Node, reader: &mut Reader<'_>) -> Option<Action> {
    let name = keys::id(node, reader.found)?;
    if !reader.starts.contains(&name) {
        let advice = keys::known_words(&name, reader.starts.iter().map(String::as_str));
        let message = format!("Le circuit ne déclare pas de démarche liée « {name} » (« starts »).");
        reader.found.push(advised(&node.at, message, advice));
    }
    Some(Action::Start(name))
}

/// Another procedure that the usager may go on with.
pub(super) fn start<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<Placed<'n, Start>> {
    let mut keys = Keys::new(node, "de la démarche liée", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let procedure = keys.need("procedure", reader.found).and_then(|node| keys::id(node, reader.found));
    let title = keys.need_text("title", reader.found);
    let with = keys.need("with", reader.found);
    keys.finish(reader.found);
    let mut carried = Vec::new();
    match with.map(|with| (with, &with.body)) {
        Some((_, Body::Map(entries))) => {
            for entry in entries {
                carried.extend(keys::text(&entry.value, reader.found).map(|source| (entry.key.clone(), source)));
            }
        }
        Some((with, _)) => {
            let advice = "« with: {nom_de_l_autre: nom_d_ici} ».";
            reader.found.push(advised(&with.at, "Les réponses reprises sont attendues ici.".to_owned(), advice));
        }
        None => {}
    }
    let it = Start { id: id?, procedure: procedure?, title, with: carried };
    Some(Placed { at: &node.at, it })
}

/// Who approves what is about to be decided.
pub(super) fn approval<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<Placed<'n, Approval>> {
    let mut keys = Keys::new(node, "du visa", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let title = keys.need_text("title", reader.found);
    let delay = keys.need("delay", reader.found).and_then(|node| keys::delay(node, reader.found));
    let together = keys.flag("together", reader.found);
    let asker_too = keys.flag("asker-too", reader.found);
    let steps = keys.need("steps", reader.found);
    keys.finish(reader.found);
    let nodes = steps.map(|node| keys::items(node, reader.found)).unwrap_or_default();
    if let Some(steps) = steps.filter(|steps| steps.list().is_some_and(<[Node]>::is_empty)) {
        reader.found.push(advised(&steps.at, "Ce visa n'a aucune étape.", "Dites au moins qui vise."));
    }
    let steps = nodes.iter().filter_map(|node| visa(node, reader)).collect();
    let it = Approval { id: id?, title, delay: delay?, together, asker_too, steps };
    Some(Placed { at: &node.at, it })
}

/// `{title: Direction de l'urbanisme, department: urbanisme, who: decide}`.
fn visa(node: &Node, reader: &mut Reader<'_>) -> Option<Visa> {
    let mut keys = Keys::new(node, "de l'étape du visa", reader.found)?;
    let title = keys.need_text("title", reader.found);
    let department = keys.take("department").and_then(|node| keys::id(node, reader.found));
    let who = keys.need("who", reader.found);
    let who =
        who.and_then(|node| keys::word(node, &[("process", Who::Process), ("decide", Who::Decide)], reader.found));
    keys.finish(reader.found);
    Some(Visa { title, department, who: who? })
}

/// What another department, or somebody outside, is asked and shown.
pub(super) fn opinion<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<Placed<'n, Opinion>> {
    let mut keys = Keys::new(node, "de l'avis", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| keys::id(node, reader.found));
    let department = keys.take("department").and_then(|node| keys::id(node, reader.found));
    let expert = keys.take("expert").and_then(|node| expert(node, reader));
    let question = keys.need_text("question", reader.found);
    let delay = keys.need("delay", reader.found).and_then(|node| keys::delay(node, reader.found));
    let shows = keys.texts("shows", reader.found);
    let pieces = keys.texts("pieces", reader.found);
    keys.finish(reader.found);
    let of = match (department, expert) {
        (Some(id), None) => Asked::Department(id),
        (None, Some(expert)) => Asked::Expert(expert),
        // What is written there is wrong, which was said.
        (None, None) if node.get("expert").is_some() || node.get("department").is_some() => return None,
        (both, _) => {
            let message = if both.is_some() {
                "Cet avis est demandé à deux personnes."
            } else {
                "Rien ne dit à qui cet avis est demandé."
            };
            let advice = "« department: voirie », ou « expert: {name: Architecte des bâtiments de France, email: avis@abf.example} ».";
            reader.found.push(advised(&node.at, message, advice));
            return None;
        }
    };
    let it = Opinion { id: id?, of, question, delay: delay?, shows, pieces };
    Some(Placed { at: &node.at, it })
}

/// `{name: Architecte des bâtiments de France, email: avis@abf.example}`; an id is that of a question.
fn expert(node: &Node, reader: &mut Reader<'_>) -> Option<Expert> {
    let mut keys = Keys::new(node, "de l'expert", reader.found)?;
    let name = keys.need_text("name", reader.found);
    let place = keys.need("email", reader.found);
    keys.finish(reader.found);
    let place = place?;
    let email = keys::text(place, reader.found)?;
    let address = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if email.contains(char::is_whitespace) || (email.contains('@') && !address) {
        let message = format!("« {email} » n'est ni une adresse électronique, ni une question.");
        let advice = "Écrivez « avis@abf.example », ou l'identifiant d'une question de genre « email ».";
        reader.found.push(advised(&place.at, message, advice));
        return None;
    }
    Some(Expert { name, email })
}

/// `{when: quartier == "nord", to: turn}`.
pub(super) fn dispatch(node: &Node, reader: &mut Reader<'_>) -> Option<Dispatch> {
    let mut keys = Keys::new(node, "de la règle d'affectation", reader.found)?;
    let when = reader.condition(&mut keys, "when", "cette règle n'affecte jamais rien");
    let to = keys.need("to", reader.found);
    keys.finish(reader.found);
    let to = to?;
    let to = match keys::text(to, reader.found)?.as_str() {
        "turn" => Assignee::Turn,
        "nobody" => Assignee::Nobody,
        agent if agent.contains('@') && !agent.contains(char::is_whitespace) => Assignee::Agent(agent.to_lowercase()),
        other => {
            let message = format!("« {other} » ne dit pas à qui affecter la demande.");
            let advice = "« turn » : à tour de rôle ; « nobody » : à personne ; ou l'adresse avec laquelle un agent se connecte.";
            reader.found.push(advised(&to.at, message, advice));
            return None;
        }
    };
    Some(Dispatch { when, to })
}

/// `{when: quartier == "nord", to: voirie}`.
pub(super) fn mover(node: &Node, reader: &mut Reader<'_>) -> Option<Move> {
    let mut keys = Keys::new(node, "de la règle d'orientation", reader.found)?;
    let when = reader.condition(&mut keys, "when", "cette règle n'oriente jamais rien");
    let to = keys.need("to", reader.found).and_then(|node| keys::id(node, reader.found));
    keys.finish(reader.found);
    Some(Move { when, to: Some(to?).filter(|to| to != STAY) })
}

/// `{field: montant, value: surface * 2}`.
pub(super) fn setting(node: &Node, reader: &mut Reader<'_>) -> Option<Setting> {
    let mut keys = Keys::new(node, "de la valeur à fixer", reader.found)?;
    let field = keys.need("field", reader.found);
    let value = keys.need("value", reader.found);
    keys.finish(reader.found);
    let (field, place) = (field?, value?);
    let id = keys::name(field, reader.found)?;
    let known = reader.scope.names.get(&id).filter(|_| !reader.ahead.contains(&id)).cloned();
    let (wanted, options) = match known {
        None => {
            let own: Vec<String> =
                reader.scope.names.keys().filter(|name| !reader.ahead.contains(*name)).cloned().collect();
            let message = format!("Aucun formulaire d'agent, avant cet endroit, n'a de question « {id} ».");
            reader.found.push(advised(&field.at, message, keys::known_words(&id, own.iter().map(String::as_str))));
            return None;
        }
        Some(Type::Choice(options)) => (Type::Text, options),
        Some(kind @ (Type::Bool | Type::Text | Type::Number | Type::Date)) => (kind, Vec::new()),
        Some(_) => {
            let message = format!("La question « {id} » n'est pas d'un genre qui se fixe ainsi.");
            let advice = "Texte, nombre, montant, date, oui ou non, choix.";
            reader.found.push(advised(&field.at, message, advice));
            return None;
        }
    };
    let value = reader.expr(place, Some(&wanted))?;
    let nothing = std::collections::BTreeMap::new();
    let constant = value.eval(&Env { today: jiff::civil::Date::MIN, names: &nothing, row: None });
    if let Some(Value::Text(text)) = constant
        && !options.is_empty()
        && !options.contains(&text)
    {
        let advice = keys::known_words(&text, options.iter().map(String::as_str));
        reader.found.push(advised(&place.at, format!("« {text} » n'est pas une réponse à « {id} »."), advice));
    }
    Some(Setting { field: id, value })
}
