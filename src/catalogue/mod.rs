//! The catalogue: published procedures, found by theme, by life event, by words.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, RwLock},
};

use forms::model::Procedure;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::visit::Visit;

pub mod citizen;
mod search;
mod store;
mod strangers;

pub use store::{Sources, folder, left_behind, publish, retire, shipped};
pub use strangers::strangers;

/// How long a replica may show an older version of a procedure.
const FRESH: SignedDuration = SignedDuration::from_secs(15);

#[derive(Debug, Clone)]
pub struct Published {
    pub version: i64,
    pub procedure: Arc<Procedure>,
}

/// What an authority has published, with its search index.
pub struct Current {
    /// Those that anybody may know of.
    pub procedures: BTreeMap<String, Published>,
    /// Those of agents alone. Whoever forgets them tells nothing.
    pub internal: BTreeMap<String, Published>,
    /// Of the first.
    index: search::Index,
}

impl Current {
    /// Both kinds, for agents.
    pub fn all(&self) -> impl Iterator<Item = &Published> {
        self.procedures.values().chain(self.internal.values())
    }

    /// One of either kind, for agents.
    pub fn any(&self, id: &str) -> Option<&Published> {
        self.procedures.get(id).or_else(|| self.internal.get(id))
    }
}

pub struct Catalogue {
    current: RwLock<HashMap<Uuid, (Timestamp, Arc<Current>)>>,
    /// Closed versions never change: parsed once, by hash.
    versions: Cache<String, Arc<Procedure>>,
    /// Hash of each version, as immutable as the version.
    hashes: Cache<(Uuid, String, i64), String>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self { current: RwLock::default(), versions: Cache::new(1_000), hashes: Cache::new(10_000) }
    }
}

impl Catalogue {
    /// Forgets what it knows, after a publication by this process.
    pub fn refresh(&self, authority: Uuid) {
        if let Ok(mut current) = self.current.write() {
            current.remove(&authority);
        }
    }
}

/// Everything published by the visited authority.
pub async fn current(visit: &Visit) -> anyhow::Result<Arc<Current>> {
    let catalogue = &visit.app.catalogue;
    if let Ok(known) = catalogue.current.read()
        && let Some((read, current)) = known.get(&visit.site.id)
        && visit.now.duration_since(*read) < FRESH
    {
        return Ok(current.clone());
    }
    let (mut procedures, mut internal) = (BTreeMap::new(), BTreeMap::new());
    for (id, version, hash) in store::current(&visit.db).await? {
        let procedure = parsed(visit, &id, version, &hash).await?;
        let kept = if procedure.is_internal() { &mut internal } else { &mut procedures };
        kept.insert(id, Published { version, procedure });
    }
    let index =
        search::Index::new(procedures.values().map(|published| published.procedure.as_ref()), &visit.site.settings);
    let current = Arc::new(Current { procedures, internal, index });
    if let Ok(mut known) = catalogue.current.write() {
        known.insert(visit.site.id, (visit.now, current.clone()));
    }
    Ok(current)
}

/// The published version of a procedure that anybody may know of.
pub async fn find(visit: &Visit, id: &str) -> anyhow::Result<Option<Published>> {
    Ok(current(visit).await?.procedures.get(id).cloned())
}

/// The same of any procedure, those of agents alone included.
pub async fn any(visit: &Visit, id: &str) -> anyhow::Result<Option<Published>> {
    Ok(current(visit).await?.any(id).cloned())
}

/// The very version that a draft or a request began with.
pub async fn version(visit: &Visit, id: &str, version: i64) -> anyhow::Result<Arc<Procedure>> {
    let key = (visit.site.id, id.to_owned(), version);
    let hash = match visit.app.catalogue.hashes.get(&key) {
        Some(hash) => hash,
        None => {
            let hash = store::hash(&visit.db, id, version).await?;
            visit.app.catalogue.hashes.insert(key, hash.clone());
            hash
        }
    };
    parsed(visit, id, version, &hash).await
}

async fn parsed(visit: &Visit, id: &str, version: i64, hash: &str) -> anyhow::Result<Arc<Procedure>> {
    if let Some(procedure) = visit.app.catalogue.versions.get(hash) {
        return Ok(procedure);
    }
    let body = store::body(&visit.db, id, version).await?;
    let procedure = forms::load::procedure(
        &format!("{} {version} of {id}", forms::load::STORED),
        &body,
        &forms::load::Shared::default(),
    )
    .map_err(|findings| anyhow::anyhow!("stored procedure {id} v{version} does not load: {findings:?}"))?;
    let procedure = Arc::new(procedure);
    visit.app.catalogue.versions.insert(hash.to_owned(), procedure.clone());
    Ok(procedure)
}
