//! SQL on the register.

use db::{Db, Json, Tx, args, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::model::{Delegation, Scope};

macro_rules! lines {
    ($where:literal) => {
        sql!(concat!(
            "select d.id, d.account_id, a.first_name, a.last_name, d.department_id, d.quality, d.procedures, d.decisions, d.delegated, d.act_number, d.act_date, d.from_on, d.until_on
             from delegation d join account a on a.authority_id = d.authority_id and a.id = d.account_id ",
            $where
        ))
    };
}

/// Every line of a department, those in force or to come first, then those that ended, the latest first.
pub async fn of_department(db: &Db, department: &str) -> Result<Vec<Delegation>, db::Error> {
    db.all(
        lines!(
            "where d.authority_id = $1 and d.department_id = $2 order by case when d.until_on is null then 0 else 1 end, d.until_on desc, a.last_name, a.first_name, d.id"
        ),
        args![db.authority(), department],
    )
    .await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Delegation>, db::Error> {
    db.first(lines!("where d.authority_id = $1 and d.id = $2"), args![db.authority(), id]).await
}

/// The line by which this agent may sign that day.
pub async fn in_force(db: &Db, agent: Uuid, scope: Scope<'_>, day: Date) -> Result<Option<Delegation>, db::Error> {
    let lines: Vec<Delegation> = db
        .all(
            lines!("where d.authority_id = $1 and d.account_id = $2 order by d.from_on desc, d.id desc"),
            args![db.authority(), agent],
        )
        .await?;
    Ok(lines.into_iter().find(|line| line.covers(scope, day)))
}

/// The line in whose quality this agent signs letters of a procedure that decide nothing, that day.
pub async fn for_letters(
    db: &Db,
    agent: Uuid,
    (department, procedure): (&str, &str),
    day: Date,
) -> Result<Option<Delegation>, db::Error> {
    let lines: Vec<Delegation> = db
        .all(
            lines!("where d.authority_id = $1 and d.account_id = $2 order by d.from_on desc, d.id desc"),
            args![db.authority(), agent],
        )
        .await?;
    Ok(lines.into_iter().find(|line| line.covers_letters(department, procedure, day)))
}

/// Who may sign that day, whose account is open.
pub async fn signatories(db: &Db, scope: Scope<'_>, day: Date) -> Result<Vec<Delegation>, db::Error> {
    let lines: Vec<Delegation> = db
        .all(
            lines!(
                "where d.authority_id = $1 and d.department_id = $2 and a.closed_at is null and (a.ends_on is null or a.ends_on >= $3) order by a.last_name, a.first_name, d.id"
            ),
            args![db.authority(), scope.department, day],
        )
        .await?;
    let mut able: Vec<Delegation> = lines.into_iter().filter(|line| line.covers(scope, day)).collect();
    able.dedup_by_key(|line| line.account_id);
    Ok(able)
}

pub struct New<'a> {
    pub id: Uuid,
    pub account: Uuid,
    pub department: &'a str,
    pub quality: &'a str,
    pub procedures: &'a [String],
    pub decisions: &'a str,
    pub delegated: bool,
    pub act_number: &'a str,
    pub act_date: Date,
    pub from_on: Date,
    pub until_on: Option<Date>,
    pub by: Uuid,
}

impl New<'_> {
    /// Whether the line of the register says the same.
    pub fn says(&self, line: &Delegation) -> bool {
        (self.account, self.department, self.quality, self.decisions, self.delegated, self.procedures)
            == (
                line.account_id,
                &line.department_id,
                &line.quality,
                &line.decisions,
                line.delegated,
                &line.procedures.0,
            )
            && (self.act_number, self.act_date, self.from_on, self.until_on)
                == (&line.act_number, line.act_date, line.from_on, line.until_on)
    }
}

/// False when a line of this id is already there.
pub async fn add(tx: &mut Tx, new: &New<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let added = tx
        .run(
            sql!(
                "insert into delegation (authority_id, id, account_id, department_id, quality, procedures, decisions, delegated, act_number, act_date, from_on, until_on, created_at, created_by)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (authority_id, id) do nothing"
            ),
            args![
                tx.authority(), new.id, new.account, new.department, new.quality, Json(new.procedures), new.decisions, new.delegated, new.act_number,
                new.act_date, new.from_on, new.until_on, now, new.by
            ],
        )
        .await?;
    Ok(added == 1)
}

/// Sets the last day of a line, earlier than the one it has. False when it has ended before.
pub async fn end(tx: &mut Tx, id: Uuid, day: Date, by: Uuid) -> Result<bool, db::Error> {
    let ended = tx
        .run(
            sql!(
                "update delegation set until_on = $1, ended_by = $2 where authority_id = $3 and id = $4 and (until_on is null or until_on > $1)"
            ),
            args![day, by, tx.authority(), id],
        )
        .await?;
    Ok(ended == 1)
}
