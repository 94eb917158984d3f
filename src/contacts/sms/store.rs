//! SQL on numbers and SMS.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::declaration::Gateway;

/// So many refused in a row, and a number is left alone.
const MOST_FAILURES: i64 = 3;

row! {
    #[derive(Debug, Clone)]
    pub struct Number {
        pub account_id: Uuid,
        /// Confirmed.
        pub number: Option<String>,
        /// To be confirmed.
        pub asked: Option<String>,
        pub asked_at: Timestamp,
        pub tries: i64,
        pub confirmed_at: Option<Timestamp>,
        pub failures: i64,
        pub refused_at: Option<Timestamp>,
    }
}

pub async fn get(db: &Db) -> Result<Option<(Gateway, Vec<u8>)>, db::Error> {
    let found: Option<(db::Json<Gateway>, Vec<u8>)> = db
        .first(sql!("select declaration, sealed from sms_gateway where authority_id = $1"), args![db.authority()])
        .await?;
    Ok(found.map(|(gateway, sealed)| (gateway.0, sealed)))
}

/// False when there is no password, given or known.
pub async fn put(tx: &mut Tx, gateway: &Gateway, sealed: Option<&[u8]>) -> Result<bool, db::Error> {
    let declaration = db::Json(gateway.clone());
    let done = match sealed {
        Some(sealed) => {
            tx.run(
                sql!(
                    "insert into sms_gateway (authority_id, declaration, sealed) values ($1, $2, $3)
                     on conflict (authority_id) do update set declaration = excluded.declaration, sealed = excluded.sealed"
                ),
                args![tx.authority(), &declaration, sealed.to_vec()],
            )
            .await?
        }
        None => {
            tx.run(
                sql!("update sms_gateway set declaration = $1 where authority_id = $2"),
                args![&declaration, tx.authority()],
            )
            .await?
        }
    };
    Ok(done == 1)
}

pub async fn forget(tx: &mut Tx) -> Result<bool, db::Error> {
    Ok(tx.run(sql!("delete from sms_gateway where authority_id = $1"), args![tx.authority()]).await? == 1)
}

pub async fn number(db: &Db, account: Uuid) -> Result<Option<Number>, db::Error> {
    db.first(
        sql!(
            "select account_id, number, asked, asked_at, tries, confirmed_at, failures, refused_at from sms_number where authority_id = $1 and account_id = $2"
        ),
        args![db.authority(), account],
    )
    .await
}

/// A number to confirm; until it is, the one before is told.
pub async fn ask(tx: &mut Tx, account: Uuid, number: &str, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into sms_number (authority_id, account_id, asked, asked_at, tries, failures) values ($1, $2, $3, $4, 0, 0)
             on conflict (authority_id, account_id) do update set asked = excluded.asked, asked_at = excluded.asked_at, tries = 0"
        ),
        args![tx.authority(), account, number, now],
    )
    .await?;
    Ok(())
}

/// Counts a try before the code is looked at. False when there were enough.
pub async fn attempt(tx: &mut Tx, account: Uuid, most: i64) -> Result<bool, db::Error> {
    let counted = tx
        .run(
            sql!("update sms_number set tries = tries + 1 where authority_id = $1 and account_id = $2 and tries < $3"),
            args![tx.authority(), account, most],
        )
        .await?;
    Ok(counted == 1)
}

/// The number whose code of `asked` was typed is theirs. False when another was asked for since.
pub async fn confirm(tx: &mut Tx, account: Uuid, asked: Timestamp, now: Timestamp) -> Result<bool, db::Error> {
    let done = tx
        .run(
            sql!(
                "update sms_number set number = asked, asked = null, confirmed_at = $4, failures = 0, refused_at = null
                 where authority_id = $1 and account_id = $2 and asked_at = $3 and asked is not null"
            ),
            args![tx.authority(), account, asked, now],
        )
        .await?;
    Ok(done == 1)
}

pub async fn stop(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update sms set number = '' where authority_id = $1 and account_id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(sql!("delete from sms_number where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    Ok(())
}

/// Who confirmed this number.
pub async fn owners(db: &Db, number: &str) -> Result<Vec<Uuid>, db::Error> {
    db.all(
        sql!(
            "select account_id from sms_number where authority_id = $1 and number = $2 and confirmed_at is not null order by account_id limit 20"
        ),
        args![db.authority(), number],
    )
    .await
}

/// The open requests of an account, with their departments: two are enough to know that there are several.
pub async fn open_requests(db: &Db, account: Uuid) -> Result<Vec<(Uuid, String)>, db::Error> {
    db.all(
        sql!(
            "select id, department_id from request where authority_id = $1 and account_id = $2 and not ended order by submitted_at desc limit 2"
        ),
        args![db.authority(), account],
    )
    .await
}

/// Whether the filer of a request chose to be told by SMS.
pub async fn chosen(tx: &mut Tx, request: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!(
                "select 1 from request r join sms_number n on n.authority_id = r.authority_id and n.account_id = r.account_id
                 where r.authority_id = $1 and r.id = $2 and n.confirmed_at is not null and n.refused_at is null"
            ),
            args![tx.authority(), request],
        )
        .await?;
    Ok(found.is_some())
}

/// Whether so many left about a request since then, beside `own` that is tried again.
pub async fn too_many(db: &Db, (request, own): (Uuid, Uuid), most: i64, since: Timestamp) -> Result<bool, db::Error> {
    let sent: i64 = db
        .one(
            sql!("select count(*) from sms where authority_id = $1 and request_id = $2 and at > $3 and id <> $4"),
            args![db.authority(), request, since, own],
        )
        .await?;
    Ok(sent >= most)
}

/// The number of the filer of a request, and since when it is refused, for agents.
pub async fn reach(db: &Db, request: Uuid) -> Result<Option<(String, Option<Timestamp>)>, db::Error> {
    db.first(
        sql!(
            "select n.number, n.refused_at from request r join sms_number n on n.authority_id = r.authority_id and n.account_id = r.account_id
             where r.authority_id = $1 and r.id = $2 and n.confirmed_at is not null"
        ),
        args![db.authority(), request],
    )
    .await
}

/// An SMS about to leave.
pub struct Sent<'a> {
    pub id: Uuid,
    pub account: Uuid,
    pub request: Option<Uuid>,
    pub what: &'a str,
    pub number: &'a str,
    /// What it says, of one about a request; a code is not kept.
    pub body: &'a str,
    pub parts: i64,
}

/// Notes it before it leaves: the gateway may tell what became of it before its own answer is heard.
pub async fn leaving(tx: &mut Tx, sent: &Sent<'_>, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into sms (authority_id, id, account_id, request_id, what, number, body, parts, state, at) values ($1, $2, $3, $4, $5, $6, $7, $8, 'leaving', $9)
             on conflict (authority_id, id) do nothing"
        ),
        args![tx.authority(), sent.id, sent.account, sent.request, sent.what, sent.number, sent.body, sent.parts, now],
    )
    .await?;
    Ok(())
}

/// The gateway took it, or never will.
pub async fn left(tx: &mut Tx, id: Uuid, taken: bool) -> Result<(), db::Error> {
    tx.run(
        sql!("update sms set state = $3 where authority_id = $1 and id = $2 and state = 'leaving'"),
        args![tx.authority(), id, if taken { "sent" } else { "refused" }],
    )
    .await?;
    Ok(())
}

/// What became of an SMS, heard once for each end: delivered after all wins over refused. `for_good`: the operator
/// says that the number takes nothing.
pub async fn told(tx: &mut Tx, id: Uuid, delivered: bool, for_good: bool, now: Timestamp) -> Result<(), db::Error> {
    let (a, state) = (tx.authority(), if delivered { "delivered" } else { "refused" });
    let changed = tx
        .run(
            sql!(
                "update sms set state = $3, told_at = $4 where authority_id = $1 and id = $2 and (state in ('leaving', 'sent') or (state = 'refused' and $3 = 'delivered'))"
            ),
            args![a, id, state, now],
        )
        .await?;
    if changed == 0 {
        return Ok(());
    }
    if delivered {
        tx.run(
            sql!(
                "update sms_number set failures = 0, refused_at = null where authority_id = $1
                   and (account_id, number) in (select s.account_id, s.number from sms s where s.authority_id = $1 and s.id = $2)"
            ),
            args![a, id],
        )
        .await?;
        return Ok(());
    }
    refused(tx, id, for_good, now).await
}

async fn refused(tx: &mut Tx, id: Uuid, for_good: bool, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update sms_number set failures = failures + 1, refused_at = case when $3 or failures + 1 >= $4 then coalesce(refused_at, $5) else refused_at end
             where authority_id = $1 and (account_id, number) in (select s.account_id, s.number from sms s where s.authority_id = $1 and s.id = $2)"
        ),
        args![tx.authority(), id, for_good, MOST_FAILURES, now],
    )
    .await?;
    Ok(())
}

/// A number that the gateway itself refuses.
pub async fn refuse(tx: &mut Tx, account: Uuid, number: &str, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update sms_number set failures = failures + 1, refused_at = coalesce(refused_at, $4) where authority_id = $1 and account_id = $2 and number = $3"
        ),
        args![tx.authority(), account, number, now],
    )
    .await?;
    Ok(())
}

/// The kept account's own number stays; without one, it takes the other's.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    let a = tx.authority();
    // One that was never confirmed is no number.
    tx.run(
        sql!("delete from sms_number where authority_id = $1 and account_id in ($2, $3) and number is null"),
        args![a, from, to],
    )
    .await?;
    tx.run(
        sql!(
            "update sms_number set account_id = $3 where authority_id = $1 and account_id = $2
               and not exists (select 1 from sms_number k where k.authority_id = $1 and k.account_id = $3)"
        ),
        args![a, from, to],
    )
    .await?;
    tx.run(sql!("delete from sms_number where authority_id = $1 and account_id = $2"), args![a, from]).await?;
    tx.run(sql!("update sms set account_id = $3 where authority_id = $1 and account_id = $2"), args![a, from, to])
        .await?;
    Ok(())
}

/// For the export of one's data.
pub async fn export(db: &Db, account: Uuid) -> Result<Json, db::Error> {
    let number = number(db, account).await?;
    let sent: Vec<(String, String, String, String, Timestamp)> = db
        .all(
            sql!(
                "select what, number, body, state, at from sms where authority_id = $1 and account_id = $2 order by at, id"
            ),
            args![db.authority(), account],
        )
        .await?;
    let sent: Vec<Json> = sent
        .into_iter()
        .map(
            |(what, number, body, state, at)| json!({"message": what, "numero": number, "texte": body, "etat": state, "le": at.to_string()}),
        )
        .collect();
    Ok(json!({
        "numero": number.as_ref().map(|one| &one.number), "a_confirmer": number.as_ref().map(|one| &one.asked), "accepte_le": number.as_ref().and_then(|one| one.confirmed_at).map(|at| at.to_string()),
        "refuse_depuis": number.as_ref().and_then(|one| one.refused_at).map(|at| at.to_string()), "envois": sent,
    }))
}
