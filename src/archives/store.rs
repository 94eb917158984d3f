//! SQL on lists of what is eliminated.

use db::{Db, Tx, args, row, sql};
use forms::model::Fate;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{due::Over, model};

/// Requests of one list: what its reader can look through.
pub const MOST: i64 = 2_000;

/// Requests that are over, not held, in no list, and not kept by one: `$1` authority, `$2` and `$3` the version,
/// `$4` and `$5` the moments of [`Over`], `$6` today.
macro_rules! over {
    ($head:literal, $tail:literal) => {
        sql!(concat!(
            $head,
            " from request r where r.authority_id = $1 and r.procedure_id = $2 and r.procedure_version = $3 and r.ended_at < $4
               and (r.ended_at < $5 or not exists (select 1 from decision d where d.authority_id = r.authority_id and d.request_id = r.id))
               and not exists (select 1 from legal_hold h where h.authority_id = r.authority_id and h.request_id = r.id)
               and not exists (select 1 from disposal_line l where l.authority_id = r.authority_id and l.request_id = r.id
                 and (l.kept_until is null or l.kept_until >= $6))",
            $tail
        ))
    };
}

/// Versions of procedures under which something ended.
pub async fn versions(db: &Db) -> Result<Vec<(String, i64)>, db::Error> {
    db.all(
        sql!(
            "select v.procedure_id, v.version from procedure_version v where v.authority_id = $1 and exists (
               select 1 from request r where r.authority_id = v.authority_id and r.procedure_id = v.procedure_id and r.procedure_version = v.version and r.ended_at is not null)
             order by v.procedure_id, v.version"
        ),
        args![db.authority()],
    )
    .await
}

/// How many are over, by department; no more are counted than one list holds, and one.
pub async fn count(db: &Db, over: &Over, today: Date) -> Result<Vec<(String, i64)>, db::Error> {
    let mut found: Vec<(String, i64)> = db
        .all(
            over!(
                "select p.id, (select count(*) from (select 1 as one",
                " and r.department_id = p.id limit $7) found) from department p where p.authority_id = $1"
            ),
            args![
                db.authority(),
                &over.procedure,
                over.version,
                over.ended_before,
                over.settled_before,
                today,
                MOST + 1
            ],
        )
        .await?;
    found.retain(|(_, many)| *many > 0);
    Ok(found)
}

/// A new list.
pub struct New<'a> {
    pub id: Uuid,
    pub department: &'a str,
    pub by: Uuid,
    pub now: Timestamp,
    pub today: Date,
}

/// Gathers what is over in a new list, one version of a procedure after the other and in each the oldest first; gives
/// how many, and makes no list of nothing.
pub async fn make(tx: &mut Tx, new: &New<'_>, over: &[Over]) -> Result<i64, db::Error> {
    let a = tx.authority();
    tx.run(
        sql!(
            "insert into disposal (authority_id, id, number, department_id, made_at, made_by)
             select $1, $2, coalesce(max(d.number), 0) + 1, $3, $4, $5 from disposal d where d.authority_id = $1"
        ),
        args![a, new.id, new.department, new.now, new.by],
    )
    .await?;
    let mut made = 0;
    for one in over.iter().filter(|one| one.fate != Fate::Keep) {
        if made >= MOST {
            break;
        }
        made += part(tx, new, one, MOST - made).await?;
    }
    if made == 0 {
        tx.run(sql!("delete from disposal where authority_id = $1 and id = $2"), args![a, new.id]).await?;
    }
    Ok(made)
}

async fn part(tx: &mut Tx, new: &New<'_>, one: &Over, most: i64) -> Result<i64, db::Error> {
    let a = tx.authority();
    let begun = tx
        .run(
            over!(
                "insert into disposal_part (authority_id, disposal_id, procedure_id, procedure_version, title, dua, basis, fate)
                 select r.authority_id, $7, r.procedure_id, r.procedure_version, $9, $10, $11, $12",
                " and r.department_id = $8 limit 1"
            ),
            args![
                a, &one.procedure, one.version, one.ended_before, one.settled_before, new.today, new.id, new.department,
                &one.title, &one.dua, &one.basis, model::fate(one.fate)
            ],
        )
        .await?;
    if begun == 0 {
        return Ok(0);
    }
    let lines = tx
        .run(
            over!(
                "insert into disposal_line (authority_id, disposal_id, request_id, reference, procedure_id, procedure_version, submitted_at, ended_at)
                 select r.authority_id, $7, r.id, r.reference, r.procedure_id, r.procedure_version, r.submitted_at, r.ended_at",
                " and r.department_id = $8 order by r.ended_at, r.id limit $9 on conflict do nothing"
            ),
            args![
                a, &one.procedure, one.version, one.ended_before, one.settled_before, new.today, new.id, new.department, most
            ],
        )
        .await?;
    Ok(i64::try_from(lines).unwrap_or(i64::MAX))
}

row! {
    /// A list.
    #[derive(Debug, Clone)]
    pub struct Disposal {
        pub id: Uuid,
        pub number: i64,
        pub department_id: String,
        pub department_name: String,
        pub made_at: Timestamp,
        pub made_by: Option<String>,
        pub dropped_at: Option<Timestamp>,
        pub visa_by: Option<String>,
        pub visa_number: Option<String>,
        pub visa_on: Option<Date>,
        pub noted_at: Option<Timestamp>,
        pub done_at: Option<Timestamp>,
        /// To eliminate, or eliminated.
        pub lines: i64,
        pub gone: i64,
    }
}

impl Disposal {
    pub fn stage(&self) -> model::Stage {
        match (self.dropped_at, self.noted_at, self.done_at) {
            (Some(_), ..) => model::Stage::Dropped,
            (None, None, _) => model::Stage::Proposed,
            (None, Some(_), None) => model::Stage::Signed,
            (None, Some(_), Some(_)) => model::Stage::Done,
        }
    }
}

macro_rules! disposals {
    ($where:literal) => {
        sql!(concat!(
            "select d.id, d.number, d.department_id, p.name as department_name, d.made_at, a.first_name || ' ' || a.last_name as made_by, d.dropped_at,
               d.visa_by, d.visa_number, d.visa_on, d.noted_at, d.done_at,
               (select count(*) from disposal_line l where l.authority_id = d.authority_id and l.disposal_id = d.id and l.kept_until is null) as lines,
               (select count(*) from disposal_line g where g.authority_id = d.authority_id and g.disposal_id = d.id and g.done_at is not null) as gone
             from disposal d join department p on p.authority_id = d.authority_id and p.id = d.department_id
               left join account a on a.authority_id = d.authority_id and a.id = d.made_by
             where d.authority_id = $1 ",
            $where
        ))
    };
}

/// Lists of one page.
pub const PAGE: usize = 50;

/// Lists that wait for their visa, or are being eliminated.
pub async fn open(db: &Db) -> Result<Vec<Disposal>, db::Error> {
    db.all(disposals!("and d.dropped_at is null and d.done_at is null order by d.number desc"), args![db.authority()])
        .await
}

/// Lists that are eliminated, of a lower number than `before`: the latest first, one more than a page.
pub async fn done(db: &Db, before: Option<i64>) -> Result<Vec<Disposal>, db::Error> {
    db.all(
        disposals!("and d.done_at is not null and (cast($2 as bigint) is null or d.number < $2) order by d.number desc limit 51"),
        args![db.authority(), before],
    )
    .await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Disposal>, db::Error> {
    db.first(disposals!("and d.id = $2"), args![db.authority(), id]).await
}

row! {
    /// What a list holds of one procedure; dates of what stays in it.
    #[derive(Debug, Clone)]
    pub struct Part {
        pub procedure_id: String,
        pub procedure_version: i64,
        pub title: String,
        pub dua: String,
        pub basis: String,
        pub fate: String,
        pub many: i64,
        pub first: Option<Timestamp>,
        pub last: Option<Timestamp>,
    }

    #[derive(Debug, Clone)]
    pub struct Entry {
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
        pub submitted_at: Timestamp,
        pub ended_at: Timestamp,
        pub kept_until: Option<Date>,
        pub kept_reason: String,
        pub done_at: Option<Timestamp>,
    }
}

impl Entry {
    pub fn of(&self, part: &Part) -> bool {
        (self.procedure_id.as_str(), self.procedure_version) == (part.procedure_id.as_str(), part.procedure_version)
    }
}

pub async fn parts(db: &Db, id: Uuid) -> Result<Vec<Part>, db::Error> {
    db.all(
        sql!(
            "select p.procedure_id, p.procedure_version, p.title, p.dua, p.basis, p.fate, count(l.request_id) as many, min(l.ended_at) as first, max(l.ended_at) as last
             from disposal_part p left join disposal_line l on l.authority_id = p.authority_id and l.disposal_id = p.disposal_id
               and l.procedure_id = p.procedure_id and l.procedure_version = p.procedure_version and l.kept_until is null
             where p.authority_id = $1 and p.disposal_id = $2
             group by p.procedure_id, p.procedure_version, p.title, p.dua, p.basis, p.fate order by p.title, p.procedure_version"
        ),
        args![db.authority(), id],
    )
    .await
}

pub async fn entries(db: &Db, id: Uuid) -> Result<Vec<Entry>, db::Error> {
    db.all(
        sql!(
            "select reference, procedure_id, procedure_version, submitted_at, ended_at, kept_until, kept_reason, done_at from disposal_line
             where authority_id = $1 and disposal_id = $2 order by ended_at, reference"
        ),
        args![db.authority(), id],
    )
    .await
}

/// Takes a request out of a list that waits for its visa. False when it is not in it, or no longer.
pub async fn keep(tx: &mut Tx, id: Uuid, reference: &str, until: Date, reason: &str) -> Result<bool, db::Error> {
    let kept = tx
        .run(
            sql!(
                "update disposal_line set kept_until = $4, kept_reason = $5 where authority_id = $1 and disposal_id = $2 and reference = $3 and kept_until is null
                   and exists (select 1 from disposal d where d.authority_id = disposal_line.authority_id and d.id = disposal_line.disposal_id and d.noted_at is null and d.dropped_at is null)"
            ),
            args![tx.authority(), id, reference, until, reason],
        )
        .await?;
    Ok(kept == 1)
}

/// Gives a list up: what it held may be listed again, but what was taken out of it stays kept until its day. False
/// when it has its visa.
pub async fn give_up(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let a = tx.authority();
    let dropped = tx
        .run(
            sql!("update disposal set dropped_at = $3 where authority_id = $1 and id = $2 and noted_at is null and dropped_at is null"),
            args![a, id, now],
        )
        .await?;
    if dropped == 1 {
        tx.run(
            sql!("delete from disposal_line where authority_id = $1 and disposal_id = $2 and kept_until is null"),
            args![a, id],
        )
        .await?;
        tx.run(
            sql!(
                "delete from disposal_part where authority_id = $1 and disposal_id = $2 and not exists (
                   select 1 from disposal_line l where l.authority_id = disposal_part.authority_id and l.disposal_id = disposal_part.disposal_id
                     and l.procedure_id = disposal_part.procedure_id and l.procedure_version = disposal_part.procedure_version)"
            ),
            args![a, id],
        )
        .await?;
    }
    Ok(dropped == 1)
}

/// The visa, as it stands on paper.
pub struct Visa<'a> {
    pub by: &'a str,
    pub number: &'a str,
    pub on: Date,
}

/// Notes the visa; false when there is one already, or the list was given up.
pub async fn sign(tx: &mut Tx, id: Uuid, visa: &Visa<'_>, agent: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let noted = tx
        .run(
            sql!(
                "update disposal set visa_by = $3, visa_number = $4, visa_on = $5, noted_by = $6, noted_at = $7
                 where authority_id = $1 and id = $2 and noted_at is null and dropped_at is null"
            ),
            args![tx.authority(), id, visa.by, visa.number, visa.on, agent, now],
        )
        .await?;
    Ok(noted == 1)
}
