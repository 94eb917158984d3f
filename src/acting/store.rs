//! In whose name a session acts.

use std::sync::Arc;

use db::{Tx, args, sql};
use uuid::Uuid;

use super::model::{Acting, Choice, Kind};
use crate::{accounts::session::Session, error::Problem, mandates, organisations, visit::Visit};

/// Whom the session's person acts for, checked now. A right that ended meanwhile is told once, on a page
/// of its own: nothing is done in a name that is not the expected one.
pub async fn resolve(visit: &Visit, session: Option<&Session>) -> Result<Option<Arc<Acting>>, Problem> {
    let Some(session) = session else { return Ok(None) };
    let (Some(account), Some(choice)) = (&session.account, session.acting) else { return Ok(None) };
    if let Some(acting) = find(visit, account.id, choice).await? {
        return Ok(Some(Arc::new(acting)));
    }
    let kept = visit.db.write(async |tx: &mut Tx| keep(tx, session.id, None).await).await;
    if let Err(error) = kept {
        tracing::warn!(error = format!("{error:#}"), "session goes on acting for nobody");
    }
    // Who was leaving leaves.
    if visit.here == "/deconnexion" { Ok(None) } else { Err(Problem::Over) }
}

/// What this account may do for whom it chose; none when it has no right, or no more.
pub async fn find(visit: &Visit, account: Uuid, choice: Choice) -> Result<Option<Acting>, Problem> {
    match choice.kind {
        Kind::Organisation => Ok(organisations::acting(visit, account, choice.id).await?),
        Kind::Mandate => mandates::acting(visit, account, choice.id).await,
    }
}

/// Keeps the choice with the session; none: oneself.
pub async fn keep(tx: &mut Tx, session: Uuid, choice: Option<Choice>) -> Result<(), db::Error> {
    tx.run(
        sql!("update session set acting_kind = $1, acting_id = $2 where authority_id = $3 and id = $4"),
        args![choice.map(|choice| choice.kind.name()), choice.map(|choice| choice.id), tx.authority(), session],
    )
    .await?;
    Ok(())
}
