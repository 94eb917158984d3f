//! Receiving one file: streamed to storage, measured, hashed and recognised by its content.

use axum::extract::multipart::Field;
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    scan::{Scanned, Verdict},
    storage::Writer,
};

/// Kinds of file that are taken: (media type, extension).
const TAKEN: [(&str, &str); 5] = [
    ("application/pdf", "pdf"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/heif", "heic"),
    ("image/webp", "webp"),
];

/// For the `accept` of file inputs.
pub const ACCEPT: &str = ".pdf,.jpg,.jpeg,.png,.heic,.heif,.webp,application/pdf,image/*";

#[derive(Debug)]
pub struct Received {
    pub id: Uuid,
    pub name: String,
    pub media_type: &'static str,
    pub size: u64,
    pub sha256: Vec<u8>,
}

#[derive(Debug)]
pub enum Refused {
    /// No file was chosen.
    Nothing,
    Empty,
    TooLarge,
    /// Not a kind that is taken.
    Kind,
    /// A virus was found in it.
    Infected,
    /// Nobody could look for viruses in it.
    NotScanned(anyhow::Error),
    /// Storage failed (disk full); or the connection broke.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Verdict>() {
            Ok(Verdict::Infected(_)) => Self::Infected,
            Ok(Verdict::Unavailable(error)) => Self::NotScanned(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// Where an upload goes, piece by piece.
pub trait Sink: Send {
    /// What is known once everything has arrived.
    type Kept;
    fn write(&mut self, chunk: Bytes) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// Makes what was written durable.
    fn keep(self) -> impl Future<Output = anyhow::Result<Self::Kept>> + Send;
    /// Keeps nothing.
    fn give_up(self) -> impl Future<Output = ()> + Send;
}

impl Sink for Writer {
    type Kept = ();

    async fn write(&mut self, chunk: Bytes) -> anyhow::Result<()> {
        Self::write(self, chunk).await
    }

    async fn keep(self) -> anyhow::Result<()> {
        Self::keep(self).await
    }

    async fn give_up(self) {
        Self::give_up(self).await;
    }
}

/// Streams `field` to `writer`, for the object `id`. When it is refused nothing is kept; what remains of
/// the body is read and dropped, so that the browser gets its answer.
pub async fn receive<S: Sink>(
    mut writer: S,
    id: Uuid,
    mut field: Field<'_>,
    limit: u64,
    images: bool,
) -> Result<(Received, S::Kept), Refused> {
    let name = clean_name(field.file_name().unwrap_or_default());
    let mut head = BytesMut::new();
    let mut ended = false;
    // Enough to recognise the kind, whatever the size of network chunks.
    while head.len() < 4096 && !ended {
        match next(&mut field).await? {
            Some(chunk) => head.extend_from_slice(&chunk),
            None => ended = true,
        }
    }
    if head.is_empty() {
        return Err(if name.is_empty() { Refused::Nothing } else { Refused::Empty });
    }
    let Some(media_type) = recognise(&head).filter(|media_type| !images || media_type.starts_with("image/")) else {
        drain(&mut field, limit).await;
        return Err(Refused::Kind);
    };
    let (mut size, mut hash, mut chunk) = (0_u64, Sha256::new(), Some(head.freeze()));
    while let Some(bytes) = chunk {
        size += bytes.len() as u64;
        if size > limit {
            writer.give_up().await;
            drain(&mut field, limit).await;
            return Err(Refused::TooLarge);
        }
        hash.update(&bytes);
        if let Err(error) = writer.write(bytes).await {
            writer.give_up().await;
            drain(&mut field, limit).await;
            return Err(error.into());
        }
        chunk = if ended { None } else { next(&mut field).await? };
    }
    let kept = writer.keep().await?;
    let received = Received {
        id,
        name: if name.is_empty() { "document".to_owned() } else { name },
        media_type,
        size,
        sha256: hash.finalize().to_vec(),
    };
    Ok((received, kept))
}

/// The same of a file that is all there. `clamd`: who looks for viruses in it; empty: nobody.
pub async fn whole(
    writer: Writer,
    clamd: &str,
    id: Uuid,
    name: &str,
    bytes: &[u8],
    limit: u64,
) -> Result<Received, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Nothing);
    }
    let media_type = recognise(bytes).ok_or(Refused::Kind)?;
    if bytes.len() as u64 > limit {
        return Err(Refused::TooLarge);
    }
    if clamd.is_empty() {
        all(writer, bytes).await?;
    } else {
        all(Scanned::new(writer, clamd), bytes).await?;
    }
    let sha256 = Sha256::digest(bytes).to_vec();
    Ok(Received { id, name: clean_name(name), media_type, size: bytes.len() as u64, sha256 })
}

async fn all<S: Sink>(mut sink: S, bytes: &[u8]) -> anyhow::Result<()> {
    // As one passes by: what a connection to clamd takes at once.
    for chunk in bytes.chunks(256 * 1024) {
        if let Err(error) = sink.write(Bytes::copy_from_slice(chunk)).await {
            sink.give_up().await;
            return Err(error);
        }
    }
    sink.keep().await?;
    Ok(())
}

async fn next(field: &mut Field<'_>) -> Result<Option<Bytes>, Refused> {
    field.chunk().await.map_err(|error| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Refused::TooLarge
        } else {
            Refused::Failed(error.into())
        }
    })
}

/// Reads on, within reason, for a browser shows our page only once it has sent everything.
async fn drain(field: &mut Field<'_>, limit: u64) {
    let mut left = limit.saturating_mul(10);
    while let Ok(Some(chunk)) = field.chunk().await {
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            return;
        }
    }
}

/// The media type, if it is one that is taken.
pub fn taken(media_type: &str) -> Option<&'static str> {
    TAKEN.iter().find(|(known, _)| *known == media_type).map(|(known, _)| *known)
}

/// Extension of files of this media type.
pub fn extension(media_type: &str) -> &'static str {
    TAKEN.iter().find(|(known, _)| *known == media_type).map_or("bin", |(_, extension)| extension)
}

fn recognise(head: &[u8]) -> Option<&'static str> {
    let found = infer::get(head)?.mime_type();
    taken(found)
}

/// The last part of what the browser calls the file, without control characters, 120 characters at most.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|letter| !letter.is_control() && !"<>:\"|?*".contains(*letter))
        .take(120)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless() {
        assert_eq!(clean_name("C:\\Photos\\carte \u{7}d'identité.jpg"), "carte d'identité.jpg");
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name(&"é".repeat(300)).chars().count(), 120);
    }

    #[test]
    fn content_decides() {
        assert_eq!(recognise(b"%PDF-1.7\n"), Some("application/pdf"));
        assert_eq!(recognise(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), Some("image/heif"));
        assert_eq!(recognise(b"MZ\x90\x00"), None);
        assert_eq!(recognise(b"<html><script>"), None);
    }
}
