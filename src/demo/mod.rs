//! `guichet demo`: the sample city of Valmont, 140,000 inhabitants, made afresh each time, with
//! agents, usagers and requests in every state. Without mail server its mails are shown as pages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use axum::{Router, extract::Path, response::Response, routing::get};
use clap::Args;
use db::{args, row, sql};
use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    app::App,
    cli,
    error::Problem,
    platform::{clock::Clock, config::Config},
    visit::Visitor,
};

mod acting;
mod answers;
mod approvals;
mod city;
mod decisions;
mod figures;
mod internal;
mod requests;
mod services;

/// The same for every demo account; fit for nothing else.
pub const PASSWORD: &str = "Valmont-2026-demo";

#[derive(Args)]
pub struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Folder of the sample data, erased first. Default: a folder of the system's temporary ones.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Print the address and the accounts as one line of JSON.
    #[arg(long)]
    json: bool,
    /// How many requests to make.
    #[arg(long, default_value_t = 300)]
    requests: usize,
}

pub async fn run(options: Options, mut config: Config) -> Result<()> {
    let listener =
        TcpListener::bind(&options.listen).await.with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = format!("http://{}", listener.local_addr()?).replace("127.0.0.1", "localhost");
    config.data = options.data.unwrap_or_else(|| std::env::temp_dir().join("guichet-demo"));
    clean(&config.data)?;
    config.public_url.clone_from(&address);
    // Plain HTTP on this machine: a browser would refuse our usual cookies.
    config.secure_cookies = false;
    if config.database != "sqlite:" {
        config.database = "sqlite:".to_owned();
    }
    let app = App::open(config, Clock::System, true).await?;
    let accounts = fill(&app, options.requests).await?;
    told(&address, &accounts, options.json)?;
    cli::serve::on(app, listener).await
}

/// Makes the city and its requests in an empty database; gives the accounts to print.
pub async fn fill(app: &App, count: usize) -> Result<Vec<Json>> {
    let city = city::read()?;
    let visit = city::found(app, &city).await?;
    services::make(&visit).await?;
    requests::make(&visit, &city, count).await?;
    if count > 0 {
        acting::make(&visit, &city).await?;
        figures::make(&visit).await?;
    }
    Ok(city::accounts(&city))
}

/// Erases an earlier sample city, and nothing that does not look like one.
fn clean(data: &std::path::Path) -> Result<()> {
    const MARK: &str = "demo-guichet";
    if data.exists() {
        let ours = data.join(MARK).exists() || data.read_dir()?.next().is_none();
        anyhow::ensure!(ours, "{} is not the folder of a demo: name an empty one with --data", data.display());
        std::fs::remove_dir_all(data).with_context(|| format!("cannot erase {}", data.display()))?;
    }
    std::fs::create_dir_all(data)?;
    std::fs::write(data.join(MARK), "")?;
    Ok(())
}

fn told(address: &str, accounts: &[Json], as_json: bool) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", json!({"address": address, "accounts": accounts}))?;
    } else {
        let text = |account: &Json, key: &str| account.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        writeln!(out, "Ville de Valmont (démonstration) : {address}\n")?;
        for account in accounts {
            writeln!(out, "  {:<46} {}", text(account, "email"), text(account, "label"))?;
        }
        writeln!(out, "\n  Mot de passe de tous ces comptes : {PASSWORD}")?;
        writeln!(out, "  Espace des agents : {address}/agent")?;
        writeln!(out, "  Courriels envoyés : {address}/demo/courriels\n\nCtrl-C pour arrêter.")?;
    }
    out.flush()?;
    Ok(())
}

pub fn routes() -> Router<App> {
    Router::new().route("/demo/courriels", get(mails)).route("/demo/courriels/{mail}", get(mail))
}

row! {
    struct Kept {
        id: Uuid,
        recipient: String,
        subject: String,
        body: String,
        at: Timestamp,
    }
}

async fn mails(visitor: Visitor) -> Result<Response, Problem> {
    let kept: Vec<Kept> = visitor
        .db
        .all(
            sql!("select id, recipient, subject, '' as body, at from outbox where authority_id = $1 order by at desc limit 200"),
            args![visitor.db.authority()],
        )
        .await?;
    let mails: Vec<Json> =
        kept.iter().map(|mail| json!({"href": format!("/demo/courriels/{}", mail.id), "to": mail.recipient, "subject": mail.subject, "date": mail.at.to_string()})).collect();
    visitor.page("demo/mails.html", "Courriels envoyés", context! { mails => Serde(mails) })
}

async fn mail(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let found: Option<Kept> = visitor
        .db
        .first(
            sql!("select id, recipient, subject, body, at from outbox where authority_id = $1 and id = $2"),
            args![visitor.db.authority(), id],
        )
        .await?;
    let mail = found.ok_or(Problem::NotFound)?;
    let lines: Vec<Json> = mail
        .body
        .lines()
        .map(|line| json!({"text": line, "href": if line.starts_with("http") { line } else { "" }}))
        .collect();
    let context = context! { mail => Serde(json!({"to": mail.recipient, "subject": mail.subject, "date": mail.at.to_string(), "lines": lines, "text": mail.body})) };
    visitor.page("demo/mail.html", &mail.subject, context)
}
