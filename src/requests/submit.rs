//! Sending a draft: in one transaction the request, its history, its statistics and its effects are
//! written and the draft disappears. The request takes the draft's id, so that a second click, a
//! second tab or a replayed form finds the same request.

use db::{Tx, args, sql};
use forms::{
    answers::Answers,
    journey::Said,
    model::Procedure,
    step::{self, Actor, Context, Effect, Given, Life},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    assign,
    certified::{self, Mark},
    channel::Channel,
    drafts::Draft,
    effects, fire,
    intake::Intake,
    model, moves,
    owner::{self, Whose},
    reach,
    store::{self, Entry, New, NewMessage},
};
use crate::{
    consultations::Automatic,
    contacts,
    error::Problem,
    household::addresses,
    journal::{self, Action, Line},
    platform::clock,
    steering::{self, Fact, Measure},
    visit::{Agent, Staff, Visit, Visitor},
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

/// Who sends, for whom, and how it came.
pub struct Sender<'a> {
    whose: Whose,
    acted: Option<&'static str>,
    acted_as: Option<String>,
    /// Of who files, when the answers do not say.
    name: Option<String>,
    email: Option<&'a str>,
    /// Filed without account: it may see the request.
    session: Option<Uuid>,
    /// By an agent, for somebody.
    filed: Option<(&'a Agent, &'a Intake)>,
}

impl<'a> Sender<'a> {
    pub fn usager(visitor: &'a Visitor) -> Self {
        let whose = Whose::of(visitor);
        Self {
            whose,
            acted: owner::acted(visitor),
            acted_as: owner::acted_as(visitor),
            name: match &visitor.acting {
                Some(acting) => Some(acting.name.clone()),
                None => visitor.account().map(|account| account.full_name()),
            },
            email: owner::contact(visitor),
            // Who has an account needs no grant: the request is theirs wherever they sign in.
            session: visitor.session.as_ref().map(|session| session.id).filter(|_| whose == Whose::default()),
            filed: None,
        }
    }

    pub fn counter(agent: &'a Agent, intake: &'a Intake) -> Self {
        let account = intake.account.as_ref();
        Self {
            whose: Whose::account(account.map(|account| account.id)),
            acted: None,
            acted_as: None,
            name: account.map(|account| account.full_name()),
            email: account.and_then(|account| account.email.as_deref()),
            session: None,
            filed: Some((agent, intake)),
        }
    }

    pub fn staff(staff: &'a Staff) -> Self {
        let account = &staff.account;
        Self {
            whose: Whose::account(Some(account.id)),
            acted: None,
            acted_as: None,
            name: Some(account.full_name()),
            email: account.email.as_deref(),
            session: None,
            filed: None,
        }
    }

    fn channel(&self) -> Channel {
        self.filed.map_or(Channel::Web, |(_, intake)| intake.channel)
    }

    /// The city has had it since then: delays run, whoever enters it and when.
    fn received(&self, visit: &Visit) -> Timestamp {
        self.filed.map_or(visit.now, |(_, intake)| intake.received(visit))
    }
}

/// A request decided and not written yet: all that its transaction needs, which may run more than once.
pub struct Ready<'a> {
    sending: &'a Sending<'a>,
    sender: &'a Sender<'a>,
    filer_name: Option<String>,
    beneficiary: Option<String>,
    email: Option<String>,
    said: Said,
    life: Life,
    status: &'static str,
    archive_at: Option<Timestamp>,
    transition: String,
    from: String,
    effects: Vec<Effect>,
    opinions: Automatic,
    fact: Uuid,
    jobs: Vec<Uuid>,
    note: Uuid,
    now: Timestamp,
    /// Of its reception.
    day: Date,
    today: Date,
}

/// The pure part of sending.
pub fn ready<'a>(visit: &Visit, sender: &'a Sender<'a>, sending: &'a Sending<'a>) -> Result<Ready<'a>, Problem> {
    let Sending { procedure, answers, .. } = sending;
    let known = fire::known(procedure, answers, &Answers::new());
    let cx = Context { now: sender.received(visit), ..fire::context(visit, &known) };
    let begun = step::begin(procedure, cx);
    let transition = procedure
        .workflow
        .offered(&begun.state, Actor::Usager)
        .find(|transition| transition.holds(cx))
        .ok_or_else(|| Problem::Broken(anyhow::anyhow!("{} cannot be sent", procedure.id)))?;
    let (life, effects) = step::step(procedure, &begun, &transition.id, Actor::Usager, Given::default(), cx)
        .map_err(|refused| Problem::Broken(anyhow::anyhow!("{} cannot be sent: {refused:?}", procedure.id)))?;
    let email =
        model::email(answers).or_else(|| sending.email.map(str::to_owned)).or_else(|| sender.email.map(str::to_owned));
    Ok(Ready {
        sender,
        filer_name: model::filer_name(answers).or_else(|| sender.name.clone()),
        beneficiary: procedure.beneficiary_of(answers),
        email,
        said: procedure.said(answers),
        status: procedure.workflow.state(&life.state).map_or("sent", |state| model::status_name(state.status)),
        archive_at: model::archive_at(procedure, &life, &visit.site),
        transition: transition.id.clone(),
        from: begun.state,
        fact: visit.id(),
        opinions: Automatic::of(visit, procedure, &effects, (answers, &Answers::new()), sending.confidential_address)?,
        jobs: effects.iter().map(|_| visit.id()).collect(),
        note: visit.id(),
        day: clock::day(life.submitted, &visit.site.zone),
        today: visit.today(),
        now: visit.now,
        sending,
        life,
        effects,
    })
}

impl Ready<'_> {
    /// Writes the request, its history, its statistics and its effects.
    pub async fn store(&self, tx: &mut Tx) -> Result<(), db::Error> {
        let Sending { id, reference, procedure, version, department, answers, confidential_address, .. } =
            *self.sending;
        let department = moves::chosen(&self.effects).unwrap_or(department);
        let new = New {
            id,
            reference,
            procedure_id: &procedure.id,
            procedure_version: version,
            department_id: department,
            whose: self.sender.whose,
            acted_as: self.sender.acted_as.as_deref(),
            channel: self.sender.channel(),
            filer_name: self.filer_name.as_deref(),
            beneficiary: self.beneficiary.as_deref(),
            email: self.email.as_deref(),
            answers,
            said: &self.said,
            status: self.status,
            life: &self.life,
            archive_at: self.archive_at,
            confidential_address,
            now: self.now,
        };
        store::insert(tx, &new).await?;
        let whose = self.sender.whose;
        let (actor, actor_id) = match self.sender.filed {
            Some((agent, _)) => ("agent", Some(agent.account.id)),
            None => ("usager", whose.by.or(whose.account)),
        };
        let entry = Entry {
            actor,
            actor_id,
            code: &self.transition,
            from: Some(&self.from),
            to: Some(&self.life.state),
            subject: None,
            acted: self.sender.acted,
        };
        let seq = store::record(tx, id, &entry, self.now).await?;
        if let Some((agent, intake)) = self.sender.filed {
            self.trace(tx, agent, intake).await?;
        }
        let fact = Fact {
            day: self.day,
            department,
            procedure: &procedure.id,
            measure: Measure::Sent,
            what: &self.transition,
            channel: self.sender.channel().id(),
            days: None,
        };
        steering::note(tx, self.fact, &fact).await?;
        for effect in &self.effects {
            if let Effect::Assign(to) = effect {
                assign::to(tx, (id, department), to, self.today, self.now).await?;
            }
        }
        self.opinions.store(tx, id, self.now).await?;
        let of = effects::Queued { request: id, reachable: self.email.is_some(), letter: None, seq };
        effects::queue(tx, of, &self.effects, &self.jobs, self.now).await
    }

    /// That an agent wrote for somebody, and the paper they saw.
    async fn trace(&self, tx: &mut Tx, agent: &Agent, intake: &Intake) -> Result<(), db::Error> {
        let id = self.sending.id;
        let line = Line::agent(agent, Action::RequestFiled).request(id).detail(intake.channel.id());
        let line = match &intake.account {
            Some(account) => line.about("account", account.id),
            None => line,
        };
        journal::note(tx, self.now, &line).await?;
        if let Some(contact) = intake.contact {
            contacts::follow(tx, contact, (id, self.sending.department), agent.account.id, self.now).await?;
        }
        if let Some(body) = intake.note() {
            let author_id = Some(agent.account.id);
            let note = NewMessage { id: self.note, author: "agent", author_id, internal: true, body: &body };
            store::write(tx, id, &note, self.now).await?;
        }
        Ok(())
    }
}

/// Sends `draft` with `answers` (shown and valid). `email`: where to write, for who files without
/// account and gave an address on the last page. `marks`: what is certified of the answers.
pub async fn submit(
    visit: &Visit,
    sender: &Sender<'_>,
    draft: &Draft,
    procedure: &Procedure,
    answers: &Answers,
    marks: &[Mark],
    email: Option<&str>,
) -> Result<(), Problem> {
    let sending = Sending {
        id: draft.id,
        reference: &draft.reference,
        procedure,
        version: draft.procedure_version,
        department: &procedure.department,
        answers,
        email,
        confidential_address: addresses::told(&visit.db, sender.whose.account, answers).await?,
    };
    let ready = ready(visit, sender, &sending)?;
    let last = visit.id();
    let written = visit
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
                reach::sent(tx, last, procedure, visit.today()).await?;
            }
            certified::keep(tx, draft.id, marks).await?;
            match sender.session {
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
    visit.app.work.notify_one();
    Ok(())
}
