//! Throw-away databases for tests, on both engines. PostgreSQL's programs must be installed: a test
//! that cannot start them fails, it is never skipped.
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its database must fail loudly")]

use std::collections::HashMap;
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
    database: Option<(PathBuf, String)>,
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
    fresh(cluster().await, "template1").await
}

/// A SQLite database with these migrations applied (once per process, then copied).
pub async fn sqlite_with(migrations: &'static [Migration]) -> TestDb {
    static TEMPLATES: Mutex<Option<HashMap<usize, PathBuf>>> = Mutex::const_new(None);
    let mut templates = TEMPLATES.lock().await;
    let templates = templates.get_or_insert_default();
    let key = migrations.as_ptr().addr();
    if !templates.contains_key(&key) {
        let template = sqlite();
        template.db.migrate(migrations).await.expect("migrations apply on SQLite");
        template.db.checkpoint().await.expect("the log is emptied");
        let copy = folder().join("template.db");
        std::fs::copy(template.url.trim_start_matches("sqlite:"), &copy).expect("the template is copied");
        watch(&format!("rm -rf {}", copy.parent().unwrap_or(&copy).display()));
        templates.insert(key, copy);
    }
    let folder = folder();
    let path = folder.join("test.db");
    std::fs::copy(templates.get(&key).expect("the template exists"), &path).expect("the template is copied");
    open(format!("sqlite:{}", path.display()), Rest { folder: Some(folder), database: None })
}

/// A PostgreSQL database with these migrations applied (once per process, then used as a template).
pub async fn postgres_with(migrations: &'static [Migration]) -> TestDb {
    static TEMPLATES: Mutex<Option<HashMap<usize, String>>> = Mutex::const_new(None);
    let cluster = cluster().await;
    let mut templates = TEMPLATES.lock().await;
    let templates = templates.get_or_insert_default();
    let key = migrations.as_ptr().addr();
    if !templates.contains_key(&key) {
        let name = name();
        cluster.admin(&format!("create database {name}")).await;
        let db = Db::open(&cluster.url(&name), &DbOptions::default()).expect("the address is right");
        db.migrate(migrations).await.expect("migrations apply on PostgreSQL");
        templates.insert(key, name);
    }
    fresh(cluster, templates.get(&key).expect("the template exists")).await
}

/// Writes a test once and runs it on both engines: `both!(async fn finds_a_desk(db: Db) { … });`
///
/// With `both!(MIGRATIONS; async fn …)` the tables are there already.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block)+) => {$(
        $crate::both!(@one [$(#[$meta])*] $name $db $body
            $crate::testing::sqlite(), $crate::testing::postgres().await);
    )+};
    ($migrations:expr; $($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block)+) => {$(
        $crate::both!(@one [$(#[$meta])*] $name $db $body
            $crate::testing::sqlite_with($migrations).await, $crate::testing::postgres_with($migrations).await);
    )+};
    (@one [$(#[$meta:meta])*] $name:ident $db:ident $body:block $sqlite:expr, $postgres:expr) => {
        mod $name {
            #[expect(unused_imports, reason = "the body may need them or not")]
            use super::*;

            $(#[$meta])*
            async fn check($db: $crate::Db) $body

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

impl Cluster {
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let programs = programs();
        let folder = folder();
        open_to_postgres(&folder);
        let data = folder.join("data");
        let data = data.to_str().expect("a plain path");
        run(command(&programs, "initdb").args(["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]));
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 200\nlog_min_messages = fatal\n",
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

    /// Runs a statement as the administrator.
    ///
    /// # Panics
    /// When it fails.
    pub async fn admin(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await.expect("a connection");
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.expect("an administrator's statement");
        drop(client);
        connection.await.expect("the connection ends").ok();
    }
}

async fn cluster() -> &'static Cluster {
    static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
    let start = || async { tokio::task::spawn_blocking(Cluster::start).await.expect("PostgreSQL starts") };
    CLUSTER.get_or_init(start).await
}

async fn fresh(cluster: &Cluster, template: &str) -> TestDb {
    // Two copies of one template at once get in each other's way.
    static ONE_BY_ONE: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_BY_ONE.lock().await;
    let name = name();
    cluster.admin(&format!("create database {name} template {template}")).await;
    let database = Some((cluster.folder.clone(), name.clone()));
    open(cluster.url(&name), Rest { folder: None, database })
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
        if let Some((host, name)) = self.database.take() {
            let mut psql = Command::new("psql");
            psql.arg("-h").arg(host).args(["-qU", "postgres", "-c", &format!("drop database {name} with (force)")]);
            // Nothing waits for it: the server's folder goes in the end anyway.
            std::thread::spawn(move || psql.stdout(Stdio::null()).stderr(Stdio::null()).status());
        }
    }
}

fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("db-{}-{}", std::process::id(), name()));
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
