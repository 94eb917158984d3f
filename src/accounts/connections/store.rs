//! SQL on sessions as their owner sees them, and on the history of an account's door.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::history::{Event, Happened, KEPT};
use crate::{
    accounts::session,
    journal::{self, Action, Line},
    platform::{
        device,
        throttle::{self, SHARED},
    },
    visit::Visit,
};

/// Lines of history that a page shows.
const SHOWN: i64 = 50;

row! {
    #[derive(Debug, Clone)]
    pub struct Connection {
        pub id: Uuid,
        pub device: Option<String>,
        pub created_at: Timestamp,
        pub seen_at: Timestamp,
    }
}

/// Open sessions of an account, latest seen first.
pub async fn open(db: &Db, account: Uuid, now: Timestamp) -> Result<Vec<Connection>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select id, device, created_at, seen_at from session where authority_id = $1 and account_id = $2 and expires_at > $3
                 order by seen_at desc, id desc limit 100"
            ),
            args![db.authority(), account, now],
        )
        .await
}

/// Ends one session of the account. False when it has none of this id.
pub async fn end(tx: &mut Tx, account: Uuid, session: Uuid) -> Result<bool, db::Error> {
    let owned: Option<i64> = tx
        .first(
            sql!("select 1 from session where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, session],
        )
        .await?;
    if owned.is_some() {
        session::close(tx, session).await?;
    }
    Ok(owned.is_some())
}

/// Writes what the visitor did to an account, in the transaction that does it.
pub async fn remember(tx: &mut Tx, visit: &Visit, account: Uuid, happened: Happened) -> Result<(), db::Error> {
    add(tx, visit, account, happened, None, None).await
}

/// The same, with a word more.
pub async fn remember_with(
    tx: &mut Tx,
    visit: &Visit,
    account: Uuid,
    happened: Happened,
    more: &str,
) -> Result<(), db::Error> {
    add(tx, visit, account, happened, None, Some(more)).await
}

/// The same, by an agent, or by the operator (none), in the owner's name.
pub async fn remember_agent(
    tx: &mut Tx,
    visit: &Visit,
    account: Uuid,
    happened: Happened,
    by: (Option<Uuid>, &str),
) -> Result<(), db::Error> {
    let trace = Line::city(by.0, Action::AccountChanged).about("account", account).detail(happened.code());
    journal::note(tx, visit.now, &trace).await?;
    add(tx, visit, account, happened, Some(by.0), Some(by.1)).await
}

/// `by`: somebody else than the owner did it.
async fn add(
    tx: &mut Tx,
    visit: &Visit,
    account: Uuid,
    happened: Happened,
    by: Option<Option<Uuid>>,
    reason: Option<&str>,
) -> Result<(), db::Error> {
    // An agent's machine is not the owner's: nothing of it is shown to them.
    let (device, network) =
        if by.is_some() { Default::default() } else { (visit.device.words(), device::network(&visit.client)) };
    let actor = by.flatten();
    // An account that is not there writes nothing, and takes as long.
    tx.run(
        sql!(
            "insert into sign_in_event (authority_id, id, account_id, at, code, device, network, actor_id, reason)
             select a.authority_id, $3, a.id, $4, $5, $6, $7, $8, $9 from account a where a.authority_id = $1 and a.id = $2"
        ),
        args![tx.authority(), account, visit.id(), visit.now, happened.code(), device, network, actor, reason],
    )
    .await?;
    Ok(())
}

/// Somebody was turned away: counted against their network address, and told to the account's owner when
/// there is such an account.
pub async fn refused(visit: &Visit, client: &str, account: Option<Uuid>, happened: Happened) -> Result<(), db::Error> {
    let account = account.unwrap_or(Uuid::nil());
    visit
        .db
        .write(async |tx: &mut Tx| {
            throttle::failed_in(tx, client, SHARED, visit.now).await?;
            remember(tx, visit, account, happened).await
        })
        .await
}

/// The latest of the history.
pub async fn history(db: &Db, account: Uuid, now: Timestamp) -> Result<Vec<Event>, db::Error> {
    events(db, account, now, SHOWN).await
}

/// The whole of it, for who asks for their data.
pub async fn export(db: &Db, account: Uuid, now: Timestamp) -> Result<Vec<Json>, db::Error> {
    let events = events(db, account, now, i64::from(i32::MAX)).await?;
    let line = |event: &Event| json!({"le": event.at.to_string(), "quoi": event.words(), "appareil": event.device, "reseau": event.network, "motif": event.reason});
    Ok(events.iter().map(line).collect())
}

/// Its open sessions, for who asks for their data.
pub async fn export_open(db: &Db, account: Uuid, now: Timestamp) -> Result<Vec<Json>, db::Error> {
    let line = |one: &Connection| json!({"appareil": one.device, "ouverte_le": one.created_at.to_string(), "vue_le": one.seen_at.to_string()});
    Ok(open(db, account, now).await?.iter().map(line).collect())
}

async fn events(db: &Db, account: Uuid, now: Timestamp, most: i64) -> Result<Vec<Event>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select at, code, device, network, reason from sign_in_event where authority_id = $1 and account_id = $2 and at > $3
                 order by at desc, id desc limit $4"
            ),
            args![db.authority(), account, oldest(now), most],
        )
        .await
}

fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(KEPT).unwrap_or(now)
}

/// Forgets what is too old.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(sql!("delete from sign_in_event where authority_id = $1 and at <= $2"), args![tx.authority(), oldest(now)])
        .await?;
    Ok(())
}

/// Two accounts become one, and so do their histories.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update sign_in_event set account_id = $1 where authority_id = $2 and account_id = $3"),
        args![to, tx.authority(), from],
    )
    .await?;
    Ok(())
}
