//! SQLite: one writer behind an async lock, so that writers wait in line instead of failing with
//! `SQLITE_BUSY`, and a few readers that nobody blocks (WAL).

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ffi};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::Value;

/// `synchronous = full`: a commit that was announced survives a power cut. `secure_delete`: what is
/// erased is overwritten. `trusted_schema = off`: a tampered file cannot run functions.
const SETTINGS: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma busy_timeout = 5000;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma temp_store = memory;
    pragma journal_size_limit = 67108864;
    pragma cache_size = -16000;
";

pub(crate) struct Sqlite {
    writer: Arc<Mutex<Connection>>,
    readers: std::sync::Mutex<Vec<Connection>>,
    permits: Semaphore,
    wait: Duration,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, readers: usize, wait: Duration) -> Result<Self> {
        private_file(path)?;
        let writer = connect(path)?;
        let readers = (0..readers.max(1))
            .map(|_| {
                let reader = connect(path)?;
                reader.execute_batch("pragma query_only = on").map_err(|error| failure(&error, None))?;
                Ok(reader)
            })
            .collect::<Result<Vec<_>>>()?;
        let permits = Semaphore::new(readers.len());
        Ok(Self { writer: Arc::new(Mutex::new(writer)), readers: std::sync::Mutex::new(readers), permits, wait })
    }

    /// Runs `work` on a free reader.
    pub(crate) async fn read<T>(&self, slow: bool, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let permit = timeout(self.wait, self.permits.acquire()).await;
        let _permit = permit.ok().and_then(std::result::Result::ok).ok_or_else(|| busy("no free reader"))?;
        let free = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = Borrowed { connection: free, home: &self.readers };
        let connection = reader.connection.as_ref().ok_or_else(|| busy("no free reader"))?;
        if slow { block(|| work(connection)) } else { work(connection) }
    }

    /// Waits for the writer and begins.
    pub(crate) async fn begin(&self) -> Result<SqliteTx> {
        let writer = timeout(self.wait, Arc::clone(&self.writer).lock_owned());
        let connection = writer.await.map_err(|_| busy("a transaction lasts too long"))?;
        // Another process (the command line beside the server) may hold the file: that wait blocks.
        block(|| connection.execute_batch("begin immediate")).map_err(|error| failure(&error, None))?;
        Ok(SqliteTx { connection })
    }

    /// Moves the log into the file and empties it, so that erased data leaves the disk.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        let writer = self.writer.lock().await;
        block(|| writer.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())))
            .map_err(|error| failure(&error, None))
    }
}

/// Gives the reader back, also when the work panics.
struct Borrowed<'a> {
    connection: Option<Connection>,
    home: &'a std::sync::Mutex<Vec<Connection>>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// An open transaction; undone when dropped.
pub(crate) struct SqliteTx {
    pub(crate) connection: OwnedMutexGuard<Connection>,
}

impl SqliteTx {
    pub(crate) fn work<T>(&self, slow: bool, work: impl FnOnce(&Connection) -> T) -> T {
        if slow { block(|| work(&self.connection)) } else { work(&self.connection) }
    }

    pub(crate) fn commit(self) -> Result<()> {
        block(|| self.connection.execute_batch("commit")).map_err(|error| failure(&error, Some(&self.connection)))
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        // After a commit, or when SQLite has already undone everything, there is nothing to undo.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::error!("cannot roll back: {error}");
        }
    }
}

/// A wait for the disk must not hold up the other tasks of this thread.
pub(crate) fn block<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

pub(crate) fn query(connection: &Connection, text: &str, args: &[Value]) -> Result<Vec<Row>> {
    let fail = |error: rusqlite::Error| failure(&error, Some(connection));
    let mut statement = prepare(connection, text, args)?;
    let mut found = Vec::new();
    let mut columns: Arc<[String]> = Arc::default();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(fail)? {
        if found.is_empty() {
            // Only now: the first step prepares the statement anew when the tables have changed.
            columns = row.as_ref().column_names().map(str::to_owned).collect();
        }
        let values = (0..columns.len()).map(|index| row.get_ref(index).map_err(fail).and_then(from_sqlite));
        found.push(Row::new(Arc::clone(&columns), values.collect::<Result<_>>()?));
    }
    Ok(found)
}

pub(crate) fn run(connection: &Connection, text: &str, args: &[Value]) -> Result<u64> {
    let mut statement = prepare(connection, text, args)?;
    let changed = statement.raw_execute().map_err(|error| failure(&error, Some(connection)))?;
    Ok(u64::try_from(changed).unwrap_or_default())
}

fn prepare<'c>(connection: &'c Connection, text: &str, args: &[Value]) -> Result<rusqlite::CachedStatement<'c>> {
    let fail = |error: rusqlite::Error| failure(&error, Some(connection));
    let mut statement = connection.prepare_cached(text).map_err(fail)?;
    if statement.parameter_count() != args.len() {
        let wanted = statement.parameter_count();
        return Err(Error::Other(format!("{wanted} parameters wanted, {} given", args.len())));
    }
    for (index, value) in args.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value).map_err(fail)?;
    }
    Ok(statement)
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|error| failure(&error, None))?;
    connection.execute_batch(SETTINGS).map_err(|error| failure(&error, None))?;
    // Without this a kept statement is prepared anew whenever a parameter that could have changed its
    // plan is bound to another value: a quarter of the time of a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| failure(&error, None))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// The file is for its owner alone; SQLite gives its log the same rights.
fn private_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| Error::Unavailable(format!("{}: {error}", path.display())))
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Owned;
        Ok(match self {
            Value::Null => ToSqlOutput::Owned(Owned::Null),
            Value::Bool(value) => ToSqlOutput::Owned(Owned::Integer(i64::from(*value))),
            Value::Int(value) | Value::Time(value) => ToSqlOutput::Owned(Owned::Integer(*value)),
            Value::Real(value) => ToSqlOutput::Owned(Owned::Real(*value)),
            Value::Text(text) | Value::Json(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Uuid(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Value::Date(date) => ToSqlOutput::Owned(Owned::Text(date.to_string())),
            Value::Refused(reason) => return Err(rusqlite::Error::ToSqlConversionFailure((*reason).into())),
        })
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Error::Decode("text that is not UTF-8".to_owned())),
        },
    })
}

fn busy(reason: &str) -> Error {
    Error::Unavailable(reason.to_owned())
}

pub(crate) fn failure(error: &rusqlite::Error, connection: Option<&Connection>) -> Error {
    let text = error.to_string();
    let Some(code) = error.sqlite_error() else { return Error::Other(text) };
    match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE) => Error::Unique { constraint: constraint(&text, connection) },
        (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            Error::Unique { constraint: columns(&text).map_or(text.clone(), |(table, _)| format!("{table}_pkey")) }
        }
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::ForeignKey,
        (
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory,
            _,
        ) => Error::Unavailable(text),
        _ => Error::Other(text),
    }
}

/// `UNIQUE constraint failed: account.authority_id, account.email` → `account`, both columns.
fn columns(message: &str) -> Option<(&str, Vec<&str>)> {
    let list = message.split_once("failed: ")?.1;
    let pairs: Vec<_> = list.split(", ").map(|name| name.split_once('.')).collect::<Option<_>>()?;
    Some((pairs.first()?.0, pairs.iter().map(|pair| pair.1).collect()))
}

/// SQLite names the columns of a unique index, PostgreSQL the index: look the name up.
fn constraint(message: &str, connection: Option<&Connection>) -> String {
    if let Some((_, quoted)) = message.split_once("index '") {
        return quoted.trim_end_matches('\'').to_owned();
    }
    let Some((table, columns)) = columns(message) else { return message.to_owned() };
    let named = connection.and_then(|connection| {
        let indexes = "select l.name from pragma_index_list(?1) l where l.\"unique\" = 1 and l.origin = 'c' and
            (select group_concat(i.name, ',' order by i.seqno) from pragma_index_info(l.name) i) = ?2";
        connection.query_row(indexes, [table, &columns.join(",")], |row| row.get(0)).ok()
    });
    named.unwrap_or_else(|| format!("{table}_{}_key", columns.join("_")))
}
