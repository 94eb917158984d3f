//! Answers that cannot be: too long, not text, from elsewhere, hidden by a condition.

use db::{Json, args, sql};
use reqwest::Method;

use crate::harness::{
    Engine, HOST, Portal, USAGER, both,
    journey::{birth, filled, question, raw},
    urlencoded,
};

async fn drafts(portal: &Portal) -> String {
    let rows: Vec<Json<serde_json::Value>> =
        portal.db().all(sql!("select raw from draft where authority_id = $1"), args![portal.city]).await.unwrap();
    rows.into_iter().map(|row| row.0.to_string()).collect()
}

both! {
    async fn five_megabytes_of_text(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        let page = person.get(&path).await;
        let long = "Il était une fois. ".repeat(5 * 1024 * 1024 / 19);
        let fields = filled(&page.form("action"), &question(&long));
        let page = person.post_form(&path, &fields).await.is(422);
        assert_eq!(page.form("message").value("message").len(), long.trim().len(), "what was typed stays on the page");
        assert!(page.words().contains("caractères"), "how much is too much: {}", &page.words()[..300]);
        assert!(!drafts(&portal).await.contains("Il était une fois"), "nothing of it is kept");
        // The same without the excess goes through.
        person.answer(&path, &question("Il était une fois.")).await;
    }

    async fn bodies_beyond_any_form(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        let body = format!("message={}", "x".repeat(17 * 1024 * 1024)).into_bytes();
        person.post_bytes(&path, "application/x-www-form-urlencoded", body).await.is(413).shows("C'est trop volumineux").shows("Revenez à la page précédente");
        let body = format!("email={}", "x".repeat(3 * 1024 * 1024)).into_bytes();
        person.post_bytes("/connexion", "application/x-www-form-urlencoded", body).await.is(413).shows("C'est trop volumineux");
        assert_eq!(portal.count("draft").await, 0);
    }

    async fn bytes_that_are_not_text(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        let body = b"_vus=sujet,nature,message&sujet=rue&nature=question&message=mal%FF%FE%00form%C3&action=continuer".to_vec();
        let page = person.post_bytes(&path, "application/x-www-form-urlencoded", body).await;
        assert!([303, 422].contains(&page.status), "{}", page.words());
        let kept = drafts(&portal).await;
        assert!(!kept.contains("\\u0000"), "{kept}");
        for path in ["/%FF%FE", "/demarches/%00", "/demarches?q=%FF%00", "/brouillons/%FF/verifier", "/demarches/acte%ED%A0%80naissance", "/suivre?reference=%00%FF"] {
            let page = person.get(path).await;
            assert!([200, 400, 404].contains(&page.status), "{path}: {}", page.status);
            assert!(!page.html().contains('\0'));
        }
    }

    async fn a_form_that_does_not_tell_what_it_showed(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        // As a script would, without the hidden field of the page.
        let page = person.post(&path, &[("sujet", "rue"), ("action", "continuer")]).await.is(422);
        page.hides("Une question de plus apparaît").shows("Il y a des problèmes à corriger");
        // Told that only the first question was shown, the others appear without a reproach.
        let page = person.post(&path, &[("sujet", "rue"), ("_vus", "sujet"), ("action", "continuer")]).await.is(200);
        page.shows("Une question de plus apparaît").hides("Il y a des problèmes à corriger");
        let page = person.post(&path, &[("sujet", "rue"), ("_vus", "sujet,nature,message"), ("action", "continuer")]).await.is(422);
        page.shows("Il y a des problèmes à corriger");
    }

    async fn too_many_forms_from_one_address(plain: Portal) {
        let portal = Portal::start_with(plain.engine, |config| config.posts_per_minute = 3).await;
        let mut person = portal.client();
        for _ in 0..3 {
            person.post("/suivre", &[]).await.is(422);
        }
        person.post("/suivre", &[]).await.is(429).shows("Trop d'essais");
        person.get("/suivre").await.is(200);
    }

    async fn forms_from_elsewhere(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let path = person.get("/demarches/demande-information/remplir").await.location().to_owned();
        for origin in [None, Some("https://ailleurs.test"), Some("null"), Some("http://autre.ville.test")] {
            person.origin = origin.map(str::to_owned);
            person.post(&path, &[("message", "forgé")]).await.is(403).shows("ne vient pas d'une page de ce site");
            person.post("/deconnexion", &[]).await.is(403);
        }
        assert_eq!(portal.count("draft").await, 0);
        person.origin = Some(format!("http://{HOST}"));
        person.get("/mes-demandes").await.is(200);
    }

    async fn a_host_that_nobody_knows(portal: Portal) {
        let page = portal.client_at("inconnu.test").get("/").await.is(421);
        assert!(page.html().contains("pas connu ici"), "{}", page.html());
        portal.client_at("inconnu.test").get("/sante").await.is(200);
        portal.client_at(&format!("{}:8080", HOST.to_uppercase())).get("/").await.is(200);
    }

    async fn unknown_references_and_dead_links(portal: Portal) {
        let mut person = portal.client();
        for (reference, code) in [("VAL-0000-00", "AAAA-BBBB"), ("n'importe quoi", "x"), ("' or 1=1 --", "'"), (&"9".repeat(100_000), "1")] {
            person.post("/suivre", &[("reference", reference), ("code", code)]).await.is(422).shows("Aucune demande n'a cette référence");
        }
        person.get("/mot-de-passe/jeton-inconnu").await.is(410).shows("plus valable");
        person.get("/confirmer/jeton-inconnu").await.is(410).shows("plus valable");
        person.get("/demandes/00000000-0000-0000-0000-000000000000").await.is(303);
        let mut signed_in = portal.usager(USAGER).await;
        signed_in.get("/demandes/00000000-0000-0000-0000-000000000000").await.is(404).shows("Cette page n'existe pas");
        signed_in.get("/n-existe-pas").await.is(404).shows("Cette page n'existe pas");
        // Guessing is slowed down.
        let filed = portal.client().file("demande-information", &question("Essais")).await;
        let mut guesser = portal.client();
        for _ in 0..5 {
            guesser.post("/suivre", &[("reference", &filed.reference), ("code", "FAUX")]).await.is(422);
        }
        guesser.post("/suivre", &[("reference", &filed.reference), ("code", &filed.code)]).await.is(422).shows("Trop d'essais");
        portal.later(jiff::SignedDuration::from_secs(31));
        guesser.post("/suivre", &[("reference", &filed.reference), ("code", &filed.code)]).await.is(303);
    }

    async fn what_a_condition_hides_is_not_kept(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("acte-naissance", &birth()).await;
        let draft = check.trim_end_matches("/verifier").to_owned();
        // Back to the first page: no parents are asked for this document.
        let mut changed = birth();
        changed.set("document", "simple");
        person.answer(&format!("{draft}/l-acte-demande"), &changed).await;
        person.get(&check).await.is(200).hides("Zéphyrine");
        person.get(&format!("{draft}/ses-parents")).await.is(303);
        assert!(drafts(&portal).await.contains("Zéphyrine"), "what was typed waits in the draft");
        // Even typed in anew through the hidden page.
        person.post(&format!("{draft}/ses-parents"), &[("parents_inscrits", "un"), ("parent1.nom_naissance", "Fantôme"), ("parent1.prenoms", "X"), ("inconnu", "y")]).await;
        let filed = person.send_checked(&check).await;
        let (answers, found_by): (Json<serde_json::Value>, String) =
            portal.db().one(sql!("select r.answers, s.answers as found_by from request r join request_search s on s.authority_id = r.authority_id and s.request_id = r.id where r.authority_id = $1 and r.id = $2"), args![portal.city, filed.id]).await.unwrap();
        assert!(["simpl", "martin"].iter().any(|word| found_by.contains(word)) && !found_by.contains("zephyrin") && !found_by.contains("fantom"), "{found_by}");
        let stored = answers.0.to_string();
        assert!(stored.contains("simple") && !stored.contains("Zéphyrine") && !stored.contains("Fantôme") && !stored.contains("inconnu"), "{stored}");
        person.get(&format!("/demandes/{}", filed.id)).await.hides("Fantôme");
        assert_eq!(portal.count("draft").await, 0);
    }

    /// Values that no option offers, numbers out of bounds, dates that do not exist.
    async fn answers_that_no_form_offers(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/acte-naissance/remplir").await.location().to_owned();
        let page = person.get(&path).await;
        let form = page.form("action");
        for (name, value) in [("lieu", "mars"), ("document", "<script>"), ("exemplaires", "1e9"), ("exemplaires", "-3"), ("exemplaires", "6"), ("exemplaires", "deux")] {
            let mut answers = birth();
            answers.set(name, value);
            let page = person.post_form(&path, &filled(&form, &answers)).await.is(422);
            assert!(!page.html().contains("<script>\""), "{value}");
        }
        let draft = person.answer(&path, &birth()).await;
        let form = person.get(&draft).await.form("action");
        for (day, month, year) in [("31", "2", "1989"), ("0", "1", "1989"), ("1", "13", "1989"), ("1", "1", "3000"), ("x", "y", "z"), ("99999999999999999999", "1", "1")] {
            let mut answers = birth();
            answers.0.extend(raw(&[("titulaire.jour", day), ("titulaire.mois", month), ("titulaire.annee", year)]).0);
            let page = person.post_form(&draft, &filled(&form, &answers)).await.is(422);
            assert_eq!(page.form("action").value("titulaire.jour"), day, "what was typed stays");
        }
    }

    async fn methods_and_types_that_make_no_sense(portal: Portal) {
        let mut person = portal.client();
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::from_bytes(b"BREW").unwrap()] {
            let page = person.try_send(method.clone(), "/suivre", |request| request).await.unwrap().is(405);
            page.shows("Cette page n'existe pas");
        }
        person.post_bytes("/suivre", "application/json", br#"{"reference": 1}"#.to_vec()).await.is(422);
        let head = person.try_send(Method::HEAD, "/demarches", |request| request).await.unwrap();
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        let many: Vec<(String, String)> = (0..20_000).map(|number| (format!("champ{number}"), "x".to_owned())).collect();
        person.post_bytes("/suivre", "application/x-www-form-urlencoded", urlencoded(&many).into_bytes()).await.is(422);
    }
}
