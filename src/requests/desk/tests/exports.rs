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
