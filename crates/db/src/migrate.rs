//! Migrations: forward only, each in its own transaction, recorded with a checksum.

use std::collections::HashMap;
use std::fmt::Write;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::sqlite::block;
use crate::{Db, Engine, postgres, sqlite};

/// One step. `sql` runs on both engines, then the text for the engine at hand, if any. In all of them
/// these words stand for a type (or nothing):
///
/// | word | SQLite | PostgreSQL |
/// |---|---|---|
/// | `{json}` | text | jsonb |
/// | `{time}` | integer | timestamptz |
/// | `{date}` | text | date |
/// | `{bytes}` | blob | bytea |
/// | `{uuid}` | blob | uuid |
/// | `{bool}` | integer | boolean |
/// | `{int}` | integer | bigint |
/// | `{real}` | real | double precision |
/// | `{strict}` (after the closing bracket of a table) | strict | |
///
/// Name unique indexes (`create unique index account_email_key on …`), so that
/// [`Error::is_unique`](crate::Error::is_unique) knows them on both engines.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// `0001_accounts`: never changed once released.
    pub name: &'static str,
    pub sql: &'static str,
    pub sqlite: Option<&'static str>,
    pub postgres: Option<&'static str>,
}

const WORDS: [(&str, &str, &str); 9] = [
    ("{json}", "text", "jsonb"),
    ("{time}", "integer", "timestamptz"),
    ("{date}", "text", "date"),
    ("{bytes}", "blob", "bytea"),
    ("{uuid}", "blob", "uuid"),
    ("{bool}", "integer", "boolean"),
    ("{int}", "integer", "bigint"),
    ("{real}", "real", "double precision"),
    ("{strict}", "strict", ""),
];

const TABLE: &str = "create table if not exists migration (name text primary key, checksum text not null)";
const DONE: &str = "select name, checksum from migration";
const RECORD: &str = "insert into migration (name, checksum) values ($1, $2)";

impl Db {
    /// Brings the database up to date and returns the names of what was applied. Several processes may
    /// call it at once. Unknown names in the database are left alone: a newer program has been here.
    ///
    /// # Errors
    /// `Other` when a migration fails, was changed since it was applied, or comes before one that is
    /// already applied; earlier ones of the list stay applied.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<String>> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let mut applied = Vec::new();
                for step in 0..migrations.len() {
                    let tx = sqlite.begin().await?;
                    if let Some(name) = block(|| sqlite_step(&tx.connection, migrations, step))? {
                        tx.commit()?;
                        applied.push(name);
                    }
                }
                Ok(applied)
            }
            Engine::Postgres(postgres) => {
                let client = postgres.client().await?;
                let applied = postgres_steps(&client, migrations).await;
                // The lock and the settings go with the connection.
                drop(deadpool_postgres::Object::take(client));
                applied
            }
        }
    }
}

fn sqlite_step(connection: &Connection, migrations: &[Migration], step: usize) -> Result<Option<String>> {
    let fail = |error: rusqlite::Error| sqlite::failure(&error, None);
    connection.execute_batch(TABLE).map_err(fail)?;
    let rows = sqlite::query(connection, DONE, &[])?;
    let done = rows.into_iter().map(|mut row| Ok((row.take_at(0)?, row.take_at(1)?))).collect::<Result<_>>()?;
    let Some(todo) = Todo::at(step, migrations, &done, Migration::for_sqlite)? else { return Ok(None) };
    connection.execute_batch(&todo.text).map_err(|error| fail(error).at(todo.name))?;
    connection.execute(RECORD, [todo.name, &todo.checksum]).map_err(fail)?;
    Ok(Some(todo.name.to_owned()))
}

async fn postgres_steps(client: &Client, migrations: &[Migration]) -> Result<Vec<String>> {
    let fail = |error: tokio_postgres::Error| postgres::failure(&error);
    client.batch_execute("set statement_timeout = 0; set lock_timeout = 0").await.map_err(fail)?;
    client.batch_execute(postgres::LOCK_MIGRATE).await.map_err(fail)?;
    client.batch_execute("set lock_timeout = '10s'; set default_transaction_read_only = off").await.map_err(fail)?;
    client.batch_execute(TABLE).await.map_err(fail)?;
    let rows = client.query(DONE, &[]).await.map_err(fail)?;
    let done = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut applied = Vec::new();
    for step in 0..migrations.len() {
        let Some(todo) = Todo::at(step, migrations, &done, Migration::for_postgres)? else { continue };
        client.batch_execute("begin").await.map_err(fail)?;
        client.batch_execute(&todo.text).await.map_err(|error| fail(error).at(todo.name))?;
        client.execute(RECORD, &[&todo.name, &todo.checksum]).await.map_err(fail)?;
        client.batch_execute("commit").await.map_err(fail)?;
        applied.push(todo.name.to_owned());
    }
    Ok(applied)
}

struct Todo {
    name: &'static str,
    text: String,
    checksum: String,
}

impl Todo {
    /// The migration at this place of the list, unless it is already done.
    fn at(
        step: usize,
        migrations: &[Migration],
        done: &HashMap<String, String>,
        text: fn(&Migration) -> String,
    ) -> Result<Option<Self>> {
        let Some((migration, later)) = migrations.get(step..).and_then(<[_]>::split_first) else { return Ok(None) };
        let text = text(migration);
        let checksum = checksum(&text);
        match done.get(migration.name) {
            Some(known) if *known == checksum => Ok(None),
            Some(_) => Err(Error::Other(format!("migration {} was changed after it was applied", migration.name))),
            None => match later.iter().find(|other| done.contains_key(other.name)) {
                Some(other) => Err(Error::Other(format!(
                    "migration {} comes before {}, already applied",
                    migration.name, other.name
                ))),
                None => Ok(Some(Self { name: migration.name, text, checksum })),
            },
        }
    }
}

impl Migration {
    fn for_sqlite(&self) -> String {
        let text = [self.sql, self.sqlite.unwrap_or_default()].join("\n");
        WORDS.iter().fold(text, |text, (word, sqlite, _)| text.replace(word, sqlite))
    }

    fn for_postgres(&self) -> String {
        let text = [self.sql, self.postgres.unwrap_or_default()].join("\n");
        WORDS.iter().fold(text, |text, (word, _, postgres)| text.replace(word, postgres))
    }
}

/// Line ends depend on how the source was checked out, so they do not count.
fn checksum(text: &str) -> String {
    Sha256::digest(text.replace('\r', "").as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
