//! What the operator declares of the SMS gateway (Kannel): a file, read by `guichet admin add-sms`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::platform::declaration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: String,
    pub username: String,
    /// What telephones show: a number, or 11 letters at most.
    #[serde(default)]
    pub from: String,
    /// Which department qualifies what comes in.
    pub department: String,
    /// Nothing leaves from this hour to that one, in the authority's time: `"20:00"`, `"08:00"`. Empty: at any hour.
    #[serde(default)]
    pub quiet_from: String,
    #[serde(default)]
    pub quiet_until: String,
    /// How the gateway reaches this site, when it is not by its public address: `http://127.0.0.1:8080`.
    #[serde(default)]
    pub callback: String,
}

impl Gateway {
    /// # Errors
    /// The first mistake, named.
    pub fn read(path: &Path) -> Result<Self> {
        declaration::file(path, |found: &mut Self| found.check())
    }

    fn check(&self) -> Result<()> {
        let url = Url::parse(&self.url).context("url")?;
        ensure!(
            ["http", "https"].contains(&url.scheme()) && url.query().is_none(),
            "url: http:// or https://, no query"
        );
        ensure!(self.from.chars().count() <= 16, "from: a number, or 11 letters at most");
        ensure!(self.quiet_from.is_empty() == self.quiet_until.is_empty(), "quiet_from and quiet_until go together");
        if !self.quiet_from.is_empty() {
            hour(&self.quiet_from).context("quiet_from")?;
            hour(&self.quiet_until).context("quiet_until")?;
        }
        if !self.callback.is_empty() {
            Url::parse(&self.callback).context("callback")?;
        }
        Ok(())
    }

    /// When an SMS may leave; none: now.
    pub fn later(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (from, until) = (hour(&self.quiet_from).ok()?, hour(&self.quiet_until).ok()?);
        let local = now.to_zoned(zone.clone());
        let time = local.time();
        let overnight = from > until;
        let quiet = if overnight { time >= from || time < until } else { time >= from && time < until };
        if !quiet {
            return None;
        }
        let day = if overnight && time >= from { local.date().tomorrow().ok()? } else { local.date() };
        Some(day.to_datetime(until).to_zoned(zone.clone()).ok()?.timestamp())
    }
}

fn hour(text: &str) -> Result<Time> {
    let (hour, minute) = text.split_once(':').context("an hour as 20:00")?;
    Ok(Time::new(hour.parse()?, minute.parse()?, 0, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Gateway {
        toml::from_str(include_str!("../../../docs/examples/sms.toml")).unwrap()
    }

    #[test]
    fn the_example_is_right_and_mistakes_are_named() {
        sample().check().unwrap();
        let wrong = |change: &dyn Fn(&mut Gateway)| {
            let mut one = sample();
            change(&mut one);
            format!("{:#}", one.check().unwrap_err())
        };
        assert!(wrong(&|one| one.url = "ftp://x".into()).contains("http://"));
        assert!(wrong(&|one| one.quiet_until.clear()).contains("together"));
        assert!(wrong(&|one| one.quiet_from = "25:00".into()).contains("quiet_from"));
        assert!(wrong(&|one| one.from = "Ville de Valmont-sur-Mer".into()).contains("from"));
    }

    #[test]
    fn nights_are_quiet() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let later = |one: &Gateway, now: &str| one.later(now.parse().unwrap(), &zone).map(|at| at.to_string());
        let night = sample();
        assert_eq!(later(&night, "2026-11-17T18:59:59Z"), None);
        assert_eq!(later(&night, "2026-11-17T19:00:00Z").as_deref(), Some("2026-11-18T07:00:00Z"));
        assert_eq!(later(&night, "2026-11-18T06:59:00Z").as_deref(), Some("2026-11-18T07:00:00Z"));
        assert_eq!(later(&night, "2026-11-18T07:00:00Z"), None);
        let noon = Gateway { quiet_from: "12:00".into(), quiet_until: "14:00".into(), ..sample() };
        assert_eq!(later(&noon, "2026-11-17T12:00:00Z").as_deref(), Some("2026-11-17T13:00:00Z"));
        assert_eq!(later(&noon, "2026-11-17T13:00:00Z"), None);
        let never = Gateway { quiet_from: String::new(), quiet_until: String::new(), ..sample() };
        assert_eq!(later(&never, "2026-11-17T23:00:00Z"), None);
    }
}
