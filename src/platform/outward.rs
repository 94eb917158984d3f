//! Which machines an address that somebody declared may lead to: public ones, and those that the operator named. A
//! name is resolved once, and what is connected to is what was judged; nothing is redirected, no proxy is asked.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use reqwest::{
    RequestBuilder, Url,
    dns::{Name, Resolve, Resolving},
};

/// For a whole call.
const PATIENCE: Duration = Duration::from_secs(10);
const TO_CONNECT: Duration = Duration::from_secs(5);

/// Hosts that may be called although they are private, as the operator wrote them.
#[derive(Debug, Clone, Default)]
struct Inside(Arc<Vec<String>>);

impl Inside {
    /// `ads.ville.lan, 10.0.0.7`.
    fn read(hosts: &str) -> Self {
        let hosts = hosts.split(',').map(|host| host.trim().trim_matches(['[', ']']).to_ascii_lowercase());
        Self(Arc::new(hosts.filter(|host| !host.is_empty()).collect()))
    }

    fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.0.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Judges an address written with numbers, which nobody resolves; names are judged when they are resolved.
    fn judge(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !public(address) && !self.names(host) => Err(Refused),
            _ => Ok(()),
        }
    }
}

/// The address leads to a machine of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("adresse privée, que le réglage hook_hosts ne permet pas")
    }
}

impl Error for Refused {}

impl Refused {
    /// Whether this is why a call failed.
    pub fn is_behind(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(one) = cause {
            if one.is::<Self>() {
                return true;
            }
            cause = one.source();
        }
        false
    }
}

struct Judging(Inside);

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let inside = self.0.names(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (kept, refused): (Vec<SocketAddr>, Vec<_>) = found.partition(|one| inside || public(one.ip()));
            if kept.is_empty() && !refused.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(kept.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

/// Calls what others declared.
#[derive(Debug)]
pub struct Outward {
    inside: Inside,
    client: reqwest::Client,
}

impl Outward {
    /// Reaches public machines and the named `hosts`, and trusts the certificates of `ca` too.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn open(hosts: &str, ca: &Path) -> Result<Self> {
        let inside = Inside::read(hosts);
        let builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(TO_CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Judging(inside.clone()));
        Ok(Self { inside, client: trusting(builder, ca)?.build()? })
    }

    /// # Errors
    /// [`Refused`] when the address leads inside; a name that does is told by the answer.
    pub fn post(&self, url: Url) -> Result<RequestBuilder, Refused> {
        self.inside.judge(&url)?;
        Ok(self.client.post(url))
    }
}

/// With the certificates of `outside_ca`.
///
/// # Errors
/// When they cannot be read.
pub fn trusting(builder: reqwest::ClientBuilder, ca: &Path) -> Result<reqwest::ClientBuilder> {
    if ca.as_os_str().is_empty() {
        return Ok(builder);
    }
    let named = || format!("outside_ca: {}", ca.display());
    let pem = std::fs::read(ca).with_context(named)?;
    Ok(builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem).with_context(named)?))
}

/// Whether an address is anybody's on the Internet (IANA special-purpose registries).
fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => public_v4(address),
        IpAddr::V6(address) => public_v6(address),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 240
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // Shared by operators (RFC 6598), protocol assignments, 6to4 relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return public_v4(mapped);
    }
    let behind = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // NAT64 and 6to4 lead to the address that they hold.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => behind(high, low),
        // Protocol assignments (Teredo among them), documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] => false,
        [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for one in ["93.184.216.34", "1.1.1.1", "172.32.0.1", "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1"] {
            assert!(public(one.parse().unwrap()), "{one}");
        }
        for one in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.5",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "3fff::1",
        ] {
            assert!(!public(one.parse().unwrap()), "{one}");
        }
    }

    #[test]
    fn an_address_in_numbers_is_judged_however_it_is_written() {
        let judge = |hosts: &str, url: &str| Inside::read(hosts).judge(&Url::parse(url).unwrap()).is_ok();
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
        ] {
            assert!(!judge("ads.lan", url), "{url}");
        }
        assert!(judge("10.0.0.7, 127.0.0.1", "https://127.0.0.1:8443/x") && judge("::1", "https://[::1]/"));
        assert!(judge("", "https://93.184.216.34/") && judge("", "https://ads.example/"));
        assert!(!judge("127.0.0.1", "https://127.0.0.2/"));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_unless_the_operator_named_it() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let call = async |hosts: &str| {
            let outward = Outward::open(hosts, Path::new("")).unwrap();
            outward.post(Url::parse("http://localhost:1/").unwrap()).unwrap().send().await.unwrap_err()
        };
        assert!(Refused::is_behind(&call("").await));
        assert!(!Refused::is_behind(&call("LOCALHOST").await), "nobody listens there");
    }
}
