//! Reading a sent form, whatever its bytes.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use forms::answers::Raw;

use crate::error::Problem;

/// Largest form without files: generous, so that an oversized answer is told on its own page.
pub const LARGEST: usize = 16 * 1024 * 1024;
pub const MOST_FIELDS: usize = 5_000;
/// Largest form outside of requests: an account's page, or what was typed before a session ended.
const LARGEST_SMALL: usize = 2 * 1024 * 1024;

/// A form of a few fields, as typed.
pub struct Typed(pub Raw);

impl<S: Send + Sync> FromRequest<S> for Typed {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = to_bytes(request.into_body(), LARGEST_SMALL).await.map_err(|_| Problem::TooLarge)?;
        Ok(Self(urlencoded(&bytes)))
    }
}

/// Reads a form without files.
pub async fn plain(request: Request) -> Result<Raw, Problem> {
    let bytes = to_bytes(request.into_body(), LARGEST).await.map_err(|_| Problem::TooLarge)?;
    Ok(urlencoded(&bytes))
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
