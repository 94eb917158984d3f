//! Carrying out jobs: every kind on one list, and the loop that takes them in turn.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use anyhow::Result;
use db::{args, sql};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    accounts, acting,
    app::App,
    approvals, archives,
    authorities::{Authority, Settings, recount},
    consultations, contacts, correspondence, directory, hooks,
    household::sharing,
    journal,
    platform::{
        device::Device,
        jobs::{self, Claimed, Of, Outcome},
        mail::SendError,
    },
    requests::{self, awaited},
    scans, sso, steering,
    visit::Visit,
};

/// Jobs taken at once by one worker.
const BATCH: i64 = 8;
/// What may take a minute of processor is drawn beside, so that no mail waits for it.
const SLOW: Of = Of { kind: scans::DRAW, only: true };
const QUICK: Of = Of { only: false, ..SLOW };
/// How often to look without being woken: another process may have queued something.
const PAUSE: Duration = Duration::from_millis(500);
/// How often to look for timers that are due; the first time at once, after a stop.
const TICK: SignedDuration = SignedDuration::from_mins(1);

async fn carry_out(visit: &Visit, job: &Claimed) -> Result<Outcome, SendError> {
    match job.kind.as_str() {
        requests::jobs::NOTIFY => requests::jobs::notify(visit, job).await,
        requests::jobs::RECEIPT => Ok(requests::jobs::receipt(visit, job).await?),
        approvals::MAIL => approvals::send(visit, job).await.map(|()| Outcome::Done),
        consultations::MAIL => consultations::send(visit, job).await.map(|()| Outcome::Done),
        correspondence::jobs::MAKE => Ok(correspondence::jobs::make(visit, job).await?),
        correspondence::alone::MAKE => correspondence::alone::make(visit, job).await,
        accounts::jobs::LETTER => accounts::jobs::letter(visit, job).await.map(|()| Outcome::Done),
        acting::mails::LETTER => acting::mails::send(visit, job).await.map(|()| Outcome::Done),
        sharing::INVITATION => sharing::send(visit, job).await.map(|()| Outcome::Done),
        archives::job::ELIMINATE => Ok(archives::job::eliminate(visit, job).await?),
        scans::DRAW => Ok(scans::draw(visit, job).await.map(|()| Outcome::Done)?),
        steering::LETTER => steering::send(visit, job).await.map(|()| Outcome::Done),
        contacts::sms::SMS => contacts::sms::carry_out(visit, job).await,
        hooks::WEBHOOK => hooks::carry_out(visit, job).await,
        recount::RECOUNT => Ok(recount::carry_out(visit, job).await?),
        sso::LOGOUT => sso::logout(visit, job).await.map(|()| Outcome::Done),
        unknown => Err(SendError::Permanent(format!("unknown kind of job: {unknown}"))),
    }
}

/// Works until `stop` resolves, then ends what it has begun.
pub async fn run(app: App, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut last_sweep = app.clock.now();
    let mut last_seal = last_sweep;
    let mut last_tick = Timestamp::UNIX_EPOCH;
    let mut worked = false;
    // Cut short when this ends: its jobs are taken up again after their lease.
    let slow = tokio::spawn(slowly(app.clone()));
    loop {
        worked = look(&app, QUICK, worked).await;
        let now = app.clock.now();
        if now.duration_since(last_seal) >= journal::PERIOD {
            last_seal = now;
            if let Err(error) = journal::seal(&app).await {
                tracing::error!(error = format!("{error:#}"), "the journal cannot be read");
            }
        }
        if now.duration_since(last_tick) >= TICK {
            last_tick = now;
            if let Err(error) = requests::timers::tick(&app).await {
                tracing::error!(error = format!("{error:#}"), "timers failed");
            }
            if let Err(error) = awaited::remind::<consultations::Opinion>(&app).await {
                tracing::error!(error = format!("{error:#}"), "reminders of opinions failed");
            }
            if let Err(error) = awaited::remind::<approvals::Step>(&app).await {
                tracing::error!(error = format!("{error:#}"), "reminders of approvals failed");
            }
            tokio::spawn(contacts::mail::every(app.clone()));
            if let Err(error) = steering::tick(&app).await {
                tracing::error!(error = format!("{error:#}"), "counters, reminders or reports failed");
            }
        }
        if now.duration_since(last_sweep).as_mins() >= 30 {
            last_sweep = now;
            if let Err(error) = requests::sweep::all(&app).await {
                tracing::error!(error = format!("{error:#}"), "sweep failed");
            }
            // Apart: one that does not answer must not hold up jobs.
            tokio::spawn(directory::every(app.clone()));
            if let Some(flood) = &app.flood {
                flood.retain_recent();
            }
        }
        tokio::select! {
            () = &mut stop => {
                slow.abort();
                return;
            }
            () = async {}, if worked => {}
            () = app.work.notified(), if !worked => {}
            () = tokio::time::sleep(PAUSE), if !worked => {}
        }
    }
}

async fn slowly(app: App) {
    let mut worked = false;
    loop {
        worked = look(&app, SLOW, worked).await;
        if !worked {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether there was something. Just after a batch there is likely another: then the look before the claim is left
/// out.
async fn look(app: &App, of: Of, worked: bool) -> bool {
    match batch(app, of, worked).await {
        Ok(count) => count > 0,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "jobs cannot be read");
            false
        }
    }
}

/// Takes and carries out some of all that waits; gives how many jobs that was.
pub async fn turn(app: &App) -> Result<usize> {
    Ok(batch(app, QUICK, false).await? + batch(app, SLOW, false).await?)
}

/// Takes and carries out one batch; gives how many jobs it held.
/// `sure`: there is something to do, most probably.
async fn batch(app: &App, of: Of, sure: bool) -> Result<usize> {
    let now = app.clock.now();
    if !sure && !jobs::ready(&app.db.fresh(), now, of).await? {
        return Ok(0);
    }
    // Few of what takes long: the lease counts while they wait for each other.
    let many = if of.only { 2 } else { BATCH };
    let claimed = jobs::claim(&app.db, app.clock.id(), now, (of, many)).await?;
    let mut visits: BTreeMap<Uuid, Result<Visit>> = BTreeMap::new();
    for job in &claimed {
        if let Entry::Vacant(place) = visits.entry(job.authority_id) {
            place.insert(visit(app, job.authority_id).await);
        }
    }
    // Together: no two are about the same request, and a mail server mostly makes us wait.
    let done = claimed.iter().filter_map(|job| Some(one(app, job, visits.get(&job.authority_id)?)));
    try_join_all(done).await?;
    Ok(claimed.len())
}

async fn one(app: &App, job: &Claimed, found: &Result<Visit>) -> Result<()> {
    let outcome = match found {
        Ok(visit) => carry_out(&Visit { now: app.clock.now(), ..visit.clone() }, job).await,
        Err(error) => Err(SendError::Passing(anyhow::anyhow!("{error:#}"))),
    };
    let now = app.clock.now();
    match outcome {
        Ok(Outcome::Done) => jobs::done(&app.db, job, now).await?,
        Ok(Outcome::Recorded) => {}
        Err(error) => {
            let fatal = matches!(error, SendError::Permanent(_));
            let text = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(job = %job.id, kind = job.kind, attempts = job.attempts, fatal, error = text, "job failed");
            jobs::retry(&app.db, job, &text, fatal, now).await?;
        }
    }
    Ok(())
}

/// The authority a job belongs to, as if somebody visited it.
pub async fn visit(app: &App, authority: Uuid) -> Result<Visit> {
    // A late replica would not know yet what the job is about.
    let db = app.db.for_authority(authority).fresh();
    let (slug, name, db::Json(settings)): (String, String, db::Json<Settings>) =
        db.one(sql!("select slug, name, settings from authority where id = $1"), args![authority]).await?;
    let site = std::sync::Arc::new(Authority::new(authority, slug, name, settings));
    Ok(Visit {
        app: app.clone(),
        site,
        db,
        now: app.clock.now(),
        here: "/".into(),
        client: String::new(),
        device: Device::default(),
    })
}
