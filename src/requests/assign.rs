//! Giving a request to somebody, as a rule of its circuit says.

use db::{Tx, args, sql};
use forms::workflow::Assignee;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    handover,
    store::{self, Entry},
};

/// Codes of the history.
pub const ASSIGNED: &str = "assigned";
pub const UNASSIGNED: &str = "assign-failed";

/// Gives a request of this department to whom the rule names. Who left, or does not process there any more, gets
/// nothing: the request stays as it was, and its history says why.
pub async fn to(
    tx: &mut Tx,
    (request, department): (Uuid, &str),
    to: &Assignee,
    today: Date,
    now: Timestamp,
) -> Result<(), db::Error> {
    if matches!(to, Assignee::Nobody) {
        return Ok(());
    }
    // Nobody treats what they asked for themself.
    let filer: Option<Option<Uuid>> = tx
        .first(
            sql!("select account_id from request where authority_id = $1 and id = $2"),
            args![tx.authority(), request],
        )
        .await?;
    let filer = filer.flatten();
    let found = match to {
        Assignee::Nobody => None,
        Assignee::Turn => next(tx, department, filer, today).await?,
        Assignee::Agent(email) => named(tx, department, email, today).await?.filter(|agent| Some(*agent) != filer),
    };
    let code = if found.is_some() { ASSIGNED } else { UNASSIGNED };
    if found.is_some() {
        store::hold(tx, request, found).await?;
    }
    let entry = Entry { actor: "system", actor_id: None, code, from: None, to: None, subject: found, acted: None };
    store::record(tx, request, &entry, now).await?;
    Ok(())
}

async fn named(tx: &mut Tx, department: &str, email: &str, today: Date) -> Result<Option<Uuid>, db::Error> {
    let found: Option<Uuid> = tx
        .first(
            sql!(
                "select id from account where authority_id = $1 and kind = 'agent' and email = $2 and closed_at is null"
            ),
            args![tx.authority(), email],
        )
        .await?;
    match found {
        Some(agent) if handover::may_hold(tx, today, department, agent).await? => Ok(Some(agent)),
        _ => Ok(None),
    }
}

/// Whose turn it is among those who process in the department: the one after whoever had it last.
async fn next(tx: &mut Tx, department: &str, filer: Option<Uuid>, today: Date) -> Result<Option<Uuid>, db::Error> {
    let a = tx.authority();
    let last: Option<Uuid> = tx
        .first(
            sql!("select account_id from assignment_turn where authority_id = $1 and department_id = $2 for update"),
            args![a, department],
        )
        .await?;
    let found = match after(tx, department, last, filer, today).await? {
        None if last.is_some() => after(tx, department, None, filer, today).await?,
        found => found,
    };
    if let Some(found) = found {
        tx.run(
            sql!(
                "insert into assignment_turn (authority_id, department_id, account_id) values ($1, $2, $3)
                 on conflict (authority_id, department_id) do update set account_id = excluded.account_id"
            ),
            args![a, department, found],
        )
        .await?;
    }
    Ok(found)
}

async fn after(
    tx: &mut Tx,
    department: &str,
    last: Option<Uuid>,
    filer: Option<Uuid>,
    today: Date,
) -> Result<Option<Uuid>, db::Error> {
    tx.first(
        sql!(
            "select a.id from staff s join account a on a.authority_id = s.authority_id and a.id = s.account_id
             where s.authority_id = $1 and s.department_id = $2 and s.role in ('processor', 'decider', 'manager')
               and (s.from_day is null or s.from_day <= $3) and (s.until_day is null or s.until_day >= $3)
               and a.closed_at is null and (a.ends_on is null or a.ends_on >= $3) and (cast($4 as uuid) is null or a.id > $4) and (cast($5 as uuid) is null or a.id <> $5)
             order by a.id limit 1"
        ),
        args![tx.authority(), department, today, last, filer],
    )
    .await
}
