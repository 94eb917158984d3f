//! One text, the same meaning.

use db::{Db, Error, Query, Tx, args, both, row, sql, sql_pg_sqlite};
use uuid::Uuid;

use crate::TABLES;

row! {
    #[derive(Debug, PartialEq)]
    pub struct Line { pub id: i64, title: Option<String>, r#small: Option<i32> }
}

row! {
    #[derive(Debug)]
    struct Strict { title: String }
    #[derive(Debug)]
    struct Lost { nowhere: i64 }
}

async fn fill(db: &Db) {
    db.write(async |tx: &mut Tx| {
        for (id, title, small) in [(1_i64, Some("un"), Some(1)), (2, Some("deux"), None), (3, None, Some(3))] {
            let insert = sql!("insert into cell (id, title, small) values ($1, $2, $3)");
            tx.run(insert, args![id, title, small]).await?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

async fn ids(db: &Db, query: Query) -> Vec<i64> {
    db.all(query, args![]).await.unwrap()
}

both! { TABLES;
    async fn parameters_go_by_number_not_by_place(db: Db) {
        fill(&db).await;
        let text = sql!("update cell set title = $2, small = $3 where id = $1");
        let changed = db.write(async |tx: &mut Tx| tx.run(text, args![2_i64, "two", 22]).await).await.unwrap();
        assert_eq!(changed, 1);
        let line: Line = db.one(sql!("select small, title, id from cell where id = $1"), args![2_i64]).await.unwrap();
        assert_eq!(line, Line { id: 2, title: Some("two".to_owned()), small: Some(22) });
        let twice = sql!("select count(*) from cell where id = $2 or id = $1 or small = $2");
        assert_eq!(db.one::<i64>(twice, args![1_i64, 3_i64]).await.unwrap(), 2);
    }

    async fn texts_and_comments_are_left_alone(db: Db) {
        let text = sql!(
            "select '$1 it''s ' || $1 as \"a $1\" -- $2 'for update
             /* $3 \" */ , 'for update skip locked'"
        );
        let found: (String, String) = db.one(text, args!["x"]).await.unwrap();
        assert_eq!(found, ("$1 it's x".to_owned(), "for update skip locked".to_owned()));
    }

    async fn row_locks_are_one_text(db: Db) {
        fill(&db).await;
        let taken: Vec<i64> = db
            .write(async |tx: &mut Tx| {
                tx.all(sql!("select id from cell where id > $1 order by id limit 1 FOR  UPDATE\nskip locked"), args![1_i64]).await
            })
            .await
            .unwrap();
        assert_eq!(taken, [2]);
        let text = sql_pg_sqlite!(pg: "select 'postgres'", sqlite: "select 'sqlite'");
        assert_eq!(db.one::<String>(text, args![]).await.unwrap(), db.engine());
    }

    async fn rows_become_what_is_asked(db: Db) {
        fill(&db).await;
        let pairs: Vec<(i64, Option<String>)> = db.all(sql!("select id, title from cell order by id"), args![]).await.unwrap();
        assert_eq!(pairs, [(1, Some("un".into())), (2, Some("deux".into())), (3, None)]);
        let none: Option<i64> = db.first(sql!("select id from cell where id = 9"), args![]).await.unwrap();
        assert_eq!(none, None);
        let missing = db.one::<i64>(sql!("select id from cell where id = 9"), args![]).await;
        assert!(matches!(missing, Err(Error::NotFound)));
        let eight: (i64, i64, i64, i64, i64, i64, i64, i64) = db
            .one(sql!("select id, id, id, id, id, id, id, id from cell where id = 3"), args![])
            .await
            .unwrap();
        assert_eq!(eight, (3, 3, 3, 3, 3, 3, 3, 3));
    }

    async fn a_wrong_type_is_named(db: Db) {
        fill(&db).await;
        let null = db.all::<Strict>(sql!("select title from cell where id = 3"), args![]).await.unwrap_err().to_string();
        assert!(null.contains("statements.rs:") && null.contains("`title`: expected text, found null"), "{null}");
        let kind = db.all::<(i64, bool)>(sql!("select id, title from cell where id = 1"), args![]).await.unwrap_err();
        assert!(kind.to_string().contains("`title`: expected a boolean, found text"), "{kind}");
        let column = db.all::<Lost>(sql!("select id, title from cell"), args![]).await.unwrap_err();
        assert!(column.to_string().contains("no column `nowhere`, only id, title"), "{column}");
        let place = db.all::<(i64, i64)>(sql!("select id from cell"), args![]).await;
        assert!(matches!(place, Err(Error::Decode(_))));
        let range = db.all::<i32>(sql!("select id * 10000000000 from cell"), args![]).await;
        assert!(matches!(range, Err(Error::Decode(_))));
    }

    async fn a_wrong_number_of_values_is_refused(db: Db) {
        let text = sql!("select id from cell where id = $1 and small = $2");
        for args in [args![], args![1_i64], args![1_i64, 2, 3]] {
            let error = db.all::<i64>(text, args).await.unwrap_err().to_string();
            assert!(error.contains("2 parameters wanted") && error.contains("statements.rs:"), "{error}");
        }
    }

    async fn reads_cannot_write(db: Db) {
        fill(&db).await;
        let sneaky = db.all::<i64>(sql!("delete from cell where id = 1 returning id"), args![]).await;
        assert!(matches!(sneaky, Err(Error::Other(_))), "{sneaky:?}");
        assert_eq!(db.one::<i64>(sql!("select count(*) from cell"), args![]).await.unwrap(), 3);
    }

    async fn filters_are_optional(db: Db) {
        fill(&db).await;
        let all = || Query::new("select id from cell where 1 = 1");
        let nothing: Option<i32> = None;
        assert_eq!(ids(&db, all().and_some("small = {}", nothing).push(" order by id")).await, [1, 2, 3]);
        assert_eq!(ids(&db, all().and_some("small = {}", Some(3))).await, [3]);
        assert_eq!(ids(&db, all().and("id = {} or small = {}", 3_i64)).await, [3]);
        assert_eq!(ids(&db, all().and_in("id", &[3_i64, 2, 9]).push(" order by id desc")).await, [3, 2]);
        assert_eq!(ids(&db, all().and_in::<i64>("id", &[])).await, Vec::<i64>::new());
        let keyset = all().and_args("(id, id) > ({}, {})", args![1_i64, 5_i64]).and("id < {}", 3_i64);
        assert_eq!(ids(&db, keyset).await, [2]);
        let page = all().and_in("title", &["un", "deux"]).push(" order by id").push_with(" limit {}", 1_i64);
        assert_eq!(ids(&db, page).await, [1]);
        let fixed = Query::from_sql(sql!("select id from cell where id > $1"), args![1_i64]).and("small = {}", 3);
        assert_eq!(ids(&db, fixed).await, [3]);
        let bound = Query::new("select id from cell where id = {} and small = {}").bind(3_i64).bind(3);
        assert_eq!(ids(&db, bound).await, [3]);
    }

    async fn broken_filters_are_refused(db: Db) {
        let broken = [
            (Query::new("select id from cell where id = {}"), args![]),
            (Query::new("select id from cell").bind(1_i64), args![]),
            (Query::new("select id from cell where 1 = 1").and("id = 1", 1_i64), args![]),
            (Query::new("select id from cell where id = {}").bind(1_i64), args![2_i64]),
        ];
        for (query, args) in broken {
            let error = db.all::<i64>(query, args).await.unwrap_err().to_string();
            assert!(error.contains("statements.rs:"), "{error}");
        }
    }

    async fn statements_are_counted(db: Db) {
        let (_, count) = db::counted(async {
            fill(&db).await;
            db.ping().await.unwrap();
        })
        .await;
        assert_eq!(count, 4);
    }

    async fn a_handle_carries_its_authority(db: Db) {
        let id = Uuid::from_u128(42);
        assert_eq!(db.authority(), Uuid::nil());
        let city = db.for_authority(id);
        assert_eq!((city.authority(), city.clone().fresh().authority()), (id, id));
        let seen = city.write(async |tx: &mut Tx| Ok::<_, Error>(tx.authority())).await.unwrap();
        assert_eq!(seen, id);
    }

    async fn a_prepared_select_survives_a_new_column(db: Db) {
        let select = sql!("select * from counter");
        assert_eq!(db.all::<(i64, i64)>(select, args![]).await.unwrap(), [(1, 0)]);
        let ddl = sql!("alter table counter add column more integer");
        db.write(async |tx: &mut Tx| tx.run(ddl, args![]).await).await.unwrap();
        assert_eq!(db.all::<(i64, i64, Option<i64>)>(select, args![]).await.unwrap(), [(1, 0, None)]);
    }
}

#[test]
fn an_address_must_be_known() {
    assert!(Db::open("mysql://x", &db::DbOptions::default()).is_err());
    assert!(matches!(Db::open("sqlite:/nowhere/at/all.db", &db::DbOptions::default()), Err(Error::Unavailable(_))));
}
