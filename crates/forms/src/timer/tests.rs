use std::collections::BTreeMap;

use jiff::{Timestamp, civil::date, tz::TimeZone};

use crate::{
    calendar::Calendar,
    due::legal_end,
    expr::Value,
    load::{self, Shared},
    model::{Procedure, Silence},
    step::{self, Actor, Context, Effect, Given, Life, Outcome, Refused},
    timer,
    workflow::Assignee,
};

const FILE: &str = r#"
id: essai
title: Essayer
summary: Un essai.
theme: quotidien
audience: [particulier]
department: voirie
identification: none
cost: free
minutes: 5
delay: 15 days
legal: {delay: 2 months, silence: rejet}
notice: {purpose: x, basis: x, recipients: [x], retention: {current: 3 months, dua: 1 years, final: destroy}}
pages:
  - title: Vous
    fields:
      - {id: surface, ask: Quelle surface ?, kind: number}
pieces: []
after: [x]
workflow:
  id: essai
  title: Essai
  initial: draft
  opinions:
    - {id: voirie, department: voirie, question: La surface convient-elle ?, delay: 15 days, shows: [surface]}
  approvals:
    - {id: accord, title: Accord, delay: 5 days, steps: [{title: Direction, who: decide}, {title: Voirie, department: voirie, who: process}]}
  states:
    - {id: proposed, label: Au parapheur, usager: En cours, status: in-progress}
    - {id: draft, label: Brouillon, usager: Brouillon, status: draft, open: true}
    - {id: sent, label: Envoyée, usager: Envoyée, status: sent}
    - {id: incomplete, label: Incomplète, usager: À compléter, status: action-needed, open: true}
    - {id: complete, label: Complète, usager: En cours, status: in-progress}
    - {id: consulted, label: Avis demandé, usager: La voirie est consultée, status: in-progress}
    - {id: closed, label: Close, usager: Terminée, status: ended, end: true}
  transitions:
    - {id: send, label: Envoyer, from: [draft], to: sent, who: usager}
    - {id: ask, label: Demander, from: [sent, complete, incomplete], to: incomplete, who: process, needs: [ask]}
    - {id: answer, label: Répondre, from: [incomplete], to: sent, who: usager}
    - {id: mark-complete, label: Complet, from: [sent], to: complete, who: process, does: [mark-complete]}
    - id: size
      label: Mesurer
      from: [sent]
      to: sent
      who: process
      form: [{id: prix, ask: Prix ?, kind: amount, optional: true}, {id: suite, ask: Suite ?, kind: choice, optional: true, options: {visite: V, rien: R}}]
      assign:
        - {when: surface > 20, to: Nadia@valmont.example}
        - {when: surface > 10, to: turn}
        - {to: nobody}
      set:
        - {field: prix, value: surface * 2.5}
        - field: suite
          value: if(surface > 20, "visite", "ailleurs")
    - {id: big, label: Grande, from: [sent], to: closed, who: process, when: surface > 20, does: [notify x]}
    - {id: remind, label: Relancer, from: [incomplete], to: incomplete, who: system, after: 1 months, times: 2}
    - {id: last, label: Prévenir, from: [incomplete], to: incomplete, who: system, after: 3 working days before until}
    - {id: lapse, label: Classer, from: [incomplete], to: closed, who: system, after: until, says: x}
    - {id: consult, label: Consulter, from: [sent, consulted], to: consulted, who: process, does: [opinion voirie]}
    - {id: told, label: Reprendre, from: [consulted], to: complete, who: system, after: opinions}
    - {id: propose, label: Faire viser, from: [complete], to: proposed, who: process, does: [approval accord]}
    - {id: declined, label: Revoir, from: [proposed], to: complete, who: system, after: declined}
    - {id: recall, label: Retirer du parapheur, from: [proposed], to: complete, who: process}
    - {id: weigh, label: Peser, from: [proposed], to: proposed, who: process, form: [{id: poids, ask: Poids ?, kind: number}]}
    - {id: grant, label: Accorder, from: [proposed, complete], to: closed, who: decide, needs: [decision], approved: accord, does: [notify x]}
    - {id: late, label: Alerter, from: [sent, complete], to: sent, who: system, after: legal, when: surface > 20}
"#;

struct Case {
    procedure: Procedure,
    zone: TimeZone,
    calendar: Calendar,
    known: BTreeMap<String, Value>,
    life: Life,
}

impl Case {
    /// Sent on that day, at ten in Paris.
    fn sent(at: &str) -> Self {
        let procedure = load::procedure("essai.yaml", FILE, &Shared::default())
            .unwrap_or_else(|found| panic!("{}", found.iter().map(|one| format!("{one}\n")).collect::<String>()));
        let (zone, calendar, known) = (TimeZone::get("Europe/Paris").unwrap(), Calendar::default(), BTreeMap::new());
        let now = moment(at);
        let life = step::begin(&procedure, Context { now, zone: &zone, calendar: &calendar, known: &known });
        let mut case = Self { procedure, zone, calendar, known, life };
        case.step("send", Actor::Usager, at, Given::default()).unwrap();
        case
    }

    fn cx(&self, now: Timestamp) -> Context<'_> {
        Context { now, zone: &self.zone, calendar: &self.calendar, known: &self.known }
    }

    fn step(&mut self, transition: &str, actor: Actor, at: &str, given: Given) -> Result<(), Refused> {
        let (life, _) = step::step(&self.procedure, &self.life, transition, actor, given, self.cx(moment(at)))?;
        self.life = life;
        Ok(())
    }

    fn ask(&mut self, at: &str, until: jiff::civil::Date) {
        let given = Given { asks: true, until: Some(until), ..Given::default() };
        self.step("ask", Actor::Processor, at, given).unwrap();
    }

    fn answer(&mut self, at: &str) {
        self.step("answer", Actor::Usager, at, Given::default()).unwrap();
    }

    fn day(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%F %T").to_string()
    }

    /// Fires all that is due at `now`, each at its own moment, and says what and when.
    fn tick(&mut self, now: &str) -> Vec<String> {
        let mut done = Vec::new();
        while let Some((due, at)) = timer::due(&self.life, moment(now)) {
            let name = due.transition.clone();
            let fired = step::step(&self.procedure, &self.life, &name, Actor::System, Given::default(), self.cx(at));
            done.push(format!("{name} {}", self.day(at)));
            match fired {
                Ok((life, _)) => self.life = life,
                Err(Refused::NotNow) => {
                    done.push("passed".to_owned());
                    self.life = timer::pass(&self.life, self.procedure.workflow.transition(&name).unwrap());
                }
                Err(refused) => panic!("{name}: {refused:?}"),
            }
        }
        done
    }

    fn legal(&self) -> Option<jiff::civil::Date> {
        legal_end(&self.procedure, &self.life, self.cx(self.life.submitted))
    }
}

/// `2026-03-02`: at ten in Paris, or nearly.
fn moment(text: &str) -> Timestamp {
    format!("{text}T09:00:00Z").parse().unwrap()
}

#[test]
fn a_condition_on_the_answers_holds_a_transition_back() {
    let mut case = Case::sent("2026-03-02");
    let wish = |case: &mut Case| case.step("big", Actor::Processor, "2026-03-03", Given::default());
    assert_eq!(wish(&mut case), Err(Refused::NotNow), "unanswered is false");
    case.known.insert("surface".to_owned(), Value::Number(20.into()));
    assert_eq!(wish(&mut case), Err(Refused::NotNow));
    case.known.insert("surface".to_owned(), Value::Number(21.into()));
    assert_eq!(wish(&mut case), Ok(()));
}

#[test]
fn reminders_then_the_end_of_the_time_given() {
    let mut case = Case::sent("2026-01-28");
    case.ask("2026-01-31", date(2026, 4, 7));
    // A month after 31 January is the 28th of February, two are the 31st of March; Easter Monday is no working day.
    assert_eq!(case.tick("2026-02-28"), [""; 0]);
    assert_eq!(case.tick("2026-03-01"), ["remind 2026-03-01 00:00:00"]);
    assert_eq!(case.tick("2026-03-02"), [""; 0], "once");
    // Down for weeks: each at its own moment, in order.
    assert_eq!(
        case.tick("2026-05-11"),
        ["remind 2026-04-01 00:00:00", "last 2026-04-01 00:00:00", "lapse 2026-04-08 00:00:00"]
    );
    assert_eq!(
        (case.life.state.as_str(), case.day(case.life.ended.unwrap())),
        ("closed", "2026-04-08 00:00:00".to_owned())
    );
    assert_eq!(timer::wake(&case.life.clocks.timers), None);
}

#[test]
fn who_answers_in_time_stops_the_timers_and_who_is_asked_again_has_new_ones() {
    let mut case = Case::sent("2026-03-02");
    case.ask("2026-03-02", date(2026, 3, 20));
    case.ask("2026-03-18", date(2026, 4, 20));
    assert_eq!(case.tick("2026-04-03"), [""; 0]);
    case.answer("2026-04-03");
    assert_eq!(case.tick("2026-04-30"), [""; 0]);
}

#[test]
fn no_timer_before_its_moment_nor_after_it_fired() {
    let mut case = Case::sent("2026-03-02");
    case.ask("2026-03-02", date(2026, 3, 20));
    let wish = |case: &mut Case, at: &str| case.step("lapse", Actor::System, at, Given::default());
    assert_eq!(wish(&mut case, "2026-03-20"), Err(Refused::NotDue));
    assert_eq!(wish(&mut case, "2026-03-21"), Ok(()));
    assert_eq!(wish(&mut case, "2026-03-21"), Err(Refused::NotFromHere));
}

#[test]
fn a_timer_whose_condition_does_not_hold_passes() {
    let mut case = Case::sent("2026-03-02");
    assert_eq!(case.tick("2026-06-01"), ["late 2026-05-03 00:00:00", "passed"]);
    assert_eq!(case.tick("2026-07-01"), [""; 0]);
}

#[test]
fn a_changed_calendar_gives_other_moments_and_forgets_nothing() {
    let mut case = Case::sent("2026-03-02");
    case.ask("2026-03-02", date(2026, 5, 6));
    assert_eq!(case.tick("2026-04-06"), ["remind 2026-04-03 00:00:00"]);
    let at = |case: &Case, name: &str| {
        let timer = case.life.clocks.timers.iter().find(|timer| timer.transition == name).unwrap();
        timer.at.map(|at| case.day(at))
    };
    assert_eq!(at(&case, "last").unwrap(), "2026-04-30 00:00:00");
    case.calendar.closed.insert(date(2026, 4, 30));
    case.life = step::recount(&case.procedure, &case.life, case.cx(moment("2026-04-06")));
    assert_eq!(at(&case, "last").unwrap(), "2026-04-29 00:00:00");
    assert_eq!(at(&case, "remind").unwrap(), "2026-05-03 00:00:00", "the second, and not the first again");
}

/// CRPA L114-5, protocols §9.2: « est suspendu pendant le délai imparti », « la production de ces pièces avant
/// l'expiration du délai fixé met fin à cette suspension ».
#[test]
fn silence_that_rejects_stands_still_for_the_time_given_at_most() {
    let mut case = Case::sent("2026-03-02");
    assert_eq!(case.legal(), Some(date(2026, 5, 2)));
    case.ask("2026-03-10", date(2026, 3, 20));
    assert_eq!(case.legal(), Some(date(2026, 5, 12)), "as if it lasted for all of the time given");
    let asked = case.life.clone();
    case.answer("2026-03-14");
    assert_eq!(case.legal(), Some(date(2026, 5, 6)), "four days: it runs again as soon as they answer");
    assert_eq!(case.day(case.life.due), "2026-03-21 23:59:59");
    case.life = asked;
    case.answer("2026-04-10");
    assert_eq!(case.legal(), Some(date(2026, 5, 12)), "ten days: late pieces do not hold it any longer");
    assert_eq!(case.day(case.life.due), "2026-04-17 23:59:59", "the department waited for a month");
}

/// CRPA L114-5, protocols §9.2: « ne court qu'à compter de la réception des pièces et informations requises ».
#[test]
fn silence_that_accepts_starts_when_the_last_pieces_came() {
    let mut case = Case::sent("2026-03-02");
    case.procedure.legal.as_mut().unwrap().silence = Silence::Acceptation;
    case.ask("2026-03-03", date(2026, 3, 31));
    assert_eq!(case.legal(), None);
    case.answer("2026-03-20");
    assert_eq!(case.legal(), None, "nobody said that it is complete");
    case.step("mark-complete", Actor::Processor, "2026-03-27", Given::default()).unwrap();
    assert_eq!(case.legal(), Some(date(2026, 5, 20)), "from the day on which they came, not on which they were read");
    case.ask("2026-04-01", date(2026, 4, 11));
    case.answer("2026-04-04");
    assert_eq!(case.legal(), Some(date(2026, 5, 23)));
}

#[test]
fn without_meaning_silence_has_no_end() {
    let mut case = Case::sent("2026-03-02");
    case.procedure.legal.as_mut().unwrap().silence = Silence::None;
    assert_eq!(case.legal(), None);
}

#[test]
fn what_waits_for_opinions_fires_when_the_last_is_given_and_waits_again_for_another() {
    let mut case = Case::sent("2026-03-02");
    case.step("consult", Actor::Processor, "2026-03-03", Given::default()).unwrap();
    let given = |case: &mut Case, awaited: usize, at: &str| {
        case.life = step::consulted(&case.procedure, &case.life, awaited, case.cx(moment(at)));
    };
    assert_eq!(case.tick("2026-06-01"), Vec::<String>::new(), "not while one is awaited");
    given(&mut case, 1, "2026-03-04");
    assert_eq!(case.tick("2026-06-01"), Vec::<String>::new());
    given(&mut case, 0, "2026-03-05");
    // Asked once more before the platform looked: it waits again.
    case.step("consult", Actor::Processor, "2026-03-05", Given::default()).unwrap();
    assert_eq!(case.tick("2026-03-06"), Vec::<String>::new());
    given(&mut case, 0, "2026-03-06");
    assert_eq!(case.tick("2026-03-06"), ["told 2026-03-06 10:00:00"], "at that moment, not the morning after");
    assert_eq!(case.life.state, "complete");
    // An opinion that comes late finds nothing that waits.
    given(&mut case, 0, "2026-03-07");
    assert_eq!(case.tick("2026-03-08"), Vec::<String>::new());
}

#[test]
fn a_rule_assigns_and_values_are_set() {
    let mut case = Case::sent("2026-03-02");
    let mut effects = |surface: Option<i64>| {
        case.known = surface.map(|surface| ("surface".to_owned(), Value::Number(surface.into()))).into_iter().collect();
        let cx = case.cx(moment("2026-03-03"));
        step::step(&case.procedure, &case.life, "size", Actor::Processor, Given::default(), cx).unwrap().1
    };
    let set = |json: serde_json::Value| Effect::Set(json.as_object().unwrap().clone());
    assert_eq!(
        effects(Some(30)),
        [
            Effect::Assign(Assignee::Agent("nadia@valmont.example".to_owned())),
            set(serde_json::json!({"prix": 7500, "suite": "visite"}))
        ]
    );
    // What is no answer to its question is not set.
    assert_eq!(effects(Some(15)), [Effect::Assign(Assignee::Turn), set(serde_json::json!({"prix": 3750}))]);
    // Nobody answers to a rule that does not hold, nor is anything set from what is unknown.
    assert_eq!(effects(Some(5)), [set(serde_json::json!({"prix": 1250}))]);
    assert_eq!(effects(None), []);
}

impl Case {
    /// Complete, and proposed to those who approve.
    fn proposed() -> Self {
        let mut case = Self::sent("2026-11-02");
        case.step("mark-complete", Actor::Processor, "2026-11-03", Given::default()).unwrap();
        case.step("propose", Actor::Processor, "2026-11-04", Given::default()).unwrap();
        case
    }

    fn settle(&mut self, outcome: Outcome, at: &str) {
        self.life = step::approved(&self.procedure, &self.life, outcome, self.cx(moment(at)));
    }

    fn outcome(&self) -> Option<Outcome> {
        self.life.clocks.approval.as_ref().map(|circuit| circuit.outcome)
    }

    fn effects(&self, transition: &str, given: Given) -> Vec<Effect> {
        let cx = self.cx(moment("2026-11-06"));
        step::step(&self.procedure, &self.life, transition, Actor::Decider, given, cx).unwrap().1
    }
}

#[test]
fn what_waits_for_approvals_comes_after_the_last() {
    let mut case = Case::proposed();
    let (at, given) = ("2026-11-06", Given::default());
    assert_eq!(case.step("grant", Actor::Decider, at, given), Err(Refused::NotApproved));
    case.settle(Outcome::Open, "2026-11-05");
    assert_eq!(case.step("grant", Actor::Decider, at, given), Err(Refused::NotApproved));
    assert_eq!(case.step("declined", Actor::System, at, given), Err(Refused::NotDue));
    case.settle(Outcome::Approved, "2026-11-05");
    case.step("grant", Actor::Decider, at, given).unwrap();
    assert_eq!(case.life.state, "closed");
}

#[test]
fn a_refusal_to_approve_brings_the_request_back_at_once() {
    let mut case = Case::proposed();
    case.settle(Outcome::Declined, "2026-11-05");
    assert_eq!(timer::wake(&case.life.clocks.timers), Some(moment("2026-11-05")));
    case.step("declined", Actor::System, "2026-11-05", Given::default()).unwrap();
    assert_eq!(case.life.state, "complete");
    assert_eq!(case.step("grant", Actor::Decider, "2026-11-06", Given::default()), Err(Refused::NotApproved));
}

#[test]
fn approvals_count_for_what_was_shown_and_while_they_are_awaited() {
    let changes = Given { changes: true, ..Given::default() };
    let mut case = Case::proposed();
    assert_eq!(case.effects("recall", Given::default()), [Effect::Recall]);
    assert_eq!(case.effects("weigh", Given::default()), []);
    assert_eq!(case.effects("weigh", changes), [Effect::Void]);
    case.step("weigh", Actor::Processor, "2026-11-05", changes).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Void));
    assert_eq!(timer::wake(&case.life.clocks.timers), Some(moment("2026-11-05")), "nobody waits for ever");

    // Approved, taken back, changed.
    let mut case = Case::proposed();
    case.settle(Outcome::Approved, "2026-11-05");
    case.step("recall", Actor::Processor, "2026-11-06", Given::default()).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    case.ask("2026-11-07", date(2026, 11, 20));
    case.step("answer", Actor::Usager, "2026-11-08", changes).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Void));
    case.step("mark-complete", Actor::Processor, "2026-11-09", Given::default()).unwrap();
    assert_eq!(case.step("grant", Actor::Decider, "2026-11-10", Given::default()), Err(Refused::NotApproved));
    case.step("propose", Actor::Processor, "2026-11-11", changes).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Open), "asked anew, with what was just answered");
}
