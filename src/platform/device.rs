//! What a browser tells of itself, in a few words that its owner recognises. The rest of it is not kept:
//! it would tell people apart.

use axum::http::{HeaderMap, header};

/// A browser and its system; empty words when unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Device {
    browser: &'static str,
    system: &'static str,
}

/// Signs in the user agent, most particular first: nearly every browser also says it is others.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
];
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

impl Device {
    pub fn of(headers: &HeaderMap) -> Self {
        let said = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(sign, _)| said.contains(sign)).map_or("", |(_, name)| *name)
        };
        Self { browser: first(&BROWSERS), system: first(&SYSTEMS) }
    }

    /// « Firefox sur Windows ».
    pub fn words(self) -> String {
        match (self.browser, self.system) {
            ("", "") => "Appareil inconnu".to_owned(),
            ("", system) => format!("Navigateur inconnu sur {system}"),
            (browser, "") => browser.to_owned(),
            (browser, system) => format!("{browser} sur {system}"),
        }
    }
}

/// A network address without what points at one line: its first 24 bits (IPv4) or 48 (IPv6). Empty when it is
/// not an address.
pub fn network(address: &str) -> String {
    match address.parse::<std::net::IpAddr>().map(|address| address.to_canonical()) {
        Ok(std::net::IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(said: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, axum::http::HeaderValue::from_static(said));
        Device::of(&headers).words()
    }

    #[test]
    fn devices_are_named() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        for (said, name) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox sur Windows"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome sur Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
                "Edge sur Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari sur iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
                "Firefox sur iPad",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36",
                "Samsung Internet sur Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari sur Mac",
            ),
            ("curl/8.5.0", "Appareil inconnu"),
            ("", "Appareil inconnu"),
        ] {
            assert_eq!(words(said), name, "{said}");
        }
        assert_eq!(words(windows), "Navigateur inconnu sur Windows");
        assert_eq!(Device::of(&HeaderMap::new()).words(), "Appareil inconnu");
    }

    #[test]
    fn addresses_lose_their_end() {
        for (address, kept) in [
            ("192.0.2.117", "192.0.2.0/24"),
            ("::ffff:192.0.2.117", "192.0.2.0/24"),
            ("2001:db8:12:3456::7", "2001:db8:12::/48"),
            ("::1", "0:0:0::/48"),
            ("", ""),
            ("<script>", ""),
        ] {
            assert_eq!(network(address), kept);
        }
    }
}
