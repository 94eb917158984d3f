//! Calling an application, at least once, and what follows from its answer: once.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use db::Tx;
use forms::{
    answers::Answers,
    model::Procedure,
    step::Actor,
    workflow::{Action, Transition, Webhook},
};
use jiff::SignedDuration;
use reqwest::{StatusCode, header};
use serde_json::{Value as Json, json};

use super::{
    FAILED, LATE, TOLD, UNMET,
    answer::{self, Answer},
    declaration::Declaration,
    key, sign,
    store::{self, Declared, Entry},
};
use crate::{
    catalogue,
    error::Problem,
    platform::{
        jobs::{self, Claimed, Outcome},
        mail::SendError,
        outward::Refused,
    },
    requests::{
        fire::{self, By, With},
        model::{self, Request},
        store as requests,
    },
    visit::Visit,
};

/// Shape of what is told. A new key does not change it.
const VERSION: u32 = 1;
/// After a call that failed, other calls of the application wait: one that hangs must not hold up the workers.
const REST: SignedDuration = SignedDuration::from_secs(60);
/// How often somebody may be faster before the job waits.
const ROUNDS: usize = 5;

/// What a job is about, as it stands.
struct Call {
    request: Request,
    procedure: Arc<Procedure>,
    seq: i64,
    webhook: Webhook,
}

/// Why a call came to nothing.
enum Trouble {
    /// The application does not answer, or answers that it cannot.
    Away(anyhow::Error),
    /// It answers something else than what was agreed.
    Wrong(anyhow::Error),
    /// Trying again changes nothing, until somebody does.
    Final(String),
}

/// Calls an application, and does what its answer says.
pub async fn carry_out(visit: &Visit, job: &Claimed) -> Result<Outcome, SendError> {
    // Erased since: nobody is told any more.
    let Some(call) = Call::read(visit, job).await? else { return Ok(Outcome::Done) };
    let declared = store::get(&visit.db, &call.webhook.id).await.map_err(anyhow::Error::from)?;
    if let Some(until) = declared.as_ref().and_then(|one| one.rest_until).filter(|until| *until > visit.now) {
        jobs::postpone(&visit.db, job, until).await.map_err(anyhow::Error::from)?;
        return Ok(Outcome::Recorded);
    }
    let answer = match &declared {
        Some(declared) => call.make(visit, job, declared).await,
        None => Err(Trouble::Final("cette application n’est pas déclarée".to_owned())),
    };
    match answer {
        Ok(answer) => Ok(call.heard(visit, job, answer).await?),
        Err(Trouble::Final(why)) => Ok(call.give_up(visit, job, &why).await?),
        Err(Trouble::Away(error)) => {
            let (id, until) = (&call.webhook.id, visit.now.checked_add(REST).unwrap_or(visit.now));
            visit.db.write(async |tx: &mut Tx| store::rest(tx, id, until).await).await.map_err(anyhow::Error::from)?;
            call.later(visit, job, error).await
        }
        Err(Trouble::Wrong(error)) => call.later(visit, job, error).await,
    }
}

impl Call {
    async fn read(visit: &Visit, job: &Claimed) -> Result<Option<Self>> {
        let id = job.request_id.context("no request")?;
        let payload = |name: &str| job.payload.0.get(name);
        let (webhook, seq) = (payload("webhook").and_then(Json::as_str), payload("seq").and_then(Json::as_i64));
        let Some(request) = requests::find(&visit.db, id).await? else { return Ok(None) };
        let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
        let webhook = webhook.and_then(|id| procedure.workflow.webhook(id)).context("no such webhook")?.clone();
        Ok(Some(Self { request, procedure, seq: seq.context("no entry")?, webhook }))
    }

    async fn make(&self, visit: &Visit, job: &Claimed, declared: &Declared) -> Result<Answer, Trouble> {
        let declaration = &declared.declaration.0;
        if !declaration.lets(&self.procedure.id) {
            return Err(Trouble::Final("sa déclaration ne permet pas cette démarche".to_owned()));
        }
        let last = |error: anyhow::Error| Trouble::Final(format!("{error:#}"));
        let url = declaration.address().map_err(last)?;
        let keys = self.keys(visit, declared).map_err(last)?;
        let entry =
            store::entry(&visit.db, self.request.id, self.seq).await.map_err(|error| Trouble::Wrong(error.into()))?;
        let entry = entry.ok_or_else(|| Trouble::Final("l’étape n’est plus dans l’historique".to_owned()))?;
        let body = self.body(visit, &entry, declaration).to_string();
        let (id, seconds) = (job.id.to_string(), visit.now.as_second());
        let refused = |_| Trouble::Final(Refused.to_string());
        let asked = visit
            .app
            .outward
            .post(url)
            .map_err(refused)?
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", sign::signatures(&keys, &id, seconds, &body))
            .body(body);
        let awaited = self.procedure.workflow.upon(&self.webhook.id).any(|(_, upon)| upon.outcome.is_some());
        let (status, body) = read(asked, awaited).await?;
        match status {
            _ if status.is_success() => answer::read(&self.procedure, &self.webhook, &body).map_err(Trouble::Wrong),
            // « The receiver is not interested any more » (Standard Webhooks).
            StatusCode::GONE => Err(Trouble::Final(format!("l’application répond {status}"))),
            _ if status.is_redirection() => {
                Err(Trouble::Wrong(anyhow!("l’application renvoie ailleurs ({status})\u{a0}: ce n’est pas suivi")))
            }
            _ => Err(Trouble::Away(anyhow!("l’application répond {status}"))),
        }
    }

    /// The secret's, then that of the one before while it goes on.
    fn keys(&self, visit: &Visit, declared: &Declared) -> Result<Vec<Vec<u8>>> {
        let old = declared.old_sealed.as_deref().filter(|_| declared.old_until.is_some_and(|until| visit.now < until));
        [Some(declared.sealed.as_slice()), old]
            .into_iter()
            .flatten()
            .map(|sealed| key(visit, &self.webhook.id, sealed))
            .collect()
    }

    /// What the application is told: where the request went at that entry, and its answers as they stand now.
    fn body(&self, visit: &Visit, entry: &Entry, declaration: &Declaration) -> Json {
        let (request, procedure) = (&self.request, &self.procedure);
        let named = self.webhook.sends.iter().chain(&self.webhook.sensitive);
        let told: Answers = named
            .filter(|id| declaration.answers.contains(id))
            .filter_map(|id| Some((id.clone(), request.answers.0.get(id).or_else(|| request.given.0.get(id))?.clone())))
            .collect();
        let status = entry.to_state.as_deref().and_then(|state| procedure.workflow.state(state));
        json!({
            "type": "request.transition",
            "timestamp": entry.at.to_string(),
            "data": {
                "version": VERSION,
                "authority": visit.site.slug,
                "reference": request.reference,
                "link": format!("{}/agent/demandes/{}", visit.public_url(), request.id),
                "procedure": procedure.id,
                "procedure_version": request.procedure_version,
                "sequence": self.seq,
                "transition": entry.code,
                "from": entry.from_state,
                "state": entry.to_state,
                "status": status.map(|state| model::status_name(state.status)),
                "confidential_address": request.confidential_address,
                "answers": told,
            },
        })
    }

    /// What the answer fires, with the values that it gives, in the transaction that ends the job.
    async fn heard(mut self, visit: &Visit, job: &Claimed, answer: Answer) -> Result<Outcome, SendError> {
        for _ in 0..ROUNDS {
            let known = fire::values(&self.procedure, &self.request.answers.0, &self.request.given.0);
            let given = answer::values(&self.procedure, &self.webhook, &answer.set, known, visit.today());
            let given = match given {
                Ok(given) => given,
                Err(error) => return self.later(visit, job, error).await,
            };
            let latest = self.is_latest(visit).await?;
            let fires = answer.outcome.as_deref().filter(|_| latest);
            let fires = fires.and_then(|word| self.fires(visit, Some(word), &given));
            let what = match answer.outcome.as_deref() {
                Some(word) if fires.is_none() && latest && self.awaits(word) => UNMET,
                Some(_) if fires.is_none() => LATE,
                _ => TOLD,
            };
            if let Some(done) = self.follow(visit, job, fires, given, (what, None)).await? {
                return Ok(done);
            }
            if !self.again(visit).await? {
                return Ok(Outcome::Done);
            }
        }
        Err(SendError::Passing(anyhow!("la demande change sans cesse")))
    }

    /// To be tried again later; the last time, it is given up.
    async fn later(self, visit: &Visit, job: &Claimed, error: anyhow::Error) -> Result<Outcome, SendError> {
        if jobs::last(job) { Ok(self.give_up(visit, job, &format!("{error:#}")).await?) } else { Err(error.into()) }
    }

    /// Nobody could be told: agents see it, and the circuit may go on without.
    async fn give_up(mut self, visit: &Visit, job: &Claimed, why: &str) -> Result<Outcome> {
        tracing::warn!(job = %job.id, webhook = self.webhook.id, why, "a webhook is given up");
        for _ in 0..ROUNDS {
            let latest = self.is_latest(visit).await?;
            let fires = if latest { self.fires(visit, None, &Answers::new()) } else { None };
            if let Some(done) = self.follow(visit, job, fires, Answers::new(), (FAILED, Some(why))).await? {
                return Ok(done);
            }
            if !self.again(visit).await? {
                return Ok(Outcome::Done);
            }
        }
        Err(anyhow!("{why}"))
    }

    /// Reads the request anew; false when it is gone.
    async fn again(&mut self, visit: &Visit) -> Result<bool> {
        let found = requests::find(&visit.db, self.request.id).await?;
        Ok(found.map(|found| self.request = found).is_some())
    }

    /// Whether the application was not called again since: what it says of an earlier call counts no more.
    async fn is_latest(&self, visit: &Visit) -> Result<bool> {
        let calls = |code: &str| {
            let fired = self.procedure.workflow.transition(code);
            fired.is_some_and(|one| one.does.contains(&Action::Webhook(self.webhook.id.clone())))
        };
        let events = requests::events(&visit.db.fresh(), self.request.id).await?;
        Ok(!events.iter().any(|event| event.seq > self.seq && event.to_state.is_some() && calls(&event.code)))
    }

    /// Whether some transition waits for this word from where the request stands, whatever its condition.
    fn awaits(&self, word: &str) -> bool {
        let mut upon = self.procedure.workflow.upon(&self.webhook.id);
        upon.any(|(one, upon)| upon.outcome.as_deref() == Some(word) && one.from.contains(&self.request.state))
    }

    /// The first transition that waits for this, from where the request stands.
    fn fires(&self, visit: &Visit, outcome: Option<&str>, given: &Answers) -> Option<&Transition> {
        let mut all = self.request.given.0.clone();
        all.extend(given.clone());
        let known = fire::known(&self.procedure, &self.request.answers.0, &all);
        let waiting =
            self.procedure.workflow.upon(&self.webhook.id).filter(|(_, upon)| upon.outcome.as_deref() == outcome);
        waiting
            .map(|(transition, _)| transition)
            .find(|one| one.from.contains(&self.request.state) && one.holds(fire::context(visit, &known)))
    }

    /// Writes what the call came to, and what it fires; none, and nothing written, when somebody changed the request.
    async fn follow(
        &self,
        visit: &Visit,
        job: &Claimed,
        fires: Option<&Transition>,
        given: Answers,
        (what, failed): (&str, Option<&str>),
    ) -> Result<Option<Outcome>> {
        let with = With { message: fires.and_then(|one| one.says.as_deref()), form: given, ..With::default() };
        let by = By { actor: Actor::System, account: None, acted: None };
        let told = |problem: Problem| anyhow!("{problem:?}");
        let fired = match fires {
            Some(one) => Some(fire::decide(visit, &self.procedure, &self.request, &one.id, by, &with).map_err(told)?),
            None => None,
        };
        let (id, now, code) = (self.request.id, visit.now, format!("{what}{}", self.webhook.id));
        let entry = requests::Entry {
            actor: "system",
            actor_id: None,
            code: &code,
            from: None,
            to: None,
            subject: None,
            acted: None,
        };
        let written = visit
            .db
            .write(async |tx: &mut Tx| {
                if !jobs::is_ours(tx, job).await? {
                    return Ok(true);
                }
                if let Some(fired) = &fired
                    && !fired.store(tx).await?
                {
                    return Ok(false);
                }
                requests::record(tx, id, &entry, now).await?;
                match failed {
                    Some(why) => jobs::fail(tx, job, why, now).await?,
                    None => jobs::record(tx, job, now).await?,
                }
                Ok::<_, db::Error>(true)
            })
            .await?;
        if written {
            visit.app.work.notify_one();
        }
        Ok(written.then_some(Outcome::Recorded))
    }
}

/// Sends, and reads the answer up to a size, if it is a success and something in it is awaited.
async fn read(asked: reqwest::RequestBuilder, awaited: bool) -> Result<(StatusCode, Vec<u8>), Trouble> {
    // An address may hold a secret: it is not to be told.
    let away = |error: reqwest::Error| match Refused::is_behind(&error) {
        true => Trouble::Final(Refused.to_string()),
        false => Trouble::Away(anyhow::Error::from(error.without_url())),
    };
    let mut response = asked.send().await.map_err(away)?;
    let mut body = Vec::new();
    if !awaited || !response.status().is_success() {
        return Ok((response.status(), body));
    }
    while let Some(chunk) = response.chunk().await.map_err(away)? {
        if body.len() + chunk.len() > answer::LARGEST {
            return Err(Trouble::Wrong(anyhow!("réponse de plus de {} octets", answer::LARGEST)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}
