//! The end of an agent's access: on a day, or at once. What they did stays under their name.

use db::{Db, Tx, args, row, sql};
use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::json;
use uuid::Uuid;

use super::{
    connections::{self, Happened},
    jobs::{self, Letter, More},
    session::{self, Kind},
};
use crate::{platform::french, visit::Visit};

/// Days before the end when it is told.
const NOTICE: i32 = 14;

/// Whether the last day is over, `today` being the authority's.
pub fn over(ends_on: Option<Date>, today: Date) -> bool {
    ends_on.is_some_and(|last| last < today)
}

/// Whether the last day is near enough to be told.
pub fn near(ends_on: Option<Date>, today: Date) -> bool {
    let horizon = today.checked_add(NOTICE.days()).unwrap_or(today);
    ends_on.is_some_and(|last| (today..=horizon).contains(&last))
}

/// Who changes it: an agent, or the operator or the directory (none).
pub type By = Option<Uuid>;

/// The last day of an open account, when one is set.
pub async fn of(db: &Db, account: Uuid) -> Result<Option<Date>, db::Error> {
    let found: Option<Option<Date>> = db
        .fresh()
        .first(
            sql!("select ends_on from account where authority_id = $1 and id = $2 and closed_at is null"),
            args![db.authority(), account],
        )
        .await?;
    Ok(found.flatten())
}

/// Sets the last day of an agent's access, or none; sessions end at once when it is over. False when it was so already.
pub async fn set(tx: &mut Tx, visit: &Visit, account: Uuid, last: Option<Date>, by: By) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update account set ends_on = $1 where authority_id = $2 and id = $3 and kind = 'agent'
                 and (cast($1 as date) is null and ends_on is not null or cast($1 as date) is not null and (ends_on is null or ends_on <> $1))"
            ),
            args![last, tx.authority(), account],
        )
        .await?;
    if changed == 1 {
        let reason = last.map_or_else(
            || "Aucune fin prévue".to_owned(),
            |day| format!("Dernier jour d’accès\u{a0}: {}", french::date(day)),
        );
        connections::remember_agent(tx, visit, account, Happened::EndSet, (by, &reason)).await?;
    }
    if over(last, visit.today()) {
        session::close_others(tx, account, None).await?;
    }
    Ok(changed == 1)
}

/// Cuts the access of an agent at once. False when it was cut already.
pub async fn close(tx: &mut Tx, visit: &Visit, account: Uuid, by: By, reason: &str) -> Result<bool, db::Error> {
    let closed = tx
        .run(
            sql!("update account set closed_at = $1 where authority_id = $2 and id = $3 and kind = 'agent' and closed_at is null"),
            args![visit.now, tx.authority(), account],
        )
        .await?;
    if closed == 1 {
        connections::remember_agent(tx, visit, account, Happened::Closed, (by, reason)).await?;
        session::close_others(tx, account, None).await?;
    }
    Ok(closed == 1)
}

/// Gives back an access that was cut. False when it was not.
pub async fn reopen(tx: &mut Tx, visit: &Visit, account: Uuid, by: By, reason: &str) -> Result<bool, db::Error> {
    let opened = tx
        .run(
            sql!("update account set closed_at = null where authority_id = $1 and id = $2 and kind = 'agent' and closed_at is not null"),
            args![tx.authority(), account],
        )
        .await?;
    if opened == 1 {
        connections::remember_agent(tx, visit, account, Happened::Reopened, (by, reason)).await?;
    }
    Ok(opened == 1)
}

/// Ends every session of an account, or of all accounts (none).
pub async fn end_sessions(tx: &mut Tx, visit: &Visit, account: Option<Uuid>) -> Result<usize, db::Error> {
    let found: Vec<Uuid> = tx
        .all(
            sql!(
                "select distinct account_id from session where authority_id = $1 and account_id is not null
                 and (cast($2 as uuid) is null or account_id = $2)"
            ),
            args![tx.authority(), account],
        )
        .await?;
    for account in &found {
        session::close_others(tx, *account, None).await?;
        connections::remember_agent(tx, visit, *account, Happened::SessionEnded, (None, "Par l’exploitant du site"))
            .await?;
    }
    Ok(found.len())
}

row! {
    struct Ending {
        id: Uuid,
        first_name: String,
        last_name: String,
        ends_on: Date,
        end_told: Option<Date>,
    }
}

/// Tells of ends that come near, once for each day set, and ends the sessions of those that are over.
pub async fn sweep(visit: &Visit) -> Result<(), db::Error> {
    let today = visit.today();
    let horizon = today.checked_add(NOTICE.days()).unwrap_or(today);
    let found: Vec<Ending> = visit
        .db
        .all(
            sql!(
                "select id, first_name, last_name, ends_on, end_told from account
                 where authority_id = $1 and ends_on is not null and ends_on <= $2 and closed_at is null order by ends_on, id"
            ),
            args![visit.db.authority(), horizon],
        )
        .await?;
    for one in found {
        if over(Some(one.ends_on), today) {
            visit.db.write(async |tx: &mut Tx| session::close_others(tx, one.id, None).await).await?;
        } else if one.end_told != Some(one.ends_on) {
            visit.db.write(async |tx: &mut Tx| tell(tx, visit, &one).await).await?;
            visit.app.work.notify_one();
        }
    }
    Ok(())
}

async fn tell(tx: &mut Tx, visit: &Visit, one: &Ending) -> Result<(), db::Error> {
    let claimed = tx
        .run(
            sql!("update account set end_told = ends_on where authority_id = $1 and id = $2 and ends_on = $3 and (end_told is null or end_told <> $3)"),
            args![tx.authority(), one.id, one.ends_on],
        )
        .await?;
    if claimed == 0 {
        return Ok(());
    }
    let managers: Vec<Uuid> = tx
        .all(
            sql!(
                "select distinct m.account_id from membership m join account a on a.authority_id = m.authority_id and a.id = m.account_id
                 where m.authority_id = $1 and m.role = 'manager' and m.account_id <> $2 and a.closed_at is null
                   and m.department_id in (select o.department_id from membership o where o.authority_id = $1 and o.account_id = $2)"
            ),
            args![tx.authority(), one.id],
        )
        .await?;
    let name = format!("{} {}", one.first_name, one.last_name).trim().to_owned();
    let about = json!({"date": french::date(one.ends_on), "name": name});
    let more = || More { about: about.clone(), ..More::default() };
    jobs::queue(tx, visit, Letter::EndNear, one.id, more()).await?;
    for manager in managers {
        jobs::queue(tx, visit, Letter::EndNearOf, manager, more()).await?;
    }
    Ok(())
}

/// Any agent's account of this sign-in name, cut or not, for the operator: id and when it was cut.
pub async fn agent(db: &Db, login: &str) -> Result<Option<(Uuid, Option<Timestamp>)>, db::Error> {
    db.fresh()
        .first(
            sql!("select id, closed_at from account where authority_id = $1 and kind = $2 and login_key = $3"),
            args![db.authority(), Kind::Agent.name(), super::model::email_key(login)],
        )
        .await
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};

    use super::*;
    use crate::platform::clock;

    #[test]
    fn the_last_day_is_whole() {
        let last = Some(date(2026, 11, 30));
        assert!(!over(last, date(2026, 11, 30)));
        assert!(over(last, date(2026, 12, 1)));
        assert!(!over(None, date(2026, 12, 1)));
    }

    #[test]
    fn the_day_is_the_authority_s() {
        // 23 h 30 of the 30th in Paris is already the 1st in Nouméa, and still the 30th in Cayenne.
        let now: Timestamp = "2026-11-30T22:30:00Z".parse().unwrap();
        let last = Some(date(2026, 11, 30));
        let over_in = |zone: &str| over(last, clock::day(now, &TimeZone::get(zone).unwrap()));
        assert_eq!(["Europe/Paris", "America/Cayenne", "Pacific/Noumea"].map(over_in), [false, false, true]);
    }

    #[test]
    fn an_end_is_told_two_weeks_before() {
        let last = Some(date(2026, 11, 30));
        let on = |day| near(last, date(2026, 11, day));
        assert_eq!([on(15), on(16), on(30)], [false, true, true]);
        assert!(!near(last, date(2026, 12, 1)));
        assert!(!near(None, date(2026, 11, 30)));
    }
}
