//! Judging the chain of one authority: every line against its hash, every link against the one before, the end
//! against the signed head, and the whole against heads kept elsewhere.

use anyhow::Result;
use db::Db;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    chain::{Head, Kind, Point, Signer},
    store::{self, Link},
};
use crate::app::App;

const PAGE: i64 = 1_000;
/// Findings beyond these are counted, not told.
const MOST: usize = 50;
/// A line seals within seconds; one that waits for longer waits for somebody.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong, in order, in words.
    pub findings: Vec<String>,
    /// Lines whose content was verified, and those erased by us.
    pub lines: i64,
    pub erased: i64,
    /// Where the chain is kept from, and how far it goes.
    pub from: i64,
    pub to: i64,
    /// Heads kept elsewhere that were compared.
    pub compared: usize,
    more: usize,
}

impl Report {
    fn find(&mut self, text: String) {
        if self.findings.len() < MOST {
            self.findings.push(text);
        } else {
            self.more += 1;
        }
    }

    pub fn good(&self) -> bool {
        self.findings.is_empty()
    }

    fn close(mut self) -> Self {
        if self.more > 0 {
            self.findings.push(format!("and {} more", self.more));
        }
        self
    }
}

/// Verifies the journal of an authority. `outside`: heads of this authority that were kept elsewhere.
///
/// # Errors
/// When the database does not answer: nothing is known then.
pub async fn verify(app: &App, authority: Uuid, outside: &[Head]) -> Result<Report> {
    let db = app.db.for_authority(authority).fresh();
    loop {
        let checkpoint = store::head(&db, Kind::Checkpoint).await?;
        let report = once(app, &db, authority, checkpoint.clone(), outside).await?;
        // A worker that puts lines away meanwhile makes them look removed.
        if store::head(&db, Kind::Checkpoint).await? == checkpoint {
            return Ok(report);
        }
    }
}

async fn once(app: &App, db: &Db, authority: Uuid, checkpoint: Option<Head>, outside: &[Head]) -> Result<Report> {
    let signer = Signer::of(&app.secret)?;
    let mut report = Report::default();
    let head = store::head(db, Kind::Head).await?;
    if let Some(head) = head.as_ref().filter(|head| !head.good(&signer, authority, Kind::Head)) {
        report.find(format!("forged head: the signature of head {} is not this installation's", head.seq));
    }
    if let Some(checkpoint) = checkpoint.as_ref().filter(|one| !one.good(&signer, authority, Kind::Checkpoint)) {
        report.find(format!(
            "forged checkpoint: the signature of checkpoint {} is not this installation's",
            checkpoint.seq
        ));
    }
    let start = checkpoint.map_or_else(|| Point::origin(authority), |one| one.point());
    let last = head.as_ref().map_or(start.seq, |head| head.seq);
    (report.from, report.to) = (start.seq + 1, last);
    let mut walk = Walk { signer: &signer, authority, point: start.clone(), outside: Outside::new(outside), report };
    walk.compare();
    loop {
        let links = store::links(db, walk.point.seq, last, PAGE).await?;
        let Some(end) = links.last() else { break };
        let end = end.seq;
        for link in &links {
            walk.link(link);
        }
        if end >= last {
            break;
        }
    }
    if walk.point.seq < last {
        walk.report.find(format!("removed: lines {} to {last} are missing", walk.point.seq + 1));
    }
    walk.end(head.as_ref());
    let mut report = walk.report;
    around(db, last, head.as_ref(), app.clock.now(), &mut report).await?;
    for line in outside {
        compare_outside(&signer, authority, line, &start, last, &mut report);
    }
    Ok(report.close())
}

/// Heads kept elsewhere, by number, as the chain passes them.
struct Outside<'a> {
    waiting: Vec<&'a Head>,
    /// The last place where both agreed.
    agreed: i64,
    differed: bool,
}

impl<'a> Outside<'a> {
    fn new(heads: &'a [Head]) -> Self {
        let mut waiting: Vec<&Head> = heads.iter().collect();
        waiting.sort_by_key(|head| std::cmp::Reverse(head.seq));
        Self { waiting, agreed: 0, differed: false }
    }
}

struct Walk<'a> {
    signer: &'a Signer,
    authority: Uuid,
    /// After the last link seen.
    point: Point,
    outside: Outside<'a>,
    report: Report,
}

impl Walk<'_> {
    fn link(&mut self, link: &Link) {
        let expected = self.point.seq + 1;
        if link.seq == expected + 1 {
            self.report.find(format!("removed: line {expected} is missing"));
        } else if link.seq > expected {
            self.report.find(format!("removed: lines {expected} to {} are missing", link.seq - 1));
        }
        self.line(link);
        self.point = Point { seq: link.seq - 1, hash: std::mem::take(&mut self.point.hash) }.then(&link.hash);
        self.compare();
    }

    /// A line against its own link.
    fn line(&mut self, link: &Link) {
        let seq = link.seq;
        match (&link.line, &link.erased) {
            (Some(line), None) if line.hash(self.authority)[..] == link.hash[..] => self.report.lines += 1,
            (Some(line), _) => {
                self.report
                    .find(format!("edited: line {seq} (written {}, id {}) is not what was sealed", line.at, line.id));
            }
            (None, Some(word)) if self.signer.knows_erased(self.authority, seq, &link.hash, word) => {
                self.report.erased += 1;
            }
            (None, Some(_)) => {
                self.report.find(format!("removed: line {seq} passes for erased, and nobody here erased it"));
            }
            (None, None) => self.report.find(format!("removed: the content of line {seq} (id {}) is gone", link.entry)),
        }
    }

    /// Compares with the heads kept elsewhere that stand right here.
    fn compare(&mut self) {
        while let Some(head) = self.outside.waiting.last() {
            if head.seq > self.point.seq {
                break;
            }
            if head.seq == self.point.seq && !self.outside.differed {
                self.report.compared += 1;
                if head.hash == self.point.hash {
                    self.outside.agreed = head.seq;
                } else {
                    self.outside.differed = true;
                    self.report.find(format!(
                        "rewritten: between lines {} and {} the chain is not the one whose head was kept on {}",
                        self.outside.agreed + 1,
                        head.seq,
                        head.at
                    ));
                }
            }
            self.outside.waiting.pop();
        }
    }

    fn end(&mut self, head: Option<&Head>) {
        match head {
            Some(head) if head.seq == self.point.seq && head.hash != self.point.hash => {
                self.report
                    .find(format!("rewritten: the links up to line {} do not lead to the signed head", head.seq));
            }
            Some(head) if head.seq < self.point.seq => {
                let from = self.point.seq;
                self.report.find(format!(
                    "taken back: the head stands at line {}, before line {from} where the chain begins",
                    head.seq
                ));
            }
            None if self.point.seq > 0 => {
                self.report.find(format!("removed: the head is gone, the chain goes to line {}", self.point.seq));
            }
            _ => {}
        }
    }
}

/// What stands beside the chain and must not.
async fn around(db: &Db, last: i64, head: Option<&Head>, now: Timestamp, report: &mut Report) -> Result<()> {
    // Links after a head that has moved meanwhile are a worker's.
    let beyond = store::links(db, last, i64::MAX, 1).await?;
    if let Some(link) = beyond.first()
        && store::head(db, Kind::Head).await?.map(|head| head.seq) == head.map(|head| head.seq)
    {
        report.find(format!("cut or forged: line {} and what follows are after the signed head ({last})", link.seq));
    }
    let unlinked = store::unlinked(db).await?;
    if unlinked > 0 {
        report.find(format!("added or unchained: {unlinked} lines pass for sealed and have no link"));
    }
    let forgotten = store::forgotten(db, now.checked_sub(PATIENCE).unwrap_or(now)).await?;
    if forgotten > 0 {
        report.find(format!(
            "not sealed: {forgotten} lines have waited for more than ten minutes (is a worker running?)"
        ));
    }
    Ok(())
}

/// What only a head kept elsewhere can tell.
fn compare_outside(signer: &Signer, authority: Uuid, line: &Head, start: &Point, last: i64, report: &mut Report) {
    if !line.good(signer, authority, Kind::Head) {
        report
            .find(format!("forged: the head of {} kept elsewhere (line {}) has another signature", line.at, line.seq));
    } else if line.seq > last {
        report.find(format!(
            "cut or taken back: on {} the journal went to line {}, now it ends at line {last}",
            line.at, line.seq
        ));
    } else if line.seq < start.seq {
        tracing::debug!(seq = line.seq, "a head kept elsewhere is older than the checkpoint");
    }
}
