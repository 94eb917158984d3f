//! Who did what is traced, before anything is shown; administrators search it.

use db::{args, sql};
use jiff::SignedDuration;
use reqwest::Method;

use crate::harness::{Engine, OTHER_USAGER, PASSWORD, Portal, USAGER, both, journey::birth};

/// (action, detail) of what an agent did, oldest first.
async fn done(portal: &Portal, agent: &str) -> Vec<(String, String)> {
    portal
        .db()
        .all(
            sql!(
                "select j.action, j.detail from journal j join account a on a.authority_id = j.authority_id and a.id = j.actor_id
                 where j.authority_id = $1 and a.login = $2 and a.kind = 'agent' order by j.id"
            ),
            args![portal.city, format!("{agent}@valmont.example")],
        )
        .await
        .unwrap()
}

fn codes(lines: &[(String, String)]) -> Vec<&str> {
    lines.iter().map(|(action, _)| action.as_str()).collect()
}

both! {
    async fn what_agents_do_is_traced(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let file: uuid::Uuid = {
            portal.work().await;
            portal.db().one(sql!("select id from file where authority_id = $1 and owner_id = $2 limit 1"), args![portal.city, filed.id]).await.unwrap()
        };
        let mut agent = portal.agent("nadia.benali").await;
        let address = format!("/agent/demandes/{}", filed.id);
        agent.get(&address).await.is(200);
        agent.get(&format!("{address}/dossier.pdf")).await.is(200);
        agent.get(&format!("/agent/fichiers/{file}")).await.is(200);
        agent.get("/agent").await.is(200);
        agent.get("/agent?vue=toutes&q=Zéphyrine").await.is(200);
        agent.post(&format!("{address}/affecter"), &[]).await.is(303);
        agent.post(&format!("{address}/notes"), &[("note", "Une note")]).await.is(303);
        let lines = done(&portal, "nadia.benali").await;
        assert_eq!(
            codes(&lines),
            [
                "agent-signed-in", "request-opened", "request-printed", "file-opened", "requests-searched",
                // What is written is opened too.
                "request-opened", "request-changed", "request-opened"
            ],
            "a note that nobody but agents see is no entry of the history: its opening is its trace"
        );
        let search = &lines[4].1;
        assert!(search.len() == 64 && !search.contains("phyrine"), "{search}");
        // Lists leave no line, nor does what is refused.
        portal.agent("fatoumata.diallo").await.get(&address).await.is(404);
        assert_eq!(codes(&done(&portal, "fatoumata.diallo").await), ["agent-signed-in"]);
        // The usager's own deeds on the request are there, without an agent.
        let own: i64 = portal
            .db()
            .one(sql!("select count(*) from journal where authority_id = $1 and request_id = $2 and actor_kind = 'usager' and action = 'request-changed'"), args![portal.city, filed.id])
            .await
            .unwrap();
        assert_eq!(own, 1);
    }

    async fn accounts_at_the_counter_are_traced(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        agent.post("/agent/comptes", &[("email", USAGER)]).await.is(200).shows("Camille");
        agent.post("/agent/comptes", &[("email", "personne@exemple.fr")]).await.is(200);
        agent.get("/agent/courriers").await.is(200);
        assert_eq!(codes(&done(&portal, "nadia.benali").await), ["agent-signed-in", "accounts-searched", "account-opened", "accounts-searched", "letters-opened"]);
        let mut manager = portal.agent("claire.daubigny").await;
        let nadia: uuid::Uuid = portal
            .db()
            .one(sql!("select id from account where authority_id = $1 and login = 'nadia.benali@valmont.example'"), args![portal.city])
            .await
            .unwrap();
        manager.post(&format!("/agent/agents/{nadia}/fin"), &[("fin.jour", "30"), ("fin.mois", "11"), ("fin.annee", "2026")]).await.is(303);
        assert_eq!(done(&portal, "claire.daubigny").await.last().unwrap(), &("account-changed".to_owned(), "end-set".to_owned()));
        let mut person = portal.usager(OTHER_USAGER).await;
        person.post("/compte/donnees/export", &[("mot-de-passe-export", PASSWORD)]).await.is(200);
        let exported: i64 = portal.db().one(sql!("select count(*) from journal where authority_id = $1 and action = 'data-exported'"), args![portal.city]).await.unwrap();
        assert_eq!(exported, 1);
    }

    /// A page whose trace cannot be kept is not shown.
    async fn without_a_trace_nothing_is_shown(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let mut agent = portal.agent("nadia.benali").await;
        let address = format!("/agent/demandes/{}", filed.id);
        agent.get(&address).await.is(200).shows("Zéphyrine");
        portal.app.db.write(async |tx: &mut db::Tx| tx.run(db::Query::new("alter table journal rename to journal_lost"), args![]).await).await.unwrap();
        for path in [address.clone(), format!("{address}/dossier.pdf"), "/agent?q=martin".to_owned()] {
            agent.try_send(Method::GET, &path, |request| request).await.unwrap().is(500).hides("Zéphyrine").hides("Martin");
        }
        agent.try_send(Method::POST, &format!("{address}/affecter"), |request| request).await.unwrap().is(500);
        portal.app.db.write(async |tx: &mut db::Tx| tx.run(db::Query::new("alter table journal_lost rename to journal"), args![]).await).await.unwrap();
        let free: i64 = portal.db().one(sql!("select count(*) from request where authority_id = $1 and holder_id is null"), args![portal.city]).await.unwrap();
        assert_eq!(free, 1, "what is not traced is not done");
        agent.get(&address).await.is(200);
    }

    async fn administrators_search_the_journal(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let mut other = portal.usager(OTHER_USAGER).await;
        let elsewhere = other.file("acte-naissance", &birth()).await;
        let mut agent = portal.agent("nadia.benali").await;
        agent.get(&format!("/agent/demandes/{}", filed.id)).await.is(200);
        portal.agent("herve.le-goff").await.get(&format!("/agent/demandes/{}", elsewhere.id)).await.is(200);
        // Deny by default.
        agent.get("/agent/journal").await.is(403);
        portal.agent("claire.daubigny").await.get("/agent/journal").await.is(403);
        let mut admin = portal.agent("maelle.keller").await;
        let page = admin.get("/agent/journal").await.is(200).shows("Nadia").shows("Dossier ouvert").shows(&filed.reference).shows("Pas encore scellée");
        // No usager is named.
        page.hides("Martin").hides("Camille").hides(USAGER);
        guichet::journal::seal(&portal.app).await.unwrap();
        // All but the line of the search before.
        let page = admin.get(&format!("/agent/journal?demande={}", filed.reference.to_lowercase())).await.is(200).shows("Nadia").hides("Hervé").hides(&elsewhere.reference);
        assert!(!page.html().contains("Pas encore"), "{}", page.words());
        admin.get(&format!("/agent/journal?personne={OTHER_USAGER}")).await.is(200).shows("Hervé").hides("Nadia").shows(&elsewhere.reference);
        admin.get("/agent/journal?agent=nadia.benali@valmont.example&action=request-opened").await.is(200).shows(&filed.reference).hides(&elsewhere.reference);
        admin.get("/agent/journal?jour=17/11/2026&action=agent-signed-in").await.is(200).shows("Connexion d’un agent");
        admin.get("/agent/journal?jour=16%2F11%2F2026&action=agent-signed-in").await.is(200).shows("Aucune ligne ne correspond");
        for (query, told) in [
            ("demande=V-0000-00", "Aucune demande n’a cette référence"),
            ("personne=personne@exemple.fr", "Aucun usager ne se connecte"),
            ("agent=nobody@valmont.example", "Aucun agent n’a cette adresse"),
            ("jour=31+novembre", "Saisissez un jour qui existe"),
        ] {
            admin.get(&format!("/agent/journal?{query}")).await.is(422).shows(told).shows("Chercher");
        }
        admin.get("/agent/journal?jour=31+novembre&personne=%00x%27").await.is(422).shows("Aucun usager");
        assert!(admin.get("/agent/journal?jour=31+novembre").await.is(422).html().contains("value=\"31 novembre\""));
        // Who watches is watched.
        let own = done(&portal, "maelle.keller").await;
        assert_eq!(own.iter().filter(|(action, _)| action == "journal-read").count(), 12, "{own:?}");
        assert!(own.contains(&("journal-read".to_owned(), "personne".to_owned())));
        assert!(own.iter().all(|(_, detail)| !detail.contains('@')), "{own:?}");
    }

    async fn pages_of_the_journal_follow_each_other(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        for index in 0..60 {
            if index % 7 == 0 {
                portal.later(SignedDuration::from_secs(1));
            }
            agent.get("/agent?q=martin").await.is(200);
        }
        let mut admin = portal.agent("maelle.keller").await;
        let count = |page: &crate::harness::Page| page.html().matches("data-label=\"Qui\"").count();
        let first = admin.get("/agent/journal?action=requests-searched").await.is(200);
        assert_eq!(count(&first), 50);
        let next = crate::harness::html::tags(first.html()).into_iter().find_map(|tag| Some(tag.get("href")).filter(|href| href.contains("avant=")).map(str::to_owned)).unwrap();
        let second = admin.get(&next.replace("&amp;", "&")).await.is(200);
        assert_eq!(count(&second), 10);
        assert!(!second.html().contains("avant="));
    }
}
