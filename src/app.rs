//! What a running portal holds: built once, shared by every handler and worker. Nothing here must
//! be shared between processes: caches only.

use std::{num::NonZeroU32, ops::Deref, sync::Arc};

use anyhow::{Context, Result};
use db::{Db, DbOptions};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::Notify;

use crate::{
    authorities::Sites,
    catalogue::Catalogue,
    migrations,
    platform::{
        clock::Clock,
        config::Config,
        mail::Mailer,
        outward::{self, Outward},
        page::Templates,
        secret::Secret,
        storage::{self, Storage},
    },
    provider,
    requests::Untouched,
    sso,
    steering::Usual,
    visit::PageCache,
};

#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    /// Without authority: for what concerns the whole installation.
    pub db: Db,
    pub clock: Clock,
    pub templates: Templates,
    pub storage: Storage,
    pub mailer: Mailer,
    pub secret: Secret,
    pub sites: Sites,
    pub catalogue: Catalogue,
    pub pages: PageCache,
    pub untouched: Untouched,
    /// How long answers take these weeks.
    pub usual: Usual,
    /// What identity providers say of themselves.
    pub providers: provider::Cache,
    /// Keys that sign for applications, unsealed.
    pub signing_keys: sso::ReadKeys,
    /// Wakes the worker of this process when it queued something.
    pub work: Notify,
    /// Slows floods of forms from one address.
    pub flood: Option<DefaultKeyedRateLimiter<String>>,
    pub http: reqwest::Client,
    /// For addresses that other applications declared: follows no redirection.
    pub outside: reqwest::Client,
    /// For what procedures call: nothing private, but what the operator named.
    pub outward: Outward,
    /// A sample city: says so on every page and shows the local outbox.
    pub demo: bool,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Opens database and storage, and brings the database to this version.
    pub async fn open(config: Config, clock: Clock, demo: bool) -> Result<Self> {
        storage::make_folder(&config.data).with_context(|| format!("cannot make {}", config.data.display()))?;
        let ca_file = Some(config.database_ca.clone()).filter(|path| !path.as_os_str().is_empty());
        let options = DbOptions {
            ca_file,
            max_connections: Some(config.database_connections).filter(|count| *count > 0),
            replica_url: Some(config.database_replica.clone()).filter(|url| !url.is_empty()),
            ..DbOptions::default()
        };
        let db = Db::open(&config.database_url(), &options).context("database")?;
        db.migrate(migrations::ALL).await.context("migrations")?;
        let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(3)).build()?;
        let outside = outside(&config.outside_ca)?;
        let outward = Outward::open(&config.hook_hosts, &config.outside_ca)?;
        Ok(Self(Arc::new(Inner {
            templates: Templates::new(config.templates.clone()),
            storage: Storage::open(&config)?,
            mailer: Mailer::open(&config.mail)?,
            secret: Secret::open(&config.secret, &config.data)?,
            sites: Sites::default(),
            catalogue: Catalogue::default(),
            pages: PageCache::default(),
            untouched: Untouched::default(),
            usual: Usual::default(),
            providers: provider::Cache::default(),
            signing_keys: sso::ReadKeys::default(),
            work: Notify::new(),
            flood: NonZeroU32::new(config.posts_per_minute).map(|count| RateLimiter::keyed(Quota::per_minute(count))),
            config,
            db,
            clock,
            http,
            outside,
            outward,
            demo,
        })))
    }
}

fn outside(ca: &std::path::Path) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none());
    Ok(outward::trusting(builder, ca)?.build()?)
}
