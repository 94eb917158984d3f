//! `guichet bench`: measures this binary on this machine. The server is another process of it, so
//! that memory and processor are the server's alone; throughput is told beside a bare baseline met by
//! the same load in the same run. See bench/README.md.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use db::{args, sql};
use serde::Serialize;

mod bare;
mod doors;
mod export;
mod lists;
mod load;
mod pages;
mod plans;
mod postgres;
mod process;
mod rows;
mod safe;
pub mod seed;
mod site;
mod smtp;
mod submissions;
mod table;
mod wire;

use crate::{
    app::App,
    demo,
    platform::{clock::Clock, config::Config},
    work,
};
use site::Site;
use smtp::Sink;
use submissions::Measured;

#[derive(Args)]
pub struct Options {
    /// One object of JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// How long each measure lasts.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// An empty PostgreSQL database to use. Without it, a server is started if PostgreSQL is installed.
    #[arg(long)]
    postgres: Option<String>,
    /// Measures the agents' pages over so many requests: `10000,1000000`. A million take minutes to make.
    #[arg(long, value_delimiter = ',')]
    lists: Vec<u64>,
    /// Nothing but those.
    #[arg(long, requires = "lists")]
    only_lists: bool,
    #[command(subcommand)]
    command: Option<Command>,
    /// Used by the measures themselves: the load generator.
    #[arg(long, hide = true)]
    load: Option<String>,
    /// Used by the measures themselves: the bare server.
    #[arg(long, hide = true)]
    bare: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Makes a sample city with many requests in the database of the settings, which must be empty.
    Seed {
        /// How many requests, over five years.
        #[arg(long, default_value_t = 1_000_000)]
        requests: u64,
    },
}

/// What is measured, by the names of the JSON. None: could not be measured here.
#[derive(Debug, Default, Serialize)]
struct Measures {
    page_ratio: Option<f64>,
    page_uncached_ratio: Option<f64>,
    form_page_ratio: Option<f64>,
    submission_ratio_sqlite: Option<f64>,
    submission_ratio_postgres: Option<f64>,
    submission_cpu_ms_sqlite: Option<f64>,
    submission_cpu_ms_postgres: Option<f64>,
    idle_mb: Option<f64>,
    loaded_mb: Option<f64>,
    start_s: Option<f64>,
    page_kb: Option<f64>,
    safe_upload_mbs: Option<f64>,
    safe_download_mbs: Option<f64>,
    safe_upload_ratio: Option<f64>,
    safe_download_ratio: Option<f64>,
    sign_in_ratio: Option<f64>,
    sign_in_cpu_ratio: Option<f64>,
    sign_in_rest_cpu_ms: Option<f64>,
    token_ratio: Option<f64>,
    token_cpu_ms: Option<f64>,
    cas_validate_ratio: Option<f64>,
    cas_validate_cpu_ms: Option<f64>,
    id_token_sign_ms: Option<f64>,
    signing_key_read_ms: Option<f64>,
    /// `list_ms_p95_sqlite_10k` and so on, where they were asked for.
    #[serde(flatten)]
    lists: BTreeMap<String, f64>,
}

pub async fn run(options: Options, config: Config) -> Result<()> {
    if let Some(Command::Seed { requests }) = options.command {
        return fill(config, requests).await;
    }
    if let Some(task) = &options.load {
        return load::run(task).await;
    }
    if options.bare {
        return bare::run().await;
    }
    let folder = Folder::make()?;
    let measures = tokio::select! {
        measures = measure(&options, &folder.0) => measures?,
        () = crate::cli::serve::stop() => anyhow::bail!("interrupted"),
    };
    if options.json {
        println!("{}", serde_json::to_string(&measures)?);
    } else {
        print!("{}", table::table(&measures));
    }
    Ok(())
}

async fn measure(options: &Options, folder: &Path) -> Result<Measures> {
    let time = Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
    let mails = Sink::start().await?;
    let mut measures = Measures::default();
    for requests in &options.lists {
        on_many(&mut measures, &folder.join("many"), &mails, *requests, time).await?;
    }
    if options.only_lists {
        return Ok(measures);
    }
    on_sqlite(&mut measures, &folder.join("sqlite"), &mails, time).await?;
    at_doors(&mut measures, &folder.join("doors"), &mails, time).await?;
    let documents = safe::measure(&folder.join("safe"), time).await?;
    measures.safe_upload_mbs = Some(documents.upload_mbs);
    measures.safe_download_mbs = Some(documents.download_mbs);
    measures.safe_upload_ratio = Some(documents.upload_ratio);
    measures.safe_download_ratio = Some(documents.download_ratio);
    let server = if options.postgres.is_none() { postgres::Postgres::start(&folder.join("postgres"))? } else { None };
    if let Some(url) = options.postgres.clone().or_else(|| server.as_ref().map(postgres::Postgres::url)) {
        let measured = on_postgres(&url, &folder.join("guichet"), &mails, time).await?;
        measures.submission_ratio_postgres = Some(measured.ratio);
        measures.submission_cpu_ms_postgres = measured.cpu_ms;
    }
    Ok(measures)
}

async fn fill(config: Config, requests: u64) -> Result<()> {
    let app = App::open(config, Clock::System, false).await?;
    let before: i64 = app.db.one(sql!("select count(*) from authority"), args![]).await?;
    anyhow::ensure!(before == 0, "the database is not empty: name one made for this");
    demo::fill(&app, 0).await?;
    let authority = app.db.one(sql!("select id from authority"), args![]).await?;
    seed::seed(&work::visit(&app, authority).await?, requests).await
}

/// On both engines, one after the other, each in a folder of its own that is removed.
async fn on_many(measures: &mut Measures, folder: &Path, mails: &Sink, requests: u64, time: Duration) -> Result<()> {
    for engine in ["sqlite", "postgres"] {
        let server = match engine {
            "sqlite" => None,
            _ => postgres::Postgres::start(&folder.join("server"))?,
        };
        let url = match (&server, engine) {
            (Some(server), _) => server.url(),
            (None, "sqlite") => "sqlite:".to_owned(),
            (None, _) => continue,
        };
        let mut site = Site::make(&folder.join("site"), &url, mails).await?;
        for (name, found) in lists::measure(&mut site, requests, time).await? {
            measures.lists.insert(format!("{name}_{engine}_{}", short(requests)), found);
        }
        drop((site, server));
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// `10k`, `1m`.
fn short(many: u64) -> String {
    match many {
        1_000_000.. if many.is_multiple_of(1_000_000) => format!("{}m", many / 1_000_000),
        1_000.. if many.is_multiple_of(1_000) => format!("{}k", many / 1_000),
        _ => many.to_string(),
    }
}

async fn on_sqlite(measures: &mut Measures, folder: &Path, mails: &Sink, time: Duration) -> Result<()> {
    let mut site = Site::make(folder, "sqlite:", mails).await?;
    let mut starts = Vec::new();
    for _ in 0..3 {
        site.stop().await?;
        starts.push(site.start().await?.as_secs_f64());
    }
    starts.sort_by(f64::total_cmp);
    measures.start_s = starts.get(1).copied();
    tokio::time::sleep(Duration::from_secs(2)).await;
    measures.idle_mb = process::resident(site.pid()?);
    measures.page_kb = Some(pages::first_visit(site.address).await?);
    let ratios = pages::ratios(site.address, time).await?;
    measures.page_ratio = Some(ratios.cached);
    measures.page_uncached_ratio = Some(ratios.uncached);
    measures.form_page_ratio = Some(ratios.form);
    let measured = submissions::measure(&site, mails, time).await?;
    measures.submission_ratio_sqlite = Some(measured.ratio);
    measures.submission_cpu_ms_sqlite = measured.cpu_ms;
    measures.loaded_mb = process::most_resident(site.pid()?);
    site.stop().await
}

/// A site of its own: passwords take memory, which the others do not measure.
async fn at_doors(measures: &mut Measures, folder: &Path, mails: &Sink, time: Duration) -> Result<()> {
    let mut site = Site::make(folder, "sqlite:", mails).await?;
    site.start().await?;
    let doors = doors::measure(&site, time).await?;
    measures.sign_in_ratio = Some(doors.sign_in.ratio);
    measures.sign_in_cpu_ratio = doors.sign_in.cpu_ratio;
    measures.sign_in_rest_cpu_ms = doors.sign_in.rest_cpu_ms;
    measures.token_ratio = Some(doors.token.ratio);
    measures.token_cpu_ms = doors.token.cpu_ms;
    measures.cas_validate_ratio = Some(doors.cas.ratio);
    measures.cas_validate_cpu_ms = doors.cas.cpu_ms;
    measures.id_token_sign_ms = Some(doors.sign_ms);
    measures.signing_key_read_ms = Some(doors.read_ms);
    site.stop().await
}

async fn on_postgres(url: &str, folder: &Path, mails: &Sink, time: Duration) -> Result<Measured> {
    let mut site = Site::make(folder, url, mails).await?;
    site.start().await?;
    let measured = submissions::measure(&site, mails, time).await?;
    site.stop().await?;
    Ok(measured)
}

/// Another process of this program, ended with the value that holds it, without our settings.
fn command() -> Result<tokio::process::Command> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("GUICHET_")))
    {
        command.env_remove(name);
    }
    command.kill_on_drop(true);
    Ok(command)
}

/// A folder of our own on the system's temporary disk, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("guichet-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "{} stays", self.0.display());
        }
    }
}
