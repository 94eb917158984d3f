//! SQL on verified identities.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct Verified {
        /// `counter`, `post`, or `provider:<id>`.
        pub source: String,
        /// In the shape of the field kind « identity ».
        pub identity: Json<Value>,
        pub verified_at: Timestamp,
    }
}

/// The identity checked for an account, if any was.
pub async fn find(db: &Db, account: Uuid) -> Result<Option<Verified>, db::Error> {
    db.fresh()
        .first(
            sql!("select source, identity, verified_at from verified_identity where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await
}

/// Keeps an identity as checked now; it replaces what was known.
pub async fn record(
    tx: &mut Tx,
    account: Uuid,
    source: &str,
    identity: &Value,
    now: Timestamp,
) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into verified_identity (authority_id, account_id, source, identity, verified_at) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, account_id) do update set source = excluded.source, identity = excluded.identity, verified_at = excluded.verified_at"
        ),
        args![tx.authority(), account, source, Json(identity), now],
    )
    .await?;
    Ok(())
}

/// Two accounts become one: the kept account's own checked identity stays, else it takes the other's.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update verified_identity set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from verified_identity k where k.authority_id = $2 and k.account_id = $1)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    tx.run(
        sql!("delete from verified_identity where authority_id = $1 and account_id = $2"),
        args![tx.authority(), from],
    )
    .await?;
    Ok(())
}
