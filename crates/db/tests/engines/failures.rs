//! The database breaks, fills up, stalls.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use db::testing::{Cluster, postgres_with, sqlite_with};
use db::{Db, DbOptions, Error, Query, Tx, args, sql};
use tokio::sync::Notify;

use crate::TABLES;

async fn value(db: &Db) -> i64 {
    db.one(sql!("select n from counter where id = 1"), args![]).await.unwrap()
}

async fn add_one(tx: &mut Tx) -> db::Result<u64> {
    tx.run(sql!("update counter set n = n + 1 where id = 1"), args![]).await
}

async fn opened(cluster: &Cluster, options: &DbOptions) -> Db {
    let db = Db::open(&cluster.url("postgres"), options).unwrap();
    db.migrate(TABLES).await.unwrap();
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarts_in_mid_use() {
    let cluster = Cluster::start();
    let db = opened(&cluster, &DbOptions::default()).await;

    // Several connections of the pool are alive, then all of them are dead.
    let reads: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn({
                let db = db.clone();
                async move { value(&db).await }
            })
        })
        .collect();
    for read in reads {
        read.await.unwrap();
    }
    cluster.restart();
    assert_eq!(value(&db).await, 0);

    // In the middle of a transaction: the closure runs again, and counts once.
    let runs = AtomicU32::new(0);
    let written = db.write(async |tx: &mut Tx| {
        add_one(tx).await?;
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            cluster.restart();
        }
        tx.one::<i64>(sql!("select n from counter where id = 1"), args![]).await
    });
    assert_eq!(written.await.unwrap(), 1);
    assert_eq!((runs.load(Ordering::SeqCst), value(&db).await), (2, 1));

    // Down: said quickly, and in the right words.
    cluster.stop();
    let down = db.ping().await.unwrap_err();
    assert!(down.is_unavailable(), "{down}");
    let down = db.write(async |tx: &mut Tx| add_one(tx).await).await.unwrap_err();
    assert!(down.is_unavailable(), "{down}");
    cluster.start_again();
    db.write(async |tx: &mut Tx| add_one(tx).await).await.unwrap();
    assert_eq!(value(&db).await, 2);
}

/// The connection breaks between the last statement and the commit: trying again might do it twice.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_commit_without_an_answer_is_not_repeated() {
    let test = postgres_with(TABLES).await;
    let (runs, killer) = (AtomicU32::new(0), Db::open(&test.url, &DbOptions::default()).unwrap());
    let unknown = test.db.write(async |tx: &mut Tx| {
        runs.fetch_add(1, Ordering::SeqCst);
        add_one(tx).await?;
        let own: i64 = tx.one(sql!("select 1 + 1"), args![]).await?;
        let pid: i64 = tx.one(Query::new("select pg_backend_pid()"), args![]).await?;
        let killer = killer.clone();
        let kill = Query::new("select pg_terminate_backend(cast({} as integer), 10000)").bind(pid);
        let killed = tokio::spawn(async move { killer.one::<bool>(kill, args![]).await }).await.unwrap()?;
        assert!(killed && own == 2);
        Ok::<_, Error>(())
    });
    let error = unknown.await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(value(&test.db).await, 0);
}

/// The connection breaks while a read waits for its answer: it is asked again on another.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_are_asked_again() {
    let test = postgres_with(TABLES).await;
    let killer = Db::open(&test.url, &DbOptions::default()).unwrap();
    let (locked, lock) = (Notify::new(), "select cast(1 as bigint) from pg_advisory_xact_lock(5)");
    let kill = killer.write(async |tx: &mut Tx| {
        tx.one::<i64>(Query::new(lock), args![]).await?;
        locked.notify_one();
        let waiting = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
             where wait_event_type = 'Lock' and datname = current_database()";
        while tx.all::<bool>(Query::new(waiting), args![]).await?.is_empty() {
            // A transaction sees the same list of sessions until told to look again.
            tx.one::<Option<i64>>(Query::new("select pg_stat_clear_snapshot()"), args![]).await?;
        }
        Ok::<_, Error>(())
    });
    let read = async {
        locked.notified().await;
        test.db.one::<i64>(Query::new(lock), args![]).await
    };
    let (killed, read) = tokio::join!(kill, read);
    killed.unwrap();
    assert_eq!(read.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_full_disk_is_unavailable_and_undone() {
    let test = sqlite_with(TABLES).await;
    let insert = sql!("insert into cell (id, bytes) values ($1, $2)");
    let full = test.db.write(async |tx: &mut Tx| {
        tx.one::<i64>(sql!("pragma max_page_count = 40"), args![]).await?;
        tx.run(insert, args![1_i64, vec![1_u8; 10_000]]).await?;
        tx.run(insert, args![2_i64, vec![2_u8; 10_000_000]]).await
    });
    let full = full.await.unwrap_err();
    assert!(matches!(full, Error::Unavailable(_)) && full.is_unavailable(), "{full}");
    assert_eq!(test.db.one::<i64>(sql!("select count(*) from cell"), args![]).await.unwrap(), 0);
    test.db.write(async |tx: &mut Tx| add_one(tx).await).await.unwrap();
    assert_eq!(value(&test.db).await, 1);
}

#[tokio::test]
async fn waiting_has_an_end() {
    for test in [sqlite_with(TABLES).await, postgres_with(TABLES).await] {
        let options = DbOptions { max_connections: Some(1), wait: Duration::from_millis(50), ..DbOptions::default() };
        let db = Db::open(&test.url, &options).unwrap();
        let (inside, go_on) = (Notify::new(), Notify::new());
        let first = db.write(async |tx: &mut Tx| {
            inside.notify_one();
            go_on.notified().await;
            add_one(tx).await
        });
        let second = async {
            inside.notified().await;
            let late = db.write(async |tx: &mut Tx| add_one(tx).await).await;
            assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
            go_on.notify_one();
        };
        let (first, ()) = tokio::join!(first, second);
        assert_eq!((first.unwrap(), value(&db).await), (1, 1));
    }
}

/// A statement that lasts too long is stopped by the server.
#[tokio::test]
async fn postgres_statements_have_an_end() {
    let test = postgres_with(TABLES).await;
    let options = DbOptions { statement_timeout: Duration::from_millis(100), ..DbOptions::default() };
    let db = Db::open(&test.url, &options).unwrap();
    let endless = db.one::<i64>(Query::new("select count(*) from generate_series(1, 1000000000)"), args![]).await;
    assert!(matches!(endless, Err(Error::Unavailable(_))), "{endless:?}");
    assert_eq!(value(&db).await, 0);
}

#[tokio::test]
async fn postgres_reads_from_a_replica() {
    let (primary, replica) = (postgres_with(TABLES).await, postgres_with(TABLES).await);
    let options = |url: &str| DbOptions { replica_url: Some(url.to_owned()), ..DbOptions::default() };
    let db = Db::open(&primary.url, &options(&replica.url)).unwrap();
    db.write(async |tx: &mut Tx| add_one(tx).await).await.unwrap();
    assert_eq!((value(&db).await, value(&db.fresh()).await), (0, 1));
    // One that does not answer is done without.
    let db = Db::open(&primary.url, &options("postgres://nobody@127.0.0.1:1/none")).unwrap();
    assert_eq!(value(&db).await, 1);
}

#[tokio::test]
async fn sqlite_erases_for_good() {
    use std::os::unix::fs::PermissionsExt;
    let test = sqlite_with(TABLES).await;
    let file = test.url.trim_start_matches("sqlite:").to_owned();
    let secret = "Madame Dupont, 12 rue des Lilas".repeat(300);
    let insert = sql!("insert into cell (id, title) values (1, $1)");
    test.db.write(async |tx: &mut Tx| tx.run(insert, args![secret]).await).await.unwrap();
    test.db.write(async |tx: &mut Tx| tx.run(sql!("delete from cell"), args![]).await).await.unwrap();
    let on_disk = || {
        ["", "-wal"].iter().any(|end| {
            let bytes = std::fs::read(format!("{file}{end}")).unwrap_or_default();
            bytes.windows(15).any(|window| window == b"rue des Lilas".as_slice() || window == b"12 rue des Lila")
        })
    };
    assert!(on_disk(), "the log still holds it");
    test.db.checkpoint().await.unwrap();
    assert!(!on_disk());

    let fresh = db::testing::sqlite();
    let mode = std::fs::metadata(fresh.url.trim_start_matches("sqlite:")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// `sslmode=require` verifies the certificate and the name.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_speaks_tls() {
    let folder = std::env::temp_dir().join(format!("db-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::copy(path("cert.pem"), path("trusted.pem")).unwrap();
    for name in ["key.pem", "cert.pem"] {
        Command::new("chown").args(["postgres", &path(name)]).status().unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_key_file = '{}'\nssl_cert_file = '{}'",
        path("key.pem"),
        path("cert.pem")
    );
    let _cluster = Cluster::start_with(&settings);

    let url = |host: &str| format!("postgres://postgres@{host}:{port}/postgres?sslmode=verify-full");
    let trusting = DbOptions { ca_file: Some(folder.join("trusted.pem")), ..DbOptions::default() };
    let db = Db::open(&url("localhost"), &trusting).unwrap();
    let encrypted = Query::new("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
    assert!(db.one::<bool>(encrypted, args![]).await.unwrap());
    let wrong_name = Db::open(&url("127.0.0.1"), &trusting).unwrap().ping().await;
    assert!(wrong_name.is_err(), "the certificate is for localhost");
    let untrusted = Db::open(&url("localhost"), &DbOptions::default()).unwrap().ping().await;
    assert!(untrusted.is_err(), "nobody vouches for it");
    std::fs::remove_dir_all(folder).unwrap();
}
