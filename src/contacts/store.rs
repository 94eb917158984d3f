//! SQL on contacts.

use db::{Db, Tx, args, sql};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::model::{self, Contact};
use crate::{
    journal::{self, Action, Line},
    requests::{
        search,
        store::{self as requests, Entry},
    },
    visit::Visit,
};

/// The contacts that a clause finds; `brief`: the beginning of their texts.
macro_rules! contacts {
    (brief $where:literal) => {
        contacts!("substr(c.body, 1, 200) as body, '' as quoted", $where)
    };
    ($where:literal) => {
        contacts!("c.body, c.quoted", $where)
    };
    ($texts:literal, $where:literal) => {
        sql!(concat!(
            "select c.id, c.department_id, c.request_id, c.channel, c.incoming, c.at, c.recorded_at, c.recorded_by, a.first_name || ' ' || a.last_name as recorded_name,
               c.who, c.address, c.subject, ", $texts, ", c.shared, c.as_message, c.state, c.reason, c.settled_at
             from contact c left join account a on a.authority_id = c.authority_id and a.id = c.recorded_by ",
            $where
        ))
    };
}

/// A contact to keep.
#[derive(Debug)]
pub struct New<'a> {
    pub id: Uuid,
    pub department: &'a str,
    /// None: it is to be qualified.
    pub request: Option<Uuid>,
    pub channel: &'a str,
    pub incoming: bool,
    pub at: Timestamp,
    /// None: it arrived by itself.
    pub by: Option<Uuid>,
    pub who: &'a str,
    pub address: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub quoted: &'a str,
    pub shared: bool,
    pub as_message: bool,
}

/// Keeps a contact, with its entry in the history of its request. False when it is there already.
pub async fn add(tx: &mut Tx, new: &New<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let state = if new.request.is_some() { "tied" } else { "waiting" };
    let added = tx
        .run(
            sql!(
                "insert into contact (authority_id, id, department_id, request_id, channel, incoming, at, recorded_at, recorded_by, who, address, subject, body, quoted,
                   shared, as_message, state, reason)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '') on conflict (authority_id, id) do nothing"
            ),
            args![
                tx.authority(), new.id, new.department, new.request, new.channel, new.incoming, new.at, now, new.by, new.who, new.address, new.subject, new.body, new.quoted,
                new.shared, new.as_message, state
            ],
        )
        .await?;
    if added == 0 {
        return Ok(false);
    }
    if let Some(request) = new.request {
        files(tx, new.id, request, new.shared).await?;
    }
    match new.request {
        // The message of the same id has its own entry and its own words.
        Some(_) if new.as_message => {}
        Some(request) => {
            note(tx, request, new.id, new.by, new.shared, &format!("{} {}", new.subject, new.body), now).await?;
        }
        None => {
            let line = Line::city(new.by, Action::ContactChanged).about("contact", new.id);
            journal::note(tx, now, &line.department(new.department).detail("recorded")).await?;
        }
    }
    Ok(true)
}

/// The files of a contact become its request's.
async fn files(tx: &mut Tx, contact: Uuid, request: Uuid, shared: bool) -> Result<(), db::Error> {
    tx.run(
        sql!("update file set owner_id = $3, slot = $4 where authority_id = $1 and owner_id = $2"),
        args![tx.authority(), contact, request, &model::slot(contact, shared)],
    )
    .await?;
    Ok(())
}

/// The history of the request, and its searched words.
async fn note(
    tx: &mut Tx,
    request: Uuid,
    contact: Uuid,
    by: Option<Uuid>,
    shared: bool,
    words: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let entry = Entry {
        actor: if by.is_some() { "agent" } else { "system" },
        actor_id: by,
        code: if shared { model::SHARED } else { model::INTERNAL },
        from: None,
        to: None,
        subject: Some(contact),
        acted: None,
    };
    requests::record(tx, request, &entry, now).await?;
    search::add(tx, request, words).await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Contact>, db::Error> {
    db.first(contacts!("where c.authority_id = $1 and c.id = $2"), args![db.authority(), id]).await
}

/// Those of a request, in the order in which they happened.
pub async fn of_request(db: &Db, request: Uuid) -> Result<Vec<Contact>, db::Error> {
    db.all(
        contacts!("where c.authority_id = $1 and c.request_id = $2 order by c.at, c.id"),
        args![db.authority(), request],
    )
    .await
}

/// The oldest contacts of a department that wait.
pub async fn waiting(db: &Db, department: &str, most: i64) -> Result<Vec<Contact>, db::Error> {
    db.all(
        contacts!(
            brief "where c.authority_id = $1 and c.department_id = $2 and c.state = 'waiting' order by c.at, c.id limit $3"
        ),
        args![db.authority(), department, most],
    )
    .await
}

/// The latest that a department closed without a request.
pub async fn closed(db: &Db, department: &str, most: i64) -> Result<Vec<Contact>, db::Error> {
    db.all(
        contacts!(
            brief "where c.authority_id = $1 and c.department_id = $2 and c.state = 'closed' order by c.settled_at desc, c.id limit $3"
        ),
        args![db.authority(), department, most],
    )
    .await
}

/// Ties a contact that waits to a request of `department`, its files with it. False when a colleague was faster.
pub async fn tie(
    tx: &mut Tx,
    contact: &Contact,
    (request, department): (Uuid, &str),
    shared: bool,
    by: Uuid,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let a = tx.authority();
    let done = tx
        .run(
            sql!(
                "update contact set state = 'tied', request_id = $3, department_id = $4, shared = $5, settled_at = $6, settled_by = $7
                 where authority_id = $1 and id = $2 and state = 'waiting'"
            ),
            args![a, contact.id, request, department, shared, now, by],
        )
        .await?;
    if done == 0 {
        return Ok(false);
    }
    files(tx, contact.id, request, shared).await?;
    note(tx, request, contact.id, Some(by), shared, &format!("{} {}", contact.subject, contact.body), now).await?;
    Ok(true)
}

/// A contact that waits goes with the request that an agent filed from it, for its department alone; one that a
/// colleague settled since stays where it is.
pub async fn follow(
    tx: &mut Tx,
    contact: Uuid,
    place: (Uuid, &str),
    by: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    let a = tx.authority();
    let found: Option<Contact> = tx
        .first(contacts!("where c.authority_id = $1 and c.id = $2 and c.state = 'waiting'"), args![a, contact])
        .await?;
    let Some(found) = found else { return Ok(()) };
    if tie(tx, &found, place, false, by, now).await? {
        let line = Line::city(Some(by), Action::ContactChanged).about("contact", contact);
        journal::note(tx, now, &line.department(&found.department_id).detail("tied")).await?;
    }
    Ok(())
}

/// Closes a contact that waits.
pub async fn close(tx: &mut Tx, id: Uuid, reason: &str, by: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let done = tx
        .run(
            sql!(
                "update contact set state = 'closed', reason = $3, settled_at = $4, settled_by = $5 where authority_id = $1 and id = $2 and state = 'waiting'"
            ),
            args![tx.authority(), id, reason, now, by],
        )
        .await?;
    Ok(done == 1)
}

/// Closes what a robot wrote, which nobody has to look at.
pub async fn close_automatic(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update contact set state = 'closed', reason = $3, settled_at = $4 where authority_id = $1 and id = $2"),
        args![tx.authority(), id, model::AUTOMATIC, now],
    )
    .await?;
    Ok(())
}

/// Hands a contact that waits to another department.
pub async fn hand(tx: &mut Tx, id: Uuid, from: &str, to: &str) -> Result<bool, db::Error> {
    let done = tx
        .run(
            sql!(
                "update contact set department_id = $4 where authority_id = $1 and id = $2 and department_id = $3 and state = 'waiting'"
            ),
            args![tx.authority(), id, from, to],
        )
        .await?;
    Ok(done == 1)
}

/// Forgets what nobody tied to a request for so many months, and files whose contact was never saved.
pub async fn sweep(visit: &Visit) -> Result<(), db::Error> {
    let (now, months) = (visit.now, visit.site.settings.contacts_months);
    visit.db.write(async |tx: &mut Tx| forget(tx, now, months).await).await
}

async fn forget(tx: &mut Tx, now: Timestamp, months: u32) -> Result<(), db::Error> {
    let a = tx.authority();
    let today = now.to_zoned(TimeZone::UTC);
    let before = today.checked_sub(i64::from(months.max(1)).months()).map_or(now, |at| at.timestamp());
    let yesterday = today.checked_sub(1.days()).map_or(now, |at| at.timestamp());
    tx.run(
        sql!("delete from file where authority_id = $1 and owner_id in (select c.id from contact c where c.authority_id = $1 and c.request_id is null and c.recorded_at < $2)"),
        args![a, before],
    )
    .await?;
    tx.run(
        sql!("delete from contact where authority_id = $1 and request_id is null and recorded_at < $2"),
        args![a, before],
    )
    .await?;
    let year = today.checked_sub(13.months()).map_or(now, |at| at.timestamp());
    tx.run(sql!("delete from received where authority_id = $1 and at < $2"), args![a, year]).await?;
    // Codes, and what is about no request.
    let month = today.checked_sub(30.days()).map_or(now, |at| at.timestamp());
    tx.run(sql!("delete from sms where authority_id = $1 and request_id is null and at < $2"), args![a, month]).await?;
    // A file of the form of a contact that was given up.
    tx.run(
        sql!(
            "delete from file where authority_id = $1 and slot = 'contact' and at < $2
               and not exists (select 1 from contact c where c.authority_id = file.authority_id and c.id = file.owner_id)"
        ),
        args![a, yesterday],
    )
    .await?;
    Ok(())
}

/// For the export of one's data: what their requests' departments share.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Json>, db::Error> {
    let shared: Vec<(String, String, bool, Timestamp, String, String, String)> = db
        .all(
            sql!(
                "select r.reference, c.channel, c.incoming, c.at, c.who, c.subject, c.body from contact c
                 join request r on r.authority_id = c.authority_id and r.id = c.request_id
                 where c.authority_id = $1 and r.account_id = $2 and c.shared = $3 order by c.at, c.id"
            ),
            args![db.authority(), account, true],
        )
        .await?;
    let one = |(reference, channel, incoming, at, who, subject, body): (
        String,
        String,
        bool,
        Timestamp,
        String,
        String,
        String,
    )| {
        json!({"demande": reference, "moyen": channel, "recu": incoming, "le": at.to_string(), "qui": who, "objet": subject, "texte": body})
    };
    Ok(shared.into_iter().map(one).collect())
}
