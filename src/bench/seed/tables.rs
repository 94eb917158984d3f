//! Rows that wait to be written, many in one statement.

use db::{Query, Tx, Value, args};

/// Rows of one statement.
const ROWS: usize = 100;

/// Rows to write to one table.
pub struct Table {
    head: &'static str,
    width: usize,
    pub values: Vec<Value>,
}

impl Table {
    pub fn new(head: &'static str) -> Self {
        Self { head, width: head.split('(').nth(1).map_or(0, |columns| columns.split(',').count()), values: Vec::new() }
    }

    pub async fn write(&self, tx: &mut Tx) -> Result<(), db::Error> {
        for rows in self.values.chunks(self.width * ROWS) {
            let mut query = Query::new(self.head);
            for (index, value) in rows.iter().enumerate() {
                let before = match (index, index % self.width) {
                    (0, _) => " values ({}",
                    (_, 0) => "), ({}",
                    _ => ", {}",
                };
                query = query.push_with(before, value.clone());
            }
            tx.run(query.push(")"), args![]).await?;
        }
        Ok(())
    }
}

pub struct Tables {
    pub requests: Table,
    pub index: Table,
    pub events: Table,
    pub messages: Table,
}

impl Tables {
    pub fn new() -> Self {
        Self {
            requests: Table::new(
                "insert into request (authority_id, id, reference, procedure_id, procedure_version, department_id, filer_name, email, answers, state, status, ended, holder_id, submitted_at, updated_at, due_at, suspended_at, ended_at, confidential_address, version, active_at, filer_key)",
            ),
            index: Table::new(
                "insert into request_search (authority_id, request_id, number, place, names, answers, messages)",
            ),
            events: Table::new(
                "insert into request_event (authority_id, request_id, seq, at, actor, actor_id, code, from_state, to_state)",
            ),
            messages: Table::new(
                "insert into message (authority_id, id, request_id, author, author_id, internal, body, at, read_at)",
            ),
        }
    }

    pub async fn write(&self, tx: &mut Tx) -> Result<(), db::Error> {
        for table in [&self.requests, &self.index, &self.events, &self.messages] {
            table.write(tx).await?;
        }
        Ok(())
    }
}
