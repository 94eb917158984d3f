//! Reading a sent form, whatever its bytes.

use axum::extract::{FromRequest, Request};
use forms::answers::Raw;
use futures_util::StreamExt;

use crate::error::Problem;

/// Largest form without files: generous, so that an oversized answer is told on its own page.
pub const LARGEST: usize = 16 * 1024 * 1024;
pub const MOST_FIELDS: usize = 5_000;
/// Largest form outside of requests: an account's page, or what was typed before a session ended.
const LARGEST_SMALL: usize = 2 * 1024 * 1024;
/// A body beyond its limit is read on up to here, and dropped.
const MOST_DROPPED: usize = 64 * 1024 * 1024;

/// A form of a few fields, as typed.
pub struct Typed(pub Raw);

impl<S: Send + Sync> FromRequest<S> for Typed {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(urlencoded(&whole(request, LARGEST_SMALL).await?)))
    }
}

/// Reads a form without files.
pub async fn plain(request: Request) -> Result<Raw, Problem> {
    Ok(urlencoded(&whole(request, LARGEST).await?))
}

/// The whole body. One that is too large is read to its end all the same, within reason: a browser shows
/// our page only once it has sent everything.
async fn whole(request: Request, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut body = request.into_body().into_data_stream();
    let (mut bytes, mut received) = (Vec::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Problem::Bad("L’envoi a été interrompu. Revenez en arrière et recommencez."))?;
        received += chunk.len();
        match received {
            size if size <= limit => bytes.extend_from_slice(&chunk),
            size if size <= MOST_DROPPED => bytes = Vec::new(),
            _ => break,
        }
    }
    if received > limit { Err(Problem::TooLarge) } else { Ok(bytes) }
}

/// What cannot be kept (U+0000) is left out; bytes that are not UTF-8 show as « � » and are refused
/// by the field that gets them.
pub fn push(typed: &mut Raw, name: &str, value: &str) {
    let value = value.replace('\0', "").replace("\r\n", "\n");
    typed.0.entry(name.replace('\0', "")).or_default().push(value);
}

/// `application/x-www-form-urlencoded`, forgiving of bytes that are not UTF-8.
pub fn urlencoded(bytes: &[u8]) -> Raw {
    let mut typed = Raw::default();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(MOST_FIELDS) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
            None => (pair, &[][..]),
        };
        push(&mut typed, &decode(name), &decode(value));
    }
    typed
}

fn decode(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_whatever_their_bytes() {
        let typed = urlencoded(b"nom=L%C3%A9a+B&nom=2&vide=&mal=%FF%00x&seul");
        assert_eq!(typed.text("nom"), "Léa B");
        assert_eq!(typed.all("nom").count(), 2);
        assert_eq!(typed.text("mal"), "\u{fffd}x");
        assert_eq!(typed.0.len(), 4);
    }
}
