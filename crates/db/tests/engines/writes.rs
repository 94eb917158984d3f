//! Transactions: all or nothing, in any weather.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use db::testing::{postgres_with, sqlite, sqlite_with};
use db::{Db, DbOptions, Error, Query, Tx, args, both, sql};
use tokio::sync::{Barrier, Notify};
use uuid::Uuid;

use crate::TABLES;

async fn value(db: &Db) -> i64 {
    db.one(sql!("select n from counter where id = 1"), args![]).await.unwrap()
}

async fn set(tx: &mut Tx, n: i64) -> db::Result<u64> {
    tx.run(sql!("update counter set n = $1 where id = 1"), args![n]).await
}

/// Reads, decides, writes: what loses updates where transactions do not exclude each other.
async fn add_one(tx: &mut Tx) -> db::Result<i64> {
    let n: i64 = tx.one(sql!("select n from counter where id = 1"), args![]).await?;
    set(tx, n + 1).await?;
    Ok(n + 1)
}

async fn join_all<T: Send + 'static>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

both! { TABLES;
    async fn ok_commits(db: Db) {
        assert_eq!(db.write(add_one_closure()).await.unwrap(), 1);
        assert_eq!(value(&db).await, 1);
    }

    async fn an_error_undoes(db: Db) {
        let result = db.write(async |tx: &mut Tx| {
            set(tx, 5).await?;
            Err::<(), _>(Error::NotFound)
        });
        assert!(matches!(result.await, Err(Error::NotFound)));
        assert_eq!(value(&db).await, 0);
        assert_eq!(db.write(add_one_closure()).await.unwrap(), 1);
    }

    async fn a_panic_undoes(db: Db) {
        let task = tokio::spawn({
            let db = db.clone();
            async move {
                db.write(async |tx: &mut Tx| {
                    set(tx, 5).await?;
                    assert!(tx.authority() != Uuid::nil(), "this panic is part of the test");
                    Ok::<_, Error>(())
                })
                .await
            }
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(db.write(add_one_closure()).await.unwrap(), 1);
    }

    async fn a_dropped_future_undoes(db: Db) {
        for _ in 0..20 {
            let reached = Notify::new();
            let work = db.write(async |tx: &mut Tx| {
                set(tx, 5).await?;
                reached.notify_one();
                std::future::pending::<()>().await;
                Ok::<_, Error>(())
            });
            tokio::select! {
                _ = work => unreachable!("it waits for ever"),
                () = reached.notified() => {}
            }
        }
        assert_eq!(db.write(add_one_closure()).await.unwrap(), 1);
    }

    async fn a_dropped_future_undoes_wherever_it_stood(db: Db) {
        // Polled a few times only: dropped in the middle of connecting, beginning, a statement, committing.
        for polls in 0..30 {
            let work = db.write(async |tx: &mut Tx| {
                add_one(tx).await?;
                Err::<(), _>(Error::NotFound)
            });
            let mut work = Box::pin(work);
            for _ in 0..polls {
                if let Some(result) = std::future::poll_fn(|cx| std::task::Poll::Ready(match work.as_mut().poll(cx) {
                    std::task::Poll::Ready(result) => Some(result),
                    std::task::Poll::Pending => None,
                })).await {
                    assert!(matches!(result, Err(Error::NotFound)));
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(db.write(add_one_closure()).await.unwrap(), 1);
    }

    async fn after_a_failure_nothing_is_committed(db: Db) {
        let swallowed = db.write(async |tx: &mut Tx| {
            set(tx, 5).await?;
            let twice = tx.run(sql!("insert into counter (id, n) values (1, 1)"), args![]).await;
            assert!(twice.unwrap_err().is_unique("counter_pkey"));
            assert!(matches!(set(tx, 6).await, Err(Error::Other(_))));
            Ok::<_, Error>(())
        });
        assert!(matches!(swallowed.await, Err(Error::Other(_))));
        assert_eq!(value(&db).await, 0);
        let harmless = db.write(async |tx: &mut Tx| {
            let none = tx.one::<i64>(sql!("select n from counter where id = 99"), args![]).await;
            assert!(matches!(none, Err(Error::NotFound)));
            set(tx, 7).await
        });
        harmless.await.unwrap();
        assert_eq!(value(&db).await, 7);
    }

    async fn the_handle_is_refused_inside(db: Db) {
        let read = db.write(async |tx: &mut Tx| {
            set(tx, 5).await?;
            db.one::<i64>(sql!("select n from counter"), args![]).await
        });
        assert!(matches!(read.await, Err(Error::Other(_))));
        let nested = db.write(async |_: &mut Tx| Box::pin(db.write(add_one_closure())).await);
        assert!(matches!(nested.await, Err(Error::Other(_))));
        assert_eq!(value(&db).await, 0);
    }

    async fn readers_do_not_wait_for_a_writer(db: Db) {
        let (inside, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let writer = tokio::spawn({
            let (db, inside, go_on) = (db.clone(), Arc::clone(&inside), Arc::clone(&go_on));
            async move {
                db.write(async |tx: &mut Tx| {
                    set(tx, 5).await?;
                    inside.notify_one();
                    go_on.notified().await;
                    Ok::<_, Error>(())
                })
                .await
            }
        });
        inside.notified().await;
        assert_eq!(value(&db).await, 0, "not committed yet");
        go_on.notify_one();
        writer.await.unwrap().unwrap();
        assert_eq!(value(&db).await, 5);
    }

    async fn fifty_increments_are_fifty(db: Db) {
        let tasks = (0..50).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async |tx: &mut Tx| {
                    tx.one::<i64>(sql!("update counter set n = n + 1 where id = 1 returning n"), args![]).await
                })
                .await
                .unwrap()
            })
        });
        let mut given = join_all(tasks.collect()).await;
        given.sort_unstable();
        assert_eq!(given, (1..=50).collect::<Vec<_>>(), "each number is given once");
    }

    async fn reading_then_writing_loses_nothing(db: Db) {
        let tasks = (0..50).map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.write(add_one_closure()).await.unwrap() })
        });
        let mut given = join_all(tasks.collect()).await;
        given.sort_unstable();
        assert_eq!(given, (1..=50).collect::<Vec<_>>());
    }

    /// Two transactions each see a free place and each take it, in different rows: only serializable
    /// transactions notice.
    async fn a_last_place_is_given_once(db: Db) {
        let taken = (0..8).map(|id: i64| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async |tx: &mut Tx| {
                    let taken: i64 = tx.one(sql!("select count(*) from cell where small = 1"), args![]).await?;
                    tokio::task::yield_now().await;
                    if taken >= 3 {
                        return Err(Error::NotFound);
                    }
                    tx.run(sql!("insert into cell (id, small) values ($1, 1)"), args![id]).await
                })
                .await
            })
        });
        let results = join_all(taken.collect()).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
        assert!(results.iter().all(|result| matches!(result, Ok(1) | Err(Error::NotFound))), "{results:?}");
    }

    async fn constraints_have_one_name(db: Db) {
        let (city, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let insert = sql!("insert into account (authority_id, id, email, code, alias, age) values ($1, $2, $3, $4, $5, $6)");
        let add = async |id: u128, email: &str, code: &str, alias: &str, age: i64| {
            let id = Uuid::from_u128(id);
            db.write(async |tx: &mut Tx| tx.run(insert, args![city, id, email, code, alias, age]).await).await
        };
        let no_city = add(1, "a@x.fr", "1", "a", 1).await;
        assert!(matches!(no_city, Err(Error::ForeignKey)), "{no_city:?}");
        let authority = sql!("insert into authority (id) values ($1)");
        db.write(async |tx: &mut Tx| tx.run(authority, args![city]).await).await.unwrap();
        add(1, "a@x.fr", "1", "a", 1).await.unwrap();
        let cases = [
            (add(1, "b@x.fr", "2", "b", 1).await, "account_pkey"),
            (add(2, "a@x.fr", "2", "b", 1).await, "account_email_key"),
            (add(2, "b@x.fr", "1", "b", 1).await, "account_authority_id_code_key"),
            (add(2, "b@x.fr", "2", "A", 1).await, "account_alias_key"),
            (db.write(async |tx: &mut Tx| tx.run(authority, args![city]).await).await, "authority_pkey"),
            (db.write(async |tx: &mut Tx| tx.run(sql!("insert into counter values (1, 1)"), args![]).await).await, "counter_pkey"),
        ];
        for (result, name) in cases {
            let error = result.unwrap_err();
            assert!(error.is_unique(name) && !error.is_unique("other"), "{name}: {error}");
            assert!(!error.to_string().contains("x.fr"), "no personal data in errors: {error}");
        }
        let young = add(2, "b@x.fr", "2", "b", -1).await;
        assert!(matches!(young, Err(Error::Other(_))), "{young:?}");
        let late = sql!("insert into late (id, authority_id) values (1, $1)");
        let at_commit = db.write(async |tx: &mut Tx| tx.run(late, args![other]).await).await;
        assert!(matches!(at_commit, Err(Error::ForeignKey)), "{at_commit:?}");
        db.write(async |tx: &mut Tx| tx.run(late, args![city]).await).await.unwrap();
    }
}

/// The closure of `add_one`, for tests that need no other.
fn add_one_closure() -> impl for<'t> db::Work<'t, i64, Error> + Send {
    async |tx: &mut Tx| add_one(tx).await
}

/// Two that meet: both read before either writes.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_runs_the_loser_again() {
    let test = postgres_with(TABLES).await;
    let (runs, meeting) = (Arc::new(AtomicU32::new(0)), Arc::new(Barrier::new(2)));
    let tasks = (0..2).map(|_| {
        let (db, runs, meeting) = (test.db.clone(), Arc::clone(&runs), Arc::clone(&meeting));
        tokio::spawn(async move {
            db.write(async |tx: &mut Tx| {
                let n: i64 = tx.one(sql!("select n from counter where id = 1"), args![]).await?;
                if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                    meeting.wait().await;
                }
                // The application's own error hides the database's: it is run again all the same.
                set(tx, n + 1).await.map_err(|_| Error::NotFound)
            })
            .await
            .unwrap()
        })
    });
    join_all(tasks.collect()).await;
    assert_eq!(value(&test.db).await, 2);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_gives_up_after_five_more_runs() {
    let test = postgres_with(TABLES).await;
    let runs = AtomicU32::new(0);
    let hopeless = test.db.write(async |tx: &mut Tx| {
        runs.fetch_add(1, Ordering::SeqCst);
        tx.run(Query::new("do 'begin raise serialization_failure; end'"), args![]).await
    });
    assert!(matches!(hopeless.await, Err(Error::Serialization)));
    assert_eq!(runs.load(Ordering::SeqCst), 6);
    assert_eq!(test.db.write(add_one_closure()).await.unwrap(), 1, "nothing stays locked");
}

/// Two programs on one database, few connections, one row that everybody wants.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_crowds_get_through() {
    let test = postgres_with(TABLES).await;
    let few = DbOptions { max_connections: Some(6), ..DbOptions::default() };
    let programs = [Db::open(&test.url, &few).unwrap(), Db::open(&test.url, &few).unwrap()];
    let tasks = (0..200).map(|index| {
        let db = programs[index % 2].clone();
        tokio::spawn(async move { db.write(add_one_closure()).await.unwrap() })
    });
    let mut given = join_all(tasks.collect()).await;
    given.sort_unstable();
    assert_eq!(given, (1..=200).collect::<Vec<_>>());
}

/// A statement given up half way (a time limit in the closure) may have failed unseen; PostgreSQL would
/// answer the commit by undoing everything without a word.
#[tokio::test]
async fn postgres_never_commits_after_an_abandoned_statement() {
    let test = postgres_with(TABLES).await;
    let result = test.db.write(async |tx: &mut Tx| {
        set(tx, 5).await?;
        let insert = sql!("insert into counter (id, n) values ($1, 1)");
        tx.run(insert, args![2_i64]).await?;
        // Prepared now, so the first poll sends it; nobody sees that it fails.
        tokio::select! {
            biased;
            answer = tx.run(insert, args![1_i64]) => panic!("{answer:?} came too soon"),
            () = std::future::ready(()) => {}
        }
        Ok::<_, Error>(())
    });
    assert!(matches!(result.await, Err(Error::Other(_))));
    assert_eq!(value(&test.db).await, 0);
}

/// Two programs (the server and the command line) write the same file at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_writers_wait_in_line() {
    let test = sqlite_with(TABLES).await;
    let other = Db::open(&test.url, &DbOptions::default()).unwrap();
    let tasks = (0..8).map(|index| {
        let db = if index % 2 == 0 { test.db.clone() } else { other.clone() };
        tokio::spawn(async move {
            for _ in 0..25 {
                db.write(add_one_closure()).await.unwrap();
                value(&db).await;
            }
        })
    });
    join_all(tasks.collect()).await;
    assert_eq!(value(&test.db).await, 200);
}

/// Everything also works where one thread runs all tasks (tests, small tools).
#[tokio::test]
async fn one_thread_is_enough() {
    for test in [sqlite_with(TABLES).await, postgres_with(TABLES).await] {
        let tasks = (0..10).map(|_| {
            let db = test.db.clone();
            tokio::spawn(async move { db.write(add_one_closure()).await.unwrap() })
        });
        assert_eq!(join_all(tasks.collect()).await.len(), 10);
        assert_eq!(value(&test.db).await, 10);
    }
}

#[tokio::test]
async fn sqlite_keeps_its_settings() {
    let test = sqlite();
    for (pragma, wanted) in [("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1), ("busy_timeout", 5000)] {
        let pragma: &'static str = String::leak(format!("pragma {pragma}"));
        let writer = test.db.write(async |tx: &mut Tx| tx.one::<i64>(Query::new(pragma), args![]).await).await;
        assert_eq!((writer.unwrap(), test.db.one::<i64>(Query::new(pragma), args![]).await.unwrap()), (wanted, wanted));
    }
    let journal: String = test.db.one(sql!("pragma journal_mode"), args![]).await.unwrap();
    assert_eq!(journal, "wal");
}
