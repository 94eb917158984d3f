//! Putting away what nobody needs: expired drafts, sessions and links, objects that no row names.

use std::collections::HashSet;

use anyhow::Result;
use db::{args, sql};
use forms::step::Actor;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    fire::{self, By, With},
    model::{self, Request},
    store,
};
use crate::{
    accounts::{self, connections, ending},
    acting::invitation,
    agents,
    app::App,
    authorities, catalogue, contacts,
    household::sharing,
    identity, journal, links, mandates,
    platform::clock,
    provider, safe, scans, sso, surveys,
    visit::Visit,
    work,
};

/// An object younger than this may still be waiting for its row.
const YOUNG: i64 = 24 * 3600;

pub async fn all(app: &App) -> Result<()> {
    for authority in authorities::all(&app.db).await? {
        expired(app, authority).await?;
        contacts::sweep(&work::visit(app, authority).await?).await?;
        scans::sweep(&work::visit(app, authority).await?).await?;
        surveys::sweep(&work::visit(app, authority).await?).await?;
        mandates::end_due(&work::visit(app, authority).await?).await?;
        archive(app, authority).await?;
        // What is wrong with its chain must not hold up the rest.
        if let Err(error) = journal::retain(app, authority).await {
            tracing::error!(%authority, error = format!("{error:#}"), "old lines of the journal stay");
        }
        ending::sweep(&work::visit(app, authority).await?).await?;
        orphans(app, authority).await?;
    }
    Ok(())
}

async fn expired(app: &App, authority: Uuid) -> Result<(), db::Error> {
    let now = app.clock.now();
    let last_week = now.checked_sub(SignedDuration::from_hours(7 * 24)).unwrap_or(now);
    app.db
        .for_authority(authority)
        .write(async |tx: &mut db::Tx| {
            let a = tx.authority();
            tx.run(
                // The draft of a correction shares its id with a request, whose files stay.
                sql!(
                    "delete from file where authority_id = $1 and owner_id in (select d.id from draft d where d.authority_id = $1 and d.expires_at < $2
                       and not exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id))"
                ),
                args![a, now],
            )
            .await?;
            tx.run(sql!("delete from draft where authority_id = $1 and expires_at < $2"), args![a, now]).await?;
            agents::sweep(tx, clock::day(now, &TimeZone::UTC)).await?;
            sso::sweep(tx, now).await?;
            tx.run(sql!("delete from session where authority_id = $1 and expires_at < $2"), args![a, now]).await?;
            safe::close_idle(tx, now).await?;
            invitation::sweep(tx, now).await?;
            tx.run(sql!("delete from link where authority_id = $1 and expires_at < $2"), args![a, last_week]).await?;
            tx.run(sql!("delete from attempt where authority_id = $1 and last_at < $2"), args![a, last_week]).await?;
            connections::sweep(tx, now).await?;
            links::sweep(tx, now).await?;
            accounts::sweep_passkeys(tx, now).await?;
            accounts::sweep(tx, last_week).await?;
            sharing::sweep(tx, last_week).await?;
            identity::sweep(tx, now).await?;
            accounts::email::store::sweep(tx, now).await?;
            provider::sweep(tx, now).await?;
            tx.run(sql!("delete from job where authority_id = $1 and done_at < $2"), args![a, last_week]).await?;
            Ok(())
        })
        .await
}

/// Ended requests whose time in current use is over become archives: the circuit's own transition of
/// the platform, as `archive_at` told when they ended. A batch at a time, read at once and written in one
/// transaction, until none is left. Gives how many.
pub async fn archive(app: &App, authority: Uuid) -> Result<usize> {
    let visit = work::visit(app, authority).await?;
    let (mut archived, mut last) = (0, (Timestamp::UNIX_EPOCH, Uuid::nil()));
    loop {
        let due = store::archives(&visit.db, visit.now, last).await?;
        let Some(end) = due.last() else { return Ok(archived) };
        last = (end.archive_at.unwrap_or(visit.now), end.id);
        archived += archive_batch(&visit, &due).await?;
    }
}

async fn archive_batch(visit: &Visit, due: &[Request]) -> Result<usize> {
    let (by, with) = (By { actor: Actor::System, account: None, acted: None }, With::default());
    let mut procedures = Vec::new();
    for request in due {
        procedures.push(catalogue::version(visit, &request.procedure_id, request.procedure_version).await?);
    }
    let mut batch = Vec::new();
    for (request, procedure) in due.iter().zip(&procedures) {
        let Some(transition) = model::archiving(procedure, &request.state) else { continue };
        match fire::decide(visit, procedure, request, &transition.id, by, &with) {
            Ok(fired) => batch.push(fired),
            // One that cannot be does not hold up those that can.
            Err(problem) => tracing::error!(request = %request.id, problem = ?problem, "cannot be archived"),
        }
    }
    let stored = visit
        .db
        .write(async |tx: &mut db::Tx| {
            let mut stored = 0;
            for fired in &batch {
                // False: somebody works on it at this very moment; next time.
                stored += usize::from(fired.store(tx).await?);
            }
            Ok::<usize, db::Error>(stored)
        })
        .await?;
    visit.app.work.notify_one();
    Ok(stored)
}

/// Removes objects of uploads that were given up, refused or taken back. Gives how many.
pub async fn orphans(app: &App, authority: Uuid) -> Result<usize> {
    // Never by a replica: one that lags a day behind would make kept files look like nobody's.
    let db = app.db.for_authority(authority).fresh();
    let old = app.clock.now().as_second() - YOUNG;
    let mut objects = app.storage.list(authority).chunks(500);
    let mut removed = 0;
    while let Some(chunk) = objects.next().await {
        let ids: Vec<Uuid> = chunk
            .into_iter()
            .filter_map(Result::ok)
            .filter(|(_, modified)| *modified < old)
            .map(|(id, _)| id)
            .collect();
        let query = db::Query::new("select id from file where authority_id = {}").bind(authority).and_in("id", &ids);
        let mut known: HashSet<Uuid> = db.all::<Uuid>(query, args![]).await?.into_iter().collect();
        known.extend(safe::known(&db, &ids).await?);
        for id in ids.into_iter().filter(|id| !known.contains(id)) {
            app.storage.remove(authority, id).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
