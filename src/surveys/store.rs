//! SQL on surveys and their answers.

use anyhow::{Context, Result};
use db::{Db, Json, Query, Tx, args, row, sql};
use forms::{
    answers::Answers,
    load::{self, Shared},
    model::Survey,
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::visit::Visit;

row! {
    struct Kept {
        body: String,
        results_at: Option<Timestamp>,
    }
}

/// A survey of the authority, and whether everybody may read its results.
pub struct Found {
    pub survey: Survey,
    pub told: bool,
}

fn read(kept: &Kept) -> Result<Found> {
    let survey = load::survey("survey", &kept.body, &Shared::default())
        .map_err(|findings| anyhow::anyhow!("stored survey does not load: {findings:?}"))?;
    Ok(Found { survey, told: kept.results_at.is_some() })
}

pub async fn all(db: &Db) -> Result<Vec<Found>> {
    let kept: Vec<Kept> = db
        .all(sql!("select body, results_at from survey where authority_id = $1 order by id"), args![db.authority()])
        .await?;
    kept.iter().map(read).collect()
}

pub async fn find(db: &Db, id: &str) -> Result<Option<Found>> {
    let kept: Option<Kept> = db
        .first(
            sql!("select body, results_at from survey where authority_id = $1 and id = $2"),
            args![db.authority(), id],
        )
        .await?;
    kept.as_ref().map(read).transpose()
}

/// Publishes a survey, in its canonical form. False when it was there already.
pub async fn put(db: &Db, survey: &Survey, body: &str, now: Timestamp) -> Result<bool, db::Error> {
    let hash = load::hash(body);
    db.write(async |tx: &mut Tx| {
        let put = tx
            .run(
                sql!(
                    "insert into survey (authority_id, id, department_id, body, hash, published_at) values ($1, $2, $3, $4, $5, $6)
                     on conflict (authority_id, id) do update set department_id = excluded.department_id, body = excluded.body,
                       hash = excluded.hash, published_at = excluded.published_at where survey.hash <> excluded.hash"
                ),
                args![tx.authority(), &survey.id, &survey.department, body, &hash, now],
            )
            .await?;
        Ok(put == 1)
    })
    .await
}

/// Keeps an answer. False when it is there already: its form was sent twice, or its account has answered.
pub async fn answer(
    tx: &mut Tx,
    survey: &str,
    id: Uuid,
    account: Option<Uuid>,
    answers: &Answers,
    day: Date,
) -> Result<bool, db::Error> {
    let kept = tx
        .run(
            sql!(
                "insert into survey_answer (authority_id, survey_id, id, account_id, answers, day) values ($1, $2, $3, $4, $5, $6)
                 on conflict do nothing"
            ),
            args![tx.authority(), survey, id, account, Json(answers), day],
        )
        .await?;
    Ok(kept == 1)
}

pub async fn has_answered(db: &Db, survey: &str, account: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .first(
            sql!("select 1 from survey_answer where authority_id = $1 and account_id = $2 and survey_id = $3"),
            args![db.authority(), account, survey],
        )
        .await?;
    Ok(found.is_some())
}

/// Every answer, in no order that tells of who gave it.
pub async fn answers(db: &Db, survey: &str) -> Result<Vec<Answers>, db::Error> {
    let found: Vec<Json<Answers>> = db
        .all(
            sql!("select answers from survey_answer where authority_id = $1 and survey_id = $2 order by id"),
            args![db.authority(), survey],
        )
        .await?;
    Ok(found.into_iter().map(|Json(answers)| answers).collect())
}

/// Of so many answers at once, those after this id, in the same order.
pub async fn some(db: &Db, survey: &str, after: Option<Uuid>, many: usize) -> Result<Vec<(Uuid, Answers)>, db::Error> {
    let query = Query::new("select id, answers from survey_answer where 1 = 1")
        .and("authority_id = {}", db.authority())
        .and("survey_id = {}", survey)
        .and_some("id > {}", after);
    let found: Vec<(Uuid, Json<Answers>)> =
        db.all(query.push_with(" order by id limit {}", i64::try_from(many).unwrap_or(i64::MAX)), args![]).await?;
    Ok(found.into_iter().map(|(id, Json(answers))| (id, answers)).collect())
}

/// How many answered each survey.
pub async fn counts(db: &Db) -> Result<Vec<(String, i64)>, db::Error> {
    db.all(
        sql!("select survey_id, count(*) from survey_answer where authority_id = $1 group by survey_id"),
        args![db.authority()],
    )
    .await
}

/// Lets everybody read these results, or nobody any more.
pub async fn tell(
    tx: &mut Tx,
    survey: &str,
    results: Option<&Value>,
    (by, now): (Uuid, Timestamp),
) -> Result<(), db::Error> {
    tx.run(
        sql!("update survey set results = $1, results_at = $2, results_by = $3 where authority_id = $4 and id = $5"),
        args![results.map(Json), results.map(|_| now), results.map(|_| by), tx.authority(), survey],
    )
    .await?;
    Ok(())
}

/// What everybody may read: none when nothing is published.
pub async fn told(db: &Db, survey: &str) -> Result<Option<Value>, db::Error> {
    let found: Option<Json<Value>> = db
        .first(
            sql!("select results from survey where authority_id = $1 and id = $2 and results is not null"),
            args![db.authority(), survey],
        )
        .await?;
    Ok(found.map(|Json(results)| results))
}

/// Erases the answers of surveys whose retention, counted from their last day, is over.
pub async fn sweep(visit: &Visit) -> Result<()> {
    for Found { survey, .. } in all(&visit.db).await? {
        let kept = survey.notice.retention;
        let last = survey.opening.to.context("a survey has a last day")?;
        if visit.site.calendar.after(last, kept.current).max(visit.site.calendar.after(last, kept.dua)) >= visit.today()
        {
            continue;
        }
        let erase = async |tx: &mut Tx| {
            tx.run(
                sql!("delete from survey_answer where authority_id = $1 and survey_id = $2"),
                args![tx.authority(), &survey.id],
            )
            .await
        };
        visit.db.write(erase).await?;
    }
    Ok(())
}

/// For the export of one's data: anonymous answers are nobody's.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let found: Vec<(String, Json<Answers>, Date)> = db
        .all(
            sql!("select survey_id, answers, day from survey_answer where authority_id = $1 and account_id = $2 order by day, survey_id"),
            args![db.authority(), account],
        )
        .await?;
    let one = |(survey, Json(answers), day): (String, Json<Answers>, Date)| json!({"enquete": survey, "reponses": answers, "le": day.to_string()});
    Ok(found.into_iter().map(one).collect())
}

/// Two accounts become one: where both answered, what the kept one said stays.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "update survey_answer set account_id = $1 where authority_id = $2 and account_id = $3
               and not exists (select 1 from survey_answer k where k.authority_id = $2 and k.account_id = $1 and k.survey_id = survey_answer.survey_id)"
        ),
        args![to, tx.authority(), from],
    )
    .await?;
    tx.run(sql!("delete from survey_answer where authority_id = $1 and account_id = $2"), args![tx.authority(), from])
        .await?;
    Ok(())
}
