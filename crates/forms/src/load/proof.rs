//! What the whole of a workflow must satisfy, whatever its transitions are about: a request always gets
//! somewhere, somebody can always move it, and the platform never runs in circles.

use std::collections::BTreeSet;

use super::{Finding, keys::advised, node::At, workflow::Placed};
use crate::workflow::{Action, Approval, Need, Opinion, Start, State, Status, Transition, Webhook, Who};

pub(super) struct Circuit<'c, 'n> {
    pub at: &'n At,
    pub initial: &'c str,
    pub states: &'c [Placed<'n, State>],
    pub transitions: &'c [Placed<'n, Transition>],
    pub opinions: &'c [Placed<'n, Opinion>],
    pub webhooks: &'c [Placed<'n, Webhook>],
    pub approvals: &'c [Placed<'n, Approval>],
    pub starts: &'c [Placed<'n, Start>],
}

pub(super) fn prove(circuit: &Circuit<'_, '_>, found: &mut Vec<Finding>) {
    circuit.start(found);
    circuit.ways(found);
    circuit.somebody(found);
    circuit.timers(found);
    circuit.choices(found);
    circuit.circles(found);
    circuit.refusals(found);
    super::told::prove(circuit, found);
    circuit.opinions(found);
    circuit.webhooks(found);
    super::approval::prove(circuit, found);
    circuit.starts(found);
    circuit.gifts(found);
    circuit.erasures(found);
}

impl Circuit<'_, '_> {
    fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().map(|state| &state.it).find(|state| state.id == id)
    }

    pub(super) fn is_end(&self, id: &str) -> bool {
        self.state(id).is_some_and(|state| state.end)
    }

    pub(super) fn status(&self, id: &str) -> Option<Status> {
        self.state(id).map(|state| state.status)
    }

    /// A request begins as a draft that its usager can send.
    fn start(&self, found: &mut Vec<Finding>) {
        let initial = self.initial;
        if let Some(state) = self.states.iter().find(|state| state.it.id == initial)
            && state.it.status != Status::Draft
        {
            found.push(state.at.finding("L'état de départ doit avoir « status: draft »."));
        }
        let sends = |one: &Transition| one.who == Who::Usager && one.from.iter().any(|from| from == initial);
        if !self.transitions.iter().any(|one| sends(&one.it)) {
            let message = format!("Aucune transition de l'usager ne part de l'état de départ « {initial} ».");
            found.push(advised(self.at, message, "Sans elle, aucune demande ne peut être envoyée."));
        }
    }

    /// The states that a walk from `start` comes to, along the transitions or against them.
    fn walk<'s>(&'s self, start: BTreeSet<&'s str>, against: bool) -> BTreeSet<&'s str> {
        let (mut reached, mut waiting) = (start.clone(), Vec::from_iter(start));
        while let Some(here) = waiting.pop() {
            for Placed { it, .. } in self.transitions {
                let next: Vec<&str> = match against {
                    false if it.from.iter().any(|from| from == here) => vec![&it.to],
                    true if it.to == here => it.from.iter().map(String::as_str).collect(),
                    _ => Vec::new(),
                };
                waiting.extend(next.into_iter().filter(|state| reached.insert(state)));
            }
        }
        reached
    }

    /// Every state can be reached, and leads to an end.
    fn ways(&self, found: &mut Vec<Finding>) {
        let reached = self.walk(BTreeSet::from([self.initial]), false);
        let ends = self.states.iter().filter(|state| state.it.end).map(|state| state.it.id.as_str());
        let ending = self.walk(ends.collect(), true);
        for Placed { at, it } in self.states {
            let id = it.id.as_str();
            if !reached.contains(id) {
                let advice = "Ajoutez une transition qui y mène, ou retirez-le.";
                found.push(advised(at, format!("L'état « {id} » est inatteignable."), advice));
            }
            let left = self.transitions.iter().any(|one| one.it.to != id && one.it.from.contains(&it.id));
            if !it.end && !left {
                let advice = "Ajoutez une transition qui en part, ou « end: true » si c'est une fin.";
                found.push(advised(at, format!("Aucune transition ne part de l'état « {id} »."), advice));
            } else if !ending.contains(id) {
                let message = format!("De l'état « {id} », aucune fin ne peut être atteinte.");
                found.push(advised(at, message, "Ajoutez une transition vers un état qui a « end: true »."));
            }
        }
    }

    /// Every transition has somebody who may fire it, from each of its states.
    fn somebody(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.transitions {
            let name = &it.id;
            let drafts = it.from.iter().any(|from| self.state(from).is_some_and(|state| state.status == Status::Draft));
            match it.who {
                Who::Process | Who::Decide | Who::System if drafts => {
                    let message = format!("La transition « {name} » part d'un brouillon : seul l'usager y agit.");
                    found.push(advised(at, message, "Retirez cet état de « from »."));
                }
                Who::System if !it.alone() && !it.from.iter().all(|from| self.is_end(from)) => {
                    let message = format!("Rien ne dit quand la plateforme fera « {name} ».");
                    let advice = "Ajoutez « after » : « 10 days », « until », « at once ». Sans lui, elle n'archive que ce qui est fini.";
                    found.push(advised(at, message, advice));
                }
                Who::Usager => {
                    let cancels = self.state(&it.to).is_some_and(|to| to.end && to.status == Status::Ended);
                    let open = |from: &String| self.state(from).is_some_and(|state| state.open_to_usager);
                    if let Some(from) = it.from.iter().find(|from| !cancels && !open(from) && *from != self.initial) {
                        let message = format!("Depuis l'état « {from} », l'usager n'a rien pour faire « {name} ».");
                        let advice = "Ajoutez « open: true » à cet état, ou menez à une fin qui a « status: ended ».";
                        found.push(advised(at, message, advice));
                    }
                }
                Who::Process | Who::Decide | Who::System => {}
            }
        }
    }

    /// What only the platform does, and what it cannot do.
    fn timers(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.transitions {
            let mut say = |wrong: bool, message: &str, advice: &str| {
                if wrong {
                    found.push(advised(at, message, advice));
                }
            };
            let system = it.who == Who::System;
            let stays = it.from.iter().all(|from| *from == it.to);
            let counted = it.after.is_some_and(|after| after.delay.is_some() && !after.before);
            say(
                !system && it.alone(),
                "« after » ne va qu'à une transition de la plateforme (« who: system »).",
                "Retirez « after », ou changez « who ».",
            );
            say(
                !system && it.says.is_some(),
                "« says » ne va qu'à une transition de la plateforme (« who: system »).",
                "Un agent écrit lui-même : « needs: [message] ».",
            );
            say(
                system && it.does.contains(&Action::TakeCharge),
                "La plateforme ne peut pas prendre une demande en charge (« take-charge »).",
                "Retirez cette action.",
            );
            say(
                !matches!(it.who, Who::Process | Who::Decide) && !it.form.is_empty(),
                "« form » ne va qu'à une transition d'un agent.",
                "L'usager répond dans les pages de la démarche.",
            );
            say(
                it.times > 1 && !(system && stays && counted),
                "« times » ne va qu'à une relance : une transition de la plateforme qui reste dans son état, après un délai.",
                "Retirez « times ».",
            );
        }
    }

    /// Whatever the answers are, the usager can send their request, and what they are asked for: the first of their
    /// transitions whose condition holds is taken, and the last has none. One that ends the request may have one, but
    /// where it is sent: a request that is settled as soon as it is sent is sent by it.
    fn choices(&self, found: &mut Vec<Finding>) {
        for Placed { it: state, .. } in self.states {
            let begins = state.id == self.initial;
            let sends = |one: &Transition| {
                let ends = self.is_end(&one.to) && !begins;
                one.who == Who::Usager && one.from.contains(&state.id) && !ends && one.needs.is_empty()
            };
            let ways: Vec<_> = self.transitions.iter().filter(|one| sends(&one.it)).collect();
            let Some((last, before)) = ways.split_last() else { continue };
            if last.it.when.is_some() {
                let message = format!(
                    "Quand aucune condition n'est remplie, l'usager ne peut rien envoyer depuis l'état « {} ».",
                    state.id
                );
                let advice = "Ajoutez une dernière transition de l'usager sans « when » ; pour qu'il ne puisse pas envoyer du tout : « stop-if » ou « check », dans le formulaire.";
                found.push(advised(last.at, message, advice));
            }
            if before.iter().any(|one| one.it.when.is_none()) {
                let message = format!(
                    "Depuis l'état « {} », « {} » ne sert jamais : une transition de l'usager qui la précède est toujours possible.",
                    state.id, last.it.id
                );
                found.push(advised(
                    last.at,
                    message,
                    "Donnez un « when » à celle qui précède, ou retirez l'une des deux.",
                ));
            }
        }
    }

    /// A circle of transitions that the platform fires by itself would never end.
    fn circles(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.transitions.iter().filter(|one| one.it.alone()) {
            let Some(from) = it.from.iter().find(|from| **from != it.to && self.returns(&it.to, from)) else {
                continue;
            };
            let message = format!(
                "La plateforme tourne en rond : « {} » mène de « {from} » à « {} », d'où elle revient seule.",
                it.id, it.to
            );
            found.push(advised(at, message, "Faites passer le retour par quelqu'un, ou menez ailleurs."));
        }
    }

    /// Whether the platform alone goes from `start` to `goal`.
    fn returns(&self, start: &str, goal: &str) -> bool {
        let (mut reached, mut waiting) = (BTreeSet::from([start]), vec![start]);
        while let Some(here) = waiting.pop() {
            if here == goal {
                return true;
            }
            let own = self.transitions.iter().map(|one| &one.it).filter(|one| one.alone());
            let next = own.filter(|one| one.from.iter().any(|from| from == here)).map(|one| one.to.as_str());
            waiting.extend(next.filter(|state| reached.insert(state)));
        }
        false
    }

    /// Each opinion is asked by somebody, and of a request that goes on: nobody waits for one once it has ended.
    fn opinions(&self, found: &mut Vec<Finding>) {
        let asks = |one: &Transition, id: &str| {
            one.does.iter().any(|does| matches!(does, Action::Opinion(asked) if asked == id))
        };
        for Placed { at, it } in self.opinions {
            let mut asking = self.transitions.iter().filter(|one| asks(&one.it, &it.id)).peekable();
            if asking.peek().is_none() {
                let message = format!("Aucune transition ne demande l'avis « {} ».", it.id);
                found.push(advised(
                    at,
                    message,
                    format!("Ajoutez « opinion {} » au « does » de l'une d'elles.", it.id),
                ));
            }
            for one in asking.filter(|one| self.is_end(&one.it.to)) {
                let message = format!("La transition « {} » demande un avis et termine la demande.", one.it.id);
                found.push(advised(one.at, message, "Demandez-le avant : personne ne l'attendrait plus."));
            }
        }
    }

    /// Each application is called by somebody; what its answer fires does not call again from the same place.
    fn webhooks(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.webhooks {
            let calls = |does: &Action| matches!(does, Action::Webhook(called) if *called == it.id);
            if !self.transitions.iter().any(|one| one.it.does.iter().any(calls)) {
                let message = format!("Aucune transition n'appelle « {} ».", it.id);
                let advice = format!("Ajoutez « webhook {} » au « does » de l'une d'elles.", it.id);
                found.push(advised(at, message, advice));
            }
        }
        for Placed { at, it } in self.transitions.iter().filter(|one| one.it.upon.is_some()) {
            if it.from.contains(&it.to) && it.does.iter().any(|does| matches!(does, Action::Webhook(_))) {
                let message = format!("La plateforme tourne en rond : « {} » répond à un appel par un appel.", it.id);
                found.push(advised(at, message, "Faites passer le nouvel appel par quelqu'un, ou menez ailleurs."));
            }
        }
    }

    /// Each linked request is started, and by the department: who sends a request has just filled in one.
    fn starts(&self, found: &mut Vec<Finding>) {
        let starts = |one: &Transition, id: &str| {
            one.does.iter().any(|does| matches!(does, Action::Start(started) if started == id))
        };
        for Placed { at, it } in self.starts {
            let mut starting = self.transitions.iter().filter(|one| starts(&one.it, &it.id)).peekable();
            if starting.peek().is_none() {
                let message = format!("Aucune transition ne propose la démarche liée « {} ».", it.id);
                found.push(advised(at, message, format!("Ajoutez « start {} » au « does » de l'une d'elles.", it.id)));
            }
            for one in starting.filter(|one| one.it.who == Who::Usager) {
                let message = format!("La transition de l'usager « {} » propose une démarche liée.", one.it.id);
                found.push(advised(one.at, message, "« start » va à une transition d'un agent ou de la plateforme."));
            }
        }
    }

    /// Whoever a request is, somebody or explicitly nobody gets it; one transition gives it once.
    fn gifts(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.transitions {
            if it.who == Who::Usager && !it.sets.is_empty() {
                let message = "« set » ne va pas à une transition de l'usager : il fixe une valeur des agents.";
                found.push(advised(at, message, "Donnez-le à la transition d'un agent ou de la plateforme."));
            }
            self.directions(at, it, found);
            let Some((last, before)) = it.assign.split_last() else { continue };
            if it.does.iter().any(|does| matches!(does, Action::TakeCharge | Action::Release)) {
                let message = format!("La transition « {} » affecte la demande deux fois.", it.id);
                found.push(advised(at, message, "Gardez « assign », ou « take-charge » et « release »."));
            }
            if last.when.is_some() {
                let message =
                    format!("Quand aucune règle ne s'applique, « {} » n'affecte la demande à personne.", it.id);
                let advice =
                    "Ajoutez une dernière règle sans « when » : « to: turn », ou « to: nobody » si c'est voulu.";
                found.push(advised(at, message, advice));
            }
            if before.iter().any(|rule| rule.when.is_none()) {
                let message = format!(
                    "Une règle d'affectation de « {} » ne sert jamais : celle d'avant s'applique toujours.",
                    it.id
                );
                found.push(advised(at, message, "Seule la dernière règle n'a pas de « when »."));
            }
        }
    }

    /// Whatever the answers are, a rule says where the request goes, as long as somebody has something to do with it.
    fn directions(&self, at: &At, it: &Transition, found: &mut Vec<Finding>) {
        let Some((last, before)) = it.moves.split_last() else { return };
        let mut say = |wrong: bool, message: String, advice: &str| {
            if wrong {
                found.push(advised(at, message, advice));
            }
        };
        say(
            last.when.is_some(),
            format!("Quand aucune règle ne s'applique, « {} » ne dit pas quel service reçoit la demande.", it.id),
            "Ajoutez une dernière règle sans « when » : « to: » un service, ou « to: stay » si elle reste où elle est.",
        );
        say(
            before.iter().any(|rule| rule.when.is_none()),
            format!("Une règle d'orientation de « {} » ne sert jamais : celle d'avant s'applique toujours.", it.id),
            "Seule la dernière règle n'a pas de « when ».",
        );
        say(
            self.is_end(&it.to),
            format!("La transition « {} » termine la demande et la donne à un service.", it.id),
            "Donnez-la avant : personne n'a plus rien à y faire.",
        );
        say(
            it.opens().is_some() || it.approved.is_some() || it.letter().is_some(),
            format!("La transition « {} » change de service en faisant une lettre ou un visa.", it.id),
            "Séparez-les : le nouveau service écrit et décide sous son nom.",
        );
    }

    /// What is erased is a request's that has ended, by the platform, when nobody needs it any more.
    fn erasures(&self, found: &mut Vec<Finding>) {
        for Placed { at, it } in self.transitions {
            let ended = it.from.iter().all(|from| self.is_end(from)) && self.is_end(&it.to);
            if it.does.iter().any(|does| matches!(does, Action::Erase(_))) && !(it.who == Who::System && ended) {
                let message = format!(
                    "La transition « {} » efface des réponses d'une demande qui n'est pas terminée, ou à la main.",
                    it.id
                );
                let advice = "« erase » va à une transition de la plateforme (« who: system ») entre des états qui ont « end: true ».";
                found.push(advised(at, message, advice));
            }
        }
    }

    /// A refusal carries its ground and its appeal routes (CRPA L211-2 s., CJA R421-5).
    fn refusals(&self, found: &mut Vec<Finding>) {
        let refused = |id: &str| self.state(id).is_some_and(|state| state.status == Status::Refused);
        for Placed { at, it } in self.transitions {
            let stays = it.from.iter().all(|from| refused(from));
            if refused(&it.to) && !stays && !it.needs.contains(&Need::Refusal) && !it.implied() {
                let message = format!("La transition « {} » refuse la demande sans motif ni voies de recours.", it.id);
                let advice = "Ajoutez « needs: [refusal] » : la loi exige les motifs et les voies de recours.";
                found.push(advised(at, message, advice));
            }
        }
    }
}
