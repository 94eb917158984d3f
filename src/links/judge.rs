//! Whether a reference and its proof are right. One that is unknown and one whose proof is wrong are told,
//! counted and timed alike.

use db::Tx;
use jiff::SignedDuration;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    model::{Service, Told},
    store::{self, Linked, Row},
};
use crate::{
    accounts::connections::{self, Happened},
    error::Problem,
    platform::{
        secret,
        throttle::{self, ONE, SHARED},
    },
    visit::{Citizen, Visit},
};

pub enum Judged {
    Linked,
    Wrong,
    /// Too many failures: how long until the next try.
    Wait(SignedDuration),
    /// The account has linked as much as it may.
    Full,
}

/// What a reference is found by.
pub fn key(visit: &Visit, service: &str, canonical: &str) -> Vec<u8> {
    visit.app.secret.fingerprint("reference", format!("{}/{service}/{canonical}", visit.site.id).as_bytes())
}

/// Proofs, each in its one writing, bound to their reference: two equal dates are not seen to be equal.
fn proof(visit: &Visit, key: &[u8], proofs: &[String]) -> Vec<u8> {
    visit.app.secret.fingerprint("reference proof", &[key, proofs.join("\0").as_bytes()].concat())
}

/// A reference as it is kept.
///
/// # Errors
/// Only when there is too much to encrypt.
pub fn row(visit: &Visit, service: &str, canonical: &str, proofs: &[String], told: &Told) -> anyhow::Result<Row> {
    let key = key(visit, service, canonical);
    let sealed = visit.app.secret.seal("reference data", &key, &serde_json::to_vec(told)?)?;
    Ok(Row { proof: proof(visit, &key, proofs), sealed, key })
}

/// What the department tells of a linked reference; none when it is gone.
pub fn told(visit: &Visit, linked: &Linked) -> Option<Told> {
    let clear = visit.app.secret.unseal("reference data", &linked.ref_key, linked.sealed.as_deref()?)?;
    serde_json::from_slice(&clear).ok()
}

/// Links a reference to the visitor's account if its proof is right.
pub async fn link(citizen: &Citizen, service: &Service, canonical: &str, proofs: &[String]) -> Result<Judged, Problem> {
    let (visit, account) = (&citizen.visit, citizen.account.id);
    let key = key(visit, &service.id, canonical);
    let code = |what: &str, of: &[u8]| format!("reference:{what}:{}", visit.app.secret.code("reference", of));
    let (by_account, by_reference) = (code("compte", account.as_bytes()), code("reference", &key));
    let by_network = code("reseau", visit.client.as_bytes());
    if let Some(left) = throttle::wait(&visit.db, &by_network, SHARED, visit.now).await? {
        return Ok(Judged::Wait(left));
    }
    // Counted before they are judged: however many come at once, none passes uncounted.
    for subject in [&by_account, &by_reference] {
        if let Some(left) = throttle::take(&visit.db, subject, ONE, visit.now).await? {
            return Ok(Judged::Wait(left));
        }
    }
    let kept = store::proof(&visit.db, service, &key).await?;
    let given = proof(visit, &key, proofs);
    let same: bool = kept.as_deref().unwrap_or(&[0; 32]).ct_eq(&given).into();
    if kept.is_some() && same {
        let new = (visit.id(), secret::clear_text(12));
        let linked = visit
            .db
            .write(async |tx: &mut Tx| {
                for subject in [&by_account, &by_reference] {
                    throttle::take_back(tx, subject).await?;
                }
                let linked = store::link(tx, account, (new.0, &new.1), service, &key, visit.now).await?;
                if linked {
                    connections::remember(tx, visit, account, Happened::ReferenceLinked).await?;
                }
                Ok::<_, db::Error>(linked)
            })
            .await?;
        return Ok(if linked { Judged::Linked } else { Judged::Full });
    }
    visit
        .db
        .write(async |tx: &mut Tx| {
            throttle::failed_in(tx, &by_network, SHARED, visit.now).await?;
            store::count_failure(tx, &service.id, visit.today()).await?;
            connections::remember(tx, visit, account, Happened::ReferenceRefused).await
        })
        .await?;
    Ok(Judged::Wrong)
}

/// Takes a link back; the service knows its owner by another key if they come again. False when it is not there.
pub async fn unlink(citizen: &Citizen, id: Uuid) -> Result<bool, db::Error> {
    let (visit, account) = (&citizen.visit, citizen.account.id);
    visit
        .db
        .write(async |tx: &mut Tx| {
            let found = store::unlink(tx, account, id).await?;
            if found {
                connections::remember(tx, visit, account, Happened::ReferenceUnlinked).await?;
            }
            Ok(found)
        })
        .await
}
