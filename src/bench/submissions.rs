//! Whole submissions: the two pages of questions, the check page, then all that follows (message
//! delivered, receipt rendered), beside a bare transaction that writes what a submission leaves.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use db::{Query, args, sql};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    process,
    rows::Rows,
    site::Site,
    smtp::Sink,
    wire::{Wire, post},
};
use crate::platform::{clock::Clock, jobs};

/// People sending at the same time.
const PEOPLE: usize = 8;
const FIRST: [(&str, &str); 11] = [
    ("salle", "grande"),
    ("occasion", "Anniversaire de mariage"),
    ("debut.jour", "12"),
    ("debut.mois", "6"),
    ("debut.annee", "2027"),
    ("personnes", "120"),
    ("materiel", "tables"),
    ("materiel", "sono"),
    ("traiteur", "oui"),
    ("remarques", "Nous aimerions venir la veille pour décorer la salle, si c’est possible. Merci."),
    ("_vus", "salle,occasion,debut,personnes,materiel,traiteur,remarques"),
];
const LAST: [(&str, &str); 10] = [
    ("demandeur.nom_naissance", "Lefèvre"),
    ("demandeur.prenoms", "Camille"),
    ("adresse.numero_voie", "12 rue des Tanneurs"),
    ("adresse.code_postal", "63100"),
    ("adresse.commune", "Valmont"),
    ("courriel", "camille.lefevre@exemple.fr"),
    ("telephone", "06 39 98 12 34"),
    ("qualite", "association"),
    ("association", "Les Amis du Pressoir"),
    ("_vus", "demandeur,adresse,courriel,telephone,qualite,association"),
];
/// Name of the second page in addresses.
pub const LAST_PAGE: &str = "vous";

pub struct Measured {
    /// Submissions a second, over bare transactions a second.
    pub ratio: f64,
    /// Milliseconds of processor for each; none when the database's processes cannot be seen.
    pub cpu_ms: Option<f64>,
}

/// Sends the first page of a new request; gives the draft's id and the session's cookie.
pub async fn draft(address: SocketAddr) -> Result<(Uuid, String)> {
    begin(&mut Wire::connect(address).await?).await
}

async fn begin(wire: &mut Wire) -> Result<(Uuid, String)> {
    let id = Clock::System.id();
    let answer = wire.send(&post(&format!("/demarches/mesure/remplir?brouillon={id}"), "", &FIRST)).await?;
    let cookie = answer
        .expect(303)?
        .header("set-cookie")
        .and_then(|cookie| cookie.split(';').next())
        .context("no session")?
        .to_owned();
    leads(answer.header("location"), LAST_PAGE)?;
    Ok((id, cookie))
}

async fn submission(wire: &mut Wire) -> Result<Uuid> {
    let (id, cookie) = begin(wire).await?;
    let base = format!("/brouillons/{id}");
    let answer = wire.send(&post(&format!("{base}/{LAST_PAGE}"), &cookie, &LAST)).await?;
    leads(answer.expect(303)?.header("location"), "verifier")?;
    let answer = wire.send(&post(&format!("{base}/verifier"), &cookie, &[("declaration", "oui")])).await?;
    leads(answer.expect(303)?.header("location"), "envoyee")?;
    Ok(id)
}

fn leads(to: Option<&str>, end: &str) -> Result<()> {
    ensure!(to.is_some_and(|to| to.ends_with(end)), "sent to {to:?} instead of …/{end}");
    Ok(())
}

pub async fn measure(site: &Site, mails: &Sink, time: Duration) -> Result<Measured> {
    let before = mails.taken();
    let sample = submission(&mut Wire::connect(site.address).await?).await?;
    settled(site).await?;
    let rows = Rows::of(&site.db, sample).await?;
    // Half before, half after: a busy moment of the machine meets both.
    let mut bare = each_second(PEOPLE, time / 2, |end| rows.clone().write_until(end)).await?;
    let database = postmaster(site).await?;
    let used = || {
        process::cpu(site.pid().ok()?)
            .zip(database.map_or(Some(Duration::ZERO), |pid| pid.and_then(process::cpu_of_family)))
    };
    let (cpu, begun) = (used(), Instant::now());
    let address = site.address;
    let count = all(PEOPLE, time, |end| people(address, end)).await?;
    settled(site).await?;
    let (rate, cpu_after) = (f64::from(count) / begun.elapsed().as_secs_f64(), used());
    bare = f64::midpoint(bare, each_second(PEOPLE, time / 2, |end| rows.clone().write_until(end)).await?);
    let mailed = mails.taken() - before;
    ensure!(mailed == usize::try_from(count)? + 1, "{mailed} messages for {count} submissions and one");
    tracing::info!(count, rate, bare, "submissions");
    let cpu_ms = cpu.zip(cpu_after).map(|((server, database), (server_after, database_after))| {
        let used = (server_after - server) + (database_after - database);
        used.as_secs_f64() * 1000.0 / f64::from(count)
    });
    Ok(Measured { ratio: rate / bare, cpu_ms })
}

async fn people(address: SocketAddr, end: Instant) -> Result<u32> {
    let mut wire = Wire::connect(address).await?;
    let mut count = 0;
    while Instant::now() < end {
        submission(&mut wire).await?;
        count += 1;
    }
    Ok(count)
}

/// Runs as many of `work` at the same time, until `time` is over; adds up what they did.
async fn all<F: Future<Output = Result<u32>> + Send + 'static>(
    many: usize,
    time: Duration,
    work: impl Fn(Instant) -> F,
) -> Result<u32> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..many {
        tasks.spawn(work(end));
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    Ok(count)
}

async fn each_second<F: Future<Output = Result<u32>> + Send + 'static>(
    many: usize,
    time: Duration,
    work: impl Fn(Instant) -> F,
) -> Result<f64> {
    let begun = Instant::now();
    let count = all(many, time, work).await?;
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// Waits until nothing is left to be done.
async fn settled(site: &Site) -> Result<()> {
    while jobs::pending(&site.db).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let failed: i64 = site
        .db
        .one(
            sql!("select count(*) from job where authority_id = $1 and failed_at is not null"),
            args![site.db.authority()],
        )
        .await?;
    ensure!(failed == 0, "{failed} jobs failed");
    Ok(())
}

/// The process of PostgreSQL that all of its others are children of: none at all on SQLite, unknown
/// when the server is on another machine.
async fn postmaster(site: &Site) -> Result<Option<Option<u32>>> {
    if !site.is_postgres() {
        return Ok(None);
    }
    // Not `sql!`, which both engines must understand.
    let backend: i32 = site.db.one(Query::new("select pg_backend_pid()"), args![]).await?;
    Ok(Some(u32::try_from(backend).ok().and_then(process::parent)))
}
