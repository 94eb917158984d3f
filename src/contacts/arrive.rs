//! What arrives by itself, by mail or SMS: kept once, on the request that it is about or to be qualified.

use anyhow::{Result, ensure};
use db::{Db, Tx, args, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    model::{LOOSE, slot},
    store::{self, New},
};
use crate::{
    platform::upload::Received,
    requests::{
        keep_file,
        store::{self as requests, Entry, NewMessage},
    },
    visit::Visit,
};

/// What one address or number may send in a day to be qualified.
const MOST_A_DAY: i64 = 200;

pub struct Arrived<'a> {
    /// `email` or `sms`.
    pub channel: &'a str,
    /// The code of the history of its request.
    pub code: &'a str,
    /// Keyed hash of what tells it from any other.
    pub print: &'a [u8],
    pub at: Timestamp,
    pub who: &'a str,
    pub address: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub quoted: &'a str,
    pub files: &'a [Received],
}

#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// A message of the usager of a request.
    Message {
        request: Uuid,
        department: String,
    },
    /// On a request, for its department alone.
    Noted {
        request: Uuid,
        department: String,
    },
    ToQualify {
        department: String,
    },
    /// Of a robot, about no request: nobody has to look at it.
    Closed {
        department: String,
    },
}

/// # Errors
/// Its sender has sent too much to be qualified today.
pub async fn bounded(visit: &Visit, place: &Place, address: &str) -> Result<()> {
    if matches!(place, Place::ToQualify { .. } | Place::Closed { .. }) {
        let since = visit.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(visit.now);
        ensure!(sent(&visit.db, address, since).await? < MOST_A_DAY, "too much of one sender today");
    }
    Ok(())
}

/// False when it came before.
///
/// # Errors
/// Nothing was kept: to be sent again, later when one sender has sent too much.
pub async fn keep(visit: &Visit, arrived: &Arrived<'_>, place: &Place) -> Result<bool> {
    let (id, now) = (visit.id(), visit.now);
    let (request, department) = match place {
        Place::Message { request, department } | Place::Noted { request, department } => (Some(*request), department),
        Place::ToQualify { department } | Place::Closed { department } => (None, department),
    };
    bounded(visit, place, arrived.address).await?;
    let as_message = matches!(place, Place::Message { .. });
    let new = New {
        id,
        department,
        request,
        channel: arrived.channel,
        incoming: true,
        at: arrived.at,
        by: None,
        who: arrived.who,
        address: arrived.address,
        subject: arrived.subject,
        body: if as_message { "" } else { arrived.body },
        quoted: arrived.quoted,
        shared: as_message,
        as_message,
    };
    let write = async |tx: &mut Tx| {
        if !mark(tx, arrived.channel, arrived.print, now).await? {
            return Ok(false);
        }
        for file in arrived.files {
            let (owner, slot) = request.map_or((id, LOOSE.to_owned()), |request| (request, slot(id, as_message)));
            keep_file(tx, owner, &slot, file, now).await?;
        }
        if let (Some(request), true) = (request, as_message) {
            let body = arrived.body;
            let message = NewMessage { id, author: "usager", author_id: None, internal: false, body };
            requests::write(tx, request, &message, now).await?;
            let (code, subject) = (arrived.code, Some(id));
            let entry = Entry { actor: "system", actor_id: None, code, from: None, to: None, subject, acted: None };
            requests::record(tx, request, &entry, now).await?;
        }
        store::add(tx, &new, now).await?;
        if matches!(place, Place::Closed { .. }) {
            store::close_automatic(tx, id, now).await?;
        }
        Ok::<bool, db::Error>(true)
    };
    Ok(visit.db.write(write).await?)
}

pub async fn is_known(db: &Db, channel: &str, print: &[u8]) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .first(
            sql!("select 1 from received where authority_id = $1 and kind = $2 and print = $3"),
            args![db.authority(), channel, print.to_vec()],
        )
        .await?;
    Ok(found.is_some())
}

/// Notes that it came. False when it did before.
async fn mark(tx: &mut Tx, channel: &str, print: &[u8], now: Timestamp) -> Result<bool, db::Error> {
    let added = tx
        .run(
            sql!(
                "insert into received (authority_id, kind, print, at) values ($1, $2, $3, $4) on conflict (authority_id, kind, print) do nothing"
            ),
            args![tx.authority(), channel, print.to_vec(), now],
        )
        .await?;
    Ok(added == 1)
}

/// How many contacts this address or number sent since then.
async fn sent(db: &Db, address: &str, since: Timestamp) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from contact where authority_id = $1 and request_id is null and recorded_at > $2 and address = $3"),
        args![db.authority(), since, address],
    )
    .await
}
