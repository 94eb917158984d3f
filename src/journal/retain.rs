//! The end of retention: the oldest lines go, and a signed checkpoint says where the chain is kept from.

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    chain::{Head, Kind, Point, Signer},
    store::{self, Link},
};
use crate::app::App;

/// How long a line is kept: a year, the most that CNIL recommends for the traces of accesses when no other law
/// asks for more (délibération 2021-122: six months to a year). What became of a request stays in its history.
pub const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Links looked at, and put away, in one transaction.
const BATCH: i64 = 500;

/// Puts away what is too old; gives how many lines.
///
/// # Errors
/// When what is to be put away is not what was sealed: putting it away would hide that, so it stays.
pub async fn retain(app: &App, authority: Uuid) -> Result<i64> {
    let db = app.db.for_authority(authority).fresh();
    let signer = Signer::of(&app.secret)?;
    let limit = app.clock.now().checked_sub(KEPT)?;
    let mut gone = 0;
    loop {
        let before = store::head(&db, Kind::Checkpoint).await?;
        let from = match &before {
            Some(head) => {
                ensure!(head.good(&signer, authority, Kind::Checkpoint), "the checkpoint of the journal is forged");
                head.point()
            }
            None => Point::origin(authority),
        };
        let links = store::links(&db, from.seq, i64::MAX, BATCH).await?;
        let Some(to) = oldest(&signer, authority, &from, &links, limit)? else { return Ok(gone) };
        gone += to.seq - from.seq;
        let next = Head::sign(&signer, authority, Kind::Checkpoint, to, app.clock.now());
        let won = db
            .write(async |tx: &mut db::Tx| {
                let won = store::advance(tx, Kind::Checkpoint, before.as_ref(), &next).await?;
                if won {
                    store::put_away(tx, next.seq).await?;
                }
                Ok::<bool, db::Error>(won)
            })
            .await?;
        if !won {
            return Ok(gone);
        }
    }
}

/// The last of the links that begin the chain and are older than `limit`; an erased one has no age and goes
/// with what comes after it.
fn oldest(signer: &Signer, authority: Uuid, from: &Point, links: &[Link], limit: Timestamp) -> Result<Option<Point>> {
    let (mut point, mut old) = (from.clone(), None);
    for link in links {
        let seq = link.seq;
        ensure!(seq == point.seq + 1, "line {} of the journal is missing", point.seq + 1);
        point = point.then(&link.hash);
        match (&link.line, &link.erased) {
            (Some(line), None) => {
                ensure!(line.hash(authority)[..] == link.hash[..], "line {seq} of the journal was edited");
                if line.at >= limit {
                    break;
                }
                old = Some(point.clone());
            }
            (None, Some(word)) => {
                ensure!(signer.knows_erased(authority, seq, &link.hash, word), "line {seq} of the journal was removed");
            }
            _ => anyhow::bail!("line {seq} of the journal was removed"),
        }
    }
    Ok(old)
}
