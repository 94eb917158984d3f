//! The post of a day, scanned in one batch, cut into documents and dealt out.

use db::{args, sql};
use guichet::requests::sweep;
use jiff::SignedDuration;
use scans::testing::pdf;

use super::{
    identity::text_of,
    intake::{deposit, fill},
};
use crate::{
    erasure::objects,
    harness::{
        Client, Engine, Page, Portal, USAGER, both,
        html::{Form, tags},
        journey::{JPEG, PDF, birth},
    },
};

const NEW: &str = "/agent/numerisations/nouvelle";

async fn send(agent: &mut Client, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Page {
    let form = agent.get(NEW).await.is(200).form("une-fois");
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    let files: Vec<_> = files.iter().map(|(name, bytes)| ("documents", *name, *bytes)).collect();
    agent.upload(NEW, &form.fields, &files).await
}

/// A batch whose pages are drawn; its address.
pub async fn batch(portal: &Portal, agent: &mut Client, files: &[(&str, &[u8])]) -> String {
    let sent = send(agent, &[("recu", "10/11/2026")], files).await.is(303);
    portal.work().await;
    sent.location().split('?').next().unwrap().to_owned()
}

async fn marks(agent: &mut Client, batch: &str) -> Form {
    agent.get(batch).await.is(200).form("debut")
}

async fn mark(agent: &mut Client, batch: &str, begins: &[&str]) -> Page {
    let mut form = marks(agent, batch).await;
    form.fields.retain(|(name, _)| name != "debut");
    form.fields.extend(begins.iter().map(|number| ("debut".to_owned(), (*number).to_owned())));
    agent.post_form(batch, &form.fields).await
}

/// Says where a document goes, on the page that shows it.
pub async fn settle(agent: &mut Client, document: &str, fields: &[(&str, &str)]) -> Page {
    let form = agent.get(document).await.is(200).form("vers");
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    agent.post_form(document.split('?').next().unwrap(), &form.fields).await
}

fn link(page: &Page, start: &str) -> String {
    let found = tags(page.html()).into_iter().find(|tag| tag.get("href").starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} on {}", page.words())).get("href").to_owned()
}

both! {
    async fn a_batch_is_cut_and_dealt_out(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let batch = batch(&portal, &mut nadia, &[("lot.pdf", &pdf(&["Lettre", "Suite", "", "Facture", "Plainte"]))]).await;
        let page = nadia.get(&batch).await.is(200).shows("5 pages numérisées par Nadia Benali").shows("5 à traiter").hides("se préparent");
        // Pictures of its pages.
        let images: Vec<String> = tags(page.html()).into_iter().filter(|tag| tag.name == "img" && tag.get("src").contains("/images/")).map(|tag| tag.get("src").to_owned()).collect();
        assert_eq!(images.len(), 5);
        let image = nadia.get(&images[0]).await.is(200);
        assert!(image.header("content-type") == "image/jpeg" && image.bytes.starts_with(b"\xff\xd8\xff"));
        // The blank page parts what comes before it from what comes after.
        let form = marks(&mut nadia, &batch).await;
        nadia.post_form(&batch, &form.with("action", "blanches").fields).await.leads_to(&format!("{batch}?fait=decoupe"));
        nadia.get(&batch).await.is(200).shows("Pages 1 à 2").shows("Page 3").shows("Pages 4 à 5");
        nadia.post(&format!("{batch}/blanches"), &[]).await.leads_to(&format!("{batch}?fait=ecarte"));
        nadia.get(&batch).await.shows("4 à traiter").shows("Écarté");
        mark(&mut nadia, &batch, &["1", "4", "5"]).await.leads_to(&format!("{batch}?fait=decoupe"));

        // To a request, whose usager sees it.
        let first = format!("{batch}/documents/1");
        let read = nadia.get(&format!("{first}/document.pdf")).await.is(200);
        assert_eq!(text_of(&read.bytes).split_whitespace().collect::<Vec<_>>(), ["Lettre", "Suite"]);
        let page = settle(&mut nadia, &first, &[("reference", "VAL-0000-00"), ("qui", "Madame Z")]).await.is(422).shows("Aucun dossier que vous instruisez");
        assert!(page.form("vers").value("qui") == "Madame Z" && page.links_to("/agent/deconnexion"));
        settle(&mut nadia, &first, &[("reference", &filed.reference), ("partage", "oui"), ("texte", "Elle ajoute un document.")]).await.leads_to(&format!("{batch}/documents/4?fait=traite"));
        let page = nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).shows("Lettre reçue, noté par Nadia Benali").shows("Elle ajoute un document.").shows("10 novembre 2026");
        let file = nadia.get(&link(&page, "/agent/fichiers/")).await.is(200);
        assert_eq!(text_of(&file.bytes).split_whitespace().collect::<Vec<_>>(), ["Lettre", "Suite"]);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("Elle ajoute un document.").shows("courrier-2026-11-10-pages-1-2.pdf");
        nadia.get(&batch).await.shows(&filed.reference);

        // To be qualified.
        settle(&mut nadia, &format!("{batch}/documents/4"), &[("vers", "contact"), ("qui", "Imprimerie Z")]).await.leads_to(&format!("{batch}/documents/5?fait=traite"));
        nadia.get("/agent/contacts").await.is(200).shows("Imprimerie Z").shows("Lettre numérisée, une page.");

        // A request is filed from it: the letter goes with it, delays run from the day it came.
        let begun = settle(&mut nadia, &format!("{batch}/documents/5"), &[("vers", "depot")]).await.is(303);
        let form = nadia.get(begun.location()).await.is(200).shows("À partir d’un contact du service").form("une-fois");
        assert_eq!((form.value("canal"), form.value("recu")), ("courrier", "10/11/2026"));
        let begun = nadia.post_form("/agent/depots/nouveau", &form.with("demarche", "acte-naissance").fields).await.is(303);
        let draft = fill(&mut nadia, &begun, &birth()).await;
        let (_, request) = deposit(&mut nadia, &draft).await;
        let page = nadia.get(&format!("/agent/demandes/{request}?onglet=messages")).await.is(200).shows("Lettre reçue").shows("Interne");
        assert_eq!(text_of(&nadia.get(&link(&page, "/agent/fichiers/")).await.bytes).trim(), "Plainte");
        nadia.get("/agent/contacts").await.is(200).shows("Imprimerie Z").hides("Plainte");

        // Finished, it goes after a month; what was dealt out stays.
        nadia.get(&batch).await.is(200).shows("Tout est traité").hides("Où commence chaque document");
        let count = async || portal.db().one::<i64>(sql!("select count(*) from file where authority_id = $1 and slot like 'scan%'"), args![portal.city]).await.unwrap();
        assert_eq!(count().await, 11);
        portal.later(SignedDuration::from_hours(29 * 24));
        sweep::all(&portal.app).await.unwrap();
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get(&batch).await.is(200);
        portal.later(SignedDuration::from_hours(2 * 24));
        sweep::all(&portal.app).await.unwrap();
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get(&batch).await.is(404);
        assert_eq!(count().await, 0);
        nadia.get(&link(&page, "/agent/fichiers/")).await.is(200);
        // What was done left its lines.
        let lines: Vec<String> = portal.db().all(sql!("select detail from journal where authority_id = $1 and action = 'scans-changed' order by id"), args![portal.city]).await.unwrap();
        assert_eq!(lines, ["recorded", "cut", "aside", "cut", "request", "contact", "filing"]);
    }

    async fn two_agents_never_deal_one_page_out_twice(portal: Portal) {
        let (mut nadia, mut herve) = (portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        let batch = batch(&portal, &mut nadia, &[("lot.pdf", &pdf(&["Un", "Deux", "Trois"]))]).await;
        // Both cut: the second is told, and keeps what they ticked.
        let (ours, theirs) = (marks(&mut nadia, &batch).await, marks(&mut herve, &batch).await);
        let mut sent = ours.fields.clone();
        sent.push(("debut".to_owned(), "2".to_owned()));
        nadia.post_form(&batch, &sent).await.leads_to(&format!("{batch}?fait=decoupe"));
        let mut sent = theirs.fields;
        sent.push(("debut".to_owned(), "3".to_owned()));
        let page = herve.post_form(&batch, &sent).await.is(409).shows("Un collègue travaille aussi sur ce lot");
        let again = page.form("debut");
        let ticked: Vec<&str> = again.fields.iter().filter(|(name, _)| name == "debut").map(|(_, value)| value.as_str()).collect();
        assert_eq!(ticked, ["1", "3"]);
        // Cut otherwise meanwhile, or gone: nothing is done.
        let stale = nadia.get(&format!("{batch}/documents/1")).await.is(200).form("vers").with("vers", "contact");
        herve.post_form(&batch, &again.fields).await.is(303);
        nadia.post_form(&format!("{batch}/documents/1"), &stale.fields).await.leads_to(&format!("{batch}?fait=deja"));
        let fresh = nadia.get(&format!("{batch}/documents/1")).await.is(200).shows("Pages 1 à 2").form("vers").with("vers", "contact");
        let other = herve.clone().post_form(&format!("{batch}/documents/1"), &fresh.fields).await.is(303);
        let late = nadia.post_form(&format!("{batch}/documents/1"), &fresh.fields).await.is(303);
        assert_eq!((other.location(), late.location()), (format!("{batch}/documents/3?fait=traite").as_str(), format!("{batch}?fait=deja").as_str()));
        nadia.get(&format!("{batch}/documents/1")).await.leads_to(&batch);
        assert_eq!(portal.count("contact").await, 1);
        // At the same moment: one of them.
        let fresh = nadia.get(&format!("{batch}/documents/3")).await.is(200).form("vers").with("vers", "contact");
        let path = format!("{batch}/documents/3");
        let (one, two) = tokio::join!(nadia.post_form(&path, &fresh.fields), herve.post_form(&path, &fresh.fields));
        let mut led = [one.is(303).location().to_owned(), two.is(303).location().to_owned()];
        led.sort();
        assert_eq!(led, [format!("{batch}?fait=deja"), format!("{batch}?fait=traite")]);
        assert_eq!(portal.count("contact").await, 2);
        let (pages, waiting): (i64, i64) = portal.db().one(sql!("select pages, waiting from scan_batch where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!((pages, waiting), (3, 0));
    }

    /// The name that a form brings leads to nothing of somebody else: what is erased with a batch is its own.
    async fn a_batch_is_never_kept_under_the_id_of_a_request(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let mut nadia = portal.agent("nadia.benali").await;
        let files = || async { portal.db().one::<i64>(sql!("select count(*) from file where authority_id = $1 and owner_id = $2"), args![portal.city, filed.id]).await.unwrap() };
        let before = files().await;
        let sent = send(&mut nadia, &[("recu", "10/11/2026"), ("une-fois", &filed.id.to_string())], &[("lot.pdf", &pdf(&["Un"]))]).await.is(303);
        assert!(!sent.location().contains(&filed.id.to_string()));
        assert_eq!(files().await, before);
    }

    async fn what_cannot_be_taken_is_told(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        send(&mut nadia, &[], &[]).await.is(422).shows("Choisissez d’abord un fichier");
        let good = pdf(&["Un"]);
        let page = send(&mut nadia, &[("recu", "18/11/2026")], &[("lot.pdf", &good)]).await.is(422).shows("est à venir");
        assert_eq!(page.form("une-fois").value("recu"), "18/11/2026");
        send(&mut nadia, &[], &[("lot.pdf", &good), ("texte.txt", b"Bonjour")]).await.is(422).shows("texte.txt").shows("n’est pas d’un type accepté");
        send(&mut nadia, &[], &[("lot.pdf", &good), ("vide.pdf", PDF)]).await.is(422).shows("« vide.pdf » ne peut pas être lu");
        let many = pdf(&vec![""; 501]);
        send(&mut nadia, &[], &[("lot.pdf", &many)]).await.is(422).shows("501 pages");
        assert_eq!((portal.count("scan_batch").await, objects(&portal)), (0, 0));
        // Several images are pages too; one that cannot be drawn is still a page. Sent twice, it is one batch.
        let form = nadia.get(NEW).await.is(200).form("une-fois");
        let files = [("documents", "photo.jpg", JPEG), ("documents", "lot.pdf", good.as_slice())];
        let first = nadia.upload(NEW, &form.fields, &files).await.is(303);
        let again = nadia.upload(NEW, &form.fields, &files).await.is(303);
        assert!(first.location().starts_with(again.location()));
        portal.work().await;
        let batch = again.location();
        nadia.get(batch).await.is(200).shows("2 pages").shows("Pas d’image").hides("se préparent");
        // Both are one letter: two files of one contact.
        mark(&mut nadia, batch, &["1"]).await.is(303);
        settle(&mut nadia, &format!("{batch}/documents/1"), &[("vers", "contact")]).await.leads_to(&format!("{batch}?fait=traite"));
        let names: Vec<String> = portal.db().all(sql!("select name from file where authority_id = $1 and slot = 'contact' order by name"), args![portal.city]).await.unwrap();
        assert_eq!(names, ["courrier-2026-11-17-pages-1-2-1.jpg", "courrier-2026-11-17-pages-1-2-2.pdf"]);
    }
}

/// More than the setting allows is refused as it comes, and nothing of it stays.
#[tokio::test]
async fn a_batch_has_its_own_limit() {
    let one = pdf(&["Un", "Deux"]);
    let portal = Portal::start_with(Engine::Sqlite, |config| config.scan_limit = one.len() as u64 * 3 / 2).await;
    let mut nadia = portal.agent("nadia.benali").await;
    send(&mut nadia, &[], &[("a.pdf", &one), ("b.pdf", &one)]).await.is(422).shows("b.pdf : ce lot dépasse");
    assert_eq!(objects(&portal), 0);
    send(&mut nadia, &[], &[("a.pdf", &one)]).await.is(303);
}
