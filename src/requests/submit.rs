//! Sending a draft: in one transaction the request, its history, its statistics and its effects are
//! written and the draft disappears. The request takes the draft's id, so that a second click, a
//! second tab or a replayed form finds the same request.

use db::{args, sql};
use forms::{
    answers::Answers,
    model::Procedure,
    step::{self, Actor, Context, Effect, Given},
};
use uuid::Uuid;

use super::{
    drafts::Draft,
    fire, model,
    owner::{self, Whose},
    store::{self, Entry, FactOf, New},
};
use crate::{error::Problem, visit::Visitor};

/// Sends `draft` with `answers` (shown and valid). `email`: where to write, for who files without
/// account and gave an address on the last page.
pub async fn submit(
    visitor: &Visitor,
    draft: &Draft,
    procedure: &Procedure,
    answers: &Answers,
    email: Option<&str>,
) -> Result<(), Problem> {
    let cx = Context { now: visitor.now, zone: &visitor.site.zone };
    let begun = step::begin(procedure, cx);
    let sending = procedure
        .workflow
        .offered(&begun.state, Actor::Usager)
        .next()
        .ok_or_else(|| Problem::Broken(anyhow::anyhow!("{} cannot be sent", procedure.id)))?;
    let (life, effects) = step::step(procedure, &begun, &sending.id, Actor::Usager, Given::default(), cx)
        .map_err(|refused| Problem::Broken(anyhow::anyhow!("{} cannot be sent: {refused:?}", procedure.id)))?;
    let status = procedure.workflow.state(&life.state).map_or("sent", |state| model::status_name(state.status));
    let whose = Whose::of(visitor);
    let acted_as = owner::acted_as(visitor);
    let account = visitor.account();
    let name =
        || visitor.acting.as_ref().map(|acting| acting.name.clone()).or(account.map(|account| account.full_name()));
    let filer_name = model::filer_name(answers).or_else(name);
    let given_email = model::email(answers);
    let email = given_email.as_deref().or(email).or(owner::contact(visitor));
    let words = procedure.words(answers);
    let beneficiary = procedure.beneficiary_of(answers);
    let new = New {
        id: draft.id,
        reference: &draft.reference,
        procedure_id: &draft.procedure_id,
        procedure_version: draft.procedure_version,
        department_id: &procedure.department,
        whose,
        acted_as: acted_as.as_deref(),
        filer_name: filer_name.as_deref(),
        beneficiary: beneficiary.as_deref(),
        email,
        answers,
        words: &words,
        status,
        life: &life,
        archive_at: model::archive_at(procedure, &life, &visitor.site.zone),
    };
    let session = visitor.session.as_ref().map(|session| session.id);
    let ids = Ids { fact: visitor.id(), jobs: effects.iter().map(|_| visitor.id()).collect() };
    write(visitor, &new, &sending.id, &begun.state, &effects, session, &ids).await?;
    visitor.app.work.notify_one();
    Ok(())
}

/// Made before the transaction, which may run more than once.
struct Ids {
    fact: Uuid,
    jobs: Vec<Uuid>,
}

async fn write(
    visitor: &Visitor,
    new: &New<'_>,
    transition: &str,
    from: &str,
    effects: &[Effect],
    session: Option<Uuid>,
    ids: &Ids,
) -> Result<(), Problem> {
    let now = visitor.now;
    let written = visitor
        .db
        .write(async |tx: &mut db::Tx| {
            // Gone already: sent by another click, which did all that follows.
            let gone = tx
                .run(sql!("delete from draft where authority_id = $1 and id = $2"), args![tx.authority(), new.id])
                .await?
                == 0;
            if gone {
                return Ok(());
            }
            store::insert(tx, new).await?;
            // Who has an account needs no grant: the request is theirs wherever they sign in.
            if let Some(session) = session.filter(|_| new.whose == Whose::default()) {
                store::grant(tx, session, new.id).await?;
            }
            let entry = Entry {
                actor: "usager",
                actor_id: new.whose.by.or(new.whose.account),
                code: transition,
                from: Some(from),
                to: Some(&new.life.state),
                subject: None,
                acted: owner::acted(visitor),
            };
            let seq = store::record(tx, new.id, &entry, now).await?;
            let fact = FactOf { procedure_id: new.procedure_id, department_id: new.department_id, hours: 0 };
            store::fact(tx, ids.fact, &fact, transition, &new.life.state, visitor.today()).await?;
            fire::queue(tx, new.id, new.email.is_some(), seq, effects, &ids.jobs, now).await
        })
        .await;
    match written {
        // A sibling transaction won the race on the same draft.
        Err(error) if error.is_unique("request_pkey") => Ok(()),
        other => other.map_err(Problem::from),
    }
}
