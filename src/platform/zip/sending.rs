//! ZIP files made as they leave.

use std::io::Write;

use anyhow::{Context, ensure};
use axum::response::Response;
use bytes::Bytes;
use flate2::{Compression, Crc, write::DeflateEncoder};
use futures_util::{Stream, StreamExt, stream};
use jiff::civil::Date;

use super::{Entry, Zip};
use crate::platform::attachment::{self, Sender};

/// A ZIP file on its way to a browser.
pub struct Out {
    zip: Zip,
    sender: Sender,
}

/// A compressed file that is being written.
pub struct Deflated {
    path: String,
    day: Date,
    crc: Crc,
    encoder: DeflateEncoder<Vec<u8>>,
    packed: u64,
}

/// Compressed bytes that leave together.
const PIECE: usize = 32 * 1024;

impl Out {
    /// Sends one file, a piece at a time.
    ///
    /// # Errors
    /// The content cannot be read, is not as long as announced, or nobody receives any more.
    pub async fn file<E: Into<anyhow::Error>>(
        &mut self,
        entry: &Entry,
        mut content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> anyhow::Result<()> {
        self.sender.send(Ok(self.zip.begin(entry))).await?;
        let mut left = u64::from(entry.size);
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(Into::into)?;
            left = left.checked_sub(piece.len() as u64).context("longer than announced")?;
            self.sender.send(Ok(piece)).await?;
        }
        ensure!(left == 0, "shorter than announced");
        Ok(())
    }

    /// Sends a file made here.
    ///
    /// # Errors
    /// It is too long, or nobody receives any more.
    pub async fn bytes(&mut self, path: &str, day: Date, bytes: Vec<u8>) -> anyhow::Result<()> {
        let mut crc = Crc::new();
        crc.update(&bytes);
        let entry = Entry { path: path.to_owned(), size: u32::try_from(bytes.len())?, crc: crc.sum(), day };
        self.file(&entry, stream::iter([anyhow::Ok(Bytes::from(bytes))])).await
    }

    /// Begins a compressed file, of which only a piece is in memory at a time.
    ///
    /// # Errors
    /// Nobody receives any more; here and below.
    pub async fn open(&mut self, path: &str, day: Date) -> anyhow::Result<Deflated> {
        let (path, head) = self.zip.open(path, day);
        self.sender.send(Ok(head)).await?;
        Ok(Deflated {
            path,
            day,
            crc: Crc::new(),
            encoder: DeflateEncoder::new(Vec::new(), Compression::fast()),
            packed: 0,
        })
    }

    pub async fn write(&mut self, file: &mut Deflated, content: &[u8]) -> anyhow::Result<()> {
        file.crc.update(content);
        file.encoder.write_all(content)?;
        if file.encoder.get_ref().len() >= PIECE {
            self.send(file).await?;
        }
        Ok(())
    }

    /// # Errors
    /// The file is beyond 4 GB, too.
    pub async fn close(&mut self, mut file: Deflated) -> anyhow::Result<()> {
        file.encoder.try_finish()?;
        self.send(&mut file).await?;
        let size = file.encoder.total_in();
        let sizes = (u32::try_from(file.packed)?, u32::try_from(size)?);
        let end = self.zip.close(&file.path, file.day, file.crc.sum(), sizes);
        self.sender.send(Ok(end)).await?;
        Ok(())
    }

    async fn send(&mut self, file: &mut Deflated) -> anyhow::Result<()> {
        let piece = std::mem::take(file.encoder.get_mut());
        file.packed += piece.len() as u64;
        self.sender.send(Ok(piece.into())).await?;
        Ok(())
    }

    /// Sends the list of what was sent, by which an archive ends.
    pub async fn end(self) -> anyhow::Result<()> {
        self.sender.send(Ok(self.zip.end())).await?;
        Ok(())
    }
}

/// A download called `name`, filled while it leaves: of its content four pieces at most wait in memory.
/// It is cut short when `fill` fails, so that nobody takes it for whole.
pub fn download<F>(name: &str, fill: impl FnOnce(Out) -> F) -> Response
where
    F: Future<Output = anyhow::Result<Out>> + Send + 'static,
{
    attachment::streamed(name, "application/zip", |sender| {
        let filled = fill(Out { zip: Zip::default(), sender });
        async { filled.await?.end().await }
    })
}

/// An archive whose pieces go to `sender`: to be ended with [`Out::end`].
pub fn out(sender: Sender) -> Out {
    Out { zip: Zip::default(), sender }
}
