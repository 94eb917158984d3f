//! The page that says what the picture shows, in tables: to be read, printed, or heard.

use std::fmt::Write;

use super::{called, escape, label, svg, when, who};
use crate::{
    model::Procedure,
    workflow::{Action, Asked, Assignee, Dispatch, Move, Need, Start, State, Status, Transition, Who, Workflow},
};

const STYLE: &str = "body{font-family:sans-serif;line-height:1.4;margin:1.5rem auto;max-width:75rem;padding:0 1rem;color:#0b0c0c;background:#fff}svg{max-width:100%;height:auto}.large{overflow-x:auto}table{border-collapse:collapse;margin-bottom:2rem}caption{font-weight:bold;text-align:left;padding:.5rem 0}th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top}";

/// A whole HTML page about the workflow of a procedure.
pub fn page(procedure: &Procedure) -> String {
    let workflow = &procedure.workflow;
    let title = escape(&format!("Circuit de « {} »", procedure.title));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"fr\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{} : {} états, {} actions. Les flèches portent les numéros du second tableau ; en pointillé, ce que la plateforme fait seule.</p>\n",
        escape(&workflow.title),
        workflow.states.len(),
        workflow.transitions.len()
    );
    let _ = writeln!(out, "<div class=\"large\">\n{}</div>", svg(workflow));
    states(&mut out, workflow);
    transitions(&mut out, procedure);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn states(out: &mut String, workflow: &Workflow) {
    let head = ["État, pour les agents", "Pour l’usager", "Statut", "Actions possibles"];
    open(out, "Les états", &head);
    for state in &workflow.states {
        let leaving = workflow.transitions.iter().enumerate().filter(|(_, one)| one.from.contains(&state.id));
        let numbers: Vec<String> = leaving.map(|(index, _)| index.saturating_add(1).to_string()).collect();
        let numbers = if numbers.is_empty() { "aucune : fin".to_owned() } else { numbers.join(", ") };
        row(out, &state.label, &[&state.usager, &status(state), &numbers]);
    }
    out.push_str("</tbody></table></div>\n");
}

fn transitions(out: &mut String, procedure: &Procedure) {
    let workflow = &procedure.workflow;
    let head = ["N°", "Action", "De", "Vers", "Par qui", "Quand", "Ce qu’il faut donner", "Ce qui se fait"];
    open(out, "Les actions", &head);
    for (index, one) in workflow.transitions.iter().enumerate() {
        let from: Vec<&str> = one.from.iter().map(|from| label(workflow, from)).collect();
        let number = index.saturating_add(1).to_string();
        let cells = [
            one.label.as_str(),
            &from.join(" ; "),
            label(workflow, &one.to),
            who(one),
            &when(procedure, one),
            &needs(one),
            &does(procedure, one),
        ];
        row(out, &number, &cells);
    }
    out.push_str("</tbody></table></div>\n");
}

fn open(out: &mut String, caption: &str, head: &[&str]) {
    let head: String = head.iter().map(|name| format!("<th scope=\"col\">{}</th>", escape(name))).collect();
    let _ = writeln!(
        out,
        "<div class=\"large\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>"
    );
}

fn row(out: &mut String, name: &str, cells: &[&str]) {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
    let _ = writeln!(out, "<tr><th scope=\"row\">{}</th>{cells}</tr>", escape(name));
}

fn status(state: &State) -> String {
    let status = match state.status {
        Status::Draft => "Brouillon",
        Status::Sent => "Envoyée",
        Status::InProgress => "En cours",
        Status::ActionNeeded => "Action attendue de l’usager",
        Status::Accepted => "Acceptée",
        Status::Refused => "Refusée",
        Status::Ended => "Terminée",
    };
    let marks = [(state.end, "fin"), (state.open_to_usager, "l’usager peut corriger")];
    let marks = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| format!(", {mark}"));
    format!("{status}{}", marks.collect::<String>())
}

fn needs(transition: &Transition) -> String {
    let said = transition.needs.iter().map(|need| match need {
        Need::Message => "un message",
        Need::Ask => "ce qui est demandé, et jusqu’à quand",
        Need::Decision => "une décision signée",
        Need::Refusal => "un refus motivé, avec les voies de recours",
    });
    let asked = transition.form.iter().filter(|field| !field.kind.silent()).map(|field| field.ask.as_str());
    said.chain(asked).collect::<Vec<_>>().join(" ; ")
}

fn does(procedure: &Procedure, transition: &Transition) -> String {
    let workflow = &procedure.workflow;
    let mut said: Vec<String> = transition
        .does
        .iter()
        .map(|action| match action {
            Action::Notify(message) => format!("prévient l’usager (message {message})"),
            Action::Letter(letter) => format!("fait la lettre {letter}"),
            Action::Receipt => "fait l’accusé d’enregistrement".to_owned(),
            Action::TakeCharge => "affecte la demande à qui agit".to_owned(),
            Action::Release => "libère la demande".to_owned(),
            Action::MarkComplete => "déclare le dossier complet".to_owned(),
            Action::Opinion(id) => opinion(workflow, id),
            Action::Webhook(id) => call(workflow, id),
            Action::Approval(id) => approval(workflow, id),
            Action::Start(id) => started(workflow, id),
            Action::Erase(id) => format!("efface {id}"),
        })
        .collect();
    said.extend(transition.assign.iter().map(|rule| assigned(procedure, rule)));
    said.extend(transition.moves.iter().map(|rule| moved(procedure, rule)));
    said.extend(transition.sets.iter().map(|set| format!("fixe {} à {}", set.field, procedure.says(&set.value))));
    said.extend(transition.says.as_ref().map(|text| format!("écrit à l’usager : « {text} »")));
    said.join(" ; ")
}

fn moved(procedure: &Procedure, rule: &Move) -> String {
    let to = match &rule.to {
        Some(department) => format!("donne la demande au service {department}"),
        None => "laisse la demande à son service".to_owned(),
    };
    match &rule.when {
        Some(when) => format!("{to} si {}", procedure.says(when)),
        None => to,
    }
}

fn assigned(procedure: &Procedure, rule: &Dispatch) -> String {
    let to = match &rule.to {
        Assignee::Turn => "affecte la demande à tour de rôle".to_owned(),
        Assignee::Agent(agent) => format!("affecte la demande à {agent}"),
        Assignee::Nobody => "n’affecte la demande à personne".to_owned(),
    };
    match &rule.when {
        Some(when) => format!("{to} si {}", procedure.says(when)),
        None => to,
    }
}

fn call(workflow: &Workflow, id: &str) -> String {
    let sent = workflow.webhook(id).map(|webhook| [webhook.sends.as_slice(), &webhook.sensitive].concat());
    let sent = sent.filter(|sent| !sent.is_empty()).map_or_else(|| "aucune réponse".to_owned(), |sent| sent.join(", "));
    format!("appelle « {} » et lui envoie : {sent}", called(workflow, id))
}

fn started(workflow: &Workflow, id: &str) -> String {
    let told =
        |start: &Start| format!("propose à l’usager de poursuivre avec « {} » ({})", start.title, start.procedure);
    workflow.start(id).map_or_else(|| format!("propose {id}"), told)
}

fn approval(workflow: &Workflow, id: &str) -> String {
    let Some(circuit) = workflow.approval(id) else { return format!("ouvre le visa {id}") };
    let steps: Vec<String> = circuit
        .steps
        .iter()
        .map(|step| {
            let able = if step.who == Who::Decide { "qui décide" } else { "qui instruit" };
            let place = step.department.as_deref().unwrap_or("le service");
            format!("{} ({able} dans {place})", step.title)
        })
        .collect();
    let then = if circuit.together { ", et " } else { ", puis " };
    let asker = if circuit.asker_too { "" } else { "un autre que qui le demande, " };
    format!("met au parapheur « {} » : {asker}{}, chacun sous {}", circuit.title, steps.join(then), circuit.delay)
}

fn opinion(workflow: &Workflow, id: &str) -> String {
    workflow.opinion(id).map_or_else(
        || format!("demande l’avis {id}"),
        |asked| {
            let who = match &asked.of {
                Asked::Department(id) => format!("du service {id}"),
                Asked::Expert(expert) => format!("de {} ({})", expert.name, expert.email),
            };
            format!("demande l’avis {who}, sous {} : « {} »", asked.delay, asked.question)
        },
    )
}
