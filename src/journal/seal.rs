//! The sealer: chains the lines that wait, each authority apart. Any number of workers may run it: who moves
//! the head from where both read it wins, the other writes nothing.

use std::{io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{
    chain::{Head, Kind, Point, Signer},
    store,
};
use crate::app::App;

/// How often a worker looks for lines to seal: until then, who writes to the database can change them unseen.
pub const PERIOD: SignedDuration = SignedDuration::from_secs(2);
/// Lines of one transaction.
const BATCH: i64 = 200;

/// Seals all that waits; gives how many lines. One authority's trouble does not hold up the others.
///
/// # Errors
/// When the database does not answer.
pub async fn seal(app: &App) -> Result<usize> {
    let mut sealed = 0;
    for authority in store::waiting(&app.db.fresh()).await? {
        loop {
            match batch(app, authority).await {
                Ok(0) => break,
                Ok(many) => sealed += many,
                Err(error) => {
                    tracing::error!(%authority, error = format!("{error:#}"), "the journal is not sealed");
                    break;
                }
            }
        }
    }
    Ok(sealed)
}

/// One batch; 0 when nothing waits, or another worker was faster.
async fn batch(app: &App, authority: Uuid) -> Result<usize> {
    let db = app.db.for_authority(authority).fresh();
    let signer = Signer::of(&app.secret)?;
    let before = store::head(&db, Kind::Head).await?;
    // A head that we did not sign must not be made good by ours.
    let from = match &before {
        Some(head) => {
            ensure!(head.good(&signer, authority, Kind::Head), "its head is forged, or another secret signed it");
            head.point()
        }
        None => Point::origin(authority),
    };
    let waiting = store::unsealed(&db, BATCH).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let lines: Vec<(Uuid, [u8; 32])> = waiting.iter().map(|line| (line.id, line.hash(authority))).collect();
    let end = lines.iter().fold(from.clone(), |point, (_, hash)| point.then(hash));
    let head = Head::sign(&signer, authority, Kind::Head, end, app.clock.now());
    let won = db
        .write(async |tx: &mut db::Tx| {
            let won = store::advance(tx, Kind::Head, before.as_ref(), &head).await?;
            if won {
                store::link(tx, from.seq, &lines).await?;
            }
            Ok::<bool, db::Error>(won)
        })
        .await?;
    if !won {
        return Ok(0);
    }
    let path = app.config.journal.heads.clone();
    if !path.as_os_str().is_empty() {
        let line = head.line(authority);
        // The chain has moved: what could not be written is covered by the next line.
        if let Err(error) = tokio::task::spawn_blocking(move || append(&path, &line)).await? {
            tracing::error!(error = format!("{error:#}"), "journal.heads cannot be written");
        }
    }
    Ok(lines.len())
}

fn append(path: &Path, line: &str) -> Result<()> {
    let named = || format!("{}", path.display());
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).with_context(named)?;
    // One write: lines of several workers do not mix.
    file.write_all(format!("{line}\n").as_bytes()).with_context(named)?;
    file.sync_all().with_context(named)
}
