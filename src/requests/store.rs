//! SQL on requests. Reading one goes through [`super::access`].

use db::{Db, Json, Query, Tx, args, sql};
use forms::{answers::Answers, journey::Said, step::Life, timer};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    certified,
    channel::Channel,
    fire::Corrected,
    model::{self, Ask, Decision, Event, Form, Message, Request},
    owner::Whose,
    search,
};
use crate::journal::{self, Line};

/// Whole requests, with the name of who holds them.
macro_rules! select {
    () => {
        "select r.id, r.reference, r.procedure_id, r.procedure_version, r.department_id, r.account_id, r.organisation_id, r.acted_by, r.acted_as, r.channel, r.filer_name, r.beneficiary, r.email, r.answers, r.state, r.status,
               r.holder_id, h.first_name || ' ' || h.last_name as holder_name, r.submitted_at, r.updated_at, r.active_at, r.due_at, r.completed_at, r.suspended_at, r.ended_at, r.archive_at, r.confidential_address, r.clocks, r.given, r.version,
               exists (select 1 from linked_request l where l.authority_id = r.authority_id and l.id = r.id) as follows
             from request r left join account h on h.authority_id = r.authority_id and h.id = r.holder_id "
    };
}

macro_rules! requests {
    ($where:literal) => {
        sql!(concat!(select!(), $where))
    };
}

/// Those that `scope` leaves, in the order of their sending.
pub async fn several(db: &Db, scope: impl FnOnce(Query) -> Query) -> Result<Vec<Request>, db::Error> {
    let query = Query::new(concat!(select!(), "where 1 = 1"));
    db.all(scope(query).push(" order by r.submitted_at, r.id"), args![]).await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Request>, db::Error> {
    db.first(requests!("where r.authority_id = $1 and r.id = $2"), args![db.authority(), id]).await
}

/// Ended requests that are archives since before `now`, in the order they became so; those that follow
/// the one named by `after`.
pub async fn archives(db: &Db, now: Timestamp, after: (Timestamp, Uuid)) -> Result<Vec<Request>, db::Error> {
    db.all(
        requests!(
            "where r.authority_id = $1 and r.archive_at <= $2 and (r.archive_at, r.id) > ($3, $4) order by r.archive_at, r.id limit 50"
        ),
        args![db.authority(), now, after.0, after.1],
    )
    .await
}

/// Requests with a timer that is due at `now`, in the order of their timers; those that follow the one named by
/// `after`.
pub async fn woken(db: &Db, now: Timestamp, after: (Timestamp, Uuid)) -> Result<Vec<(Timestamp, Uuid)>, db::Error> {
    db.all(
        sql!("select wake_at, id from request where authority_id = $1 and wake_at <= $2 and (wake_at, id) > ($3, $4) order by wake_at, id limit 50"),
        args![db.authority(), now, after.0, after.1],
    )
    .await
}

/// Requests that are not ended, in the order of their ids, those that follow `after`, `most` at once.
pub async fn open(db: &Db, after: Uuid, most: i64) -> Result<Vec<Request>, db::Error> {
    db.all(
        requests!("where r.authority_id = $1 and not r.ended and r.id > $2 order by r.id limit $3"),
        args![db.authority(), after, most],
    )
    .await
}

/// The id of the request that has this reference.
pub async fn by_reference(db: &Db, reference: &str) -> Result<Option<Uuid>, db::Error> {
    db.first(
        sql!("select id from request where authority_id = $1 and reference = $2"),
        args![db.authority(), reference],
    )
    .await
}

/// What a request is when it is sent.
pub struct New<'a> {
    pub id: Uuid,
    pub reference: &'a str,
    pub procedure_id: &'a str,
    pub procedure_version: i64,
    pub department_id: &'a str,
    pub whose: Whose,
    /// By what right, when it is sent in somebody's name.
    pub acted_as: Option<&'a str>,
    pub channel: Channel,
    pub filer_name: Option<&'a str>,
    pub beneficiary: Option<&'a str>,
    pub email: Option<&'a str>,
    pub answers: &'a Answers,
    /// What the answers say, for those who search.
    pub said: &'a Said,
    pub status: &'static str,
    pub life: &'a Life,
    /// See [`super::model::archive_at`].
    pub archive_at: Option<Timestamp>,
    pub confidential_address: bool,
    pub now: Timestamp,
}

pub async fn insert(tx: &mut Tx, new: &New<'_>) -> Result<(), db::Error> {
    let life = new.life;
    tx.run(
        sql!(
            "insert into request (authority_id, id, reference, procedure_id, procedure_version, department_id, account_id, filer_name, beneficiary, email, answers,
               state, status, ended, submitted_at, updated_at, due_at, completed_at, suspended_at, ended_at, archive_at, confidential_address, version, organisation_id, acted_by, acted_as, clocks, wake_at, channel, active_at, filer_key)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $19, $9, $10, $11, $12, $13, $14, $27, $15, $16, $17, $18, $20, $21, 1, $22, $23, $24, $25, $26, $28, $27, $29)"
        ),
        args![
            tx.authority(), new.id, new.reference, new.procedure_id, new.procedure_version, new.department_id, new.whose.account, new.filer_name, new.email,
            Json(new.answers), &life.state, new.status, life.ended.is_some(), life.submitted, life.due, life.completed, life.suspended, life.ended,
            new.beneficiary, new.archive_at, new.confidential_address,
            new.whose.organisation, new.whose.by, new.acted_as, Json(&life.clocks), timer::wake(&life.clocks.timers), new.now, new.channel.id(),
            model::filer_key(new.answers, new.filer_name)
        ],
    )
    .await?;
    search::insert(tx, new).await
}

/// Stores where `read` stands now, if nobody changed it since it was read.
pub async fn advance(
    tx: &mut Tx,
    read: &Request,
    life: &Life,
    status: &str,
    archive_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update request set state = $1, status = $2, ended = $3, due_at = $4, completed_at = $5, suspended_at = $6, ended_at = $7, archive_at = $8, updated_at = $9,
                   clocks = $13, wake_at = $14, version = version + 1
                 where authority_id = $10 and id = $11 and version = $12"
            ),
            args![
                &life.state, status, life.ended.is_some(), life.due, life.completed, life.suspended, life.ended, archive_at, now, tx.authority(), read.id, read.version,
                Json(&life.clocks), timer::wake(&life.clocks.timers)
            ],
        )
        .await?;
    Ok(changed == 1)
}

pub async fn hold(tx: &mut Tx, id: Uuid, holder: Option<Uuid>) -> Result<(), db::Error> {
    tx.run(
        sql!("update request set holder_id = $1 where authority_id = $2 and id = $3"),
        args![holder, tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// Keeps corrected answers, what was heard about the certified ones, and forgets the draft that held them. An
/// address that was told to be confidential stays so for those who have the request.
pub async fn correct(tx: &mut Tx, id: Uuid, given: &Corrected<'_>) -> Result<(), db::Error> {
    certified::hear(tx, id, given.marks).await?;
    tx.run(sql!("delete from draft where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
    tx.run(
        sql!("update request set answers = $1, beneficiary = $2, confidential_address = (confidential_address or $3) where authority_id = $4 and id = $5"),
        args![Json(given.answers), &given.beneficiary, given.confidential_address, tx.authority(), id],
    )
    .await?;
    search::correct(tx, id, &given.said, given.beneficiary.as_deref()).await
}

/// Who did what: an entry of the history.
pub struct Entry<'a> {
    pub actor: &'a str,
    pub actor_id: Option<Uuid>,
    pub code: &'a str,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    /// The message, decision or file it is about.
    pub subject: Option<Uuid>,
    /// `mandate` or `organisation`, when they acted in somebody's name.
    pub acted: Option<&'static str>,
}

/// Adds to the history something that is not a transition, about what has this id; `by`: what kind of actor, and who.
pub async fn note(
    tx: &mut Tx,
    request: Uuid,
    subject: Uuid,
    (actor, actor_id): (&str, Option<Uuid>),
    code: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let entry = Entry { actor, actor_id, code, from: None, to: None, subject: Some(subject), acted: None };
    record(tx, request, &entry, now).await?;
    Ok(())
}

/// Adds to the history; gives the entry's number.
pub async fn record(tx: &mut Tx, request: Uuid, entry: &Entry<'_>, now: Timestamp) -> Result<i64, db::Error> {
    journal::note(tx, now, &Line::entry(request, entry.actor, entry.actor_id, entry.code)).await?;
    tx.run(
        sql!("update request set active_at = $1 where authority_id = $2 and id = $3 and active_at < $1"),
        args![now, tx.authority(), request],
    )
    .await?;
    tx.one(
        sql!(
            "insert into request_event (authority_id, request_id, seq, at, actor, actor_id, code, from_state, to_state, subject_id, acted)
             select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10 from request_event where authority_id = $1 and request_id = $2
             returning seq"
        ),
        args![tx.authority(), request, now, entry.actor, entry.actor_id, entry.code, entry.from, entry.to, entry.subject, entry.acted],
    )
    .await
}

/// Whether the request was ever asked to be completed.
pub async fn was_asked(tx: &mut Tx, request: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from request_ask where authority_id = $1 and request_id = $2 limit 1"),
            args![tx.authority(), request],
        )
        .await?;
    Ok(found.is_some())
}

pub async fn grant(tx: &mut Tx, session: Uuid, request: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into request_grant (authority_id, session_id, request_id) values ($1, $2, $3) on conflict do nothing"),
        args![tx.authority(), session, request],
    )
    .await?;
    Ok(())
}

pub async fn events(db: &Db, request: Uuid) -> Result<Vec<Event>, db::Error> {
    db.all(
        sql!(
            "select e.seq, e.at, e.actor, e.actor_id, a.first_name || ' ' || a.last_name as actor_name, e.code, e.from_state, e.to_state, e.acted,
               coalesce(s.first_name || ' ' || s.last_name, d.name, c.expert_name, p.title, v.title, n.name) as subject_name
             from request_event e left join account a on a.authority_id = e.authority_id and a.id = e.actor_id
               left join account s on s.authority_id = e.authority_id and s.id = e.subject_id
               left join consultation c on c.authority_id = e.authority_id and c.id = e.subject_id
               left join department d on d.authority_id = c.authority_id and d.id = c.department_id
               left join approval p on p.authority_id = e.authority_id and p.id = e.subject_id
               left join approval_step v on v.authority_id = e.authority_id and v.id = e.subject_id
               left join request_move m on m.authority_id = e.authority_id and m.id = e.subject_id
               left join department n on n.authority_id = m.authority_id and n.id = m.to_department
             where e.authority_id = $1 and e.request_id = $2 order by e.seq"
        ),
        args![db.authority(), request],
    )
    .await
}

/// Keeps what an agent answered to a form, with its entry of the history; `given` is the latest answer to each
/// question of the request.
pub async fn fill(
    tx: &mut Tx,
    request: Uuid,
    seq: i64,
    transition: &str,
    answers: &Answers,
    given: &Answers,
) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into request_form (authority_id, request_id, seq, transition, answers) values ($1, $2, $3, $4, $5)"
        ),
        args![tx.authority(), request, seq, transition, Json(answers)],
    )
    .await?;
    tx.run(
        sql!("update request set given = $1 where authority_id = $2 and id = $3"),
        args![Json(given), tx.authority(), request],
    )
    .await?;
    Ok(())
}

/// What agents answered to forms, in the order of the history.
pub async fn forms(db: &Db, request: Uuid) -> Result<Vec<Form>, db::Error> {
    db.all(
        sql!(
            "select f.transition, f.answers, e.at, a.first_name || ' ' || a.last_name as agent
             from request_form f join request_event e on e.authority_id = f.authority_id and e.request_id = f.request_id and e.seq = f.seq
               left join account a on a.authority_id = e.authority_id and a.id = e.actor_id
             where f.authority_id = $1 and f.request_id = $2 order by f.seq"
        ),
        args![db.authority(), request],
    )
    .await
}

/// A message between usager and department, or an internal note.
pub struct NewMessage<'a> {
    pub id: Uuid,
    pub author: &'a str,
    pub author_id: Option<Uuid>,
    pub internal: bool,
    pub body: &'a str,
}

/// False when the message is already there: its form was sent twice.
pub async fn write(tx: &mut Tx, request: Uuid, message: &NewMessage<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let added = tx.run(
        sql!("insert into message (authority_id, id, request_id, author, author_id, internal, body, at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (authority_id, id) do nothing"),
        args![tx.authority(), message.id, request, message.author, message.author_id, message.internal, message.body, now],
    )
    .await?;
    if added == 1 {
        search::add(tx, request, message.body).await?;
    }
    Ok(added == 1)
}

pub async fn messages(db: &Db, request: Uuid) -> Result<Vec<Message>, db::Error> {
    db.all(
        sql!(
            "select m.id, m.author, a.first_name || ' ' || a.last_name as author_name, m.internal, m.body, m.at, m.read_at
             from message m left join account a on a.authority_id = m.authority_id and a.id = m.author_id
             where m.authority_id = $1 and m.request_id = $2 order by m.at, m.id"
        ),
        args![db.authority(), request],
    )
    .await
}

/// Marks as read what the other side wrote.
pub async fn read(db: &Db, request: Uuid, written_by: &str, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!("update message set read_at = $1 where authority_id = $2 and request_id = $3 and author = $4 and not internal and read_at is null"),
            args![now, tx.authority(), request, written_by],
        )
        .await?;
        Ok(())
    })
    .await
}

pub async fn ask(
    tx: &mut Tx,
    id: Uuid,
    request: Uuid,
    kind: &str,
    target: &str,
    until: Option<Date>,
    now: Timestamp,
) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into request_ask (authority_id, id, request_id, kind, target, until, asked_at) values ($1, $2, $3, $4, $5, $6, $7)"),
        args![tx.authority(), id, request, kind, target, until, now],
    )
    .await?;
    Ok(())
}

pub async fn asks(db: &Db, request: Uuid) -> Result<Vec<Ask>, db::Error> {
    db.all(
        sql!("select id, kind, target, until, asked_at, answered_at from request_ask where authority_id = $1 and request_id = $2 order by asked_at, id"),
        args![db.authority(), request],
    )
    .await
}

pub async fn answered(tx: &mut Tx, request: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update request_ask set answered_at = $1 where authority_id = $2 and request_id = $3 and answered_at is null"),
        args![now, tx.authority(), request],
    )
    .await?;
    Ok(())
}

pub async fn decide(tx: &mut Tx, id: Uuid, request: Uuid, author: Uuid, decision: &Decision) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into decision (authority_id, id, request_id, favourable, author_id, author_name, author_quality, author_department, ground, facts, appeal, at, delegation_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        args![
            tx.authority(), id, request, decision.favourable, author, &decision.author_name, &decision.author_quality, &decision.author_department,
            &decision.ground, &decision.facts, &decision.appeal, decision.at, decision.delegation_id
        ],
    )
    .await?;
    Ok(())
}

/// The latest decision.
pub async fn decision(db: &Db, request: Uuid) -> Result<Option<Decision>, db::Error> {
    db.first(
        sql!(
            "select favourable, author_name, author_quality, author_department, ground, facts, appeal, delegation_id, at from decision
             where authority_id = $1 and request_id = $2 order by at desc limit 1"
        ),
        args![db.authority(), request],
    )
    .await
}
