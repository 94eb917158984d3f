//! Every kind of value goes in and comes out the same.

use db::{Db, Json, Query, Tx, Value, args, both, row, sql};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::TABLES;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
    numbers: Vec<f64>,
    inner: Option<Box<Note>>,
}

row! {
    #[derive(Debug, Clone, PartialEq)]
    struct Cell {
        flag: Option<bool>,
        whole: Option<i64>,
        small: Option<i32>,
        amount: Option<f64>,
        title: Option<String>,
        bytes: Option<Vec<u8>>,
        key: Option<Uuid>,
        at: Option<Timestamp>,
        day: Option<Date>,
        data: Option<Json<Note>>,
    }
}

const EMPTY: Cell = Cell {
    flag: None,
    whole: None,
    small: None,
    amount: None,
    title: None,
    bytes: None,
    key: None,
    at: None,
    day: None,
    data: None,
};

async fn round_trip(db: &Db, cell: &Cell) -> Cell {
    db.write(async |tx: &mut Tx| {
        tx.run(sql!("delete from cell"), args![]).await?;
        tx.run(
            sql!(
                "insert into cell (id, flag, whole, small, amount, title, bytes, key, at, day, data)
                 values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            ),
            args![
                cell.flag,
                cell.whole,
                cell.small,
                cell.amount,
                cell.title,
                cell.bytes,
                cell.key,
                cell.at,
                cell.day,
                cell.data
            ],
        )
        .await
    })
    .await
    .unwrap();
    // Columns in another order than the struct's fields: they go by name.
    let query = sql!("select data, day, at, key, bytes, title, amount, small, whole, flag, id from cell");
    db.one(query, args![]).await.unwrap()
}

/// PostgreSQL's first instant; the last second jiff can read back.
fn first_and_last() -> (Timestamp, Timestamp) {
    let last = Timestamp::from_microsecond(253_402_207_200_000_000).unwrap();
    (Timestamp::from_microsecond(-210_866_803_200_000_000).unwrap(), last)
}

both! { TABLES;
    async fn nothing_stays_nothing(db: Db) {
        assert_eq!(round_trip(&db, &EMPTY).await, EMPTY);
    }

    async fn extremes_stay_exact(db: Db) {
        let (first, last) = first_and_last();
        let note = Note { text: "« œuf » \\u0000 '\"\n🥚".to_owned(), numbers: vec![-0.5, 1e300], inner: None };
        let low = Cell {
            flag: Some(false), whole: Some(i64::MIN), small: Some(i32::MIN), amount: Some(f64::MIN),
            title: Some(String::new()), bytes: Some(Vec::new()), key: Some(Uuid::nil()), at: Some(first),
            day: Some(date(1, 1, 1)), data: Some(Json(note.clone())),
        };
        assert_eq!(round_trip(&db, &low).await, low);
        let high = Cell {
            flag: Some(true), whole: Some(i64::MAX), small: Some(i32::MAX), amount: Some(f64::MIN_POSITIVE),
            title: Some("L'été à Ŷs, $1 ?1 {} ; -- \u{10FFFF}".to_owned()), bytes: Some((0..=255).collect()),
            key: Some(Uuid::max()), at: Some(last), day: Some(date(9999, 12, 31)),
            data: Some(Json(Note { inner: Some(Box::new(note)), ..Note { text: String::new(), numbers: vec![], inner: None } })),
        };
        assert_eq!(round_trip(&db, &high).await, high);
        let infinite = Cell { amount: Some(f64::INFINITY), at: Some(Timestamp::UNIX_EPOCH), ..EMPTY };
        assert_eq!(round_trip(&db, &infinite).await, infinite);
    }

    async fn any_value_comes_back(db: Db) {
        let (first, last) = first_and_last();
        let times = first.as_microsecond()..=last.as_microsecond();
        let cells = (
            any::<Option<bool>>(), any::<Option<i64>>(), any::<Option<i32>>(), proptest::option::of(-1e300..1e300),
            proptest::option::of("[^\\x00]{0,40}"), any::<Option<Vec<u8>>>(), any::<Option<u128>>(),
            proptest::option::of(times), proptest::option::of(-719_162..2_932_896_i32),
        );
        let cells = cells.prop_map(|(flag, whole, small, amount, title, bytes, key, at, day)| Cell {
            flag, whole, small, amount, bytes,
            data: title.clone().map(|text| Json(Note { text, numbers: amount.into_iter().collect(), inner: None })),
            title,
            key: key.map(Uuid::from_u128),
            at: at.map(|at| Timestamp::from_microsecond(at).unwrap()),
            day: day.map(|days| date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap()),
        });
        let handle = tokio::runtime::Handle::current();
        let all = move || {
            let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
            runner.run(&cells, |cell| {
                let back = handle.block_on(round_trip(&db, &cell));
                prop_assert_eq!(back, cell);
                Ok(())
            })
            .map_err(|error| error.to_string())
        };
        tokio::task::spawn_blocking(all).await.unwrap().unwrap();
    }

    async fn what_one_engine_cannot_hold_both_refuse(db: Db) {
        let odd = [
            db::ToValue::to_value(&f64::NAN), Value::text("a\0b".to_owned()), db::ToValue::to_value(&Json("a\0b")),
            db::ToValue::to_value(&Timestamp::MIN), db::ToValue::to_value(&Timestamp::MAX), db::ToValue::to_value(&date(-1, 1, 1)),
        ];
        for value in odd {
            let answer = db.all::<i64>(sql!("select whole from cell where title = $1"), vec![value.clone()]).await;
            assert!(matches!(answer, Err(db::Error::Other(_))), "{value:?}");
        }
    }

    async fn equality_and_order_work_on_each_kind(db: Db) {
        let day = date(2026, 11, 21);
        let at: Timestamp = "2026-11-21T10:00:00.000001Z".parse().unwrap();
        let cell = Cell { day: Some(day), at: Some(at), key: Some(Uuid::from_u128(7)), flag: Some(true), ..EMPTY };
        round_trip(&db, &cell).await;
        let text = sql!("select count(*) from cell where day = $1 and at = $2 and key = $3 and flag = $4 and flag");
        assert_eq!(db.one::<i64>(text, args![day, at, Uuid::from_u128(7), true]).await.unwrap(), 1);
        let text = sql!("select count(*) from cell where day < $1 and at > $2");
        let (tomorrow, before) = (day.tomorrow().unwrap(), at - jiff::Span::new().microseconds(1));
        assert_eq!(db.one::<i64>(text, args![tomorrow, before]).await.unwrap(), 1);
    }

    async fn json_can_be_asked(db: Db) {
        let note = Note { text: "bonjour".to_owned(), numbers: vec![], inner: None };
        round_trip(&db, &Cell { data: Some(Json(note)), ..EMPTY }).await;
        let text = sql!("select data ->> 'text' from cell where data ->> 'text' = $1");
        assert_eq!(db.one::<String>(text, args!["bonjour"]).await.unwrap(), "bonjour");
    }

    async fn sums_and_means_are_numbers(db: Db) {
        for (id, whole) in [(1_i64, 5_000_000_000_i64), (2, -1), (3, 7)] {
            let insert = sql!("insert into cell (id, whole, amount) values ($1, $2, $3)");
            db.write(async |tx: &mut Tx| tx.run(insert, args![id, whole, 1.5]).await).await.unwrap();
        }
        let (sum, mean, none): (i64, f64, Option<i64>) = db
            .one(sql!("select sum(whole), avg(id), sum(small) from cell"), args![])
            .await
            .unwrap();
        assert_eq!((sum, mean, none), (5_000_000_006, 2.0, None));
        let above = Query::new("select id from cell group by id having sum(whole) > {}").bind(6_i64).push(" order by id");
        assert_eq!(db.all::<i64>(above, args![]).await.unwrap(), [1, 3]);
        for whole in [0, 1, -1, 9_999, 10_000, -10_001, 123_456_789_012_345_678, i64::MAX, i64::MIN] {
            let text = sql!("select cast($1 as numeric)");
            assert_eq!(db.one::<i64>(text, args![whole]).await.unwrap(), whole);
        }
        let third: f64 = db.one(sql!("select cast($1 as double precision) / 3"), args![-1_i64]).await.unwrap();
        assert!((third + 0.333_333).abs() < 1e-5);
    }
}

#[tokio::test]
async fn postgres_fractions_are_read() {
    let test = db::testing::postgres().await;
    let text = "select 1234567.0625::numeric, -0.00012::numeric, 100000000000000000000::numeric, 0.0::numeric";
    let found: (f64, f64, f64, f64) = test.db.one(Query::new(text), args![]).await.unwrap();
    assert_eq!(found, (1_234_567.062_5, -0.000_12, 1e20, 0.0));
    let odd = test.db.one::<f64>(Query::new("select 'NaN'::numeric"), args![]).await;
    assert!(matches!(odd, Err(db::Error::Decode(_))));
    let unknown = test.db.one::<String>(Query::new("select point(1, 2)"), args![]).await.unwrap_err();
    assert!(unknown.to_string().contains("point"), "{unknown}");
}
