//! SQL on the changes of an account.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{platform::clock, visit::Visit};

row! {
    /// A request made of a change.
    #[derive(Debug, Clone)]
    pub struct Sent {
        declared_at: Timestamp,
        request_id: Uuid,
        reference: String,
        department: String,
        status: String,
    }
}

impl Sent {
    pub fn shown(&self, visit: &Visit) -> Json {
        json!({
            "day": clock::day(self.declared_at, &visit.site.zone).to_string(), "department": self.department, "reference": self.reference,
            "status": self.status, "href": format!("/demandes/{}", self.request_id),
        })
    }
}

/// Who received what the account declared, the latest first.
pub async fn sent(db: &Db, account: Uuid) -> Result<Vec<Sent>, db::Error> {
    db.all(
        sql!(
            "select c.declared_at, r.id as request_id, r.reference, d.name as department, r.status from coordinate_change c
             join coordinate_change_request cr on cr.authority_id = c.authority_id and cr.change_id = c.id
             join request r on r.authority_id = cr.authority_id and r.id = cr.request_id
             join department d on d.authority_id = r.authority_id and d.id = r.department_id
             where c.authority_id = $1 and c.account_id = $2 order by c.declared_at desc, c.id desc, d.name limit 100"
        ),
        args![db.authority(), account],
    )
    .await
}

/// For the owner's copy of their data: each change, and the requests made of it.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Json>, db::Error> {
    row! {
        struct Made {
            id: Uuid,
            declared_at: Timestamp,
            reference: Option<String>,
        }
    }
    let made: Vec<Made> = db
        .all(
            sql!(
                "select c.id, c.declared_at, r.reference from coordinate_change c
                 left join coordinate_change_request cr on cr.authority_id = c.authority_id and cr.change_id = c.id
                 left join request r on r.authority_id = cr.authority_id and r.id = cr.request_id
                 where c.authority_id = $1 and c.account_id = $2 order by c.declared_at, c.id, r.reference"
            ),
            args![db.authority(), account],
        )
        .await?;
    let one = |change: &[Made]| {
        let references: Vec<&String> = change.iter().filter_map(|made| made.reference.as_ref()).collect();
        json!({"le": change.first().map(|made| made.declared_at.to_string()), "demandes": references})
    };
    Ok(made.chunk_by(|one, next| one.id == next.id).map(one).collect())
}

/// Notes the change; false when it is there already: its form was sent twice.
pub async fn begin(tx: &mut Tx, account: Uuid, id: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let made = tx
        .run(
            sql!(
                "insert into coordinate_change (authority_id, account_id, id, declared_at) values ($1, $2, $3, $4)
                 on conflict (authority_id, id) do nothing"
            ),
            args![tx.authority(), account, id, now],
        )
        .await?;
    Ok(made == 1)
}

pub async fn made(tx: &mut Tx, change: Uuid, request: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into coordinate_change_request (authority_id, change_id, request_id) values ($1, $2, $3)"),
        args![tx.authority(), change, request],
    )
    .await?;
    Ok(())
}
