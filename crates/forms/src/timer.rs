//! Timers: when the platform fires a transition by itself. Everything is computed from where a request
//! stands and from the calendar, so that a calendar which changes gives new moments.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    due::{legal_end, start_of},
    model::{Delay, Procedure},
    step::{Actor, Context, Life, Outcome},
    workflow::{After, Origin, Transition},
};

/// A timer of the state in which a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub transition: String,
    /// None: it fired as often as it may, or what it counts from has not happened.
    pub at: Option<Timestamp>,
    /// How often it fired since the request came into its state.
    pub fired: u32,
}

/// The timers of `life` in its state; those that its own list says have fired keep their count.
pub fn timers(procedure: &Procedure, life: &Life, cx: Context<'_>) -> Vec<Timer> {
    let offered = procedure.workflow.offered(&life.state, Actor::System);
    offered
        .filter_map(|transition| {
            let after = transition.after?;
            let known = life.clocks.timers.iter().find(|timer| timer.transition == transition.id);
            let fired = known.map_or(0, |timer| timer.fired);
            let at = (fired < transition.times).then(|| moment(after, fired, procedure, life, cx)).flatten();
            Some(Timer { transition: transition.id.clone(), at, fired })
        })
        .collect()
}

/// When the platform has to look at the request again.
pub fn wake(timers: &[Timer]) -> Option<Timestamp> {
    timers.iter().filter_map(|timer| timer.at).min()
}

/// The timer that is due first, if one is at `now`; of two at one moment, the first of the file.
pub fn due(life: &Life, now: Timestamp) -> Option<(&Timer, Timestamp)> {
    let armed = life.clocks.timers.iter().filter_map(|timer| Some((timer, timer.at?)));
    armed.filter(|(_, at)| *at <= now).min_by_key(|(_, at)| *at)
}

/// The same life without this timer until the request comes into its state anew: its condition did not
/// hold at its moment.
pub fn pass(life: &Life, transition: &Transition) -> Life {
    let mut next = life.clone();
    for timer in next.clocks.timers.iter_mut().filter(|timer| timer.transition == transition.id) {
        (timer.fired, timer.at) = (transition.times, None);
    }
    next
}

/// Never before the request came into its state.
fn moment(after: After, fired: u32, procedure: &Procedure, life: &Life, cx: Context<'_>) -> Option<Timestamp> {
    let entered = life.entered();
    let from = origin(after.origin, procedure, life, cx)?;
    let at = match after.delay {
        None if after.origin == Origin::Entry => entered,
        // What was waited for has come: not the morning after.
        None if after.origin.is_event() => event(after.origin, life)?,
        None => start_of(from.tomorrow().ok()?, cx.zone)?,
        Some(delay) if after.before => start_of(cx.calendar.before(from, delay), cx.zone)?,
        Some(delay) => {
            // The second reminder counts from the same day as the first, twice as long: months keep their end.
            let count = delay.count.saturating_mul(fired.saturating_add(1));
            start_of(cx.calendar.after(from, Delay { count, ..delay }).tomorrow().ok()?, cx.zone)?
        }
    };
    Some(at.max(entered))
}

fn origin(origin: Origin, procedure: &Procedure, life: &Life, cx: Context<'_>) -> Option<Date> {
    match origin {
        Origin::Entry => Some(cx.day(life.entered())),
        Origin::Sent => Some(cx.day(life.submitted)),
        Origin::Complete => life.completed.map(|completed| cx.day(completed)),
        // While the usager is expected to complete, nobody knows when an answer will be due.
        Origin::Due => life.suspended.is_none().then(|| cx.day(life.due)),
        Origin::Legal => legal_end(procedure, life, cx),
        Origin::Until => life.clocks.until,
        Origin::Opinions | Origin::Approved | Origin::Declined => event(origin, life).map(|at| cx.day(at)),
    }
}

/// When what nobody can tell before happened.
fn event(origin: Origin, life: &Life) -> Option<Timestamp> {
    let settled = |outcomes: &[Outcome]| {
        life.clocks.approval.as_ref().filter(|circuit| outcomes.contains(&circuit.outcome)).map(|circuit| circuit.at)
    };
    match origin {
        Origin::Opinions => life.clocks.consulted,
        Origin::Approved => settled(&[Outcome::Approved]),
        Origin::Declined => settled(&[Outcome::Declined, Outcome::Void]),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
