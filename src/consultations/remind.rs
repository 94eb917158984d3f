//! Reminders: see [`awaited`](crate::requests::awaited).

use db::{Db, Tx, args, sql};
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
        db.all(
            sql!("select id from consultation where authority_id = $1 and remind_at <= $2 order by remind_at, id limit 50"),
            args![db.authority(), now],
        )
        .await
    }

    async fn until(db: &Db, id: Uuid) -> Result<Option<(Uuid, Date)>, db::Error> {
        let found = store::find(db, id).await?;
        Ok(found.map(|found| (found.request_id, found.until)))
    }

    async fn reminded(tx: &mut Tx, id: Uuid, now: Timestamp, next: Option<Timestamp>) -> Result<bool, db::Error> {
        let done = tx
            .run(
                sql!("update consultation set remind_at = $1 where authority_id = $2 and id = $3 and state = 'open' and remind_at <= $4"),
                args![next, tx.authority(), id, now],
            )
            .await?;
        Ok(done == 1)
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
