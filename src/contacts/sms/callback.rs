//! What the gateway tells: what became of an SMS, and what came in. The secret in the address is all that tells it
//! from anybody; what comes in proves nothing of who sent it.

use anyhow::Context;
use axum::extract::{Path, Query};
use db::Tx;
use forms::kinds::phone;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{store, token};
use crate::{
    contacts::arrive::{self, Arrived, Place},
    error::Problem,
    visit::Visitor,
};

/// Code, in the history of a request, of an SMS from the confirmed number of its usager.
pub const RECEIVED: &str = "sms-in";
/// Longest text kept, in characters: what several SMS make.
const LONGEST: usize = 2_000;

fn known(visitor: &Visitor, given: &str) -> Result<(), Problem> {
    if bool::from(token(visitor).as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(Problem::NotFound) }
}

#[derive(Debug, Deserialize)]
pub struct Report {
    sms: Uuid,
    /// Kannel's kind of report: 1 delivered, 2 not delivered, 4 buffered, 8 taken, 16 refused.
    etat: u32,
}

pub async fn delivered(
    visitor: Visitor,
    Path(given): Path<String>,
    Query(report): Query<Report>,
) -> Result<&'static str, Problem> {
    known(&visitor, &given)?;
    let (delivered, for_good) = match report.etat {
        1 => (true, false),
        2 => (false, false),
        16 => (false, true),
        _ => return Ok(""),
    };
    let now = visitor.now;
    visitor.db.write(async |tx: &mut Tx| store::told(tx, report.sms, delivered, for_good, now).await).await?;
    Ok("")
}

#[derive(Debug, Deserialize)]
pub struct Incoming {
    /// `%p`, `%a`, `%I` of Kannel.
    de: String,
    #[serde(default)]
    texte: String,
    #[serde(default)]
    id: String,
}

pub async fn received(
    visitor: Visitor,
    Path(given): Path<String>,
    Query(sms): Query<Incoming>,
) -> Result<&'static str, Problem> {
    known(&visitor, &given)?;
    let (gateway, _) = store::get(&visitor.db).await?.ok_or(Problem::NotFound)?;
    // Kannel gives « + » or « 00 » as the operator does, or nothing at all.
    let digits: String = sms.de.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect();
    let number = phone::e164(&digits).or_else(|| phone::e164(&format!("+{digits}"))).unwrap_or(digits);
    let body: String =
        sms.texte.chars().filter(|letter| !letter.is_control() || *letter == '\n').take(LONGEST).collect();
    let owners = store::owners(&visitor.db, &number).await?;
    if body.trim().eq_ignore_ascii_case("stop") {
        return stop(&visitor, &owners).await;
    }
    let place = place(&visitor, &owners, &gateway.department).await?;
    let what = if sms.id.is_empty() { format!("{number}\n{body}\n{}", visitor.now) } else { sms.id };
    let arrived = Arrived {
        channel: "sms",
        code: RECEIVED,
        print: &visitor.app.secret.fingerprint("received sms", what.as_bytes()),
        at: visitor.now,
        who: "",
        address: &phone::french(&number),
        subject: "",
        body: if body.trim().is_empty() { "[SMS vide]" } else { body.trim() },
        quoted: "",
        files: &[],
    };
    arrive::keep(&visitor, &arrived, &place).await.context("an SMS was not kept")?;
    Ok("")
}

/// On the one open request of whom confirmed the number; else to be qualified.
async fn place(visitor: &Visitor, owners: &[Uuid], department: &str) -> Result<Place, Problem> {
    let mut open = Vec::new();
    for account in owners {
        open.extend(store::open_requests(&visitor.db, *account).await?);
    }
    Ok(match open.as_slice() {
        [(request, department)] => Place::Message { request: *request, department: department.clone() },
        _ => Place::ToQualify { department: department.to_owned() },
    })
}

/// « STOP »: nothing more leaves to this number.
async fn stop(visitor: &Visitor, owners: &[Uuid]) -> Result<&'static str, Problem> {
    visitor
        .db
        .write(async |tx: &mut Tx| {
            for account in owners {
                store::stop(tx, *account).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok("")
}
