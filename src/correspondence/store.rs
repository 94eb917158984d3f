//! SQL on templates and letters.

use db::{Db, Json, Query, Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use serde_json::Value;
use uuid::Uuid;

use super::model::Template;

/// Versions of templates: `$of` says which, `$where` of which templates.
macro_rules! templates {
    ($of:literal, $where:literal) => {
        sql!(concat!(
            "select t.department_id, t.code, t.genre, v.version, t.version as latest, v.title, v.subject, v.body, v.saved_at, v.saved_by,
               a.first_name || ' ' || a.last_name as saved_name
             from letter_template t
             join letter_version v on v.authority_id = t.authority_id and v.department_id = t.department_id and v.code = t.code ",
            $of,
            " left join account a on a.authority_id = v.authority_id and a.id = v.saved_by where t.authority_id = $1 and t.department_id = $2 ",
            $where
        ))
    };
}

/// A template's present version, or the one asked for.
pub async fn template(
    db: &Db,
    department: &str,
    code: &str,
    version: Option<i64>,
) -> Result<Option<Template>, db::Error> {
    db.first(
        templates!("and v.version = coalesce(cast($4 as bigint), t.version)", "and t.code = $3"),
        args![db.authority(), department, code, version],
    )
    .await
}

row! {
    /// When a version was saved, and by whom.
    #[derive(Debug, Clone)]
    pub struct Version {
        pub version: i64,
        pub saved_at: Timestamp,
        pub saved_by: Option<Uuid>,
        pub saved_name: Option<String>,
    }
}

/// The history of a template, latest first.
pub async fn history(db: &Db, department: &str, code: &str) -> Result<Vec<Version>, db::Error> {
    db.all(
        sql!(
            "select v.version, v.saved_at, v.saved_by, a.first_name || ' ' || a.last_name as saved_name from letter_version v
             left join account a on a.authority_id = v.authority_id and a.id = v.saved_by
             where v.authority_id = $1 and v.department_id = $2 and v.code = $3 order by v.version desc limit 200"
        ),
        args![db.authority(), department, code],
    )
    .await
}

/// Every version of a template, latest first.
pub async fn versions(db: &Db, department: &str, code: &str) -> Result<Vec<Template>, db::Error> {
    db.all(templates!("", "and t.code = $3 order by v.version desc"), args![db.authority(), department, code]).await
}

/// The present version of every template of a department.
pub async fn templates(db: &Db, department: &str) -> Result<Vec<Template>, db::Error> {
    db.all(templates!("and v.version = t.version", "order by v.title, t.code"), args![db.authority(), department]).await
}

/// What a new version says.
pub struct Saving<'a> {
    pub department: &'a str,
    pub code: &'a str,
    pub genre: &'a str,
    pub title: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub by: Option<Uuid>,
}

/// Adds a version to a template that is at version `seen` (0: it does not exist). False when a colleague was
/// faster.
pub async fn save(tx: &mut Tx, saving: &Saving<'_>, seen: i64, now: Timestamp) -> Result<bool, db::Error> {
    let Saving { department, code, genre, title, subject, body, by } = *saving;
    let (authority, version) = (tx.authority(), seen + 1);
    let changed = if seen == 0 {
        tx.run(
            sql!(
                "insert into letter_template (authority_id, department_id, code, genre, version) values ($1, $2, $3, $4, 1)
                 on conflict (authority_id, department_id, code) do nothing"
            ),
            args![authority, department, code, genre],
        )
        .await?
    } else {
        tx.run(
            sql!(
                "update letter_template set version = $1, genre = $2 where authority_id = $3 and department_id = $4 and code = $5 and version = $6"
            ),
            args![version, genre, authority, department, code, seen],
        )
        .await?
    };
    if changed == 0 {
        return Ok(false);
    }
    tx.run(
        sql!(
            "insert into letter_version (authority_id, department_id, code, version, title, subject, body, saved_at, saved_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        args![authority, department, code, version, title, subject, body, now, by],
    )
    .await?;
    Ok(true)
}

/// A letter to keep with its request.
#[derive(Debug, Clone)]
pub struct New {
    pub id: Uuid,
    pub department: String,
    pub code: String,
    pub version: i64,
    pub title: String,
    pub content: Value,
    pub written_on: Date,
    /// None: the platform made it by itself.
    pub author: Option<Uuid>,
    pub to_post: bool,
}

pub async fn insert(tx: &mut Tx, request: Uuid, new: &New) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into letter (authority_id, id, request_id, department_id, code, version, title, content, written_on, author_id, to_post)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        args![
            tx.authority(), new.id, request, &new.department, &new.code, new.version, &new.title, Json(&new.content), new.written_on, new.author, new.to_post
        ],
    )
    .await?;
    Ok(())
}

row! {
    /// A letter of a request.
    #[derive(Debug, Clone)]
    pub struct Letter {
        pub id: Uuid,
        pub request_id: Uuid,
        pub reference: String,
        pub title: String,
        pub content: Json<Value>,
        pub written_on: Date,
        pub made_at: Option<Timestamp>,
    }
}

pub async fn letter(db: &Db, id: Uuid) -> Result<Option<Letter>, db::Error> {
    db.first(
        sql!(
            "select l.id, l.request_id, r.reference, l.title, l.content, l.written_on, l.made_at from letter l
             join request r on r.authority_id = l.authority_id and r.id = l.request_id where l.authority_id = $1 and l.id = $2"
        ),
        args![db.authority(), id],
    )
    .await
}

/// The request of a letter.
pub async fn request_of(tx: &mut Tx, id: Uuid) -> Result<Option<Uuid>, db::Error> {
    tx.first(sql!("select request_id from letter where authority_id = $1 and id = $2"), args![tx.authority(), id]).await
}

/// Notes that the PDF is kept.
pub async fn made(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update letter set made_at = $1 where authority_id = $2 and id = $3 and made_at is null"),
        args![now, tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// The present version.
pub async fn present(tx: &mut Tx, department: &str, code: &str) -> Result<Option<Template>, db::Error> {
    tx.first(templates!("and v.version = t.version", "and t.code = $3"), args![tx.authority(), department, code]).await
}

row! {
    /// A letter that waits to be posted.
    #[derive(Debug, Clone)]
    pub struct Waiting {
        pub id: Uuid,
        pub request_id: Uuid,
        pub department_id: String,
        pub reference: String,
        pub title: String,
        pub content: Json<Value>,
        pub written_on: Date,
    }
}

/// The oldest letters of these departments that wait to be posted, fifty at most: setting them in one file is
/// work of one processor.
pub async fn waiting(
    db: &Db,
    departments: &[&str],
    scope: impl FnOnce(Query) -> Query,
) -> Result<Vec<Waiting>, db::Error> {
    let query = Query::new(
        "select l.id, l.request_id, l.department_id, r.reference, l.title, l.content, l.written_on from letter l
         join request r on r.authority_id = l.authority_id and r.id = l.request_id where l.to_post and l.posted_at is null",
    );
    let query = query.and("l.authority_id = {}", db.authority()).and_in("l.department_id", departments);
    db.all(scope(query).push(" order by l.id limit 50"), args![]).await
}

/// How many of these departments wait, fifty at most.
pub async fn count_waiting(db: &Db, departments: &[&str]) -> Result<i64, db::Error> {
    let query = Query::new("select count(*) from (select 1 from letter l where l.to_post and l.posted_at is null");
    let query = query.and("l.authority_id = {}", db.authority()).and_in("l.department_id", departments);
    Ok(db.first(query.push(" limit 50) w"), args![]).await?.unwrap_or_default())
}

/// Notes a letter as posted, once. False when it was already.
pub async fn posted(tx: &mut Tx, id: Uuid, by: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let posted = tx
        .run(
            sql!(
                "update letter set posted_at = $1, posted_by = $2 where authority_id = $3 and id = $4 and to_post and posted_at is null"
            ),
            args![now, by, tx.authority(), id],
        )
        .await?;
    Ok(posted == 1)
}
