//! The chain, apart from any database: `head(n) = SHA-256(head(n − 1) ‖ n ‖ hash(line n))`. A head is signed
//! (Ed25519) by a key derived from the installation's secret: who writes to the database without that secret
//! makes no other.

use anyhow::{Result, ensure};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::platform::secret::Secret;

const PURPOSE: &str = "journal";

/// What signs heads, checkpoints and erasures.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    pub fn of(secret: &Secret) -> Result<Self> {
        Ok(Self(secret.signer(PURPOSE)?))
    }

    /// For who checks signatures elsewhere.
    pub fn public(&self) -> String {
        HEXLOWER.encode(self.0.public_key().as_ref())
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }

    fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0.public_key().as_ref()).verify(text, signature).is_ok()
    }

    /// What stands beside a link whose line we erased.
    pub fn erased(&self, authority: Uuid, seq: i64, hash: &[u8]) -> Vec<u8> {
        self.sign(&erasure(authority, seq, hash))
    }

    pub fn knows_erased(&self, authority: Uuid, seq: i64, hash: &[u8], signature: &[u8]) -> bool {
        self.signed(&erasure(authority, seq, hash), signature)
    }
}

fn erasure(authority: Uuid, seq: i64, hash: &[u8]) -> Vec<u8> {
    [b"guichet journal erased\0", authority.as_bytes().as_slice(), &seq.to_be_bytes(), hash].concat()
}

/// What a signed head is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The last link.
    Head,
    /// The last link that was put away.
    Checkpoint,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// A place in the chain: the number of the last link, and what all links up to it amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub seq: i64,
    pub hash: Vec<u8>,
}

impl Point {
    /// Before the first link.
    pub fn origin(authority: Uuid) -> Self {
        let hash = Sha256::new().chain_update(b"guichet journal 1\0").chain_update(authority.as_bytes()).finalize();
        Self { seq: 0, hash: hash.to_vec() }
    }

    /// After one more link.
    pub fn then(&self, line: &[u8]) -> Self {
        let seq = self.seq.saturating_add(1);
        let hash = Sha256::new().chain_update(&self.hash).chain_update(seq.to_be_bytes()).chain_update(line).finalize();
        Self { seq, hash: hash.to_vec() }
    }
}

db::row! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Head {
        pub seq: i64,
        pub hash: Vec<u8>,
        pub at: Timestamp,
        pub signature: Vec<u8>,
    }
}

impl Head {
    pub fn sign(signer: &Signer, authority: Uuid, kind: Kind, point: Point, at: Timestamp) -> Self {
        let Point { seq, hash } = point;
        let signature = signer.sign(&said(authority, kind, seq, &hash, at));
        Self { seq, hash, at, signature }
    }

    /// Whether this installation signed it, for this authority and this use.
    pub fn good(&self, signer: &Signer, authority: Uuid, kind: Kind) -> bool {
        signer.signed(&said(authority, kind, self.seq, &self.hash, self.at), &self.signature)
    }

    pub fn point(&self) -> Point {
        Point { seq: self.seq, hash: self.hash.clone() }
    }

    /// `2026-11-17T09:00:00Z AUTHORITY 12 HASH SIGNATURE`, both in hexadecimal.
    pub fn line(&self, authority: Uuid) -> String {
        let (hash, signature) = (HEXLOWER.encode(&self.hash), HEXLOWER.encode(&self.signature));
        format!("{} {authority} {} {hash} {signature}", self.at, self.seq)
    }

    /// What [`line`](Self::line) wrote.
    ///
    /// # Errors
    /// When it is nothing of the kind.
    pub fn parse(line: &str) -> Result<(Uuid, Self)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[at, authority, seq, hash, signature] = words.as_slice() else {
            anyhow::bail!("five words are expected, not {}", words.len())
        };
        let (hash, signature) = (HEXLOWER.decode(hash.as_bytes())?, HEXLOWER.decode(signature.as_bytes())?);
        ensure!(hash.len() == 32, "the hash has {} bytes", hash.len());
        Ok((authority.parse()?, Self { at: at.parse()?, seq: seq.parse()?, hash, signature }))
    }
}

fn said(authority: Uuid, kind: Kind, seq: i64, hash: &[u8], at: Timestamp) -> Vec<u8> {
    let (kind, at) = (format!("guichet journal {}\0", kind.name()), at.as_microsecond().to_be_bytes());
    [kind.as_bytes(), authority.as_bytes(), &seq.to_be_bytes(), &at, hash].concat()
}
