//! Incoming mail from the command line: one mail by a pipe, the mailbox and its reading.

use std::{io::Read, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use super::admin::{find, typed_line};
use crate::{
    app::App,
    contacts::{
        mail::{self, Envelope, LARGEST, Mailbox, Outcome},
        sms::{self, Gateway},
    },
    platform::{clock::Clock, config::Config},
    work,
};

/// Codes that mail servers understand (sysexits.h): the mail is not one, or is to be given again later.
const DATA_ERROR: u8 = 65;
pub const TEMPORARY: u8 = 75;

#[derive(Args)]
pub struct Piped {
    #[arg(long)]
    authority: String,
    /// Sender of the envelope (`${sender}` of Postfix); empty for a bounce.
    #[arg(long)]
    sender: Option<String>,
    /// Recipient of the envelope (`${original_recipient}`).
    #[arg(long)]
    recipient: Option<String>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Declares the mailbox that an authority reads, or declares it anew (TOML, see docs/messages.md). The password
    /// is read from standard input; nothing there keeps the one before.
    #[command(name = "add-mailbox")]
    Add {
        #[arg(long)]
        authority: String,
        file: PathBuf,
    },
    /// Takes the mailbox away.
    #[command(name = "remove-mailbox")]
    Remove {
        #[arg(long)]
        authority: String,
    },
    /// Declares the gateway by which an authority sends SMS, or declares it anew (TOML, see docs/messages.md), and
    /// prints the addresses that it has to call. The password is read from standard input; nothing there keeps the
    /// one before.
    #[command(name = "add-sms")]
    AddSms {
        #[arg(long)]
        authority: String,
        file: PathBuf,
    },
    /// Takes the gateway away: nobody is told by SMS any more.
    #[command(name = "remove-sms")]
    RemoveSms {
        #[arg(long)]
        authority: String,
    },
    /// Reads the mailbox now, and says how the last reading went.
    #[command(name = "read-mailbox")]
    Read {
        #[arg(long)]
        authority: String,
    },
}

pub async fn run(app: &App, command: Command) -> Result<()> {
    match command {
        Command::Add { authority, file } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            mail::declare(app, &db, &Mailbox::read(&file)?, typed_line()?.as_deref()).await
        }
        Command::Remove { authority } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            anyhow::ensure!(mail::forget(&db).await?, "{authority} has no mailbox");
            Ok(())
        }
        Command::AddSms { authority, file } => {
            let visit = work::visit(app, find(app, &authority).await?).await?;
            sms::declare(app, &visit.db, &Gateway::read(&file)?, typed_line()?.as_deref()).await?;
            println!("get-url = \"{}/sms/{}/recu?de=%p&texte=%a&id=%I\"", visit.public_url(), sms::token(&visit));
            Ok(())
        }
        Command::RemoveSms { authority } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            anyhow::ensure!(sms::forget(&db).await?, "{authority} has no gateway");
            Ok(())
        }
        Command::Read { authority } => {
            let visit = work::visit(app, find(app, &authority).await?).await?;
            let state = mail::state(&visit.db).await?.with_context(|| format!("{authority} has no mailbox"))?;
            let before = state.read_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            println!("last read: {before}; {}", state.last_error.as_deref().unwrap_or("no error"));
            match mail::poll(&visit).await? {
                Some(taken) => println!("{taken} mails taken"),
                None => bail!("not read now: by a pipe only, or another worker reads it"),
            }
            Ok(())
        }
    }
}

/// One mail on standard input. What goes wrong on our side is for later: the mail server keeps the mail.
pub async fn piped(piped: &Piped, config: Config) -> ExitCode {
    match take(piped, config).await {
        Ok(Outcome::Unreadable) => {
            eprintln!("guichet: this is no mail, or too large a one");
            ExitCode::from(DATA_ERROR)
        }
        Ok(outcome) => {
            tracing::info!(?outcome, "a mail was taken");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("guichet: {error:#}");
            ExitCode::from(TEMPORARY)
        }
    }
}

async fn take(piped: &Piped, config: Config) -> Result<Outcome> {
    let mut raw = Vec::new();
    std::io::stdin().lock().take(LARGEST as u64 + 1).read_to_end(&mut raw)?;
    if raw.len() > LARGEST || raw.is_empty() {
        return Ok(Outcome::Unreadable);
    }
    let app = App::open(config, Clock::System, false).await?;
    let visit = work::visit(&app, find(&app, &piped.authority).await?).await?;
    let envelope = Envelope { sender: piped.sender.as_deref(), recipient: piped.recipient.as_deref() };
    mail::receive(&visit, &raw, envelope).await
}
