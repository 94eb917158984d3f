//! What usagers are owed by a circuit: they hear of what becomes of their request, and of a decision from who signs it.

use super::{Finding, keys::advised, proof::Circuit, workflow::Placed};
use crate::workflow::{Action, Need, Status, Transition, Who};

pub(super) fn prove(circuit: &Circuit<'_, '_>, found: &mut Vec<Finding>) {
    for one in circuit.transitions {
        heard(circuit, one, found);
        signed(circuit, one, found);
    }
}

/// Whether a decision, or an end, is there: what comes after is told by nobody's duty.
fn settled(circuit: &Circuit<'_, '_>, state: &str) -> bool {
    circuit.is_end(state) || decided(circuit, state)
}

fn decided(circuit: &Circuit<'_, '_>, state: &str) -> bool {
    matches!(circuit.status(state), Some(Status::Accepted | Status::Refused))
}

/// Whoever settles a request, sending it straight to its end included, says so to its usager; who cancels their own
/// knows.
fn heard(circuit: &Circuit<'_, '_>, Placed { at, it }: &Placed<'_, Transition>, found: &mut Vec<Finding>) {
    let settles = it.from.iter().any(|from| !settled(circuit, from)) && settled(circuit, &it.to);
    let sends = it.from.iter().any(|from| from == circuit.initial);
    if !settles || (it.who == Who::Usager && !sends) {
        return;
    }
    let writes = it.says.is_some() || it.needs.contains(&Need::Message);
    if !writes && !it.does.iter().any(|does| matches!(does, Action::Notify(_) | Action::Letter(_))) {
        let message = format!("La transition « {} » règle la demande sans que l'usager l'apprenne.", it.id);
        let advice = "Ajoutez « notify … » ou « letter … » à « does », « needs: [message] », ou « says » si la plateforme la fait.";
        found.push(advised(at, message, advice));
    }
}

/// A letter that no agent reads before may remind or acknowledge; it decides nothing, but what the law itself decides
/// when its delay is over (CRPA L231-1, L231-4), which nobody signs.
fn signed(circuit: &Circuit<'_, '_>, Placed { at, it }: &Placed<'_, Transition>, found: &mut Vec<Finding>) {
    let decides = decided(circuit, &it.to) && it.from.iter().any(|from| !decided(circuit, from));
    if it.who == Who::System && it.letter().is_some() && decides && !it.implied() {
        let message = format!("La lettre de « {} » est une décision que personne ne signe.", it.id);
        let advice = "Une décision est signée (CRPA, article L. 212-1) : confiez cette transition à un agent (« who: decide »), ou retirez la lettre. Seule celle que prend la loi, « after: legal », n'a pas de signature.";
        found.push(advised(at, message, advice));
    }
}
