//! SQL on mandates.

use db::{Db, Row, Tx, args, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::model::Mandate;

/// A mandate, and the name of the other person: nobody's while it is offered.
#[derive(Debug, Clone)]
pub struct Between {
    pub mandate: Mandate,
    pub other: String,
}

fn between(mut row: Row) -> Result<Between, db::Error> {
    let other: Option<String> = row.take("other")?;
    let mandate = Mandate {
        id: row.take("id")?,
        principal_id: row.take("principal_id")?,
        helper_id: row.take("helper_id")?,
        kind: row.take("kind")?,
        scope: row.take("scope")?,
        may: row.take("may")?,
        until: row.take("until")?,
        offered_at: row.take("offered_at")?,
        accepted_at: row.take("accepted_at")?,
        ended_at: row.take("ended_at")?,
        recorded_by: row.take("recorded_by")?,
    };
    Ok(Between { mandate, other: other.unwrap_or_default() })
}

/// Reads the columns of a mandate.
macro_rules! mandates {
    ($more:literal) => {
        sql!(concat!(
            "select m.id, m.principal_id, m.helper_id, m.kind, m.scope, m.may, m.until, m.offered_at, m.accepted_at, m.ended_at, m.recorded_by",
            $more
        ))
    };
}

pub async fn insert(tx: &mut Tx, new: &Mandate) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into mandate (authority_id, id, principal_id, helper_id, kind, scope, may, until, offered_at, accepted_at, ended_at, recorded_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        args![
            tx.authority(), new.id, new.principal_id, new.helper_id, &new.kind, &new.scope, &new.may, new.until, new.offered_at, new.accepted_at, new.ended_at,
            new.recorded_by
        ],
    )
    .await?;
    Ok(())
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Mandate>, db::Error> {
    db.fresh()
        .first(mandates!(" from mandate m where m.authority_id = $1 and m.id = $2"), args![db.authority(), id])
        .await
}

/// Those a person gave, latest first, with whom they gave them to.
pub async fn given(db: &Db, principal: Uuid) -> Result<Vec<Between>, db::Error> {
    let rows: Vec<Row> = db
        .all(
            mandates!(
                ", case when a.id is null then '' else a.first_name || ' ' || a.last_name end as other from mandate m
                 left join account a on a.authority_id = m.authority_id and a.id = m.helper_id
                 where m.authority_id = $1 and m.principal_id = $2 order by m.offered_at desc, m.id desc limit 100"
            ),
            args![db.authority(), principal],
        )
        .await?;
    rows.into_iter().map(between).collect()
}

/// Those a person accepted, latest first, with who gave them.
pub async fn received(db: &Db, helper: Uuid) -> Result<Vec<Between>, db::Error> {
    let rows: Vec<Row> = db
        .all(
            mandates!(
                ", a.first_name || ' ' || a.last_name as other from mandate m
                 join account a on a.authority_id = m.authority_id and a.id = m.principal_id
                 where m.authority_id = $1 and m.helper_id = $2 order by m.offered_at desc, m.id desc limit 100"
            ),
            args![db.authority(), helper],
        )
        .await?;
    rows.into_iter().map(between).collect()
}

/// Those given or received that have not ended.
pub async fn count(db: &Db, account: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!(
            "select count(*) from mandate where authority_id = $1 and (principal_id = $2 or helper_id = $2) and ended_at is null"
        ),
        args![db.authority(), account],
    )
    .await
}

/// Accepted by this account: false when it is not offered any more.
pub async fn accept(tx: &mut Tx, id: Uuid, helper: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update mandate set helper_id = $1, accepted_at = $2 where authority_id = $3 and id = $4 and accepted_at is null and ended_at is null and principal_id <> $1"
            ),
            args![helper, now, tx.authority(), id],
        )
        .await?;
    Ok(changed == 1)
}

/// False when it has ended already.
pub async fn end(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!("update mandate set ended_at = $1 where authority_id = $2 and id = $3 and ended_at is null"),
            args![now, tx.authority(), id],
        )
        .await?;
    Ok(changed == 1)
}

/// Another last day, for a mandate that holds. False when it does not.
pub async fn renew(tx: &mut Tx, id: Uuid, until: Date, today: Date) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update mandate set until = $1 where authority_id = $2 and id = $3 and ended_at is null and accepted_at is not null and until >= $4"
            ),
            args![until, tx.authority(), id, today],
        )
        .await?;
    Ok(changed == 1)
}

/// Those whose last day is over, not noted yet.
pub async fn due(db: &Db, today: Date) -> Result<Vec<Mandate>, db::Error> {
    db.all(
        mandates!(" from mandate m where m.authority_id = $1 and m.ended_at is null and m.until < $2 order by m.until, m.id limit 200"),
        args![db.authority(), today],
    )
    .await
}

/// The principal's requests that wait for an answer.
pub async fn waiting(db: &Db, principal: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from request where authority_id = $1 and account_id = $2 and status = 'action-needed'"),
        args![db.authority(), principal],
    )
    .await
}

/// An account is erased: what it gave goes with it (by its key), what it received ends.
pub async fn leave(tx: &mut Tx, account: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "delete from acting_event where authority_id = $1 and kind = 'mandate' and subject_id in (select id from mandate where authority_id = $1 and principal_id = $2)"
        ),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(
        sql!(
            "delete from invitation where authority_id = $1 and kind = 'mandate' and subject_id in (select id from mandate where authority_id = $1 and principal_id = $2)"
        ),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(
        sql!("update mandate set ended_at = coalesce(ended_at, $1), helper_id = null where authority_id = $2 and helper_id = $3"),
        args![now, tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Two accounts become one: what the other gave and received is the kept one's; nobody is their own helper.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    let a = tx.authority();
    for table in [
        sql!(
            "delete from acting_event where authority_id = $1 and kind = 'mandate' and subject_id in
               (select id from mandate where authority_id = $1 and ((principal_id = $2 and helper_id = $3) or (principal_id = $3 and helper_id = $2)))"
        ),
        sql!(
            "delete from mandate where authority_id = $1 and ((principal_id = $2 and helper_id = $3) or (principal_id = $3 and helper_id = $2))"
        ),
    ] {
        tx.run(table, args![a, from, to]).await?;
    }
    tx.run(
        sql!("update mandate set principal_id = $1 where authority_id = $2 and principal_id = $3"),
        args![to, a, from],
    )
    .await?;
    tx.run(sql!("update mandate set helper_id = $1 where authority_id = $2 and helper_id = $3"), args![to, a, from])
        .await?;
    Ok(())
}
