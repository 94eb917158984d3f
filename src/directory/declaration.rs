//! What the operator declares of the directory: a file, read by `guichet admin add-directory`.

use std::{net::IpAddr, path::Path};

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::agents::Role;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// `ldaps://host[:port]`, or `ldap://host[:port]`: then StartTLS, but on this very machine.
    pub url: String,
    /// Certificates of the authority's own root, in PEM; the file names a file, the database keeps its content.
    /// Empty: those of the system.
    #[serde(default)]
    pub ca: String,
    pub bind_dn: String,
    pub base: String,
    /// Who is an agent there (RFC 4515); those who are suspended are left out here.
    #[serde(default = "people")]
    pub filter: String,
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub groups: Vec<Group>,
}

fn people() -> String {
    "(objectClass=inetOrgPerson)".to_owned()
}

/// Names of attributes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// Never changes: `entryUUID`, `objectGUID`.
    pub id: String,
    pub mail: String,
    pub first_name: String,
    pub last_name: String,
    pub quality: String,
    pub groups: String,
    /// `accountExpires`, `shadowExpire`, or one that holds a GeneralizedTime; empty: the directory tells no end.
    pub ends: String,
}

impl Default for Attributes {
    fn default() -> Self {
        let own = |name: &str| name.to_owned();
        Self {
            id: own("entryUUID"),
            mail: own("mail"),
            first_name: own("givenName"),
            last_name: own("sn"),
            quality: own("title"),
            groups: own("memberOf"),
            ends: String::new(),
        }
    }
}

impl Attributes {
    pub fn all(&self) -> Vec<&str> {
        [&self.id, &self.mail, &self.first_name, &self.last_name, &self.quality, &self.groups, &self.ends]
            .into_iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// Whoever is in the group `dn` has this role in this department.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub dn: String,
    pub department: String,
    pub role: Role,
}

impl Declaration {
    /// Reads a TOML file, and the certificates it names beside it.
    ///
    /// # Errors
    /// The first mistake, named.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found: Self = toml::from_str(&text).with_context(|| path.display().to_string())?;
        if !found.ca.is_empty() {
            let ca = path.parent().unwrap_or(Path::new(".")).join(&found.ca);
            found.ca = std::fs::read_to_string(&ca).with_context(|| format!("ca: {}", ca.display()))?;
        }
        found.check().with_context(|| path.display().to_string())?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let url = Url::parse(&self.url).context("url")?;
        ensure!(["ldap", "ldaps"].contains(&url.scheme()), "url: ldaps:// or ldap://");
        ensure!(url.host_str().is_some_and(|host| !host.is_empty()), "url: no host");
        ensure!(["", "/"].contains(&url.path()) && url.query().is_none(), "url: only a host and a port");
        ensure!(url.username().is_empty() && url.password().is_none(), "url: no name and no password in it");
        ensure!(!self.bind_dn.trim().is_empty(), "bind_dn is missing: the directory is never read anonymously");
        ensure!(!self.base.trim().is_empty(), "base is missing");
        let filter = self.filter.trim();
        ensure!(filter.starts_with('(') && filter.ends_with(')'), "filter: between parentheses (RFC 4515)");
        let named = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-;.".contains(&byte));
        ensure!(self.attributes.all().into_iter().all(named), "attributes: letters, digits and dashes");
        ensure!(
            !self.attributes.id.is_empty() && !self.attributes.mail.is_empty(),
            "attributes: id and mail are needed"
        );
        ensure!(!self.groups.is_empty(), "no [[groups]]: nobody would have a role");
        Ok(())
    }

    /// Whether what is said travels in clear: only within this machine.
    pub fn starttls(&self) -> bool {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let here = address.is_some_and(|address| address.is_loopback());
        self.url.starts_with("ldap://") && !here
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn sample() -> Declaration {
        toml::from_str(include_str!("../../docs/examples/annuaire.toml")).unwrap()
    }

    #[test]
    fn the_example_is_right() {
        sample().check().unwrap();
    }

    #[test]
    fn what_travels_in_clear_stays_here() {
        let of = |url: &str| Declaration { url: url.to_owned(), ..sample() }.starttls();
        assert!(!of("ldap://127.0.0.1:1389") && !of("ldap://[::1]"));
        assert!(of("ldap://localhost") && of("ldap://10.0.0.1") && of("ldap://127.0.0.1.example.org"));
        assert!(!of("ldaps://annuaire.example"), "already");
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |change: &dyn Fn(&mut Declaration)| {
            let mut one = sample();
            change(&mut one);
            one.check().unwrap_err().to_string()
        };
        assert!(wrong(&|one| one.url = "http://annuaire.example".into()).contains("ldaps://"));
        assert!(wrong(&|one| one.url = "ldaps://a:b@annuaire.example".into()).contains("no password"));
        assert!(wrong(&|one| one.bind_dn.clear()).contains("never read anonymously"));
        assert!(wrong(&|one| one.filter = "objectClass=person".into()).contains("parentheses"));
        assert!(wrong(&|one| one.attributes.mail = "mail)(uid=*".into()).contains("letters"));
        assert!(wrong(&|one| one.groups.clear()).contains("groups"));
    }
}
