//! What is awaited of others about a request, opinions and approvals: reminders to who is asked, on the last day; to
//! who asked, once it is past.

use anyhow::Result;
use db::{Db, Tx};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::store::note;
use crate::{app::App, authorities, visit::Visit, work};

/// Something that is asked, with a last day.
pub trait Awaited {
    /// Codes of the history: who is asked was reminded; it is late.
    const REMINDED: &'static str;
    const LATE: &'static str;

    /// Some of what somebody has to be reminded of by now.
    fn due(db: &Db, now: Timestamp) -> impl Future<Output = Result<Vec<Uuid>, db::Error>> + Send;
    /// Its request and its last day; none when nothing is awaited any more.
    fn until(db: &Db, id: Uuid) -> impl Future<Output = Result<Option<(Uuid, Date)>, db::Error>> + Send;
    /// Says when to remind next. False when somebody did since `now`.
    fn reminded(
        tx: &mut Tx,
        id: Uuid,
        now: Timestamp,
        next: Option<Timestamp>,
    ) -> impl Future<Output = Result<bool, db::Error>> + Send;
    /// Queues the mail `job` about `id`, of this request: to who asked when it is late, else to who is asked.
    fn tell(
        tx: &mut Tx,
        job: Uuid,
        about: (Uuid, Uuid),
        late: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), db::Error>> + Send;
}

/// Reminds of what is due, of every authority.
pub async fn remind<A: Awaited>(app: &App) -> Result<()> {
    for authority in authorities::all(&app.db).await? {
        let visit = work::visit(app, authority).await?;
        loop {
            let mut done = 0;
            for id in A::due(&visit.db, visit.now).await? {
                done += usize::from(one::<A>(&visit, id).await?);
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

async fn one<A: Awaited>(visit: &Visit, id: Uuid) -> Result<bool> {
    let Some((request, until)) = A::until(&visit.db.fresh(), id).await? else { return Ok(false) };
    let late = visit.today() > until;
    let code = if late { A::LATE } else { A::REMINDED };
    let next = if late { None } else { until.tomorrow().ok().and_then(|day| visit.morning(day)) };
    let (job, now) = (visit.id(), visit.now);
    let done = visit
        .db
        .write(async |tx: &mut Tx| {
            if !A::reminded(tx, id, now, next).await? {
                return Ok(false);
            }
            note(tx, request, id, ("system", None), code, now).await?;
            A::tell(tx, job, (request, id), late, now).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done)
}
