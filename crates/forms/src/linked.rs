//! Linked requests: which answers of one procedure are typed in a draft of another, and whether procedures that start
//! each other fit together.

use crate::{
    answers::{Answers, Raw},
    model::{Field, Procedure},
    workflow::Start,
};

/// A question and the name under which a form types it: `nom`, or `enfants.nom`, in the first row of a group.
fn question<'p>(procedure: &'p Procedure, path: &str) -> Option<(&'p Field, String)> {
    let named = |id: &str| procedure.fields().find(|field| field.id == id);
    let Some((group, id)) = path.split_once('.') else { return Some((named(path)?, path.to_owned())) };
    let field = named(group)?.kind.group()?.fields.iter().find(|field| field.id == id)?;
    Some((field, format!("{group}.0.{id}")))
}

fn source<'p>(procedure: &'p Procedure, id: &str) -> Option<&'p Field> {
    procedure.fields().chain(procedure.workflow.form_fields()).find(|field| field.id == id)
}

/// An identity that must be verified is never typed from elsewhere.
fn fits(source: &Field, target: &Field) -> bool {
    source.kind.name() == target.kind.name() && source.kind.group().is_none() && !target.verified
}

impl Procedure {
    /// What is typed in a draft of `target` from these answers and the agents' ones. What `target` no longer asks, or
    /// asks otherwise, is left out.
    pub fn carried(&self, start: &Start, answers: &Answers, given: &Answers, target: &Self) -> Raw {
        let mut raw = Raw::default();
        for (to, from) in &start.with {
            let Some((field, name)) = question(target, to) else { continue };
            let Some(source) = source(self, from).filter(|source| fits(source, field)) else { continue };
            if let Some(answer) = answers.get(from).or_else(|| given.get(from)) {
                source.kind.fill(&name, answer, &mut raw);
            }
        }
        raw
    }
}

/// What is wrong between the procedures that are `checked` and `all` of them: a procedure that does not exist, a
/// question that it does not ask or asks otherwise, procedures that follow each other in a circle.
pub fn check(checked: &[&Procedure], all: &[&Procedure]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let named = |id: &str| all.iter().find(|one| one.id == id).copied();
    for one in checked {
        let mut say =
            |start: &Start, text: String| found.push((one.id.clone(), format!("starts: {}: {text}", start.id)));
        for start in &one.workflow.starts {
            let Some(target) = named(&start.procedure) else {
                say(start, format!("Aucune démarche ne s'appelle « {} ».", start.procedure));
                continue;
            };
            // One is offered on pages of usagers, the other on pages of agents: neither leads to the other.
            if one.is_internal() || target.is_internal() {
                say(start, "Une démarche interne n'en engage pas d'autre, et aucune ne l'engage.".to_owned());
            }
            for (to, from) in &start.with {
                match (question(target, to), source(one, from)) {
                    (None, _) => say(start, format!("« {} » n'a pas de question « {to} ».", target.id)),
                    (Some((field, _)), Some(source)) if !fits(source, field) => {
                        let kinds = (source.kind.name(), field.kind.name());
                        say(start, format!("« {from} » ({}) ne peut pas remplir « {to} » ({}).", kinds.0, kinds.1));
                    }
                    _ => {}
                }
            }
            if returns(&start.procedure, &one.id, &named) {
                say(start, format!("Les démarches tournent en rond : « {} » revient à « {} ».", target.id, one.id));
            }
        }
    }
    found
}

fn returns<'p>(start: &str, goal: &str, named: &dyn Fn(&str) -> Option<&'p Procedure>) -> bool {
    let (mut seen, mut waiting) = (vec![start.to_owned()], vec![start.to_owned()]);
    while let Some(here) = waiting.pop() {
        if here == goal {
            return true;
        }
        for next in named(&here).into_iter().flat_map(|one| &one.workflow.starts) {
            if !seen.contains(&next.procedure) {
                seen.push(next.procedure.clone());
                waiting.push(next.procedure.clone());
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{self, Shared};

    fn procedure(id: &str, fields: &str, starts: &str) -> Procedure {
        let does = if starts.is_empty() { "" } else { ", does: [start next]" };
        let text = format!(
            "id: {id}
title: Essai
summary: Un essai.
theme: quotidien
audience: [particulier]
department: voirie
identification: none
cost: free
minutes: 5
delay: 15 days
notice: {{purpose: x, basis: x, recipients: [x], retention: {{current: 3 months, dua: 1 years, final: destroy}}}}
pages:
  - title: Vous
    fields:
{fields}
pieces: []
after: [x]
workflow:
  id: essai
  title: Essai
  initial: draft
{starts}
  states:
    - {{id: draft, label: Brouillon, usager: Brouillon, status: draft, open: true}}
    - {{id: sent, label: Envoyée, usager: Envoyée, status: sent}}
    - {{id: closed, label: Close, usager: Terminée, status: ended, end: true}}
  transitions:
    - {{id: send, label: Envoyer, from: [draft], to: sent, who: usager}}
    - {{id: close, label: Clore, from: [sent], to: closed, who: process, needs: [message], form: [{{id: prix, ask: Prix ?, kind: amount}}]{does}}}
"
        );
        load::procedure(&format!("{id}.yaml"), &text, &Shared::default())
            .unwrap_or_else(|found| panic!("{}", found.iter().map(|one| format!("{one}\n")).collect::<String>()))
    }

    const FIRST: &str = "      - {id: enfant, ask: Qui ?, kind: identity}
      - {id: ville, ask: Où ?, kind: text}";
    const SECOND: &str = "      - {id: enfants, ask: Qui ?, kind: group, rows: {min: 1, max: 3, title: Enfant}, fields: [{id: nom, ask: Nom ?, kind: identity}]}
      - {id: tarif, ask: Prix ?, kind: amount}
      - {id: commune, ask: Où ?, kind: text}";
    const STARTS: &str = "  starts:\n    - {id: next, procedure: second, title: La suite, with: {enfants.nom: enfant, commune: ville, tarif: prix}}";

    #[test]
    fn answers_are_typed_in_the_other_procedure() {
        let (first, second) = (procedure("first", FIRST, STARTS), procedure("second", SECOND, ""));
        assert!(check(&[&first, &second], &[&first, &second]).is_empty());
        let answers = serde_json::json!({"enfant": {"nom_naissance": "Martin", "prenoms": "Léa"}, "ville": "Valmont"});
        let given = serde_json::json!({"prix": 1250});
        let (answers, given) = (answers.as_object().unwrap(), given.as_object().unwrap());
        let raw = first.carried(first.workflow.start("next").unwrap(), answers, given, &second);
        assert_eq!(raw.text("enfants.0.nom.nom_naissance"), "Martin");
        assert_eq!(raw.text("commune"), "Valmont");
        assert_eq!(raw.text("tarif"), "12,50");
        // The other one changed since: what it still asks is typed.
        let changed = procedure(
            "second",
            "      - {id: commune, ask: Où ?, kind: text}\n      - {id: tarif, ask: Prix ?, kind: text}",
            "",
        );
        let raw = first.carried(first.workflow.start("next").unwrap(), answers, given, &changed);
        assert_eq!(raw.0.keys().collect::<Vec<_>>(), ["commune"]);
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        let first = procedure("first", FIRST, STARTS);
        let told = |others: &[&Procedure]| -> Vec<String> {
            let all: Vec<&Procedure> = [&first].into_iter().chain(others.iter().copied()).collect();
            check(&all, &all).into_iter().map(|(id, text)| format!("{id}: {text}")).collect()
        };
        assert_eq!(told(&[]), ["first: starts: next: Aucune démarche ne s'appelle « second »."]);
        let other = procedure("second", "      - {id: commune, ask: Où ?, kind: yes-no}", "");
        let found = told(&[&other]).join("\n");
        assert!(found.contains("« second » n'a pas de question « enfants.nom »"), "{found}");
        assert!(found.contains("« ville » (text) ne peut pas remplir « commune » (yes-no)"), "{found}");
        let mut internal = procedure("second", SECOND, "");
        internal.audience = vec![crate::model::Audience::Agent];
        assert!(
            told(&[&internal]).iter().any(|one| one.contains("interne")),
            "no usager is offered what is for agents"
        );
        let back = "  starts:\n    - {id: next, procedure: first, title: Retour, with: {ville: commune}}";
        let found = told(&[&procedure("second", SECOND, back)]);
        assert_eq!(found.iter().filter(|one| one.contains("tournent en rond")).count(), 2, "{found:?}");
    }
}
