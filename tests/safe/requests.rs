//! Documents in procedures, and what the city puts in.

use super::*;
use crate::harness::{OTHER_USAGER, journey::birth};

pub async fn to_first_piece(portal: &Portal, person: &mut Client, procedure: &str) -> String {
    let answers = portal.sample(procedure).await;
    let mut path = person.get(&format!("/demarches/{procedure}/remplir")).await.is(303).location().to_owned();
    while !path.contains("/pieces/") {
        path = person.answer(&path, &answers).await;
    }
    path
}

/// Presses « Utiliser » beside the document of this id.
pub async fn reuse(person: &mut Client, piece: &str, document: &str) -> Page {
    let id = document.rsplit('/').next().unwrap();
    person.post(piece, &[("version", ""), ("action", "reprendre"), ("document", id)]).await
}

pub fn file(page: &Page) -> Option<String> {
    let links = html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned());
    links.into_iter().find(|href| href.starts_with("/fichiers/"))
}

both! {
    async fn a_document_is_given_in_one_click(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let piece = to_first_piece(&portal, &mut person, "recensement-citoyen").await;
        person.get(&piece).await.is(200).hides("mes documents");
        create(&mut person).await;
        let document = add(&mut person, &format!("{SECRET}.pdf"), "identite", &secret_pdf()).await;
        person.post("/mes-documents/fermer", &[]).await.is(303);
        let door = format!("/mes-documents/ouvrir?suite={piece}");
        assert!(person.get(&piece).await.is(200).shows("Ouvrir mes documents").hides(SECRET).links_to(&door));
        reuse(&mut person, &piece, &document).await.is(422).shows("se sont refermés");
        person.post("/mes-documents/ouvrir", &[("mot-de-passe", PASSWORD), ("suite", &piece)]).await.leads_to(&piece);
        person.get(&piece).await.is(200).shows("Utiliser un de mes documents").shows(&format!("{SECRET}.pdf"));

        reuse(&mut person, &piece, &document).await.leads_to(&piece);
        let copy = file(&person.get(&piece).await.shows("Document reçu")).unwrap();
        assert_eq!(person.get(&copy).await.is(200).bytes, secret_pdf());
        person.get(&document).await.is(200).shows("Utilisé dans…").shows("brouillon");
        // Taken back: no longer used.
        let form = person.get(&piece).await.form("piece").with("action", "retirer");
        person.post_form(&piece, &form.fields).await.leads_to(&piece);
        person.get(&document).await.shows("Vous ne l’avez encore joint à aucune demande");
        reuse(&mut person, &piece, &document).await.leads_to(&piece);
        let copy = file(&person.get(&piece).await).unwrap();

        // The copy is the request's: it stays when the document goes.
        person.post(&format!("{document}/supprimer"), &[]).await.is(303);
        assert_eq!(person.get(&copy).await.is(200).bytes, secret_pdf());
        assert_eq!(portal.count("safe_use").await, 0);
    }

    async fn a_document_of_somebody_else_is_not_given(portal: Portal) {
        let (_, _, document) = owner(&portal).await;
        let mut other = portal.usager(OTHER_USAGER).await;
        create(&mut other).await;
        let piece = to_first_piece(&portal, &mut other, "recensement-citoyen").await;
        reuse(&mut other, &piece, &document).await.is(422);
        reuse(&mut other, &piece, "n'importe quoi").await.is(404);
        assert_eq!(file(&other.get(&piece).await), None);
        // Without an account there is nothing to take from.
        let mut nobody = portal.client();
        let piece = to_first_piece(&portal, &mut nobody, "recensement-citoyen").await;
        reuse(&mut nobody, &piece, &document).await.is(422);
    }

    async fn a_slot_takes_no_more_than_it_may(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        let piece = to_first_piece(&portal, &mut person, "recensement-citoyen").await;
        let mut given = 0;
        while reuse(&mut person, &piece, &document).await.status == 303 {
            given += 1;
            assert!(given < 60, "no end");
        }
        reuse(&mut person, &piece, &document).await.is(422).shows("le maximum");
        assert_eq!(std::fs::read_dir(portal.files().join(portal.city.to_string())).unwrap().count(), given + 1);
    }

    /// The public key is enough: the safe is closed, and stays so.
    async fn a_receipt_goes_in_while_it_is_closed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let (follow, keep) = (format!("/demandes/{}", filed.id), format!("/demandes/{}/ranger", filed.id));
        person.get(&follow).await.is(200).hides("Ranger l’accusé");
        person.post(&keep, &[]).await.leads_to(&follow);
        create(&mut person).await;
        person.post("/mes-documents/fermer", &[]).await.is(303);
        assert!(person.get(&follow).await.is(200).shows("Ranger l’accusé dans mes documents").links_to(&keep));
        let receipt = person.get(&format!("{follow}/recepisse.pdf")).await.is(200).bytes;
        person.post(&keep, &[]).await.leads_to(&format!("{follow}?fait=range"));
        // Twice is once.
        person.post(&keep, &[]).await.leads_to(&format!("{follow}?fait=range"));
        person.get(&format!("{follow}?fait=range")).await.is(200).shows("rangé dans vos documents").hides("Ranger l’accusé");
        person.get("/mes-documents").await.is(303);
        assert_eq!(portal.count("safe_document").await, 1);
        open(&mut person, PASSWORD).await.is(303);
        let page = person.get("/mes-documents").await.is(200).shows("Document de la mairie").shows(&format!("accuse-enregistrement-{}.pdf", filed.reference)).shows("rangé par la mairie à votre demande");
        let document = documents(&page).remove(0);
        let kept = person.get(&format!("{document}/fichier")).await.is(200).bytes;
        assert!(kept.starts_with(b"%PDF-") && kept.len().abs_diff(receipt.len()) < 200);
        // Somebody else's request is not there to be kept.
        portal.usager(OTHER_USAGER).await.post(&keep, &[]).await.is(404);
    }
}
