//! SQL on consultations.

use db::{Db, Json, Query, Tx, args, row, sql};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Consultation, Given, New, To};
use crate::{platform::secret, requests, visit::Agent};

macro_rules! select {
    () => {
        "select c.id, c.request_id, c.department_id, d.name as department_name, c.expert_name, c.expert_email, c.question, c.fields, c.pieces, c.until, c.asked_at,
           c.asked_by, a.first_name || ' ' || a.last_name as asked_by_name, c.state, c.verdict, c.answer, c.answered_at,
           b.first_name || ' ' || b.last_name as answered_by_name, c.code_at, c.browser_hash, c.links
         from consultation c left join department d on d.authority_id = c.authority_id and d.id = c.department_id
           left join account a on a.authority_id = c.authority_id and a.id = c.asked_by
           left join account b on b.authority_id = c.authority_id and b.id = c.answered_by "
    };
}

macro_rules! consultations {
    ($where:literal) => {
        sql!(concat!(select!(), $where))
    };
}

/// Those of a request, in the order they were asked.
pub async fn of(db: &Db, request: Uuid) -> Result<Vec<Consultation>, db::Error> {
    db.all(
        consultations!("where c.authority_id = $1 and c.request_id = $2 order by c.asked_at, c.id"),
        args![db.authority(), request],
    )
    .await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Consultation>, db::Error> {
    db.first(consultations!("where c.authority_id = $1 and c.id = $2"), args![db.authority(), id]).await
}

pub async fn by_token(db: &Db, token: &str) -> Result<Option<Consultation>, db::Error> {
    db.first(
        consultations!("where c.authority_id = $1 and c.token_hash = $2"),
        args![db.authority(), secret::digest(token)],
    )
    .await
}

row! {
    /// A line of « Avis à rendre ».
    pub struct Asked {
        pub id: Uuid,
        pub department_name: String,
        pub question: String,
        pub until: jiff::civil::Date,
        pub state: String,
        pub verdict: Option<String>,
        pub answered_at: Option<Timestamp>,
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
    }
}

/// What these departments of the agent are asked (`open`), but on what the agent asked for themself, the most urgent first, or gave, the latest first; a page of them.
pub async fn asked(agent: &Agent, departments: &[&str], open: bool) -> Result<Vec<Asked>, db::Error> {
    let db = &agent.db;
    let query = Query::new(
        "select c.id, d.name as department_name, c.question, c.until, c.state, c.verdict, c.answered_at, r.reference, r.procedure_id, r.procedure_version
         from consultation c join department d on d.authority_id = c.authority_id and d.id = c.department_id
           join request r on r.authority_id = c.authority_id and r.id = c.request_id where 1 = 1",
    );
    let query = query.and("c.authority_id = {}", db.authority()).and_in("c.department_id", departments);
    let query = requests::others(query.and("c.state = {}", if open { "open" } else { "given" }), agent);
    db.all(
        query.push(if open { " order by c.until, c.id limit 200" } else { " order by c.until desc, c.id limit 50" }),
        args![],
    )
    .await
}

/// How many opinions a request waits for, without counting this one; and whether this one is open, which nobody
/// changes until the transaction ends. None: there is no such one.
pub async fn stand(tx: &mut Tx, request: Uuid, id: Uuid) -> Result<(usize, Option<bool>), db::Error> {
    let a = tx.authority();
    let state: Option<String> = tx
        .first(sql!("select state from consultation where authority_id = $1 and id = $2 for update"), args![a, id])
        .await?;
    let others: i64 = tx
        .one(
            sql!("select count(*) from consultation where authority_id = $1 and request_id = $2 and state = 'open' and id <> $3"),
            args![a, request, id],
        )
        .await?;
    Ok((usize::try_from(others).unwrap_or_default(), state.map(|state| state == "open")))
}

pub async fn insert(tx: &mut Tx, request: Uuid, new: &New, now: Timestamp) -> Result<(), db::Error> {
    let (department, name, email) = match &new.to {
        To::Department(id) => (Some(id.as_str()), "", ""),
        To::Expert { name, email } => (None, name.as_str(), email.as_str()),
    };
    tx.run(
        sql!(
            "insert into consultation (authority_id, id, request_id, department_id, expert_name, expert_email, question, fields, pieces, until, asked_at, asked_by, state, remind_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13)"
        ),
        args![
            tx.authority(), new.id, request, department, name, email, &new.question, Json(&new.fields), Json(&new.pieces), new.until, now, new.asked_by, new.remind_at
        ],
    )
    .await?;
    Ok(())
}

pub async fn give(tx: &mut Tx, id: Uuid, given: &Given<'_>, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update consultation set state = 'given', verdict = $1, answer = $2, answered_at = $3, answered_by = $4, remind_at = null
             where authority_id = $5 and id = $6 and state = 'open'"
        ),
        args![given.verdict, given.text, now, given.by, tx.authority(), id],
    )
    .await?;
    Ok(())
}

pub async fn withdraw(tx: &mut Tx, id: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update consultation set state = 'withdrawn', remind_at = null, browser_hash = null where authority_id = $1 and id = $2 and state = 'open'"),
        args![tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// Nobody waits for the opinions of a request that ended.
pub async fn close(tx: &mut Tx, request: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update consultation set state = 'closed', remind_at = null, browser_hash = null where authority_id = $1 and request_id = $2 and state = 'open'"),
        args![tx.authority(), request],
    )
    .await?;
    Ok(())
}

/// Another link in place of the one before; the browser that it was bound to keeps it.
pub async fn set_token(tx: &mut Tx, id: Uuid, token: &str) -> Result<bool, db::Error> {
    let set = tx
        .run(
            sql!("update consultation set token_hash = $1 where authority_id = $2 and id = $3 and state = 'open'"),
            args![secret::digest(token), tx.authority(), id],
        )
        .await?;
    Ok(set == 1)
}

/// The link before opens no more, nor the browser that it was bound to.
pub async fn unbind(tx: &mut Tx, id: Uuid) -> Result<bool, db::Error> {
    let done = tx
        .run(
            sql!("update consultation set links = links + 1, token_hash = null, browser_hash = null, code_at = null where authority_id = $1 and id = $2 and state = 'open' and department_id is null"),
            args![tx.authority(), id],
        )
        .await?;
    Ok(done == 1)
}

/// A code was asked for at this moment. False when a browser has the link already.
pub async fn set_code(tx: &mut Tx, id: Uuid, at: Option<Timestamp>) -> Result<bool, db::Error> {
    let set = tx
        .run(
            sql!("update consultation set code_at = $1 where authority_id = $2 and id = $3 and state = 'open' and browser_hash is null"),
            args![at, tx.authority(), id],
        )
        .await?;
    Ok(set == 1)
}

/// The first browser that gives the code asked for at `code_at` has the link from then on; false for any other.
pub async fn bind(tx: &mut Tx, id: Uuid, code_at: Timestamp, browser: &str) -> Result<bool, db::Error> {
    let bound = tx
        .run(
            sql!("update consultation set browser_hash = $1, code_at = null where authority_id = $2 and id = $3 and state = 'open' and browser_hash is null and code_at = $4"),
            args![secret::digest(browser), tx.authority(), id, code_at],
        )
        .await?;
    Ok(bound == 1)
}

row! {
    struct Shown {
        reference: String,
        department_name: Option<String>,
        expert_name: String,
        asked_at: Timestamp,
        fields: Json<Vec<String>>,
    }
}

/// Who was consulted on an account's requests and what they were shown, for the export of one's data. What they
/// wrote prepares a decision.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let found: Vec<Shown> = db
        .all(
            sql!(
                "select r.reference, d.name as department_name, c.expert_name, c.asked_at, c.fields
                 from request r join consultation c on c.authority_id = r.authority_id and c.request_id = r.id
                   left join department d on d.authority_id = c.authority_id and d.id = c.department_id
                 where r.authority_id = $1 and r.account_id = $2 order by c.asked_at, c.id"
            ),
            args![db.authority(), account],
        )
        .await?;
    let one = |one: &Shown| {
        let other = if one.expert_name.is_empty() {
            "Un service de la collectivité"
        } else {
            "Une personne extérieure à la collectivité"
        };
        json!({
            "demande": one.reference, "consulte": one.department_name.as_deref().unwrap_or(other), "le": one.asked_at.to_string(), "reponses_montrees": one.fields.0,
        })
    };
    Ok(found.iter().map(one).collect())
}
