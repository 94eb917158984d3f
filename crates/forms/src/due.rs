//! When a request is due: the promised delay and the legal one, which stand still while the usager completes.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    model::{Delay, Procedure, Silence},
    step::{Context, Life},
    workflow::Status,
};

/// « Le délai […] réputée acceptée ne court qu'à compter de la réception des pièces et informations requises »
/// (CRPA L114-5): from the day on which the last came, not from the day on which an agent saw that they had.
pub fn mark_complete(procedure: &Procedure, life: &mut Life, cx: Context<'_>) {
    if life.completed.is_some() {
        return;
    }
    // Declared while the usager was waited for: what was missing came some other way, just now.
    let received = life.clocks.received.unwrap_or(life.submitted);
    life.completed = Some(if life.suspended.is_some() { cx.now } else { received });
    if procedure.legal.as_ref().is_some_and(|legal| legal.silence == Silence::Acceptation) {
        // The delay begins now: what was waited for before does not lengthen it.
        life.clocks.given = 0;
    }
}

/// While the usager is expected to complete, the delay stands still, for the time that they were given at most;
/// it runs again as soon as they answer (CRPA L114-5).
pub fn suspend_or_resume(life: &mut Life, status: Status, until: Option<Date>, cx: Context<'_>) {
    let waits = status == Status::ActionNeeded;
    match (life.suspended, waits) {
        (None, true) => (life.suspended, life.clocks.until) = (Some(cx.now), until),
        // Asked again before they answered.
        (Some(_), true) => life.clocks.until = until.or(life.clocks.until),
        (Some(since), false) => {
            let (from, to) = (cx.day(since), cx.day(cx.now));
            life.clocks.waited = life.clocks.waited.saturating_add(days(from, to));
            let given = life.clocks.until.map_or(to, |until| until.min(to));
            life.clocks.given = life.clocks.given.saturating_add(days(from, given));
            (life.suspended, life.clocks.until) = (None, None);
        }
        (None, false) => {}
    }
}

/// Whole local days, never less than none.
fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days().max(0)
}

/// End of the promised delay, or of the legal one when it comes first.
pub fn due(procedure: &Procedure, life: &Life, cx: Context<'_>) -> Timestamp {
    let promised = later(cx.calendar.after(cx.day(life.submitted), procedure.delay), life.clocks.waited);
    let legal = legal_start(procedure, life)
        .map(|(start, delay)| later(cx.calendar.after(cx.day(start), delay), life.clocks.given));
    end_of(legal.map_or(promised, |legal| legal.min(promised)), cx.zone, life.submitted)
}

/// Last day of the legal delay, when silence takes its effect. None as long as it has not begun, while nobody
/// knows how long it will stand still, or when silence means nothing.
///
/// CRPA L114-5, protocols §9.2, two rules: where silence means acceptation, the delay begins when the file is
/// complete; where it means rejection, it begins with the request and stands still for the time that the usager
/// is given to complete, and no longer.
pub fn legal_end(procedure: &Procedure, life: &Life, cx: Context<'_>) -> Option<Date> {
    let (start, delay) = legal_start(procedure, life)?;
    let end = later(cx.calendar.after(cx.day(start), delay), life.clocks.given);
    match (life.suspended, life.clocks.until) {
        (None, _) => Some(end),
        (Some(since), Some(until)) => Some(later(end, days(cx.day(since), until))),
        (Some(_), None) => None,
    }
}

fn legal_start(procedure: &Procedure, life: &Life) -> Option<(Timestamp, Delay)> {
    let legal = procedure.legal.as_ref()?;
    let start = match legal.silence {
        Silence::Acceptation => life.completed?,
        Silence::Rejet => life.submitted,
        Silence::None => return None,
    };
    Some((start, legal.delay))
}

fn later(day: Date, days: i32) -> Date {
    day.checked_add(Span::new().days(days)).unwrap_or(Date::MAX)
}

/// The last second of a local day.
fn end_of(day: Date, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    day.at(23, 59, 59, 0).to_zoned(zone.clone()).map_or(otherwise, |zoned| zoned.timestamp())
}

/// The first moment of a local day.
pub fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}
