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
        // To clamd, a chunk of nothing is the end.
        if !self.address.is_empty() && !chunk.is_empty() {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::net::TcpListener;

    use super::*;

    /// Keeps what it is given, in memory.
    struct Memory(Vec<u8>);

    impl Sink for Memory {
        type Kept = Vec<u8>;

        async fn write(&mut self, chunk: Bytes) -> Result<()> {
            self.0.extend_from_slice(&chunk);
            Ok(())
        }

        async fn keep(self) -> Result<Vec<u8>> {
            Ok(self.0)
        }

        async fn give_up(self) {}
    }

    /// A clamd that finds nothing; gives what it was shown until the mark of the end.
    async fn clamd(listener: TcpListener, shown: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
        let (mut stream, _) = listener.accept().await?;
        stream.read_exact(&mut [0; 10]).await?;
        loop {
            let size = stream.read_u32().await?;
            if size == 0 {
                return stream.write_all(b"stream: OK\0").await;
            }
            let mut chunk = vec![0; usize::try_from(size).unwrap()];
            stream.read_exact(&mut chunk).await?;
            shown.lock().unwrap().extend(chunk);
        }
    }

    #[tokio::test]
    async fn empty_chunks_are_not_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shown) = (listener.local_addr().unwrap().to_string(), Arc::default());
        let answering = tokio::spawn(clamd(listener, Arc::clone(&shown)));
        let mut sink = Scanned::new(Memory(vec![]), &address);
        for chunk in ["", "%PDF", "", "-1.7", ""] {
            sink.write(Bytes::from_static(chunk.as_bytes())).await.unwrap();
        }
        assert_eq!(sink.keep().await.unwrap(), b"%PDF-1.7");
        answering.await.unwrap().unwrap();
        assert_eq!(*shown.lock().unwrap(), b"%PDF-1.7");
    }
}
