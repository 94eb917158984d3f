//! What is found while an agent types in the search box: the list's rights and its line in the journal.

use db::{args, sql};

use crate::harness::{Engine, Portal, USAGER, both, journey::birth};

async fn lines(portal: &Portal) -> i64 {
    let query = sql!("select count(*) from journal where authority_id = $1 and action = 'requests-searched'");
    portal.db().one(query, args![portal.city]).await.unwrap()
}

both! {
    async fn requests_are_found_as_one_types(portal: Portal) {
        let filed = portal.usager(USAGER).await.file("acte-naissance", &birth()).await;
        let mut nadia = portal.agent("nadia.benali").await;
        let before = lines(&portal).await;
        for typed in ["zephyrine", "Zéphyrine", &filed.reference] {
            let found = nadia.get(&format!("/agent/recherche?q={typed}")).await.is(200).shows(&filed.reference).shows("1 dossier trouvé").shows("Camille Zoé Martin");
            assert!(found.links_to(&format!("/agent/demandes/{}", filed.id)) && !found.html().contains("<html"), "{}", found.html());
        }
        assert_eq!(lines(&portal).await, before + 3);
        nadia.get("/agent/recherche?q=introuvable").await.is(200).shows("Aucun dossier trouvé");
        // Two letters would find everything.
        nadia.get("/agent/recherche?q=ze").await.is(400);
        assert_eq!(lines(&portal).await, before + 4);
        portal.agent("fatoumata.diallo").await.get("/agent/recherche?q=zephyrine").await.is(200).hides(&filed.reference);
        portal.usager(USAGER).await.get("/agent/recherche?q=zephyrine").await.is(303);
    }
}

#[tokio::test]
async fn an_agent_searches_so_many_times_a_minute() {
    let portal = Portal::start_with(Engine::Sqlite, |config| config.posts_per_minute = 5).await;
    let (mut nadia, mut herve) = (portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
    for _ in 0..5 {
        nadia.get("/agent/recherche?q=martin").await.is(200);
    }
    nadia.get("/agent/recherche?q=martin").await.is(429);
    herve.get("/agent/recherche?q=martin").await.is(200);
}
