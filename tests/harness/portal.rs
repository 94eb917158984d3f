//! A portal of its own for each test: a city with its agents and usagers, served on a free port.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use db::{
    args, sql,
    testing::{Template, TestDb},
};
use guichet::{
    app::App,
    demo,
    platform::{clock::Clock, config::Config},
    routes, work,
};
use jiff::{SignedDuration, Timestamp};
use tokio::{net::TcpListener, sync::OnceCell, task::JoinHandle};
use uuid::Uuid;

use super::Client;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The sample city's host; a portal knows no other unless a test adds it.
pub const HOST: &str = "ville.test";
/// A Tuesday, 10 h in Paris.
const NOW: &str = "2026-11-17T09:00:00Z";
/// Of every account of the sample city.
pub const PASSWORD: &str = demo::PASSWORD;

pub const USAGER: &str = "camille.martin@exemple.fr";
pub const OTHER_USAGER: &str = "mohamed.benkhelifa@exemple.fr";

pub struct Portal {
    pub app: App,
    pub city: Uuid,
    pub engine: Engine,
    pub address: SocketAddr,
    http: reqwest::Client,
    micros: Arc<AtomicI64>,
    serving: JoinHandle<()>,
    folder: Folder,
    _db: TestDb,
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A temporary folder, removed when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("guichet-test-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn ready_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _ = tracing_subscriber::fmt()
        .with_test_writer()
        .with_env_filter(std::env::var("TEST_LOG").unwrap_or_else(|_| "error".into()))
        .try_init();
}

fn config(url: &str, folder: &Path) -> Config {
    Config {
        data: folder.to_owned(),
        database: url.to_owned(),
        public_url: format!("http://{HOST}"),
        secure_cookies: false,
        // Tests send more forms in a minute than any person.
        posts_per_minute: 0,
        // By number only: under the name « localhost » they are this machine's, as anybody's.
        hook_hosts: "127.0.0.1".into(),
        secret: "of every portal under test, the same".into(),
        program: env!("CARGO_BIN_EXE_guichet").into(),
        ..Config::default()
    }
}

/// Fills an empty database with the sample city, without any request.
pub async fn found(url: &str) {
    let folder = Folder::new();
    let micros = NOW.parse::<Timestamp>().unwrap().as_microsecond();
    let app = App::open(config(url, &folder.0), Clock::Set(Arc::new(AtomicI64::new(micros))), false).await.unwrap();
    demo::fill(&app, 0).await.unwrap();
    app.db
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("update authority_host set host = $1"), args![HOST]).await?;
            Ok::<(), db::Error>(())
        })
        .await
        .unwrap();
}

/// A database with the sample city: made once per engine, then copied.
pub async fn city(engine: Engine) -> TestDb {
    static SQLITE: OnceCell<Template> = OnceCell::const_new();
    static POSTGRES: OnceCell<Template> = OnceCell::const_new();
    let fill = async |url: String| found(&url).await;
    match engine {
        Engine::Sqlite => SQLITE.get_or_init(|| Template::sqlite(fill)).await.copy().await,
        Engine::Postgres => POSTGRES.get_or_init(|| Template::postgres(fill)).await.copy().await,
    }
}

/// The application on a database that a real process used before, `later` than now.
#[expect(clippy::disallowed_methods, reason = "that process lived in real time")]
pub async fn app(url: &str, folder: &Path, later: SignedDuration) -> App {
    let micros = (Timestamp::now() + later).as_microsecond();
    App::open(config(url, folder), Clock::Set(Arc::new(AtomicI64::new(micros))), false).await.unwrap()
}

impl Portal {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    /// With other settings.
    pub async fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        ready_tls();
        let made = city(engine).await;
        let folder = Folder::new();
        let mut config = config(&made.url, &folder.0);
        change(&mut config);
        let micros = Arc::new(AtomicI64::new(NOW.parse::<Timestamp>().unwrap().as_microsecond()));
        let app = App::open(config, Clock::Set(micros.clone()), false).await.unwrap();
        let city =
            app.db.one(sql!("select authority_id from authority_host where host = $1"), args![HOST]).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = routes::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let http = super::client::http();
        Self { app, city, engine, address, http, micros, serving, folder, _db: made }
    }

    /// At the real time, for other programs that look at the clock.
    #[expect(clippy::disallowed_methods, reason = "those programs live in real time")]
    pub async fn start_at_present(engine: Engine) -> Self {
        let portal = Self::start(engine).await;
        portal.micros.store(Timestamp::now().as_microsecond(), Ordering::Relaxed);
        portal
    }

    /// A browser without any cookie.
    pub fn client(&self) -> Client {
        self.client_at(HOST)
    }

    pub fn client_at(&self, host: &str) -> Client {
        Client::new(self.http.clone(), self.address, host)
    }

    /// A browser signed in as a usager.
    pub async fn usager(&self, email: &str) -> Client {
        let mut client = self.client();
        client.sign_in("/connexion", email).await;
        client
    }

    /// A browser signed in as an agent: `nadia.benali`.
    pub async fn agent(&self, name: &str) -> Client {
        let mut client = self.client();
        client.sign_in("/agent/connexion", &format!("{name}@valmont.example")).await;
        client
    }

    /// The city's handle on the database.
    pub fn db(&self) -> db::Db {
        self.app.db.for_authority(self.city)
    }

    pub fn later(&self, by: SignedDuration) {
        self.micros.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Carries `statement` out in the middle of each form that checks a password or a code, right after it was
    /// found right: what somebody else does at the same time.
    pub async fn meanwhile(&self, statement: &str) {
        self.after("delete on attempt", statement).await;
    }

    /// Carries `statement` out after each `event` (`update on passkey`), in the same transaction.
    pub async fn after(&self, event: &str, statement: &str) {
        let make = match self.engine {
            Engine::Sqlite => vec![format!("create trigger meanwhile after {event} begin {statement}; end")],
            Engine::Postgres => vec![
                format!(
                    "create function meanwhile() returns trigger language plpgsql as 'begin {}; return null; end'",
                    statement.replace('\'', "''")
                ),
                format!("create trigger meanwhile after {event} for each statement execute function meanwhile()"),
            ],
        };
        self.direct(make).await;
    }

    /// An id as SQL of this engine writes it.
    pub fn quoted(&self, id: Uuid) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.simple()),
            Engine::Postgres => format!("'{id}'"),
        }
    }

    /// Statements that only a test needs.
    pub async fn direct(&self, statements: Vec<String>) {
        let statements: Vec<&'static str> = statements.into_iter().map(|text| &*text.leak()).collect();
        self.app
            .db
            .write(async |tx: &mut db::Tx| {
                for text in &statements {
                    tx.run(db::Query::new(text), args![]).await?;
                }
                Ok::<(), db::Error>(())
            })
            .await
            .unwrap();
    }

    /// The folder of kept files.
    pub fn files(&self) -> PathBuf {
        self.folder.0.join("files")
    }

    /// `guichet admin`, as the operator types it: whether it went well, and what it said.
    pub fn admin(&self, arguments: &[&str]) -> (bool, String) {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_guichet"))
            .args(["admin", arguments[0], "--authority", "valmont"])
            .args(&arguments[1..])
            .env("GUICHET_DATABASE", &self.app.config.database)
            .env("GUICHET_DATA", &self.app.config.data)
            .env("GUICHET_SECRET", &self.app.config.secret)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(if done.status.success() { done.stdout } else { done.stderr }).unwrap();
        (done.status.success(), text)
    }

    /// Carries out every job whose moment has come.
    pub async fn work(&self) {
        while work::turn(&self.app).await.unwrap() > 0 {}
    }

    /// What the local outbox holds: recipient, subject, text.
    pub async fn outbox(&self) -> Vec<(String, String, String)> {
        self.work().await;
        let failed: Vec<String> = self
            .db()
            .all(
                sql!("select last_error from job where authority_id = $1 and last_error is not null"),
                args![self.city],
            )
            .await
            .unwrap();
        assert_eq!(failed, Vec::<String>::new());
        self.db()
            .all(
                sql!("select recipient, subject, body from outbox where authority_id = $1 order by at, id"),
                args![self.city],
            )
            .await
            .unwrap()
    }

    /// How many rows an authority's table holds.
    pub async fn count(&self, table: &'static str) -> i64 {
        self.app.db.one(db::Query::new("select count(*) from ").push(table), args![]).await.unwrap()
    }
}
