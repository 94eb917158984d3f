//! Who else is at work on a request, asked for again and again by the pages of that request.

use db::{args, sql};
use jiff::SignedDuration;

use crate::harness::{Engine, Portal, both, journey::birth};

/// Lines of the journal.
async fn lines(portal: &Portal) -> i64 {
    portal.db().one(sql!("select count(*) from journal where authority_id = $1"), args![portal.city]).await.unwrap()
}

both! {
    async fn a_colleague_is_told_and_looking_leaves_no_trace(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let page = format!("/agent/demandes/{}", filed.id);
        let presence = format!("{page}/presence");
        let (mut nadia, mut herve) = (portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        let shown = nadia.get(&page).await.is(200).hides("travaille sur ce dossier");
        assert!(shown.html().replace("&#x2f;", "/").contains(&format!("data-presence=\"{presence}\"")));
        let before = lines(&portal).await;
        nadia.get(&presence).await.is(200).hides("travaille sur ce dossier");
        // Looking is no presence: nobody sees who looks.
        herve.get(&presence).await.is(200).shows("Nadia Benali travaille sur ce dossier");
        nadia.get(&presence).await.is(200).hides("travaille sur ce dossier");
        assert_eq!(lines(&portal).await, before);
        herve.get(&format!("{page}/actions/take")).await.is(200).shows("Nadia Benali travaille sur ce dossier");
        nadia.get(&presence).await.is(200).shows("Le Goff travaille sur ce dossier");
        nadia.get("/agent").await.is(200).shows("Le Goff y travaille");
        // Ten minutes later nobody is.
        portal.later(SignedDuration::from_mins(11));
        nadia.get(&presence).await.is(200).hides("travaille sur ce dossier");
        // Whoever may not see the content, or the request, is told nothing.
        for other in ["fatoumata.diallo", "maelle.keller"] {
            portal.agent(other).await.get(&presence).await.is(404);
        }
    }
}

#[tokio::test]
async fn looking_is_counted() {
    let portal = Portal::start_with(Engine::Sqlite, |config| config.posts_per_minute = 3).await;
    let mut nadia = portal.agent("nadia.benali").await;
    let presence = "/agent/demandes/00000000-0000-0000-0000-000000000000/presence";
    for _ in 0..3 {
        nadia.get(presence).await.is(404);
    }
    nadia.get(presence).await.is(429);
}
