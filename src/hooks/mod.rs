//! Applications of the authority that procedures call (« webhooks »): declared by the operator with their address,
//! told what a procedure names of a request when a transition is fired, and heard: the word of their answer may fire
//! another.

use anyhow::{Context, Result, ensure};
use db::{Db, Tx};
use forms::model::Procedure;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    catalogue,
    journal::{self, Action, Line},
    platform::jobs::{self, NewJob},
    visit::Visit,
};

mod answer;
mod call;
mod declaration;
mod sign;
mod store;

pub use call::carry_out;
pub use declaration::Declaration;

pub const WEBHOOK: &str = "webhook";

/// Codes of the history, each before the application's id.
const TOLD: &str = "webhook-told:";
const LATE: &str = "webhook-late:";
const UNMET: &str = "webhook-unmet:";
const FAILED: &str = "webhook-failed:";

const SEALING: &str = "webhook";
/// How long the secret before signs beside a new one: time to set the application up anew.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Who owns a sealed secret: the application, of its authority.
fn owner(authority: Uuid, id: &str) -> Vec<u8> {
    [authority.as_bytes(), id.as_bytes()].concat()
}

/// Whose secret a declaration comes with.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    /// The application's own.
    Given(&'a str),
    /// One of ours, even if there is one already.
    New,
    /// The one before; one of ours when there is none.
    Known,
}

/// Declares an application, or declares it anew; gives the secret that was made, if one was.
///
/// # Errors
/// When the given secret is none.
pub async fn declare(
    app: &App,
    db: &Db,
    declaration: &Declaration,
    secret: Secret<'_>,
    now: Timestamp,
) -> Result<Option<String>> {
    let known = store::get(&db.fresh(), &declaration.id).await?;
    let made = sign::made();
    let kept = match secret {
        // Declared with the same one again: nothing is renewed, and the one before signs as long as it was to.
        Secret::Given(given) if known.as_ref().is_some_and(|known| is(app, db, declaration, known, given)) => None,
        Secret::Given(given) => Some(given),
        Secret::Known if known.is_some() => None,
        Secret::New | Secret::Known => Some(made.as_str()),
    };
    let sealed = match kept {
        Some(secret) => {
            sign::key(secret)?;
            Some(app.secret.seal(SEALING, &owner(db.authority(), &declaration.id), secret.as_bytes())?)
        }
        None => None,
    };
    let detail = format!("webhook {}", declaration.id);
    let write = async |tx: &mut Tx| {
        let sealed = sealed.as_deref().map(|sealed| (sealed, now.checked_add(OVERLAP).unwrap_or(now)));
        let done = store::put(tx, declaration, sealed, now).await?;
        if done {
            journal::note(tx, now, &Line::city(None, Action::ApplicationChanged).detail(&detail)).await?;
        }
        Ok::<bool, db::Error>(done)
    };
    ensure!(db.write(write).await?, "somebody took {} out meanwhile: try again", declaration.id);
    let ours = kept == Some(made.as_str());
    Ok(ours.then_some(made))
}

/// Whether this is the present secret of an application.
fn is(app: &App, db: &Db, declaration: &Declaration, known: &store::Declared, given: &str) -> bool {
    let clear = app.secret.unseal(SEALING, &owner(db.authority(), &declaration.id), &known.sealed);
    clear.is_some_and(|clear| clear == given.as_bytes())
}

/// Takes an application out: calls that wait for it fail, and agents see them. False when there is none.
pub async fn remove(db: &Db, id: &str, now: Timestamp) -> Result<bool, db::Error> {
    let detail = format!("webhook -{id}");
    db.write(async |tx: &mut Tx| {
        let done = store::remove(tx, id).await?;
        if done {
            journal::note(tx, now, &Line::city(None, Action::ApplicationChanged).detail(&detail)).await?;
        }
        Ok(done)
    })
    .await
}

/// What published procedures call and the authority does not let them, in words for the operator.
pub async fn missing(visit: &Visit) -> Result<Vec<String>> {
    let declared = store::all(&visit.db.fresh()).await?;
    let current = catalogue::current(visit).await?;
    let mut told = Vec::new();
    for procedure in current.all().map(|published| &published.procedure) {
        for webhook in &procedure.workflow.webhooks {
            let about = format!("{}: webhooks: {}", procedure.id, webhook.id);
            let Some(one) = declared.iter().map(|one| &one.0).find(|one| one.id == webhook.id) else {
                told.push(format!("{about}: not declared: its calls will fail (guichet admin add-webhook)"));
                continue;
            };
            if !one.lets(&procedure.id) {
                told.push(format!("{about}: its declaration does not name this procedure: its calls will fail"));
            }
            for field in webhook.sends.iter().chain(&webhook.sensitive).filter(|id| !one.answers.contains(id)) {
                told.push(format!("{about}: its declaration does not name the answer {field}: it will not be told"));
            }
        }
    }
    Ok(told)
}

/// Queues a call, in the transaction of the entry that it tells of. It waits for nothing else of its request.
pub async fn queue(
    tx: &mut Tx,
    id: Uuid,
    (request, seq): (Uuid, i64),
    webhook: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let job = NewJob {
        kind: WEBHOOK,
        effect: format!("{WEBHOOK}:{request}:{seq}:{webhook}"),
        request: Some(request),
        // What it tells is read when it is called: nothing personal waits in the queue.
        payload: json!({"webhook": webhook, "seq": seq}),
    };
    jobs::enqueue_apart(tx, id, now, job).await
}

/// What an entry of the history says of a call; none when it is not about one.
pub fn words(procedure: &Procedure, code: &str) -> Option<String> {
    let name = |id: &str| procedure.workflow.webhook(id).map_or_else(|| id.to_owned(), |one| one.label.clone());
    if let Some(id) = code.strip_prefix(TOLD) {
        return Some(format!("Demande transmise à l’application «\u{a0}{}\u{a0}»", name(id)));
    }
    if let Some(id) = code.strip_prefix(LATE) {
        return Some(format!(
            "Réponse sans effet de l’application «\u{a0}{}\u{a0}»\u{a0}: la demande avait avancé",
            name(id)
        ));
    }
    if let Some(id) = code.strip_prefix(UNMET) {
        return Some(format!(
            "Réponse sans effet de l’application «\u{a0}{}\u{a0}»\u{a0}: la condition de l’action qui l’attendait n’est pas remplie",
            name(id)
        ));
    }
    let id = code.strip_prefix(FAILED)?;
    Some(format!("Transmission en échec à l’application «\u{a0}{}\u{a0}»", name(id)))
}

/// The secret of an application, in the clear.
fn key(visit: &Visit, id: &str, sealed: &[u8]) -> Result<Vec<u8>> {
    let clear = visit.app.secret.unseal(SEALING, &owner(visit.site.id, id), sealed);
    let clear = clear.and_then(|bytes| String::from_utf8(bytes).ok());
    sign::key(&clear.context("its secret was sealed under another one")?)
}
