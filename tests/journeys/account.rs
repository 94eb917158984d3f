//! With an account, and with documents.

use std::collections::BTreeSet;

use crate::harness::{
    Client, Engine, Page, Portal, USAGER, both, html,
    journey::{HEIC, JPEG, PDF},
};

/// Names of the files that a piece's page shows as received.
fn received(page: &Page) -> Vec<String> {
    let names =
        html::tags(page.html()).into_iter().filter(|tag| tag.name == "a" && tag.get("href").starts_with("/fichiers/"));
    names.map(|tag| html::decode(tag.after)).collect()
}

fn file_links(page: &Page) -> BTreeSet<String> {
    html::tags(page.html())
        .into_iter()
        .map(|tag| tag.get("href").to_owned())
        .filter(|href| href.starts_with("/fichiers/"))
        .collect()
}

async fn to_first_piece(portal: &Portal, person: &mut Client, procedure: &str) -> String {
    let answers = portal.sample(procedure).await;
    let mut path = person.get(&format!("/demarches/{procedure}/remplir")).await.is(303).location().to_owned();
    while !path.contains("/pieces/") {
        assert!(!path.ends_with("/verifier"), "{procedure} asks no piece");
        path = person.answer(&path, &answers).await;
    }
    path
}

both! {
    async fn documents_are_sent_looked_at_and_taken_back(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let piece = to_first_piece(&portal, &mut person, "recensement-citoyen").await;
        // Nothing sent: the journey waits.
        person.post(&piece, &[("action", "continuer")]).await.is(422).shows("pour continuer");
        person.post(&piece, &[("action", "ajouter")]).await.is(422).shows("Choisissez d'abord un fichier");

        let next = person.give(&piece, &[("carte recto.jpg", JPEG), ("IMG_0042.HEIC", HEIC), ("Été à Noël.pdf", PDF)]).await;
        let page = person.get(&piece).await.is(200);
        assert_eq!(received(&page), ["carte recto.jpg", "IMG_0042.HEIC", "Été à Noël.pdf"]);
        let links = file_links(&page);
        assert_eq!(links.len(), 3);

        let form = page.forms().into_iter().filter(|form| form.holds("piece")).nth(1).unwrap();
        person.post_form(&piece, &form.with("action", "retirer").fields).await.leads_to(&piece);
        let page = person.get(&piece).await;
        assert_eq!(received(&page), ["carte recto.jpg", "Été à Noël.pdf"]);
        let gone = links.difference(&file_links(&page)).next().unwrap().clone();
        person.get(&gone).await.is(404);

        let kept = file_links(&page).into_iter().next().unwrap();
        let file = person.get(&kept).await.is(200);
        assert!(file.bytes == JPEG || file.bytes == PDF);
        assert!(file.header("content-disposition").starts_with("attachment; filename*=UTF-8''"));
        assert!(file.header("content-security-policy").contains("sandbox") && file.header("x-content-type-options") == "nosniff");

        let mut path = next;
        while !path.ends_with("/verifier") {
            path = person.give(&path, &[("document.pdf", PDF)]).await;
        }
        let filed = person.send_checked(&path).await;
        assert_eq!(filed.code, "", "an account needs no code");
        let request = format!("/demandes/{}", filed.id);
        person.get("/mes-demandes").await.is(200).shows(&filed.reference);
        person.get(&request).await.is(200).shows("carte recto.jpg").shows("Été à Noël.pdf").hides("IMG_0042.HEIC");
        assert_eq!(person.get(&kept).await.is(200).bytes, file.bytes);
        // Once sent, a file is not taken back.
        person.post(&piece, &[("action", "retirer"), ("piece", kept.trim_start_matches("/fichiers/"))]).await.is(303);
        person.get(&kept).await.is(200);
    }

    async fn several_photos_in_one_go(portal: Portal) {
        let mut person = portal.client();
        let answers = portal.sample("dechets-verts").await;
        let path = person.get("/demarches/dechets-verts/remplir").await.is(303).location().to_owned();
        let page = person.get(&path).await.is(200);
        let form = page.form("action");
        assert!(form.multipart && form.names.contains(&"photos.fichier".to_owned()), "{form:?}");
        let fields = crate::harness::journey::filled(&form, &answers);
        let mut page = person.upload(&path, &fields, &[("photos.fichier", "un.jpg", JPEG), ("photos.fichier", "deux.heic", HEIC)]).await;
        if page.status == 303 {
            // The first page is saved: back to it, the photos are there.
            let draft = page.location().rsplit_once('/').unwrap().0.to_owned();
            page = person.get(&format!("{draft}/vos-dechets-verts")).await.is(200);
        }
        let page = page.shows("un.jpg").shows("deux.heic");
        let draft = page.path.rsplit_once('/').unwrap().0.to_owned();
        // One too many: three is the most; what was typed stays.
        let path = format!("{draft}/vos-dechets-verts");
        let form = person.get(&path).await.form("action");
        let fields = crate::harness::journey::filled(&form, &answers);
        person.upload(&path, &fields, &[("photos.fichier", "trois.jpg", JPEG), ("photos.fichier", "quatre.jpg", JPEG)]).await.is(422).shows("3 fichier").shows("trois.jpg").hides("quatre.jpg");
    }

    async fn a_draft_follows_the_account(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("demande-information", &crate::harness::journey::question("Je me connecte en route")).await;
        person.sign_in("/connexion", USAGER).await;
        person.get(&check).await.is(200).shows("Je me connecte en route");
        person.get("/mes-demandes").await.is(200).shows("Poser une question à la mairie");
        let mut elsewhere = portal.usager(USAGER).await;
        let filed = elsewhere.send_checked(&check).await;
        assert_eq!(filed.code, "");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(&filed.reference);
    }
}
