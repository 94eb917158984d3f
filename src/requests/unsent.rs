//! Mails and SMS that wait because the text of their department cannot be filled in: they leave once it is
//! corrected, or with the common text.

use std::collections::BTreeMap;

use db::{Db, Query, Tx, args, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    access::{self, Process},
    desk::AGAIN,
    store::{Entry, record},
};
use crate::{
    correspondence::mail::{COMMON, UNFILLED},
    visit::Agent,
};

/// More than these are corrected by saving the template once more.
const MOST: i64 = 500;

/// The code of the template that a failure names.
pub fn template(error: &str) -> Option<&str> {
    let after = error.split_once(UNFILLED)?.1.trim_start().strip_prefix('(')?;
    after.split_once(')').map(|(code, _)| code)
}

/// How many wait for each template of a department, counted up to five hundred in all.
pub async fn waiting(db: &Db, department: &str) -> Result<BTreeMap<String, i64>, db::Error> {
    let errors: Vec<String> = db
        .all(
            sql!(
                "select j.last_error from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id
                 where j.authority_id = $1 and j.failed_at is not null and j.last_error like $3 and r.department_id = $2 limit $4"
            ),
            args![db.authority(), department, format!("%{UNFILLED}%"), MOST],
        )
        .await?;
    let mut waiting = BTreeMap::new();
    for code in errors.iter().filter_map(|error| template(error)) {
        *waiting.entry(code.to_owned()).or_default() += 1;
    }
    Ok(waiting)
}

/// Puts back what waits for this template, which was just saved; gives how many. The same job is tried again: what
/// left cannot leave twice.
pub async fn release(tx: &mut Tx, department: &str, code: &str, by: Uuid, now: Timestamp) -> Result<usize, db::Error> {
    let waiting: Vec<(Uuid, Uuid)> = tx
        .all(
            sql!(
                "select j.id, j.request_id from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id
                 where j.authority_id = $1 and j.failed_at is not null and j.last_error like $3 and r.department_id = $2
                 order by j.failed_at, j.id limit $4"
            ),
            args![tx.authority(), department, format!("%{UNFILLED} ({code})%"), MOST],
        )
        .await?;
    let mut released = 0;
    for (job, request) in waiting {
        released += usize::from(put_back(tx, job, None, now).await?);
        note(tx, request, job, by, now).await?;
    }
    Ok(released)
}

/// Sends a message in the common words rather than wait for its template, if the agent processes its request;
/// gives the request.
pub async fn send_common(agent: &Agent, job: Uuid) -> Result<Option<Uuid>, db::Error> {
    let (by, now) = (agent.account.id, agent.now);
    let find = || {
        let query = Query::new(
            "select j.request_id, j.last_error, j.payload from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id
             where j.failed_at is not null",
        );
        access::scope_as::<Process>(query.and("j.authority_id = {}", agent.db.authority()).and("j.id = {}", job), agent)
    };
    agent
        .db
        .write(async |tx: &mut Tx| {
            let found: Option<(Uuid, Option<String>, db::Json<serde_json::Value>)> = tx.first(find(), args![]).await?;
            let Some((request, error, db::Json(mut payload))) = found else { return Ok(None) };
            if template(error.as_deref().unwrap_or_default()).is_none() {
                return Ok(None);
            }
            if let Some(payload) = payload.as_object_mut() {
                payload.insert(COMMON.to_owned(), true.into());
            }
            if put_back(tx, job, Some(payload), now).await? {
                note(tx, request, job, by, now).await?;
            }
            Ok::<Option<Uuid>, db::Error>(Some(request))
        })
        .await
}

async fn put_back(
    tx: &mut Tx,
    job: Uuid,
    payload: Option<serde_json::Value>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let a = tx.authority();
    if let Some(payload) = payload {
        tx.run(
            sql!("update job set payload = $1 where authority_id = $2 and id = $3 and failed_at is not null"),
            args![db::Json(payload), a, job],
        )
        .await?;
    }
    let changed = tx
        .run(
            sql!("update job set failed_at = null, attempts = 0, run_at = $1 where authority_id = $2 and id = $3 and failed_at is not null"),
            args![now, a, job],
        )
        .await?;
    Ok(changed == 1)
}

async fn note(tx: &mut Tx, request: Uuid, job: Uuid, by: Uuid, now: Timestamp) -> Result<(), db::Error> {
    let entry = Entry {
        actor: "agent",
        actor_id: Some(by),
        code: AGAIN,
        from: None,
        to: None,
        subject: Some(job),
        acted: None,
    };
    record(tx, request, &entry, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_template() {
        let error = format!("refused for good: {UNFILLED} (courriel-decision), version 3 : « Téléphone » manque (x)");
        assert_eq!(template(&error), Some("courriel-decision"));
        assert_eq!(template("550 (mailbox)"), None);
    }
}
