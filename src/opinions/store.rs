//! SQL on opinions.

use db::{Db, Tx, args, row, sql};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Given, State};
use crate::{
    requests::model::Request,
    steering::facts::{self, Fact, Measure},
};

row! {
    /// What was said of one request.
    #[derive(Debug, Clone)]
    pub struct Opinion {
        pub request_id: Uuid,
        pub procedure_id: String,
        pub department_id: String,
        pub score: i64,
        pub comment: String,
        pub state: String,
        pub reason: String,
        pub given_on: Date,
    }
}

pub async fn of(db: &Db, request: Uuid) -> Result<Option<Opinion>, db::Error> {
    db.first(
        sql!(
            "select request_id, procedure_id, department_id, score, comment, state, reason, given_on from opinion
             where authority_id = $1 and request_id = $2"
        ),
        args![db.authority(), request],
    )
    .await
}

/// Keeps an opinion and counts its mark, as the fact `id`. False when the request has one.
pub async fn give(tx: &mut Tx, id: Uuid, request: &Request, given: &Given, today: Date) -> Result<bool, db::Error> {
    let state = if given.comment.is_empty() { State::Silent } else { State::Waiting };
    let (procedure, department) = (&request.procedure_id, &request.department_id);
    let kept = tx
        .run(
            sql!(
                "insert into opinion (authority_id, request_id, procedure_id, department_id, score, comment, state, reason, given_on)
                 values ($1, $2, $3, $4, $5, $6, $7, '', $8) on conflict (authority_id, request_id) do nothing"
            ),
            args![tx.authority(), request.id, procedure, department, given.score, &given.comment, state.name(), today],
        )
        .await?;
    if kept == 1 {
        let what = given.score.to_string();
        let mark = Fact {
            day: today,
            department,
            procedure,
            measure: Measure::Score,
            what: &what,
            channel: &request.channel,
            days: None,
        };
        facts::note(tx, id, &mark).await?;
    }
    Ok(kept == 1)
}

/// The oldest comments of a department that wait for their reading.
pub async fn waiting(db: &Db, department: &str, most: i64) -> Result<Vec<Opinion>, db::Error> {
    db.all(
        sql!(
            "select request_id, procedure_id, department_id, score, comment, state, reason, given_on from opinion
             where authority_id = $1 and state = 'waiting' and department_id = $2 order by given_on, request_id limit $3"
        ),
        args![db.authority(), department, most],
    )
    .await
}

/// Publishes or hides a comment that waits. False when a colleague was faster.
pub async fn judge(tx: &mut Tx, request: Uuid, state: State, reason: &str, by: Uuid) -> Result<bool, db::Error> {
    let judged = tx
        .run(
            sql!(
                "update opinion set state = $1, reason = $2, judged_by = $3
                 where authority_id = $4 and request_id = $5 and state = 'waiting'"
            ),
            args![state.name(), reason, by, tx.authority(), request],
        )
        .await?;
    Ok(judged == 1)
}

/// The latest published comments on a procedure.
pub async fn published(db: &Db, procedure: &str, most: i64) -> Result<Vec<Opinion>, db::Error> {
    db.all(
        sql!(
            "select request_id, procedure_id, department_id, score, comment, state, reason, given_on from opinion
             where authority_id = $1 and procedure_id = $2 and state = 'published' order by given_on desc, request_id limit $3"
        ),
        args![db.authority(), procedure, most],
    )
    .await
}

/// For the export of one's data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let given: Vec<(String, i64, String, String, Date)> = db
        .all(
            sql!(
                "select r.reference, o.score, o.comment, o.state, o.given_on from opinion o
                 join request r on r.authority_id = o.authority_id and r.id = o.request_id
                 where o.authority_id = $1 and r.account_id = $2 order by o.given_on"
            ),
            args![db.authority(), account],
        )
        .await?;
    let line = |(reference, score, comment, state, day): (String, i64, String, String, Date)| json!({"demande": reference, "note": score, "commentaire": comment, "etat": state, "donne_le": day.to_string()});
    Ok(given.into_iter().map(line).collect())
}
