//! One step in the life of a request: who wants which transition, is it allowed, what follows.
//! Pure: the application stores the result, the event and the effects in one transaction.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    answers::Answers,
    calendar::Calendar,
    due::{due, mark_complete, suspend_or_resume},
    expr::{Env, Value},
    model::Procedure,
    timer::{self, Timer},
    workflow::{Action, Assignee, Need, State, Transition, Who, Workflow},
};

/// Where a request stands. Stored beside it; never rebuilt from events by newer code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    pub state: String,
    pub submitted: Timestamp,
    /// When somebody should have answered: the promised delay, or the legal one when it ends sooner.
    pub due: Timestamp,
    /// Since when the usager is expected to complete, while they are.
    pub suspended: Option<Timestamp>,
    /// When the file became complete: the last pieces had come, and an agent declared it so.
    pub completed: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub held: bool,
    pub clocks: Clocks,
}

/// What the clocks of a request count with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clocks {
    /// When it came into its state; none: when it was sent.
    pub entered: Option<Timestamp>,
    /// When the usager last sent something; none: when the request was sent.
    pub received: Option<Timestamp>,
    /// Last day to complete, while the usager is expected to.
    pub until: Option<Date>,
    /// Days for which the usager was waited for: the promised delay is longer by as much.
    pub waited: i32,
    /// Of those, days that they had been given: only these lengthen the legal delay (CRPA L114-5).
    pub given: i32,
    /// When the last of the opinions that were asked was given; none while one is awaited, or when none was asked.
    pub consulted: Option<Timestamp>,
    /// The latest circuit of approvals; none when none was opened, or when it was taken back.
    pub approval: Option<Circuit>,
    pub timers: Vec<Timer>,
}

/// Where a circuit of approvals stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Its name in the workflow.
    pub id: String,
    pub outcome: Outcome,
    /// Since when.
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Open,
    Approved,
    Declined,
    /// What was to be approved, or was, has changed.
    Void,
}

impl Life {
    pub fn entered(&self) -> Timestamp {
        self.clocks.entered.unwrap_or(self.submitted)
    }

    fn circuit(&self, outcome: Outcome) -> Option<&Circuit> {
        self.clocks.approval.as_ref().filter(|circuit| circuit.outcome == outcome)
    }
}

/// Who acts, and what they may do on this very request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    Usager,
    Reader,
    Processor,
    Decider,
    System,
}

/// What was given along with the wish.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given {
    pub message: bool,
    pub asks: bool,
    pub ground: bool,
    pub facts: bool,
    pub appeal: bool,
    /// Other answers or pieces of the usager, or answers of an agent.
    pub changes: bool,
    /// Last day to complete what is asked.
    pub until: Option<Date>,
}

#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// For a timer, the moment at which it was due.
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    pub calendar: &'a Calendar,
    /// The answers, as conditions see them.
    pub known: &'a BTreeMap<String, Value>,
}

impl Context<'_> {
    /// The local day of a moment.
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the usager, with this message.
    Notify(String),
    /// Make the letter that came with the wish.
    Letter,
    /// Render the receipt.
    Receipt,
    /// The actor becomes the holder.
    Hold,
    /// Nobody holds the request any more.
    LetGo,
    /// Ask this opinion of the workflow.
    Opinion(String),
    /// Call this application of the workflow.
    Webhook(String),
    /// Open this circuit of approvals.
    Approval(String),
    /// Offer the usager to go on with this other procedure.
    Start(String),
    /// Nobody has to approve any more.
    Recall,
    /// What was to be approved, or was, has changed: its approvals count for nothing.
    Void,
    /// Give the request to this department.
    Move(String),
    /// Give the request to somebody.
    Assign(Assignee),
    /// These are the latest answers to questions of agents' forms.
    Set(Answers),
    /// Erase this answer or piece.
    Erase(String),
}

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No such transition.
    Unknown,
    /// The request is no longer in a state from which it leaves: somebody was faster.
    NotFromHere,
    /// Not for this actor.
    NotYours,
    /// Its condition on the answers does not hold.
    NotNow,
    /// A timer before its moment, or one that fired already.
    NotDue,
    /// The circuit of approvals that it waits for has not approved.
    NotApproved,
    /// Something that the law or the circuit wants is missing.
    Missing(Need),
}

impl Workflow {
    pub fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().find(|state| state.id == id)
    }

    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions.iter().find(|transition| transition.id == id)
    }

    /// The transitions that `actor` may fire from `state`, in the order of the file.
    pub fn offered<'a>(&'a self, state: &'a str, actor: Actor) -> impl Iterator<Item = &'a Transition> {
        self.transitions
            .iter()
            .filter(move |transition| transition.from.iter().any(|from| from == state) && transition.who.admits(actor))
    }
}

impl Transition {
    /// Whether its condition holds; it does when there is none.
    pub fn holds(&self, cx: Context<'_>) -> bool {
        let env = Env { today: cx.day(cx.now), names: cx.known, row: None };
        self.when.as_ref().is_none_or(|when| when.holds(&env))
    }

    /// Whether the circuit of approvals that it waits for has approved; it waits for none most often.
    pub fn is_approved(&self, life: &Life) -> bool {
        let approved = life.circuit(Outcome::Approved);
        self.approved.as_ref().is_none_or(|wanted| approved.is_some_and(|circuit| circuit.id == *wanted))
    }

    /// Whether the request's clock allows it: always, unless it is a timer.
    fn is_due(&self, life: &Life, cx: Context<'_>) -> bool {
        let armed = || life.clocks.timers.iter().find(|timer| timer.transition == self.id);
        self.after.is_none() || armed().and_then(|timer| timer.at).is_some_and(|at| at <= cx.now)
    }
}

impl Who {
    pub fn admits(self, actor: Actor) -> bool {
        match self {
            Self::Usager => actor == Actor::Usager,
            Self::System => actor == Actor::System,
            Self::Process => matches!(actor, Actor::Processor | Actor::Decider),
            Self::Decide => actor == Actor::Decider,
        }
    }
}

/// A request at the moment it is sent.
pub fn begin(procedure: &Procedure, cx: Context<'_>) -> Life {
    let mut life = Life {
        state: procedure.workflow.initial.clone(),
        submitted: cx.now,
        due: cx.now,
        suspended: None,
        completed: None,
        ended: None,
        held: false,
        clocks: Clocks::default(),
    };
    life.due = due(procedure, &life, cx);
    life
}

/// Fires a transition.
///
/// # Errors
/// [`Refused`]: nothing changes.
pub fn step(
    procedure: &Procedure,
    life: &Life,
    transition: &str,
    actor: Actor,
    given: Given,
    cx: Context<'_>,
) -> Result<(Life, Vec<Effect>), Refused> {
    let workflow = &procedure.workflow;
    let transition = workflow.transition(transition).ok_or(Refused::Unknown)?;
    if !transition.who.admits(actor) {
        return Err(Refused::NotYours);
    }
    if !transition.from.contains(&life.state) {
        return Err(Refused::NotFromHere);
    }
    if !transition.holds(cx) {
        return Err(Refused::NotNow);
    }
    if !transition.is_due(life, cx) {
        return Err(Refused::NotDue);
    }
    if !transition.is_approved(life) {
        return Err(Refused::NotApproved);
    }
    if let Some(missing) = transition.needs.iter().find(|need| !given.satisfies(**need)) {
        return Err(Refused::Missing(*missing));
    }
    let to = workflow.state(&transition.to).ok_or(Refused::Unknown)?;
    let mut next = Life { state: to.id.clone(), ..life.clone() };
    let mut effects = Vec::new();
    for action in &transition.does {
        match action {
            Action::Notify(message) => effects.push(Effect::Notify(message.clone())),
            Action::Letter(_) => effects.push(Effect::Letter),
            Action::Receipt => effects.push(Effect::Receipt),
            Action::TakeCharge => (next.held, _) = (true, effects.push(Effect::Hold)),
            Action::Release => (next.held, _) = (false, effects.push(Effect::LetGo)),
            Action::MarkComplete => mark_complete(procedure, &mut next, cx),
            Action::Opinion(id) => {
                next.clocks.consulted = None;
                effects.push(Effect::Opinion(id.clone()));
            }
            Action::Webhook(id) => effects.push(Effect::Webhook(id.clone())),
            Action::Approval(id) => effects.push(Effect::Approval(id.clone())),
            Action::Start(id) => effects.push(Effect::Start(id.clone())),
            Action::Erase(id) => effects.push(Effect::Erase(id.clone())),
        }
    }
    effects.extend(transition.mover(cx).map(Effect::Move));
    effects.extend(transition.assignee(cx).map(Effect::Assign));
    let set = workflow.set(transition, cx);
    let sets = !set.is_empty();
    if sets {
        effects.push(Effect::Set(set));
    }
    next.ended = to.end.then_some(life.ended.unwrap_or(cx.now));
    circuit(transition, &mut next, life, given.changes || sets, &mut effects, cx);
    if actor == Actor::Usager {
        next.clocks.received = Some(cx.now);
    }
    suspend_or_resume(&mut next, to.status, given.until, cx);
    next.due = due(procedure, &next, cx);
    if actor == Actor::System && to.id == life.state {
        for timer in next.clocks.timers.iter_mut().filter(|timer| timer.transition == transition.id) {
            timer.fired = timer.fired.saturating_add(1);
        }
    } else {
        // A person's deed that stays in the state starts its timers anew: what is asked again is waited for again.
        next.clocks.entered = Some(cx.now);
        next.clocks.timers.clear();
    }
    next.clocks.timers = timer::timers(procedure, &next, cx);
    Ok((next, effects))
}

/// The same request under a calendar that changed: what is due, and the open timers.
pub fn recount(procedure: &Procedure, life: &Life, cx: Context<'_>) -> Life {
    let mut next = life.clone();
    next.due = due(procedure, &next, cx);
    next.clocks.timers = timer::timers(procedure, &next, cx);
    next
}

/// The same request after an opinion was asked, given or given up: so many are still `awaited`.
pub fn consulted(procedure: &Procedure, life: &Life, awaited: usize, cx: Context<'_>) -> Life {
    let mut next = life.clone();
    next.clocks.consulted = (awaited == 0).then_some(cx.now);
    next.clocks.timers = timer::timers(procedure, &next, cx);
    next
}

/// The same request after somebody approved or refused to.
pub fn approved(procedure: &Procedure, life: &Life, outcome: Outcome, cx: Context<'_>) -> Life {
    let mut next = life.clone();
    if let Some(circuit) = next.clocks.approval.as_mut().filter(|_| outcome != Outcome::Open) {
        (circuit.outcome, circuit.at) = (outcome, cx.now);
    }
    next.clocks.timers = timer::timers(procedure, &next, cx);
    next
}

/// What a transition makes of circuits of approvals. One at a time: another takes the place of the one before. It
/// ends with the stay of the request in the state that waits for it, and approves nothing but what it was shown.
fn circuit(
    transition: &Transition,
    next: &mut Life,
    life: &Life,
    changes: bool,
    effects: &mut Vec<Effect>,
    cx: Context<'_>,
) {
    let open = life.circuit(Outcome::Open).is_some();
    if let Some(id) = transition.opens() {
        if open {
            effects.push(Effect::Recall);
        }
        next.clocks.approval = Some(Circuit { id: id.to_owned(), outcome: Outcome::Open, at: cx.now });
    } else if open && next.state != life.state {
        next.clocks.approval = None;
        effects.push(Effect::Recall);
    } else if life.ended.is_some() && next.ended.is_none() {
        // What was approved was decided: taken up again, a request is decided anew.
        next.clocks.approval = None;
    } else if changes
        && let Some(circuit) = next.clocks.approval.as_mut()
        && matches!(circuit.outcome, Outcome::Open | Outcome::Approved)
    {
        (circuit.outcome, circuit.at) = (Outcome::Void, cx.now);
        effects.push(Effect::Void);
    }
}

impl Given {
    fn satisfies(self, need: Need) -> bool {
        match need {
            Need::Message => self.message,
            Need::Ask => self.asks,
            Need::Decision => true,
            Need::Refusal => self.ground && self.facts && self.appeal,
        }
    }
}
