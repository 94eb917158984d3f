//! Sending a draft: in one transaction the request, its history, its statistics and its effects are
//! written and the draft disappears. The request takes the draft's id, so that a second click, a
//! second tab or a replayed form finds the same request.

use db::{Tx, args, sql};
use forms::{
    answers::Answers,
    model::Procedure,
    step::{self, Actor, Effect, Given, Life},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    assign,
    certified::{self, Mark},
    drafts::Draft,
    fire, model,
    owner::{self, Whose},
    reach,
    store::{self, Entry, New},
};
use crate::{
    consultations::Automatic,
    error::Problem,
    household::addresses,
    steering::{self, Fact, Measure},
    visit::Visitor,
};

/// What is to be a request.
pub struct Sending<'a> {
    pub id: Uuid,
    pub reference: &'a str,
    pub procedure: &'a Procedure,
    pub version: i64,
    pub department: &'a str,
    /// Shown and valid.
    pub answers: &'a Answers,
    /// Where to write, for who files without account and gave an address on the last page.
    pub email: Option<&'a str>,
    /// See [`New`].
    pub confidential_address: bool,
}

/// A request decided and not written yet: all that its transaction needs, which may run more than once.
pub struct Ready<'a> {
    sending: &'a Sending<'a>,
    whose: Whose,
    acted: Option<&'static str>,
    acted_as: Option<String>,
    filer_name: Option<String>,
    beneficiary: Option<String>,
    email: Option<String>,
    words: String,
    life: Life,
    status: &'static str,
    archive_at: Option<Timestamp>,
    transition: String,
    from: String,
    effects: Vec<Effect>,
    opinions: Automatic,
    fact: Uuid,
    jobs: Vec<Uuid>,
    now: Timestamp,
    today: Date,
}

/// The pure part of sending.
pub fn ready<'a>(visitor: &Visitor, sending: &'a Sending<'a>) -> Result<Ready<'a>, Problem> {
    let Sending { procedure, answers, .. } = sending;
    let known = fire::known(procedure, answers, &Answers::new());
    let cx = fire::context(visitor, &known);
    let begun = step::begin(procedure, cx);
    let transition = procedure
        .workflow
        .offered(&begun.state, Actor::Usager)
        .next()
        .ok_or_else(|| Problem::Broken(anyhow::anyhow!("{} cannot be sent", procedure.id)))?;
    let (life, effects) = step::step(procedure, &begun, &transition.id, Actor::Usager, Given::default(), cx)
        .map_err(|refused| Problem::Broken(anyhow::anyhow!("{} cannot be sent: {refused:?}", procedure.id)))?;
    let email = model::email(answers)
        .or_else(|| sending.email.map(str::to_owned))
        .or_else(|| owner::contact(visitor).map(str::to_owned));
    let name = || match &visitor.acting {
        Some(acting) => Some(acting.name.clone()),
        None => visitor.account().map(|account| account.full_name()),
    };
    Ok(Ready {
        whose: Whose::of(visitor),
        acted: owner::acted(visitor),
        acted_as: owner::acted_as(visitor),
        filer_name: model::filer_name(answers).or_else(name),
        beneficiary: procedure.beneficiary_of(answers),
        email,
        words: procedure.texts(answers),
        status: procedure.workflow.state(&life.state).map_or("sent", |state| model::status_name(state.status)),
        archive_at: model::archive_at(procedure, &life, &visitor.site),
        transition: transition.id.clone(),
        from: begun.state,
        fact: visitor.id(),
        opinions: Automatic::of(visitor, procedure, &effects),
        jobs: effects.iter().map(|_| visitor.id()).collect(),
        sending,
        life,
        effects,
        now: visitor.now,
        today: visitor.today(),
    })
}

impl Ready<'_> {
    /// Writes the request, its history, its statistics and its effects.
    pub async fn store(&self, tx: &mut Tx) -> Result<(), db::Error> {
        let Sending { id, reference, procedure, version, department, answers, confidential_address, .. } =
            *self.sending;
        let new = New {
            id,
            reference,
            procedure_id: &procedure.id,
            procedure_version: version,
            department_id: department,
            whose: self.whose,
            acted_as: self.acted_as.as_deref(),
            filer_name: self.filer_name.as_deref(),
            beneficiary: self.beneficiary.as_deref(),
            email: self.email.as_deref(),
            answers,
            words: &self.words,
            status: self.status,
            life: &self.life,
            archive_at: self.archive_at,
            confidential_address,
        };
        store::insert(tx, &new).await?;
        let entry = Entry {
            actor: "usager",
            actor_id: self.whose.by.or(self.whose.account),
            code: &self.transition,
            from: Some(&self.from),
            to: Some(&self.life.state),
            subject: None,
            acted: self.acted,
        };
        let seq = store::record(tx, id, &entry, self.now).await?;
        let fact = Fact {
            day: self.today,
            department,
            procedure: &procedure.id,
            measure: Measure::Sent,
            what: &self.transition,
            days: None,
        };
        steering::note(tx, self.fact, &fact).await?;
        for effect in &self.effects {
            if let Effect::Assign(to) = effect {
                assign::to(tx, (id, department), to, self.today, self.now).await?;
            }
        }
        self.opinions.store(tx, id, self.now).await?;
        let of = fire::Queued { request: id, reachable: self.email.is_some(), letter: None, seq };
        fire::queue(tx, of, &self.effects, &self.jobs, self.now).await
    }
}

/// Sends `draft` with `answers` (shown and valid). `email`: where to write, for who files without
/// account and gave an address on the last page. `marks`: what is certified of the answers.
pub async fn submit(
    visitor: &Visitor,
    draft: &Draft,
    procedure: &Procedure,
    answers: &Answers,
    marks: &[Mark],
    email: Option<&str>,
) -> Result<(), Problem> {
    let whose = Whose::of(visitor);
    let sending = Sending {
        id: draft.id,
        reference: &draft.reference,
        procedure,
        version: draft.procedure_version,
        department: &procedure.department,
        answers,
        email,
        confidential_address: addresses::told(&visitor.db, whose.account, answers).await?,
    };
    let ready = ready(visitor, &sending)?;
    // Who has an account needs no grant: the request is theirs wherever they sign in.
    let session = visitor.session.as_ref().map(|session| session.id).filter(|_| whose == Whose::default());
    let last = visitor.id();
    let written = visitor
        .db
        .write(async |tx: &mut Tx| {
            // Gone already: sent by another click, which did all that follows.
            let furthest: Option<i64> = tx
                .first(
                    sql!("delete from draft where authority_id = $1 and id = $2 returning furthest"),
                    args![tx.authority(), draft.id],
                )
                .await?;
            let Some(furthest) = furthest else { return Ok(()) };
            ready.store(tx).await?;
            // Not of a draft that was never filled in, page after page.
            if furthest > 0 {
                reach::sent(tx, last, procedure, visitor.today()).await?;
            }
            certified::keep(tx, draft.id, marks).await?;
            match session {
                Some(session) => store::grant(tx, session, draft.id).await,
                None => Ok(()),
            }
        })
        .await;
    match written {
        // A sibling transaction won the race on the same draft.
        Err(error) if error.is_unique("request_pkey") => {}
        other => other?,
    }
    visitor.app.work.notify_one();
    Ok(())
}
