//! One PDF of text and of other PDF: asked for by [`head`], made in the process apart by [`bind`].

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What comes before the other PDF, which follow one another.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// Of [`letters::REQUEST`].
    pub data: Json,
    pub day: Date,
    /// Bytes of each PDF.
    pub lengths: Vec<usize>,
}

/// The head as it is sent: its length in four bytes, the highest first, then JSON.
///
/// # Errors
/// It is larger than four bytes can tell.
pub fn head(head: &Head) -> anyhow::Result<Vec<u8>> {
    let text = serde_json::to_vec(head)?;
    Ok([&u32::try_from(text.len())?.to_be_bytes()[..], &text].concat())
}

/// What [`head`] and the PDF behind it ask for; none when they do not go together.
pub fn bind(bytes: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, mut rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let head: Head = serde_json::from_slice(text).ok()?;
    let mut files = Vec::with_capacity(head.lengths.len());
    for length in head.lengths {
        let (file, after) = rest.split_at_checked(length)?;
        files.push(file.to_vec());
        rest = after;
    }
    letters::bind(&letters::REQUEST, &head.data, head.day, files).ok()
}
