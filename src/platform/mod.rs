//! Technical ground shared by the features: no word of the domain here.

pub mod assets;
pub mod clock;
pub mod config;
pub mod french;
pub mod guard;
pub mod jobs;
pub mod mail;
pub mod page;
pub mod secret;
pub mod storage;
pub mod throttle;
pub mod upload;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays readable in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// `text` as the value of a query parameter.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// `to` when it is an address of this site, else `/`: nobody is sent elsewhere after signing in.
pub fn local(to: &str) -> &str {
    let inside = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\n', '\r', '\t']);
    if inside { to } else { "/" }
}
