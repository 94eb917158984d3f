//! PostgreSQL: a pool of connections, prepared statements, and transactions that are serializable.
//!
//! Why SERIALIZABLE and not READ COMMITTED with `for update` where needed: SQLite has one writer, so a
//! closure that reads, decides and writes is always right there. Under READ COMMITTED the same closure
//! loses updates (a `version` read by two, a last free appointment given twice) unless its author thinks
//! of the lock, which no test on SQLite would miss. SERIALIZABLE gives both engines the same meaning, and
//! `Db::write` may run a closure again anyway. Its price is work done twice on rows that everybody
//! writes (a counter); see [`Postgres::begin`] for what bounds it. `for update` still helps where a
//! conflict is likely, and `for update skip locked` is how workers share a queue.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::DbOptions;
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::Value;

/// Tries that run beside the others; later ones run alone.
const TOGETHER: u32 = 2;
/// Any number will do: « Guichet » in ASCII, with a last digit for each use.
const LOCK_ALONE: &str = "select pg_advisory_lock(20084701291503617)";
pub(crate) const LOCK_MIGRATE: &str = "select pg_advisory_lock(20084701291503618)";
pub(crate) const UNLOCK: &str = "select pg_advisory_unlock_all()";
/// Sessions are read-only until told otherwise: `Db::all` cannot write on either engine.
const BEGIN: &str = "begin isolation level serializable read write";

pub(crate) struct Postgres {
    primary: Pool,
    replica: Option<Pool>,
    turns: Arc<RwLock<()>>,
}

impl Postgres {
    pub(crate) fn open(url: &str, options: &DbOptions) -> Result<Self> {
        let replica = options.replica_url.as_deref().map(|url| pool(url, options)).transpose()?;
        Ok(Self { primary: pool(url, options)?, replica, turns: Arc::default() })
    }

    pub(crate) async fn client(&self) -> Result<Object> {
        self.primary.get().await.map_err(|error| pool_failure(&error))
    }

    /// Reads from the replica, and from the primary when there is none or it does not answer.
    pub(crate) async fn read(&self, fresh: bool, text: &str, args: &[Value]) -> Result<Vec<Row>> {
        if let Some(pool) = self.replica.as_ref().filter(|_| !fresh) {
            match read_from(pool, text, args).await {
                Err(Error::Lost(_) | Error::Unavailable(_)) => tracing::warn!("the replica does not answer"),
                other => return other,
            }
        }
        read_from(&self.primary, text, args).await
    }

    /// Begins. A first conflict is tried again beside the others. From then on the unlucky one runs
    /// alone: this process lets its other transactions end and begins no new one, and an advisory lock
    /// keeps the unlucky of other processes apart. So a counter that everybody writes costs time, never
    /// an error. (The session lock needs a session: a proxy must pool sessions, not transactions.)
    pub(crate) async fn begin(&self, tries: u32) -> Result<PostgresTx> {
        let client = self.client().await?;
        let turn = self.turn(tries).await;
        let tx = PostgresTx { client: Some(client), begun: false, alone: tries >= TOGETHER, _turn: turn };
        if tx.alone {
            tx.batch(LOCK_ALONE).await?;
        }
        Ok(tx)
    }

    async fn turn(&self, tries: u32) -> Turn {
        let turns = Arc::clone(&self.turns);
        if tries < TOGETHER {
            return Turn::Together(turns.read_owned().await);
        }
        // A long import must not hold everybody up: then go on beside it.
        match timeout(Duration::from_millis(500), turns.write_owned()).await {
            Ok(guard) => Turn::Alone(guard),
            Err(_) => Turn::Anyway,
        }
    }
}

#[expect(dead_code, reason = "the guards are held, never read")]
enum Turn {
    Together(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
    Anyway,
}

/// An open transaction; undone when dropped.
pub(crate) struct PostgresTx {
    /// `None` once the connection has gone back to the pool.
    client: Option<Object>,
    /// `begin` travels with the first statement: one answer to wait for instead of two.
    begun: bool,
    alone: bool,
    _turn: Turn,
}

impl PostgresTx {
    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| Error::Other("the transaction has ended".to_owned()))
    }

    pub(crate) async fn query(&mut self, text: &str, args: &[Value]) -> Result<Vec<Row>> {
        let begun = std::mem::replace(&mut self.begun, true);
        self.begin_with(begun, query(self.client()?, text, args)).await
    }

    pub(crate) async fn run(&mut self, text: &str, args: &[Value]) -> Result<u64> {
        let begun = std::mem::replace(&mut self.begun, true);
        self.begin_with(begun, run(self.client()?, text, args)).await
    }

    /// `join!` asks them in this order, and the server answers in the order it was asked.
    async fn begin_with<T>(&self, begun: bool, statement: impl Future<Output = Result<T>>) -> Result<T> {
        if begun {
            return statement.await;
        }
        let (begin, answer) = tokio::join!(biased; self.batch(BEGIN), statement);
        begin.and(answer)
    }

    async fn batch(&self, text: &str) -> Result<()> {
        self.client()?.batch_execute(text).await.map_err(|error| failure(&error))
    }

    /// When the connection breaks here, nobody knows whether the commit arrived: not tried again.
    pub(crate) async fn commit(mut self) -> Result<()> {
        match self.batch("commit").await {
            Ok(()) => self.release().await,
            Err(Error::Lost(reason)) => return Err(Error::Unavailable(format!("the commit got no answer: {reason}"))),
            // A refused commit has ended the transaction: nothing is left to undo.
            Err(error) => {
                self.release().await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Undoes everything and waits for it, so that no lock outlives the call.
    pub(crate) async fn rollback(mut self) {
        if self.batch("rollback").await.is_ok() {
            self.release().await;
        }
    }

    async fn release(&mut self) {
        if !self.alone || self.batch(UNLOCK).await.is_ok() {
            self.client = None;
        }
    }
}

/// Also the way of a cancelled request and of a panic. The rollback is sent behind whatever still runs;
/// only then does the connection go back to the pool. One that does not answer is thrown away.
impl Drop for PostgresTx {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(client));
            return;
        };
        runtime.spawn(async move {
            let undo = async { client.batch_execute("rollback").await.and(client.batch_execute(UNLOCK).await) };
            if !matches!(timeout(Duration::from_secs(5), undo).await, Ok(Ok(()))) {
                drop(Object::take(client));
            }
        });
    }
}

async fn read_from(pool: &Pool, text: &str, args: &[Value]) -> Result<Vec<Row>> {
    let client = pool.get().await.map_err(|error| pool_failure(&error))?;
    let answer = query(&client, text, args).await;
    if matches!(answer, Err(Error::Lost(_))) {
        drop(Object::take(client));
    }
    answer
}

async fn query(client: &Object, text: &str, args: &[Value]) -> Result<Vec<Row>> {
    let statement = prepare(client, text, args).await?;
    let rows = client.query(&statement, &parameters(args)).await.map_err(|error| failure(&error))?;
    let columns: Arc<[String]> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    rows.iter()
        .map(|row| {
            let values = (0..columns.len()).map(|index| row.try_get(index));
            let values = values.collect::<std::result::Result<_, _>>().map_err(|error| decode(&error))?;
            Ok(Row::new(Arc::clone(&columns), values))
        })
        .collect()
}

async fn run(client: &Object, text: &str, args: &[Value]) -> Result<u64> {
    let statement = prepare(client, text, args).await?;
    client.execute(&statement, &parameters(args)).await.map_err(|error| failure(&error))
}

async fn prepare(client: &Object, text: &str, args: &[Value]) -> Result<tokio_postgres::Statement> {
    let statement = client.prepare_cached(text).await.map_err(|error| failure(&error))?;
    if statement.params().len() != args.len() {
        let wanted = statement.params().len();
        return Err(Error::Other(format!("{wanted} parameters wanted, {} given", args.len())));
    }
    Ok(statement)
}

fn parameters(args: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn pool(url: &str, options: &DbOptions) -> Result<Pool> {
    // tokio-postgres has one word for « with TLS »; our TLS always verifies the server's name.
    let url = url.replace("sslmode=verify-full", "sslmode=require");
    let mut config: Config = url.parse().map_err(|_| Error::Other("not a PostgreSQL address".to_owned()))?;
    let limit = options.statement_timeout.as_millis();
    // Statements stay prepared for hours, with plans that may date from when tables were empty; and
    // under SERIALIZABLE a scan of a whole table stands in the way of everybody who writes to it.
    let settings = format!(
        "-c default_transaction_read_only=on -c enable_seqscan=off -c statement_timeout={limit} -c lock_timeout={limit} \
         -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
    );
    config.options(match config.get_options() {
        Some(given) => format!("{given} {settings}"),
        None => settings,
    });
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    config.application_name(config.get_application_name().unwrap_or("guichet").to_owned());
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Require {
        Manager::from_config(config, MakeRustlsConnect::new(tls(options)?), recycling)
    } else {
        Manager::from_config(config, NoTls, recycling)
    };
    Pool::builder(manager)
        .max_size(options.max_connections.unwrap_or(10))
        .wait_timeout(Some(options.wait))
        .create_timeout(Some(options.wait))
        .recycle_timeout(Some(options.wait))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Error::Other(error.to_string()))
}

/// Trusts the usual authorities, or only those of `options.ca_file`.
fn tls(options: &DbOptions) -> Result<rustls::ClientConfig> {
    let broken = |error: &dyn std::fmt::Display| Error::Other(format!("TLS: {error}"));
    let mut roots = rustls::RootCertStore::empty();
    match &options.ca_file {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| broken(&error))? {
                let certificate = certificate.map_err(|error| broken(&error))?;
                roots.add(certificate).map_err(|error| broken(&error))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| broken(&error))?.with_root_certificates(roots).with_no_client_auth())
}

fn pool_failure(error: &PoolError) -> Error {
    match error {
        PoolError::Backend(error) => failure(error),
        PoolError::Timeout(_) => Error::Unavailable("no free connection".to_owned()),
        other => Error::Unavailable(other.to_string()),
    }
}

fn decode(error: &tokio_postgres::Error) -> Error {
    match std::error::Error::source(error) {
        Some(cause) => Error::Decode(format!("{error}: {cause}")),
        None => Error::Decode(error.to_string()),
    }
}

pub(crate) fn failure(error: &tokio_postgres::Error) -> Error {
    if let Some(answer) = error.as_db_error() {
        return refusal(answer);
    }
    let cause = std::error::Error::source(error);
    let broken = error.is_closed() || cause.is_some_and(|cause| cause.is::<std::io::Error>());
    let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    // Connecting fails with many causes (refused, no route, time is up): all of them may pass.
    if broken || text.starts_with("error connecting") || text.contains("timeout") {
        return Error::Lost(text);
    }
    Error::Other(text)
}

fn refusal(answer: &tokio_postgres::error::DbError) -> Error {
    let code = answer.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return Error::Unique { constraint: answer.constraint().unwrap_or_default().to_owned() };
    }
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        return Error::ForeignKey;
    }
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return Error::Serialization;
    }
    // A migration changed a table under a prepared statement: a new connection prepares it anew.
    let stale = *code == SqlState::FEATURE_NOT_SUPPORTED && answer.message().starts_with("cached plan");
    let text = format!("{} ({})", answer.message(), code.code());
    match code.code() {
        _ if stale => Error::Lost(text),
        // Shut down, crashed, starting, too many connections.
        "57P01" | "57P02" | "57P03" | "53300" => Error::Lost(text),
        // Disk full, out of memory, statement or lock timeout.
        "53100" | "53200" | "53000" | "53400" | "57014" | "55P03" => Error::Unavailable(text),
        code if code.starts_with("08") => Error::Lost(text),
        // Messages about data quote the data.
        code if code.starts_with("22") => Error::Other(format!("a value does not fit ({code})")),
        _ => Error::Other(text),
    }
}
