//! One step in the life of a request: who wants which transition, is it allowed, what follows.
//! Pure: the application stores the result, the event and the effects in one transaction.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    calendar,
    model::{Procedure, Silence},
    workflow::{Action, Need, State, Status, Transition, Who, Workflow},
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
    /// When the file was declared complete.
    pub completed: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub held: bool,
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
}

#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the usager, with this message.
    Notify(String),
    /// Render the receipt.
    Receipt,
    /// The actor becomes the holder.
    Hold,
    /// Nobody holds the request any more.
    LetGo,
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
    if let Some(missing) = transition.needs.iter().find(|need| !given.satisfies(**need)) {
        return Err(Refused::Missing(*missing));
    }
    let to = workflow.state(&transition.to).ok_or(Refused::Unknown)?;
    let mut next = Life { state: to.id.clone(), ..life.clone() };
    let mut effects = Vec::new();
    for action in &transition.does {
        match action {
            Action::Notify(message) => effects.push(Effect::Notify(message.clone())),
            Action::Receipt => effects.push(Effect::Receipt),
            Action::TakeCharge => (next.held, _) = (true, effects.push(Effect::Hold)),
            Action::Release => (next.held, _) = (false, effects.push(Effect::LetGo)),
            Action::MarkComplete => next.completed = next.completed.or(Some(cx.now)),
        }
    }
    next.ended = to.end.then_some(life.ended.unwrap_or(cx.now));
    suspend_or_resume(procedure, &mut next, to.status, cx);
    if next.completed != life.completed {
        next.due = due(procedure, &next, cx);
    }
    Ok((next, effects))
}

/// While the usager is expected to complete, the delay stands still (CRPA L114-5); it runs again as
/// soon as they answer.
fn suspend_or_resume(procedure: &Procedure, life: &mut Life, status: Status, cx: Context<'_>) {
    let waits = status == Status::ActionNeeded;
    match (life.suspended, waits) {
        (None, true) => life.suspended = Some(cx.now),
        (Some(since), false) => {
            life.suspended = None;
            // Silence = acceptation restarts from completeness instead: `due` does it.
            if procedure
                .legal
                .as_ref()
                .is_none_or(|legal| legal.silence != Silence::Acceptation || life.completed.is_some())
            {
                life.due = life.due.checked_add(cx.now.duration_since(since)).unwrap_or(life.due);
            }
        }
        _ => {}
    }
}

/// End of the promised delay, or of the legal one when it comes first. Where silence means
/// acceptation, the legal delay starts when the file is complete; elsewhere when it is sent.
fn due(procedure: &Procedure, life: &Life, cx: Context<'_>) -> Timestamp {
    let day = |at: Timestamp| at.to_zoned(cx.zone.clone()).date();
    let promised = calendar::after(day(life.submitted), procedure.delay);
    let legal = procedure.legal.as_ref().and_then(|legal| match legal.silence {
        Silence::Acceptation => life.completed.map(|completed| calendar::after(day(completed), legal.delay)),
        Silence::Rejet => Some(calendar::after(day(life.submitted), legal.delay)),
        Silence::None => None,
    });
    end_of(legal.map_or(promised, |legal| legal.min(promised)), cx.zone, life.submitted)
}

/// The last second of a local day.
fn end_of(day: Date, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    day.at(23, 59, 59, 0).to_zoned(zone.clone()).map_or(otherwise, |zoned| zoned.timestamp())
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
