//! `prepare_all` finds the statements that do not fit the tables; a binary of its own, since it sees
//! every `sql!` of the program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use db::{Db, Migration, STATEMENTS, both, sql, sql_pg_sqlite};

const TABLES: &[Migration] = &[Migration {
    name: "0001",
    sql: "create table desk (id {int} primary key, name text)",
    sqlite: None,
    postgres: None,
}];

/// The right and the wrong ones; never called: registering happens when the program is built.
fn statements() -> [db::Sql; 5] {
    [
        sql!("select id from desk where name = $2 and id = $1 for update skip locked"),
        sql_pg_sqlite!(pg: "select string_agg(name, ',') from desk", sqlite: "select group_concat(name) from desk"),
        sql!("select id from desks"),
        sql!("update desk set title = $1 where id = $2"),
        sql!("select frm desk"),
    ]
}

both! { TABLES;
    async fn wrong_statements_are_found(db: Db) {
        let failures = db.prepare_all().await.unwrap();
        assert_eq!(failures.len(), 3, "{failures:#?}");
        for (failure, sql) in failures.iter().zip(&statements()[2..]) {
            let place = format!("{}:{}", sql.file, sql.line);
            assert!(failures.iter().any(|failure| failure.contains(&place)), "{place} not in {failure}");
        }
        assert_eq!(STATEMENTS.len(), 5);
    }
}
