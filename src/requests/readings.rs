//! On which days a department opened a request, for its owner to see: no agent, no hour. The journal of
//! readings that proves who read what is another thing.

use db::{Db, Tx, args, row, sql};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::model::Request;
use crate::{platform::clock, visit::Agent};

/// How long a line is kept, in days.
const KEPT: i64 = 365;

row! {
    #[derive(Debug, Clone)]
    pub struct Reading {
        pub request_id: Uuid,
        pub reference: String,
        pub department_name: String,
        pub day: Date,
    }
}

/// Notes that the agent's department has the request before its eyes today. Once it is there, a read is all
/// it costs.
pub async fn note(agent: &Agent, request: &Request) -> Result<(), db::Error> {
    let (id, department, day) = (request.id, request.department_id.as_str(), agent.today());
    let noted: Option<i64> = agent
        .db
        .first(
            sql!("select 1 from request_reading where authority_id = $1 and request_id = $2 and department_id = $3 and day = $4"),
            args![agent.db.authority(), id, department, day],
        )
        .await?;
    if noted.is_some() {
        return Ok(());
    }
    agent
        .db
        .write(async |tx: &mut Tx| {
            tx.run(
                sql!(
                    "insert into request_reading (authority_id, request_id, department_id, day) values ($1, $2, $3, $4)
                     on conflict (authority_id, request_id, department_id, day) do nothing"
                ),
                args![tx.authority(), id, department, day],
            )
            .await?;
            Ok(())
        })
        .await
}

/// The same for several at once (an export), each with its department.
pub async fn note_all(agent: &Agent, requests: &[(Uuid, &str)]) -> Result<(), db::Error> {
    let day = agent.today();
    agent
        .db
        .write(async |tx: &mut Tx| {
            for (id, department) in requests {
                tx.run(
                    sql!(
                        "insert into request_reading (authority_id, request_id, department_id, day) values ($1, $2, $3, $4)
                         on conflict (authority_id, request_id, department_id, day) do nothing"
                    ),
                    args![tx.authority(), id, *department, day],
                )
                .await?;
            }
            Ok(())
        })
        .await
}

/// The latest readings of an account's requests.
pub async fn of(db: &Db, account: Uuid, most: i64) -> Result<Vec<Reading>, db::Error> {
    db.all(
        sql!(
            "select v.request_id, r.reference, d.name as department_name, v.day from request r
             join request_reading v on v.authority_id = r.authority_id and v.request_id = r.id
             join department d on d.authority_id = v.authority_id and d.id = v.department_id
             where r.authority_id = $1 and r.account_id = $2 order by v.day desc, r.submitted_at desc, r.id, d.name limit $3"
        ),
        args![db.authority(), account, most],
    )
    .await
}

/// All of them, for the export of one's data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Json>, db::Error> {
    let readings = of(db, account, i64::from(i32::MAX)).await?;
    let line =
        |one: &Reading| json!({"demande": one.reference, "service": one.department_name, "jour": one.day.to_string()});
    Ok(readings.iter().map(line).collect())
}

pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    let today = clock::day(now, &TimeZone::UTC);
    let before = today.checked_sub(KEPT.days()).unwrap_or(today);
    let last = before.to_zoned(TimeZone::UTC).map_or(now, |start| start.timestamp());
    tx.run(sql!("delete from desk_export where authority_id = $1 and at < $2"), args![tx.authority(), last]).await?;
    tx.run(sql!("delete from request_reading where authority_id = $1 and day < $2"), args![tx.authority(), before])
        .await?;
    Ok(())
}
