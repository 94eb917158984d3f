//! Carrying out timers: what the platform does by itself when its moment comes, and what a changed calendar
//! makes of the moments to come.

use anyhow::Result;
use forms::{
    calendar::Calendar,
    model::Procedure,
    step::{self, Actor, Context},
    timer,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    fire::{self, By, With},
    model::{self, Request},
    store::{self, Entry},
};
use crate::{app::App, authorities, catalogue, visit::Visit, work};

/// Open requests read at once.
const OPEN: i64 = 50;
/// The code, in the history, of what a changed calendar moved.
pub const CALENDAR: &str = "calendar";

/// Fires all that is due, of every authority; gives how many.
pub async fn tick(app: &App) -> Result<usize> {
    let mut fired = 0;
    for authority in authorities::all(&app.db).await? {
        fired += tick_one(app, authority).await?;
    }
    Ok(fired)
}

/// The same for one authority. A request may have several timers due, after a stop: passes follow each other
/// until one fires nothing.
async fn tick_one(app: &App, authority: Uuid) -> Result<usize> {
    let visit = work::visit(app, authority).await?;
    let mut total = 0;
    loop {
        let (mut fired, mut last) = (0, (Timestamp::UNIX_EPOCH, Uuid::nil()));
        loop {
            let due = store::woken(&visit.db, visit.now, last).await?;
            let Some(end) = due.last() else { break };
            last = *end;
            for (_, id) in &due {
                match one(&visit, *id).await {
                    Ok(done) => fired += usize::from(done),
                    // One that cannot be fired does not hold up those that can.
                    Err(error) => tracing::error!(request = %id, error = format!("{error:#}"), "timer failed"),
                }
            }
        }
        total += fired;
        if fired == 0 {
            if total > 0 {
                app.work.notify_one();
            }
            return Ok(total);
        }
    }
}

/// Fires the first timer due of one request, at the moment when it was due. False when there is nothing to do
/// any more, or when somebody was faster: another worker, or a person.
async fn one(visit: &Visit, id: Uuid) -> Result<bool> {
    let Some(request) = store::find(&visit.db, id).await? else { return Ok(false) };
    let life = request.life();
    let Some((due, at)) = timer::due(&life, visit.now) else { return Ok(false) };
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let Some(transition) = procedure.workflow.transition(&due.transition) else {
        anyhow::bail!("no transition {}", due.transition);
    };
    let then = Visit { now: at, ..visit.clone() };
    let known = fire::known(&procedure, &request.answers.0, &request.given.0);
    if !transition.holds(fire::context(&then, &known)) {
        let next = timer::pass(&life, transition);
        return keep(visit, &procedure, &request, &next, None).await;
    }
    let (by, with) = (
        By { actor: Actor::System, account: None, acted: None },
        With { message: transition.says.as_deref(), ..With::default() },
    );
    let fired = fire::decide(&then, &procedure, &request, &transition.id, by, &with)
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    Ok(visit.db.write(async |tx: &mut db::Tx| fired.store(tx).await).await?)
}

/// Stores clocks that changed without a transition; `traced` is the code of the history's entry.
async fn keep(
    visit: &Visit,
    procedure: &Procedure,
    request: &Request,
    next: &step::Life,
    traced: Option<&str>,
) -> Result<bool> {
    let status = request.state_of(procedure).map_or("in-progress", |state| model::status_name(state.status));
    let now = visit.now;
    let stored = visit
        .db
        .write(async |tx: &mut db::Tx| {
            if !store::advance(tx, request, next, status, request.archive_at, request.updated_at).await? {
                return Ok(false);
            }
            if let Some(code) = traced {
                let entry =
                    Entry { actor: "system", actor_id: None, code, from: None, to: None, subject: None, acted: None };
                store::record(tx, request.id, &entry, now).await?;
            }
            Ok::<bool, db::Error>(true)
        })
        .await?;
    Ok(stored)
}

/// Counts again what is due and the open timers of every request that is not ended, under the authority's
/// present calendar; gives how many moved. Each that did says so in its history.
pub async fn recount(app: &App, authority: Uuid) -> Result<usize> {
    let visit = work::visit(app, authority).await?;
    let (mut moved, mut last) = (0, Uuid::nil());
    while let Some((end, some)) = recount_some(&visit, last, OPEN).await? {
        (last, moved) = (end, moved + some);
    }
    Ok(moved)
}

/// The same for as many requests after this one; gives the last of them and how many moved, none when there is
/// none left. Doing it again moves nothing twice.
pub async fn recount_some(visit: &Visit, after: Uuid, most: i64) -> Result<Option<(Uuid, usize)>> {
    let batch = store::open(&visit.db, after, most).await?;
    let Some(end) = batch.last() else { return Ok(None) };
    let mut moved = 0;
    for request in &batch {
        // One that cannot be counted again holds up no other.
        match recount_one(visit, request.id).await {
            Ok(one) => moved += usize::from(one),
            Err(error) => {
                tracing::error!(request = %request.id, error = format!("{error:#}"), "delays not counted again");
            }
        }
    }
    Ok(Some((end.id, moved)))
}

/// What another calendar would move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    pub requests: usize,
    pub timers: usize,
}

/// Counts what `calendar` would move among requests that are not ended; nothing is written.
pub async fn foresee(visit: &Visit, calendar: &Calendar) -> Result<Moved> {
    let (mut moved, mut last) = (Moved::default(), Uuid::nil());
    loop {
        let batch = store::open(&visit.db, last, OPEN).await?;
        let Some(end) = batch.last() else { return Ok(moved) };
        last = end.id;
        for request in &batch {
            let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
            let (life, known) = (request.life(), fire::known(&procedure, &request.answers.0, &request.given.0));
            let next = step::recount(&procedure, &life, Context { calendar, ..fire::context(visit, &known) });
            moved.requests += usize::from(next != life);
            let stay = |timer: &&timer::Timer| life.clocks.timers.contains(timer);
            moved.timers += next.clocks.timers.len() - next.clocks.timers.iter().filter(stay).count();
        }
    }
}

async fn recount_one(visit: &Visit, id: Uuid) -> Result<bool> {
    // Again, when somebody acted meanwhile: with a calendar that they may not have known yet.
    while let Some(request) = store::find(&visit.db, id).await? {
        let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
        let (life, known) = (request.life(), fire::known(&procedure, &request.answers.0, &request.given.0));
        let next = step::recount(&procedure, &life, fire::context(visit, &known));
        if next == life {
            return Ok(false);
        }
        if keep(visit, &procedure, &request, &next, Some(CALENDAR)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
