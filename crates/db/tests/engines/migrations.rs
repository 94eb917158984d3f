//! Forward only, once, and never half.

use db::testing::{postgres, sqlite};
use db::{Db, Error, Migration, Query, args, both};

const fn step(name: &'static str, sql: &'static str) -> Migration {
    Migration { name, sql, sqlite: None, postgres: None }
}

const ONE: Migration = step("0001_one", "create table one (id {int} primary key, at {time}) {strict};");
const TWO: Migration = step("0002_two", "create table two (id {uuid} primary key); insert into one (id) values (7);");
const BROKEN: Migration = step("0002_two", "insert into one (id) values (8); insert into nothing values (1);");
const FORK: Migration = Migration {
    name: "0003_fork",
    sql: "create table fork (engine text not null)",
    sqlite: Some("; insert into fork values ('sqlite')"),
    postgres: Some("; insert into fork values ('postgres')"),
};

async fn count(db: &Db, text: &'static str) -> i64 {
    db.one(Query::new(text), args![]).await.unwrap()
}

both! {
    async fn each_runs_once(db: Db) {
        assert_eq!(db.migrate(&[ONE]).await.unwrap(), ["0001_one"]);
        assert_eq!(db.migrate(&[ONE, TWO]).await.unwrap(), ["0002_two"]);
        assert_eq!(db.migrate(&[ONE, TWO]).await.unwrap(), Vec::<String>::new());
        assert_eq!(count(&db, "select count(*) from one").await, 1);
        // A newer program has been here.
        assert_eq!(db.migrate(&[ONE]).await.unwrap(), Vec::<String>::new());
    }

    async fn a_changed_one_is_refused(db: Db) {
        db.migrate(&[ONE]).await.unwrap();
        let changed = step("0001_one", "create table one (id {int} primary key);");
        let error = db.migrate(&[changed, TWO]).await.unwrap_err();
        assert!(error.to_string().contains("0001_one was changed"), "{error}");
        assert!(db.all::<i64>(Query::new("select 1 from two"), args![]).await.is_err(), "nothing after it runs");
        let same = step("0001_one", "create table one (id {int} primary key, at {time}) {strict};\r");
        db.migrate(&[same]).await.expect("line ends do not count");
    }

    async fn a_broken_one_leaves_nothing(db: Db) {
        let error = db.migrate(&[ONE, BROKEN]).await.unwrap_err();
        assert!(error.to_string().contains("0002_two"), "{error}");
        assert_eq!(count(&db, "select count(*) from one").await, 0);
        assert_eq!(db.migrate(&[ONE, TWO]).await.unwrap(), ["0002_two"]);
    }

    async fn one_in_between_is_refused(db: Db) {
        db.migrate(&[ONE, FORK]).await.unwrap();
        assert!(matches!(db.migrate(&[ONE, TWO, FORK]).await, Err(Error::Other(_))));
    }

    async fn an_engine_may_have_its_own(db: Db) {
        db.migrate(&[FORK]).await.unwrap();
        let engine: String = db.one(Query::new("select engine from fork"), args![]).await.unwrap();
        assert_eq!(engine, db.engine());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_may_migrate_at_once() {
    for test in [sqlite(), postgres().await] {
        let handles: Vec<_> = (0..4).map(|_| Db::open(&test.url, &db::DbOptions::default()).unwrap()).collect();
        let tasks: Vec<_> = handles
            .into_iter()
            .map(|db| tokio::spawn(async move { db.migrate(&[ONE, TWO, FORK]).await.unwrap().len() }))
            .collect();
        let mut applied = 0;
        for task in tasks {
            applied += task.await.unwrap();
        }
        assert_eq!(applied, 3);
        assert_eq!(count(&test.db, "select count(*) from one").await, 1);
    }
}
