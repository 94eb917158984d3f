//! That `Db::write` can be awaited where the application needs it: each of these must compile.

use db::testing::sqlite;
use db::{Db, Error, Tx, args, sql};

#[derive(Debug)]
struct AppError;

impl From<Error> for AppError {
    fn from(_: Error) -> Self {
        Self
    }
}

struct Form {
    name: String,
    tags: Vec<String>,
}

/// Boxed and sendable: what axum asks of a handler's future.
fn handler(
    future: impl Future<Output = Result<i64, AppError>> + Send + 'static,
) -> impl Future<Output = Result<i64, AppError>> + Send {
    Box::pin(future)
}

async fn add(tx: &mut Tx, form: &Form, tag: &str) -> Result<(), AppError> {
    tx.run(sql!("insert into tag (name, tag) values ($1, $2)"), args![form.name, tag]).await?;
    Ok(())
}

async fn by_reference(db: &Db, form: &Form, tags: &[&str]) -> Result<i64, AppError> {
    let count = db
        .write(async |tx: &mut Tx| {
            for tag in form.tags.iter().map(String::as_str).chain(tags.iter().copied()).filter(|tag| !tag.is_empty()) {
                add(tx, form, tag).await?;
            }
            Ok::<i64, AppError>(tx.one(sql!("select count(*) from tag"), args![]).await?)
        })
        .await?;
    Ok(count)
}

async fn with_a_rule(db: Db, form: Form, rule: &(dyn Fn(&str) -> bool + Send + Sync)) -> Result<i64, AppError> {
    let extra = String::from("extra");
    db.write(async |tx: &mut Tx| -> Result<(), AppError> {
        if rule(&extra) {
            add(tx, &form, &extra).await?;
        }
        Ok(())
    })
    .await?;
    by_reference(&db, &form, &["last"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn closures_fit_in_handlers_and_tasks() {
    let test = sqlite();
    let db = test.db.clone();
    db.write(async |tx: &mut Tx| tx.run(sql!("create table tag (name text, tag text)"), args![]).await).await.unwrap();

    let form = Form { name: "a".to_owned(), tags: vec!["x".to_owned(), String::new()] };
    let task = tokio::spawn({
        let db = db.clone();
        async move {
            let short = &form;
            db.write(async |tx: &mut Tx| add(tx, short, "y").await).await?;
            by_reference(&db, short, &["z"]).await
        }
    });
    assert_eq!(task.await.unwrap().unwrap(), 3);

    let form = Form { name: "b".to_owned(), tags: Vec::new() };
    let count = handler(async move { with_a_rule(db, form, &|text| text.len() == 5).await });
    assert_eq!(tokio::spawn(count).await.unwrap().unwrap(), 5);
}
