//! A portal to measure: the sample city with its catalogue and one more procedure, served by another
//! process of this same program.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use db::{Db, args, sql};
use tokio::process::Child;
use uuid::Uuid;

use super::{
    smtp::Sink,
    wire::{Wire, get},
};
use crate::{
    app::App,
    catalogue::{self, Sources},
    demo,
    platform::{
        clock::Clock,
        config::{Config, Log, Mail},
    },
    visit::Visit,
    work,
};

/// The procedure that submissions send: thirteen fields on two pages.
pub const PROCEDURE: &str = include_str!("../../bench/procedure.yaml");
/// A server that takes longer than this to start does not start.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Site {
    config: Config,
    file: PathBuf,
    app: App,
    /// The same database, seen from here.
    pub db: Db,
    pub address: SocketAddr,
    server: Option<Child>,
}

impl Site {
    /// Makes the city in an empty database; nothing serves it yet.
    pub async fn make(folder: &Path, database: &str, mails: &Sink) -> Result<Self> {
        let address = free_port().await?;
        let config = Config {
            listen: address.to_string(),
            data: folder.to_path_buf(),
            database: database.to_owned(),
            secure_cookies: false,
            // One address sends everything here.
            posts_per_minute: 0,
            mail: Mail { smtp: format!("smtp://{}", mails.address), ..Config::default().mail },
            log: Log { level: "warn".into(), json: false },
            ..Config::default()
        };
        let app = App::open(config.clone(), Clock::System, false).await?;
        let before: i64 = app.db.one(sql!("select count(*) from authority"), args![]).await?;
        ensure!(before == 0, "{database} is not empty: name a database made for this");
        demo::fill(&app, 0).await?;
        let authority: Uuid = app.db.one(sql!("select id from authority"), args![]).await?;
        let db = app.db.for_authority(authority).fresh();
        let shared = catalogue::shipped()?.shared;
        let sources =
            Sources { procedures: vec![("mesure.yaml".to_owned(), PROCEDURE.to_owned())], surveys: Vec::new(), shared };
        catalogue::publish(&db, &sources, app.clock.now()).await?;
        let file = folder.join("guichet.toml");
        std::fs::write(&file, toml::to_string(&config)?)?;
        Ok(Self { config, file, app, db, address, server: None })
    }

    /// Starts the server; gives the time from there to its first good answer.
    pub async fn start(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let file = self.file.to_str().context("path")?;
        self.server = Some(super::command()?.args(["--config", file, "serve"]).spawn()?);
        while !self.answers().await {
            ensure!(begun.elapsed() < PATIENCE, "the server does not start");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(begun.elapsed())
    }

    async fn answers(&self) -> bool {
        let Ok(mut wire) = Wire::connect(self.address).await else { return false };
        wire.send(&get("/sante", "")).await.is_ok_and(|answer| answer.status == 200)
    }

    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            server.kill().await?;
        }
        Ok(())
    }

    /// The city as if somebody visited it.
    pub async fn visit(&self) -> Result<Visit> {
        work::visit(&self.app, self.db.authority()).await
    }

    pub fn pid(&self) -> Result<u32> {
        self.server.as_ref().and_then(Child::id).context("the server ended")
    }

    pub fn is_postgres(&self) -> bool {
        self.config.database.starts_with("postgres")
    }
}

async fn free_port() -> Result<SocketAddr> {
    Ok(tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
