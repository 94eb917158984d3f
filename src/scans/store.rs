//! SQL on batches of scanned pages.

use std::collections::BTreeSet;

use db::{Db, Query, Tx, args, sql};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::{
    jobs,
    model::{Batch, Fate, Page, SOURCE},
};
use crate::{platform::upload::Received, requests::keep_file, visit::Visit};

macro_rules! batches {
    ($where:literal) => {
        sql!(concat!(
            "select b.id, b.department_id, d.name as department, a.first_name || ' ' || a.last_name as agent, b.received_on, b.created_at, b.touched_at, b.pages, b.waiting, b.version
             from scan_batch b join department d on d.authority_id = b.authority_id and d.id = b.department_id
             left join account a on a.authority_id = b.authority_id and a.id = b.agent_id ",
            $where
        ))
    };
}

/// A batch to keep.
pub struct New<'a> {
    pub id: Uuid,
    pub department: &'a str,
    pub agent: Uuid,
    pub received_on: Date,
    /// Each file, how many pages it has, and a job for its pictures.
    pub files: &'a [(Received, usize, Uuid)],
}

/// False when it is there already.
pub async fn add(tx: &mut Tx, new: &New<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let all: usize = new.files.iter().map(|(_, pages, _)| pages).sum();
    let all = i64::try_from(all).unwrap_or(i64::MAX);
    let added = tx
        .run(
            sql!(
                "insert into scan_batch (authority_id, id, department_id, agent_id, received_on, created_at, touched_at, pages, waiting, version)
                 values ($1, $2, $3, $4, $5, $6, $6, $7, $7, 0) on conflict (authority_id, id) do nothing"
            ),
            args![tx.authority(), new.id, new.department, new.agent, new.received_on, now, all],
        )
        .await?;
    if added == 0 {
        return Ok(false);
    }
    let mut number = 0_i64;
    for (file, pages, job) in new.files {
        keep_file(tx, new.id, SOURCE, file, now).await?;
        let pages = i64::try_from(*pages).unwrap_or(i64::MAX);
        for place in 1..=pages {
            number += 1;
            page(tx, new.id, number, file.id, place).await?;
        }
        jobs::queue(tx, *job, new.id, file.id, (1, pages), now).await?;
    }
    Ok(true)
}

/// Each file begins a document.
async fn page(tx: &mut Tx, batch: Uuid, number: i64, file: Uuid, place: i64) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into scan_page (authority_id, batch_id, number, file_id, place, begins, fate) values ($1, $2, $3, $4, $5, $6, '')"),
        args![tx.authority(), batch, number, file, place, place == 1],
    )
    .await?;
    Ok(())
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Batch>, db::Error> {
    db.first(batches!("where b.authority_id = $1 and b.id = $2"), args![db.authority(), id]).await
}

/// The oldest batches of a department of which pages wait.
pub async fn waiting(db: &Db, department: &str, most: i64) -> Result<Vec<Batch>, db::Error> {
    db.all(
        batches!(
            "where b.authority_id = $1 and b.department_id = $2 and b.waiting > 0 order by b.created_at, b.id limit $3"
        ),
        args![db.authority(), department, most],
    )
    .await
}

/// The latest that were finished.
pub async fn done(db: &Db, department: &str, most: i64) -> Result<Vec<Batch>, db::Error> {
    db.all(
        batches!("where b.authority_id = $1 and b.department_id = $2 and b.waiting = 0 order by b.touched_at desc, b.id limit $3"),
        args![db.authority(), department, most],
    )
    .await
}

/// Its pages; of the requests that they went to, those of its own department are told.
pub async fn pages(db: &Db, batch: &Batch) -> Result<Vec<Page>, db::Error> {
    db.all(
        sql!(
            "select p.number, p.file_id, p.place, p.begins, p.blank, p.small_id, p.large_id, p.fate, p.contact_id, c.request_id is null as loose, r.id as request_id, r.reference
             from scan_page p left join contact c on c.authority_id = p.authority_id and c.id = p.contact_id
               left join request r on r.authority_id = c.authority_id and r.id = c.request_id and r.department_id = $3
             where p.authority_id = $1 and p.batch_id = $2 order by p.number"
        ),
        args![db.authority(), batch.id, &batch.department_id],
    )
    .await
}

/// Says where documents begin, among the pages that wait. False when a colleague changed the batch since it was read.
pub async fn mark(tx: &mut Tx, batch: &Batch, begins: &BTreeSet<i64>, now: Timestamp) -> Result<bool, db::Error> {
    let advanced = tx
        .run(
            sql!(
                "update scan_batch set version = version + 1, touched_at = $4 where authority_id = $1 and id = $2 and version = $3"
            ),
            args![tx.authority(), batch.id, batch.version, now],
        )
        .await?;
    if advanced == 0 {
        return Ok(false);
    }
    tx.run(
        sql!("update scan_page set begins = $3 where authority_id = $1 and batch_id = $2 and fate = ''"),
        args![tx.authority(), batch.id, false],
    )
    .await?;
    let numbers: Vec<i64> = begins.iter().copied().collect();
    let query = Query::new("update scan_page set begins = {}")
        .bind(true)
        .push(" where fate = ''")
        .and("authority_id = {}", tx.authority())
        .and("batch_id = {}", batch.id)
        .and_in("number", &numbers);
    tx.run(query, args![]).await?;
    Ok(true)
}

/// What becomes of the pages from `first` to `last`.
///
/// # Errors
/// `NotFound`, which undoes it all, when one of them does not wait any more: a colleague was faster.
pub async fn settle(
    tx: &mut Tx,
    batch: Uuid,
    (first, last): (i64, i64),
    (fate, contact): (Fate, Option<Uuid>),
    by: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    let many = last - first + 1;
    // First of all: two who settle the same pages wait for one another here.
    tx.run(
        sql!(
            "update scan_batch set waiting = waiting - $3, version = version + 1, touched_at = $4 where authority_id = $1 and id = $2"
        ),
        args![tx.authority(), batch, many, now],
    )
    .await?;
    let settled = tx
        .run(
            sql!(
                "update scan_page set fate = $5, contact_id = $6, settled_by = $7, settled_at = $8
                 where authority_id = $1 and batch_id = $2 and number between $3 and $4 and fate = ''"
            ),
            args![tx.authority(), batch, first, last, fate.code(), contact, by, now],
        )
        .await?;
    if i64::try_from(settled).ok() == Some(many) { Ok(()) } else { Err(db::Error::NotFound) }
}

/// What a page looks like.
pub struct Pictured {
    pub small: Option<Uuid>,
    pub large: Option<Uuid>,
    pub blank: bool,
}

pub async fn pictured(
    tx: &mut Tx,
    batch: Uuid,
    (file, place): (Uuid, i64),
    seen: &Pictured,
) -> Result<bool, db::Error> {
    let done = tx
        .run(
            sql!(
                "update scan_page set small_id = $5, large_id = $6, blank = $7
                 where authority_id = $1 and batch_id = $2 and file_id = $3 and place = $4 and blank is null"
            ),
            args![tx.authority(), batch, file, place, seen.small, seen.large, seen.blank],
        )
        .await?;
    Ok(done == 1)
}

/// Forgets batches that were finished some days ago, and those that nobody has gone on with for as long as a contact
/// may wait.
pub async fn sweep(visit: &Visit) -> Result<(), db::Error> {
    let today = visit.now.to_zoned(TimeZone::UTC);
    let settings = &visit.site.settings;
    let before = |span: jiff::Span| today.checked_sub(span).map_or(visit.now, |at| at.timestamp());
    let done = before(i64::from(settings.scans_days).days());
    let given_up = before(i64::from(settings.contacts_months.max(1)).months());
    visit.db.write(async |tx: &mut Tx| forget(tx, done, given_up).await).await
}

async fn forget(tx: &mut Tx, done: Timestamp, given_up: Timestamp) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        sql!(
            "delete from file where authority_id = $1 and slot in ('scan', 'scan-picture') and owner_id in (
               select b.id from scan_batch b where b.authority_id = $1 and (b.waiting = 0 and b.touched_at < $2 or b.touched_at < $3))"
        ),
        args![a, done, given_up],
    )
    .await?;
    tx.run(
        sql!("delete from scan_batch where authority_id = $1 and (waiting = 0 and touched_at < $2 or touched_at < $3)"),
        args![a, done, given_up],
    )
    .await?;
    Ok(())
}
