//! Throw-away databases for tests, on both engines. PostgreSQL's programs must be installed: a test
//! that cannot start them fails, it is never skipped.
//!
//! Each test process starts its own server, unless [`SERVER`] names one: runners that give every test a
//! process of its own go through `cargo run -p db --features testing --example with-postgres -- cargo nextest run`.
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its database must fail loudly")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::NoTls;

use crate::{Db, DbOptions, Migration};

/// A database of its own, removed when dropped.
pub struct TestDb {
    pub db: Db,
    pub url: String,
    _rest: Rest,
}

struct Rest {
    folder: Option<PathBuf>,
    database: Option<String>,
}

/// An empty SQLite database in a folder of its own.
#[must_use]
pub fn sqlite() -> TestDb {
    let folder = folder();
    let url = format!("sqlite:{}", folder.join("test.db").display());
    open(url, Rest { folder: Some(folder), database: None })
}

/// An empty PostgreSQL database, in a server started once per process.
pub async fn postgres() -> TestDb {
    fresh(Server::get().await, "template0").await
}

/// A SQLite database with these migrations applied (once per process, then copied).
pub async fn sqlite_with(migrations: &'static [Migration]) -> TestDb {
    static TEMPLATES: Mutex<BTreeMap<usize, (PathBuf, Child)>> = Mutex::const_new(BTreeMap::new());
    let mut templates = TEMPLATES.lock().await;
    let (template, _) = match templates.entry(migrations.as_ptr().addr()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(sqlite_template(migrations).await),
    };
    let folder = folder();
    let path = folder.join("test.db");
    std::fs::copy(template, &path).expect("the template is copied");
    open(format!("sqlite:{}", path.display()), Rest { folder: Some(folder), database: None })
}

async fn sqlite_template(migrations: &[Migration]) -> (PathBuf, Child) {
    let made = sqlite();
    made.db.migrate(migrations).await.expect("migrations apply on SQLite");
    made.db.checkpoint().await.expect("the log is emptied");
    let folder = folder();
    let copy = folder.join("template.db");
    std::fs::copy(made.url.trim_start_matches("sqlite:"), &copy).expect("the template is copied");
    (copy, watch(&format!("rm -rf {}", folder.display())))
}

/// A PostgreSQL database with these migrations applied (once per process, then used as a template).
pub async fn postgres_with(migrations: &'static [Migration]) -> TestDb {
    static TEMPLATES: Mutex<BTreeMap<usize, String>> = Mutex::const_new(BTreeMap::new());
    let server = Server::get().await;
    let mut templates = TEMPLATES.lock().await;
    let template = match templates.entry(migrations.as_ptr().addr()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(postgres_template(server, migrations).await),
    };
    fresh(server, template).await
}

async fn postgres_template(server: &Server, migrations: &[Migration]) -> String {
    let name = server.create("template0").await;
    let db = Db::open(&server.url(&name), &DbOptions::default()).expect("the address is right");
    db.migrate(migrations).await.expect("migrations apply on PostgreSQL");
    name
}

/// A database filled once per process, then copied for each test.
pub struct Template {
    made: TestDb,
    /// Removes the SQLite file when the process ends: statics are never dropped.
    _watch: Option<Child>,
}

impl Template {
    /// `make` is given the address of an empty SQLite database.
    pub async fn sqlite(make: impl AsyncFnOnce(String)) -> Self {
        let made = sqlite();
        let folder = made._rest.folder.as_ref().expect("a folder");
        let watch = watch(&format!("rm -rf {}", folder.display()));
        make(made.url.clone()).await;
        made.db.checkpoint().await.expect("the log is emptied");
        Self { made, _watch: Some(watch) }
    }

    /// `make` is given the address of an empty PostgreSQL database.
    pub async fn postgres(make: impl AsyncFnOnce(String)) -> Self {
        let made = postgres().await;
        make(made.url.clone()).await;
        Self { made, _watch: None }
    }

    /// A copy of its own for one test.
    pub async fn copy(&self) -> TestDb {
        match self.made.url.strip_prefix("sqlite:") {
            Some(path) => {
                let folder = folder();
                let copy = folder.join("test.db");
                std::fs::copy(path, &copy).expect("the template is copied");
                open(format!("sqlite:{}", copy.display()), Rest { folder: Some(folder), database: None })
            }
            None => {
                let (_, name) = self.made.url.rsplit_once('/').unwrap_or_default();
                fresh(Server::get().await, name).await
            }
        }
    }
}

/// Writes a test once and runs it on both engines: `both!(async fn finds_a_desk(db: Db) { … });`
///
/// With `both!(MIGRATIONS; async fn …)` the tables are there already.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: $type:ty) $body:block)+) => {$(
        $crate::both!(@one [$(#[$meta])*] $name $db $type, $body
            $crate::testing::sqlite(), $crate::testing::postgres().await);
    )+};
    ($migrations:expr; $($(#[$meta:meta])* async fn $name:ident($db:ident: $type:ty) $body:block)+) => {$(
        $crate::both!(@one [$(#[$meta])*] $name $db $type, $body
            $crate::testing::sqlite_with($migrations).await, $crate::testing::postgres_with($migrations).await);
    )+};
    (@one [$(#[$meta:meta])*] $name:ident $db:ident $type:ty, $body:block $sqlite:expr, $postgres:expr) => {
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn check($db: $type) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let test = $sqlite;
                check(test.db.clone()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let test = $postgres;
                check(test.db.clone()).await;
            }
        }
    };
}

/// A PostgreSQL server of its own, on a socket in a temporary folder; it stops when the test's process
/// ends, however it ends.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    _watch: Child,
}

/// The environment variable with the address of a running server, without a database: `postgres://postgres@host/`.
/// Its user must be allowed to create databases.
pub const SERVER: &str = "DB_TEST_SERVER";

/// Where the throw-away databases are made.
struct Server {
    address: String,
    /// Ours, stopped with the process.
    _cluster: Option<Cluster>,
}

impl Cluster {
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// With more lines for `postgresql.conf`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with(more: &str) -> Self {
        let programs = programs();
        let folder = folder();
        open_to_postgres(&folder);
        let data = folder.join("data");
        let data = data.to_str().expect("a plain path");
        run(command(&programs, "initdb").args([
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ]));
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 200\nlog_min_messages = fatal\n{more}\n",
            folder.display()
        );
        let settings_file = folder.join("settings.conf");
        std::fs::write(&settings_file, settings).expect("settings are written");
        let include = format!("include = '{}'\n", settings_file.display());
        let append = format!("printf %s \"$1\" >> {data}/postgresql.conf");
        run(as_postgres("sh").args(["-c", &append, "sh", &include]));
        let stop = format!("{}/pg_ctl -D {data} stop -m immediate -w", programs.display());
        let watch = watch(&format!("{}; rm -rf {}", wrapped(&stop), folder.display()));
        let cluster = Self { folder, programs, _watch: watch };
        cluster.control("start");
        cluster
    }

    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{host}/{database}")
    }

    /// Stops the server at once, as a failing machine would, and starts it again.
    pub fn restart(&self) {
        self.stop();
        self.control("start");
    }

    /// Breaks every connection and stops the server.
    pub fn stop(&self) {
        self.control("stop");
    }

    /// Starts the server after [`stop`](Self::stop).
    pub fn start_again(&self) {
        self.control("start");
    }

    fn control(&self, what: &str) {
        let (data, log) = (self.folder.join("data"), self.folder.join("data/server.log"));
        let mut pg_ctl = command(&self.programs, "pg_ctl");
        pg_ctl.arg("-D").arg(data).arg("-l").arg(log).args(["-m", "immediate", "-w", what]);
        run(&mut pg_ctl);
    }
}

impl Server {
    async fn get() -> &'static Self {
        static SERVER_ONCE: OnceCell<Server> = OnceCell::const_new();
        SERVER_ONCE.get_or_init(Self::find).await
    }

    async fn find() -> Self {
        if let Ok(address) = std::env::var(SERVER) {
            return Self { address, _cluster: None };
        }
        let cluster = tokio::task::spawn_blocking(Cluster::start).await.expect("PostgreSQL starts");
        Self { address: cluster.url(""), _cluster: Some(cluster) }
    }

    fn url(&self, database: &str) -> String {
        format!("{}{database}", self.address)
    }

    /// Makes a database and returns its name.
    async fn create(&self, template: &str) -> String {
        // Two copies of one template at once get in each other's way.
        static ONE_BY_ONE: Mutex<()> = Mutex::const_new(());
        let _turn = ONE_BY_ONE.lock().await;
        let name = name();
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await.expect("a connection");
        let connection = tokio::spawn(connection);
        // A template must be left alone while it is copied.
        let leave = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{template}'");
        client.batch_execute(&leave).await.expect("nobody is in the template");
        // `template0` lets nobody in, so other processes may copy it at the same time.
        client.batch_execute(&format!("create database {name} template {template}")).await.expect("a new database");
        drop(client);
        connection.await.expect("the connection ends").ok();
        name
    }
}

async fn fresh(server: &Server, template: &str) -> TestDb {
    let url = server.url(&server.create(template).await);
    open(url.clone(), Rest { folder: None, database: Some(url) })
}

fn open(url: String, rest: Rest) -> TestDb {
    let db = Db::open(&url, &DbOptions::default()).expect("the test database opens");
    TestDb { db, url, _rest: rest }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).ok();
        }
        if let Some(url) = self.database.take() {
            let (server, name) = url.rsplit_once('/').unwrap_or_default();
            let drop = format!("drop database {name} with (force)");
            let mut psql = Command::new("psql");
            psql.args(["-qd", &format!("{server}/postgres"), "-c", &drop]).stdout(Stdio::null()).stderr(Stdio::null());
            // Nothing waits for it: a server of ours goes in the end anyway.
            std::thread::spawn(move || psql.status());
        }
    }
}

fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("db-{}", name()));
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// The newest PostgreSQL of the machine.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    folders.max().expect("PostgreSQL is installed in /usr/lib/postgresql (apt-get install postgresql)")
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", program]);
    command
}

fn wrapped(line: &str) -> String {
    if is_root() { format!("runuser -u postgres -- {line}") } else { line.to_owned() }
}

fn command(programs: &Path, name: &str) -> Command {
    as_postgres(&programs.join(name).display().to_string())
}

fn open_to_postgres(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("rights on the folder");
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(folder));
    }
}

fn run(command: &mut Command) {
    // The server must not inherit the test's pipes: the runner would wait for it.
    let folder = std::env::temp_dir();
    let status = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("{command:?} failed: {other:?}"),
    }
}

/// Runs `line` when this process ends, even killed: the shell's input closes then.
fn watch(line: &str) -> Child {
    let script = format!("trap '' INT TERM; read -r _; {line}");
    Command::new("setsid")
        .args(["sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}
