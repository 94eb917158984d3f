//! A safe from its making to its end.

use guichet::requests::sweep;
use jiff::SignedDuration;

use super::*;
use crate::harness::{OTHER_USAGER, journey::JPEG};

both! {
    async fn documents_are_kept_found_changed_and_deleted(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/mes-documents").await.is(200).shows("Deux clés seulement").shows("vos documents sont perdus");
        person.post("/mes-documents/creer", &[("mot-de-passe", OTHER_PASSWORD)]).await.is(422).shows("pas votre mot de passe actuel");
        person.post("/mes-documents/creer", &[]).await.is(422).shows("Saisissez votre mot de passe");
        person.get("/mes-documents/ajouter").await.leads_to("/mes-documents");
        create(&mut person).await;
        // A second time, or sent twice: the one that exists.
        person.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.leads_to("/mes-documents");
        person.get("/mes-documents").await.is(200).shows("Aucun document");
        person.get("/mes-documents/ajouter").await.is(200).shows("Aucun antivirus n’est installé");

        let bytes = secret_pdf();
        let bill = add(&mut person, "../quittance d'août.pdf", "domicile", &bytes).await;
        let photo = add(&mut person, "moi.jpeg", "inventé", JPEG).await;
        let page = person.get("/mes-documents").await.is(200).shows("Justificatif de domicile").shows("quittance d'août.pdf").shows("Autre document").shows("moi.jpeg");
        assert_eq!(documents(&page), [bill.clone(), photo.clone()]);
        page.shows("Valable jusqu’au 17 février 2027").shows("Sans date de fin de validité");

        let file = person.get(&format!("{bill}/fichier")).await.is(200);
        assert_eq!(file.bytes, bytes);
        assert_eq!(file.header("content-type"), "application/pdf");
        assert_eq!(file.header("content-length"), bytes.len().to_string());
        assert_eq!(file.header("content-disposition"), "attachment; filename*=UTF-8''quittance%20d%27ao%C3%BBt.pdf");
        assert!(file.header("content-security-policy").contains("sandbox") && file.header("cache-control") == "no-store");
        assert_eq!(person.get(&format!("{photo}/fichier")).await.is(200).bytes, JPEG);

        let day = |name: &str, (day, month, year): (&str, &str, &str)| [("jour", day), ("mois", month), ("annee", year)].map(|(part, value)| (format!("{name}-{part}"), value.to_owned()));
        let form = |name: &str, kind: &str, issued, until| {
            let mut form = vec![("nom".to_owned(), name.to_owned()), ("type".to_owned(), kind.to_owned())];
            form.extend(day("date", issued));
            form.extend(day("fin", until));
            form
        };
        person.post_form(&bill, &form("", "domicile", ("31", "2", "2026"), ("", "", ""))).await.is(422).shows("Donnez un nom").shows("Saisissez une date comme");
        person.post_form(&bill, &form("a", "domicile", ("18", "11", "2026"), ("", "", ""))).await.is(422).shows("dans l’avenir");
        person.post_form(&bill, &form("a", "domicile", ("1", "11", "2026"), ("31", "10", "2026"))).await.is(422).shows("avant la date du document");
        person.post_form(&bill, &form("Loyer", "domicile", ("16", "8", "2026"), ("", "", ""))).await.leads_to(&format!("{bill}?fait=change"));
        person.get(&bill).await.is(200).shows("Loyer.pdf").shows("Dépassé depuis le 16 novembre 2026");
        person.post_form(&bill, &form("Loyer.pdf", "scolarite", ("2", "9", "2026"), ("", "", ""))).await.is(303);
        person.get("/mes-documents").await.shows("Certificat de scolarité").shows("Valable jusqu’au 31 août 2027");
        person.post_form(&bill, &form("Loyer.pdf", "scolarite", ("2", "9", "2026"), ("1", "10", "2026"))).await.is(303);
        person.get("/mes-documents").await.shows("Dépassé depuis le 1er octobre 2026");

        person.get(&format!("{bill}/supprimer")).await.is(200).shows("sans retour possible");
        assert_eq!(objects(&portal), 2);
        person.post(&format!("{bill}/supprimer"), &[]).await.leads_to("/mes-documents?fait=supprime");
        assert_eq!(objects(&portal), 1);
        for path in [bill.clone(), format!("{bill}/fichier"), format!("{bill}/supprimer")] {
            person.get(&path).await.is(404);
        }
        assert_eq!(documents(&person.get("/mes-documents?fait=supprime").await.shows("Le document est supprimé")), [photo]);
    }

    async fn what_is_refused_leaves_nothing(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        create(&mut person).await;
        send(&mut person, "virus.pdf", "autre", b"MZ\x90\x00").await.is(422).shows("pas d’un type accepté");
        send(&mut person, "vide.pdf", "autre", b"").await.is(422).shows("vide");
        person.upload("/mes-documents/ajouter", &[("type".into(), "impots".into())], &[]).await.is(422).shows("Choisissez d’abord un fichier");
        person.post("/mes-documents/ajouter", &[("type", "impots")]).await.is(422).shows("Choisissez d’abord un fichier");
        let large = [PDF, &vec![b'x'; 10_000_000][..]].concat();
        send(&mut person, "grand.pdf", "autre", &large).await.is(422).shows("dépasse 10 Mo");
        assert_eq!((objects(&portal), portal.count("safe_document").await), (0, 0));
        person.get("/mes-documents/1").await.is(400);
    }

    async fn another_person_sees_nothing(portal: Portal) {
        let (_, _, document) = owner(&portal).await;
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get(&document).await.leads_to("/mes-documents");
        create(&mut other).await;
        other.get("/mes-documents").await.is(200).hides("Bougainvillée");
        for path in [document.clone(), format!("{document}/fichier"), format!("{document}/supprimer")] {
            other.get(&path).await.is(404);
        }
        other.post(&format!("{document}/supprimer"), &[]).await.is(404);
        other.post(&document, &[("nom", "à moi")]).await.is(404);
        let mut agent = portal.agent("herve.le-goff").await;
        agent.get(&format!("{document}/fichier")).await.is(303);
        assert_eq!(portal.count("safe_document").await, 1);
    }

    async fn everything_leaves_in_one_file(portal: Portal) {
        let (mut person, _, _) = owner(&portal).await;
        add(&mut person, &format!("{SECRET}.pdf"), "domicile", PDF).await;
        add(&mut person, "moi.jpg", "identite", JPEG).await;
        let zip = person.get("/mes-documents/tout.zip").await.is(200);
        assert_eq!(zip.header("content-type"), "application/zip");
        let folder = crate::harness::Folder::new();
        let path = folder.0.join("tout.zip");
        std::fs::write(&path, &zip.bytes).unwrap();
        // Read by another program than ours.
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor i in z.infolist(): print(i.filename, i.file_size, i.date_time[0])";
        let read = std::process::Command::new(crate::harness::peers::program("python")).env("PYTHONIOENCODING", "utf-8").args(["-c", script]).arg(&path).output().unwrap();
        let told = String::from_utf8_lossy(&read.stdout).into_owned();
        let mut lines: Vec<&str> = told.lines().collect();
        lines.sort_unstable();
        let expected = [
            format!("Justificatif de domicile/{SECRET} (2).pdf {} 2026", secret_pdf().len()),
            format!("Justificatif de domicile/{SECRET}.pdf {} 2026", PDF.len()),
            format!("Pièce d’identité/moi.jpg {} 2026", JPEG.len()),
        ];
        assert_eq!(lines, expected, "{}", String::from_utf8_lossy(&read.stderr));
    }

    async fn a_deleted_account_takes_its_documents_along(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        // What a row names stays, however old.
        age(&portal);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(objects(&portal), 1);
        assert_eq!(person.get(&format!("{document}/fichier")).await.is(200).bytes, secret_pdf());
        let data = person.data().await.to_string();
        assert!(data.contains("Justificatif de domicile") && !data.contains("Bougainvillée"), "{data}");
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        for table in ["safe", "safe_wrap", "safe_opening", "safe_document", "safe_use"] {
            assert_eq!(portal.count(table).await, 0, "{table}");
        }
        age(&portal);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(objects(&portal), 0);
    }

    async fn a_forgotten_opening_is_swept(portal: Portal) {
        owner(&portal).await;
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("safe_opening").await, 1);
        portal.later(SignedDuration::from_mins(31));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("safe_opening").await, 0);
    }
}

fn objects(portal: &Portal) -> usize {
    std::fs::read_dir(portal.files().join(portal.city.to_string())).map_or(0, |folder| folder.count())
}

/// Objects younger than a day may still be waiting for their row: these become old.
fn age(portal: &Portal) {
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for entry in std::fs::read_dir(portal.files().join(portal.city.to_string())).into_iter().flatten() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(long_ago).unwrap();
    }
}

async fn with_quota(engine: Engine) {
    let portal = Portal::start_with(engine, |config| config.safe_quota = 300_000).await;
    let (mut person, _, document) = owner(&portal).await;
    person.get("/mes-documents").await.shows("utilisés sur 300 Ko");
    send(&mut person, "encore.pdf", "autre", &secret_pdf()).await.is(422).shows("plus assez de place");
    assert_eq!((objects(&portal), portal.count("safe_document").await), (1, 1));
    person.post(&format!("{document}/supprimer"), &[]).await.is(303);
    add(&mut person, "encore.pdf", "autre", &secret_pdf()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_is_counted_sqlite() {
    with_quota(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_is_counted_postgres() {
    with_quota(Engine::Postgres).await;
}
