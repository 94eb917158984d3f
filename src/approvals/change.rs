//! What happens to a circuit of approvals, with what follows for its request: its history, its clocks, mails.

use db::Tx;
use forms::{
    answers::Answers,
    model::Procedure,
    step::{self, Effect, Outcome},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    jobs::{self, What},
    model::{self, ASKED, COMPLETE, DECLINED, GIVEN, New, NewStep, Prepared, VOID, Visa, fingerprint},
    store,
};
use crate::{
    catalogue,
    error::Problem,
    requests::{
        fire,
        model::Request,
        store::{self as requests, note},
    },
    visit::Visit,
};

/// What a transition does to the circuits of its request, decided and not written yet.
#[derive(Debug)]
pub struct Opening {
    asked: Option<New>,
    /// How the one before ends, when it does.
    ends: Option<&'static str>,
    job: Uuid,
}

impl Opening {
    /// `given`: what agents will have answered; `by`: who fires; `letter`: what they read of the decision's letter.
    pub fn of(
        visit: &Visit,
        procedure: &Procedure,
        request: &Request,
        effects: &[Effect],
        given: &Answers,
        (by, letter): (Option<Uuid>, Option<&Prepared>),
    ) -> Self {
        let ends = effects.iter().find_map(|effect| match effect {
            Effect::Recall => Some("recalled"),
            Effect::Void => Some("void"),
            _ => None,
        });
        let opened = effects.iter().find_map(|effect| match effect {
            Effect::Approval(id) => procedure.workflow.approval(id),
            _ => None,
        });
        let asked = opened.zip(by).map(|(approval, by)| {
            let until = visit.site.calendar.after(visit.today(), approval.delay);
            let steps = approval.steps.iter().enumerate().map(|(index, step)| NewStep {
                id: visit.id(),
                job: visit.id(),
                title: step.title.clone(),
                department: step.department.clone().unwrap_or_else(|| request.department_id.clone()),
                role: model::role(step),
                open: index == 0 || approval.together,
            });
            New {
                id: visit.id(),
                asked_by: by,
                version: request.version,
                steps: steps.collect(),
                approval: approval.clone(),
                until,
                remind_at: visit.morning(until),
                fingerprint: fingerprint(&request.answers.0, given),
                letter: letter.cloned(),
            }
        });
        Self { asked, ends, job: visit.id() }
    }

    pub async fn store(&self, tx: &mut Tx, request: Uuid, now: Timestamp) -> Result<(), db::Error> {
        if let Some(state) = self.ends {
            end(tx, request, state, self.job, now).await?;
        }
        let Some(new) = &self.asked else { return Ok(()) };
        store::insert(tx, request, new, now).await?;
        note(tx, request, new.id, ("agent", Some(new.asked_by)), ASKED, now).await?;
        for step in new.steps.iter().filter(|step| step.open) {
            jobs::queue(tx, step.job, request, step.id, What::Ask, now).await?;
        }
        Ok(())
    }
}

/// Ends the circuit of a request that runs, or that approved; who asked is told of what they did not do.
async fn end(tx: &mut Tx, request: Uuid, state: &str, job: Uuid, now: Timestamp) -> Result<(), db::Error> {
    let Some(id) = store::current(tx, request).await? else { return Ok(()) };
    store::settle(tx, id, state, now).await?;
    if state == "void" {
        note(tx, request, id, ("system", None), VOID, now).await?;
        jobs::queue(tx, job, request, id, What::Settled, now).await?;
    }
    Ok(())
}

/// An agent's answer.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    pub by: Uuid,
    pub yes: bool,
    pub reason: &'a str,
}

/// What an answer leads to.
struct Next {
    outcome: Outcome,
    /// The step whose turn it is then.
    step: Option<Uuid>,
}

/// Approves a step, or refuses to. False when it comes too late: a colleague answered, the circuit is settled, or
/// what it shows has changed. Answers that come together count once each: the circuit is held while one is written,
/// and the request's version says whether it has to be looked at again.
pub async fn approve(visit: &Visit, visa: &Visa, answered: Answered<'_>) -> Result<bool, Problem> {
    let jobs = (visit.id(), visit.id());
    loop {
        let read = requests::find(&visit.db.fresh(), visa.request_id).await?.ok_or(Problem::NotFound)?;
        let shown = store::shown(&visit.db.fresh(), visa.approval_id).await?.ok_or(Problem::NotFound)?;
        if read.ended_at.is_some() || shown.fingerprint != fingerprint(&read.answers.0, &read.given.0) {
            return Ok(false);
        }
        let procedure = catalogue::version(visit, &read.procedure_id, read.procedure_version).await?;
        let delay = procedure.workflow.approval(&visa.circuit).map(|approval| approval.delay);
        let until = delay.map_or_else(|| visit.today(), |delay| visit.site.calendar.after(visit.today(), delay));
        let turn = (until, visit.morning(until));
        let known = fire::known(&procedure, &read.answers.0, &read.given.0);
        let (read, procedure, known, now) = (&read, &procedure, &known, visit.now);
        let done = visit
            .db
            .write(async |tx: &mut Tx| {
                let Some(steps) = store::standing(tx, visa.approval_id).await? else { return Ok(Some(false)) };
                let Some(next) = next(&steps, visa.id, answered) else { return Ok(Some(false)) };
                let life = step::approved(procedure, &read.life(), next.outcome, fire::context(visit, known));
                if !requests::advance(tx, read, &life, &read.status, read.archive_at, now).await? {
                    return Ok(None);
                }
                write(tx, visa, answered, &next, (turn, jobs, now)).await?;
                Ok::<_, db::Error>(Some(true))
            })
            .await?;
        if let Some(done) = done {
            visit.app.work.notify_one();
            return Ok(done);
        }
    }
}

/// None when the answer is not awaited, or is a second one of the same person.
fn next(steps: &[store::Standing], step: Uuid, answered: Answered<'_>) -> Option<Next> {
    let own = steps.iter().find(|one| one.id == step).filter(|one| one.state == "open");
    if own.is_none() || steps.iter().any(|one| one.decided_by == Some(answered.by)) {
        return None;
    }
    if !answered.yes {
        return Some(Next { outcome: Outcome::Declined, step: None });
    }
    let mut left = steps.iter().filter(|one| one.id != step && matches!(one.state.as_str(), "open" | "later"));
    let Some(first) = left.next() else { return Some(Next { outcome: Outcome::Approved, step: None }) };
    Some(Next { outcome: Outcome::Open, step: (first.state == "later").then_some(first.id) })
}

async fn write(
    tx: &mut Tx,
    visa: &Visa,
    answered: Answered<'_>,
    next: &Next,
    (turn, (job, other), now): ((Date, Option<Timestamp>), (Uuid, Uuid), Timestamp),
) -> Result<(), db::Error> {
    let request = visa.request_id;
    let (state, code) = if answered.yes { ("approved", GIVEN) } else { ("declined", DECLINED) };
    store::answer(tx, visa.id, state, answered.by, answered.reason, now).await?;
    note(tx, request, visa.id, ("agent", Some(answered.by)), code, now).await?;
    if let Some(step) = next.step {
        store::open(tx, step, turn.0, turn.1).await?;
        return jobs::queue(tx, job, request, step, What::Ask, now).await;
    }
    if next.outcome == Outcome::Open {
        return Ok(());
    }
    store::settle(tx, visa.approval_id, state, now).await?;
    if answered.yes {
        note(tx, request, visa.approval_id, ("system", None), COMPLETE, now).await?;
    }
    jobs::queue(tx, other, request, visa.approval_id, What::Settled, now).await
}
