//! SQL on the journal.

use std::collections::BTreeMap;

use db::{Db, Query, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    chain::{Head, Kind},
    erase::Of,
    model::{Action, Kept, Line},
};
use crate::{
    platform::clock,
    visit::{Agent, Visit},
};

/// Lines of one insertion.
const ROWS: usize = 100;

/// Writes a line, in the transaction of what it traces.
pub async fn note(tx: &mut Tx, now: Timestamp, line: &Line<'_>) -> Result<(), db::Error> {
    let (kind, subject) = line.subject.unzip();
    tx.run(
        sql!(
            "insert into journal (authority_id, id, at, day, action, actor_kind, actor_id, department_id, subject_kind, subject_id, request_id, detail, salt, sealed)
             values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, (select r.department_id from request r where r.authority_id = $1 and r.id = $11)), $9, $10, $11, $12, $13, false)"
        ),
        args![
            tx.authority(), clock::id(), now, line.day, line.action.code(), line.actor_kind, line.actor_id, line.department, kind, subject, line.request, line.detail,
            rand::random::<[u8; 32]>().to_vec()
        ],
    )
    .await?;
    Ok(())
}

/// Writes the line of a reading, which is shown only after: one insertion, in a transaction of its own.
///
/// # Errors
/// Then nothing may be shown.
pub async fn read(visit: &Visit, line: &Line<'_>) -> Result<(), db::Error> {
    visit.db.write(async |tx: &mut Tx| note(tx, visit.now, line).await).await
}

/// The same for several requests of a list, each with its department: a few insertions, in one transaction.
pub async fn read_many(agent: &Agent, action: Action, requests: &[(Uuid, &str)]) -> Result<(), db::Error> {
    let (authority, now, day) = (agent.db.authority(), agent.now, agent.today());
    let write = async |tx: &mut Tx| {
        for some in requests.chunks(ROWS) {
            let mut insert = Query::new(
                "insert into journal (authority_id, id, at, day, action, actor_kind, actor_id, department_id, request_id, detail, salt, sealed) values ",
            );
            for (index, (request, department)) in some.iter().enumerate() {
                let next = if index == 0 { "({}, {}, {}, {}, {}, " } else { ", ({}, {}, {}, {}, {}, " };
                insert = insert.push(next).bind(authority).bind(clock::id()).bind(now).bind(day).bind(action.code());
                insert = insert.push("'agent', {}, {}, {}, '', {}, false)").bind(agent.account.id).bind(*department);
                insert = insert.bind(*request).bind(rand::random::<[u8; 32]>().to_vec());
            }
            tx.run(insert, args![]).await?;
        }
        Ok(())
    };
    agent.db.write(write).await
}

/// A colleague who opened or changed a request within so long works on it.
const BUSY: SignedDuration = SignedDuration::from_mins(10);

row! {
    struct Busy {
        request_id: Uuid,
        name: String,
    }
}

/// Who, of the agent's colleagues, has just been at work on each of these requests.
pub async fn busy(agent: &Agent, requests: &[Uuid]) -> Result<BTreeMap<Uuid, String>, db::Error> {
    if requests.is_empty() {
        return Ok(BTreeMap::new());
    }
    let since = agent.now.checked_sub(BUSY).unwrap_or(agent.now);
    let query = Query::new(
        "select j.request_id, a.first_name || ' ' || a.last_name as name from journal j
         join account a on a.authority_id = j.authority_id and a.id = j.actor_id
         where j.actor_kind = 'agent' and j.action in ('request-opened', 'request-changed')",
    );
    let query = query.and("j.authority_id = {}", agent.db.authority()).and_in("j.request_id", requests);
    let query = query.and("j.at > {}", since).and("j.actor_id <> {}", agent.account.id).push(" order by j.at");
    let found: Vec<Busy> = agent.db.all(query, args![]).await?;
    Ok(found.into_iter().map(|one| (one.request_id, one.name.trim().to_owned())).collect())
}

/// The oldest lines that wait for their link.
pub async fn unsealed(db: &Db, most: i64) -> Result<Vec<Kept>, db::Error> {
    db.all(
        sql!(
            "select id, at, day, action, actor_kind, actor_id, department_id, subject_kind, subject_id, request_id, detail, salt from journal
             where authority_id = $1 and sealed = false order by id limit $2"
        ),
        args![db.authority(), most],
    )
    .await
}

/// Authorities whose journal has lines to seal.
pub async fn waiting(db: &Db) -> Result<Vec<Uuid>, db::Error> {
    db.all(sql!("select distinct authority_id from journal where sealed = false"), args![]).await
}

pub async fn head(db: &Db, kind: Kind) -> Result<Option<Head>, db::Error> {
    db.fresh()
        .first(
            sql!("select seq, hash, at, signature from journal_head where authority_id = $1 and kind = $2"),
            args![db.authority(), kind.name()],
        )
        .await
}

/// Replaces a head, or makes the first. False when it is no longer `before`: another worker was faster.
pub async fn advance(tx: &mut Tx, kind: Kind, before: Option<&Head>, next: &Head) -> Result<bool, db::Error> {
    let (a, kind) = (tx.authority(), kind.name());
    let done = match before {
        None => {
            tx.run(
                sql!(
                    "insert into journal_head (authority_id, kind, seq, hash, at, signature) values ($1, $2, $3, $4, $5, $6)
                     on conflict (authority_id, kind) do nothing"
                ),
                args![a, kind, next.seq, &next.hash, next.at, &next.signature],
            )
            .await?
        }
        Some(before) => {
            tx.run(
                sql!(
                    "update journal_head set seq = $3, hash = $4, at = $5, signature = $6 where authority_id = $1 and kind = $2 and seq = $7 and hash = $8"
                ),
                args![a, kind, next.seq, &next.hash, next.at, &next.signature, before.seq, &before.hash],
            )
            .await?
        }
    };
    Ok(done == 1)
}

/// Adds links for these lines and their hashes, from `seq` on.
///
/// # Errors
/// `NotFound` when a line is no longer there to be sealed.
pub async fn link(tx: &mut Tx, mut seq: i64, lines: &[(Uuid, [u8; 32])]) -> Result<(), db::Error> {
    let authority = tx.authority();
    let mut insert = Query::new("insert into journal_link (authority_id, seq, entry_id, hash) values ");
    for (index, (id, hash)) in lines.iter().enumerate() {
        seq += 1;
        insert = insert.push(if index == 0 { "({}, {}, {}, {})" } else { ", ({}, {}, {}, {})" });
        insert = insert.bind(authority).bind(seq).bind(*id).bind(hash.to_vec());
    }
    tx.run(insert, args![]).await?;
    let ids: Vec<Uuid> = lines.iter().map(|(id, _)| *id).collect();
    let update = Query::new("update journal set sealed = true where sealed = false and authority_id = {}")
        .bind(authority)
        .and_in("id", &ids);
    let sealed = tx.run(update, args![]).await?;
    if usize::try_from(sealed) == Ok(ids.len()) { Ok(()) } else { Err(db::Error::NotFound) }
}

row! {
    struct Joined {
        seq: i64,
        entry_id: Uuid,
        hash: Vec<u8>,
        erased: Option<Vec<u8>>,
        id: Option<Uuid>,
        at: Option<Timestamp>,
        day: Option<jiff::civil::Date>,
        action: Option<String>,
        actor_kind: Option<String>,
        actor_id: Option<Uuid>,
        department_id: Option<String>,
        subject_kind: Option<String>,
        subject_id: Option<Uuid>,
        request_id: Option<Uuid>,
        detail: Option<String>,
        salt: Option<Vec<u8>>,
    }
}

/// A link, and its line unless it was erased.
#[derive(Debug, Clone)]
pub struct Link {
    pub seq: i64,
    pub entry: Uuid,
    pub hash: Vec<u8>,
    pub erased: Option<Vec<u8>>,
    pub line: Option<Kept>,
}

impl From<Joined> for Link {
    fn from(row: Joined) -> Self {
        let line = (|| {
            Some(Kept {
                id: row.id?,
                at: row.at?,
                day: row.day,
                action: row.action?,
                actor_kind: row.actor_kind?,
                actor_id: row.actor_id,
                department_id: row.department_id,
                subject_kind: row.subject_kind,
                subject_id: row.subject_id,
                request_id: row.request_id,
                detail: row.detail?,
                salt: row.salt?,
            })
        })();
        Self { seq: row.seq, entry: row.entry_id, hash: row.hash, erased: row.erased, line }
    }
}

/// Links after `seq`, up to `last`, in order.
pub async fn links(db: &Db, seq: i64, last: i64, most: i64) -> Result<Vec<Link>, db::Error> {
    let rows: Vec<Joined> = db
        .fresh()
        .all(
            sql!(
                "select l.seq, l.entry_id, l.hash, l.erased, j.id, j.at, j.day, j.action, j.actor_kind, j.actor_id, j.department_id, j.subject_kind, j.subject_id,
                   j.request_id, j.detail, j.salt
                 from journal_link l left join journal j on j.authority_id = l.authority_id and j.id = l.entry_id
                 where l.authority_id = $1 and l.seq > $2 and l.seq <= $3 order by l.seq limit $4"
            ),
            args![db.authority(), seq, last, most],
        )
        .await?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// Lines that say they are sealed, and have no link.
pub async fn unlinked(db: &Db) -> Result<i64, db::Error> {
    db.fresh()
        .one(
            sql!(
                "select count(*) from journal j where j.authority_id = $1 and j.sealed = true
                   and not exists (select 1 from journal_link l where l.authority_id = j.authority_id and l.entry_id = j.id)"
            ),
            args![db.authority()],
        )
        .await
}

/// Lines that have waited for their link since before `limit`.
pub async fn forgotten(db: &Db, limit: Timestamp) -> Result<i64, db::Error> {
    db.fresh()
        .one(
            sql!("select count(*) from journal where authority_id = $1 and sealed = false and at < $2"),
            args![db.authority(), limit],
        )
        .await
}

/// Forgets the links up to `seq`, and their lines.
pub async fn put_away(tx: &mut Tx, seq: i64) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        sql!("delete from journal where authority_id = $1 and id in (select l.entry_id from journal_link l where l.authority_id = $1 and l.seq <= $2)"),
        args![a, seq],
    )
    .await?;
    tx.run(sql!("delete from journal_link where authority_id = $1 and seq <= $2"), args![a, seq]).await?;
    Ok(())
}

/// Some sealed lines of a request or an account: (number, line, hash). In no order: sorted by number, SQLite would
/// walk the whole chain.
pub async fn linked_to(db: &Db, of: Of) -> Result<Vec<(i64, Uuid, Vec<u8>)>, db::Error> {
    let (text, id) = match of {
        Of::Request(id) => (
            sql!(
                "select l.seq, l.entry_id, l.hash from journal j join journal_link l on l.authority_id = j.authority_id and l.entry_id = j.id
                 where j.authority_id = $1 and j.request_id = $2 limit 200"
            ),
            id,
        ),
        Of::Account(id) => (
            sql!(
                "select l.seq, l.entry_id, l.hash from journal_link l where l.authority_id = $1 and l.entry_id in (
                   select s.id from journal s where s.authority_id = $1 and s.subject_id = $2
                   union select a.id from journal a where a.authority_id = $1 and a.actor_id = $2) limit 200"
            ),
            id,
        ),
    };
    db.fresh().all(text, args![db.authority(), id]).await
}

/// Whether a line names a request or an account, sealed or not.
pub async fn names(db: &Db, of: Of) -> Result<bool, db::Error> {
    let (text, id) = match of {
        Of::Request(id) => (sql!("select id from journal where authority_id = $1 and request_id = $2 limit 1"), id),
        Of::Account(id) => (
            sql!(
                "select s.id from journal s where s.authority_id = $1 and s.subject_id = $2
                 union select a.id from journal a where a.authority_id = $1 and a.actor_id = $2 limit 1"
            ),
            id,
        ),
    };
    let found: Option<Uuid> = db.fresh().first(text, args![db.authority(), id]).await?;
    Ok(found.is_some())
}

/// Erases a line; its link stays, with our word that it was us.
pub async fn erase(tx: &mut Tx, seq: i64, entry: Uuid, signature: &[u8]) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(sql!("update journal_link set erased = $3 where authority_id = $1 and seq = $2"), args![a, seq, signature])
        .await?;
    tx.run(sql!("delete from journal where authority_id = $1 and id = $2"), args![a, entry]).await?;
    Ok(())
}
