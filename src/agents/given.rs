//! Rights given beside memberships: to a colleague for the days of a leave, to a partner or a specialist on some
//! procedures. Whoever manages the department gives them, never more than deciding, and takes them back.

use db::{Db, Query, Tx, args, row, sql};
use jiff::{Timestamp, ToSpan, civil::Date};
use uuid::Uuid;

use super::Role;
use crate::{
    catalogue::{self, Current},
    journal::{self, Action, Line},
    visit::Visit,
};

/// Before the id of a category (a theme of the catalogue), among ids of procedures.
const CATEGORY: char = '@';

/// As it is kept.
pub fn category(theme: &str) -> String {
    format!("{CATEGORY}{theme}")
}

/// The category that this is, if it is no procedure.
pub fn as_category(on: &str) -> Option<&str> {
    on.strip_prefix(CATEGORY).filter(|theme| !theme.is_empty())
}

/// The procedures meant by ids of procedures and of categories between spaces.
pub async fn procedures(visit: &Visit, on: &str) -> anyhow::Result<Vec<String>> {
    let mut procedures = Vec::new();
    for one in on.split_whitespace() {
        match as_category(one) {
            None => procedures.push(one.to_owned()),
            Some(theme) => {
                let current = catalogue::current(visit).await?;
                let of = current.all().filter(|published| published.procedure.theme == theme);
                procedures.extend(of.map(|published| published.procedure.id.clone()));
            }
        }
    }
    Ok(procedures)
}

row! {
    #[derive(Debug, Clone)]
    pub struct Given {
        pub id: Uuid,
        pub account_id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub department_id: String,
        pub role: String,
        procedures: String,
        pub from_day: Date,
        pub until_day: Option<Date>,
        pub reason: String,
        pub by_name: String,
        /// Of the account that has it.
        pub ends_on: Option<Date>,
        pub closed_at: Option<Timestamp>,
    }
}

impl Given {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    /// Procedures and categories; empty: every procedure of the department.
    pub fn on(&self) -> Vec<&str> {
        self.procedures.split_whitespace().collect()
    }

    /// By what it covers a procedure: the whole department, its category, itself; none when it does not.
    pub fn covers(&self, current: &Current, procedure: &str) -> Option<Covers> {
        let theme = current.any(procedure).map(|one| one.procedure.theme.as_str());
        let on = self.on();
        if on.is_empty() {
            return Some(Covers::Department);
        }
        let category = || on.iter().filter_map(|one| as_category(one)).find(|one| Some(*one) == theme);
        if on.contains(&procedure) {
            return Some(Covers::Procedure);
        }
        category().map(|theme| Covers::Category(theme.to_owned()))
    }

    pub fn holds(&self, today: Date) -> bool {
        self.from_day <= today && self.until_day.is_none_or(|last| last >= today)
    }
}

/// By what a right covers a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    Department,
    /// The theme.
    Category(String),
    Procedure,
}

/// A right to give.
#[derive(Debug)]
pub struct New {
    pub id: Uuid,
    pub account: Uuid,
    pub department: String,
    pub role: Role,
    /// Procedures and categories; none: all of the department.
    pub on: Vec<String>,
    pub from: Date,
    pub until: Option<Date>,
    pub reason: String,
}

impl New {
    /// As the journal tells it.
    fn detail(&self) -> String {
        let on = if self.on.is_empty() { "*".to_owned() } else { self.on.join(",") };
        let until = self.until.map_or_else(|| "-".to_owned(), |day| day.to_string());
        format!("{} {} {on} {}/{until}", self.department, self.role.name(), self.from)
    }
}

fn given(db: &Db) -> Query {
    Query::new(
        "select e.id, e.account_id, a.first_name, a.last_name, e.department_id, e.role, e.procedures, e.from_day, e.until_day, e.reason,
           coalesce(b.first_name || ' ' || b.last_name, '') as by_name,
           a.ends_on, a.closed_at from entitlement e join account a on a.authority_id = e.authority_id and a.id = e.account_id
           left join account b on b.authority_id = e.authority_id and b.id = e.given_by where 1 = 1",
    )
    .and("e.authority_id = {}", db.authority())
}

/// Of these departments, those of today and to come, by name.
pub async fn of_departments(db: &Db, departments: &[&str], today: Date) -> Result<Vec<Given>, db::Error> {
    let query = given(db).and_in("e.department_id", departments);
    let query = query.and("(e.until_day is null or e.until_day >= {})", today);
    db.fresh().all(query.push(" order by a.last_name, a.first_name, e.from_day, e.id"), args![]).await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Given>, db::Error> {
    db.first(given(db).and("e.id = {}", id), args![]).await
}

pub async fn give(tx: &mut Tx, by: Uuid, new: &New, now: Timestamp) -> Result<(), db::Error> {
    let insert = sql!(
        "insert into entitlement (authority_id, id, account_id, department_id, role, procedures, from_day, until_day, reason, given_by, given_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (authority_id, id) do nothing"
    );
    let procedures = new.on.join(" ");
    let (role, reason) = (new.role.name(), new.reason.as_str());
    let args = args![
        tx.authority(),
        new.id,
        new.account,
        &new.department,
        role,
        procedures,
        new.from,
        new.until,
        reason,
        by,
        now
    ];
    if tx.run(insert, args).await? == 1 {
        let detail = new.detail();
        let line = Line::city(Some(by), Action::RightsChanged).about("account", new.account).detail(&detail);
        journal::note(tx, now, &line.department(&new.department)).await?;
    }
    Ok(())
}

pub async fn withdraw(tx: &mut Tx, by: Uuid, given: &Given, now: Timestamp) -> Result<(), db::Error> {
    let gone = tx
        .run(sql!("delete from entitlement where authority_id = $1 and id = $2"), args![tx.authority(), given.id])
        .await?;
    if gone == 1 {
        let detail = format!("-{} {} {}", given.department_id, given.role, given.procedures);
        let line = Line::city(Some(by), Action::RightsChanged).about("account", given.account_id).detail(&detail);
        journal::note(tx, now, &line.department(&given.department_id)).await?;
    }
    Ok(())
}

/// Forgets those that ended a year ago; the journal told when they were given.
pub async fn sweep(tx: &mut Tx, today: Date) -> Result<(), db::Error> {
    let before = today.checked_sub(1.year()).unwrap_or(today);
    let delete = sql!("delete from entitlement where authority_id = $1 and until_day < $2");
    tx.run(delete, args![tx.authority(), before]).await?;
    Ok(())
}
