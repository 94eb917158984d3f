//! What the operator declares of an application that procedures may call: a file, read by `guichet admin
//! add-webhook`.

use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::platform::{address, declaration};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// As procedure files name it.
    pub id: String,
    pub url: String,
    /// Ids of the procedures that may call it.
    pub procedures: Vec<String>,
    /// Ids of the questions whose answers it may be told.
    #[serde(default)]
    pub answers: Vec<String>,
}

impl Declaration {
    /// # Errors
    /// The first mistake, named.
    pub fn read(path: &Path) -> Result<Self> {
        declaration::file(path, |found: &mut Self| found.check())
    }

    fn check(&self) -> Result<()> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = self.id.starts_with(|c: char| c.is_ascii_lowercase());
        ensure!(begins && self.id.chars().all(fits), "id: lower-case letters, digits and hyphens");
        self.address()?;
        ensure!(!self.procedures.is_empty(), "procedures: name those that may call it");
        Ok(())
    }

    /// # Errors
    /// When it is not an address to call.
    pub fn address(&self) -> Result<Url> {
        address::declared(&self.url).map_err(|wrong| anyhow!("url: {}", wrong.english()))
    }

    pub fn lets(&self, procedure: &str) -> bool {
        self.procedures.iter().any(|known| known == procedure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_right_and_mistakes_are_named() {
        let sample = || -> Declaration { toml::from_str(include_str!("../../docs/examples/webhook.toml")).unwrap() };
        sample().check().unwrap();
        let wrong = |change: &dyn Fn(&mut Declaration)| {
            let mut one = sample();
            change(&mut one);
            format!("{:#}", one.check().unwrap_err())
        };
        assert!(wrong(&|one| one.id = "Urbanisme".into()).contains("id:"));
        assert!(wrong(&|one| one.url = "http://urbanisme.example/".into()).contains("https://"));
        assert!(wrong(&|one| one.url = "https://a:b@urbanisme.example/".into()).contains("password"));
        assert!(wrong(&|one| one.procedures.clear()).contains("procedures"));
    }
}
