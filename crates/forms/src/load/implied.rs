//! What silence decides: as the law says of this procedure, and with the attestation that is owed of an acceptance.

use super::{Finding, keys::advised, node::Node, stuck};
use crate::{
    model::{Procedure, Silence},
    workflow::{Transition, Who},
};

pub(super) fn prove(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let silence = procedure.legal.as_ref().map(|legal| legal.silence);
    let implied = |one: &&Transition| one.implied();
    for one in procedure.workflow.transitions.iter().filter(implied) {
        let (means, wanted) = match procedure.implied(&one.id) {
            Some(true) => ("acceptation", Silence::Acceptation),
            Some(false) => ("rejet", Silence::Rejet),
            None => continue,
        };
        if silence != Some(wanted) {
            let message = format!("La transition « {} » dit que le silence vaut {means}, et la démarche non.", one.id);
            let advice = format!("Le sens du silence s'écrit sous « legal » : « silence: {means} ».");
            found.push(advised(stuck::place(tree, "transitions", &one.id), message, advice));
        }
    }
    attested(tree, procedure, found);
}

/// « La décision implicite d'acceptation fait l'objet, à la demande de l'intéressé, d'une attestation » (CRPA L232-3).
fn attested(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let transitions = &procedure.workflow.transitions;
    let accepts = transitions.iter().find(|one| procedure.implied(&one.id) == Some(true));
    let Some(legal) = &procedure.legal else { return };
    let at = tree.get("legal").map_or(&tree.at, |node| &node.at);
    match (&legal.attestation, accepts) {
        (None, Some(accepts)) => {
            let message = format!("« {} » accepte par silence, et rien n'en délivre l'attestation.", accepts.id);
            let advice = "Ajoutez « attestation: {letter: attestation-acceptation} » sous « legal » : elle est due à qui la demande (CRPA, article L. 232-3).";
            found.push(advised(at, message, advice));
        }
        (Some(_), None) => {
            let message = "L'attestation est celle d'une acceptation par silence, que le circuit ne constate jamais.";
            let advice = "Ajoutez une transition « who: system » avec « after: legal », vers un état qui a « status: accepted ».";
            found.push(advised(at, message, advice));
        }
        (Some(attestation), Some(_)) if !attestation.automatic => {
            let makes = |one: &Transition| {
                matches!(one.who, Who::Process | Who::Decide) && one.letter() == Some(attestation.letter.as_str())
            };
            if !transitions.iter().any(makes) {
                let message = format!(
                    "Personne ne délivre l'attestation : aucune transition d'un agent ne fait la lettre « {} ».",
                    attestation.letter
                );
                let advice = format!(
                    "Ajoutez « letter {} » au « does » de l'une d'elles, ou « automatic: true ».",
                    attestation.letter
                );
                found.push(advised(at, message, advice));
            }
        }
        _ => {}
    }
}
