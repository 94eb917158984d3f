//! Settings: one TOML file, then the environment (`GUICHET_MAIL__SMTP=…` sets `smtp` of `[mail]`).
//! `guichet config` prints this list with the defaults.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: String,
    /// How the outside reaches the portal, for links in messages: `https://demarches.example.fr`.
    pub public_url: String,
    /// Folder of everything that is kept: database, files, secret.
    pub data: PathBuf,
    /// `sqlite:` (in `data`), `sqlite:/path/file.sqlite` or `postgres://user:password@host/name`.
    pub database: String,
    /// A PostgreSQL replica for reads that may be slightly late. Empty: none.
    pub database_replica: String,
    /// Certificates (PEM) trusted for PostgreSQL with `sslmode=require`. Empty: the usual ones.
    pub database_ca: PathBuf,
    /// Connections to PostgreSQL, or readers of SQLite. 0: chosen for the machine.
    pub database_connections: usize,
    /// Folder of procedures, read when they are published. Empty: those shipped in the binary.
    pub procedures: PathBuf,
    /// Folder of templates that replace the shipped ones, file by file. Empty: none.
    pub templates: PathBuf,
    /// Key of tracking codes and of what is encrypted, 32 characters or more. Empty: made once and kept in `data/secret`.
    pub secret: String,
    /// Certificates (PEM) trusted, beside the usual ones, when other applications are called. Empty: none.
    pub outside_ca: PathBuf,
    /// Hosts, separated by commas, that procedures may call (webhooks) although they are private:
    /// `urbanisme.ville.lan, 10.0.0.7`. Empty: none.
    pub hook_hosts: String,
    /// Cookies only over HTTPS. False only for a trial on plain HTTP.
    pub secure_cookies: bool,
    /// Name of the header in which a proxy gives the visitor's address, as `x-forwarded-for`. Empty: none.
    pub client_address_header: String,
    /// Forms that one address may send in a minute, on each `serve`. 0: no limit.
    pub posts_per_minute: u32,
    /// Carry out jobs (mails, receipts) in `serve` too. With false, run `guichet work` beside.
    pub work_in_serve: bool,
    /// Largest uploaded file, in bytes.
    pub upload_limit: u64,
    /// Largest batch of scanned pages, all of its files, in bytes.
    pub scan_limit: u64,
    /// What the documents of one usager's safe may weigh together, in bytes.
    pub safe_quota: u64,
    /// Address of a clamd (`127.0.0.1:3310`) that looks at documents before they are encrypted. Empty: none.
    pub clamd: String,
    /// Base of an address search service (`/search?q=`, as the national one). Empty: no suggestions.
    pub address_service: String,
    pub files: Files,
    pub mail: Mail,
    pub log: Log,
    pub journal: Journal,
    /// This program, to read scans in a process of its own. Empty: the one that runs.
    #[serde(skip)]
    pub program: PathBuf,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// File to which the head of the journal is appended each time it moves. Empty: none.
    pub heads: PathBuf,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// S3 endpoint; empty: files are kept in `data/files`.
    pub s3_endpoint: String,
    pub s3_region: String,
    pub s3_bucket: String,
    pub s3_access_key: String,
    pub s3_secret_key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "mail")]
pub struct Mail {
    /// `smtp://host:25`, `smtps://user:password@host:465`. Empty: mails stay in the local outbox.
    pub smtp: String,
    /// Sender of every mail.
    pub from: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "log")]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or a filter by module.
    pub level: String,
    /// One JSON object a line, for machines.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: "http://localhost:8080".into(),
            data: "guichet-data".into(),
            database: "sqlite:".into(),
            database_replica: String::new(),
            database_ca: PathBuf::new(),
            database_connections: 0,
            procedures: PathBuf::new(),
            templates: PathBuf::new(),
            secret: String::new(),
            outside_ca: PathBuf::new(),
            hook_hosts: String::new(),
            secure_cookies: true,
            client_address_header: String::new(),
            posts_per_minute: 600,
            work_in_serve: true,
            upload_limit: 10_000_000,
            scan_limit: 200_000_000,
            safe_quota: 200_000_000,
            clamd: String::new(),
            address_service: String::new(),
            files: Files::default(),
            mail: mail(),
            log: log(),
            journal: Journal::default(),
            program: PathBuf::new(),
        }
    }
}

fn mail() -> Mail {
    Mail { smtp: String::new(), from: "Guichet <ne-pas-repondre@localhost>".into() }
}

fn log() -> Log {
    Log { level: "info".into(), json: false }
}

impl Config {
    /// Reads `file` (when given), then the environment.
    ///
    /// # Errors
    /// An unknown or wrong setting, named with its file and line or its variable.
    pub fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut table = toml::Table::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            // Read alone first: a mistake in the file is then told with its line.
            if let Err(error) = toml::from_str::<Self>(&text) {
                let line =
                    error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
                bail!("{}:{line}: {}", path.display(), error.message());
            }
            table = text.parse()?;
        }
        for (name, value) in environment {
            let Some(key) = name.strip_prefix("GUICHET_") else { continue };
            set(&mut table, &key.to_lowercase(), &value).with_context(|| format!("environment variable {name}"))?;
        }
        let config: Self = table.try_into().context("environment")?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if !self.secret.is_empty() && self.secret.len() < 32 {
            bail!("secret: 32 characters at least");
        }
        if !self.public_url.starts_with("http://") && !self.public_url.starts_with("https://") {
            bail!("public_url: begins with http:// or https://");
        }
        if self.upload_limit == 0 {
            bail!("upload_limit: more than 0");
        }
        if self.scan_limit == 0 || self.scan_limit > 2_000_000_000 {
            bail!("scan_limit: more than 0, 2,000,000,000 at most");
        }
        // « Tout télécharger » is a ZIP file without the 64-bit extension.
        if self.safe_quota > 2_000_000_000 {
            bail!("safe_quota: 2,000,000,000 at most");
        }
        Ok(())
    }

    /// The database's address, `sqlite:` completed with the data folder.
    pub fn database_url(&self) -> String {
        if self.database == "sqlite:" {
            format!("sqlite:{}", self.data.join("guichet.sqlite").display())
        } else {
            self.database.clone()
        }
    }
}

/// Sets `key` (`mail__smtp`), with the type that the default has there.
fn set(table: &mut toml::Table, key: &str, value: &str) -> Result<()> {
    let defaults = toml::Table::try_from(Config::default())?;
    let (section, name) = match key.split_once("__") {
        Some((section, name)) => (Some(section), name),
        None => (None, key),
    };
    let known = match section {
        Some(section) => defaults.get(section).and_then(|section| section.get(name)),
        None => defaults.get(name).filter(|value| !value.is_table()),
    };
    let value = match known.context("no such setting")? {
        toml::Value::Boolean(_) => toml::Value::Boolean(value.parse().context("true or false is expected")?),
        toml::Value::Integer(_) => toml::Value::Integer(value.parse().context("a number is expected")?),
        _ => toml::Value::String(value.to_owned()),
    };
    let place = match section {
        Some(section) => table
            .entry(section)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .context("no such section")?,
        None => table,
    };
    place.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let dir = std::env::temp_dir().join(format!("guichet-config-{}", uuid::Uuid::new_v4()));
        std::fs::write(&dir, text).map_err(|error| error.to_string())?;
        let pairs = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let config = Config::read(Some(&dir), pairs).map_err(|error| format!("{error:#}"));
        std::fs::remove_file(&dir).map_err(|error| error.to_string())?;
        config
    }

    #[test]
    fn file_then_environment() {
        let config = read(
            "listen = \"0.0.0.0:80\"\n[mail]\nfrom = \"a@b.fr\"\n",
            &[("GUICHET_MAIL__SMTP", "smtp://x:25"), ("PATH", "/")],
        )
        .unwrap();
        assert_eq!(
            (config.listen.as_str(), config.mail.from.as_str(), config.mail.smtp.as_str()),
            ("0.0.0.0:80", "a@b.fr", "smtp://x:25")
        );
    }

    /// Rows of docs/settings.md, as they must begin.
    fn rows(section: Option<&str>, table: &toml::Table) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in table {
            if let toml::Value::Table(inner) = value {
                found.extend(rows(Some(name), inner));
            } else {
                let variable =
                    section.map_or_else(|| name.clone(), |section| format!("{section}__{name}")).to_uppercase();
                found.push(format!("| `{name}` | `GUICHET_{variable}` | `{value}` |"));
            }
        }
        found
    }

    #[test]
    fn settings_are_documented() {
        let documented: Vec<&str> =
            include_str!("../../docs/settings.md").lines().filter(|line| line.starts_with("| `")).collect();
        let expected = rows(None, &toml::Table::try_from(Config::default()).unwrap());
        for row in &expected {
            assert!(documented.iter().any(|line| line.starts_with(row.as_str())), "docs/settings.md lacks {row}");
        }
        assert_eq!(documented.len(), expected.len(), "docs/settings.md tells of settings that do not exist");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(read("listen = \"a\"\n\nlisten_on = 3\n", &[]).unwrap_err().contains(":3: unknown field `listen_on`"));
        assert!(read("upload_limit = \"big\"\n", &[]).unwrap_err().contains(":1: invalid type"));
        assert!(read("", &[("GUICHET_UPLOAD_LIMIT", "big")]).unwrap_err().contains("GUICHET_UPLOAD_LIMIT: a number"));
        assert!(read("", &[("GUICHET_NOPE", "1")]).unwrap_err().contains("GUICHET_NOPE: no such setting"));
        assert!(read("secret = \"short\"\n", &[]).unwrap_err().contains("32 characters"));
    }
}
