//! One SQL text for SQLite and PostgreSQL, and the few rules that make both behave alike.
//!
//! ```no_run
//! use db::{Db, DbOptions, Tx, args, sql};
//!
//! db::row! {
//!     pub struct Desk { id: uuid::Uuid, name: String }
//! }
//!
//! async fn rename(db: &Db, id: uuid::Uuid, name: &str) -> db::Result<Desk> {
//!     db.write(async |tx: &mut Tx| {
//!         let changed = tx.run(
//!             sql!("update desk set name = $3 where authority_id = $1 and id = $2"),
//!             args![tx.authority(), id, name],
//!         ).await?;
//!         if changed == 0 { return Err(db::Error::NotFound); }
//!         tx.one(sql!("select id, name from desk where id = $1"), args![id]).await
//!     }).await
//! }
//! ```
//!
//! Reads go through [`Db::all`], [`Db::first`], [`Db::one`]; writes only through [`Db::write`].

mod error;
mod migrate;
mod observe;
mod pgtypes;
mod postgres;
mod row;
mod sql;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
mod value;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

pub use error::{Error, Result};
#[doc(hidden)]
pub use linkme;
pub use migrate::Migration;
pub use observe::{Plan, counted, explained};
pub use row::{FromRow, Row};
pub use sql::{Query, STATEMENTS, Sql, Statement};
pub use tx::Tx;
pub use value::{FromValue, Json, ToValue, Value};
pub use write::Work;

use postgres::Postgres;
use sql::Dialect;
use sqlite::Sqlite;

/// A handle on the database, cheap to clone. It carries the authority (city) it works for.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    authority: Option<Uuid>,
    fresh: bool,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

#[derive(Debug, Clone)]
pub struct DbOptions {
    /// PostgreSQL: connections of the pool (10). SQLite: readers beside the one writer (4).
    pub max_connections: Option<usize>,
    /// PostgreSQL: where reads go. It may lag: read what was just written through [`Db::fresh`].
    pub replica_url: Option<String>,
    /// PostgreSQL with `sslmode=require`: trust these authorities (PEM) and no others.
    pub ca_file: Option<PathBuf>,
    /// How long to wait for a connection or for the writer before `Unavailable`.
    pub wait: Duration,
    /// PostgreSQL: how long one statement, or one wait for a lock, may last.
    pub statement_timeout: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            max_connections: None,
            replica_url: None,
            ca_file: None,
            wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

impl Db {
    /// Opens `sqlite:/path/file.db` (created if missing) or `postgres://user@host/name?sslmode=require`.
    /// PostgreSQL is connected to at the first statement: see [`ping`](Self::ping).
    ///
    /// # Errors
    /// `Other` for an address that is neither, `Unavailable` for a file that cannot be opened.
    pub fn open(url: &str, options: &DbOptions) -> Result<Self> {
        let engine = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = Path::new(path.strip_prefix("//").unwrap_or(path));
            Engine::Sqlite(Arc::new(Sqlite::open(path, options.max_connections.unwrap_or(4), options.wait)?))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres(Arc::new(Postgres::open(url, options)?))
        } else {
            return Err(Error::Other("the address must begin with sqlite: or postgres://".to_owned()));
        };
        Ok(Self { engine, authority: None, fresh: false })
    }

    /// The same database, on behalf of this authority.
    #[must_use]
    pub fn for_authority(&self, id: Uuid) -> Self {
        Self { authority: Some(id), ..self.clone() }
    }

    /// The authority this handle works for; nil, which owns nothing, when there is none.
    #[must_use]
    pub fn authority(&self) -> Uuid {
        self.authority.unwrap_or_default()
    }

    /// The same database, reading from the primary: right after a write, when the replica may lag.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { fresh: true, ..self.clone() }
    }

    /// `"sqlite"` or `"postgres"`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Every row of a select.
    ///
    /// # Errors
    /// What the database refuses (writing, for one), or `Decode`.
    pub async fn all<T: FromRow>(&self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<Vec<T>> {
        let query = sql.into().finish(args)?;
        let rows = self.rows(&query).await?;
        tx::decode(&query, rows)
    }

    /// The first row of a select, if there is one.
    ///
    /// # Errors
    /// What the database refuses, or `Decode`.
    pub async fn first<T: FromRow>(&self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<Option<T>> {
        let query = sql.into().finish(args)?;
        let mut rows = self.rows(&query).await?;
        rows.truncate(1);
        Ok(tx::decode(&query, rows)?.pop())
    }

    /// The first row of a select.
    ///
    /// # Errors
    /// `NotFound`, what the database refuses, or `Decode`.
    pub async fn one<T: FromRow>(&self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<T> {
        self.first(sql, args).await?.ok_or(Error::NotFound)
    }

    async fn rows(&self, query: &Query) -> Result<Vec<Row>> {
        write::refuse_inside("reads")?;
        let start = Instant::now();
        let answer = match &self.engine {
            Engine::Sqlite(sqlite) => {
                let text = query.text(Dialect::Sqlite);
                sqlite.read(query.is_slow(), |reader| sqlite::query(reader, &text, query.args())).await
            }
            Engine::Postgres(postgres) => self.read_again(postgres, query).await,
        };
        observe::statement(query, start.elapsed());
        if answer.is_ok() && observe::explaining() {
            observe::plan(query.place(), self.plan(query).await?);
        }
        answer.map_err(|error| error.at(query.place()))
    }

    /// How the engine goes about a select.
    async fn plan(&self, query: &Query) -> Result<String> {
        let (rows, at) = match &self.engine {
            Engine::Sqlite(sqlite) => {
                let text = format!("explain query plan {}", query.text(Dialect::Sqlite));
                (sqlite.read(true, |reader| sqlite::query(reader, &text, query.args())).await?, 3)
            }
            Engine::Postgres(postgres) => {
                let text = format!("explain (analyze, buffers) {}", query.text(Dialect::Postgres));
                (postgres.read(self.fresh, &text, query.args()).await?, 0)
            }
        };
        let lines: Result<Vec<String>> = rows.into_iter().map(|mut row| row.take_at(at)).collect();
        Ok(lines?.join("\n"))
    }

    /// The first connection taken after a restart of the server may be a dead one.
    async fn read_again(&self, postgres: &Postgres, query: &Query) -> Result<Vec<Row>> {
        let text = query.text(Dialect::Postgres);
        match postgres.read(self.fresh, &text, query.args()).await {
            Err(Error::Lost(_)) => postgres.read(self.fresh, &text, query.args()).await,
            other => other,
        }
    }

    /// Answers when the database does.
    ///
    /// # Errors
    /// `Lost` or `Unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.one::<i64>(Query::new("select cast(1 as bigint)"), args![]).await.map(drop)
    }

    /// SQLite: moves the log into the file and empties it, so that what was erased leaves the disk.
    /// PostgreSQL does so by itself.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn checkpoint(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.checkpoint().await,
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Prepares every `sql!` of the program against the real tables and returns what fails, as
    /// `file:line: reason`. One test of the application runs it on both engines.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn prepare_all(&self) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        let mut note = |sql: Sql, error: Error| failures.push(error.at(sql).to_string());
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let prepare = |reader: &rusqlite::Connection| {
                    for sql in STATEMENTS {
                        if let Err(error) = reader.prepare(sql.text(Dialect::Sqlite)) {
                            note(sql, sqlite::failure(&error, None));
                        }
                    }
                    Ok(())
                };
                sqlite.read(true, prepare).await?;
            }
            Engine::Postgres(postgres) => {
                let client = postgres.client().await?;
                for sql in STATEMENTS {
                    if let Err(error) = client.prepare(sql.postgres).await {
                        note(sql, postgres::failure(&error));
                    }
                }
            }
        }
        Ok(failures)
    }
}
