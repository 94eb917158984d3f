//! Reading scans in a process of its own: what comes from outside and is made to do harm harms that process only,
//! which has limits (see [`super::child`]), no settings, no network address and an empty environment.

use std::{
    io::{Cursor, SeekFrom},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::civil::Date;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    process::{Child, ChildStdout, Command},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::io::StreamReader;
use uuid::Uuid;

use super::{
    bound::{Head, head},
    child::{self, BROKEN, FORM, LOCKED},
    model::Part,
};
use crate::{
    platform::{attachment::Sender, storage::make_folder, upload::Received},
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
    #[error("the file holds answers to a form that cannot be drawn")]
    Form,
}

struct Running {
    child: Child,
    output: ChildStdout,
    /// Gives it the file.
    feeder: JoinHandle<Result<()>>,
}

impl Running {
    /// `guichet pages WHAT FIRST LAST`, given a file of storage.
    async fn start(visit: &Visit, file: Uuid, what: &str, pages: (i64, i64)) -> Result<Self> {
        let source = visit.app.storage.read(visit.site.id, file).await?;
        Self::given(visit, what, pages, StreamReader::new(source.map(|piece| piece.map_err(std::io::Error::other))))
            .await
    }

    /// The same, given what is read from `source`.
    async fn given<S>(visit: &Visit, what: &str, (first, last): (i64, i64), mut source: S) -> Result<Self>
    where
        S: AsyncRead + Send + Unpin + 'static,
    {
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
        let feeder = tokio::spawn(async move {
            let mut buffer = vec![0_u8; 64 * 1024];
            loop {
                let many = source.read(&mut buffer).await?;
                let piece = buffer.get(..many).unwrap_or_default();
                // It has all, or has ended: its code says why.
                if piece.is_empty() || input.write_all(piece).await.is_err() {
                    return Ok(());
                }
            }
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
            Some(code) if code == i32::from(FORM) => bail!(Failed::Form),
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

/// PDF on their way to be bound, one behind the other in a file that has no name.
#[derive(Debug)]
pub struct Sheaf {
    file: File,
    lengths: Vec<usize>,
}

impl Sheaf {
    pub async fn new(visit: &Visit) -> Result<Self> {
        Ok(Self { file: nameless(visit).await?, lengths: Vec::new() })
    }

    /// Bytes of all of them.
    pub fn size(&self) -> u64 {
        self.lengths.iter().map(|length| *length as u64).sum()
    }
}

/// A file that is gone once it is closed, however this program ends.
async fn nameless(visit: &Visit) -> Result<File> {
    let folder = visit.app.config.data.clone();
    let make = move || {
        make_folder(&folder)?;
        tempfile::tempfile_in(folder)
    };
    Ok(File::from_std(tokio::task::spawn_blocking(make).await??))
}

/// Puts the pages of a stored file, a PDF or an image, at the end of `sheaf`: how many they are.
///
/// # Errors
/// [`Failed`] when the file cannot be printed: the sheaf is as it was.
pub async fn print(visit: &Visit, file: Uuid, sheaf: &mut Sheaf) -> Result<usize> {
    let start = sheaf.size();
    let copied = patiently(async {
        let mut running = Running::start(visit, file, "print", (1, 1)).await?;
        let mut pages = [0; 4];
        let told = running.output.read_exact(&mut pages).await;
        let length = tokio::io::copy(&mut running.output, &mut sheaf.file).await?;
        sheaf.file.flush().await?;
        running.end().await?;
        told?;
        Ok((usize::try_from(u32::from_be_bytes(pages))?, usize::try_from(length)?))
    })
    .await;
    match copied {
        Ok((pages, length)) => {
            sheaf.lengths.push(length);
            Ok(pages)
        }
        Err(error) => {
            sheaf.file.set_len(start).await?;
            sheaf.file.seek(SeekFrom::Start(start)).await?;
            Err(error)
        }
    }
}

/// The whole file of a request: `data` of [`letters::REQUEST`], whose `files` are those of the sheaf. A file without
/// a name, at its start, and its size in bytes.
pub async fn bind(visit: &Visit, data: Json, day: Date, sheaf: Sheaf) -> Result<(File, u64)> {
    patiently(async {
        let Sheaf { mut file, lengths } = sheaf;
        file.seek(SeekFrom::Start(0)).await?;
        let source = Cursor::new(head(&Head { data, day, lengths })?).chain(file);
        let mut running = Running::given(visit, "bind", (1, 1), source).await?;
        let mut bound = nameless(visit).await?;
        let size = tokio::io::copy(&mut running.output, &mut bound).await?;
        bound.flush().await?;
        running.end().await?;
        bound.seek(SeekFrom::Start(0)).await?;
        Ok((bound, size))
    })
    .await
}
