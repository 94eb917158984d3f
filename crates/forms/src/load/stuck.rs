//! A request that stands in a state can leave it whatever is answered.
//!
//! What makes a way out sure: somebody who works on the request, or the platform, may take it without a condition; or
//! it is the usager's answer, of which one always goes (`proof`, « choices »). One sure way is enough: who treats the
//! request is then never without something to do, and conditions beside it only offer more. The usager who may cancel
//! is no way out, since nobody can make them; nor is what waits for approvals, which has its own proof (`approval`).
//! Where every other way has a condition, one of these must hold: they are opposite, or they try every choice.

use std::collections::BTreeSet;

use super::{
    Finding,
    keys::advised,
    node::{At, Node},
};
use crate::{
    expr::Expr,
    model::{Field, Procedure},
    workflow::{Origin, State, Status, Transition, Who, Workflow},
};

pub(super) fn prove(tree: &Node, procedure: &Procedure, found: &mut Vec<Finding>) {
    let workflow = &procedure.workflow;
    for state in workflow.states.iter().filter(|state| !state.end) {
        let Some(ways) = conditional(workflow, state) else { continue };
        let conditions: Vec<&Expr> = ways.iter().map(|(_, when)| *when).collect();
        if ways.is_empty() || Expr::cover(&conditions, &blank(procedure, &state.id)) {
            continue;
        }
        let listed = ways.iter().map(|(one, when)| format!("« {} » ({})", when.source(), one.id));
        let message = format!(
            "L'état « {} » peut être une impasse : on n'en part que si l'une de ces conditions est remplie : {}.",
            state.id,
            listed.collect::<Vec<_>>().join(", ")
        );
        let advice = "Ajoutez une transition d'un agent ou de la plateforme sans « when », ou des conditions dont l'une est toujours remplie : opposées (« x », « not x »), ou une pour chaque choix d'une question obligatoire.";
        found.push(advised(place(tree, "states", &state.id), message, advice));
    }
}

/// The ways out of a state that have a condition; none when a sure one is among them.
fn conditional<'w>(workflow: &'w Workflow, state: &State) -> Option<Vec<(&'w Transition, &'w Expr)>> {
    let mut ways = Vec::new();
    for one in workflow.transitions.iter().filter(|one| one.to != state.id && one.from.contains(&state.id)) {
        let cancels = workflow.state(&one.to).is_some_and(|to| to.end && to.status == Status::Ended);
        let awaits = one.after.is_some_and(|after| matches!(after.origin, Origin::Approved | Origin::Declined));
        if one.approved.is_some() || awaits || (one.who == Who::Usager && cancels && state.id != workflow.initial) {
            continue;
        }
        ways.push((one, one.when.as_ref()?));
    }
    Some(ways)
}

/// The questions that may be unanswered in this state: optional ones, those that are not always asked, and those of
/// agents' forms that no agent had to answer on the way.
pub(super) fn blank(procedure: &Procedure, state: &str) -> BTreeSet<String> {
    let pages = procedure.pages.iter().flat_map(|page| page.fields.iter().map(move |field| (page, field)));
    let asked = pages.filter(|(page, field)| page.show_if.is_some() || may_be_blank(field)).map(|(_, field)| field);
    let workflow = &procedure.workflow;
    let given = workflow.form_fields().filter(|field| !surely_given(workflow, &field.id, state));
    asked.chain(given).map(|field| field.id.clone()).collect()
}

/// Whether a form that has it has its answer.
pub(super) fn wanted(field: &Field) -> bool {
    !may_be_blank(field)
}

fn may_be_blank(field: &Field) -> bool {
    field.optional || field.show_if.is_some() || field.kind.name() == "computed"
}

/// Whether no way leads to `state` but through a transition whose form wants this answer.
fn surely_given(workflow: &Workflow, field: &str, state: &str) -> bool {
    let gives = |one: &Transition| one.form.iter().any(|given| given.id == field && !may_be_blank(given));
    let mut reached = BTreeSet::from([workflow.initial.as_str()]);
    let mut waiting = vec![workflow.initial.as_str()];
    while let Some(here) = waiting.pop() {
        let next = workflow.transitions.iter().filter(|one| !gives(one) && one.from.iter().any(|from| from == here));
        waiting.extend(next.map(|one| one.to.as_str()).filter(|to| reached.insert(to)));
    }
    !reached.contains(state)
}

/// Where a part of the workflow is written (`states`, `transitions`), in the file or in the workflow that it uses.
pub(super) fn place<'n>(tree: &'n Node, parts: &str, id: &str) -> &'n At {
    let nodes = tree.get("workflow").and_then(|workflow| workflow.get(parts)?.list()).unwrap_or_default();
    let node = nodes.iter().find(|node| node.get("id").and_then(Node::text) == Some(id));
    node.map_or(&tree.at, |node| &node.at)
}
