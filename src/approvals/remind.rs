//! Reminders: to the department of a step, on its last day; to who asked, once it is past.

use anyhow::Result;
use db::Tx;
use uuid::Uuid;

use super::{
    change::{morning, note},
    jobs::{self, What},
    model::{LATE, REMINDED},
    store,
};
use crate::{app::App, authorities, visit::Visit, work};

/// Reminds of what is due, of every authority.
pub async fn tick(app: &App) -> Result<()> {
    for authority in authorities::all(&app.db).await? {
        let visit = work::visit(app, authority).await?;
        loop {
            let mut done = 0;
            for id in store::due(&visit.db, visit.now).await? {
                done += usize::from(one(&visit, id).await?);
            }
            // Nothing is due, or others are at it.
            if done == 0 {
                break;
            }
            app.work.notify_one();
        }
    }
    Ok(())
}

async fn one(visit: &Visit, id: Uuid) -> Result<bool> {
    let Some(found) = store::find(&visit.db.fresh(), id).await? else { return Ok(false) };
    let Some(until) = found.until else { return Ok(false) };
    let past = visit.today() > until;
    let (code, what) = if past { (LATE, What::Late) } else { (REMINDED, What::Remind) };
    let next = if past { None } else { until.tomorrow().ok().and_then(|day| morning(visit, day)) };
    let (job, now) = (visit.id(), visit.now);
    let done = visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::reminded(tx, id, now, next).await? {
                return Ok(false);
            }
            note(tx, found.request_id, id, ("system", None), code, now).await?;
            jobs::queue(tx, job, found.request_id, id, what, now).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done)
}
