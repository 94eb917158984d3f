//! Uploaded files and rendered documents: on disk (default) or in S3, behind one door. Names begin
//! with the authority's id. On disk a file and its folder are synced before its writer says it is kept.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, buffered::BufWriter, local::LocalFileSystem};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::config::{Config, Files};

#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Bytes held before they go out: S3 wants large parts, a disk does not.
    buffer: usize,
}

impl Storage {
    pub fn open(config: &Config) -> Result<Self> {
        if config.files.s3_endpoint.is_empty() {
            let folder = config.data.join("files");
            make_folder(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            return Self::disk(&folder);
        }
        Self::s3(&config.files)
    }

    fn disk(folder: &Path) -> Result<Self> {
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), buffer: 256 * 1024 })
    }

    fn s3(files: &Files) -> Result<Self> {
        let store = AmazonS3Builder::new()
            .with_endpoint(&files.s3_endpoint)
            .with_region(if files.s3_region.is_empty() { "us-east-1" } else { &files.s3_region })
            .with_bucket_name(&files.s3_bucket)
            .with_access_key_id(&files.s3_access_key)
            .with_secret_access_key(&files.s3_secret_key)
            .with_allow_http(files.s3_endpoint.starts_with("http://"))
            .build()?;
        Ok(Self { store: Arc::new(store), buffer: 5 * 1024 * 1024 })
    }

    fn path(authority: Uuid, id: Uuid) -> object_store::path::Path {
        object_store::path::Path::from_iter([authority.to_string(), id.to_string()])
    }

    /// A new object, written piece by piece; nothing is kept until [`Writer::keep`].
    pub fn writer(&self, authority: Uuid, id: Uuid) -> Writer {
        Writer { inner: BufWriter::with_capacity(self.store.clone(), Self::path(authority, id), self.buffer) }
    }

    pub async fn put(&self, authority: Uuid, id: Uuid, bytes: Vec<u8>) -> Result<()> {
        self.store.put(&Self::path(authority, id), bytes.into()).await?;
        Ok(())
    }

    pub async fn read(&self, authority: Uuid, id: Uuid) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
        Ok(self.store.get(&Self::path(authority, id)).await?.into_stream())
    }

    /// Removing what is already gone is fine.
    pub async fn remove(&self, authority: Uuid, id: Uuid) -> Result<()> {
        match self.store.delete(&Self::path(authority, id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ids and ages of an authority's objects, to sweep those that no row names.
    pub fn list(&self, authority: Uuid) -> BoxStream<'static, Result<(Uuid, i64)>> {
        let prefix = object_store::path::Path::from(authority.to_string());
        let store = self.store.clone();
        store
            .list(Some(&prefix))
            .map(|meta| {
                let meta = meta?;
                let name = meta.location.filename().unwrap_or_default();
                Ok((name.parse().context("not an id")?, meta.last_modified.timestamp()))
            })
            .boxed()
    }
}

pub struct Writer {
    inner: BufWriter,
}

impl Writer {
    pub async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.inner.put(chunk).await?;
        Ok(())
    }

    /// Makes the object durable under its name.
    pub async fn keep(mut self) -> Result<()> {
        self.inner.shutdown().await?;
        Ok(())
    }

    pub async fn give_up(mut self) {
        // Best effort: what is left behind has no row and is swept later.
        if let Err(error) = self.inner.abort().await {
            tracing::debug!(%error, "abandoned upload not removed");
        }
    }
}

/// Makes a folder and those above it, so that a power cut does not take them back.
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    let missing = folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).count();
    std::fs::create_dir_all(folder)?;
    folder.ancestors().skip(1).take(missing).try_for_each(sync_folder)
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Elsewhere a folder cannot be synced like a file.
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}
