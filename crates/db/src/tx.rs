//! What a closure of `Db::write` holds.

use std::time::Instant;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::observe;
use crate::postgres::PostgresTx;
use crate::row::{FromRow, Row};
use crate::sql::{Dialect, Query};
use crate::sqlite::{self, SqliteTx};
use crate::value::Value;

/// An open transaction. It is undone unless the closure of [`Db::write`](crate::Db::write) returns `Ok`.
///
/// After a statement has failed, every other one fails too and nothing is committed, even if the closure
/// returns `Ok`: that is how PostgreSQL works, and SQLite is made to follow. To react to a unique
/// constraint, look at the error outside of `write`, or use `on conflict do nothing`.
pub struct Tx {
    engine: Engine,
    authority: Option<Uuid>,
    failure: Option<Failure>,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, inside the future of write")]
enum Engine {
    Sqlite(SqliteTx),
    Postgres(PostgresTx),
}

/// What spoiled the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Worth running the closure again, whatever error it made of it.
    Transient,
    Final,
}

impl Tx {
    pub(crate) fn sqlite(tx: SqliteTx, authority: Option<Uuid>) -> Self {
        Self { engine: Engine::Sqlite(tx), authority, failure: None }
    }

    pub(crate) fn postgres(tx: PostgresTx, authority: Option<Uuid>) -> Self {
        Self { engine: Engine::Postgres(tx), authority, failure: None }
    }

    /// The authority of the handle that began this; nil when it has none.
    #[must_use]
    pub fn authority(&self) -> Uuid {
        self.authority.unwrap_or_default()
    }

    /// Every row, including those of `insert … returning`.
    ///
    /// # Errors
    /// What the database refuses, or `Decode`.
    pub async fn all<T: FromRow>(&mut self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<Vec<T>> {
        let query = sql.into().finish(args)?;
        let rows = self.rows(&query).await?;
        decode(&query, rows)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// What the database refuses, or `Decode`.
    pub async fn first<T: FromRow>(&mut self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<Option<T>> {
        let query = sql.into().finish(args)?;
        let mut rows = self.rows(&query).await?;
        rows.truncate(1);
        Ok(decode(&query, rows)?.pop())
    }

    /// The first row.
    ///
    /// # Errors
    /// `NotFound` (which spoils nothing), what the database refuses, or `Decode`.
    pub async fn one<T: FromRow>(&mut self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<T> {
        self.first(sql, args).await?.ok_or(Error::NotFound)
    }

    /// Runs a statement that gives no rows; returns how many it changed.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn run(&mut self, sql: impl Into<Query> + Send, args: Vec<Value>) -> Result<u64> {
        let query = sql.into().finish(args)?;
        let text = self.begin(&query)?;
        let start = Instant::now();
        let answer = match &mut self.engine {
            Engine::Sqlite(tx) => tx.work(query.is_slow(), |connection| sqlite::run(connection, &text, query.args())),
            Engine::Postgres(tx) => tx.run(&text, query.args()).await,
        };
        self.end(&query, start, answer)
    }

    async fn rows(&mut self, query: &Query) -> Result<Vec<Row>> {
        let text = self.begin(query)?;
        let start = Instant::now();
        let answer = match &mut self.engine {
            Engine::Sqlite(tx) => tx.work(query.is_slow(), |connection| sqlite::query(connection, &text, query.args())),
            Engine::Postgres(tx) => tx.query(&text, query.args()).await,
        };
        self.end(query, start, answer)
    }

    /// Until the answer is there the transaction counts as failed: a closure may drop a statement half way
    /// (a time limit), and PostgreSQL answers « commit » after a failure by undoing everything in silence.
    fn begin(&mut self, query: &Query) -> Result<std::borrow::Cow<'static, str>> {
        if self.failure.is_some() {
            return Err(Error::Other(format!("{}: the transaction has already failed", query.place())));
        }
        self.failure = Some(Failure::Final);
        Ok(query.text(match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }))
    }

    fn end<T>(&mut self, query: &Query, start: Instant, answer: Result<T>) -> Result<T> {
        observe::statement(query, start.elapsed());
        self.failure = match &answer {
            Ok(_) => None,
            Err(error) if error.is_transient() => Some(Failure::Transient),
            Err(_) => Some(Failure::Final),
        };
        answer.map_err(|error| error.at(query.place()))
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failure
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self.engine {
            Engine::Sqlite(tx) => tx.commit(),
            Engine::Postgres(tx) => tx.commit().await,
        }
    }

    pub(crate) async fn rollback(self) {
        match self.engine {
            Engine::Sqlite(tx) => drop(tx),
            Engine::Postgres(tx) => tx.rollback().await,
        }
    }
}

pub(crate) fn decode<T: FromRow>(query: &Query, rows: Vec<Row>) -> Result<Vec<T>> {
    rows.into_iter().map(|mut row| T::from_row(&mut row).map_err(|error| error.at(query.place()))).collect()
}
