//! Firing a transition on a request: the pure step, then one transaction with the state, what was
//! given, the history, the statistics and the effects.

use db::Tx;
use forms::{
    answers::Answers,
    model::Procedure,
    step::{self, Actor, Context, Effect, Given, Refused},
};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use uuid::Uuid;

use super::{
    model::{self, Decision, Request},
    store::{self, Entry, FactOf, NewMessage},
};
use crate::{
    error::Problem,
    platform::jobs::{self, NewJob},
    visit::Visit,
};

/// What comes with a transition.
#[derive(Debug, Default)]
pub struct With<'a> {
    /// For the usager (or from them), in the correspondence.
    pub message: Option<&'a str>,
    /// (`piece` or `field`, id).
    pub asks: Vec<(&'a str, &'a str)>,
    /// Last day to answer them (CRPA L114-5).
    pub until: Option<Date>,
    pub decision: Option<Decision>,
    /// Corrected answers, with their searchable words.
    pub answers: Option<(&'a Answers, &'a str)>,
}

/// Who fires.
#[derive(Debug, Clone, Copy)]
pub struct By {
    pub actor: Actor,
    pub account: Option<Uuid>,
}

impl By {
    fn name(self) -> &'static str {
        match self.actor {
            Actor::Usager => "usager",
            Actor::System => "system",
            Actor::Reader | Actor::Processor | Actor::Decider => "agent",
        }
    }
}

/// Fires `transition` on `request` as it was read.
///
/// # Errors
/// `Conflict` when somebody was faster; `Forbidden` when it is not for this actor; `Bad` when
/// something mandatory is missing (pages check before).
pub async fn fire(
    visit: &Visit,
    procedure: &Procedure,
    request: &Request,
    transition: &str,
    by: By,
    with: &With<'_>,
) -> Result<(), Problem> {
    let text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let given = Given {
        message: with.message.is_some_and(|message| !message.trim().is_empty()),
        asks: !with.asks.is_empty(),
        ground: with.decision.as_ref().is_some_and(|decision| text(&decision.ground)),
        facts: with.decision.as_ref().is_some_and(|decision| text(&decision.facts)),
        appeal: with.decision.as_ref().is_some_and(|decision| text(&decision.appeal)),
    };
    let cx = Context { now: visit.now, zone: &visit.site.zone };
    let (life, effects) = step::step(procedure, &request.life(), transition, by.actor, given, cx).map_err(refused)?;
    let status = procedure.workflow.state(&life.state).map_or("in-progress", |state| model::status_name(state.status));
    let ids: Vec<Uuid> = std::iter::repeat_with(|| visit.id()).take(3 + with.asks.len() + effects.len()).collect();
    let now = visit.now;
    let stored = visit
        .db
        .write(async |tx: &mut db::Tx| {
            let mut ids = ids.iter().copied();
            let mut id = || ids.next().unwrap_or_default();
            if !store::advance(tx, request.id, request.version, &life, status, now).await? {
                return Ok(false);
            }
            let (fact, message, decision) = (id(), id(), id());
            give(tx, request.id, by, with, message, decision, now).await?;
            for (kind, target) in &with.asks {
                store::ask(tx, id(), request.id, kind, target, with.until, now).await?;
            }
            let subject = with.decision.as_ref().map(|_| decision).or(with.message.map(|_| message));
            let entry = Entry {
                actor: by.name(),
                actor_id: by.account,
                code: transition,
                from: Some(&request.state),
                to: Some(&life.state),
                subject,
            };
            let seq = store::record(tx, request.id, &entry, now).await?;
            let hours = now.duration_since(request.submitted_at).as_hours();
            let of = FactOf { procedure_id: &request.procedure_id, department_id: &request.department_id, hours };
            store::fact(tx, fact, &of, transition, &life.state, crate::platform::clock::day(now, &visit.site.zone))
                .await?;
            match effects.iter().rev().find(|effect| matches!(effect, Effect::Hold | Effect::LetGo)) {
                Some(Effect::Hold) => store::hold(tx, request.id, by.account).await?,
                Some(Effect::LetGo) => store::hold(tx, request.id, None).await?,
                _ => {}
            }
            let rest: Vec<Uuid> = ids.collect();
            queue(tx, request.id, request.email.is_some(), seq, &effects, &rest, now).await?;
            Ok::<bool, db::Error>(true)
        })
        .await?;
    if !stored {
        return Err(Problem::Conflict(
            "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    visit.app.work.notify_one();
    Ok(())
}

/// Stores what was given along with the transition.
async fn give(
    tx: &mut Tx,
    request: Uuid,
    by: By,
    with: &With<'_>,
    message: Uuid,
    decision: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    if let Some(body) = with.message.map(str::trim).filter(|body| !body.is_empty()) {
        let new = NewMessage { id: message, author: by.name(), author_id: by.account, internal: false, body };
        store::write(tx, request, &new, now).await?;
    }
    if let (Some(taken), Some(author)) = (&with.decision, by.account) {
        store::decide(tx, decision, request, author, taken).await?;
    }
    if let Some((answers, words)) = with.answers {
        store::correct(tx, request, answers, words).await?;
    }
    if by.actor == Actor::Usager {
        store::answered(tx, request, now).await?;
    }
    Ok(())
}

fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::NotFromHere => Problem::Conflict(
            "Cette action n’est plus possible : la demande a changé d’état entre-temps. Ouvrez-la de nouveau pour voir où elle en est.",
        ),
        Refused::NotYours => Problem::Forbidden("Votre rôle ne permet pas cette action."),
        Refused::Unknown => Problem::NotFound,
        Refused::Missing(_) => Problem::Bad("Il manque une information obligatoire pour cette action."),
    }
}

/// Queues the effects of history entry `seq`: one job each, named after it.
pub async fn queue(
    tx: &mut Tx,
    request: Uuid,
    reachable: bool,
    seq: i64,
    effects: &[Effect],
    ids: &[Uuid],
    now: Timestamp,
) -> Result<(), db::Error> {
    for (effect, id) in effects.iter().zip(ids) {
        let job = match effect {
            // Who gave no address is not owed an e-mail: the follow-up page tells all.
            Effect::Notify(message) if reachable => NewJob {
                kind: super::jobs::NOTIFY,
                effect: format!("notify:{request}:{seq}:{message}"),
                request: Some(request),
                payload: json!({"message": message}),
            },
            Effect::Receipt => NewJob {
                kind: super::jobs::RECEIPT,
                effect: format!("receipt:{request}"),
                request: Some(request),
                payload: json!({}),
            },
            _ => continue,
        };
        jobs::enqueue(tx, *id, now, job).await?;
    }
    Ok(())
}
