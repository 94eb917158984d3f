//! The chain of the journal under attack: whoever writes to the database without the installation's secret is
//! found out, and who does nothing is not.

use db::{Query, Tx, args, sql};
use guichet::{
    app::App,
    journal::{self, Of, chain::Head},
    requests::sweep,
    work,
};
use jiff::SignedDuration;

use crate::harness::{Engine, Folder, Portal, USAGER, both, journey::birth};

const TABLES: [&str; 3] = ["journal", "journal_link", "journal_head"];

async fn run(app: &App, texts: &[&'static str]) {
    app.db
        .write(async |tx: &mut Tx| {
            for text in texts {
                tx.run(Query::new(text), args![]).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await
        .unwrap();
}

/// Keeps the three tables as they are now, under another name.
async fn photograph(app: &App, name: &str) {
    for table in TABLES {
        let text = format!("create table {name}_{table} as select * from {table}");
        run(app, &[Box::leak(text.into_boxed_str())]).await;
    }
}

async fn put_back(app: &App, name: &str) {
    for table in TABLES {
        let clear = format!("delete from {table}");
        let fill = format!("insert into {table} select * from {name}_{table}");
        run(app, &[Box::leak(clear.into_boxed_str()), Box::leak(fill.into_boxed_str())]).await;
    }
}

async fn findings(portal: &Portal, heads: &[Head]) -> Vec<String> {
    journal::verify(&portal.app, portal.city, heads).await.unwrap().findings
}

async fn head(portal: &Portal) -> Head {
    journal::head(&portal.db(), journal::chain::Kind::Head).await.unwrap().unwrap()
}

/// A request and what an agent did with it, sealed in two times; the head of the first, and the second.
async fn grown(portal: &Portal) -> (uuid::Uuid, Vec<Head>) {
    let mut person = portal.usager(USAGER).await;
    let filed = person.file("acte-naissance", &birth()).await;
    let mut agent = portal.agent("nadia.benali").await;
    let address = format!("/agent/demandes/{}", filed.id);
    agent.get(&address).await.is(200);
    assert!(journal::seal(&portal.app).await.unwrap() >= 3);
    let mut heads = vec![head(portal).await];
    photograph(&portal.app, "early").await;
    portal.later(SignedDuration::from_secs(60));
    for tab in ["pieces", "messages", "historique"] {
        agent.get(&format!("{address}?onglet={tab}")).await.is(200);
    }
    assert_eq!(journal::seal(&portal.app).await.unwrap(), 3);
    heads.push(head(portal).await);
    assert_eq!(heads[1].seq, heads[0].seq + 3);
    (filed.id, heads)
}

/// What is done to the database, and a part of what must then be found.
const ATTACKS: &[(&[&str], &str)] = &[
    (
        &["update journal set detail = 'x' where id = (select entry_id from journal_link where seq = 3)"],
        "edited: line 3 ",
    ),
    (
        &[
            "update journal set actor_id = null, actor_kind = 'system' where id = (select entry_id from journal_link where seq = 4)",
        ],
        "edited: line 4 ",
    ),
    (&["update journal set day = null where day is not null"], "edited: line"),
    (
        &["update journal_link set hash = (select b.hash from journal_link b where b.seq = 4) where seq = 3"],
        "edited: line 3 ",
    ),
    (
        &["delete from journal where id = (select entry_id from journal_link where seq = 3)"],
        "removed: the content of line 3 ",
    ),
    (
        &[
            "delete from journal where id = (select entry_id from journal_link where seq = 3)",
            "update journal_link set erased = hash where seq = 3",
        ],
        "removed: line 3 passes for erased",
    ),
    (
        &[
            "delete from journal where id = (select entry_id from journal_link where seq = 3)",
            "delete from journal_link where seq = 3",
        ],
        "removed: line 3 is missing",
    ),
    // Renumbered, so that no hole shows.
    (
        &[
            "delete from journal where id = (select entry_id from journal_link where seq = 3)",
            "delete from journal_link where seq = 3",
            "update journal_link set seq = seq + 1000 where seq > 3",
            "update journal_link set seq = seq - 1001 where seq > 1000",
            "update journal_head set seq = seq - 1",
        ],
        "forged head",
    ),
    // Two lines that change places: each is what was sealed, the chain is not.
    (
        &[
            "update journal_link set seq = -3 where seq = 3",
            "update journal_link set seq = 3 where seq = 4",
            "update journal_link set seq = 4 where seq = -3",
        ],
        "rewritten: the links up to line",
    ),
    (
        &[
            "delete from journal where id in (select l.entry_id from journal_link l where l.seq > 4)",
            "delete from journal_link where seq > 4",
        ],
        "removed: lines 5 to",
    ),
    (
        &[
            "delete from journal where id in (select l.entry_id from journal_link l where l.seq > 4)",
            "delete from journal_link where seq > 4",
            "update journal_head set seq = 4",
        ],
        "forged head",
    ),
    (&["delete from journal_head"], "line 1 and what follows are after the signed head"),
    // Put away by somebody else than us.
    (
        &[
            "insert into journal_head (authority_id, kind, seq, hash, at, signature) select authority_id, 'checkpoint', 2, hash, at, signature from journal_head",
            "delete from journal where id in (select l.entry_id from journal_link l where l.seq <= 2)",
            "delete from journal_link where seq <= 2",
        ],
        "forged checkpoint",
    ),
    // The real head passing for a checkpoint: everything before it put away.
    (
        &[
            "insert into journal_head (authority_id, kind, seq, hash, at, signature) select authority_id, 'checkpoint', seq, hash, at, signature from journal_head",
            "delete from journal",
            "delete from journal_link",
        ],
        "forged checkpoint",
    ),
    (&["update journal_link set entry_id = authority_id where seq = 4"], "added or unchained: 1 lines"),
];

both! {
    async fn attacks_on_the_chain_are_found(portal: Portal) {
        let (_, heads) = grown(&portal).await;
        photograph(&portal.app, "whole").await;
        let report = journal::verify(&portal.app, portal.city, &heads).await.unwrap();
        assert_eq!((report.findings.as_slice(), report.lines, report.compared), ([].as_slice(), heads[1].seq, 2));
        for (attack, found) in ATTACKS {
            run(&portal.app, attack).await;
            let told = findings(&portal, &[]).await;
            assert!(told.iter().any(|line| line.contains(found)), "{attack:?}: {told:?}");
            put_back(&portal.app, "whole").await;
            assert_eq!(findings(&portal, &heads).await, Vec::<String>::new(), "after {attack:?}");
        }
    }

    /// What no chain can tell alone: the whole database as it was before. Heads kept elsewhere do.
    async fn a_database_taken_back_is_found_by_heads_kept_elsewhere(portal: Portal) {
        let (filed, heads) = grown(&portal).await;
        put_back(&portal.app, "early").await;
        assert_eq!(findings(&portal, &[]).await, Vec::<String>::new(), "the limit that docs/security.md tells");
        assert_eq!(findings(&portal, &heads[..1]).await, Vec::<String>::new());
        let told = findings(&portal, &heads).await;
        assert!(told.len() == 1 && told[0].contains("cut or taken back"), "{told:?}");
        // It grows anew, past where it was.
        let mut agent = portal.agent("nadia.benali").await;
        for _ in 0..4 {
            agent.get(&format!("/agent/demandes/{filed}")).await.is(200);
        }
        journal::seal(&portal.app).await.unwrap();
        assert_eq!(findings(&portal, &[]).await, Vec::<String>::new());
        let told = findings(&portal, &heads).await;
        let place = format!("rewritten: between lines {} and {}", heads[0].seq + 1, heads[1].seq);
        assert!(told.len() == 1 && told[0].contains(&place), "{told:?}");
        let mut forged = heads[0].clone();
        forged.hash[0] ^= 1;
        assert!(findings(&portal, &[forged]).await.iter().any(|line| line.contains("another signature")));
    }

    /// The sealer makes nothing good that it did not sign.
    async fn nothing_is_sealed_upon_a_forged_head(portal: Portal) {
        let (filed, _) = grown(&portal).await;
        run(&portal.app, ATTACKS[10].0).await;
        let mut agent = portal.agent("nadia.benali").await;
        agent.get(&format!("/agent/demandes/{filed}")).await.is(200);
        assert_eq!(journal::seal(&portal.app).await.unwrap(), 0);
        assert!(findings(&portal, &[]).await.iter().any(|line| line.contains("forged head")));
        portal.later(SignedDuration::from_mins(11));
        assert!(findings(&portal, &[]).await.iter().any(|line| line.contains("not sealed: 2 lines")));
    }

    async fn several_workers_seal_together(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        for _ in 0..5 {
            for _ in 0..8 {
                agent.get("/agent?q=martin").await.is(200);
            }
            let app = &portal.app;
            let (one, two, three) = tokio::join!(journal::seal(app), journal::seal(app), journal::seal(app));
            assert!(one.unwrap() + two.unwrap() + three.unwrap() >= 8);
        }
        let report = journal::verify(&portal.app, portal.city, &[]).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        assert_eq!(report.lines, portal.count("journal").await);
    }

    async fn what_is_erased_leaves_the_chain_whole(portal: Portal) {
        let (filed, heads) = grown(&portal).await;
        let visit = work::visit(&portal.app, portal.city).await.unwrap();
        let erased = journal::erase(&visit, Of::Request(filed), "operator").await.unwrap();
        assert!(erased >= 5, "{erased}");
        let left: i64 = portal.db().one(sql!("select count(*) from journal where authority_id = $1 and request_id = $2"), args![portal.city, filed]).await.unwrap();
        assert_eq!(left, 0);
        journal::seal(&portal.app).await.unwrap();
        let report = journal::verify(&portal.app, portal.city, &heads).await.unwrap();
        assert_eq!((report.findings.as_slice(), report.erased, report.compared), ([].as_slice(), erased, 2));
        let told: i64 = portal.db().one(sql!("select count(*) from journal where authority_id = $1 and action = 'journal-erased'"), args![portal.city]).await.unwrap();
        assert_eq!(told, 1);
        portal.usager(USAGER).await.get("/compte/donnees").await.is(200).shows("Personne ne les a encore ouvertes");
    }

    async fn old_lines_go_behind_a_signed_checkpoint(portal: Portal) {
        let (filed, heads) = grown(&portal).await;
        portal.later(SignedDuration::from_hours(364 * 24));
        assert_eq!(journal::retain(&portal.app, portal.city).await.unwrap(), 0, "not before its time");
        let mut agent = portal.agent("nadia.benali").await;
        agent.get(&format!("/agent/demandes/{filed}")).await.is(200);
        journal::seal(&portal.app).await.unwrap();
        portal.later(SignedDuration::from_hours(2 * 24));
        // What was edited is not put away: that would hide it.
        photograph(&portal.app, "before").await;
        run(&portal.app, ATTACKS[0].0).await;
        assert!(journal::retain(&portal.app, portal.city).await.is_err());
        sweep::all(&portal.app).await.unwrap();
        assert!(findings(&portal, &heads).await.iter().any(|line| line.contains("edited: line 3 ")));
        put_back(&portal.app, "before").await;
        sweep::all(&portal.app).await.unwrap();
        let left: i64 = portal.db().one(sql!("select min(seq) from journal_link where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(left, heads[1].seq + 1);
        let mut all = heads.clone();
        all.push(head(&portal).await);
        let report = journal::verify(&portal.app, portal.city, &all).await.unwrap();
        assert_eq!((report.findings.as_slice(), report.from, report.compared), ([].as_slice(), heads[1].seq + 1, 2));
    }
}

/// From the command line, with heads that the sealer wrote to a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_by_its_exit_code() {
    let folder = Folder::new();
    let file = folder.0.join("heads");
    let portal = Portal::start_with(Engine::Sqlite, |config| config.journal.heads = file.clone()).await;
    let (_, heads) = grown(&portal).await;
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(kept, heads.iter().map(|head| format!("{}\n", head.line(portal.city))).collect::<String>());
    let audit = |arguments: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_guichet"))
            .arg("audit")
            .args(arguments)
            .env("GUICHET_DATABASE", &portal.app.config.database)
            .env("GUICHET_DATA", &portal.app.config.data)
            .env("GUICHET_SECRET", &portal.app.config.secret)
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let path = file.to_str().unwrap();
    let (code, told) = audit(&["verify", "--heads", path]);
    assert!(code == Some(0) && told.contains("2 heads compared"), "{told}");
    let (code, told) = audit(&["head"]);
    assert!(code == Some(0) && told.starts_with(&heads[1].line(portal.city)), "{told}");
    put_back(&portal.app, "early").await;
    assert_eq!(audit(&["verify"]).0, Some(0));
    let (code, told) = audit(&["verify", "--authority", "valmont", "--heads", path]);
    assert!(code == Some(1) && told.contains("cut or taken back"), "{told}");
    run(&portal.app, ATTACKS[0].0).await;
    let (code, told) = audit(&["verify"]);
    assert!(code == Some(1) && told.contains("valmont: edited: line 3 "), "{told}");
    std::fs::write(&file, "not a head\n").unwrap();
    assert_eq!(audit(&["verify", "--heads", path]).0, Some(1));
    assert_eq!(audit(&["verify", "--authority", "nowhere"]).0, Some(1));
}
