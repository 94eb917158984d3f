//! Addresses of other applications: what may be declared, and what a declared one covers. Whatever is
//! redirected to or called goes through here.

use reqwest::Url;

/// What may be wrong with a declared address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    NotAnAddress,
    NotHttps,
    /// A user name, a password or a fragment in it.
    TooMuch,
    TooLong,
}

impl Wrong {
    /// For the command line.
    pub fn english(self) -> &'static str {
        match self {
            Self::NotAnAddress => "not an address",
            Self::NotHttps => "must begin with https:// (http:// only for localhost)",
            Self::TooMuch => "no user name, password or fragment in it",
            Self::TooLong => "1,000 characters at most",
        }
    }
}

/// Longest declared address, in bytes.
const LONGEST: usize = 1000;

/// An address fit for a declaration: HTTPS (or this very machine), no name and password, no fragment.
///
/// # Errors
/// What is wrong with it.
pub fn declared(text: &str) -> Result<Url, Wrong> {
    if text.len() > LONGEST {
        return Err(Wrong::TooLong);
    }
    let url = Url::parse(text).map_err(|_| Wrong::NotAnAddress)?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err(Wrong::NotHttps);
    }
    if !plain(&url) || url.fragment().is_some() {
        return Err(Wrong::TooMuch);
    }
    Ok(url)
}

fn plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Reads the address that an application gives for itself, as browsers do; without its fragment.
pub fn given(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.set_fragment(None);
    let web = matches!(url.scheme(), "https" | "http");
    (web && plain(&url)).then_some(url)
}

/// Whether `url` is under `prefix`: same scheme, host and port, and its path begins with the prefix's,
/// ending where a segment does.
pub fn covers(prefix: &Url, url: &Url) -> bool {
    let same = prefix.scheme() == url.scheme()
        && prefix.host_str() == url.host_str()
        && prefix.port_or_known_default() == url.port_or_known_default()
        && plain(url);
    let path = url.path();
    // A server that reads %2F as / could leave the prefix by it.
    let lower = path.to_ascii_lowercase();
    if !same || lower.contains("%2f") || lower.contains("%5c") {
        return false;
    }
    match path.strip_prefix(prefix.path()) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.path().ends_with('/'),
        None => false,
    }
}

/// `url` with one more parameter; what it had stays as it was written.
pub fn with(url: &Url, parameters: &[(&str, &str)]) -> Url {
    let mut url = url.clone();
    for (name, value) in parameters {
        url.query_pairs_mut().append_pair(name, value);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_declared() {
        for good in ["https://a.fr", "https://a.fr:8443/cas/", "http://localhost:3000/cb", "http://127.0.0.1/x?y=1"] {
            assert!(declared(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.fr/",
            "http://localhost.a.fr/",
            "https://a:b@a.fr/",
            "https://a.fr/#x",
            "//a.fr",
            "javascript:alert(1)",
            "",
        ] {
            assert!(declared(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_does() {
        let covers =
            |prefix: &str, url: &str| given(url).is_some_and(|url| super::covers(&declared(prefix).unwrap(), &url));
        let prefix = "https://a.fr/app";
        for inside in [
            "https://a.fr/app",
            "https://A.fr:443/app/",
            "https://a.fr/app/x?y=%2F#z",
            "https://a.fr/app?x=1",
            "https://a.fr/app/../app/x",
        ] {
            assert!(covers(prefix, inside), "{inside}");
        }
        for outside in [
            "https://a.fr/application",
            "https://a.fr/app/../admin",
            "https://a.fr/app/%2e%2e/admin",
            "https://a.fr/app/..%2fadmin",
            "https://a.fr/app\\..\\admin",
            "https://a.fr/app/%5c..",
            "http://a.fr/app",
            "https://a.fr:8443/app",
            "https://a.fr.autre.fr/app",
            "https://a.fr@autre.fr/app",
            "https://x:y@a.fr/app",
            "https://autre.fr/?https://a.fr/app",
            "javascript:https://a.fr/app",
            "//a.fr/app",
        ] {
            assert!(!covers(prefix, outside), "{outside}");
        }
        assert!(covers("https://a.fr/app/", "https://a.fr/app/x") && !covers("https://a.fr/app/", "https://a.fr/app"));
        assert!(covers("https://a.fr", "https://a.fr/anything"));
    }

    #[test]
    fn parameters_are_added_to_what_was_there() {
        let url = given("https://a.fr/x?y=a%20b&z#f").unwrap();
        assert_eq!(with(&url, &[("ticket", "ST-1&2")]).as_str(), "https://a.fr/x?y=a%20b&z&ticket=ST-1%262");
        assert_eq!(with(&given("https://a.fr").unwrap(), &[("a", "b")]).as_str(), "https://a.fr/?a=b");
    }
}
