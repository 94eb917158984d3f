//! What only the whole procedure shows.

use std::collections::BTreeSet;

use super::{
    Finding, implied,
    keys::{self, advised},
    node::{Body, Node},
    stuck,
};
use crate::{
    model::{Cost, Field, Identification, Procedure, Silence},
    workflow::{Action, Status, Transition, Who},
};

pub(super) fn check(file: &str, tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    file_name(file, tree, &procedure.id, found);
    silence(tree, procedure, found);
    implied::prove(tree, procedure, found);
    former_ids(tree, procedure, found);
    beneficiary(tree, procedure, found);
    verified(tree, procedure, found);
    opinions(tree, procedure, found);
    webhooks(tree, procedure, found);
    erased(tree, procedure, found);
    carried(tree, procedure, found);
    decided(tree, procedure, found);
    // What follows judges the whole circuit, which must first be right by itself.
    if found.is_empty() {
        stuck::prove(tree, procedure, found);
    }
    if procedure.is_internal() {
        internal(tree, procedure, found);
    } else if let Some(node) = tree.get("reserved-to") {
        let advice = "Retirez la clé, ou écrivez « audience: [agent] ».";
        found.push(advised(&node.at, "« reserved-to » ne se dit que d'une démarche interne.", advice));
    }
}

/// A procedure for agents alone is filed from their own account, for themselves, and is in no page for usagers.
/// Silence never accepts what an agent asks of their administration (CRPA L231-4, 5°).
fn internal(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let mut refuse = |key: &str, wrong: bool, message: &str, advice: &str| {
        if let Some(node) = tree.get(key).filter(|_| wrong) {
            found.push(advised(&node.at, message, advice));
        }
    };
    refuse("theme", true, "Une démarche interne n'a pas de thème.", "Les thèmes rangent ce que voient les usagers.");
    refuse(
        "events",
        !procedure.events.is_empty(),
        "Une démarche interne n'est dans aucune situation de vie.",
        "Retirez la clé.",
    );
    refuse(
        "identification",
        procedure.identification != Identification::Account,
        "Une démarche interne se fait avec le compte de l'agent.",
        "Écrivez « identification: account ».",
    );
    refuse(
        "beneficiary",
        true,
        "Une démarche interne est pour l'agent qui la fait.",
        "Retirez la clé ; demandez autrement pour qui elle est.",
    );
    refuse("cost", procedure.cost != Cost::Free, "Une démarche interne est gratuite.", "Écrivez « cost: free ».");
    let accepts = procedure.legal.as_ref().is_some_and(|legal| legal.silence == Silence::Acceptation);
    let advice = "Code des relations entre le public et l'administration, article L231-4, 5°.";
    refuse("legal", accepts, "Le silence gardé sur la demande d'un agent ne vaut jamais acceptation.", advice);
    if let Some(field) = procedure.fields().find(|field| field.verified) {
        let message =
            format!("La question « {} » demande une identité vérifiée, que le compte d'un agent n'a pas.", field.id);
        found.push(advised(&tree.at, message, "Retirez « verified » ; le nom de l'agent vient de son compte."));
    }
}

/// A verified identity is the filer's own: it needs their account, and is not the beneficiary's.
fn verified(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let mut asked = procedure.fields().filter(|field| field.verified).peekable();
    let at = tree.get("identification").map_or(&tree.at, |node| &node.at);
    if procedure.identification == Identification::Verified && asked.peek().is_none() {
        let message = "La démarche demande une identité vérifiée, et aucune question ne la reçoit.";
        found.push(advised(at, message, "Ajoutez « verified: true » à la question sur l'identité de l'usager."));
    }
    for field in asked {
        if procedure.identification == Identification::None {
            let message =
                format!("La question « {} » est vérifiée, et la démarche ne demande jamais de compte.", field.id);
            found.push(advised(at, message, "Choisissez « optional », « account » ou « verified »."));
        }
        if procedure.beneficiary.as_deref() == Some(field.id.as_str()) {
            let at = tree.get("beneficiary").map_or(&tree.at, |node| &node.at);
            let message = format!("La question « {} » demande l'identité vérifiée de l'usager.", field.id);
            found.push(advised(at, message, "« beneficiary » nomme quelqu'un d'autre que lui."));
        }
    }
}

/// Who is asked for an opinion sees answers and pieces that exist, and no sensitive one: an agent may choose
/// otherwise for one request, a file never does.
fn opinions(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let nodes = tree.get("workflow").and_then(|workflow| workflow.get("opinions")?.list()).unwrap_or_default();
    let fields: Vec<_> = procedure.fields().map(|field| (field.id.as_str(), field.sensitive)).collect();
    let pieces: Vec<_> = procedure.pieces.iter().map(|piece| (piece.id.as_str(), piece.sensitive)).collect();
    for node in nodes {
        shown(node, "shows", "question", &fields, found);
        shown(node, "pieces", "pièce", &pieces, found);
    }
    experts(tree, procedure, found);
}

/// The address of who is asked outside is there when they are: a question of kind `email`, always asked and answered
/// before.
fn experts(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let asked = procedure.workflow.opinions.iter().filter_map(|one| Some((one, one.expert()?.question()?)));
    for (opinion, id) in asked {
        let at = stuck::place(tree, "opinions", &opinion.id);
        let all = || procedure.fields().chain(procedure.workflow.form_fields());
        let Some(field) = all().find(|field| field.id == id) else {
            let emails = all().filter(|field| field.kind.name() == "email").map(|field| field.id.as_str());
            let emails: Vec<&str> = emails.collect();
            let message = format!("L'adresse de l'expert, « {id} », n'est ni une adresse ni une question.");
            found.push(advised(at, message, keys::known_words(id, emails.iter().copied())));
            continue;
        };
        if field.kind.name() != "email" {
            let message = format!("La question « {id} » ne demande pas d'adresse électronique.");
            found.push(advised(at, message, "Prenez une question de genre « email »."));
        }
        let asking = |one: &&Transition| one.does.contains(&Action::Opinion(opinion.id.clone()));
        let given = |one: &Transition| one.form.iter().any(|given| given.id == id && stuck::wanted(given));
        let missing =
            |one: &Transition| !given(one) && one.from.iter().any(|from| stuck::blank(procedure, from).contains(id));
        if procedure.workflow.transitions.iter().filter(asking).any(missing) {
            let message = format!(
                "L'avis « {} » peut être demandé sans que l'adresse de l'expert soit connue (« {id} »).",
                opinion.id
            );
            let advice = "La question est obligatoire, toujours posée, et répondue avant : par l'usager, ou dans le formulaire de l'agent qui demande l'avis.";
            found.push(advised(at, message, advice));
        }
    }
}

/// An application is told answers that exist, sensitive ones by their own list, and gives what agents are asked.
fn webhooks(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let nodes = tree.get("workflow").and_then(|workflow| workflow.get("webhooks")?.list()).unwrap_or_default();
    let told: Vec<&Field> = procedure.fields().chain(procedure.workflow.form_fields()).collect();
    let given: Vec<&Field> = procedure.workflow.form_fields().collect();
    for node in nodes {
        let mut each = |key: &str, known: &[&Field], wrong: &dyn Fn(&Field) -> Option<(&'static str, &'static str)>| {
            for item in node.get(key).and_then(Node::list).unwrap_or_default() {
                let Some(id) = item.text() else { continue };
                let Some(field) = known.iter().find(|field| field.id == id) else {
                    let advice = keys::known_words(id, known.iter().map(|field| field.id.as_str()));
                    found.push(advised(&item.at, format!("Aucune question ne s'appelle ici « {id} »."), advice));
                    continue;
                };
                if let Some((what, advice)) = wrong(field) {
                    found.push(advised(&item.at, format!("La question « {id} » {what}"), advice));
                }
            }
        };
        let files = |field: &Field| {
            (field.kind.files().is_some() || field.kind.silent()).then_some((
                "n'a pas de réponse à envoyer.",
                "Retirez-la : un appel n'envoie ni fichier ni explication.",
            ))
        };
        each("sends", &told, &|field| {
            let advice = "Nommez-la sous « sensitive » s'il faut vraiment l'envoyer, sinon retirez-la.";
            files(field).or_else(|| sensitive(field).then_some(("est sensible.", advice)))
        });
        each("sensitive", &told, &|field| {
            files(field).or_else(|| (!sensitive(field)).then_some(("n'est pas sensible.", "Nommez-la sous « sends ».")))
        });
        each("gives", &given, &|field| field.kind.silent().then_some(("ne reçoit pas de réponse.", "Retirez-la.")));
    }
}

/// Itself, or a question of its rows.
fn sensitive(field: &Field) -> bool {
    field.sensitive || field.kind.group().is_some_and(|group| group.fields.iter().any(sensitive))
}

/// What is erased exists: a question, of the usager or of agents, or a piece.
fn erased(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let fields = procedure.fields().chain(procedure.workflow.form_fields()).map(|field| field.id.as_str());
    let known: Vec<&str> = fields.chain(procedure.pieces.iter().map(|piece| piece.id.as_str())).collect();
    let transitions = tree.get("workflow").and_then(|workflow| workflow.get("transitions")?.list()).unwrap_or_default();
    for item in transitions.iter().filter_map(|one| one.get("does")?.list()).flatten() {
        let name = item.text().and_then(|text| text.strip_prefix("erase ")).map(str::trim);
        if let Some(name) = name.filter(|name| !known.contains(name)) {
            let message = format!("Aucune question ni aucune pièce ne s'appelle « {name} ».");
            found.push(advised(&item.inside("erase ".len()), message, keys::known_words(name, known.iter().copied())));
        }
    }
}

/// What a linked request carries over is an answer of its usager, or one of an agent that is not sensitive. What the
/// other procedure asks is judged with it, by [`linked::check`](crate::linked::check).
fn carried(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let own = procedure.fields();
    let given = procedure.workflow.form_fields().filter(|field| !field.sensitive);
    let plain = |field: &&Field| field.kind.files().is_none() && field.kind.group().is_none() && !field.kind.silent();
    let known: Vec<&str> = own.chain(given).filter(plain).map(|field| field.id.as_str()).collect();
    let nodes = tree.get("workflow").and_then(|workflow| workflow.get("starts")?.list()).unwrap_or_default();
    let maps = nodes.iter().filter_map(|node| match &node.get("with")?.body {
        Body::Map(entries) => Some(entries),
        _ => None,
    });
    for (source, at) in maps.flatten().filter_map(|entry| Some((entry.value.text()?, &entry.value.at))) {
        if !known.contains(&source) {
            let message = format!("« {source} » n'est pas une réponse qui puisse être reprise.");
            found.push(advised(at, message, keys::known_words(source, known.iter().copied())));
        }
    }
}

/// Where accepting is a decision, whoever accepts signs one: their name, quality and service are kept (CRPA L212-1).
/// What refuses has its own proof.
fn decided(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    if !procedure.decides() {
        return;
    }
    let workflow = &procedure.workflow;
    let settled = |id: &String| {
        let status = workflow.state(id).map(|state| state.status);
        matches!(status, Some(Status::Accepted | Status::Refused | Status::Ended))
    };
    for one in workflow.transitions.iter().filter(|one| matches!(one.who, Who::Process | Who::Decide)) {
        let accepts = workflow.state(&one.to).is_some_and(|state| state.status == Status::Accepted);
        if accepts && one.decides().is_none() && !one.from.iter().all(settled) {
            let message =
                format!("La transition « {} » accepte la demande sans que personne signe la décision.", one.id);
            let advice =
                "Ajoutez « needs: [decision] », ou « decisions: false » à la démarche si ce n'est pas une décision.";
            found.push(advised(stuck::place(tree, "transitions", &one.id), message, advice));
        }
    }
}

/// The ids under `key` are among the `known` ones, which say whether they are sensitive.
fn shown(node: &Node, key: &str, what: &str, known: &[(&str, bool)], found: &mut Vec<Finding>) {
    for item in node.get(key).and_then(Node::list).unwrap_or_default() {
        let Some(id) = item.text() else { continue };
        match known.iter().find(|(known, _)| *known == id) {
            Some((_, false)) => {}
            Some((_, true)) => {
                let message = format!("La {what} « {id} » est sensible : un avis ne la montre pas.");
                found.push(advised(
                    &item.at,
                    message,
                    "Retirez-la de l'avis ; un agent la montre lui-même s'il le faut.",
                ));
            }
            None => {
                let advice = keys::known_words(id, known.iter().map(|(known, _)| *known));
                found.push(advised(&item.at, format!("Aucune {what} ne s'appelle « {id} »."), advice));
            }
        }
    }
}

/// `procedures/acte-naissance.yaml` holds `acte-naissance`.
fn file_name(file: &str, tree: &Node, id: &str, found: &mut Vec<Finding>) {
    let name = file.rsplit('/').next().unwrap_or_default();
    if let Some(stem) = name.strip_suffix(".yaml")
        && stem != id
        && !id.is_empty()
    {
        let at = tree.get("id").map_or(&tree.at, |node| &node.at);
        let message = format!("La démarche « {id} » est dans un fichier d'un autre nom.");
        found.push(advised(at, message, format!("Nommez le fichier {id}.yaml, ou la démarche « {stem} ».")));
    }
}

/// « Silence vaut acceptation » counts from the day the file is complete: somebody must say so.
fn silence(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let accepts = procedure.legal.as_ref().is_some_and(|legal| legal.silence == Silence::Acceptation);
    let completes =
        procedure.workflow.transitions.iter().any(|transition| transition.does.contains(&Action::MarkComplete));
    if accepts && !completes {
        let at = tree.get("legal").map_or(&tree.at, |node| &node.at);
        let message = "Le délai du silence n'a pas de départ : aucune transition du circuit ne fait « mark-complete ».";
        found.push(advised(at, message, "Il court dès que le dossier est complet ; prenez le circuit « standard »."));
    }
}

/// Who the request is for is a person, named by a question of the procedure itself: one name, which
/// lists and headings may show.
fn beneficiary(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let Some((id, node)) = procedure.beneficiary.as_deref().zip(tree.get("beneficiary")) else { return };
    let people = procedure.fields().filter(|field| field.kind.person().is_some() && !field.sensitive);
    let people: Vec<&str> = people.map(|field| field.id.as_str()).collect();
    let near = || keys::known_words(id, people.iter().copied());
    let in_rows = |field: &Field| field.kind.group().is_some_and(|group| group.fields.iter().any(|row| row.id == id));
    let (message, advice) = match procedure.fields().find(|field| field.id == id) {
        Some(field) if field.sensitive => (
            format!("La question « {id} » est sensible : elle ne peut pas dire pour qui est la demande."),
            "Ce nom est montré dans les listes ; retirez « sensitive », ou « beneficiary ».".to_owned(),
        ),
        Some(field) if field.kind.person().is_some() => return,
        Some(_) => (format!("La question « {id} » ne demande pas le nom d'une personne (genre « identity »)."), near()),
        None if procedure.fields().any(in_rows) => (
            format!("La question « {id} » est dans un groupe : elle peut nommer plusieurs personnes."),
            "« beneficiary » nomme une question posée une seule fois.".to_owned(),
        ),
        None => (format!("Aucune question ne s'appelle « {id} »."), near()),
    };
    found.push(advised(&node.at, message, advice));
}

/// A former id is not the id of another question, and is claimed once.
fn former_ids(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let fields = procedure.pages.iter().flat_map(|page| &page.fields);
    let nodes = tree.get("pages").and_then(Node::list).unwrap_or_default();
    let nodes = nodes.iter().filter_map(|page| page.get("fields")?.list()).flatten();
    former_ids_of(fields.clone(), nodes.clone(), found);
    for (field, node) in
        fields.filter(|field| field.kind.group().is_some()).zip(nodes.filter(|node| node.get("fields").is_some()))
    {
        let rows = field.kind.group().map(|group| group.fields.iter()).unwrap_or_default();
        let nodes = node.get("fields").and_then(Node::list).unwrap_or_default();
        former_ids_of(rows, nodes.iter(), found);
    }
}

fn former_ids_of<'m, 'n>(
    fields: impl Iterator<Item = &'m Field> + Clone,
    nodes: impl Iterator<Item = &'n Node>,
    found: &mut Vec<Finding>,
) {
    let ids: BTreeSet<_> = fields.map(|field| field.id.as_str()).collect();
    let mut claimed = BTreeSet::new();
    for node in nodes {
        let Some((node, was)) = node.get("was").and_then(|node| Some((node, node.text()?))) else { continue };
        if ids.contains(was) {
            let message = format!("« was: {was} » nomme une question qui existe encore.");
            found.push(advised(&node.at, message, "« was » dit l'ancien identifiant d'une question renommée."));
        } else if !claimed.insert(was) {
            found.push(node.at.finding(format!("Deux questions disent avoir eu l'identifiant « {was} ».")));
        }
    }
}
