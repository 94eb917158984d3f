//! « Dossier complet »: all of a request in one PDF.

use std::process::Command;

use db::{args, sql};
use guichet::agents::{self, Role};
use scans::testing::{locked, pdf, png};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::life::paper;
use crate::harness::{
    Client, Engine, Filed, Folder, Portal, USAGER, both,
    journey::{HEIC, birth},
    peers::program,
};

/// A request with four files of one piece, one of each kind, and others that cannot be read.
async fn with_pieces(portal: &Portal, person: &mut Client) -> Filed {
    let answers = portal.sample("recensement-citoyen").await;
    let (card, photo, secret) = (pdf(&["Premier feuillet", "Second feuillet"]), png(300, 200), locked(&["Chut"]));
    let files: [(&str, &[u8]); 4] =
        [("carte.pdf", &card), ("photo.png", &photo), ("secret.pdf", &secret), ("portrait.heic", HEIC)];
    let mut path = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
    while !path.ends_with("/verifier") {
        path = if path.contains("/pieces/identite") {
            person.give(&path, &files).await
        } else if path.contains("/pieces/") {
            // A PDF without a page.
            person.give(&path, &[("vide.pdf", crate::harness::journey::PDF)]).await
        } else {
            person.answer(&path, &answers).await
        };
    }
    let filed = person.send_checked(&path).await;
    portal.work().await;
    filed
}

fn sheets(paper: &str) -> Vec<&str> {
    paper.trim_end_matches('\u{c}').split('\u{c}').collect()
}

async fn contact(agent: &mut Client, page: &str, text: &str, shared: &str, files: &[(&str, &str, &[u8])]) {
    let form = agent.get(&format!("{page}/echanges")).await.is(200).form("texte");
    let form = form.with("canal", "call").with("sens", "recu").with("texte", text).with("partage", shared);
    agent.upload(&form.action, &form.fields, files).await.is(303);
}

/// What a checker of PDF/UA by other people finds in a PDF.
fn faults(pdf: &[u8]) -> Vec<serde_json::Value> {
    let folder = Folder::new();
    let file = folder.0.join("dossier.pdf");
    std::fs::write(&file, pdf).unwrap();
    let checked = Command::new(program("pdfua")).args(["check", "--format", "json"]).arg(&file).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    report["findings"].as_array().unwrap().clone()
}

both! {
    async fn a_whole_file_is_one_pdf(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = with_pieces(&portal, &mut person).await;
        let page = format!("/agent/demandes/{}", filed.id);
        let mut agent = portal.agent("jean-baptiste.nguyen").await;
        let once = Uuid::new_v4().to_string();
        agent.post(&format!("{page}/messages"), &[("message", "Votre groseille est prête."), ("once", &once)]).await.is(303);
        agent.post(&format!("{page}/notes"), &[("note", "Tamarin à surveiller."), ("once", &Uuid::new_v4().to_string())]).await.is(303);
        let scan = pdf(&["Feuillet du guichet"]);
        contact(&mut agent, &page, "Passera jeudi.", "oui", &[("document.fichier", "guichet.pdf", &scan)]).await;
        let inside = pdf(&["Feuillet interne"]);
        contact(&mut agent, &page, "Le pamplemousse ment.", "non", &[("document.fichier", "interne.pdf", &inside)]).await;

        let asked = agent.get(&page).await.is(200).shows("Dossier complet (PDF)");
        assert!(asked.html().contains(&format!("{page}/dossier\"").replace('/', "&#x2f;")), "no link");
        agent.get(&format!("{page}/dossier")).await.is(200).shows("portrait.heic").shows("Ce format ne s’imprime pas ici").shows("interne.pdf");

        let answer = agent.get(&format!("{page}/dossier.pdf")).await.is(200);
        assert_eq!(answer.header("content-type"), "application/pdf");
        assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
        assert!(answer.header("content-disposition").contains(&format!("dossier-{}.pdf", filed.reference)));
        let whole = paper(&answer.bytes);
        let all = sheets(&whole);
        for words in [&filed.reference, "Sommaire", "Imprimé par", "Jean-Baptiste Nguyen", "non comprises", "Historique", "Votre groseille est prête.", "Passera jeudi."] {
            assert!(whole.contains(words), "no {words} in {whole}");
        }
        for inside in ["Tamarin", "pamplemousse", "Feuillet interne", "interne.pdf", "Échange noté, interne"] {
            assert!(!whole.contains(inside), "{inside} in {whole}");
        }
        // Each file behind its own page, in order: pieces, what came otherwise, documents.
        let at = |words: &str| all.iter().position(|sheet| sheet.contains(words)).unwrap_or_else(|| panic!("no {words} in {whole}"));
        assert_eq!(at("Second feuillet"), at("Premier feuillet") + 1);
        assert!(all[at("Premier feuillet") - 1].contains("carte.pdf") && all[at("Premier feuillet") - 1].contains("Apporté par"), "{whole}");
        assert!(at("Second feuillet") < at("Feuillet du guichet") && at("Feuillet du guichet") < at("Accusé d’enregistrement\n"), "{whole}");
        // The image is a page of its own, without a word.
        let photo = all.iter().position(|sheet| sheet.contains("photo.png") && sheet.contains("Apporté par")).unwrap();
        assert_eq!(all[photo + 1].trim(), "");
        // What is not bound is named, with why and its fingerprint.
        // Its heading: the first is in the contents.
        let apart = whole.splitn(3, "À joindre à part").nth(2).unwrap_or_else(|| panic!("{whole}"));
        let plain = apart.replace(['\n', ' '], "");
        let hash: String = Sha256::digest(HEIC).iter().map(|byte| format!("{byte:02x}")).collect();
        for words in ["portrait.heic", "secret.pdf", "unmotdepasseprotègecefichier", "vide.pdf", "cefichierestabîmé", &hash] {
            assert!(plain.contains(words), "no {words} in {apart}");
        }
        assert!(!whole.contains("Chut"));

        // With what is internal, when the agent says so.
        let answer = agent.get(&format!("{page}/dossier.pdf?notes=oui")).await.is(200);
        let more = paper(&answer.bytes);
        for inside in ["Tamarin à surveiller.", "pamplemousse", "Feuillet interne", "Échange noté, interne"] {
            assert!(more.contains(inside), "no {inside} in {more}");
        }
        // Without the files: their list, and a PDF that conforms.
        let answer = agent.get(&format!("{page}/dossier.pdf?pieces=non")).await.is(200);
        let bare = paper(&answer.bytes);
        assert!(bare.contains("carte.pdf") && bare.contains("portrait.heic") && !bare.contains("Premier feuillet"), "{bare}");
        assert_eq!(faults(&answer.bytes), Vec::<serde_json::Value>::new());

        // One line of the journal each, which says what was read.
        let printed: Vec<String> = portal.db().all(sql!("select detail from journal where authority_id = $1 and action = 'request-printed' order by at"), args![portal.city]).await.unwrap();
        assert_eq!(printed, ["avec les pièces", "avec les pièces et les notes internes", "sans les pièces"]);
        // The usager sees that it was, and nothing of it is left behind.
        person.get(&format!("{page}/dossier.pdf")).await.is(303);
    }

    async fn it_is_for_those_who_treat_the_request(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let lea: Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'lea.fontaine@valmont.example'"), args![portal.city]).await.unwrap();
        agents::add_membership(&portal.db(), lea, "etat-civil", Role::Reader).await.unwrap();
        let (mut reader, mut elsewhere) = (portal.agent("lea.fontaine").await, portal.agent("fatoumata.diallo").await);
        for rest in ["/dossier", "/dossier.pdf", "/dossier.pdf?notes=oui", "/dossier.pdf?pieces=non"] {
            let page = format!("/agent/demandes/{}{rest}", filed.id);
            reader.get(&page).await.is(403).hides("Zéphyrine");
            elsewhere.get(&page).await.is(404);
        }
    }

    async fn what_is_too_heavy_for_one_pdf_is_listed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = with_pieces(&portal, &mut person).await;
        portal.direct(vec!["update file set size = 150000000 where name = 'carte.pdf'".to_owned()]).await;
        let page = format!("/agent/demandes/{}", filed.id);
        let mut agent = portal.agent("jean-baptiste.nguyen").await;
        let told = agent.get(&format!("{page}/dossier.pdf?notes=oui")).await.is(422).shows("un seul PDF en contient 100 Mo au plus").shows("carte.pdf");
        let form = told.form("pieces");
        assert_eq!((form.value("pieces"), form.value("notes")), ("non", "oui"), "what was ticked stays");
        let bare = agent.get(&format!("{page}/dossier.pdf?pieces=non")).await.is(200);
        assert!(paper(&bare.bytes).contains("carte.pdf"));
    }
}
