//! « Mes services »: references printed on bills, linked once, seen by their owner only.

use db::{args, sql};
use guichet::{links::Report, requests::sweep};
use jiff::SignedDuration;

use crate::harness::{
    Engine, OTHER_USAGER, PASSWORD, Portal, USAGER, both,
    links::{BORN, HEADER, REFERENCE, attempt, declare, link, load},
};

const WRONG: &str = "ne vont pas ensemble";

/// Forgets every failure, as hours would.
async fn calm(portal: &Portal) {
    portal.later(SignedDuration::from_hours(12));
}

both! {
    async fn a_reference_is_linked_seen_renamed_and_unlinked(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let page = person.get("/mes-services").await.is(200).shows("Ma facture de déchets").hides("Détacher");
        assert!(page.links_to("/mes-services/rattacher/dechets"));
        let page = person.get("/mes-services/rattacher/dechets").await.is(200).shows("Référence web").shows("Date de naissance");
        assert!(page.form("reference").holds("preuve-naissance"));
        person.get("/mes-services/rattacher/inconnu").await.is(404);
        // Mistakes are told at their field, and nothing typed is lost.
        let page = attempt(&mut person, "dechets", "DEC-12", "31/02/1985").await.is(422).shows("par exemple DEC-000000").shows("Écrivez une date");
        let form = page.form("reference");
        assert_eq!((form.value("reference"), form.value("preuve-naissance")), ("DEC-12", "31/02/1985"));

        let address = link(&mut person, "dechets", "dec 100001", "27.3.1985").await;
        let page = person.get("/mes-services").await.is(200);
        let page = page.shows("DEC-100001").shows("Camille Martin").shows("84,50 €").shows("15 janvier 2027");
        assert!(page.links_to("https://dechets.exemple.fr/collecte"));
        // Twice is once.
        attempt(&mut person, "dechets", REFERENCE, BORN).await.leads_to("/mes-services?fait=rattache");
        assert_eq!(portal.count("linked_account").await, 1);

        person.post(&address, &[("nom", " ")]).await.is(422).shows("Écrivez un nom");
        person.post(&address, &[("nom", &"é".repeat(61))]).await.is(422).shows("Raccourcissez");
        person.post(&address, &[("nom", "Poubelles du quai")]).await.leads_to("/mes-services?fait=renomme");
        person.get("/mes-services").await.shows("Poubelles du quai");
        person.get("/compte/donnees").await.shows("Poubelles du quai");
        let data = person.data().await;
        let linked = &data["services_rattaches"][0];
        assert_eq!((&linked["reference"], &linked["donnees"]["titulaire"]), (&"DEC-100001".into(), &"Camille Martin".into()));

        // Nobody else reaches it.
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get("/mes-services").await.hides("Poubelles").hides("DEC-100001");
        for rest in ["", "/detacher"] {
            other.get(&format!("{address}{rest}")).await.is(404);
            other.post(&format!("{address}{rest}"), &[("nom", "volé")]).await.is(404);
        }
        person.get(&format!("{address}/detacher")).await.is(200).shows("Poubelles du quai");
        person.post(&format!("{address}/detacher"), &[]).await.leads_to("/mes-services?fait=detache");
        person.get("/mes-services").await.hides("DEC-100001");
        person.get("/compte/securite").await.shows("Service rattaché").shows("Service détaché");
        assert_eq!(portal.count("linked_account").await, 0);
    }

    async fn both_of_a_couple_may_link_one_reference(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let mut other = portal.usager(OTHER_USAGER).await;
        link(&mut person, "dechets", REFERENCE, BORN).await;
        link(&mut other, "dechets", REFERENCE, BORN).await;
        // The same person has one key with a service, another with the next: nothing joins them.
        declare(&portal, "cantine", "education").await;
        let born = format!("{HEADER}DEC-100001;27/03/1985;A;B;1;\n");
        assert_eq!(load(&portal, "cantine", &born, false).await, Report::Loaded(1));
        link(&mut person, "cantine", REFERENCE, BORN).await;
        link(&mut person, "dechets", "DEC-100002", "2/11/1990").await;
        let keys: Vec<(String, String)> = portal.db().all(
            sql!("select distinct service_id, person_key from linked_account where authority_id = $1 order by service_id, person_key"),
            args![portal.city],
        ).await.unwrap();
        assert_eq!(keys.iter().map(|(service, _)| service.as_str()).collect::<Vec<_>>(), ["cantine", "dechets", "dechets"]);
        assert!(keys[0].1 != keys[1].1 && keys[0].1 != keys[2].1);
        // Nor do the references themselves, equal as they are.
        let prints: Vec<Vec<u8>> = portal.db().all(sql!("select distinct ref_key from linked_account where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(prints.len(), 3);
        other.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        assert_eq!(portal.count("linked_account").await, 3);
        person.get("/mes-services").await.shows("DEC-100002");
    }

    async fn nobody_guesses_a_reference(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        // Unknown, or known with another proof: one answer, but for what was typed.
        let unknown = attempt(&mut person, "dechets", "DEC-999999", BORN).await.is(422).shows(WRONG);
        let wrong = attempt(&mut person, "dechets", "DEC-100001", "28/03/1985").await.is(422).shows(WRONG);
        assert_eq!(unknown.words(), wrong.words());
        person.get("/compte/securite").await.shows("Référence de service refusée");

        // By account: after five failures, even what is right waits.
        for number in 0..3 {
            attempt(&mut person, "dechets", &format!("DEC-90000{number}"), BORN).await.is(422).shows(WRONG);
        }
        attempt(&mut person, "dechets", REFERENCE, BORN).await.is(422).shows("Trop d’essais");
        assert_eq!(portal.count("linked_account").await, 0);
        // Having something right does not forgive.
        calm(&portal).await;
        for _ in 0..4 {
            attempt(&mut person, "dechets", "DEC-100003", BORN).await.is(422).shows(WRONG);
        }
        let address = link(&mut person, "dechets", REFERENCE, BORN).await;
        person.post(&format!("{address}/detacher"), &[]).await.is(303);
        attempt(&mut person, "dechets", "DEC-900001", BORN).await.is(422).shows(WRONG);
        attempt(&mut person, "dechets", "DEC-900002", BORN).await.is(422).shows("Trop d’essais");

        // By reference: another account waits for it too.
        calm(&portal).await;
        for day in 1..=5 {
            attempt(&mut person, "dechets", "DEC-100002", &format!("{day}/01/1990")).await.is(422).shows(WRONG);
        }
        let mut other = portal.usager(OTHER_USAGER).await;
        attempt(&mut other, "dechets", "DEC-100002", "2/11/1990").await.is(422).shows("Trop d’essais");
        calm(&portal).await;
        attempt(&mut other, "dechets", "DEC-100002", "2/11/1990").await.leads_to("/mes-services?fait=rattache");

        // The manager reads how many, never who nor what.
        let mut manager = portal.agent("aicha.traore").await;
        let failures: Vec<i64> = portal.db().all(sql!("select failures from linked_failure where authority_id = $1 order by day"), args![portal.city]).await.unwrap();
        assert_eq!(failures.iter().sum::<i64>(), 15);
        manager.get("/agent/references/dechets").await.is(200).shows("Essais refusés").shows("17 novembre 2026").hides("DEC-9").hides(USAGER);
        portal.later(SignedDuration::from_hours(24 * 400));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("linked_failure").await, 0);
    }

    async fn a_network_that_guesses_waits(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        for number in 0..50 {
            if number % 4 == 0 {
                // By account and by reference there is nothing to wait for; the network remembers.
                portal.db().write(async |tx: &mut db::Tx| {
                    tx.run(sql!("delete from attempt where authority_id = $1 and subject like 'reference:compte:%'"), args![tx.authority()]).await
                }).await.unwrap();
            }
            attempt(&mut person, "dechets", &format!("DEC-9000{number:02}"), BORN).await.is(422).shows(WRONG);
        }
        let mut other = portal.usager(OTHER_USAGER).await;
        attempt(&mut other, "dechets", REFERENCE, BORN).await.is(422).shows("Trop d’essais");
    }

    async fn loads_are_whole_or_nothing(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let address = link(&mut person, "dechets", REFERENCE, BORN).await;
        let mut manager = portal.agent("aicha.traore").await;
        let path = "/agent/references/dechets";
        manager.get("/agent/references").await.is(200).shows("Ma facture de déchets");
        manager.get(path).await.is(200).shows("chargées le");
        manager.upload(path, &[], &[("fichier", "", b"")]).await.is(422).shows("Choisissez d’abord un fichier");
        let send = async |manager: &mut crate::harness::Client, csv: &str| manager.upload(path, &[], &[("fichier", "a.csv", csv.as_bytes())]).await;

        // Every line is judged; nothing changes.
        let bad = format!("{HEADER}DEC-100001;27/03/1985;A;B;1;\nDEC-1;27/03/1985;A;B;1;\nDEC-100002;hier;A;B;douze;\nDEC-100001;27/03/1985;A;B;1;\n");
        let page = send(&mut manager, &bad).await.is(422).shows("4 erreurs dans le fichier");
        page.shows("Ligne 3 « DEC-1 » n’est pas une référence").shows("Ligne 4 naissance : il faut une date").shows("solde : il faut un montant").shows("Ligne 5 Cette référence est déjà");
        send(&mut manager, "ref;naissance\nDEC-100001;27/03/1985\n").await.is(422).shows("il manque : reference, titulaire");
        send(&mut manager, HEADER).await.is(422).shows("aucune référence");
        let latin = [HEADER.as_bytes(), b"DEC-100001;27/03/1985;C\xe9line;B;1;\n"].concat();
        manager.upload(path, &[], &[("fichier", "a.csv", &latin)]).await.is(422).shows("CSV UTF-8");
        manager.upload(path, &[], &[("fichier", "a.csv", &[0; 300_000])]).await.is(422).shows("trop longue");
        assert_eq!((portal.count("linked_reference").await, portal.count("linked_load").await), (3, 1));
        person.get("/mes-services").await.shows("84,50 €");

        // What is new is seen at once.
        let row = |number: usize, balance: &str| format!("DEC-10000{number};27/03/1985;Camille Martin;3 quai du Lys;{balance};\n");
        let csv = format!("{HEADER}{}{}{}", row(1, "102,30"), row(4, "0"), row(5, "0"));
        send(&mut manager, &csv).await.leads_to("/agent/references/dechets?charge=3");
        person.get("/mes-services").await.shows("102,30 €").hides("84,50").hides("Prochaine facture");
        assert_eq!((portal.count("linked_reference").await, portal.count("linked_load").await), (3, 1));

        // Much less than before: asked again.
        let fewer = format!("{HEADER}{}", row(4, "0"));
        let page = send(&mut manager, &fewer).await.is(422).shows("1 références au lieu de 3");
        assert!(page.form("moins").multipart);
        person.get("/mes-services").await.shows("102,30 €");
        let confirmed = [("moins".to_owned(), "oui".to_owned())];
        manager.upload(path, &confirmed, &[("fichier", "a.csv", fewer.as_bytes())]).await.is(303);
        // Its owner is told, once, without a word of which.
        person.get("/mes-services").await.shows("ne connaît plus cette référence").hides("102,30").hides("Camille Martin");
        let mails: Vec<_> = portal.outbox().await.into_iter().filter(|(_, subject, _)| subject.contains("référence")).collect();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].0 == USAGER && mails[0].2.contains("/mes-services") && !mails[0].2.contains("DEC-") && !mails[0].2.contains("déchets"), "{mails:?}");
        manager.upload(path, &[], &[("fichier", "a.csv", fewer.as_bytes())]).await.is(303);
        assert_eq!(portal.outbox().await.iter().filter(|(_, subject, _)| subject.contains("référence")).count(), 1);
        // It comes back with the next file.
        assert_eq!(load(&portal, "dechets", &csv, false).await, Report::Loaded(3));
        person.get("/mes-services").await.shows("102,30 €").hides("ne connaît plus");
        person.get(&address).await.is(200);
    }

    async fn a_department_reads_only_its_own(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        link(&mut person, "dechets", REFERENCE, BORN).await;
        let mut manager = portal.agent("aicha.traore").await;
        let path = "/agent/references/dechets";
        let look = format!("{path}/chercher");
        manager.post(&look, &[("reference", "DEC-1")]).await.is(422).shows("référence entière");
        let page = manager.post(&look, &[("reference", "dec100001")]).await.is(200).shows("Rattachée.").shows("Clé pour votre logiciel");
        assert!(!page.html().contains(USAGER) && !page.html().contains("Camille"), "{}", page.words());
        manager.post(&look, &[("reference", "DEC-100002")]).await.is(200).shows("Connue, pas rattachée.").hides("Clé");
        manager.post(&look, &[("reference", "DEC-900000")]).await.is(200).shows("Inconnue.");
        // A manager elsewhere, and who does not manage.
        let mut elsewhere = portal.agent("claire.daubigny").await;
        elsewhere.get("/agent/references").await.is(200).hides("déchets");
        elsewhere.get(path).await.is(404);
        elsewhere.post(&look, &[("reference", REFERENCE)]).await.is(404);
        let csv = format!("{HEADER}DEC-100001;1/1/2000;A;B;1;\n");
        elsewhere.upload(path, &[], &[("fichier", "a.csv", csv.as_bytes())]).await.is(404);
        portal.agent("nadia.benali").await.get("/agent/references").await.is(403);
        // What the database holds tells neither reference nor proof nor data.
        let kept: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = portal.db().all(sql!("select ref_key, proof, sealed from linked_reference where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(kept.len(), 3);
        for (key, proof, sealed) in kept {
            let bytes = [key, proof, sealed].concat();
            for clear in ["100001", "1985", "Martin", "DEC"] {
                assert!(!bytes.windows(clear.len()).any(|part| part == clear.as_bytes()), "{clear}");
            }
        }
    }

    async fn a_load_that_never_ended_is_swept(portal: Portal) {
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        let service = guichet::links::find(&visit.db, "dechets").await.unwrap().unwrap();
        let mut import = guichet::links::Import::begin(&visit, &service).await.unwrap();
        let rows: String = (0..600).map(|number| format!("DEC-2{number:05};27/03/1985;A;B;1;\n")).collect();
        import.push(format!("{HEADER}{rows}").as_bytes()).await.unwrap();
        drop(import);
        // Half of it is there, and counts for nobody.
        assert_eq!(portal.count("linked_reference").await, 503);
        let mut person = portal.usager(USAGER).await;
        attempt(&mut person, "dechets", "DEC-200001", BORN).await.is(422).shows(WRONG);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("linked_reference").await, 503);
        portal.later(SignedDuration::from_hours(25));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!((portal.count("linked_reference").await, portal.count("linked_load").await), (3, 1));
    }

    async fn a_service_taken_out_tells_who_had_linked_it(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        link(&mut person, "dechets", REFERENCE, BORN).await;
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        assert!(guichet::links::remove(&visit, "dechets").await.unwrap());
        assert!(!guichet::links::remove(&visit, "dechets").await.unwrap());
        person.get("/mes-services").await.is(200).hides("déchets");
        assert_eq!(portal.outbox().await.iter().filter(|(to, subject, _)| to == USAGER && subject.contains("référence")).count(), 1);
        for table in ["linked_account", "linked_reference", "linked_load"] {
            assert_eq!(portal.count(table).await, 0, "{table}");
        }
    }
}
