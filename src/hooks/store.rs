//! SQL on the applications that procedures call.

use db::{Db, Json, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::declaration::Declaration;

row! {
    #[derive(Debug, Clone)]
    pub struct Declared {
        pub declaration: Json<Declaration>,
        pub sealed: Vec<u8>,
        pub old_sealed: Option<Vec<u8>>,
        pub old_until: Option<Timestamp>,
        /// It does not answer: calls wait until then.
        pub rest_until: Option<Timestamp>,
    }
}

pub async fn get(db: &Db, id: &str) -> Result<Option<Declared>, db::Error> {
    db.first(
        sql!("select declaration, sealed, old_sealed, old_until, rest_until from webhook where authority_id = $1 and id = $2"),
        args![db.authority(), id],
    )
    .await
}

pub async fn all(db: &Db) -> Result<Vec<Json<Declaration>>, db::Error> {
    db.all(sql!("select declaration from webhook where authority_id = $1 order by id"), args![db.authority()]).await
}

/// `sealed`: its secret, and until when the one before goes on beside it; none keeps the one before. False when there
/// is none, given or known.
pub async fn put(
    tx: &mut Tx,
    declaration: &Declaration,
    sealed: Option<(&[u8], Timestamp)>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let (a, id, kept) = (tx.authority(), &declaration.id, Json(declaration.clone()));
    let done = match sealed {
        Some((sealed, old_until)) => {
            tx.run(
                sql!(
                    "insert into webhook (authority_id, id, declaration, sealed, declared_at) values ($1, $2, $3, $4, $5)
                     on conflict (authority_id, id) do update set declaration = excluded.declaration, sealed = excluded.sealed,
                       old_sealed = webhook.sealed, old_until = $6, declared_at = excluded.declared_at, rest_until = null"
                ),
                args![a, id, &kept, sealed.to_vec(), now, old_until],
            )
            .await?
        }
        None => {
            tx.run(
                sql!(
                    "update webhook set declaration = $1, declared_at = $2, rest_until = null where authority_id = $3 and id = $4"
                ),
                args![&kept, now, a, id],
            )
            .await?
        }
    };
    Ok(done == 1)
}

pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool, db::Error> {
    Ok(tx.run(sql!("delete from webhook where authority_id = $1 and id = $2"), args![tx.authority(), id]).await? == 1)
}

/// It does not answer: nobody calls it until then.
pub async fn rest(tx: &mut Tx, id: &str, until: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update webhook set rest_until = $1 where authority_id = $2 and id = $3"),
        args![until, tx.authority(), id],
    )
    .await?;
    Ok(())
}

row! {
    /// The entry of a request's history that a call tells of.
    #[derive(Debug, Clone)]
    pub struct Entry {
        pub code: String,
        pub from_state: Option<String>,
        pub to_state: Option<String>,
        pub at: Timestamp,
    }
}

pub async fn entry(db: &Db, request: Uuid, seq: i64) -> Result<Option<Entry>, db::Error> {
    db.first(
        sql!(
            "select code, from_state, to_state, at from request_event where authority_id = $1 and request_id = $2 and seq = $3"
        ),
        args![db.authority(), request, seq],
    )
    .await
}
