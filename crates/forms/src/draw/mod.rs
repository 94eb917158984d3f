//! A workflow drawn for who reads it: an SVG picture, and a page that says the same as tables.

mod layout;
mod svg;
mod tables;

#[cfg(test)]
mod tests;

use crate::{
    model::Procedure,
    workflow::{After, Origin, Transition, Upon, Who, Workflow},
};

pub use svg::svg;
pub use tables::page;

/// Who fires a transition, in French words.
fn who(transition: &Transition) -> &'static str {
    match transition.who {
        Who::Usager => "L’usager",
        Who::Process => "Un agent qui instruit ou qui décide",
        Who::Decide => "Un agent qui décide",
        Who::System => "La plateforme, seule",
    }
}

/// When it is possible, or when the platform does it; empty when always.
fn when(procedure: &Procedure, transition: &Transition) -> String {
    let moment = match (transition.after, &transition.upon, transition.who) {
        (Some(after), ..) => Some(moment(after, transition.times)),
        (None, Some(upon), _) => Some(answer(&procedure.workflow, upon)),
        (None, None, Who::System) => Some("À la fin de la durée d’utilité courante".to_owned()),
        (None, None, _) => None,
    };
    let condition = transition.when.as_ref().map(|when| format!("si {}", procedure.says(when)));
    let approval = transition.approved.as_deref();
    let title = |id| procedure.workflow.approval(id).map_or(id, |circuit| circuit.title.as_str());
    let approval = approval.map(|id| format!("une fois visé « {} »", title(id)));
    [moment, condition, approval].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn answer(workflow: &Workflow, upon: &Upon) -> String {
    let name = called(workflow, &upon.webhook);
    match &upon.outcome {
        Some(outcome) => format!("Dès que « {name} » répond « {outcome} »"),
        None => format!("Quand « {name} » n’a pas pu être appelé"),
    }
}

/// The application's name for agents.
fn called<'w>(workflow: &'w Workflow, id: &'w str) -> &'w str {
    workflow.webhook(id).map_or(id, |webhook| webhook.label.as_str())
}

fn moment(after: After, times: u32) -> String {
    let origin = match after.origin {
        Origin::Entry => "l’entrée dans l’état",
        Origin::Sent => "l’envoi de la demande",
        Origin::Complete => "le dossier complet",
        Origin::Due => "la date de réponse attendue",
        Origin::Legal => "la fin du délai légal",
        Origin::Until => "le dernier jour donné pour compléter",
        Origin::Opinions => "le dernier avis rendu",
        Origin::Approved => "le dernier visa",
        Origin::Declined => "le refus d’un visa",
    };
    let said = match after.delay {
        None if after.origin == Origin::Entry => "Aussitôt".to_owned(),
        None if after.origin == Origin::Opinions => "Dès que tous les avis demandés sont rendus".to_owned(),
        None if after.origin == Origin::Approved => "Dès que tous ont visé".to_owned(),
        None if after.origin == Origin::Declined => {
            "Dès qu’un visa est refusé, ou que ce qui est à viser a changé".to_owned()
        }
        None => format!("Le lendemain : {origin} est passé"),
        Some(delay) if after.before => format!("{delay} avant {origin}"),
        Some(delay) => format!("{delay} après {origin}"),
    };
    if times > 1 { format!("{said}, {times} fois") } else { said }
}

/// The state's name for agents.
fn label<'w>(workflow: &'w Workflow, id: &'w str) -> &'w str {
    workflow.state(id).map_or(id, |state| state.label.as_str())
}

/// Text inside SVG or HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
