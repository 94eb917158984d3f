//! What the operator declares of the mailbox: a file, read by `guichet admin add-mailbox`.

use std::{collections::BTreeMap, net::IpAddr, path::Path};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::platform::declaration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// What people answer to: `demarches@valmont.example`; its server takes `demarches+anything@` too.
    pub address: String,
    /// Which department qualifies what is on no request.
    pub department: String,
    /// Other addresses that lead to the same mailbox, each with its department.
    #[serde(default)]
    pub departments: BTreeMap<String, String>,
    /// The IMAP server; empty: mails come by `guichet mail-in` only.
    #[serde(default)]
    pub host: String,
    #[serde(default = "imaps")]
    pub port: u16,
    #[serde(default)]
    pub tls: Tls,
    /// Certificates of the authority's own root, in PEM; the file names a file, the database keeps its content.
    /// Empty: the usual ones.
    #[serde(default)]
    pub ca: String,
    #[serde(default)]
    pub login: String,
    #[serde(default = "inbox")]
    pub folder: String,
    /// Where what was taken goes, made if it is missing.
    #[serde(default = "taken")]
    pub taken: String,
}

/// How what is said is kept secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// From the first byte.
    #[default]
    #[serde(rename = "tls")]
    Implicit,
    Starttls,
    /// Only on this very machine.
    None,
}

fn imaps() -> u16 {
    993
}

fn inbox() -> String {
    "INBOX".to_owned()
}

fn taken() -> String {
    "Guichet".to_owned()
}

impl Mailbox {
    /// Reads a file, and the certificates it names beside it.
    ///
    /// # Errors
    /// The first mistake, named.
    pub fn read(path: &Path) -> Result<Self> {
        declaration::file(path, |found: &mut Self| {
            if !found.ca.is_empty() {
                let ca = path.parent().unwrap_or(Path::new(".")).join(&found.ca);
                found.ca = std::fs::read_to_string(&ca).with_context(|| format!("ca: {}", ca.display()))?;
            }
            found.check()
        })
    }

    fn check(&self) -> Result<()> {
        for address in self.departments.keys().chain([&self.address]) {
            let right = address.split_once('@').is_some_and(|(local, domain)| {
                // The token follows: 64 letters in all.
                !local.is_empty() && local.len() <= 21 && !local.contains('+') && domain.contains('.')
            });
            ensure!(right && address.is_ascii(), "{address}: an address of 21 letters at most before the @, without +");
        }
        if self.host.is_empty() {
            return Ok(());
        }
        ensure!(!self.login.is_empty(), "login is missing");
        ensure!(self.folder != self.taken && !self.taken.is_empty(), "taken: another folder than the one read");
        let here: Option<IpAddr> = self.host.parse().ok();
        ensure!(
            self.tls != Tls::None || here.is_some_and(|address| address.is_loopback()),
            "tls: a password travels in clear on this very machine only (127.0.0.1)"
        );
        Ok(())
    }

    /// Who qualifies what was sent to these addresses.
    pub fn department<'a>(&'a self, mut to: impl Iterator<Item = &'a str>) -> &'a str {
        let named = |address: &str| {
            let (local, domain) = address.rsplit_once('@')?;
            let bare = format!("{}@{domain}", local.split('+').next().unwrap_or_default()).to_ascii_lowercase();
            self.departments.iter().find(|(known, _)| known.to_ascii_lowercase() == bare).map(|(_, one)| one.as_str())
        };
        to.find_map(named).unwrap_or(&self.department)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Mailbox {
        toml::from_str(include_str!("../../../docs/examples/courriel.toml")).unwrap()
    }

    #[test]
    fn the_example_is_right_and_mistakes_are_named() {
        sample().check().unwrap();
        let wrong = |change: &dyn Fn(&mut Mailbox)| {
            let mut one = sample();
            change(&mut one);
            one.check().unwrap_err().to_string()
        };
        assert!(wrong(&|one| one.tls = Tls::None).contains("in clear"));
        assert!(wrong(&|one| one.login.clear()).contains("login"));
        assert!(wrong(&|one| one.taken = one.folder.clone()).contains("taken"));
        assert!(wrong(&|one| one.address = "a+b@ville.fr".into()).contains("without +"));
        assert!(wrong(&|one| one.address = format!("{}@ville.fr", "a".repeat(22))).contains("21 letters"));
    }

    #[test]
    fn each_address_has_its_department() {
        let one = sample();
        assert_eq!(one.department(["Etat-Civil+x@valmont.example"].into_iter()), "etat-civil");
        assert_eq!(one.department(["autre@valmont.example", ""].into_iter()), one.department);
    }
}
