//! How many queries a page may make: a loop over rows shows here before it shows in production.

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use guichet::routes;
use tower::ServiceExt;

use crate::harness::{
    Client, Engine, HOST, OTHER_USAGER, Portal, USAGER,
    acting::{ALL, act, declare_club, mandate},
    both,
    scene::Scene,
};

/// Queries of one page, asked twice so that what is kept in memory is there.
async fn queries(portal: &Portal, client: &Client, path: &str) -> u64 {
    let mut last = 0;
    for _ in 0..2 {
        let cookies: Vec<String> = client.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            Request::get(path).header("host", HOST).header("cookie", cookies.join("; ")).body(Body::empty()).unwrap();
        let answer = db::counted(async {
            let response = routes::router(portal.app.clone()).oneshot(request).await.unwrap();
            let status = response.status();
            to_bytes(response.into_body(), 1 << 22).await.unwrap();
            status
        });
        let (status, count) = answer.await;
        assert_eq!(status, 200, "{path}");
        last = count;
    }
    last
}

both! {
    /// What acting in somebody's name adds to every page: the right that stands behind it, for whom, what waits.
    async fn acting_for_somebody_costs_a_few_queries(portal: Portal) {
        let (mut owner, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let club = declare_club(&mut owner).await;
        let id = mandate(&portal, &mut owner, &mut helper, OTHER_USAGER, &ALL).await;
        let page = "/accessibilite";
        for (who, whom, more) in [(&mut owner, format!("organisation:{club}"), 2), (&mut helper, format!("mandate:{id}"), 3)] {
            let alone = queries(&portal, who, page).await;
            act(who, &whom).await;
            assert_eq!(queries(&portal, who, page).await, alone + more, "{whom}");
        }
    }

    async fn pages_stay_within_their_budget(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        // Enough rows for a loop to show.
        for _ in 0..8 {
            scene.owner.file("acte-naissance", &crate::harness::journey::birth()).await;
        }
        let question = scene.address("/brouillons/{draft}/la-personne-a-recenser");
        let piece = scene.address("/brouillons/{draft}/pieces/{piece}");
        let check = scene.address("/brouillons/{draft}/verifier");
        let mine = scene.address("/demandes/{request}");
        let theirs = scene.address("/agent/demandes/{request}");
        let action = scene.address("/agent/demandes/{request}/actions/ask");
        let letter = scene.address("/agent/demandes/{request}/courrier");
        let budget: [(&str, &Client, &str, u64); 20] = [
            ("public home", &scene.nobody, "/", 0),
            ("public list", &scene.nobody, "/demarches?q=naissance", 2),
            ("public procedure", &scene.nobody, "/demarches/acte-naissance", 3),
            ("follow-up form", &scene.nobody, "/suivre", 1),
            ("home, signed in", &scene.owner, "/", 4),
            ("procedure, signed in", &scene.owner, "/demarches/acte-naissance", 6),
            ("question", &scene.owner, &question, 6),
            ("piece", &scene.owner, &piece, 6),
            ("check", &scene.owner, &check, 6),
            ("household", &scene.owner, "/compte/foyer", 4),
            ("addresses", &scene.owner, "/compte/coordonnees", 4),
            ("my requests", &scene.owner, "/mes-demandes", 6),
            ("my request", &scene.owner, &mine, 12),
            ("desk list", &scene.processor, "/agent", 8),
            ("desk search", &scene.processor, "/agent?vue=toutes&q=martin", 11),
            ("desk request", &scene.processor, &theirs, 13),
            ("desk action", &scene.processor, &action, 9),
            ("letter to write", &scene.processor, &letter, 10),
            ("figures of all", &scene.observer, "/agent/ensemble?par=demarche", 7),
            ("desk failures", &scene.processor, "/agent/envois", 6),
        ];
        let mut wrong = Vec::new();
        for (what, client, path, most) in budget {
            let count = queries(&scene.portal, client, path).await;
            if count > most {
                wrong.push(format!("{what}: {count} queries, {most} allowed"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
