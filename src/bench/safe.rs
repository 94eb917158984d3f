//! Documents of a safe: encrypting one on its way to storage and decrypting it on its way out, beside a
//! file written and read bare, synced to the disk the same way.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::{
    platform::{config::Config, storage::Storage, upload::Sink},
    safe,
};

/// One document: what a phone's photograph of a page weighs, times two.
const SIZE: usize = 8 * 1024 * 1024;
/// As a connection gives it.
const CHUNK: usize = 64 * 1024;

pub struct Measured {
    /// Megabytes in a second.
    pub upload_mbs: f64,
    pub download_mbs: f64,
    /// Of a bare copy.
    pub upload_ratio: f64,
    pub download_ratio: f64,
}

/// Measures each way in turn until `time` is over, so that what else the machine does weighs on both.
pub async fn measure(folder: &Path, time: Duration) -> Result<Measured> {
    let config = Config { data: folder.to_path_buf(), ..Config::default() };
    let storage = Storage::open(&config)?;
    let content: Bytes = std::iter::repeat_with(rand::random::<u8>).take(SIZE).collect::<Vec<u8>>().into();
    let (authority, sealed, bare) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let key = safe::Key::generate();
    let recipient = safe::Recipient::read(&key.recipient())?;
    let (begun, mut rounds, mut spent) = (Instant::now(), 0.0, [Duration::ZERO; 4]);
    let [up, bare_up, down, bare_down] = &mut spent;
    while begun.elapsed() < time || rounds < 2.0 {
        *up += timed(write(recipient.sealer(storage.writer(authority, sealed))?, &content)).await?;
        *bare_up += timed(write(storage.writer(authority, bare), &content)).await?;
        *down += timed(drain(key.open(&storage, authority, sealed).await?)).await?;
        let plain = storage.read(authority, bare).await?.map_err(std::io::Error::other);
        *bare_down += timed(drain(Box::pin(plain))).await?;
        rounds += 1.0;
    }
    let speed = |spent: &Duration| rounds * SIZE as f64 / 1_000_000.0 / spent.as_secs_f64();
    Ok(Measured {
        upload_mbs: speed(up),
        download_mbs: speed(down),
        upload_ratio: speed(up) / speed(bare_up),
        download_ratio: speed(down) / speed(bare_down),
    })
}

async fn timed(work: impl Future<Output = Result<()>>) -> Result<Duration> {
    let begun = Instant::now();
    work.await?;
    Ok(begun.elapsed())
}

async fn write<S: Sink>(mut sink: S, content: &Bytes) -> Result<()> {
    let mut at = 0;
    while at < content.len() {
        let end = content.len().min(at + CHUNK);
        sink.write(content.slice(at..end)).await?;
        at = end;
    }
    sink.keep().await.context("not kept")?;
    Ok(())
}

async fn drain(mut content: safe::Content) -> Result<()> {
    let mut size = 0;
    while let Some(piece) = content.try_next().await? {
        size += piece.len();
    }
    ensure!(size == SIZE, "{size} bytes came back");
    Ok(())
}
