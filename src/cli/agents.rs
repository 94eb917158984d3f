//! Agents' access from the command line: its end, what they leave behind.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use db::Tx;
use jiff::civil::Date;
use uuid::Uuid;

use super::admin::find;
use crate::{
    accounts::{self, ending, session::Kind},
    agents::{self, General},
    app::App,
    authorities,
    directory::{self, Report},
    requests::handover::{self, Order},
    visit::Visit,
    work,
};

#[derive(Args)]
pub struct Who {
    #[arg(long)]
    authority: String,
    #[arg(long)]
    email: String,
}

#[derive(Subcommand)]
pub enum Command {
    /// Makes an agent an administrator of the authority.
    Administrator {
        #[command(flatten)]
        who: Who,
        /// No longer one.
        #[arg(long)]
        remove: bool,
    },
    /// Makes an agent an archivist of the authority: they prepare the lists of what may be eliminated, and note
    /// the visas.
    Archivist {
        #[command(flatten)]
        who: Who,
        /// No longer one.
        #[arg(long)]
        remove: bool,
    },
    /// Lets an agent see the figures of every department, and no request.
    Observer {
        #[command(flatten)]
        who: Who,
        /// No longer.
        #[arg(long)]
        remove: bool,
    },
    /// Sets the last day of an agent's access, in the authority's time zone.
    EndAgent {
        #[command(flatten)]
        who: Who,
        /// YYYY-MM-DD; the evening before today ends their sessions at once.
        #[arg(long, required_unless_present = "never")]
        on: Option<Date>,
        /// No end any more.
        #[arg(long, conflicts_with = "on")]
        never: bool,
    },
    /// Cuts an agent's access at once, sessions included. What they did stays under their name.
    CloseAgent {
        #[command(flatten)]
        who: Who,
        /// Why; kept in the history of their account.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Gives back an access that was cut.
    OpenAgent {
        #[command(flatten)]
        who: Who,
    },
    /// Ends open sessions: of one account, or of everybody.
    EndSessions {
        #[arg(long)]
        authority: String,
        /// An agent's address.
        #[arg(long, required_unless_present = "everybody")]
        email: Option<String>,
        /// The address is an usager's.
        #[arg(long, requires = "email")]
        usager: bool,
        /// Agents and usagers.
        #[arg(long, conflicts_with = "email")]
        everybody: bool,
    },
    /// Hands over the running requests that an agent holds.
    HandOver {
        #[arg(long)]
        authority: String,
        /// Address of who holds them; their access may be over.
        #[arg(long)]
        from: String,
        /// Address of who gets them.
        #[arg(long, required_unless_present = "release")]
        to: Option<String>,
        /// To nobody: whoever wants takes them.
        #[arg(long, conflicts_with = "to")]
        release: bool,
        /// Only those of this department.
        #[arg(long)]
        department: Option<String>,
        /// Only says how many.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Subcommand)]
pub enum Directory {
    /// Declares the directory (LDAP) of an authority's agents, or declares it anew (TOML, see docs/directory.md).
    /// The password of `bind_dn` is read from standard input; nothing there keeps the one before.
    #[command(name = "add-directory")]
    Add {
        #[arg(long)]
        authority: String,
        file: PathBuf,
    },
    /// Takes the directory away. Its accounts stay, and open once a password is chosen by mail.
    #[command(name = "remove-directory")]
    Remove {
        #[arg(long)]
        authority: String,
    },
    /// Reads the directory now.
    #[command(name = "sync-directory")]
    Sync {
        #[arg(long)]
        authority: String,
        /// However many agents it cuts.
        #[arg(long)]
        accept_cut: bool,
    },
    /// Gives an agent's account to the directory: its own password is forgotten.
    #[command(name = "from-directory")]
    From {
        #[command(flatten)]
        who: Who,
    },
}

pub async fn directory(app: &App, command: Directory) -> Result<()> {
    match command {
        Directory::Add { authority, file } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            let declaration = directory::Declaration::read(&file)?;
            directory::declare(app, &db, &declaration, super::admin::typed_line()?.as_deref()).await
        }
        Directory::Remove { authority } => {
            let db = app.db.for_authority(find(app, &authority).await?);
            ensure!(directory::forget(&db).await?, "{authority} has no directory");
            Ok(())
        }
        Directory::Sync { authority, accept_cut } => {
            let visit = work::visit(app, find(app, &authority).await?).await?;
            match directory::sync(&visit, accept_cut).await? {
                Report::None => bail!("{authority} has no directory"),
                Report::Done { kept, cut, back } => println!("{kept} agents up to date, {cut} cut, {back} back"),
                Report::Held { lost, of } => {
                    bail!(
                        "held: {lost} of {of} agents would lose access or a department (--accept-cut if that is right)"
                    )
                }
            }
            Ok(())
        }
        Directory::From { who } => {
            let (visit, id) = agent(app, &who).await?;
            visit
                .db
                .write(async |tx: &mut Tx| {
                    directory::adopt(tx, id, &who.email).await?;
                    ending::end_sessions(tx, &visit, Some(id)).await
                })
                .await?;
            Ok(())
        }
    }
}

pub async fn run(app: &App, command: Command) -> Result<()> {
    match command {
        Command::Administrator { who, remove } => general(app, &who, General::Administrator, !remove).await,
        Command::Archivist { who, remove } => general(app, &who, General::Archivist, !remove).await,
        Command::Observer { who, remove } => general(app, &who, General::Observer, !remove).await,
        Command::EndAgent { who, on, .. } => {
            let (visit, id) = agent(app, &who).await?;
            visit.db.write(async |tx: &mut Tx| ending::set(tx, &visit, id, on, None).await).await?;
            Ok(())
        }
        Command::CloseAgent { who, reason } => {
            let (visit, id) = agent(app, &who).await?;
            let closed = visit.db.write(async |tx: &mut Tx| ending::close(tx, &visit, id, None, &reason).await).await?;
            ensure!(closed, "{}: cut already", who.email);
            left(&visit, id).await
        }
        Command::OpenAgent { who } => {
            let (visit, id) = agent(app, &who).await?;
            let opened = visit.db.write(async |tx: &mut Tx| ending::reopen(tx, &visit, id, None, "").await).await?;
            ensure!(opened, "{}: not cut", who.email);
            Ok(())
        }
        Command::EndSessions { authority, email, usager, .. } => {
            let visit = work::visit(app, find(app, &authority).await?).await?;
            let kind = if usager { Kind::Usager } else { Kind::Agent };
            let account = match &email {
                Some(email) => Some(
                    accounts::id_of(&visit.db, kind, email).await?.with_context(|| format!("no account {email}"))?,
                ),
                None => None,
            };
            let ended = visit.db.write(async |tx: &mut Tx| ending::end_sessions(tx, &visit, account).await).await?;
            println!("sessions of {ended} accounts ended");
            Ok(())
        }
        Command::HandOver { authority, from, to, department, dry_run, .. } => {
            let (visit, from) = agent(app, &Who { authority, email: from }).await?;
            let to = match &to {
                Some(email) => {
                    let found = accounts::id_of(&visit.db, Kind::Agent, email).await?;
                    Some(found.with_context(|| format!("no agent {email}"))?)
                }
                None => None,
            };
            hand_over(&visit, from, to, department.as_deref(), dry_run).await
        }
    }
}

async fn general(app: &App, who: &Who, of: General, wanted: bool) -> Result<()> {
    let (visit, id) = agent(app, who).await?;
    agents::set_general(&visit.db, id, of, wanted, visit.now).await?;
    Ok(())
}

async fn agent(app: &App, who: &Who) -> Result<(Visit, Uuid)> {
    let visit = work::visit(app, find(app, &who.authority).await?).await?;
    let found = ending::agent(&visit.db, &who.email).await?;
    let (id, _) = found.with_context(|| format!("no agent {}", who.email))?;
    Ok((visit, id))
}

async fn departments(visit: &Visit) -> Result<Vec<String>> {
    Ok(authorities::departments(&visit.db).await?.into_iter().map(|(id, _)| id).collect())
}

/// Says what somebody whose access is cut still holds.
async fn left(visit: &Visit, agent: Uuid) -> Result<()> {
    let ids = departments(visit).await?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for one in handover::held(&visit.db, &ids).await?.iter().filter(|one| one.account_id == agent) {
        println!("{}: still holds {} requests (see hand-over)", one.department_id, one.many);
    }
    Ok(())
}

async fn hand_over(visit: &Visit, from: Uuid, to: Option<Uuid>, only: Option<&str>, dry_run: bool) -> Result<()> {
    for department in departments(visit).await?.iter().filter(|id| only.is_none_or(|only| only == *id)) {
        let counts = handover::preview(&visit.db, department, from, visit.now).await?;
        for one in &counts {
            println!("{department}: {}: {} requests, {} late", one.procedure_id, one.many, one.late);
        }
        if counts.is_empty() || dry_run {
            continue;
        }
        let handed = handover::hand_over(visit, Order { department, from, to, by: None }).await?;
        let handed = handed.with_context(|| format!("{department}: the receiver does not process requests there"))?;
        println!("{department}: {handed} requests handed over");
    }
    Ok(())
}
