//! Secrets and signatures of calls, as Standard Webhooks has them: `v1,` and the base64 of the HMAC-SHA256 of
//! `ID.SECONDS.BODY`, under the key that `whsec_…` holds.

use anyhow::{Context, Result, ensure};
use data_encoding::BASE64;
use ring::hmac;

const PREFIX: &str = "whsec_";
/// Bytes of a key.
const LEAST: usize = 24;
const MOST: usize = 64;

/// A new secret, as the application is given it.
pub fn made() -> String {
    format!("{PREFIX}{}", BASE64.encode(&rand::random::<[u8; 32]>()))
}

/// The key in a secret.
///
/// # Errors
/// When it is no secret, or a key of another size than from 24 to 64 bytes.
pub fn key(secret: &str) -> Result<Vec<u8>> {
    let text = secret.strip_prefix(PREFIX).context("a secret begins with whsec_")?;
    let key = BASE64.decode(text.as_bytes()).context("a secret is whsec_ and base64")?;
    ensure!((LEAST..=MOST).contains(&key.len()), "a secret holds from {LEAST} to {MOST} bytes");
    Ok(key)
}

/// The header `webhook-signature`, under each of these keys.
pub fn signatures(keys: &[Vec<u8>], id: &str, seconds: i64, body: &str) -> String {
    keys.iter().map(|key| signature(key, id, seconds, body)).collect::<Vec<_>>().join(" ")
}

fn signature(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the libraries of Standard Webhooks are tested with.
    #[test]
    fn as_the_specification_signs() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn secrets() {
        assert_eq!(key(&made()).unwrap().len(), 32);
        for wrong in ["", "abc", "whsec_", "whsec_c2hvcnQ=", "whsec_é"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
