//! Reading scans in a process of its own: what comes from outside and is made to do harm harms that process only,
//! which has limits (see [`super::child`]), no settings, no network address and an empty environment.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdout, Command},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use super::{
    child::{self, BROKEN, LOCKED},
    model::Part,
};
use crate::{
    platform::{attachment::Sender, upload::Received},
    visit::Visit,
};

/// At once: each may take the memory of a whole batch.
static TURNS: Semaphore = Semaphore::const_new(2);
/// A job has to end within its lease. Longer than a child may compute: one that is not done by then had to wait, and
/// may do better another time.
const PATIENCE: Duration = Duration::from_secs(100);
/// Largest answer that is kept in memory: pictures of [`super::jobs::AT_ONCE`] pages.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What is wrong with the file, and will be the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("a password protects the file")]
    Locked,
    #[error("the file cannot be read, or it took too much to")]
    Broken,
}

struct Running {
    child: Child,
    output: ChildStdout,
    /// Gives it the file.
    feeder: JoinHandle<Result<()>>,
}

impl Running {
    /// `guichet pages WHAT FIRST LAST`, given the file.
    async fn start(visit: &Visit, file: Uuid, what: &str, (first, last): (i64, i64)) -> Result<Self> {
        let own = &visit.app.config.program;
        let program = if own.as_os_str().is_empty() { std::env::current_exe()? } else { own.clone() };
        let mut child = Command::new(program)
            .args(["pages", what, &first.to_string(), &last.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the program that reads scans")?;
        let (mut input, output) = child.stdin.take().zip(child.stdout.take()).context("no pipe")?;
        let mut source = visit.app.storage.read(visit.site.id, file).await?;
        let feeder = tokio::spawn(async move {
            while let Some(chunk) = source.next().await {
                // It has ended: its code says why.
                if input.write_all(&chunk?).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(Self { child, output, feeder })
    }

    async fn end(mut self) -> Result<()> {
        drop(self.output);
        let status = self.child.wait().await?;
        // Half a file says nothing of the whole.
        self.feeder.await?.context("a scan cannot be taken out of storage")?;
        if asked_to_end(status) {
            bail!("reading a scan was interrupted");
        }
        match status.code() {
            Some(0) => Ok(()),
            Some(code) if code == i32::from(LOCKED) => bail!(Failed::Locked),
            Some(code) if code == i32::from(BROKEN) => bail!(Failed::Broken),
            // A panic, or killed by a limit: this file again would end no better.
            Some(101) | None => bail!(Failed::Broken),
            Some(code) => bail!("reading a scan ended with {code}"),
        }
    }

    async fn whole(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.output).take(LARGEST).read_to_end(&mut bytes).await?;
        self.end().await?;
        Ok(bytes)
    }
}

/// The machine or the service stops.
#[cfg(unix)]
fn asked_to_end(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const HANG_UP: i32 = 1;
    const INTERRUPT: i32 = 2;
    const TERMINATE: i32 = 15;
    matches!(status.signal(), Some(HANG_UP | INTERRUPT | TERMINATE))
}

#[cfg(not(unix))]
fn asked_to_end(_: ExitStatus) -> bool {
    false
}

/// In its turn, and within [`PATIENCE`] from then on.
async fn patiently<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let _turn = TURNS.acquire().await?;
    timeout(PATIENCE, work).await.context("reading a scan took too long")?
}

/// How many pages a PDF has.
pub async fn count(visit: &Visit, file: Uuid) -> Result<usize> {
    let read = async { Running::start(visit, file, "count", (1, 1)).await?.whole().await };
    let text = patiently(read).await?;
    Ok(String::from_utf8(text)?.parse()?)
}

/// Pictures of pages of a file, none of those that cannot be drawn.
pub async fn draw(visit: &Visit, part: Part) -> Result<Vec<Option<scans::Picture>>> {
    let read = async { Running::start(visit, part.file, "draw", (part.first, part.last)).await?.whole().await };
    Ok(child::frames(&patiently(read).await?).ok_or(Failed::Broken)?)
}

/// Some pages of a PDF as a file of their own, kept in storage under no name yet.
pub async fn cut(visit: &Visit, part: Part, name: &str) -> Result<Received> {
    patiently(async {
        let mut running = Running::start(visit, part.file, "cut", (part.first, part.last)).await?;
        let id = visit.id();
        let mut writer = visit.app.storage.writer(visit.site.id, id);
        let (mut size, mut hash, mut buffer) = (0_u64, Sha256::new(), vec![0_u8; 256 * 1024]);
        loop {
            let many = running.output.read(&mut buffer).await?;
            let piece = buffer.get(..many).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            size += piece.len() as u64;
            hash.update(piece);
            writer.write(Bytes::copy_from_slice(piece)).await?;
        }
        if let Err(failed) = running.end().await {
            writer.give_up().await;
            return Err(failed);
        }
        writer.keep().await?;
        let sha256 = hash.finalize().to_vec();
        Ok(Received { id, name: name.to_owned(), media_type: "application/pdf", size, sha256 })
    })
    .await
}

/// The same, on its way to a browser, which may be slow: the part is made first, and lends its turn to others.
pub async fn stream(visit: Visit, part: Part, sender: Sender) -> Result<()> {
    let made = cut(&visit, part, "").await?;
    let mut source = visit.app.storage.read(visit.site.id, made.id).await?;
    while let Some(piece) = source.next().await {
        // Nobody reads any more.
        if sender.send(Ok(piece?)).await.is_err() {
            break;
        }
    }
    visit.app.storage.remove(visit.site.id, made.id).await
}

/// A whole file once more, as it is.
pub async fn copy(visit: &Visit, file: Uuid, name: &str, media_type: &'static str) -> Result<Received> {
    let id = visit.id();
    let mut source = visit.app.storage.read(visit.site.id, file).await?;
    let mut writer = visit.app.storage.writer(visit.site.id, id);
    let (mut size, mut hash) = (0_u64, Sha256::new());
    while let Some(piece) = source.next().await {
        let piece = piece?;
        size += piece.len() as u64;
        hash.update(&piece);
        writer.write(piece).await?;
    }
    writer.keep().await?;
    Ok(Received { id, name: name.to_owned(), media_type, size, sha256: hash.finalize().to_vec() })
}
