//! Erasing named answers and pieces of a request that has ended, when its circuit says so.

use db::{Json, Tx, args, sql};
use forms::{answers::Answers, journey::Said, model::Procedure, step::Effect};
use uuid::Uuid;

use super::{
    citizen::field_slot,
    jobs::RECEIPT_SLOT,
    mailed,
    model::{self, Request, piece_slot},
    search,
};

/// What is left of a request, and what goes: decided, nothing written yet.
#[derive(Debug)]
pub struct Erasure {
    names: Vec<String>,
    answers: Answers,
    given: Answers,
    said: Said,
    beneficiary: Option<String>,
    filer_name: Option<String>,
    email: Option<String>,
    slots: Vec<String>,
}

impl Erasure {
    pub fn of(procedure: &Procedure, request: &Request, effects: &[Effect]) -> Option<Self> {
        let names = effects.iter().filter_map(|effect| match effect {
            Effect::Erase(name) => Some(name.clone()),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return None;
        }
        let gone = |name: &str| names.iter().any(|erased| erased == name);
        let without = |answers: &Answers| -> Answers {
            let kept = answers.iter().filter(|(id, _)| !gone(id));
            kept.map(|(id, answer)| (id.clone(), answer.clone())).collect()
        };
        let answers = without(&request.answers.0);
        let mut slots: Vec<String> = names.iter().flat_map(|name| [piece_slot(name), field_slot(name)]).collect();
        if answers.len() < request.answers.0.len() {
            // The receipt says every answer again.
            slots.push(RECEIPT_SLOT.to_owned());
        }
        Some(Self {
            given: without(&request.given.0),
            said: procedure.said(&answers),
            beneficiary: procedure.beneficiary_of(&answers),
            // What columns of their own repeat.
            filer_name: request.filer_name.clone().filter(|_| !gone("demandeur")),
            email: request.email.clone().filter(|_| !gone("courriel")),
            answers,
            slots,
            names,
        })
    }

    /// Writes it. Objects that no row names any more are swept.
    pub async fn store(&self, tx: &mut Tx, request: Uuid) -> Result<(), db::Error> {
        let a = tx.authority();
        tx.run(
            sql!("update request set answers = $1, given = $2, beneficiary = $3, filer_name = $4, email = $5, filer_key = $8 where authority_id = $6 and id = $7"),
            args![Json(&self.answers), Json(&self.given), &self.beneficiary, &self.filer_name, &self.email, a, request, model::filer_key(&self.answers, self.filer_name.as_deref())],
        )
        .await?;
        search::correct(tx, request, &self.said, self.beneficiary.as_deref()).await?;
        if self.email.is_none() {
            mailed::forget(tx, request).await?;
        }
        search::rename(tx, request, self.filer_name.as_deref(), self.email.as_deref()).await?;
        for slot in &self.slots {
            tx.run(
                sql!("delete from file where authority_id = $1 and owner_id = $2 and slot = $3"),
                args![a, request, slot],
            )
            .await?;
        }
        for name in &self.names {
            tx.run(
                sql!("delete from request_certified where authority_id = $1 and request_id = $2 and field = $3"),
                args![a, request, name],
            )
            .await?;
        }
        let forms: Vec<(i64, Json<Answers>)> = tx
            .all(
                sql!("select seq, answers from request_form where authority_id = $1 and request_id = $2"),
                args![a, request],
            )
            .await?;
        for (seq, Json(mut answers)) in forms {
            answers.retain(|id, _| !self.names.contains(id));
            tx.run(
                sql!("update request_form set answers = $1 where authority_id = $2 and request_id = $3 and seq = $4"),
                args![Json(&answers), a, request, seq],
            )
            .await?;
        }
        Ok(())
    }
}

/// Whether the request must stay whole, for a court or a claim.
pub async fn held(tx: &mut Tx, request: Uuid) -> Result<bool, db::Error> {
    let held: Option<Uuid> = tx
        .first(
            sql!("select request_id from legal_hold where authority_id = $1 and request_id = $2"),
            args![tx.authority(), request],
        )
        .await?;
    Ok(held.is_some())
}
