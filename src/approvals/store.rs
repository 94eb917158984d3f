//! SQL on approvals.

use db::{Db, Json, Query, Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{New, Prepared, Visa};
use crate::{requests::others, visit::Agent};

macro_rules! select {
    () => {
        "select s.id, s.approval_id, s.title, s.department_id, d.name as department_name, s.role, s.state, s.until, s.decided_at, s.decided_by,
           b.first_name || ' ' || b.last_name as decided_by_name, s.reason, p.circuit, p.title as circuit_title, p.state as circuit_state, p.asked_at, p.asked_by,
           a.first_name || ' ' || a.last_name as asked_by_name, p.asker_too, p.settled_at, p.request_id,
           r.department_id as request_department, r.procedure_id, r.procedure_version
         from approval p join approval_step s on s.authority_id = p.authority_id and s.approval_id = p.id
           join request r on r.authority_id = p.authority_id and r.id = p.request_id
           left join department d on d.authority_id = s.authority_id and d.id = s.department_id
           left join account a on a.authority_id = p.authority_id and a.id = p.asked_by
           left join account b on b.authority_id = s.authority_id and b.id = s.decided_by "
    };
}

macro_rules! steps {
    ($where:literal) => {
        sql!(concat!(select!(), $where))
    };
}

/// Every step of every circuit of a request, the latest circuit first.
pub async fn of(db: &Db, request: Uuid) -> Result<Vec<Visa>, db::Error> {
    db.all(
        steps!("where p.authority_id = $1 and p.request_id = $2 order by p.version desc, s.position"),
        args![db.authority(), request],
    )
    .await
}

/// The steps of one circuit, in their order.
pub async fn circuit(db: &Db, approval: Uuid) -> Result<Vec<Visa>, db::Error> {
    db.all(steps!("where p.authority_id = $1 and p.id = $2 order by s.position"), args![db.authority(), approval]).await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Visa>, db::Error> {
    db.first(steps!("where s.authority_id = $1 and s.id = $2"), args![db.authority(), id]).await
}

row! {
    /// A line of « À viser ».
    pub struct Awaited {
        pub visa: Uuid,
        pub title: String,
        pub department_id: String,
        pub role: String,
        pub circuit_title: String,
        pub asked_by: Uuid,
        pub asker_too: bool,
        pub until: Option<Date>,
        pub state: String,
        pub decided_at: Option<Timestamp>,
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
    }
}

macro_rules! awaited {
    () => {
        "select s.id as visa, s.title, s.department_id, s.role, p.title as circuit_title, p.asked_by, p.asker_too, s.until, s.state, s.decided_at,
           r.reference, r.procedure_id, r.procedure_version
         from approval_step s join approval p on p.authority_id = s.authority_id and p.id = s.approval_id
           join request r on r.authority_id = p.authority_id and r.id = p.request_id where 1 = 1"
    };
}

/// The steps whose turn it is in these departments, the most urgent first; not those of circuits in which this agent
/// answered already, nor of their own requests.
pub async fn awaited(agent: &Agent, departments: &[&str]) -> Result<Vec<Awaited>, db::Error> {
    let query = Query::new(awaited!()).and("s.authority_id = {}", agent.db.authority());
    let query = others(query, agent).and_in("s.department_id", departments).and("s.state = {}", "open");
    let query = query.push_with(
        " and not exists (select 1 from approval_step o where o.authority_id = s.authority_id and o.approval_id = s.approval_id and o.decided_by = {})",
        agent.account.id,
    );
    agent.db.all(query.push(" order by s.until, s.id limit 200"), args![]).await
}

/// What an agent answered, the latest first.
pub async fn answered(agent: &Agent) -> Result<Vec<Awaited>, db::Error> {
    let query = Query::new(awaited!()).and("s.authority_id = {}", agent.db.authority());
    let query = others(query, agent).and("s.decided_by = {}", agent.account.id);
    agent.db.all(query.push(" order by s.decided_at desc, s.id limit 50"), args![]).await
}

row! {
    /// What was to be approved.
    pub struct Shown {
        pub id: Uuid,
        pub state: String,
        pub asked_at: Timestamp,
        pub fingerprint: Vec<u8>,
        pub letter: Json<Option<Prepared>>,
    }
}

/// What the steps of this circuit approve.
pub async fn shown(db: &Db, approval: Uuid) -> Result<Option<Shown>, db::Error> {
    db.first(
        sql!("select id, state, asked_at, fingerprint, letter from approval where authority_id = $1 and id = $2"),
        args![db.authority(), approval],
    )
    .await
}

/// The latest circuit of this name on a request.
pub async fn latest(db: &Db, request: Uuid, circuit: &str) -> Result<Option<Shown>, db::Error> {
    db.first(
        sql!(
            "select id, state, asked_at, fingerprint, letter from approval where authority_id = $1 and request_id = $2 and circuit = $3 order by version desc limit 1"
        ),
        args![db.authority(), request, circuit],
    )
    .await
}

pub async fn insert(tx: &mut Tx, request: Uuid, new: &New, now: Timestamp) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        sql!(
            "insert into approval (authority_id, id, request_id, circuit, title, asked_at, version, asked_by, asker_too, state, fingerprint, letter)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11)"
        ),
        args![
            a, new.id, request, &new.approval.id, &new.approval.title, now, new.version, new.asked_by, new.approval.asker_too, &new.fingerprint, Json(&new.letter)
        ],
    )
    .await?;
    for (position, step) in (0_i64..).zip(&new.steps) {
        let (state, until, remind_at) =
            if step.open { ("open", Some(new.until), new.remind_at) } else { ("later", None, None) };
        tx.run(
            sql!(
                "insert into approval_step (authority_id, id, approval_id, position, title, department_id, role, state, until, remind_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            ),
            args![a, step.id, new.id, position, &step.title, &step.department, step.role.name(), state, until, remind_at],
        )
        .await?;
    }
    Ok(())
}

row! {
    /// A step, as the transaction that answers it finds it.
    pub struct Standing {
        pub id: Uuid,
        pub state: String,
        pub decided_by: Option<Uuid>,
    }
}

/// The steps of a circuit that is open, in their order; nobody changes it until the transaction ends. None when it is
/// settled.
pub async fn standing(tx: &mut Tx, approval: Uuid) -> Result<Option<Vec<Standing>>, db::Error> {
    let a = tx.authority();
    let open: Option<String> = tx
        .first(
            sql!("select state from approval where authority_id = $1 and id = $2 and state = 'open' for update"),
            args![a, approval],
        )
        .await?;
    if open.is_none() {
        return Ok(None);
    }
    let steps = tx
        .all(
            sql!(
                "select id, state, decided_by from approval_step where authority_id = $1 and approval_id = $2 order by position"
            ),
            args![a, approval],
        )
        .await?;
    Ok(Some(steps))
}

pub async fn answer(
    tx: &mut Tx,
    step: Uuid,
    state: &str,
    by: Uuid,
    reason: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update approval_step set state = $1, decided_at = $2, decided_by = $3, reason = $4, remind_at = null where authority_id = $5 and id = $6 and state = 'open'"
        ),
        args![state, now, by, reason, tx.authority(), step],
    )
    .await?;
    Ok(())
}

/// It is the turn of this step.
pub async fn open(tx: &mut Tx, step: Uuid, until: Date, remind_at: Option<Timestamp>) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update approval_step set state = 'open', until = $1, remind_at = $2 where authority_id = $3 and id = $4 and state = 'later'"
        ),
        args![until, remind_at, tx.authority(), step],
    )
    .await?;
    Ok(())
}

/// Settles a circuit: nobody is asked any more.
pub async fn settle(tx: &mut Tx, approval: Uuid, state: &str, now: Timestamp) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        // What leads to no decision is not kept: it repeats answers.
        sql!("update approval set state = $1, settled_at = $2, letter = case when $1 = 'approved' then letter else $5 end where authority_id = $3 and id = $4"),
        args![state, now, a, approval, Json(Value::Null)],
    )
    .await?;
    tx.run(
        sql!(
            "update approval_step set state = 'closed', remind_at = null where authority_id = $1 and approval_id = $2 and state in ('open', 'later')"
        ),
        args![a, approval],
    )
    .await?;
    Ok(())
}

/// The circuit of a request that runs, or that approved.
pub async fn current(tx: &mut Tx, request: Uuid) -> Result<Option<Uuid>, db::Error> {
    tx.first(
        sql!(
            "select id from approval where authority_id = $1 and request_id = $2 and state in ('open', 'approved') order by version desc limit 1"
        ),
        args![tx.authority(), request],
    )
    .await
}

row! {
    struct Told {
        reference: String,
        department_name: Option<String>,
        asked_at: Timestamp,
    }
}

/// Which departments were shown an account's requests before a decision, for the export of one's data. What they
/// answered prepares it.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let found: Vec<Told> = db
        .all(
            sql!(
                "select distinct r.reference, d.name as department_name, p.asked_at
                 from request r join approval p on p.authority_id = r.authority_id and p.request_id = r.id
                   join approval_step s on s.authority_id = p.authority_id and s.approval_id = p.id and s.until is not null
                   left join department d on d.authority_id = s.authority_id and d.id = s.department_id
                 where r.authority_id = $1 and r.account_id = $2 order by p.asked_at, r.reference, d.name"
            ),
            args![db.authority(), account],
        )
        .await?;
    let one = |one: &Told| {
        let department = one.department_name.as_deref().unwrap_or("Un service de la collectivité");
        json!({"demande": one.reference, "service": department, "le": one.asked_at.to_string()})
    };
    Ok(found.iter().map(one).collect())
}
