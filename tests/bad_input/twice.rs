//! Twice, at once, too late: one effect, and everybody is told where it stands.

use db::{args, sql};

use crate::harness::{
    Client, Engine, Page, Portal, USAGER, both,
    journey::{birth, filed, filled, question},
};

/// The same form sent by `count` clicks at once.
async fn clicks(client: &Client, count: usize, path: &str, form: &[(String, String)]) -> Vec<Page> {
    let mut sent = Vec::new();
    for _ in 0..count {
        let (mut client, path, form) = (client.clone(), path.to_owned(), form.to_vec());
        sent.push(tokio::spawn(async move { client.post_form(&path, &form).await }));
    }
    let mut pages = Vec::new();
    for one in sent {
        pages.push(one.await.unwrap());
    }
    pages
}

both! {
    async fn twenty_clicks_on_send(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("acte-naissance", &birth()).await;
        let form = person.get(&check).await.form("version").with("declaration", "oui");
        let pages = clicks(&person, 20, &check, &form.fields).await;
        let mut references = Vec::new();
        for page in pages {
            references.push(filed(person.follow(&page.is(303)).await).reference);
        }
        references.dedup();
        assert_eq!(references.len(), 1, "{references:?}");
        assert_eq!((portal.count("request").await, portal.count("draft").await), (1, 0));
        assert_eq!(portal.count("request_event").await, 1);
        assert_eq!(portal.outbox().await.len(), 1);
        assert_eq!(portal.count("file").await, 1, "one receipt");
        // Counted once: as sent, and as gone from the last step of its form.
        let counted: Vec<String> = portal
            .db()
            .all(
                sql!("select measure from fact where authority_id = $1 and (measure = 'sent' or what = 'verifier>') order by measure"),
                args![portal.city],
            )
            .await
            .unwrap();
        assert_eq!(counted, ["page", "sent"]);
    }

    async fn twenty_clicks_on_the_first_page(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        let form = person.get(&path).await.form("action");
        let fields = filled(&form, &question("Une seule fois"));
        let pages = clicks(&person, 20, &path, &fields).await;
        let first = pages[0].location().to_owned();
        for page in pages {
            page.leads_to(&first);
        }
        assert_eq!(portal.count("draft").await, 1);
    }

    /// Without an account too, whatever the order in which the clicks find the session and the draft.
    async fn twenty_clicks_of_somebody_new(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        let form = person.get(&path).await.form("action");
        let fields = filled(&form, &question("Une seule fois"));
        let pages = clicks(&person, 20, &path, &fields).await;
        let first = pages[0].location().to_owned();
        for page in pages {
            page.leads_to(&first);
        }
        assert_eq!((portal.count("draft").await, portal.count("session").await), (1, 1));
        person.get(&first).await.is(200);
        // Somebody else with the same address writes nothing there.
        let page = portal.client().post_form(&path, &fields).await.is(303);
        assert!(page.location().starts_with("/connexion"), "{}", page.location());
        let page = portal.usager(USAGER).await.post_form(&path, &fields).await.is(404);
        page.hides("Une seule fois");
    }

    async fn back_after_sending(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("demande-information", &question("Déjà parti")).await;
        let start = format!("/demarches/demande-information/remplir?brouillon={}", check.split('/').nth(2).unwrap());
        let draft = check.trim_end_matches("/verifier").to_owned();
        let old = person.get(&format!("{draft}/votre-message")).await;
        let filed = person.send_checked(&check).await;
        let request = format!("/demandes/{}", filed.id);
        for page in ["verifier", "votre-message", "enregistre"] {
            person.get(&format!("{draft}/{page}")).await.leads_to(&request);
        }
        let form = old.form("action");
        person.upload(&old.path, &filled(&form, &question("Modifié après coup")), &[]).await.leads_to(&request);
        person.post(&check, &[]).await.leads_to(&format!("{request}/envoyee"));
        person.get(&start).await.leads_to(&request);
        person.upload(&start, &filled(&form, &question("Modifié après coup")), &[]).await.leads_to(&request);
        person.post(&format!("{draft}/supprimer"), &[]).await.leads_to(&request);
        person.get(&request).await.is(200).shows("Déjà parti").hides("Modifié après coup");
        assert_eq!(portal.outbox().await.len(), 1);
    }

    async fn two_tabs_keep_both(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("acte-naissance", &birth()).await;
        let draft = check.trim_end_matches("/verifier").to_owned();
        let (one, other) = (format!("{draft}/la-personne-concernee"), format!("{draft}/ses-parents"));
        let (first, second) = (person.get(&one).await, person.get(&other).await);
        let (mut left, mut right) = (birth(), birth());
        left.set("titulaire.prenoms", "Gauche");
        right.set("parent1.prenoms", "Droite");
        let (mut a, mut b) = (person.clone(), person.clone());
        let (left, right) = (filled(&first.form("action"), &left), filled(&second.form("action"), &right));
        let (left, right) = tokio::join!(a.post_form(&one, &left), b.post_form(&other, &right));
        left.is(303);
        right.is(303);
        person.get(&check).await.is(200).shows("Gauche").shows("Droite");
    }

    async fn two_agents_at_once(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        let (mut claire, mut herve) = (portal.agent("claire.daubigny").await, portal.agent("herve.le-goff").await);
        let take = claire.get(&format!("{theirs}/actions/take")).await.form("version");
        claire.post_form(&format!("{theirs}/actions/take"), &take.fields).await.is(303);
        // Both look at the same state; one accepts, the other refuses.
        let accept = claire.get(&format!("{theirs}/actions/accept")).await.form("version");
        let refuse = herve.get(&format!("{theirs}/actions/refuse")).await.form("version").with("motif", "Article 30").with("faits", "Introuvable");
        claire.post_form(&format!("{theirs}/actions/accept"), &accept.fields).await.is(303);
        herve.post_form(&format!("{theirs}/actions/refuse"), &refuse.fields).await.is(409).shows("Quelqu'un vient d'agir avant vous");
        herve.get(&format!("{theirs}/actions/refuse")).await.is(409);
        // The same click twice is no conflict.
        claire.post_form(&format!("{theirs}/actions/accept"), &accept.fields).await.is(303);
        assert_eq!(portal.count("decision").await, 1);
        let mails = portal.outbox().await;
        assert_eq!(mails.len(), 3, "{mails:?}");
    }

    async fn ten_agents_at_once(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let path = format!("/agent/demandes/{}/actions/take", filed.id);
        let (mut claire, mut herve, mut nadia) = (portal.agent("claire.daubigny").await, portal.agent("herve.le-goff").await, portal.agent("nadia.benali").await);
        let form = claire.get(&path).await.form("version");
        herve.get(&path).await.is(200);
        nadia.get(&path).await.is(200);
        let (one, two, three) = tokio::join!(clicks(&claire, 4, &path, &form.fields), clicks(&herve, 3, &path, &form.fields), clicks(&nadia, 3, &path, &form.fields));
        let mut won = 0;
        for pages in [one, two, three] {
            let done = pages.iter().filter(|page| page.status == 303).count();
            assert!(pages.iter().all(|page| [303, 409].contains(&page.status)));
            won += usize::from(done > 0);
        }
        assert_eq!(won, 1, "one agent took it");
        let taken: i64 = portal.db().one(sql!("select count(*) from request_event where authority_id = $1 and code = 'take'"), args![portal.city]).await.unwrap();
        assert_eq!(taken, 1);
        assert_eq!(portal.outbox().await.len(), 2);
    }

    async fn a_session_that_ended_loses_nothing(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let check = person.fill("demande-information", &question("Avant la pause")).await;
        let page = format!("{}/votre-message", check.trim_end_matches("/verifier"));
        let form = person.get(&page).await.form("action");
        let fields = filled(&form, &question("Après la pause"));
        person.cookies.clear();
        let sign_in = person.post_form(&page, &fields).await.is(200).shows("Vos réponses sont conservées");
        let form = sign_in.form("saisie").with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
        person.post_form("/connexion", &form.fields).await.leads_to(&page);
        assert_eq!(person.get(&page).await.form("action").value("message"), "Après la pause");
    }
}
