//! Pages of agents over many requests: milliseconds at the 95th percentile, as eight clients see them who ask
//! one after the other, each page the server's own work (pages of somebody signed in are never kept). What was
//! found and the plans of the queries are told in the log.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use db::{Tx, args, sql};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    export, plans, seed,
    site::Site,
    wire::{Wire, get},
};
use crate::{
    accounts::{
        Means,
        session::{self, Account, Kind},
    },
    agents::{self, General},
    requests, routes,
    visit::{Agent, Visit},
};

const CLIENTS: usize = 8;
/// Pages of requests whose plans are told.
const EXPLAINED: usize = 3;

const LISTS: [&str; 8] = [
    "/agent",
    "/agent?vue=toutes",
    "/agent?vue=termines",
    "/agent?vue=retard",
    "/agent?vue=toutes&tri=echeance",
    "/agent?vue=toutes&tri=activite",
    "/agent?vue=toutes&tri=nom-desc",
    "/agent?vue=toutes&tri=depot-asc",
];
const FILTERS: [&str; 14] = [
    "/agent?vue=toutes&demarche=mesure-01",
    "/agent?vue=toutes&demarche=mesure-21&statut=refused",
    "/agent?vue=termines&statut=refused",
    "/agent?vue=a-traiter&statut=sent&affecte=personne",
    "/agent?vue=toutes&affecte=moi",
    "/agent?vue=toutes&delai=orange",
    "/agent?vue=toutes&delai=rouge",
    "/agent?vue=toutes&demarche=mesure-01&etat=incomplete",
    "/agent?vue=toutes&adresse=tanneurs",
    "/agent?vue=toutes&demarche=mesure-01&choix-salle=grande",
    "/agent?vue=toutes&demarche=mesure-01&mots-occasion=anniversaire",
    "/agent?vue=toutes&demarche=mesure-01&du-debut=15/01/2024&au-debut=20/03/2024",
    "/agent?vue=toutes&du=01/02/2024&au=29/02/2024",
    "/agent?vue=toutes&service=mesure-01&du=01/01/2026",
];
/// Common, rare, none; one word and several; a name.
const SEARCHES: [&str; 11] = [
    "/agent?q=salle",
    "/agent?q=anniversaire+mariage",
    "/agent?q=xylophone",
    "/agent?q=xylophones+fauteuil",
    "/agent?q=lef%C3%A8vre",
    "/agent?q=Camille+Lefevre+tanneurs",
    "/agent?q=zzyzx",
    "/agent?q=lef",
    "/agent?q=mari",
    "/agent?q=salle+zzyzx",
    "/agent?personne=dupont&q=caution",
];

/// A year, by months; days; another year compared with the one before; one procedure, with its form; every department
/// and every procedure side by side.
const STATISTICS: [&str; 9] = [
    "/agent/statistiques",
    "/agent/statistiques?periode=30j",
    "/agent/statistiques?periode=2024",
    "/agent/statistiques?demarche=mesure-01",
    "/agent/statistiques?service=mesure-01&periode=7j",
    "/agent/statistiques.csv?tableau=demarches",
    "/agent/ensemble",
    "/agent/ensemble?par=demarche&periode=2024",
    "/agent/ensemble?par=demarche&periode=30j",
];
const LATE: [&str; 2] = ["/agent/retards", "/agent/retards?demarche=mesure-01"];

/// `list_ms_p95`, and so of filters, searches, requests, statistics, late ones; `export_rows_s`, `export_peak_mb`.
pub async fn measure(site: &mut Site, requests: u64, time: Duration) -> Result<BTreeMap<&'static str, f64>> {
    let visit = site.visit().await?;
    seed::seed(&visit, requests).await?;
    site.start().await?;
    let mut cookies = Vec::new();
    let mut pages = Vec::new();
    for login in [seed::ONE, seed::TWENTY] {
        let (agent, cookie) = enter(&visit, login).await?;
        for path in LISTS.iter().chain(&FILTERS).chain(&SEARCHES) {
            explain(&agent, login, path).await?;
        }
        pages = some_requests(&agent).await?;
        let router = routes::router(visit.app.clone());
        for path in pages.iter().take(EXPLAINED).map(String::as_str).chain(STATISTICS).chain(LATE) {
            plans::tell(&router, &cookie, path).await?;
        }
        cookies.push(cookie);
    }
    let kinds: [(&'static str, Vec<String>); 6] = [
        ("list_ms_p95", LISTS.map(str::to_owned).to_vec()),
        ("filter_ms_p95", FILTERS.map(str::to_owned).to_vec()),
        ("search_ms_p95", SEARCHES.map(str::to_owned).to_vec()),
        ("request_ms_p95", pages),
        ("statistics_ms_p95", STATISTICS.map(str::to_owned).to_vec()),
        ("late_ms_p95", LATE.map(str::to_owned).to_vec()),
    ];
    let mut found = BTreeMap::new();
    for (kind, paths) in kinds {
        let both: Vec<Vec<u8>> = paths.iter().flat_map(|path| cookies.iter().map(|cookie| get(path, cookie))).collect();
        found.insert(kind, p95(site, kind, &Arc::new(both), time).await?);
    }
    site.stop().await?;
    // Its memory is that of the export alone.
    site.start().await?;
    let exported = export::measure(site, cookies.last().context("cookie")?).await?;
    anyhow::ensure!(exported.rows == requests, "{} rows of {requests} requests", exported.rows);
    found.insert("export_rows_s", exported.rows_s);
    found.extend(exported.peak_mb.map(|peak| ("export_peak_mb", peak)));
    site.stop().await?;
    Ok(found)
}

/// An agent as handlers receive them, and the cookie of a session of theirs.
async fn enter(visit: &Visit, login: &str) -> Result<(Agent, String)> {
    let account: Uuid = visit
        .db
        .one(
            sql!("select id from account where authority_id = $1 and kind = 'agent' and login = $2"),
            args![visit.db.authority(), login],
        )
        .await?;
    agents::set_general(&visit.db, account, General::Observer, true, visit.now).await?;
    let opened = visit
        .db
        .write(async |tx: &mut Tx| session::open(tx, visit, Kind::Agent, Some((account, Means::Password))).await)
        .await?;
    let cookie = opened.cookie.to_str()?.split(';').next().context("cookie")?.to_owned();
    let memberships = agents::standing(visit, account).await?.memberships;
    let account = Account {
        id: account,
        login: login.to_owned(),
        email: None,
        first_name: String::new(),
        last_name: String::new(),
        phone: None,
        quality: None,
    };
    let agent = Agent {
        visit: visit.clone(),
        session_id: Uuid::nil(),
        passkey: None,
        account,
        ends_on: None,
        memberships,
        limited: Vec::new(),
        general: Vec::new(),
        asks: false,
    };
    Ok((agent, cookie))
}

/// Tells what a list finds, and how the database goes about it.
async fn explain(agent: &Agent, login: &str, path: &str) -> Result<()> {
    let (total, plans) = requests::explain(agent, path).await?;
    tracing::info!(login, path, hits = total, "list");
    for plan in plans {
        tracing::debug!(login, path, "plan\n{plan}");
    }
    Ok(())
}

/// Pages of requests of all ages, of the department that both agents are of.
async fn some_requests(agent: &Agent) -> Result<Vec<String>> {
    let ids: Vec<Uuid> = agent
        .db
        .all(
            sql!("select id from request where authority_id = $1 and department_id = 'mesure-01' order by reference limit 200"),
            args![agent.db.authority()],
        )
        .await?;
    Ok(ids.iter().map(|id| format!("/agent/demandes/{id}")).collect())
}

/// Milliseconds that 95 answers of 100 do not reach.
async fn p95(site: &Site, kind: &str, requests: &Arc<Vec<Vec<u8>>>, time: Duration) -> Result<f64> {
    // Once each for nothing: statements are prepared, the catalogue is read.
    let mut wire = Wire::connect(site.address).await?;
    for request in requests.iter() {
        wire.send(request).await?.expect(200)?;
    }
    let (next, end) = (Arc::new(AtomicUsize::new(0)), Instant::now() + time);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (requests, next, address) = (Arc::clone(requests), Arc::clone(&next), site.address);
        clients.spawn(async move {
            let mut wire = Wire::connect(address).await?;
            let mut spent = Vec::new();
            while Instant::now() < end {
                let index = next.fetch_add(1, Ordering::Relaxed) % requests.len().max(1);
                let begun = Instant::now();
                wire.send(requests.get(index).context("nothing to ask for")?).await?.expect(200)?;
                spent.push((begun.elapsed().as_secs_f64() * 1000.0, index));
            }
            anyhow::Ok(spent)
        });
    }
    let mut spent = Vec::new();
    while let Some(done) = clients.join_next().await {
        spent.extend(done??);
    }
    spent.sort_by(|a, b| a.0.total_cmp(&b.0));
    slowest(kind, requests, &spent);
    let found = spent.get(spent.len() * 95 / 100).context("no answer in time")?.0;
    tracing::info!(kind, answers = spent.len(), p95 = found, "pages of agents");
    Ok(found)
}

/// Tells the pages that take longest: their median.
fn slowest(kind: &str, requests: &[Vec<u8>], spent: &[(f64, usize)]) {
    let mut each: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (time, index) in spent {
        each.entry(*index).or_default().push(*time);
    }
    let median = |times: &Vec<f64>| times.get(times.len() / 2).copied().unwrap_or_default();
    let mut each: Vec<(f64, usize)> = each.iter().map(|(index, times)| (median(times), *index)).collect();
    each.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (median, index) in each.iter().take(6) {
        let request = requests.get(*index).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        // Requests of the two agents take turns.
        let agent = if index % 2 == 0 { seed::ONE } else { seed::TWENTY };
        tracing::info!(kind, median, agent, "{}", request.lines().next().unwrap_or_default());
    }
}
