//! Lists as files, on both engines.

use super::{
    lists::{crowd, walk},
    *,
};

/// What an export holds: the list, all of it, and nothing that its reader may not see.
async fn exports(world: World) {
    let agent = crowd(&world).await;
    let mut filing = world.filing("acte-naissance");
    filing.name = "=HYPERLINK(1)";
    filing.hours = 1;
    world.file(filing).await;
    let cookie = world.sign_in("claire.daubigny").await;
    let rows = |text: &str| text.trim_start_matches('\u{feff}').lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    for query in [
        "vue=toutes&tri=depot",
        "vue=toutes&tri=echeance",
        "vue=termines",
        "q=zola&demarche=acte-naissance",
        "personne=chantal",
        "vue=mes-dossiers",
    ] {
        let sheet = world.get(&cookie, &format!("/agent/export.csv?{query}")).await;
        assert_eq!(sheet.status, StatusCode::OK);
        // All of the list, in the order of sending.
        let mut wanted: Vec<String> = walk(&agent, query).await.into_iter().map(|line| line.reference).collect();
        let mut found: Vec<String> =
            rows(&sheet.text).iter().map(|row| row.split(';').next().unwrap().to_owned()).collect();
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted, "{query}");
    }
    let all = world.get(&cookie, "/agent/export.csv?vue=toutes").await.text;
    assert!(all.contains(";\"'=HYPERLINK(1)\";") && all.contains(";zoe@exemple.fr;"), "{all}");
    assert!(!all.contains("encombrants"));
    let traced = sql!(
        "select count(distinct request_id) from journal where authority_id = $1 and action = 'request-exported' and day is not null and cast($2 as uuid) is not null"
    );
    assert_eq!(world.count(traced, Uuid::nil()).await, 131);
    let taken = sql!(
        "select count(*) from journal where authority_id = $1 and action = 'requests-exported' and detail = 'csv' and cast($2 as uuid) is not null"
    );
    assert_eq!(world.count(taken, Uuid::nil()).await, 7);
    // Who may not see the content takes no address away.
    world
        .visit
        .db
        .write(async |tx: &mut Tx| {
            tx.run(sql!("update membership set role = 'reader' where authority_id = $1"), args![tx.authority()]).await
        })
        .await
        .unwrap();
    let reader = world.get(&cookie, "/agent/export.csv?vue=toutes&demarche=acte-naissance").await;
    assert!(rows(&reader.text).len() > 50 && !reader.text.contains("zoe@exemple.fr"));
    assert_eq!(world.get(&cookie, "/agent/export.csv?vue=toutes&du=hier").await.status, StatusCode::BAD_REQUEST);
    for (format, start) in
        [("xlsx", "[Content_Types].xml"), ("ods", "mimetypeapplication/vnd.oasis.opendocument.spreadsheet")]
    {
        let sheet = world.get(&cookie, &format!("/agent/export.{format}?vue=toutes")).await;
        assert!(sheet.text.contains(start), "{format}");
    }
}

#[tokio::test]
async fn exports_on_sqlite() {
    exports(World::new(db::testing::sqlite()).await).await;
}

#[tokio::test]
async fn exports_on_postgres() {
    exports(World::new(db::testing::postgres().await).await).await;
}

/// Each file of a list, opened by a program that reads such files (`tests/peers/sheet.py`): (type, value) by row.
fn opened(world: &World, format: &str, bytes: &[u8]) -> Vec<Vec<(String, String)>> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let python = cache.join("guichet/venv/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/setup-tests.sh", python.display());
    let file = world.folder.join(format!("export.{format}"));
    std::fs::write(&file, bytes).unwrap();
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/sheet.py");
    let read = std::process::Command::new(python).arg(reader).arg(&file).output().unwrap();
    assert!(read.status.success(), "{format}: {}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

#[tokio::test]
async fn spreadsheets_are_opened_by_what_reads_them() {
    let world = World::sqlite().await;
    let mut filing = world.filing("stationnement-demenagement");
    (filing.name, filing.hours) = ("=HYPERLINK(1)", 24 * 3);
    let answers = serde_json::json!({"debut": "2026-12-01", "entreprise_nom": "0042", "entreprise_telephone": "+33612345678", "adresse_depart": {"numero_voie": "=1+1 <rue> & « cour »", "code_postal": "01000", "commune": "Bourg"}});
    filing.answers = answers.as_object().unwrap().clone();
    world.file(filing).await;
    let cookie = world.sign_in("thierry.kowalski").await;
    for format in ["csv", "xlsx", "ods"] {
        let address = format!("/agent/export.{format}?vue=toutes&demarche=stationnement-demenagement");
        let rows = opened(&world, format, &world.get(&cookie, &address).await.bytes);
        assert_eq!(rows.len(), 2, "{format}: {rows:?}");
        let cell = |head: &str| {
            let at = rows[0].iter().position(|(_, title)| title.replace(['\u{a0}', '\u{202f}'], " ") == head).unwrap();
            (rows[1][at].0.as_str(), rows[1][at].1.as_str())
        };
        let day = |day: &str| {
            let french = || day.split('-').rev().collect::<Vec<_>>().join("/");
            if format == "csv" { ("text", french()) } else { ("day", day.to_owned()) }
        };
        let (kind, value) = day("2026-12-01");
        assert_eq!(cell("Quel jour ?"), (kind, value.as_str()), "{format}: an answer that is a day");
        let (kind, value) =
            day(&crate::platform::clock::day(before(world.visit.now, 24 * 3), &world.visit.site.zone).to_string());
        assert_eq!(cell("Reçu le"), (kind, value.as_str()), "{format}");
        assert_eq!(cell("Quelle entreprise ?"), ("text", "0042"), "{format}: zeros are kept");
        assert_eq!(cell("Terminé le"), ("empty", ""), "{format}");
        let text = |text: &str| if format == "csv" { format!("'{text}") } else { text.to_owned() };
        assert_eq!(cell("Usager"), ("text", text("=HYPERLINK(1)").as_str()), "{format}: no formula");
        assert_eq!(
            cell("Adresse de départ"),
            ("text", text("=1+1 <rue> & « cour », 01000 Bourg").as_str()),
            "{format}"
        );
    }
}
