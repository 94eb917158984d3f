//! Putting away what nobody needs: expired drafts, sessions and links, objects that no row names.

use std::collections::HashSet;

use anyhow::Result;
use db::{args, sql};
use forms::{calendar, step::Actor};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    fire::{self, By, With},
    store,
};
use crate::{app::App, catalogue, error::Problem, platform::clock, work};

/// An object younger than this may still be waiting for its row.
const YOUNG: i64 = 24 * 3600;

pub async fn all(app: &App) -> Result<()> {
    let authorities: Vec<Uuid> = app.db.all(sql!("select id from authority"), args![]).await?;
    for authority in authorities {
        expired(app, authority).await?;
        archive(app, authority).await?;
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
            tx.run(sql!("delete from session where authority_id = $1 and expires_at < $2"), args![a, now]).await?;
            tx.run(sql!("delete from link where authority_id = $1 and expires_at < $2"), args![a, last_week]).await?;
            tx.run(sql!("delete from attempt where authority_id = $1 and last_at < $2"), args![a, last_week]).await?;
            tx.run(sql!("delete from job where authority_id = $1 and done_at < $2"), args![a, last_week]).await?;
            Ok(())
        })
        .await
}

/// Ended requests whose time in current use is over (« durée d'utilité courante ») become archives:
/// the circuit's own transition of the platform, where it has one.
async fn archive(app: &App, authority: Uuid) -> Result<usize> {
    let visit = work::visit(app, authority).await?;
    let ended: Vec<(Uuid, Timestamp)> = visit
        .db
        .all(
            sql!("select id, ended_at from request where authority_id = $1 and ended and state <> 'archived' order by ended_at limit 1000"),
            args![authority],
        )
        .await?;
    let mut archived = 0;
    for (id, ended_at) in ended {
        let Some(request) = store::find(&visit.db, id).await? else { continue };
        let procedure = catalogue::version(&visit, &request.procedure_id, request.procedure_version).await?;
        let kept = calendar::after(clock::day(ended_at, &visit.site.zone), procedure.notice.retention.current);
        let transition =
            procedure.workflow.offered(&request.state, Actor::System).next().filter(|_| kept < visit.today());
        let Some(transition) = transition else { continue };
        let by = By { actor: Actor::System, account: None };
        match fire::fire(&visit, &procedure, &request, &transition.id, by, &With::default()).await {
            Ok(()) => archived += 1,
            // Somebody works on it at this very moment: next time.
            Err(Problem::Conflict(_)) => {}
            Err(problem) => anyhow::bail!("request {id} cannot be archived: {problem:?}"),
        }
    }
    Ok(archived)
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
        let known: HashSet<Uuid> = db.all::<Uuid>(query, args![]).await?.into_iter().collect();
        for id in ids.into_iter().filter(|id| !known.contains(id)) {
            app.storage.remove(authority, id).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
