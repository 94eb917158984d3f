//! Firing a transition on a request: the pure step, then one transaction with the state, what was
//! given, the history, the statistics and the effects.

use std::collections::BTreeMap;

use db::Tx;
use forms::{
    answers::Answers,
    expr::Value,
    journey::Said,
    model::Procedure,
    step::{self, Actor, Context, Effect, Given, Life, Refused},
    workflow::Transition,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    assign,
    certified::Mark,
    effects::{self, Queued},
    erase::{self, Erasure},
    linked,
    model::{self, Decision, Request},
    moves,
    store::{self, Entry, NewMessage},
};
use crate::{
    approvals::{Opening, Prepared},
    consultations::{self, Automatic},
    correspondence,
    error::Problem,
    platform::clock,
    steering::{self, Fact, Measure},
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
    pub corrected: Option<Corrected<'a>>,
    /// What the agent answered to the transition's form.
    pub form: Answers,
    /// Of the usager, and typed by an agent for them: when the city received it.
    pub entered: Option<Timestamp>,
    /// The letter that the transition makes, as the agent read it.
    pub letter: Option<correspondence::New>,
    /// The letter of the decision that the transition asks approval for, as the agent read it.
    pub prepared: Option<Prepared>,
}

/// Corrected answers, and what is kept beside answers in columns of their own.
#[derive(Debug)]
pub struct Corrected<'a> {
    pub answers: &'a Answers,
    /// What they say, for those who search.
    pub said: Said,
    pub beneficiary: Option<String>,
    pub confidential_address: bool,
    /// What is certified of them, with what its filer says is wrong.
    pub marks: &'a [Mark],
}

impl<'a> Corrected<'a> {
    pub fn of(procedure: &Procedure, answers: &'a Answers, confidential_address: bool, marks: &'a [Mark]) -> Self {
        let (said, beneficiary) = (procedure.said(answers), procedure.beneficiary_of(answers));
        Self { answers, said, beneficiary, confidential_address, marks }
    }
}

/// Who fires.
#[derive(Debug, Clone, Copy)]
pub struct By {
    pub actor: Actor,
    pub account: Option<Uuid>,
    /// In somebody's name: `mandate` or `organisation`.
    pub acted: Option<&'static str>,
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

/// What [`fire`] stores: decided, nothing written yet.
pub struct Fired<'a> {
    request: &'a Request,
    transition: &'a str,
    by: By,
    with: &'a With<'a>,
    life: Life,
    status: &'static str,
    archive_at: Option<Timestamp>,
    effects: Vec<Effect>,
    opinions: Automatic,
    approvals: Opening,
    linked: Vec<linked::New>,
    erasure: Option<Erasure>,
    /// Made before the transaction, which may run more than once.
    ids: Vec<Uuid>,
    /// Of the move to another department.
    line: Uuid,
    now: Timestamp,
    /// As statistics count it.
    measure: Measure,
    /// Of the request's sending, and of now.
    days: (Date, Date),
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
    let fired = decide(visit, procedure, request, transition, by, with)?;
    let stored = visit.db.write(async |tx: &mut db::Tx| fired.store(tx).await).await?;
    if !stored {
        return Err(Problem::Conflict(
            "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    visit.app.work.notify_one();
    Ok(())
}

/// The pure part of [`fire`].
pub fn decide<'a>(
    visit: &Visit,
    procedure: &Procedure,
    request: &'a Request,
    transition: &'a str,
    by: By,
    with: &'a With<'a>,
) -> Result<Fired<'a>, Problem> {
    let text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let given = Given {
        message: with.message.is_some_and(|message| !message.trim().is_empty()),
        asks: !with.asks.is_empty(),
        ground: with.decision.as_ref().is_some_and(|decision| text(&decision.ground)),
        facts: with.decision.as_ref().is_some_and(|decision| text(&decision.facts)),
        appeal: with.decision.as_ref().is_some_and(|decision| text(&decision.appeal)),
        changes: with.corrected.is_some() || !with.form.is_empty(),
        until: with.until,
    };
    let now = visit.now;
    // What the agent has just answered counts for the values that the transition works out.
    let mut answered = request.given.0.clone();
    answered.extend(with.form.clone());
    // So does what the usager has just corrected.
    let answers = with.corrected.as_ref().map_or(&request.answers.0, |corrected| corrected.answers);
    let known = known(procedure, answers, &answered);
    let cx = Context { now: with.entered.unwrap_or(now), ..context(visit, &known) };
    let (life, effects) = step::step(procedure, &request.life(), transition, by.actor, given, cx).map_err(refused)?;
    // What the platform does by itself has its letter written after, as of its day.
    if effects.contains(&Effect::Letter) && with.letter.is_none() && by.actor != Actor::System {
        return Err(Problem::Bad("Il manque la lettre que fait cette action."));
    }
    let prepares = procedure.workflow.transition(transition).and_then(|one| procedure.workflow.prepared(one));
    if prepares.is_some() && with.prepared.is_none() {
        return Err(Problem::Bad("Il manque la lettre à viser."));
    }
    answered.extend(set(&effects));
    let approvals = Opening::of(visit, procedure, request, &effects, &answered, (by.account, with.prepared.as_ref()));
    let status = procedure.workflow.state(&life.state).map_or("in-progress", |state| model::status_name(state.status));
    let archive_at = model::archive_at(procedure, &life, &visit.site);
    let ids = std::iter::repeat_with(|| visit.id()).take(4 + with.asks.len() + effects.len()).collect();
    let measure = match steering::answers(&procedure.workflow, transition) {
        false => Measure::Step,
        // The delay stands still while the usager completes.
        true if now > request.due_at && request.suspended_at.is_none() => Measure::Late,
        true => Measure::OnTime,
    };
    let days = (clock::day(request.submitted_at, &visit.site.zone), clock::day(now, &visit.site.zone));
    let opinions = Automatic::of(visit, procedure, &effects, (answers, &answered), request.confidential_address)?;
    let linked = linked::New::of(visit, procedure, &effects);
    let erasure = Erasure::of(procedure, request, &effects);
    Ok(Fired {
        request,
        transition,
        by,
        with,
        life,
        status,
        archive_at,
        effects,
        opinions,
        approvals,
        linked,
        erasure,
        ids,
        line: visit.id(),
        now,
        measure,
        days,
    })
}

/// What a step counts with, at the visit's moment.
pub fn context<'a>(visit: &'a Visit, known: &'a BTreeMap<String, Value>) -> Context<'a> {
    Context { now: visit.now, zone: &visit.site.zone, calendar: &visit.site.calendar, known }
}

/// The answers as the workflow's expressions see them; none are read where it has none.
pub fn known(procedure: &Procedure, answers: &Answers, given: &Answers) -> BTreeMap<String, Value> {
    let asks = procedure.workflow.transitions.iter().any(Transition::reads);
    if asks { values(procedure, answers, given) } else { BTreeMap::new() }
}

/// The usager's answers and the agents' latest, as expressions see them.
pub fn values(procedure: &Procedure, answers: &Answers, given: &Answers) -> BTreeMap<String, Value> {
    let mut values = procedure.values(answers);
    values.extend(procedure.form_values(given));
    values
}

impl Fired<'_> {
    /// A first ask counts for the day when the request was sent: it was not complete.
    fn fact(&self, measure: Measure) -> Fact<'_> {
        let (sent, now) = self.days;
        let answer = matches!(measure, Measure::OnTime | Measure::Late);
        Fact {
            day: if measure == Measure::Asked { sent } else { now },
            department: &self.request.department_id,
            procedure: &self.request.procedure_id,
            measure,
            what: self.transition,
            channel: &self.request.channel,
            days: answer.then(|| steering::bucket((now - sent).get_days().into())),
        }
    }

    /// What the agent answered, and the values that the transition works out.
    fn form(&self) -> Answers {
        let mut form = self.with.form.clone();
        form.extend(set(&self.effects));
        form
    }

    /// Writes it all; false, and nothing written, when the request changed since it was read.
    pub async fn store(&self, tx: &mut Tx) -> Result<bool, db::Error> {
        let Self { request, by, with, life, now, .. } = self;
        let (by, now) = (*by, *now);
        let mut ids = self.ids.iter().copied();
        let mut id = || ids.next().unwrap_or_default();
        // « Gelée »: it stays whole, and the platform comes back.
        if self.erasure.is_some() && erase::held(tx, request.id).await? {
            return Ok(false);
        }
        if !store::advance(tx, request, life, self.status, self.archive_at, now).await? {
            return Ok(false);
        }
        if let Some(erasure) = &self.erasure {
            erasure.store(tx, request.id).await?;
        }
        let (fact, asked, message, decision) = (id(), id(), id(), id());
        if !with.asks.is_empty() && !store::was_asked(tx, request.id).await? {
            steering::note(tx, asked, &self.fact(Measure::Asked)).await?;
        }
        give(tx, request.id, by, with, message, decision, now).await?;
        for (kind, target) in &with.asks {
            store::ask(tx, id(), request.id, kind, target, with.until, now).await?;
        }
        let subject = with.decision.as_ref().map(|_| decision).or(with.message.map(|_| message));
        let entry = Entry {
            actor: if with.entered.is_some() { "agent" } else { by.name() },
            actor_id: by.account,
            code: self.transition,
            from: Some(&request.state),
            to: Some(&life.state),
            subject,
            acted: by.acted,
        };
        let seq = store::record(tx, request.id, &entry, now).await?;
        let form = self.form();
        if !form.is_empty() {
            let mut given = request.given.0.clone();
            given.extend(form.clone());
            store::fill(tx, request.id, seq, self.transition, &form, &given).await?;
        }
        steering::note(tx, fact, &self.fact(self.measure)).await?;
        match self.effects.iter().rev().find(|effect| matches!(effect, Effect::Hold | Effect::LetGo)) {
            Some(Effect::Hold) => store::hold(tx, request.id, by.account).await?,
            Some(Effect::LetGo) => store::hold(tx, request.id, None).await?,
            _ => {}
        }
        let to = moves::chosen(&self.effects);
        if let Some(to) = to {
            let new = moves::New { id: self.line, to, reason: None, by: by.account, acting: by.name() };
            moves::follow(tx, request, &new, now).await?;
        }
        let department = to.unwrap_or(&request.department_id);
        for effect in &self.effects {
            if let Effect::Assign(to) = effect {
                assign::to(tx, (request.id, department), to, self.days.1, now).await?;
            }
        }
        if life.ended.is_some() && request.ended_at.is_none() {
            consultations::close(tx, request.id).await?;
        }
        self.opinions.store(tx, request.id, now).await?;
        self.approvals.store(tx, request.id, now).await?;
        for linked in &self.linked {
            linked.store(tx, request, now).await?;
        }
        if let Some(letter) = &with.letter {
            correspondence::insert(tx, request.id, letter).await?;
        }
        let rest: Vec<Uuid> = ids.collect();
        let letter = with.letter.as_ref().map(|letter| letter.id);
        let of = Queued { request: request.id, reachable: request.email.is_some(), letter, seq };
        effects::queue(tx, of, &self.effects, &rest, now).await?;
        Ok(true)
    }
}

/// The values that a transition works out.
fn set(effects: &[Effect]) -> Answers {
    let set = effects.iter().filter_map(|effect| match effect {
        Effect::Set(set) => Some(set.clone()),
        _ => None,
    });
    set.flatten().collect()
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
        // What the platform writes by itself is the department's word.
        let author = if by.actor == Actor::Usager { "usager" } else { "agent" };
        let new = NewMessage { id: message, author, author_id: by.account, internal: false, body };
        store::write(tx, request, &new, now).await?;
    }
    if let (Some(taken), Some(author)) = (&with.decision, by.account) {
        store::decide(tx, decision, request, author, taken).await?;
    }
    if let Some(corrected) = &with.corrected {
        store::correct(tx, request, corrected).await?;
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
        Refused::NotNow => Problem::Conflict("Les réponses de cette demande ne permettent pas cette action."),
        Refused::NotDue => Problem::Conflict("Le moment de cette action n’est pas venu."),
        Refused::NotApproved => {
            Problem::Conflict("Cette action attend un visa : l’onglet « Parapheur » du dossier dit où il en est.")
        }
        Refused::NotYours => Problem::Forbidden("Votre rôle ne permet pas cette action."),
        Refused::Unknown => Problem::NotFound,
        Refused::Missing(_) => Problem::Bad("Il manque une information obligatoire pour cette action."),
    }
}
