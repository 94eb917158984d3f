//! What follows an entry of the history, queued with it.

use db::Tx;
use forms::step::Effect;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    contacts, correspondence, hooks,
    platform::jobs::{self, NewJob},
};

/// What effects are queued for.
#[derive(Debug, Clone, Copy)]
pub struct Queued {
    pub request: Uuid,
    /// Whether there is an address to write to.
    pub reachable: bool,
    pub letter: Option<Uuid>,
    /// The entry of the history.
    pub seq: i64,
}

/// Queues the effects of an entry of the history: one job each, named after it.
pub async fn queue(tx: &mut Tx, of: Queued, effects: &[Effect], ids: &[Uuid], now: Timestamp) -> Result<(), db::Error> {
    let Queued { request, reachable, letter, seq } = of;
    let reachable = reachable || contacts::sms::chosen(tx, request).await?;
    for (effect, id) in effects.iter().zip(ids) {
        if let Effect::Webhook(called) = effect {
            hooks::queue(tx, *id, (request, seq), called, now).await?;
        }
        let job = match (effect, letter) {
            (Effect::Letter, Some(letter)) => correspondence::jobs::making(request, letter),
            (Effect::Letter, None) => correspondence::alone::making(request, seq, None),
            // Who gave no address and no number is owed nothing: the follow-up page tells all.
            (Effect::Notify(message), _) if reachable => NewJob {
                kind: super::jobs::NOTIFY,
                effect: format!("notify:{request}:{seq}:{message}"),
                request: Some(request),
                payload: json!({"message": message}),
            },
            (Effect::Receipt, _) => NewJob {
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
