//! What is encrypted, and how. Documents and their labels: age, to the safe's own key, so that a disaster
//! leaves files that the `age` tool reads. The key itself: ChaCha20-Poly1305, under a key derived from a
//! secret of its owner, or under the secret of a cookie.

use std::{
    io::{self, Write},
    iter,
    sync::{Arc, Mutex},
};

use age::{secrecy::ExposeSecret, x25519};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use flate2::Crc;
use futures_util::{
    AsyncReadExt, TryStreamExt,
    stream::{self, BoxStream, StreamExt},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::platform::{
    secret,
    storage::{self, Storage},
    upload::Sink,
};

/// Labels are padded to a multiple of this, which holds the longest name: their size tells nothing of it.
const LABEL_STEP: usize = 640;
/// Bytes given out at once: what age encrypts as one piece.
const PIECE: usize = 64 * 1024;

/// The secret key of a safe.
#[derive(Clone)]
pub struct Key(x25519::Identity);

impl Key {
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// Seals this key under another. `what` binds the sealed key to its place.
    pub fn seal(&self, under: &[u8; 32], what: &str) -> Result<Vec<u8>> {
        secret::seal_under(under, what.as_bytes(), self.0.to_string().expose_secret().as_bytes())
    }

    /// The key that [`Key::seal`] sealed; none under another key, or for another place.
    pub fn unseal(under: &[u8; 32], what: &str, sealed: &[u8]) -> Option<Self> {
        let text = Zeroizing::new(secret::unseal_under(under, what.as_bytes(), sealed)?);
        std::str::from_utf8(&text).ok()?.parse().ok().map(Self)
    }

    /// This key for the owner of another: only their secret key opens what comes out.
    pub fn share(&self, with: &Recipient) -> Result<Vec<u8>> {
        Ok(age::encrypt(&with.0, self.0.to_string().expose_secret().as_bytes())?)
    }

    /// The key that [`Key::share`] encrypted to this one.
    ///
    /// # Errors
    /// When it was shared with another, or changed.
    pub fn shared(&self, sealed: &[u8]) -> Result<Self> {
        let text = Zeroizing::new(age::decrypt(&self.0, sealed).context("shared key")?);
        let key = std::str::from_utf8(&text)?.parse().map_err(|error| anyhow!("shared key: {error}"))?;
        Ok(Self(key))
    }

    pub fn read_label(&self, sealed: &[u8]) -> Result<Label> {
        let text = age::decrypt(&self.0, sealed).context("label")?;
        serde_json::from_slice(&text).context("label")
    }

    /// The content of a document, as it is decrypted.
    pub async fn open(&self, storage: &Storage, authority: Uuid, id: Uuid) -> Result<Content> {
        let sealed = storage.read(authority, id).await?.map_err(io::Error::other).into_async_read();
        let decryptor = age::Decryptor::new_async_buffered(sealed).await?;
        let reader = decryptor.decrypt_async(iter::once(&self.0 as &dyn age::Identity))?;
        let pieces = stream::try_unfold(reader, async |mut reader| {
            let mut piece = vec![0; PIECE];
            let size = reader.read(&mut piece).await?;
            piece.truncate(size);
            Ok((size > 0).then(|| (Bytes::from(piece), reader)))
        });
        Ok(pieces.boxed())
    }
}

/// A document's content, piece by piece; an error when it was changed or cut short.
pub type Content = BoxStream<'static, io::Result<Bytes>>;

/// What is personal about a document beside its content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Label {
    pub name: String,
    pub media_type: String,
    /// CRC-32 of the content, which ZIP files want beforehand.
    pub crc: u32,
}

/// Where documents are encrypted to: the public half of a safe's key.
pub struct Recipient(x25519::Recipient);

impl Recipient {
    pub fn read(text: &str) -> Result<Self> {
        text.parse().map(Self).map_err(|error| anyhow!("recipient of a safe: {error}"))
    }

    pub fn seal_label(&self, label: &Label) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec(label)?;
        text.resize(text.len().next_multiple_of(LABEL_STEP), b' ');
        Ok(age::encrypt(&self.0, &text)?)
    }

    /// Encrypts what is written to it on the way to storage.
    pub fn sealer(&self, writer: storage::Writer) -> Result<Sealer> {
        let out = Out::default();
        let encryptor = age::Encryptor::with_recipients(iter::once(&self.0 as &dyn age::Recipient))?;
        Ok(Sealer { inner: encryptor.wrap_output(out.clone())?, out, writer, crc: Crc::new() })
    }
}

/// Encrypted bytes on their way out of age.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Out {
    fn take(&self) -> Result<Bytes> {
        let mut held = self.0.lock().map_err(|_| anyhow!("encryption was interrupted"))?;
        Ok(std::mem::take(&mut *held).into())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.0.lock().map_err(|_| io::Error::other("encryption was interrupted"))?;
        held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Sealer {
    inner: age::stream::StreamWriter<Out>,
    out: Out,
    writer: storage::Writer,
    crc: Crc,
}

impl Sink for Sealer {
    /// CRC-32 of the content.
    type Kept = u32;

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.crc.update(&chunk);
        self.inner.write_all(&chunk)?;
        let sealed = self.out.take()?;
        if sealed.is_empty() { Ok(()) } else { self.writer.write(sealed).await }
    }

    async fn keep(self) -> Result<u32> {
        let Self { inner, out, mut writer, crc } = self;
        inner.finish()?;
        writer.write(out.take()?).await?;
        writer.keep().await?;
        Ok(crc.sum())
    }

    async fn give_up(self) {
        self.writer.give_up().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_only_in_its_place() {
        let (key, under) = (Key::generate(), [7; 32]);
        let sealed = key.seal(&under, "password 1").unwrap();
        assert_eq!(Key::unseal(&under, "password 1", &sealed).unwrap().recipient(), key.recipient());
        assert!(Key::unseal(&under, "password 2", &sealed).is_none());
        assert!(Key::unseal(&[8; 32], "password 1", &sealed).is_none());
        assert!(Key::unseal(&under, "password 1", &sealed[..sealed.len() - 1]).is_none());
        assert!(Key::unseal(&under, "password 1", &[]).is_none());
        // Never the same twice.
        assert_ne!(sealed, key.seal(&under, "password 1").unwrap());
    }

    #[test]
    fn a_shared_key_opens_for_one_only() {
        let (key, mine) = (Key::generate(), Key::generate());
        let sealed = key.share(&Recipient::read(&mine.recipient()).unwrap()).unwrap();
        assert_eq!(mine.shared(&sealed).unwrap().recipient(), key.recipient());
        assert!(Key::generate().shared(&sealed).is_err() && key.shared(&sealed).is_err());
        assert!(mine.shared(&sealed[..sealed.len() - 1]).is_err() && mine.shared(&[]).is_err());
        assert!(!sealed.windows(14).any(|part| part == b"AGE-SECRET-KEY"));
    }

    #[test]
    fn labels_hide_the_length_of_names() {
        let key = Key::generate();
        let recipient = Recipient::read(&key.recipient()).unwrap();
        let label = |name: &str| Label { name: name.into(), media_type: "application/pdf".into(), crc: 5 };
        let (short, long) =
            (recipient.seal_label(&label("a")).unwrap(), recipient.seal_label(&label(&"é".repeat(120))).unwrap());
        // The header holds a line of random length, by which age keeps readers tolerant; the rest follows « --- ».
        let rest = |sealed: &[u8]| {
            let mac = sealed.windows(5).position(|part| part == b"\n--- ").unwrap();
            sealed[mac + 1..].len() - sealed[mac + 1..].iter().position(|byte| *byte == b'\n').unwrap()
        };
        assert_eq!(rest(&short), rest(&long));
        assert_eq!(key.read_label(&long).unwrap().name, "é".repeat(120));
        assert!(Key::generate().read_label(&short).is_err());
    }
}
