//! « Mes données »: what is shown, what is taken away.

use std::process::Command;

use db::{Db, DbOptions, args, sql};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    Client, Engine, Folder, PASSWORD, Portal, USAGER, both, client,
    household::{declare, invite},
    journey::{PDF, birth, filled, question},
    peers, portal,
    process::Process,
};

/// Name, size and CRC of each file of a ZIP file, read by another program than ours.
fn listed(zip: &[u8]) -> Vec<String> {
    let folder = Folder::new();
    let path = folder.0.join("export.zip");
    std::fs::write(&path, zip).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor i in z.infolist(): print(i.filename, i.file_size)";
    let read = Command::new(peers::program("python"))
        .env("PYTHONIOENCODING", "utf-8")
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let mut lines: Vec<String> = String::from_utf8(read.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn inside(zip: &[u8], text: &str) -> bool {
    zip.windows(text.len()).any(|part| part == text.as_bytes())
}

/// A request with files of these names; gives its id.
async fn with_file(person: &mut Client, names: &[&str]) -> Uuid {
    let start = person.get("/demarches/demande-information/remplir").await.location().to_owned();
    let fields = filled(&person.get(&start).await.form("action"), &question("Une question"));
    let files: Vec<_> = names.iter().map(|name| ("document.fichier", *name, PDF)).collect();
    let next = person.upload(&start, &fields, &files).await.is(303);
    let mut path = next.location().to_owned();
    while !path.ends_with("/verifier") {
        path = person.answer(&path, &question("Une question")).await;
    }
    person.send_checked(&path).await.id
}

both! {
    async fn everything_leaves_in_one_file(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let id = with_file(&mut person, &["../facture.pdf"]).await;
        portal.work().await;
        let reference: String = portal.db().one(sql!("select reference from request where authority_id = $1 and id = $2"), args![portal.city, id]).await.unwrap();
        portal.db().write(async |tx: &mut db::Tx| {
            // The same name twice, and one that no disk takes.
            tx.run(
                sql!(
                    "insert into file (authority_id, id, owner_id, slot, name, media_type, size, sha256, at)
                     select authority_id, $3, owner_id, slot, 'FACTURE.pdf', media_type, size, sha256, at from file where authority_id = $1 and owner_id = $2 and name = 'facture.pdf'"
                ),
                args![portal.city, id, Uuid::nil()],
            ).await
        }).await.unwrap();

        person.post("/compte/donnees/export", &[]).await.is(422).shows("Saisissez votre mot de passe actuel");
        person.post("/compte/donnees/export", &[("mot-de-passe-export", "faux")]).await.is(422).shows("Ce n’est pas votre mot de passe actuel");
        let (zip, data) = person.export().await;
        let files = listed(&zip);
        let names: Vec<&str> = files.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
        let receipt = |reference: &str| format!("demandes/{reference}/accuse-enregistrement-{reference}.pdf");
        assert_eq!(files.len(), 5, "{files:?}");
        assert!(names.contains(&"donnees.json") && names.contains(&"LISEZ-MOI.txt"));
        assert!(names.contains(&receipt(&filed.reference).as_str()) && names.contains(&receipt(&reference).as_str()));
        assert!(files.contains(&format!("demandes/{reference}/facture.pdf {}", PDF.len())), "{files:?}");
        // The second has no object behind it: the rest leaves all the same, and the note tells.
        assert!(inside(&zip, "n’ont pas pu être lus") && inside(&zip, &format!("demandes/{reference}/FACTURE.pdf")));
        assert_eq!(data["compte"]["courriel"], USAGER);
        assert_eq!(data["demandes"].as_array().unwrap().len(), 2);
        assert_eq!(data["demandes"][0]["historique"].as_array().unwrap().len(), 1);
        person.get("/compte/securite").await.shows("Données téléchargées");
    }

    async fn two_files_of_one_name_both_leave(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let start = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
        let answers = portal.sample("recensement-citoyen").await;
        let mut path = start;
        while !path.contains("/pieces/") {
            path = person.answer(&path, &answers).await;
        }
        person.give(&path, &[("carte.pdf", PDF), ("Carte.pdf", PDF), ("con.pdf", PDF)]).await;
        let (zip, data) = person.export().await;
        let reference = data["brouillons"][0]["reference"].as_str().unwrap().to_owned();
        let files = listed(&zip);
        for name in ["carte.pdf", "Carte (2).pdf", "_con.pdf"] {
            assert!(files.contains(&format!("brouillons/{reference}/{name} {}", PDF.len())), "{name}: {files:?}");
        }
    }

    async fn documents_leave_only_when_open(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let fields = [("type".to_owned(), "domicile".to_owned())];
        person.upload("/mes-documents/ajouter", &fields, &[("fichier", "loyer.pdf", PDF)]).await.is(303);
        let (zip, _) = person.export().await;
        let document = format!("documents/Justificatif de domicile/loyer.pdf {}", PDF.len());
        assert!(listed(&zip).contains(&document), "{:?}", listed(&zip));
        person.post("/mes-documents/fermer", &[]).await.is(303);
        let (zip, _) = person.export().await;
        assert!(!listed(&zip).contains(&document) && inside(&zip, "ils étaient fermés"));
    }

    async fn one_unreadable_document_does_not_keep_the_others_back(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let fields = [("type".to_owned(), "domicile".to_owned())];
        let mut ids = Vec::new();
        for name in ["bon.pdf", "abime.pdf", "sans-nom.pdf", "disparu.pdf"] {
            let page = person.upload("/mes-documents/ajouter", &fields, &[("fichier", name, PDF)]).await.is(303);
            ids.push(page.location().split(['/', '?']).nth(2).unwrap().parse::<Uuid>().unwrap());
        }
        let folder = portal.files().join(portal.city.to_string());
        // One byte of the content, one label, one whole file.
        let damaged = folder.join(ids[1].to_string());
        let mut bytes = std::fs::read(&damaged).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&damaged, bytes).unwrap();
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                let label: &[u8] = b"x";
                tx.run(sql!("update safe_document set label = $1 where authority_id = $2 and id = $3"), args![label, portal.city, ids[2]]).await
            })
            .await
            .unwrap();
        std::fs::remove_file(folder.join(ids[3].to_string())).unwrap();

        let (zip, _) = person.export().await;
        let taken = person.get("/mes-documents/tout.zip").await.is(200).bytes;
        for (zip, folder, most) in [(zip, "documents/", 3), (taken, "", 2)] {
            let (files, kind) = (listed(&zip), format!("{folder}Justificatif de domicile"));
            assert_eq!(files.len(), most, "{files:?}");
            assert!(files.contains(&format!("{kind}/bon.pdf {}", PDF.len())), "{files:?}");
            for name in ["abime.pdf", "document du 2026-11-17", "disparu.pdf"] {
                assert!(inside(&zip, &format!("{kind}/{name}\r\n")), "{name} is not told");
            }
            assert!(inside(&zip, "n’ont pas pu être lus"));
        }
    }

    async fn what_is_under_way_leaves_too(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2019-05-03").await;
        invite(&mut person, "tante@exemple.fr", &[&lea]).await;
        person.post("/compte/adresse", &[("nouvelle-adresse", "nouvelle@exemple.fr"), ("mot-de-passe-adresse", PASSWORD)]).await.is(200);
        let form = person.get("/compte/coordonnees/changer").await.is(200).form("adresse.commune");
        let given = [("adresse.numero_voie", "8 rue du Départ"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont"), ("confidentielle", "non"), ("services", "dechets")];
        let form = given.iter().fold(form, |form, (name, value)| form.with(name, value));
        person.post_form("/compte/coordonnees/changer", &form.fields).await.is(303);
        let reference: String = portal.db().one(sql!("select r.reference from request r join coordinate_change_request c on c.authority_id = r.authority_id and c.request_id = r.id where r.authority_id = $1"), args![portal.city]).await.unwrap();
        let data = person.data().await;
        assert_eq!(data["changements_de_coordonnees"], json!([{"le": "2026-11-17T09:00:00Z", "demandes": [reference]}]));
        assert_eq!(data["changement_de_courriel"]["nouvelle"], "nouvelle@exemple.fr");
        assert_eq!((data["appareils"].as_array().unwrap().len(), &data["appareils"][0]["ouverte_le"]), (1, &"2026-11-17T09:00:00Z".into()));
        let share = &data["partages"][0];
        assert_eq!((&share["enfants"], &share["propose_le"], &share["accepte_le"]), (&json!(["Léa Martin"]), &"2026-11-17T09:00:00Z".into(), &json!(null)));
        assert_eq!(share["expire_le"], "2026-12-01T09:00:00Z");
        assert_eq!(data["demandes"][0]["adresse_confidentielle"], false);
    }

    async fn who_has_my_data_and_who_looked(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/compte/donnees").await.is(200).shows("Vous n’avez envoyé aucune demande").shows("Personne ne les a encore ouvertes").shows("aucun accord");
        let filed = person.file("acte-naissance", &birth()).await;
        person.get("/compte/donnees").await.is(200).shows(&filed.reference).shows("en cours").shows("Base légale").shows("Conservation").shows("Personne ne les a encore ouvertes");
        let mut agent = portal.agent("nadia.benali").await;
        let address = format!("/agent/demandes/{}", filed.id);
        agent.get(&address).await.is(200);
        agent.get(&format!("{address}?onglet=pieces")).await.is(200);
        // Who may not open it leaves no line, for there was nothing to see.
        portal.agent("fatoumata.diallo").await.get(&address).await.is(404);
        let page = person.get("/compte/donnees").await.is(200).shows("17 novembre 2026").hides("Nadia");
        assert_eq!(page.words().matches("17 novembre 2026").count(), 1 + person.get("/compte/donnees").await.words().matches("envoyée le 17 novembre 2026").count(), "one line for each day");
        assert!(page.words().matches("Service de l'état civil").count() >= 2, "{}", page.words());
        portal.later(SignedDuration::from_hours(24));
        let mut agent = portal.agent("nadia.benali").await;
        agent.get(&address).await.is(200);
        person.get("/compte/donnees").await.is(200).shows("18 novembre 2026");
        let data = person.data().await;
        assert_eq!((&data["consultations"][0]["jour"], &data["consultations"][1]["jour"]), (&"2026-11-18".into(), &"2026-11-17".into()));
        assert_eq!(data["destinataires"][0]["demandes"][0]["reference"], filed.reference);
        // Another usager sees none of it.
        portal.usager(crate::harness::OTHER_USAGER).await.get("/compte/donnees").await.is(200).hides(&filed.reference);
        // A year later the line is gone.
        portal.later(SignedDuration::from_hours(24 * 367));
        guichet::journal::seal(&portal.app).await.unwrap();
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("journal").await, 0);
    }

    async fn an_ended_request_says_until_when_it_is_kept(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        person.post(&format!("/demandes/{}/annuler", filed.id), &[]).await.is(303);
        person.get("/compte/donnees").await.is(200).shows("gardée jusqu’au");
    }
}

/// A large file goes through piece by piece: the program does not grow with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_export_does_not_fill_the_memory() {
    const LARGE: u64 = 600 << 20;
    portal::ready_tls();
    let (made, folder, http) = (portal::city(Engine::Sqlite).await, Folder::new(), client::http());
    let process = Process::serve(&folder.0, &made.url, &[("GUICHET_WORK_IN_SERVE", "false")]);
    let mut person = process.client(&http);
    person.sign_in("/connexion", USAGER).await;
    let id = with_file(&mut person, &["grand.pdf"]).await;
    let db = Db::open(&made.url, &DbOptions::default()).unwrap();
    let (city, file): (Uuid, Uuid) =
        db.one(sql!("select authority_id, id from file where owner_id = $1"), args![id]).await.unwrap();
    let object = folder.0.join("files").join(city.to_string()).join(file.to_string());
    std::fs::File::options().write(true).open(object).unwrap().set_len(LARGE).unwrap();
    let size = i64::try_from(LARGE).unwrap();
    db.for_authority(city)
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("update file set size = $1 where authority_id = $2 and id = $3"), args![size, city, file]).await
        })
        .await
        .unwrap();
    let before = process.most_memory();
    let form = [("mot-de-passe-export", PASSWORD)];
    let mut response = person.stream("/compte/donnees/export", &form).await;
    let mut received = 0;
    while let Some(piece) = response.chunk().await.unwrap() {
        received += piece.len() as u64;
    }
    assert!(received > LARGE, "{received}");
    let grown = process.most_memory() - before;
    assert!(grown < 32 << 20, "{grown} more bytes for a file of {LARGE}");
    println!("{LARGE} bytes exported, {grown} more bytes of memory");
}
