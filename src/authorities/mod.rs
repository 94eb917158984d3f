//! Authorities (« collectivités ») sharing an installation, each found by its host name, and their
//! departments (« services »).

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock, RwLock},
};

use db::{Db, args, row, sql};
use forms::calendar::Calendar;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::agents::AnyRole;

pub mod calendar;
pub mod recount;

/// How long a replica may miss a change of hosts or settings.
const FRESH: SignedDuration = SignedDuration::from_secs(15);

#[derive(Debug, Clone)]
pub struct Authority {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub settings: Settings,
    pub zone: TimeZone,
    /// Which days count.
    pub calendar: Calendar,
    /// What every page says of it: `city` in templates.
    pub city: Value,
    /// `frame` in templates: the parts of a page that never change, once drawn.
    pub frame: OnceLock<Value>,
}

impl Authority {
    pub fn new(id: Uuid, slug: String, name: String, settings: Settings) -> Self {
        let zone = crate::platform::clock::zone(&settings.zone);
        let city = context! {
            name => &name, short => &settings.short, zone => &settings.zone, phone => &settings.phone, email => &settings.email,
            address => &settings.address, site => &settings.site, dpo_email => &settings.dpo_email, opening_hours => &settings.opening_hours, fonts => true,
        };
        let calendar = settings.calendar();
        Self { id, slug, name, settings, zone, calendar, city, frame: OnceLock::new() }
    }
}

/// What an authority says of itself; kept as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// « Valmont ».
    pub short: String,
    /// How its site is reached, for links in mails; empty: the installation's `public_url`.
    #[serde(default)]
    pub public_url: String,
    /// First letters of every reference: `VAL`.
    pub prefix: String,
    pub zone: String,
    pub address: String,
    pub phone: String,
    pub email: String,
    pub site: String,
    pub dpo_email: String,
    pub opening_hours: String,
    pub themes: Vec<Topic>,
    pub events: Vec<Topic>,
    /// Procedures shown first on the home page.
    pub popular: Vec<String>,
    /// Streets for address suggestions when no address service is configured.
    #[serde(default)]
    pub streets: Vec<Street>,
    pub postcode: String,
    pub insee: String,
    /// Roles whose agents must have a second factor: `["decider", "manager", "administrator"]`.
    #[serde(default)]
    pub second_factor: Vec<AnyRole>,
    /// What each department receives of a change of coordinates, by its id: `adresse`, `nom`, `courriel`,
    /// `telephone`, `membres`.
    #[serde(default)]
    pub receives_changes: BTreeMap<String, Vec<String>>,
    /// How its decisions are contested, where a procedure does not say otherwise; empty: the usual routes.
    #[serde(default)]
    pub appeal: String,
    /// Where its decisions are contested, with its address: « tribunal administratif de Cergy-Pontoise, 2-4 boulevard
    /// de l’Hautil, 95000 Cergy » (CJA R312-1); empty: the text does not say which.
    #[serde(default)]
    pub tribunal: String,
    #[serde(default)]
    pub holidays: Holidays,
    /// Days on which it is closed, beside weekends and public holidays.
    #[serde(default)]
    pub closed_days: BTreeMap<Date, String>,
    /// How long contacts that nobody tied to a request are kept.
    #[serde(default = "contacts_months")]
    pub contacts_months: u32,
    /// How long batches of scans are kept once their last page has gone.
    #[serde(default = "scans_days")]
    pub scans_days: u32,
}

fn contacts_months() -> u32 {
    12
}

fn scans_days() -> u32 {
    30
}

/// Public holidays of the place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holidays {
    #[default]
    France,
    /// Good Friday and 26 December too.
    AlsaceMoselle,
}

impl Settings {
    pub fn calendar(&self) -> Calendar {
        let alsace_moselle = self.holidays == Holidays::AlsaceMoselle;
        Calendar { alsace_moselle, closed: self.closed_days.keys().copied().collect() }
    }
}

/// A theme, or a life event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub icon: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Street {
    pub name: String,
    pub postcode: String,
}

row! {
    #[derive(Debug, Clone, Serialize, serde::Deserialize)]
    pub struct Department {
        id: String,
        name: String,
        email: Option<String>,
        phone: Option<String>,
        address: Option<String>,
        hours: Option<String>,
    }
}

impl Department {
    /// As the head of letters has it.
    pub fn for_letters(&self) -> serde_json::Value {
        let lines = self.address.as_deref().map(|text| text.split('\n').collect::<Vec<_>>());
        serde_json::json!({"name": self.name, "address": lines, "email": self.email, "phone": self.phone})
    }
}

/// Known authorities by host, read again when they are no longer fresh.
#[derive(Default)]
pub struct Sites(RwLock<HashMap<String, (Timestamp, Arc<Authority>)>>);

impl Sites {
    /// The authority of `host` (without its port); the host `*` answers for any other.
    pub async fn find(&self, db: &Db, host: &str, now: Timestamp) -> Result<Option<Arc<Authority>>, db::Error> {
        let host = host.to_ascii_lowercase();
        if let Ok(known) = self.0.read()
            && let Some((read, authority)) = known.get(&host)
            && now.duration_since(*read) < FRESH
        {
            return Ok(Some(authority.clone()));
        }
        let row: Option<(Uuid, String, String, db::Json<Settings>)> = db
            .first(
                sql!(
                    "select a.id, a.slug, a.name, a.settings from authority_host h join authority a on a.id = h.authority_id
                     where h.host in ($1, '*') order by case when h.host = '*' then 1 else 0 end limit 1"
                ),
                args![&host],
            )
            .await?;
        let Some((id, slug, name, db::Json(settings))) = row else { return Ok(None) };
        let authority = Arc::new(Authority::new(id, slug, name, settings));
        if let Ok(mut known) = self.0.write() {
            // A flood of invented host names must not fill the memory.
            if known.len() > 10_000 {
                known.clear();
            }
            known.insert(host, (now, authority.clone()));
        }
        Ok(Some(authority))
    }
}

/// Every authority of the installation.
pub async fn all(db: &Db) -> Result<Vec<Uuid>, db::Error> {
    db.all(sql!("select id from authority"), args![]).await
}

pub async fn create(
    db: &Db,
    id: Uuid,
    slug: &str,
    name: &str,
    settings: Settings,
    hosts: &[&str],
    now: Timestamp,
) -> Result<(), db::Error> {
    let settings = db::Json(settings);
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!("insert into authority (id, slug, name, settings, created_at) values ($1, $2, $3, $4, $5)"),
            args![id, slug, name, &settings, now],
        )
        .await?;
        for host in hosts {
            tx.run(sql!("insert into authority_host (host, authority_id) values ($1, $2)"), args![*host, id]).await?;
        }
        Ok(())
    })
    .await
}

pub async fn add_department(db: &Db, department: &Department) -> Result<(), db::Error> {
    let Department { id, name, email, phone, address, hours } = department;
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!("insert into department (authority_id, id, name, email, phone, address, hours) values ($1, $2, $3, $4, $5, $6, $7)"),
            args![tx.authority(), id, name, email, phone, address, hours],
        )
        .await?;
        Ok(())
    })
    .await
}

pub async fn department(db: &Db, id: &str) -> Result<Option<Department>, db::Error> {
    db.first(
        sql!("select id, name, email, phone, address, hours from department where authority_id = $1 and id = $2"),
        args![db.authority(), id],
    )
    .await
}

/// Ids and names of the departments, by name.
pub async fn departments(db: &Db) -> Result<Vec<(String, String)>, db::Error> {
    db.all(sql!("select id, name from department where authority_id = $1 order by name, id"), args![db.authority()])
        .await
}
