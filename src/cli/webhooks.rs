//! The applications that procedures call, from the command line.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Subcommand;

use super::admin::{find, typed_line};
use crate::{
    app::App,
    hooks::{self, Declaration, Secret},
    visit::Visit,
    work,
};

#[derive(Subcommand)]
pub enum Command {
    /// Declares an application that procedures may call (TOML or JSON, see docs/webhooks.md), or declares it anew. Its
    /// secret (whsec_…) comes on standard input; without one, the known one stays, or one is made and printed: it is
    /// kept sealed.
    AddWebhook {
        #[arg(long)]
        authority: String,
        file: PathBuf,
        /// Makes a new secret; the one before signs beside it for seven days. Another renewal ends that one.
        #[arg(long)]
        new_secret: bool,
    },
    /// Takes an application out: what waits for it fails, and agents see it.
    RemoveWebhook {
        #[arg(long)]
        authority: String,
        id: String,
    },
}

pub async fn run(app: &App, command: Command) -> Result<()> {
    match command {
        Command::AddWebhook { authority, file, new_secret } => {
            let visit = work::visit(app, find(app, &authority).await?).await?;
            let (declaration, typed) = (Declaration::read(&file)?, typed_line()?);
            let secret = match typed.as_deref() {
                Some(given) => Secret::Given(given),
                None if new_secret => Secret::New,
                None => Secret::Known,
            };
            let made = hooks::declare(app, &visit.db, &declaration, secret, visit.now).await?;
            println!("{} declared", declaration.id);
            if let Some(made) = made {
                println!("secret {made}");
            }
            warn(&visit).await
        }
        Command::RemoveWebhook { authority, id } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            ensure!(hooks::remove(&db, &id, app.clock.now()).await?, "no application {id}");
            Ok(())
        }
    }
}

/// What published procedures call and may not.
pub async fn warn(visit: &Visit) -> Result<()> {
    for line in hooks::missing(visit).await? {
        eprintln!("warning: {line}");
    }
    Ok(())
}
