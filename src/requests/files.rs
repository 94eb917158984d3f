//! Files of drafts and requests: rows that name objects in storage, and the way out, always as an
//! attachment.

use std::collections::BTreeMap;

use axum::{body::Body, extract::Path, response::Response};
use db::{Db, args, sql};
use forms::journey::Files;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    access, drafts,
    filler::{Filler, Follows},
    intake,
    model::File,
};
use crate::{
    consultations, contacts,
    error::Problem,
    journal::{Action, Line},
    platform::{attachment, upload::Received},
    visit::{Agent, Visit},
};

/// Most files that one draft or request may hold.
const MOST: i64 = 60;

/// Files of a draft or a request, in the order received.
pub async fn of(db: &Db, owner: Uuid) -> Result<Vec<File>, db::Error> {
    db.all(
        sql!("select id, owner_id, slot, name, media_type, size, at from file where authority_id = $1 and owner_id = $2 order by at, id"),
        args![db.authority(), owner],
    )
    .await
}

/// How many files stand in each piece's slot.
pub fn by_piece(files: &[File]) -> Files {
    let mut count = BTreeMap::new();
    for piece in files.iter().filter_map(|file| file.slot.strip_prefix("piece:")) {
        *count.entry(piece.to_owned()).or_default() += 1;
    }
    count
}

/// Names a file that storage already keeps. False when the slot, or the whole file, is full.
pub async fn add(visit: &Visit, owner: Uuid, slot: &str, most: u32, file: &Received) -> Result<bool, db::Error> {
    visit.db.write(async |tx: &mut db::Tx| insert(tx, owner, slot, most, file, visit.now).await).await
}

pub async fn insert(
    tx: &mut db::Tx,
    owner: Uuid,
    slot: &str,
    most: u32,
    file: &Received,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let (here, all): (i64, i64) = tx
        .one(
            sql!(
                "select count(*) filter (where slot = $3), count(*) from file where authority_id = $1 and owner_id = $2"
            ),
            args![tx.authority(), owner, slot],
        )
        .await?;
    if here >= i64::from(most) || all >= MOST {
        return Ok(false);
    }
    keep(tx, owner, slot, file, now).await?;
    Ok(true)
}

/// Names a file that storage already keeps, however many there are: what the city made. One that is named
/// already stays as it is.
pub async fn keep(tx: &mut db::Tx, owner: Uuid, slot: &str, file: &Received, now: Timestamp) -> Result<(), db::Error> {
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    tx.run(
        sql!(
            "insert into file (authority_id, id, owner_id, slot, name, media_type, size, sha256, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (authority_id, id) do nothing"
        ),
        args![tx.authority(), file.id, owner, slot, &file.name, file.media_type, size, &file.sha256, now],
    )
    .await?;
    Ok(())
}

/// Takes a file out; the object itself is swept.
pub async fn remove(visit: &Visit, owner: Uuid, id: Uuid) -> Result<(), db::Error> {
    visit.db.write(async |tx: &mut db::Tx| take_out(tx, owner, None, id).await).await
}

/// Takes a file out, of this slot if one is named.
pub async fn take_out(tx: &mut db::Tx, owner: Uuid, slot: Option<&str>, id: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "delete from file where authority_id = $1 and owner_id = $2 and id = $3 and (cast($4 as text) is null or slot = $4)"
        ),
        args![tx.authority(), owner, id, slot],
    )
    .await?;
    Ok(())
}

pub async fn find(db: &Db, id: Uuid) -> Result<File, Problem> {
    let file = db
        .first(
            sql!("select id, owner_id, slot, name, media_type, size, at from file where authority_id = $1 and id = $2"),
            args![db.authority(), id],
        )
        .await?;
    file.ok_or(Problem::NotFound)
}

/// A file of a draft or a request of one's own.
pub async fn mine<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let file = find(&filler.db, id).await?;
    // What was said to the department is not the usager's to take.
    if file.slot.starts_with(consultations::SLOT) {
        return Err(Problem::NotFound);
    }
    if drafts::own(&filler, file.owner_id).await?.is_none() {
        access::own(&filler, file.owner_id).await?;
    }
    if contacts::is_internal_slot(&file.slot) {
        return Err(Problem::NotFound);
    }
    attachment(&filler, &file).await
}

/// A file of a request that the agent processes, or of a draft of their department: who only reads knows that a request exists, not what it holds.
pub async fn desk(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let file = find(&agent.db, id).await?;
    // Of a request being completed, it is the request's.
    if intake::find(&agent, file.owner_id).await?.is_some_and(|(draft, _)| !draft.correcting) {
        return attachment(&agent, &file).await;
    }
    let trace = Line::agent(&agent, Action::FileOpened).about("file", id);
    access::desk::<access::Process>(&agent, file.owner_id, trace).await?;
    attachment(&agent, &file).await
}

/// The file itself, for who has the right to it.
pub async fn attachment(visit: &Visit, file: &File) -> Result<Response, Problem> {
    let stream = visit.app.storage.read(visit.site.id, file.id).await?;
    Ok(attachment::attachment(Body::from_stream(stream), &file.media_type, file.size, &file.name))
}
