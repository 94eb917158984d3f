//! SQL on second factors and recovery codes.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct Factor {
        pub sealed: Vec<u8>,
        pub last_step: i64,
        pub created_at: Timestamp,
    }
}

/// Whether a code is asked after the password of this account.
pub async fn present(db: &Db, account: Uuid) -> Result<bool, db::Error> {
    Ok(find(db, account).await?.is_some())
}

pub async fn find(db: &Db, account: Uuid) -> Result<Option<Factor>, db::Error> {
    db.fresh()
        .first(
            sql!("select sealed, last_step, created_at from factor where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await
}

/// Keeps a factor in the place of the one there was. False when there is one since `prepared`: it was sent twice.
pub async fn keep(tx: &mut Tx, account: Uuid, factor: &Factor, prepared: Timestamp) -> Result<bool, db::Error> {
    let kept = tx
        .run(
            sql!(
                "insert into factor (authority_id, account_id, sealed, last_step, created_at) values ($1, $2, $3, $4, $5)
                 on conflict (authority_id, account_id) do update set sealed = excluded.sealed, last_step = excluded.last_step, created_at = excluded.created_at
                 where factor.created_at < $6"
            ),
            args![tx.authority(), account, &factor.sealed, factor.last_step, factor.created_at, prepared],
        )
        .await?;
    Ok(kept == 1)
}

/// Takes the code of a step: false when it was taken already, or a later one.
pub async fn take_step(tx: &mut Tx, account: Uuid, step: i64) -> Result<bool, db::Error> {
    let taken = tx
        .run(
            sql!("update factor set last_step = $1 where authority_id = $2 and account_id = $3 and last_step < $1"),
            args![step, tx.authority(), account],
        )
        .await?;
    Ok(taken == 1)
}

/// Removes the factor and its recovery codes. False when there was none.
pub async fn remove(tx: &mut Tx, account: Uuid) -> Result<bool, db::Error> {
    drop_recovery(tx, account).await?;
    let removed = tx
        .run(sql!("delete from factor where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    Ok(removed == 1)
}

async fn drop_recovery(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from recovery_code where authority_id = $1 and account_id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Keeps the hashes of new recovery codes; those from before are good for nothing any more.
pub async fn renew_recovery(tx: &mut Tx, account: Uuid, codes: &[(Uuid, String)]) -> Result<(), db::Error> {
    drop_recovery(tx, account).await?;
    for (id, hash) in codes {
        tx.run(
            sql!("insert into recovery_code (authority_id, account_id, id, hash) values ($1, $2, $3, $4)"),
            args![tx.authority(), account, *id, hash],
        )
        .await?;
    }
    Ok(())
}

/// Recovery codes that have not served: id and hash.
pub async fn recovery(db: &Db, account: Uuid) -> Result<Vec<(Uuid, String)>, db::Error> {
    db.fresh()
        .all(
            sql!("select id, hash from recovery_code where authority_id = $1 and account_id = $2 and used_at is null order by id"),
            args![db.authority(), account],
        )
        .await
}

/// Uses a recovery code up. False when it served already.
pub async fn use_recovery(tx: &mut Tx, account: Uuid, id: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let used = tx
        .run(
            sql!("update recovery_code set used_at = $1 where authority_id = $2 and account_id = $3 and id = $4 and used_at is null"),
            args![now, tx.authority(), account, id],
        )
        .await?;
    Ok(used == 1)
}
