//! SQL on the agents of departments, as who manages these sees them.

use db::{Db, Query, Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::accounts;

row! {
    /// An agent in one department.
    #[derive(Debug, Clone)]
    pub struct Member {
        pub id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub email: String,
        pub department_id: String,
        pub department_name: String,
        pub role: String,
        pub from_directory: bool,
        pub ends_on: Option<Date>,
        pub closed_at: Option<Timestamp>,
        /// Within what the history of the door keeps.
        pub signed_in_at: Option<Timestamp>,
    }

    /// An agent's account, open or not.
    #[derive(Debug, Clone)]
    pub struct Person {
        pub id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub email: String,
        pub quality: Option<String>,
        pub ends_on: Option<Date>,
        pub closed_at: Option<Timestamp>,
    }
}

impl Member {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

fn members(db: &Db) -> Query {
    Query::new(
        "select a.id, a.first_name, a.last_name, coalesce(a.email, a.login) as email, m.department_id, d.name as department_name, m.role, m.from_directory, a.ends_on, a.closed_at,
           (select max(e.at) from sign_in_event e where e.authority_id = a.authority_id and e.account_id = a.id and e.code like 'signed-in%') as signed_in_at
         from membership m join account a on a.authority_id = m.authority_id and a.id = m.account_id
           join department d on d.authority_id = m.authority_id and d.id = m.department_id where 1 = 1",
    )
    .and("m.authority_id = {}", db.authority())
}

const ORDER: &str = " order by d.name, d.id, a.last_name, a.first_name, a.id";

/// Every agent of these departments, by department and name.
pub async fn of_departments(db: &Db, departments: &[&str]) -> Result<Vec<Member>, db::Error> {
    let query = members(db).and_in("m.department_id", departments);
    db.all(query.push(ORDER), args![]).await
}

/// Every department of one agent.
pub async fn of_agent(db: &Db, agent: Uuid) -> Result<Vec<Member>, db::Error> {
    let query = members(db).and("m.account_id = {}", agent);
    db.all(query.push(ORDER), args![]).await
}

pub async fn person(db: &Db, agent: Uuid) -> Result<Option<Person>, db::Error> {
    db.fresh()
        .first(
            sql!("select id, first_name, last_name, coalesce(email, login) as email, quality, ends_on, closed_at from account where authority_id = $1 and id = $2 and kind = 'agent'"),
            args![db.authority(), agent],
        )
        .await
}

/// Where an agent is written to, as long as their access lasts.
pub async fn address(db: &Db, agent: Uuid, today: Date) -> Result<Option<String>, db::Error> {
    let found: Option<Option<String>> = db
        .first(
            sql!(
                "select email from account where authority_id = $1 and id = $2 and kind = 'agent' and closed_at is null
                   and (ends_on is null or ends_on >= $3)"
            ),
            args![db.authority(), agent, today],
        )
        .await?;
    Ok(found.flatten())
}

/// The open account of an agent.
pub async fn by_email(db: &Db, email: &str) -> Result<Option<Uuid>, db::Error> {
    db.first(
        sql!(
            "select id from account where authority_id = $1 and kind = 'agent' and email_key = $2 and closed_at is null"
        ),
        args![db.authority(), accounts::email_key(email)],
    )
    .await
}

/// Removes an agent from a department, unless the directory put them there. False when they are not in it so.
pub async fn leave(tx: &mut Tx, agent: Uuid, department: &str) -> Result<bool, db::Error> {
    let left = tx
        .run(
            sql!("delete from membership where authority_id = $1 and account_id = $2 and department_id = $3 and from_directory = false"),
            args![tx.authority(), agent, department],
        )
        .await?;
    Ok(left == 1)
}

/// (id, name) of those who may be named in the register of a department, whose account is open: its agents, and
/// whoever decides there, on some procedures or for some days, today or to come.
pub async fn signatories(db: &Db, department: &str, today: Date) -> Result<Vec<(Uuid, String)>, db::Error> {
    db.all(
        sql!(
            "select a.id, a.first_name || ' ' || a.last_name from account a where a.authority_id = $1 and a.closed_at is null and a.id in (
               select m.account_id from membership m where m.authority_id = $1 and m.department_id = $2
               union select e.account_id from entitlement e where e.authority_id = $1 and e.department_id = $2 and e.role = 'decider'
                 and (e.until_day is null or e.until_day >= $3))
             order by a.last_name, a.first_name, a.id"
        ),
        args![db.authority(), department, today],
    )
    .await
}
