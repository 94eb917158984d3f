//! What happens to a consultation, with what follows for its request: its history, its clocks, mails.

use db::Tx;
use forms::{
    answers::Answers,
    model::Procedure,
    step::{self, Effect},
    workflow::Asked,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    jobs::{self, What},
    model::{ASKED, GIVEN, Given, LINKED, New, To, WITHDRAWN},
    store,
};
use crate::{
    catalogue,
    error::Problem,
    requests::{
        fire,
        store::{self as requests, note},
    },
    visit::Visit,
};

#[derive(Debug)]
pub enum Change<'a> {
    Ask(&'a New),
    Give(&'a Given<'a>),
    /// By this agent.
    Withdraw(Uuid),
}

/// Carries a change of the consultation `id` out. False when it comes too late: it was answered, withdrawn, or
/// asked already. Whoever acts on the request at the same time, nothing is lost and nothing counts twice: the
/// request's version says whether it has to be looked at again.
pub async fn apply(visit: &Visit, request: Uuid, id: Uuid, change: &Change<'_>) -> Result<bool, Problem> {
    let job = visit.id();
    loop {
        let read = requests::find(&visit.db.fresh(), request).await?.ok_or(Problem::NotFound)?;
        if read.ended_at.is_some() {
            return Ok(false);
        }
        let procedure = catalogue::version(visit, &read.procedure_id, read.procedure_version).await?;
        let known = fire::known(&procedure, &read.answers.0, &read.given.0);
        let (read, procedure, known, now) = (&read, &procedure, &known, visit.now);
        let done = visit
            .db
            .write(async |tx: &mut Tx| {
                let (others, open) = store::stand(tx, request, id).await?;
                let asks = matches!(change, Change::Ask(_));
                // Asked twice by one click, or settled by somebody else.
                if open != (!asks).then_some(true) {
                    return Ok(Some(false));
                }
                let awaited = others + usize::from(asks);
                let life = step::consulted(procedure, &read.life(), awaited, fire::context(visit, known));
                if !requests::advance(tx, read, &life, &read.status, read.archive_at, now).await? {
                    return Ok(None);
                }
                write(tx, request, id, change, job, now).await?;
                Ok::<_, db::Error>(Some(true))
            })
            .await?;
        if let Some(done) = done {
            visit.app.work.notify_one();
            return Ok(done);
        }
    }
}

async fn write(
    tx: &mut Tx,
    request: Uuid,
    id: Uuid,
    change: &Change<'_>,
    job: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    match change {
        Change::Ask(new) => begin(tx, request, new, now).await,
        Change::Give(given) => {
            store::give(tx, id, given, now).await?;
            let actor = if given.by.is_some() { "agent" } else { "expert" };
            note(tx, request, id, (actor, given.by), GIVEN, now).await?;
            jobs::queue(tx, job, request, id, What::Given, now).await
        }
        Change::Withdraw(by) => {
            store::withdraw(tx, id).await?;
            note(tx, request, id, ("agent", Some(*by)), WITHDRAWN, now).await
        }
    }
}

/// Writes a consultation, its history and its mail.
async fn begin(tx: &mut Tx, request: Uuid, new: &New, now: Timestamp) -> Result<(), db::Error> {
    store::insert(tx, request, new, now).await?;
    let actor = if new.asked_by.is_some() { "agent" } else { "system" };
    note(tx, request, new.id, (actor, new.asked_by), ASKED, now).await?;
    jobs::queue(tx, new.job, request, new.id, What::Ask, now).await
}

/// Another link for somebody outside: the one before opens no more, wherever it was opened. False when there is
/// nothing to open any more.
pub async fn link(visit: &Visit, request: Uuid, id: Uuid, by: Uuid) -> Result<bool, db::Error> {
    let (job, now) = (visit.id(), visit.now);
    let done = visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::unbind(tx, id).await? {
                return Ok(false);
            }
            note(tx, request, id, ("agent", Some(by)), LINKED, now).await?;
            jobs::queue(tx, job, request, id, What::Link, now).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    visit.app.work.notify_one();
    Ok(done)
}

/// The opinions that a transition asks, decided and not written yet.
#[derive(Debug, Default)]
pub struct Automatic(Vec<New>);

impl Automatic {
    /// From the answers of the request and of agents; whether its address is confidential, which nobody outside is
    /// shown then.
    ///
    /// # Errors
    /// Nobody gave the address of who is asked outside.
    pub fn of(
        visit: &Visit,
        procedure: &Procedure,
        effects: &[Effect],
        (answers, given): (&Answers, &Answers),
        confidential: bool,
    ) -> Result<Self, Problem> {
        let asked = effects.iter().filter_map(|effect| match effect {
            Effect::Opinion(id) => procedure.workflow.opinion(id),
            _ => None,
        });
        let address = |id: &str| procedure.fields().any(|field| field.id == id && field.kind.name() == "address");
        let new = asked.map(|asked| {
            let mut fields = asked.shows.clone();
            let to = match &asked.of {
                Asked::Department(id) => To::Department(id.clone()),
                Asked::Expert(expert) => {
                    fields.retain(|id| !(confidential && address(id)));
                    let email = expert.address(answers, given).map(str::to_lowercase);
                    let missing = "Il manque l’adresse électronique de la personne à qui cette action demande un avis.";
                    To::Expert { name: expert.name.clone(), email: email.ok_or(Problem::Bad(missing))? }
                }
            };
            let until = visit.site.calendar.after(visit.today(), asked.delay);
            Ok(New {
                id: visit.id(),
                job: visit.id(),
                to,
                question: asked.question.clone(),
                fields,
                pieces: asked.pieces.clone(),
                until,
                remind_at: visit.morning(until),
                asked_by: None,
            })
        });
        Ok(Self(new.collect::<Result<_, Problem>>()?))
    }

    pub async fn store(&self, tx: &mut Tx, request: Uuid, now: Timestamp) -> Result<(), db::Error> {
        for new in &self.0 {
            begin(tx, request, new, now).await?;
        }
        Ok(())
    }
}
