//! What circuits of approvals must satisfy: somebody opens each, what it approves waits for it, and whatever its
//! approvers do, the request goes on.

use super::{Finding, keys::advised, proof::Circuit, workflow::Placed};
use crate::workflow::{Approval, Need, Origin, Transition, Who};

pub(super) fn prove(circuit: &Circuit<'_, '_>, found: &mut Vec<Finding>) {
    for approval in circuit.approvals {
        opened(circuit, approval, found);
        awaited(circuit, approval, found);
    }
    for one in circuit.transitions {
        waits(one, found);
        hears(circuit, one, found);
    }
}

fn agent(transition: &Transition) -> bool {
    matches!(transition.who, Who::Process | Who::Decide)
}

fn after(transition: &Transition, origin: Origin) -> bool {
    transition.after.is_some_and(|after| after.origin == origin)
}

/// By agents, of a request that goes on: from where it leads, somebody takes the request back, and a refusal does.
fn opened(circuit: &Circuit<'_, '_>, approval: &Placed<'_, Approval>, found: &mut Vec<Finding>) {
    let id = &approval.it.id;
    let mut opening = circuit.transitions.iter().filter(|one| one.it.opens() == Some(id)).peekable();
    if opening.peek().is_none() {
        let message = format!("Aucune transition n'ouvre le visa « {id} ».");
        found.push(advised(approval.at, message, format!("Ajoutez « approval {id} » au « does » de l'une d'elles.")));
    }
    for Placed { at, it } in opening {
        let name = &it.id;
        let mut say = |wrong: bool, message: String, advice: &str| {
            if wrong {
                found.push(advised(at, message, advice));
            }
        };
        say(
            !agent(it),
            format!("La transition « {name} » ouvre un visa sans agent qui le demande."),
            "« approval » va à une transition d'un agent (« who: process » ou « decide »).",
        );
        say(
            circuit.is_end(&it.to),
            format!("La transition « {name} » ouvre un visa et termine la demande."),
            "Ouvrez-le avant : personne ne l'attendrait plus.",
        );
        say(
            circuit.states.iter().any(|one| one.it.id == it.to && one.it.open_to_usager),
            format!("La transition « {name} » ouvre un visa là où l'usager change encore sa demande."),
            "Menez-la vers un état sans « open » : on ne vise pas ce qui change.",
        );
        say(
            it.letter().is_some() || it.decides().is_some(),
            format!("La transition « {name} » décide ou fait une lettre avant le visa qu'elle ouvre."),
            "Décidez par la transition qui attend le visa (« approved »).",
        );
        let leaving = || {
            let from = circuit.transitions.iter().map(|one| &one.it);
            from.filter(|one| one.from.contains(&it.to) && one.to != it.to)
        };
        say(
            !leaving().any(|one| after(one, Origin::Declined)),
            format!("Rien ne ramène la demande de « {} » quand un visa est refusé.", it.to),
            "Ajoutez une transition de la plateforme qui en part, avec « after: declined ».",
        );
        say(
            !leaving().any(|one| agent(one) && one.approved.is_none()),
            format!("Personne ne peut reprendre la demande de « {} » avant que tous aient visé.", it.to),
            "Ajoutez une transition d'un agent qui en part, sans « approved ».",
        );
    }
}

/// Something waits for it; of its letters, one is read by those who approve.
fn awaited(circuit: &Circuit<'_, '_>, approval: &Placed<'_, Approval>, found: &mut Vec<Finding>) {
    let id = &approval.it.id;
    let waiting = || circuit.transitions.iter().filter(|one| one.it.approved.as_ref() == Some(id));
    if waiting().next().is_none() {
        let message = format!("Aucune transition n'attend le visa « {id} ».");
        found.push(advised(approval.at, message, format!("Ajoutez « approved: {id} » à ce qu'il autorise.")));
    }
    if waiting().filter(|one| one.it.letter().is_some()).count() > 1 {
        let message = format!("Plusieurs lettres attendent le visa « {id} ».");
        found.push(advised(approval.at, message, "On vise une seule lettre : déclarez un visa pour chacune."));
    }
}

/// What waits is an agent's, and says nothing that nobody approved.
fn waits(one: &Placed<'_, Transition>, found: &mut Vec<Finding>) {
    let Placed { at, it } = one;
    if it.approved.is_none() {
        return;
    }
    let name = &it.id;
    for (wrong, message, advice) in [
        (
            !agent(it),
            format!("« approved » ne va qu'à une transition d'un agent (« {name} »)."),
            "La plateforme attend par « after: approved ».",
        ),
        (
            !it.form.is_empty() || !it.sets.is_empty(),
            format!("La transition « {name} » change des réponses qui sont déjà visées."),
            "Posez ces questions dans la transition qui ouvre le visa.",
        ),
        (
            it.needs.contains(&Need::Refusal),
            format!("La transition « {name} » donne des motifs que personne n'a visés."),
            "Un refus s'écrit au moment de décider : retirez « approved ».",
        ),
        (
            it.opens().is_some(),
            format!("La transition « {name} » attend un visa et en ouvre un."),
            "Séparez-les en deux transitions.",
        ),
    ] {
        if wrong {
            found.push(advised(at, message, advice));
        }
    }
}

/// What waits for an outcome leaves from where a circuit runs, or ran.
fn hears(circuit: &Circuit<'_, '_>, one: &Placed<'_, Transition>, found: &mut Vec<Finding>) {
    let Placed { at, it } = one;
    if !after(it, Origin::Approved) && !after(it, Origin::Declined) {
        return;
    }
    let runs = |from: &String| circuit.transitions.iter().any(|one| one.it.opens().is_some() && one.it.to == *from);
    if !it.from.iter().all(runs) {
        let message = format!("La transition « {} » attend un visa que rien n'ouvre là.", it.id);
        found.push(advised(at, message, "Faites-la partir de l'état où mène « approval »."));
    }
}
