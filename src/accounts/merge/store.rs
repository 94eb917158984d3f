//! The one transaction of a merge. Each feature moves its own rows.

use db::{Tx, args, sql};
use uuid::Uuid;

use crate::{
    accounts::{
        connections::{self, Happened},
        factor,
        jobs::{self, Letter, More},
        passkey, session, store as accounts,
        store::Account,
    },
    contacts, household, identity,
    journal::{self, Action, Line},
    links, mandates, organisations, provider, requests, safe, sso, surveys,
    visit::Visit,
};

/// Moves all that `other` holds to `kept`, and closes it. False, and nothing done, when one of them closed or
/// changed its password since it proved itself, or when something stands between them since it was looked at.
pub async fn merge(tx: &mut Tx, visit: &Visit, kept: &Account, other: &Account) -> Result<bool, db::Error> {
    let (from, to) = (other.id, kept.id);
    if !session::still(tx, to, Some(kept.print())).await?
        || identity::differ(tx, from, to).await?
        || safe::clash(tx, from, to).await?
    {
        return Ok(false);
    }
    if !close(tx, visit, from, to, other.password_hash.as_deref()).await? {
        return Ok(false);
    }
    // First, so that applications are told under the names they knew.
    session::close_others(tx, from, None).await?;
    accounts::drop_links(tx, from).await?;
    factor::remove(tx, from).await?;
    passkey::remove_all(tx, from).await?;
    requests::owner::merge(tx, from, to).await?;
    household::merge(tx, from, to).await?;
    identity::merge(tx, from, to).await?;
    // Before organisations: their documents open with whichever safe is kept.
    safe::merge(tx, from, to).await?;
    organisations::merge(tx, from, to).await?;
    mandates::merge(tx, from, to).await?;
    links::merge(tx, from, to).await?;
    surveys::merge(tx, from, to).await?;
    contacts::sms::merge(tx, from, to).await?;
    for name in provider::merge(tx, from, to).await? {
        connections::remember_with(tx, visit, to, Happened::IdentityLinked, &name).await?;
        jobs::queue(tx, visit, Letter::IdentityLinked, to, More::default()).await?;
    }
    sso::merge(tx, from, to, visit.now).await?;
    connections::merge(tx, from, to).await?;
    connections::remember(tx, visit, to, Happened::Merged).await?;
    let former = from.to_string();
    let trace = Line::usager(to, Action::AccountsMerged).about("account", to).detail(&former);
    journal::note(tx, visit.now, &trace).await?;
    jobs::queue(tx, visit, Letter::Merged, to, More::default()).await?;
    if let Some(email) = &other.email {
        jobs::queue(tx, visit, Letter::Merged, to, More { to: email, ..More::default() }).await?;
    }
    Ok(true)
}

/// What is left of the account: when and why it closed, and into which it went. Its sign-in name is free again.
async fn close(tx: &mut Tx, visit: &Visit, from: Uuid, to: Uuid, hash: Option<&str>) -> Result<bool, db::Error> {
    let closed = tx
        .run(
            sql!(
                "update account set closed_at = $1, closed_reason = 'merged', merged_into = $2, login = $3, login_key = $3, email = null, email_key = null,
                   password_hash = null, first_name = '', last_name = '', phone = null
                 where authority_id = $4 and id = $5 and closed_at is null and coalesce(password_hash, '') = $6"
            ),
            args![visit.now, to, from.to_string(), tx.authority(), from, hash.unwrap_or_default()],
        )
        .await?;
    // Those that it had taken up follow: they go with the account that holds what was theirs.
    tx.run(
        sql!("update account set merged_into = $1 where authority_id = $2 and merged_into = $3"),
        args![to, tx.authority(), from],
    )
    .await?;
    Ok(closed == 1)
}
