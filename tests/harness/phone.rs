//! A telephone with an application of codes.

use super::{Page, Portal, html};

/// A telephone: reads the secret of a page, then shows codes. Made apart from the program's own computing.
pub struct Phone(pub Vec<u8>);

impl Phone {
    pub fn reading(page: &Page) -> Self {
        let link = html::tags(page.html())
            .into_iter()
            .map(|tag| tag.get("href").to_owned())
            .find(|href| href.starts_with("otpauth://totp/"))
            .unwrap_or_else(|| panic!("no secret on {}: {}", page.path, page.words()));
        let link = html::decode(&link);
        let secret = link.split_once("secret=").unwrap().1.split('&').next().unwrap();
        Self(data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap())
    }

    /// The code it shows when its clock is `off` seconds away from the server's.
    pub fn code(&self, portal: &Portal, off: i64) -> String {
        let step = u64::try_from((portal.app.clock.now().as_second() + off) / 30).unwrap();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = ring::hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 0xf);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// A code that is never right within two minutes.
    pub fn wrong(&self, portal: &Portal) -> String {
        let near: Vec<String> = (-6..=6).map(|step| self.code(portal, step * 30)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }
}
