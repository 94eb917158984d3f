//! Looking for viruses with clamd while a file passes by (INSTREAM, clamd(8)): what is found, or what
//! could not be looked at, is not kept.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::upload::Sink;

const PATIENCE: Duration = Duration::from_secs(20);

/// What clamd says against a file.
#[derive(Debug, thiserror::Error)]
pub enum Verdict {
    #[error("a virus was found: {0}")]
    Infected(String),
    #[error("clamd cannot be asked")]
    Unavailable(#[source] anyhow::Error),
}

/// A sink that shows to clamd all that goes to another.
pub struct Scanned<S> {
    inner: S,
    /// Empty: nobody looks.
    address: String,
    stream: Option<TcpStream>,
}

impl<S: Sink> Scanned<S> {
    pub fn new(inner: S, address: &str) -> Self {
        Self { inner, address: address.to_owned(), stream: None }
    }

    async fn tell(&mut self, chunk: &[u8]) -> Result<()> {
        if self.stream.is_none() {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(b"zINSTREAM\0").await?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().context("no connection")?;
        stream.write_all(&u32::try_from(chunk.len())?.to_be_bytes()).await?;
        stream.write_all(chunk).await?;
        Ok(())
    }

    /// `stream: OK`, `stream: Name FOUND`, `INSTREAM size limit exceeded. ERROR`…
    async fn answer(&mut self) -> Result<String> {
        self.tell(&[]).await?;
        let mut answer = Vec::new();
        self.stream.as_mut().context("no connection")?.take(4096).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\0', '\n']).to_owned())
    }

    async fn verdict(&mut self) -> Result<()> {
        let answer = match timeout(PATIENCE, self.answer()).await {
            Ok(answer) => answer.map_err(Verdict::Unavailable)?,
            Err(late) => return Err(Verdict::Unavailable(late.into()).into()),
        };
        if answer == "stream: OK" {
            return Ok(());
        }
        if let Some(name) = answer.strip_suffix(" FOUND") {
            bail!(Verdict::Infected(name.trim_start_matches("stream: ").to_owned()));
        }
        bail!(Verdict::Unavailable(anyhow::anyhow!("clamd answers {answer}")))
    }
}

impl<S: Sink> Sink for Scanned<S> {
    type Kept = S::Kept;

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if !self.address.is_empty() {
            match timeout(PATIENCE, self.tell(&chunk)).await {
                Ok(told) => told.map_err(Verdict::Unavailable)?,
                Err(late) => return Err(Verdict::Unavailable(late.into()).into()),
            }
        }
        self.inner.write(chunk).await
    }

    async fn keep(mut self) -> Result<S::Kept> {
        if !self.address.is_empty()
            && let Err(verdict) = self.verdict().await
        {
            self.inner.give_up().await;
            return Err(verdict);
        }
        self.inner.keep().await
    }

    async fn give_up(self) {
        self.inner.give_up().await;
    }
}
