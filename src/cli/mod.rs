//! The command line.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::{
    app::App,
    bench, catalogue, demo,
    platform::{clock::Clock, config::Config},
    requests,
    scans::child,
    work,
};

mod admin;
mod agents;
mod audit;
mod calendar;
mod check;
mod mail;
pub mod serve;
mod webhooks;

#[derive(Parser)]
#[command(name = "guichet", version, about = "Guichet unique en ligne pour les villes : démarches, demandes, agents.")]
struct Cli {
    /// Settings file (TOML). Every setting can also come from the environment: GUICHET_LISTEN, GUICHET_MAIL__SMTP…
    #[arg(long, global = true, env = "GUICHET_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the portal; carries out jobs too, unless `work_in_serve = false`.
    Serve,
    /// Carries out jobs only.
    Work,
    /// Brings the database to this version.
    Migrate,
    /// A sample city, made afresh, with its accounts printed.
    Demo(demo::Options),
    /// Checks procedure files; one line per finding, exit code 1 when there is any.
    Check {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Draws the workflow of each into this folder: ID.svg, and ID.html, which says the same as tables.
        #[arg(long)]
        draw: Option<PathBuf>,
    },
    /// Writes procedure files in their canonical form.
    Fmt {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Prints every setting with its present value.
    Config,
    /// Measures this binary on this machine, against bare baselines.
    Bench(bench::Options),
    /// Takes one mail on standard input, for the mail server of the authority (see docs/messages.md).
    MailIn(mail::Piped),
    /// Reads one scan on standard input: what `serve` and `work` start, within limits.
    #[command(hide = true)]
    Pages(child::Asked),
    #[command(subcommand)]
    Admin(admin::Command),
    /// The journal of accesses.
    #[command(subcommand)]
    Audit(audit::Command),
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let piped = matches!(cli.command, Command::MailIn(_));
    match start(cli) {
        Ok(code) => code,
        // What keeps us from taking a mail is ours to mend: it must not be sent back.
        Err(error) if piped => {
            eprintln!("guichet: {error:#}");
            ExitCode::from(mail::TEMPORARY)
        }
        Err(error) => {
            // Rust's own name for the setting is in the error: no need of a stack.
            eprintln!("guichet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode> {
    if let Command::Check { paths, draw } = &cli.command {
        return check::check(paths, draw.as_deref());
    }
    if let Command::Fmt { paths } = &cli.command {
        return check::fmt(paths);
    }
    if let Command::Pages(asked) = &cli.command {
        return Ok(child::run(asked));
    }
    let config = Config::read(cli.config.as_deref(), std::env::vars().filter(|(name, _)| name != "GUICHET_CONFIG"))?;
    log(&config)?;
    // One provider for all of TLS.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is already installed"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Command::MailIn(piped) = &cli.command {
        return Ok(runtime.block_on(mail::piped(piped, config)));
    }
    runtime.block_on(run(cli.command, config)).map(|()| ExitCode::SUCCESS)
}

async fn run(command: Command, config: Config) -> Result<()> {
    match command {
        Command::Serve => serve::serve(App::open(config, Clock::System, false).await?).await,
        Command::Work => {
            let app = App::open(config, Clock::System, false).await?;
            work::run(app, serve::stop()).await;
            Ok(())
        }
        Command::Migrate => App::open(config, Clock::System, false).await.map(drop),
        Command::Demo(options) => demo::run(options, config).await,
        Command::Config => {
            print!("{}", toml::to_string(&config).context("settings")?);
            Ok(())
        }
        Command::Bench(options) => bench::run(options, config).await,
        Command::Admin(command) => admin::run(command, config).await,
        Command::Audit(command) => audit::run(command, config).await,
        Command::Check { .. } | Command::Fmt { .. } | Command::MailIn(_) | Command::Pages(_) => Ok(()),
    }
}

fn log(config: &Config) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.level).context("log.level")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}

/// Procedures to publish: those of the settings' folder, or those of the binary.
fn sources(config: &Config) -> Result<catalogue::Sources> {
    if config.procedures.as_os_str().is_empty() { catalogue::shipped() } else { catalogue::folder(&config.procedures) }
}

async fn sweep(app: &App) -> Result<()> {
    requests::sweep::all(app).await
}
