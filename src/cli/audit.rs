//! `guichet audit`: the journal of accesses, judged and told from the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use db::{args, sql};
use uuid::Uuid;

use super::admin::find;
use crate::{
    accounts::{self, session::Kind},
    app::App,
    journal::{
        self, Of,
        chain::{self, Head, Signer},
    },
    platform::{clock::Clock, config::Config},
    requests, work,
};

#[derive(Subcommand)]
pub enum Command {
    /// Verifies the chain of the journal: lines edited or removed, a cut end, a forged checkpoint; exit code 1 when
    /// there is any.
    Verify {
        /// One authority only.
        #[arg(long)]
        authority: Option<String>,
        /// Heads kept elsewhere (what `journal.heads` or `audit head` wrote): without them, nobody can tell that the
        /// whole database was taken back to an earlier day.
        #[arg(long)]
        heads: Option<PathBuf>,
    },
    /// Seals what waits and prints the present head of each journal, to be kept elsewhere.
    Head {
        /// Prints the public key (Ed25519, hexadecimal) that signs heads, too.
        #[arg(long)]
        key: bool,
    },
    /// Erases the lines about a request or an account before their time; the chain stays verifiable.
    Erase {
        #[arg(long)]
        authority: String,
        /// Reference of the request.
        #[arg(long, required_unless_present = "account")]
        request: Option<String>,
        /// Address or sign-in name of the usager: what was done to this account, and by it.
        #[arg(long, conflicts_with = "request")]
        account: Option<String>,
    },
}

pub async fn run(command: Command, config: Config) -> Result<()> {
    let app = App::open(config, Clock::System, false).await?;
    match command {
        Command::Verify { authority, heads } => verify(&app, authority.as_deref(), heads.as_deref()).await,
        Command::Head { key } => {
            if key {
                println!("# key {}", Signer::of(&app.secret)?.public());
            }
            journal::seal(&app).await?;
            for (id, _) in authorities(&app).await? {
                if let Some(head) = journal::head(&app.db.for_authority(id), chain::Kind::Head).await? {
                    println!("{}", head.line(id));
                }
            }
            Ok(())
        }
        Command::Erase { authority, request, account } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            let of = match (request, account) {
                (Some(reference), _) => {
                    let reference = requests::model::canonical_reference(&reference);
                    let found = requests::store::by_reference(&visit.db, &reference).await?;
                    Of::Request(found.with_context(|| format!("no request {reference}"))?)
                }
                (None, account) => {
                    let login = account.unwrap_or_default();
                    let found = accounts::id_of(&visit.db, Kind::Usager, &login).await?;
                    Of::Account(found.with_context(|| format!("no usager {login}"))?)
                }
            };
            println!("{} lines erased", journal::erase(&visit, of, "operator").await?);
            Ok(())
        }
    }
}

async fn authorities(app: &App) -> Result<Vec<(Uuid, String)>> {
    Ok(app.db.all(sql!("select id, slug from authority order by slug"), args![]).await?)
}

async fn verify(app: &App, only: Option<&str>, heads: Option<&Path>) -> Result<()> {
    let outside = match heads {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    let all = authorities(app).await?;
    ensure!(only.is_none_or(|only| all.iter().any(|(_, slug)| slug == only)), "no authority {}", only.unwrap_or("?"));
    let mut wrong = 0;
    for (id, slug) in all.iter().filter(|(_, slug)| only.is_none_or(|only| slug == only)) {
        let own: Vec<Head> = outside.iter().filter(|(of, _)| of == id).map(|(_, head)| head.clone()).collect();
        let report = journal::verify(app, *id, &own).await?;
        println!(
            "{slug}: lines {} to {}, {} verified, {} erased, {} heads compared",
            report.from, report.to, report.lines, report.erased, report.compared
        );
        for finding in &report.findings {
            println!("{slug}: {finding}");
        }
        wrong += report.findings.len();
    }
    if wrong > 0 {
        bail!("the journal does not hold: {wrong} findings");
    }
    Ok(())
}

/// Heads, one a line; lines that begin with # are remarks.
fn read(path: &Path) -> Result<Vec<(Uuid, Head)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|(index, line)| Head::parse(line).with_context(|| format!("{}:{}", path.display(), index + 1))).collect()
}
