//! At the counter: a change of address for who no longer reads the former one.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use uuid::Uuid;

use super::{pages::new_address, store};
use crate::{
    accounts::{
        connections::{self, Happened},
        factor::counter,
        jobs::{self, Letter, More},
        store as accounts,
    },
    error::Problem,
    platform::form::Typed,
    visit::Agent,
};

/// The agent agrees in the place of the former address, which is told at once and may still refuse; the new
/// one has to agree by itself.
pub async fn change(agent: Agent, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = counter::usager(&agent, id).await?;
    let mut wrong = Vec::new();
    let email = new_address(&typed, &account, "nouvelle-adresse").map_err(|mistake| wrong.push(mistake));
    let reason = counter::checked(&typed, "identite-adresse", "motif-adresse", &mut wrong);
    let (Ok(email), true) = (email, wrong.is_empty()) else {
        return counter::again(&agent, &account, &typed, &wrong).await;
    };
    let visit = &agent.visit;
    visit
        .db
        .write(async |tx: &mut Tx| {
            accounts::drop_links(tx, account.id).await?;
            store::begin(tx, account.id, &email, true, visit.now).await?;
            let by = (Some(agent.account.id), reason);
            connections::remember_agent(tx, visit, account.id, Happened::EmailChangeAtCounter, by).await?;
            jobs::queue(tx, visit, Letter::OldEmailAtCounter, account.id, More::default()).await?;
            jobs::queue(tx, visit, Letter::NewEmail, account.id, More { to: &email, ..More::default() }).await
        })
        .await?;
    visit.app.work.notify_one();
    Ok(Redirect::to("/agent/comptes?fait=adresse").into_response())
}
