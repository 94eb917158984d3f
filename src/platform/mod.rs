//! Technical ground shared by the features: no word of the domain here.

pub mod address;
pub mod assets;
pub mod attachment;
pub mod clock;
pub mod config;
pub mod declaration;
pub mod device;
pub mod form;
pub mod french;
pub mod guard;
pub mod jobs;
pub mod jws;
pub mod mail;
pub mod outward;
pub mod page;
pub mod scan;
pub mod secret;
pub mod sheet;
pub mod storage;
pub mod throttle;
pub mod upload;
pub mod zip;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays readable in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// `text` as the value of a query parameter.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// `to` when it is an address of this site, else `/`: nobody is sent elsewhere after signing in.
pub fn local(to: &str) -> &str {
    // Browsers take `\\` for `/`; anything but plain characters is percent-encoded in a real address.
    let inside =
        to.starts_with('/') && !to.starts_with("//") && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if inside { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for inside in ["/", "/demarches?q=%C3%A9t%C3%A9&page=2", "/brouillons/1/enfants#nom"] {
            assert_eq!(local(inside), inside);
        }
        for outside in [
            "",
            "demarches",
            "//autre.fr",
            "https://autre.fr",
            "/\\autre.fr",
            "\\\\autre.fr",
            "/\t/autre.fr",
            "/\u{1}",
            "/é",
            " //autre.fr",
            "javascript:alert(1)",
        ] {
            assert_eq!(local(outside), "/", "{outside:?}");
        }
    }
}
