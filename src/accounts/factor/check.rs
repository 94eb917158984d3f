//! Judging a code given after the password: once each, with growing delays for who fails.

use db::Tx;
use jiff::SignedDuration;
use uuid::Uuid;

use super::{recovery, store, totp};
use crate::{
    accounts::{
        connections::{self, Happened},
        entry,
    },
    error::Problem,
    platform::throttle::{self, ONE, SHARED},
    visit::Visit,
};

/// What sealed secrets of applications are for.
pub(super) const PURPOSE: &str = "second-facteur";

#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// Of the application.
    Code(&'a str),
    Recovery(&'a str),
}

#[derive(Debug)]
pub enum Checked {
    Passed(Happened),
    Wrong,
    Wait(SignedDuration),
}

/// Whose secret it is: bound to it, so that one account's does not open another's.
pub(super) fn owner(visit: &Visit, account: Uuid) -> Vec<u8> {
    [visit.site.id.as_bytes().as_slice(), account.as_bytes()].concat()
}

/// Failures at codes are counted apart from those at passwords: a right password, which whoever guesses
/// codes has, must not forgive them.
pub async fn check(visit: &Visit, account: Uuid, answer: Answer<'_>) -> Result<Checked, Problem> {
    let client = entry::client(visit);
    if let Some(left) = throttle::wait(&visit.db, &client, SHARED, visit.now).await? {
        return Ok(Checked::Wait(left));
    }
    let subject = format!("code:{}", visit.app.secret.code("code", &owner(visit, account)));
    if let Some(left) = throttle::take(&visit.db, &subject, ONE, visit.now).await? {
        return Ok(Checked::Wait(left));
    }
    let passed = match answer {
        Answer::Code(typed) => code(visit, account, typed).await?.then_some(Happened::SignedIn),
        Answer::Recovery(typed) => spare(visit, account, typed).await?.then_some(Happened::SignedInByRecovery),
    };
    match passed {
        Some(how) => {
            throttle::succeeded(&visit.db, &subject).await?;
            Ok(Checked::Passed(how))
        }
        None => {
            connections::refused(visit, &client, Some(account), Happened::WrongCode).await?;
            Ok(Checked::Wrong)
        }
    }
}

async fn code(visit: &Visit, account: Uuid, typed: &str) -> Result<bool, Problem> {
    let Some(factor) = store::find(&visit.db, account).await? else { return Ok(false) };
    let Some(secret) = visit.app.secret.unseal(PURPOSE, &owner(visit, account), &factor.sealed) else {
        tracing::error!(%account, "second factor sealed under another secret: only a recovery code opens this account");
        return Ok(false);
    };
    let Some(step) = totp::matching(&secret, typed, visit.now, factor.last_step) else { return Ok(false) };
    Ok(visit.db.write(async |tx: &mut Tx| store::take_step(tx, account, step).await).await?)
}

async fn spare(visit: &Visit, account: Uuid, typed: &str) -> Result<bool, Problem> {
    let kept = store::recovery(&visit.db, account).await?;
    let Some(id) = recovery::matching(typed, &kept).await? else { return Ok(false) };
    Ok(visit.db.write(async |tx: &mut Tx| store::use_recovery(tx, account, id, visit.now).await).await?)
}
