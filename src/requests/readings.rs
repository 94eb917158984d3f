//! On which days a department opened a request, for its owner to see: no agent, no hour. Lines of the journal
//! tell it, as long as they are kept.

use db::{Db, args, row, sql};
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct Reading {
        pub request_id: Uuid,
        pub reference: String,
        pub department_name: String,
        pub day: Date,
    }
}

/// The latest readings of an account's requests.
pub async fn of(db: &Db, account: Uuid, most: i64) -> Result<Vec<Reading>, db::Error> {
    db.all(
        sql!(
            "select distinct j.day, r.submitted_at, j.request_id, r.reference, d.name as department_name from request r
             join journal j on j.authority_id = r.authority_id and j.request_id = r.id and j.day is not null
             join department d on d.authority_id = j.authority_id and d.id = j.department_id
             where r.authority_id = $1 and r.account_id = $2 order by j.day desc, r.submitted_at desc, j.request_id, d.name limit $3"
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
