//! The baseline of submissions: what one leaves in the database, written again by one transaction
//! under new ids, with the same tables, indexes and durability.

use std::time::Instant;

use anyhow::{Result, ensure};
use db::{Db, Row, Sql, Value, args, sql};
use uuid::Uuid;

use crate::platform::clock::Clock;

/// Rows of one finished request.
#[derive(Clone)]
pub struct Rows {
    db: Db,
    request: Uuid,
    rows: Vec<(Sql, Row)>,
}

impl Rows {
    pub async fn of(db: &Db, request: Uuid) -> Result<Self> {
        let tables = [
            (
                sql!("select * from request where authority_id = $1 and id = $2"),
                sql!(
                    "insert into request values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"
                ),
            ),
            (
                sql!("select * from request_event where authority_id = $1 and request_id = $2"),
                sql!("insert into request_event values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
            ),
            (
                sql!(
                    "select * from fact where authority_id = $1 and procedure_id = 'mesure' and cast($2 as uuid) is not null limit 1"
                ),
                sql!("insert into fact values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
            ),
            (
                sql!("select * from job where authority_id = $1 and request_id = $2"),
                sql!("insert into job values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"),
            ),
            (
                sql!("select * from file where authority_id = $1 and owner_id = $2"),
                sql!("insert into file values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
            ),
        ];
        let mut rows = Vec::new();
        for (select, insert) in tables {
            let found: Vec<Row> = db.all(select, args![db.authority(), request]).await?;
            ensure!(!found.is_empty(), "{select}: no row");
            rows.extend(found.into_iter().map(|row| (insert, row)));
        }
        Ok(Self { db: db.clone(), request, rows })
    }

    /// Writes them again and again until `end`; gives how many times.
    pub async fn write_until(self, end: Instant) -> Result<u32> {
        let mut count = 0;
        while Instant::now() < end {
            let rows = self.renamed()?;
            self.db
                .write(async |tx: &mut db::Tx| {
                    for (insert, values) in &rows {
                        tx.run(*insert, values.clone()).await?;
                    }
                    Ok::<(), db::Error>(())
                })
                .await?;
            count += 1;
        }
        Ok(count)
    }

    /// The same rows for another request: new ids, and new texts where they must be unique.
    fn renamed(&self) -> Result<Vec<(Sql, Vec<Value>)>> {
        let request = Clock::System.id();
        self.rows.iter().map(|(insert, row)| Ok((*insert, self.renamed_row(row.clone(), request)?))).collect()
    }

    fn renamed_row(&self, mut row: Row, request: Uuid) -> Result<Vec<Value>> {
        let columns = row.columns().to_vec();
        let new = |(index, column): (usize, &String)| {
            let value: Value = row.take_at(index)?;
            Ok(match column.as_str() {
                "id" | "request_id" | "owner_id" if is(&value, self.request) => Value::Uuid(request),
                "id" => Value::Uuid(Clock::System.id()),
                "reference" | "effect" => Value::Text(Clock::System.id().to_string()),
                _ => value,
            })
        };
        columns.iter().enumerate().map(new).collect()
    }
}

/// SQLite keeps ids as bytes.
fn is(value: &Value, id: Uuid) -> bool {
    match value {
        Value::Uuid(found) => *found == id,
        Value::Bytes(found) => found == id.as_bytes(),
        _ => false,
    }
}
