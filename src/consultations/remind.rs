//! Reminders: see [`awaited`](crate::requests::awaited).

use db::{Db, Tx};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    jobs::{self, What},
    model, store,
};
use crate::requests::awaited::Awaited;

/// A consultation.
pub struct Opinion;

impl Awaited for Opinion {
    const REMINDED: &'static str = model::REMINDED;
    const LATE: &'static str = model::LATE;

    async fn due(db: &Db, now: Timestamp) -> Result<Vec<Uuid>, db::Error> {
        store::due(db, now).await
    }

    async fn until(db: &Db, id: Uuid) -> Result<Option<(Uuid, Date)>, db::Error> {
        let found = store::find(db, id).await?;
        Ok(found.map(|found| (found.request_id, found.until)))
    }

    async fn reminded(tx: &mut Tx, id: Uuid, now: Timestamp, next: Option<Timestamp>) -> Result<bool, db::Error> {
        store::reminded(tx, id, now, next).await
    }

    async fn tell(
        tx: &mut Tx,
        job: Uuid,
        (request, id): (Uuid, Uuid),
        late: bool,
        now: Timestamp,
    ) -> Result<(), db::Error> {
        let what = if late { What::Late } else { What::Remind };
        jobs::queue(tx, job, request, id, what, now).await
    }
}
