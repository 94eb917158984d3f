//! Letters that the platform makes by itself: a reminder, the notice of a decision that the law has taken. Nobody reads
//! them before, nobody signs them, and they decide nothing (`forms`, what `guichet check` proves).

use anyhow::{Context, anyhow};
use forms::{model::Procedure, workflow::Transition};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    compose::{self, About},
    jobs,
    model::Author,
    store::{self, New},
};
use crate::{
    catalogue,
    platform::{
        jobs::{Claimed, NewJob, Outcome},
        mail::SendError,
    },
    requests,
    visit::Visit,
};

pub const MAKE: &str = "request-letter-alone";

/// What writes the letter of an entry of the history, once: that of its transition, or of the template `code`.
pub fn making(request: Uuid, seq: i64, code: Option<&str>) -> NewJob {
    let payload = json!({"seq": seq, "code": code});
    NewJob { kind: MAKE, effect: format!("letter:{request}:{seq}"), request: Some(request), payload }
}

/// Writes it as of the day of its entry, then makes its PDF. The letter has the job's own id: resumed after a stop, it
/// is the same one.
///
/// # Errors
/// Permanent when its template does not fit the request: its department sees that it was not made, and why.
pub async fn make(visit: &Visit, job: &Claimed) -> Result<Outcome, SendError> {
    let passing = |error: db::Error| SendError::Passing(error.into());
    let id = job.request_id.context("no request").map_err(SendError::Passing)?;
    if store::letter(&visit.db, job.id).await.map_err(passing)?.is_none() {
        // Erased since: nothing to write any more.
        let Some(request) = requests::store::find(&visit.db, id).await.map_err(passing)? else {
            return Ok(Outcome::Done);
        };
        let seq = job.payload.0.get("seq").and_then(Json::as_i64);
        let events = requests::store::events(&visit.db, id).await.map_err(passing)?;
        let event =
            events.iter().find(|event| Some(event.seq) == seq).context("no entry").map_err(SendError::Passing)?;
        let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await;
        let procedure = procedure.map_err(SendError::Passing)?;
        let then = Visit { now: event.at, ..visit.clone() };
        let code = match job.payload.0.get("code").and_then(Json::as_str) {
            Some(code) => code,
            None => of_transition(&procedure, &event.code)?,
        };
        let new = write(&then, job.id, &request, &procedure, code).await?;
        let kept = visit.db.write(async |tx: &mut db::Tx| store::insert(tx, id, &new).await).await;
        kept.map_err(passing)?;
    }
    let letter = store::letter(&visit.db, job.id).await.map_err(passing)?;
    let letter = letter.context("no letter").map_err(SendError::Passing)?;
    Ok(jobs::keep(visit, job, &letter).await?)
}

fn of_transition<'p>(procedure: &'p Procedure, transition: &str) -> Result<&'p str, SendError> {
    let letter = procedure.workflow.transition(transition).and_then(Transition::letter);
    letter.ok_or_else(|| SendError::Passing(anyhow!("{transition} makes no letter")))
}

/// A letter of the department, signed by nobody.
pub async fn write(
    visit: &Visit,
    id: Uuid,
    request: &requests::model::Request,
    procedure: &Procedure,
    code: &str,
) -> Result<New, SendError> {
    let author = Author::default();
    let mut about = About::request(visit, request, procedure, &author);
    // Whoever gave no e-mail hears of it by post.
    about.to_post = request.email.is_none() && !compose::address(&about).is_empty();
    let letter = compose::compose(visit, code, None, &about).await?;
    let letter = letter.map_err(|unfit| SendError::Permanent(unfit.sentences.join(" ")))?;
    Ok(New {
        id,
        department: request.department_id.clone(),
        code: letter.code,
        version: letter.version,
        title: letter.title,
        content: letter.content,
        written_on: visit.today(),
        author: None,
        to_post: about.to_post,
    })
}
