//! Requests that an agent holds, handed over to a colleague of the same department or released, all at once:
//! when somebody leaves, or is away.

use db::{Db, Query, Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, Entry};
use crate::{
    accounts::jobs::{self, Letter, More},
    agents::Role,
    visit::Visit,
};

/// Codes of the history.
pub const HANDED: &str = "handed";
const RELEASED: &str = "released";

row! {
    /// How many running requests of a department an agent holds.
    #[derive(Debug, Clone)]
    pub struct Held {
        pub department_id: String,
        pub account_id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub many: i64,
    }

    /// The same, by procedure.
    #[derive(Debug, Clone)]
    pub struct Count {
        pub procedure_id: String,
        pub procedure_version: i64,
        pub many: i64,
        pub late: i64,
    }

    /// Who may hold requests of a department.
    #[derive(Debug, Clone)]
    pub struct Receiver {
        pub id: Uuid,
        pub first_name: String,
        pub last_name: String,
        pub role: String,
    }
}

impl Receiver {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

impl Held {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

pub async fn held(db: &Db, departments: &[&str]) -> Result<Vec<Held>, db::Error> {
    let query = Query::new(
        "select r.department_id, a.id as account_id, a.first_name, a.last_name, count(*) as many
         from request r join account a on a.authority_id = r.authority_id and a.id = r.holder_id where r.ended = false and r.holder_id is not null",
    );
    let query = query.and("r.authority_id = {}", db.authority()).and_in("r.department_id", departments);
    let query = query
        .push(" group by r.department_id, a.id, a.first_name, a.last_name order by a.last_name, a.first_name, a.id");
    db.fresh().all(query, args![]).await
}

/// What `holder` holds in a department, by procedure.
pub async fn preview(db: &Db, department: &str, holder: Uuid, now: Timestamp) -> Result<Vec<Count>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select procedure_id, max(procedure_version) as procedure_version, count(*) as many,
                   count(case when status in ('sent', 'in-progress') and due_at < $4 then 1 end) as late
                 from request where authority_id = $1 and department_id = $2 and holder_id = $3 and ended = false
                 group by procedure_id order by procedure_id"
            ),
            args![db.authority(), department, holder, now],
        )
        .await
}

/// Who may process in the department today, but `holder`.
pub async fn receivers(db: &Db, department: &str, holder: Uuid, today: Date) -> Result<Vec<Receiver>, db::Error> {
    let mut found: Vec<Receiver> = db
        .fresh()
        .all(
            sql!(
                "select a.id, a.first_name, a.last_name, s.role from staff s join account a on a.authority_id = s.authority_id and a.id = s.account_id
                 where s.authority_id = $1 and s.department_id = $2 and s.account_id <> $3 and s.role in ('processor', 'decider', 'manager')
                   and a.closed_at is null and (a.ends_on is null or a.ends_on >= $4)
                   and (s.from_day is null or s.from_day <= $4) and (s.until_day is null or s.until_day >= $4)
                 order by a.last_name, a.first_name, a.id"
            ),
            args![db.authority(), department, holder, today],
        )
        .await?;
    // A member who was given more: once, as the higher of the two.
    found.dedup_by(|next, kept| {
        let same = next.id == kept.id;
        if same && Role::parse(&next.role) > Role::parse(&kept.role) {
            kept.role = std::mem::take(&mut next.role);
        }
        same
    });
    Ok(found)
}

/// What is handed over, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub department: &'a str,
    pub from: Uuid,
    /// None: nobody, whoever wants takes them.
    pub to: Option<Uuid>,
    /// None: the operator.
    pub by: Option<Uuid>,
}

/// Hands over everything that `from` holds in the department, a bounded transaction at a time: each request is
/// either handed with its line of history, or untouched. The receiver gets one mail. Gives how many; none when
/// the receiver may not hold them (any more).
pub async fn hand_over(visit: &Visit, order: Order<'_>) -> Result<Option<usize>, db::Error> {
    let mut handed = 0;
    loop {
        let first = handed == 0;
        let done = visit.db.write(async |tx: &mut Tx| batch(tx, visit, order, first).await).await?;
        match done {
            None => return Ok(None),
            Some(0) => break,
            Some(many) => handed += many,
        }
    }
    visit.app.work.notify_one();
    Ok(Some(handed))
}

async fn batch(tx: &mut Tx, visit: &Visit, order: Order<'_>, first: bool) -> Result<Option<usize>, db::Error> {
    let Order { department, from, to, by } = order;
    if let Some(to) = to
        && !may_hold(tx, visit.today(), department, to).await?
    {
        return Ok(None);
    }
    if first {
        tell(tx, visit, order).await?;
    }
    // What its receiver asked for themself is nobody's: they do not treat it.
    let handed: Vec<(Uuid, Option<Uuid>)> = tx
        .all(
            sql!(
                "update request set holder_id = case when account_id = $1 then null else $1 end where authority_id = $2 and id in (
                   select id from request where authority_id = $2 and department_id = $3 and holder_id = $4 and ended = false order by due_at, id limit 200)
                   and holder_id = $4 and ended = false
                 returning id, holder_id"
            ),
            args![to, tx.authority(), department, from],
        )
        .await?;
    let actor = if by.is_some() { "agent" } else { "system" };
    for (id, holder) in &handed {
        let code = if holder.is_some() { HANDED } else { RELEASED };
        let entry = Entry { actor, actor_id: by, code, from: None, to: None, subject: *holder, acted: None };
        store::record(tx, *id, &entry, visit.now).await?;
    }
    Ok(Some(handed.len()))
}

/// Whether an agent processes in the department, and their access is not over.
pub async fn may_hold(tx: &mut Tx, today: Date, department: &str, agent: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!(
                "select 1 from staff s join account a on a.authority_id = s.authority_id and a.id = s.account_id
                 where s.authority_id = $1 and s.department_id = $2 and s.account_id = $3 and s.role in ('processor', 'decider', 'manager')
                   and a.closed_at is null and (a.ends_on is null or a.ends_on >= $4)
                   and (s.from_day is null or s.from_day <= $4) and (s.until_day is null or s.until_day >= $4)"
            ),
            args![tx.authority(), department, agent, today],
        )
        .await?;
    Ok(found.is_some())
}

/// One mail for all, in the transaction of the first.
async fn tell(tx: &mut Tx, visit: &Visit, order: Order<'_>) -> Result<(), db::Error> {
    let Some(to) = order.to.filter(|to| Some(*to) != order.by) else { return Ok(()) };
    let found: Option<(String, String, i64)> = tx
        .first(
            sql!(
                "select a.first_name, a.last_name, count(*) from request r join account a on a.authority_id = r.authority_id and a.id = r.holder_id
                 where r.authority_id = $1 and r.department_id = $2 and r.holder_id = $3 and r.ended = false group by a.first_name, a.last_name"
            ),
            args![tx.authority(), order.department, order.from],
        )
        .await?;
    if let Some((first_name, last_name, count)) = found {
        let about = json!({"name": format!("{first_name} {last_name}").trim(), "count": count});
        jobs::queue(tx, visit, Letter::HandedOver, to, More { about, ..More::default() }).await?;
    }
    Ok(())
}
