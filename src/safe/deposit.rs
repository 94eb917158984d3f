//! What goes in and out of a safe, whoever asks: adding, the city's deposits, copies for requests.

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use db::Tx;
use futures_util::TryStreamExt;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    crypt::{Key, Label, Recipient},
    model::{Document, Safe},
    store::{self, Added},
    whose::Owner,
};
use crate::{
    error::Problem,
    platform::upload::{self, Received, Sink},
    visit::Visit,
};

/// A document that the city hands over.
pub struct Deposit<'a> {
    /// Tells it from any other: put in twice, it is there once.
    pub once: String,
    pub kind: &'a str,
    pub name: &'a str,
    /// One of those that uploads take.
    pub media_type: &'static str,
    pub issued_on: Date,
    pub content: Bytes,
}

/// Puts a document in the safe of its owner, open or not: the public key is enough, and nobody but the
/// owner reads it afterwards. None when they have no safe.
pub async fn deposit(visit: &Visit, owner: Owner, deposit: Deposit<'_>) -> Result<Option<Added>, Problem> {
    let Some(safe) = store::of(&visit.db, owner).await? else { return Ok(None) };
    let recipient = Recipient::read(&safe.recipient)?;
    let id = visit.id();
    let mut sealer = recipient.sealer(visit.app.storage.writer(visit.site.id, id))?;
    let size = i64::try_from(deposit.content.len()).context("size")?;
    if let Err(error) = sealer.write(deposit.content).await {
        sealer.give_up().await;
        return Err(Problem::Unavailable(error));
    }
    let crc = sealer.keep().await.map_err(Problem::Unavailable)?;
    let label = Label { name: deposit.name.to_owned(), media_type: deposit.media_type.to_owned(), crc };
    let document = Document {
        id,
        kind: deposit.kind.to_owned(),
        label: recipient.seal_label(&label)?,
        size,
        issued_on: deposit.issued_on,
        until_on: None,
        deposit: Some(deposit.once),
        added_at: visit.now,
    };
    Ok(Some(keep(visit, &safe, &document).await?))
}

/// Names a document whose content is stored; the content goes when there is no room for it.
pub async fn keep(visit: &Visit, safe: &Safe, document: &Document) -> Result<Added, Problem> {
    let quota = visit.app.config.safe_quota;
    let added = visit.db.write(async |tx: &mut Tx| store::add(tx, safe.id, document, quota).await).await?;
    if added != Added::Yes {
        visit.app.storage.remove(visit.site.id, document.id).await?;
    }
    Ok(added)
}

/// Decrypts a document into an ordinary stored file of the id `to`, for the department that will get it.
pub async fn copy(visit: &Visit, key: &Key, document: &Document, to: Uuid) -> Result<Received> {
    let label = key.read_label(&document.label)?;
    let media_type = upload::taken(&label.media_type).ok_or_else(|| anyhow!("not a kind that is taken"))?;
    let mut content = key.open(&visit.app.storage, visit.site.id, document.id).await?;
    let mut writer = visit.app.storage.writer(visit.site.id, to);
    let (mut size, mut hash) = (0, Sha256::new());
    loop {
        let written = match content.try_next().await {
            Ok(None) => break,
            Ok(Some(piece)) => {
                size += piece.len() as u64;
                hash.update(&piece);
                writer.write(piece).await
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            writer.give_up().await;
            return Err(error);
        }
    }
    writer.keep().await?;
    Ok(Received { id: to, name: label.name, media_type, size, sha256: hash.finalize().to_vec() })
}
