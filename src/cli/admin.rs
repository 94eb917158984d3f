//! Administration from the command line.

use std::{io::IsTerminal, path::PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use db::{args, sql};
use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    accounts::{
        self, ending,
        jobs::{self, Letter, More},
        session::Kind,
    },
    agents::{self, General, Role},
    app::App,
    authorities::{self, Department, Settings},
    catalogue,
    journal::{self, Action, Line},
    links,
    platform::{clock::Clock, config::Config, secret},
    provider,
    sso::{self, By, Expected, Secret},
    visit::Visit,
    work,
};

#[derive(Subcommand)]
pub enum Command {
    /// Creates an authority from a JSON file of settings and departments (see demo/city.json).
    AddAuthority {
        file: PathBuf,
        #[arg(long, required = true)]
        host: Vec<String>,
    },
    /// Publishes the procedures that changed since their last version.
    Publish {
        #[arg(long)]
        authority: String,
    },
    /// Creates an agent, who chooses a password by a link sent to their address. For tests and scripts: a password
    /// given on standard input is taken as it is.
    AddAgent {
        #[arg(long)]
        authority: String,
        #[arg(long)]
        email: String,
        #[arg(long)]
        first_name: String,
        #[arg(long)]
        last_name: String,
        #[arg(long)]
        quality: String,
        /// DEPARTMENT:ROLE, where ROLE is reader, processor, decider or manager.
        #[arg(long, required_unless_present = "administrator")]
        member: Vec<String>,
        /// Last day of their access (YYYY-MM-DD), for seasonal staff.
        #[arg(long)]
        ends_on: Option<Date>,
        /// Administers the authority.
        #[arg(long)]
        administrator: bool,
    },
    #[command(flatten)]
    Agents(super::agents::Command),
    #[command(flatten)]
    Directory(super::agents::Directory),
    #[command(flatten)]
    Mail(super::mail::Command),
    #[command(flatten)]
    Calendar(super::calendar::Command),
    #[command(flatten)]
    Webhooks(super::webhooks::Command),
    /// Removes the second factor of an agent who has lost it, once their identity is checked.
    ResetFactor {
        #[arg(long)]
        authority: String,
        #[arg(long)]
        email: String,
        /// Why, and how their identity was checked: the agent reads it in their history.
        #[arg(long)]
        reason: String,
    },
    /// Takes a procedure out of the catalogue; running requests go on.
    Retire {
        #[arg(long)]
        authority: String,
        procedure: String,
    },
    /// Declares an application of the single sign-on (TOML or JSON, see docs/sso.md), or declares it anew.
    /// Prints its secret when one is made: it is kept nowhere.
    AddClient {
        #[arg(long)]
        authority: String,
        file: PathBuf,
        /// Makes a new secret; the one before is worth nothing any more.
        #[arg(long)]
        new_secret: bool,
    },
    /// Takes an application out of the single sign-on; what it knew of usagers is forgotten.
    RemoveClient {
        #[arg(long)]
        authority: String,
        id: String,
    },
    /// Declares an identity provider (TOML or JSON, see docs/providers.md), or declares it anew.
    AddProvider {
        #[arg(long)]
        authority: String,
        file: PathBuf,
        /// Reads the secret that the provider gave from standard input; without it, the known one stays.
        #[arg(long)]
        secret: bool,
    },
    /// Takes an identity provider out.
    RemoveProvider {
        #[arg(long)]
        authority: String,
        id: String,
        /// Even when it opens accounts, whose owners lose that way in.
        #[arg(long)]
        forget_links: bool,
    },
    /// Declares a linked service of a department (TOML or JSON, see docs/linked-services.md), or declares it anew.
    AddService {
        #[arg(long)]
        authority: String,
        file: PathBuf,
    },
    /// Takes a linked service out, with its references; who had linked one is told.
    RemoveService {
        #[arg(long)]
        authority: String,
        id: String,
    },
    /// Replaces the references of a linked service by those of a CSV file, all or nothing.
    ImportReferences {
        #[arg(long)]
        authority: String,
        #[arg(long)]
        service: String,
        file: PathBuf,
        /// The file may hold less than half of the present references.
        #[arg(long)]
        fewer: bool,
    },
    /// Makes a new signing key for the single sign-on; the present one goes on until applications know it.
    RotateKeys {
        #[arg(long)]
        authority: String,
    },
    /// Puts away expired drafts and sessions, and files that nothing names.
    Sweep,
}

pub async fn run(command: Command, config: Config) -> Result<()> {
    let app = App::open(config, Clock::System, false).await?;
    match command {
        Command::AddAuthority { file, host } => add_authority(&app, &file, &host).await,
        Command::Publish { authority } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            let count = catalogue::publish(&visit.db, &super::sources(&app.config)?, visit.now).await?;
            println!("{count} procedures published");
            for line in catalogue::left_behind(&visit.db).await? {
                println!("{line}");
            }
            for line in catalogue::strangers(&visit).await? {
                eprintln!("warning: {line}");
            }
            super::webhooks::warn(&visit).await
        }
        Command::AddAgent { authority, email, first_name, last_name, quality, member, ends_on, administrator } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            let (db, id, now) = (&visit.db, visit.id(), visit.now);
            let password_hash = given_password(&[&email, &first_name, &last_name]).await?;
            let chosen = password_hash.is_some();
            let person = accounts::NewAccount {
                id,
                kind: Kind::Agent,
                email,
                password_hash,
                first_name,
                last_name,
                phone: None,
                quality: Some(quality),
                confirmed_at: chosen.then_some(now),
            };
            accounts::create(db, &person, now).await?;
            for one in &member {
                let (department, role) = one.split_once(':').context("--member DEPARTMENT:ROLE")?;
                agents::add_membership(
                    db,
                    id,
                    department,
                    Role::parse(role).with_context(|| format!("no role {role}"))?,
                )
                .await?;
            }
            if administrator {
                agents::set_general(db, id, General::Administrator, true, now).await?;
            }
            visit
                .db
                .write(async |tx: &mut db::Tx| {
                    ending::set(tx, &visit, id, ends_on, None).await?;
                    for one in &member {
                        let given = Line::city(None, Action::RightsChanged).about("account", id).detail(one);
                        journal::note(tx, now, &given).await?;
                    }
                    if !chosen {
                        jobs::queue(tx, &visit, Letter::Welcome, id, More::default()).await?;
                    }
                    Ok::<_, db::Error>(())
                })
                .await?;
            println!("{id}");
            Ok(())
        }
        Command::Agents(command) => super::agents::run(&app, command).await,
        Command::Calendar(command) => super::calendar::run(&app, command).await,
        Command::Webhooks(command) => super::webhooks::run(&app, command).await,
        Command::Directory(command) => super::agents::directory(&app, command).await,
        Command::Mail(command) => super::mail::run(&app, command).await,
        Command::ResetFactor { authority, email, reason } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            let removed = accounts::factor::reset_agent(&visit, &email, &reason).await?;
            anyhow::ensure!(removed, "{email}: no agent of this address has a second factor");
            Ok(())
        }
        Command::Retire { authority, procedure } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            anyhow::ensure!(catalogue::retire(&db, &procedure, app.clock.now()).await?, "{procedure} is not published");
            Ok(())
        }
        Command::AddClient { authority, file, new_secret } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            add_client(&app, &db, &file, new_secret).await
        }
        Command::RemoveClient { authority, id } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            let by = By::operator(&app.clock);
            anyhow::ensure!(sso::remove(&db, &id, &by).await?, "no application {id}");
            Ok(())
        }
        Command::AddProvider { authority, file, secret } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            add_provider(&app, &db, &file, secret).await
        }
        Command::RemoveProvider { authority, id, forget_links } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            provider::remove(&visit, &id, forget_links).await
        }
        Command::AddService { authority, file } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let declaration = links::Declaration::read(&file.display().to_string(), &text)?;
            let department = authorities::department(&db, &declaration.department).await?;
            anyhow::ensure!(department.is_some(), "no department {}", declaration.department);
            links::put(&db, &declaration, app.clock.now()).await?;
            Ok(())
        }
        Command::RemoveService { authority, id } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            anyhow::ensure!(links::remove(&visit, &id).await?, "no linked service {id}");
            Ok(())
        }
        Command::ImportReferences { authority, service, file, fewer } => {
            let visit = work::visit(&app, find(&app, &authority).await?).await?;
            import_references(&visit, &service, &file, fewer).await
        }
        Command::RotateKeys { authority } => {
            let db = app.db.for_authority(find(&app, &authority).await?);
            println!("signs from {}", sso::rotate(&db, &app.secret, &app.clock).await?);
            Ok(())
        }
        Command::Sweep => super::sweep(&app).await,
    }
}

pub(super) async fn find(app: &App, slug: &str) -> Result<Uuid> {
    let found: Option<Uuid> = app.db.first(sql!("select id from authority where slug = $1"), args![slug]).await?;
    found.with_context(|| format!("no authority {slug}"))
}

/// The password of standard input, hashed; none when nothing comes from there.
async fn given_password(known: &[&str]) -> Result<Option<String>> {
    let Some(typed) = typed_line()? else { return Ok(None) };
    accounts::check_password(&typed, known).map_err(|text| anyhow::anyhow!("{text}"))?;
    Ok(Some(accounts::hash(&typed).await?))
}

/// The first line of standard input, when it is no terminal and has one.
pub(super) fn typed_line() -> Result<Option<String>> {
    let mut typed = String::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_line(&mut typed)?;
    }
    Ok(Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty()))
}

#[derive(serde::Deserialize)]
struct File {
    slug: String,
    name: String,
    settings: Settings,
    departments: Vec<Department>,
}

async fn add_authority(app: &App, file: &std::path::Path, hosts: &[String]) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let found: File = serde_json::from_str(&text).with_context(|| format!("{}", file.display()))?;
    let id = app.clock.id();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    authorities::create(&app.db, id, &found.slug, &found.name, found.settings, &hosts, app.clock.now()).await?;
    let db = app.db.for_authority(id);
    for department in &found.departments {
        authorities::add_department(&db, department).await?;
    }
    let count = catalogue::publish(&db, &super::sources(&app.config)?, app.clock.now()).await?;
    println!("{} : {count} procedures published", found.name);
    Ok(())
}

async fn import_references(visit: &Visit, service: &str, file: &std::path::Path, fewer: bool) -> Result<()> {
    use tokio::io::AsyncReadExt;
    let service = links::find(&visit.db, service).await?.with_context(|| format!("no linked service {service}"))?;
    let mut input = tokio::fs::File::open(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    let told = |problem| anyhow::anyhow!("{problem:?}");
    let mut import = links::Import::begin(visit, &service).await.map_err(told)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let size = input.read(&mut piece).await?;
        let Some(read) = piece.get(..size).filter(|read| !read.is_empty()) else { break };
        import.push(read).await.map_err(told)?;
    }
    match import.end(fewer).await.map_err(told)? {
        links::Report::Loaded(count) => println!("{count} references"),
        links::Report::Wrong(mistakes, count) => {
            for mistake in mistakes {
                eprintln!("{}:{}: {}", file.display(), mistake.line, mistake.text);
            }
            anyhow::bail!("{count} mistakes: nothing was changed");
        }
        links::Report::Fewer { before, after } => {
            anyhow::bail!("{after} references instead of {before}: nothing was changed (--fewer if it is meant)");
        }
    }
    Ok(())
}

async fn add_client(app: &App, db: &db::Db, file: &std::path::Path, renew: bool) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let declaration = sso::Declaration::read(&file.display().to_string(), &text)?;
    let known = sso::client(db, &declaration.id).await?;
    let made = secret::token();
    let kept = match Secret::needed(&declaration, known.as_ref(), &made) {
        Secret::Keep if renew => Secret::New(&made),
        needed => needed,
    };
    let by = By::operator(&app.clock);
    anyhow::ensure!(
        sso::put(db, &declaration, kept, Expected::Anything, &by).await?,
        "somebody else declares {}: try again",
        declaration.id
    );
    println!("client_id {}", declaration.id);
    if let Some(secret) = kept.made() {
        println!("client_secret {secret}");
    }
    Ok(())
}

async fn add_provider(app: &App, db: &db::Db, file: &std::path::Path, secret: bool) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let declaration = provider::Declaration::read(&file.display().to_string(), &text)?;
    let mut line = String::new();
    if secret {
        std::io::stdin().read_line(&mut line)?;
        anyhow::ensure!(!line.trim().is_empty(), "the secret on standard input is empty");
    }
    let given = Some(line.trim()).filter(|secret| !secret.is_empty());
    provider::declare(db, &app.secret, &declaration, given, app.clock.now()).await?;
    println!("{} declared", declaration.id);
    Ok(())
}
