//! Sending one SMS by the gateway (Kannel's sendsms). Its text is of a template, the department's own or the common
//! one: no answer, no name, no procedure.

use db::Tx;
use jiff::SignedDuration;
use minijinja::context;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{number, opened, store, text, token};
use crate::{
    catalogue,
    correspondence::{Medium, mail},
    platform::{
        jobs::{self, Claimed, NewJob, Outcome},
        mail::SendError,
    },
    requests::{model::Request, store as requests},
    visit::Visit,
};

pub const SMS: &str = "sms";
/// What Kannel is to tell of: delivered (1), not delivered (2), refused by the operator (16).
const HEARD: &str = "19";
/// More on one request in a day would tell nothing new: something waits there.
const MOST_A_DAY: i64 = 10;

/// Queues the SMS of a message about a request, if its filer chose to be told so. Apart from the request's own
/// queue: what waits for the morning must not hold up mails.
pub async fn tell(visit: &Visit, request: &Request, message: &str, effect: Uuid) -> Result<(), db::Error> {
    let Some(account) = request.account_id else { return Ok(()) };
    let (id, now, request) = (visit.id(), visit.now, request.id);
    visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::chosen(tx, request).await? {
                return Ok(());
            }
            let payload = json!({"message": message, "account": account, "about": request});
            let job = NewJob { kind: SMS, effect: format!("sms:{effect}"), request: Some(request), payload };
            jobs::enqueue_apart(tx, id, now, job).await
        })
        .await
}

/// Sends the SMS of a job, unless it is to wait for the morning.
pub async fn carry_out(visit: &Visit, job: &Claimed) -> Result<Outcome, SendError> {
    let text = |name: &str| job.payload.0.get(name).and_then(Json::as_str).unwrap_or_default();
    let account: Uuid = text("account").parse().map_err(|_| SendError::Permanent("no account".to_owned()))?;
    let Some((gateway, password)) = opened(visit).await? else { return Ok(Outcome::Done) };
    let Some(known) = store::number(&visit.db, account).await.map_err(anyhow::Error::from)? else {
        return Ok(Outcome::Done);
    };
    let about: Option<Uuid> = text("about").parse().ok();
    let (to, body) = match about {
        None => {
            // Confirmed already.
            let Some(to) = known.asked.as_deref() else { return Ok(Outcome::Done) };
            (to, number::code_text(visit, &known, to)?)
        }
        Some(id) => {
            // Stopped, or refused since; or the request is gone.
            let request = requests::find(&visit.db, id).await.map_err(anyhow::Error::from)?;
            let number = known.number.as_deref().filter(|_| known.refused_at.is_none());
            let (Some(request), Some(to)) = (request, number) else { return Ok(Outcome::Done) };
            // Who asks for a code waits for it, whatever the hour.
            if let Some(until) = gateway.later(visit.now, &visit.site.zone) {
                jobs::postpone(&visit.db, job, until).await.map_err(anyhow::Error::from)?;
                return Ok(Outcome::Recorded);
            }
            let since = visit.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(visit.now);
            if store::too_many(&visit.db, (id, job.id), MOST_A_DAY, since).await.map_err(anyhow::Error::from)? {
                return Ok(Outcome::Done);
            }
            (to, about_request(visit, &request, text("message"), mail::is_common(job)).await?)
        }
    };
    let sent = store::Sent {
        id: job.id,
        account,
        request: about,
        what: if about.is_some() { text("message") } else { "code" },
        number: to,
        body: if about.is_some() { &body } else { "" },
        parts: i64::try_from(text::parts(&body)).unwrap_or(i64::MAX),
    };
    let leaving = async |tx: &mut Tx| store::leaving(tx, &sent, visit.now).await;
    visit.db.write(leaving).await.map_err(anyhow::Error::from)?;
    let taken = match hand_over(visit, &gateway, &password, to, &body, job.id).await {
        Ok(()) => true,
        Err(SendError::Permanent(why)) => {
            tracing::warn!(job = %job.id, why, "a number is refused");
            false
        }
        Err(passing) => return Err(passing),
    };
    let write = async |tx: &mut Tx| {
        store::left(tx, job.id, taken).await?;
        if !taken {
            store::refuse(tx, account, to, visit.now).await?;
        }
        jobs::record(tx, job, visit.now).await
    };
    visit.db.write(write).await.map_err(anyhow::Error::from)?;
    Ok(Outcome::Recorded)
}

/// That something waits, and where; in the department's own words if it has any and unless `common`.
async fn about_request(visit: &Visit, request: &Request, message: &str, common: bool) -> Result<String, SendError> {
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let own = if common { None } else { mail::own(visit, Medium::Sms, message, request, &procedure).await? };
    Ok(whole(visit, message, &request.reference, &own.map(|own| own.text).unwrap_or_default())?)
}

/// The whole SMS of a message: the city before, the address and how to stop it after. `own`: the department's
/// words, or nothing.
pub fn whole(visit: &Visit, message: &str, reference: &str, own: &str) -> anyhow::Result<String> {
    let context = context! {
        message => message, city => &visit.site.settings.short, reference => reference, text => own,
        link => format!("{}/mes-demandes", visit.public_url()),
    };
    Ok(text::plain(&visit.app.templates.render("sms/demande.txt", context)?))
}

async fn hand_over(
    visit: &Visit,
    gateway: &super::Gateway,
    password: &str,
    to: &str,
    body: &str,
    id: Uuid,
) -> Result<(), SendError> {
    let site = if gateway.callback.is_empty() { visit.public_url() } else { gateway.callback.trim_end_matches('/') };
    let heard = format!("{site}/sms/{}/remise?sms={id}&etat=%d", token(visit));
    let coding = if text::is_gsm(body) { "0" } else { "2" };
    let mut query = vec![
        ("username", gateway.username.as_str()),
        ("password", password),
        ("to", to),
        ("text", body),
        ("charset", "UTF-8"),
        ("coding", coding),
        ("dlr-mask", HEARD),
        ("dlr-url", &heard),
    ];
    if !gateway.from.is_empty() {
        query.push(("from", &gateway.from));
    }
    let answer = visit.app.outside.get(&gateway.url).query(&query).send().await;
    // The address holds the password: it is not to be told.
    let answer = answer.map_err(|error| SendError::Passing(anyhow::Error::from(error.without_url())))?;
    let status = answer.status();
    let said: String = answer.text().await.unwrap_or_default().chars().take(200).collect();
    match status {
        StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
        // Kannel: « Number(s) has/have been denied by white- and/or black-lists », a sender or a receiver missing.
        StatusCode::BAD_REQUEST => Err(SendError::Permanent(format!("{status}: {said}"))),
        // « Not routable. Do not try again. »: no operator takes this number.
        StatusCode::FORBIDDEN if said.contains("Do not try again") => {
            Err(SendError::Permanent(format!("{status}: {said}")))
        }
        // Wrong credentials, a gateway that is full or starts: it may be mended.
        _ => Err(SendError::Passing(anyhow::anyhow!("gateway: {status}: {said}"))),
    }
}
