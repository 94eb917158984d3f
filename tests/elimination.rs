//! The end of retention: nothing of a request goes before the visa, and nothing of it stays after.

use db::{Tx, args, sql};
use guichet::{
    archives, journal,
    requests::{purge, sweep},
    work,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    erasure::{objects, traces},
    harness::{
        Client, Engine, Filed, Page, Portal, both,
        journey::{PDF, birth},
    },
    journeys::archives::{again, taken_back},
};

const SECRET: &str = "Pamplemousse";
const NAME: &str = "Bergamote";
const EMAIL: &str = "pamplemousse@exemple.fr";
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

/// A birth certificate asked without account: written about, refused, judged; with its receipt.
async fn settled(portal: &Portal) -> Filed {
    let mut person = portal.client();
    let mut answers = birth();
    answers.set("parent1.prenoms", SECRET);
    answers.set("titulaire.prenoms", NAME);
    answers.set("demandeur.prenoms", NAME);
    answers.set("courriel", EMAIL);
    let filed = person.file("acte-naissance", &answers).await;
    portal.work().await;
    let desk = format!("/agent/demandes/{}", filed.id);
    let mut herve = portal.agent("herve.le-goff").await;
    for (tab, field) in [("messages", "message"), ("notes", "note")] {
        let form = herve.get(&format!("{desk}?onglet={tab}")).await.is(200).form(field).with(field, SECRET);
        herve.post_form(&format!("{desk}/{tab}"), &form.fields).await.is(303);
    }
    let form = herve.get(&format!("{desk}/echanges")).await.is(200).form("texte");
    let fields = [("canal", "letter"), ("sens", "recu"), ("texte", SECRET), ("qui", SECRET), ("partage", "non")];
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    let scan: [(&str, &str, &[u8]); 1] = [("document.fichier", "Pamplemousse.pdf", PDF)];
    herve.upload(&form.action, &form.fields, &scan).await.is(303);
    let path = format!("{desk}/actions/dismiss");
    let form = herve.get(&path).await.is(200).form("version").with("message", SECRET);
    herve.post_form(&path, &form.fields).await.is(303);
    portal.work().await;
    filed
}

/// The list of a department, as its archivist makes it.
async fn prepared(solange: &mut Client, service: &str) -> String {
    let made = solange.post("/agent/archives", &[("service", service)]).await.is(303);
    assert!(made.location().starts_with("/agent/archives/"), "{}", made.location());
    made.location().to_owned()
}

const VISA: [(&str, &str); 4] = [
    ("geste", "viser"),
    ("signataire", "La directrice des Archives départementales"),
    ("numero", "2027-118"),
    ("accord", "oui"),
];

/// Notes the visa of today.
async fn sign(portal: &Portal, solange: &mut Client, list: &str) -> Page {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    let day = visit.today().strftime("%d/%m/%Y").to_string();
    let fields = [VISA.as_slice(), &[("jour", day.as_str())]].concat();
    solange.post(list, &fields).await
}

async fn exists(portal: &Portal, request: Uuid) -> bool {
    let count: i64 = portal
        .db()
        .one(sql!("select count(*) from request where authority_id = $1 and id = $2"), args![portal.city, request])
        .await
        .unwrap();
    count == 1
}

both! {
    async fn a_request_goes_with_its_visa_and_not_before(portal: Portal) {
        let filed = settled(&portal).await;
        for secret in [SECRET, EMAIL, NAME] {
            assert!(!traces(&portal, secret).await.is_empty());
        }
        assert_eq!(objects(&portal), 2, "the receipt, the scan of a letter");
        let facts = portal.count("fact").await;
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("Aucune demande n’a dépassé sa durée.");
        solange.post("/agent/archives", &[("service", "etat-civil")]).await.leads_to("/agent/archives?fait=rien");

        portal.later(YEAR);
        sweep::all(&portal.app).await.unwrap();
        portal.work().await;
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("1 demande à proposer");
        let list = prepared(&mut solange, "etat-civil").await;
        solange.get("/agent/archives").await.is(200).shows("Aucune demande n’a dépassé sa durée.").shows("BE-0001");
        let page = solange.get(&list).await.is(200).shows("Demander un acte de naissance").shows("Attend le visa");
        assert!(!page.html().contains("Martin") && !page.html().contains(SECRET));
        solange.get(&format!("{list}/bordereau.csv")).await.is(200).shows(&filed.reference).hides("Martin");
        assert!(solange.get(&format!("{list}/bordereau.pdf")).await.is(200).bytes.starts_with(b"%PDF"));

        // Neither a worker nor a sweep takes anything away, nor a job that comes too early, nor a visa that says nothing.
        let wrong = solange.post(&list, &[("geste", "viser"), ("signataire", "Une signataire")]).await.is(422);
        let wrong = wrong.shows("Écrivez le numéro du visa").shows("Cochez la case");
        assert_eq!(wrong.form("signataire").value("signataire"), "Une signataire");
        let early = [VISA.as_slice(), &[("jour", "17/11/2026")]].concat();
        solange.post(&list, &early).await.is(422).shows("ne peut dater d’avant le bordereau");
        let (job, id) = (Uuid::new_v4(), list.rsplit('/').next().unwrap().parse().unwrap());
        let queue = async |tx: &mut Tx| archives::job::queue(tx, job, id, "trop-tot", portal.app.clock.now()).await;
        portal.db().write(queue).await.unwrap();
        portal.work().await;
        sweep::all(&portal.app).await.unwrap();
        assert!(exists(&portal, filed.id).await && !traces(&portal, SECRET).await.is_empty());

        sign(&portal, &mut solange, &list).await.leads_to(&format!("{list}?fait=visa"));
        sign(&portal, &mut solange, &list).await.is(409);
        portal.work().await;
        for secret in [SECRET, EMAIL, NAME] {
            assert_eq!(traces(&portal, secret).await, Vec::<String>::new(), "{secret}");
        }
        assert_eq!(objects(&portal), 0);
        for table in ["request", "file", "request_event", "message", "tracking_code", "request_grant"] {
            assert_eq!(portal.count(table).await, 0, "{table}");
        }
        let lines: i64 = portal
            .db()
            .one(sql!("select count(*) from journal where authority_id = $1 and request_id = $2"), args![portal.city, filed.id])
            .await
            .unwrap();
        assert_eq!(lines, 0);
        // Nobody did it: a visa was carried out.
        let by: Vec<String> = portal
            .db()
            .all(sql!("select actor_kind from journal where authority_id = $1 and action = 'journal-erased'"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(by, ["system"]);
        assert!(portal.count("fact").await > facts, "figures stay");
        // The list stays, with the reference and no more; the journal still holds.
        solange.get(&list).await.is(200).shows("Éliminé le").shows("2027-118").hides("Retirer une demande");
        solange.get(&format!("{list}/bordereau.csv")).await.is(200).shows(&filed.reference);
        journal::seal(&portal.app).await.unwrap();
        assert!(journal::verify(&portal.app, portal.city, &[]).await.unwrap().findings.is_empty());
        portal.agent("maelle.keller").await.get("/agent/journal?action=archives-changed").await.is(200).shows("visa:1").shows("done:1");
    }

    /// Killed between two steps, it goes on where it was.
    async fn what_was_stopped_is_finished(portal: Portal) {
        let filed = settled(&portal).await;
        portal.later(YEAR);
        let mut solange = portal.agent("solange.prevost").await;
        let list = prepared(&mut solange, "etat-civil").await;
        sign(&portal, &mut solange, &list).await.is(303);
        // Its rows went, then the machine stopped: files and journal are still there.
        let rows = async |tx: &mut Tx| purge::rows(tx, filed.id).await;
        assert_eq!(portal.db().write(rows).await.unwrap(), purge::Purge::Gone);
        assert_eq!((objects(&portal), portal.count("file").await), (2, 2));
        solange.get(&list).await.is(200).shows("0 demande éliminée sur 1");
        portal.work().await;
        assert_eq!((objects(&portal), portal.count("file").await), (0, 0));
        solange.get(&list).await.is(200).shows("Éliminé le");
        // A job that is carried out twice finds nothing left.
        solange.post(&list, &[("geste", "reprendre")]).await.is(409);
    }

    async fn what_must_stay_stays(portal: Portal) {
        let (held, late, kept, gone, anew) =
            (taken_back(&portal).await, taken_back(&portal).await, taken_back(&portal).await, taken_back(&portal).await, taken_back(&portal).await);
        portal.later(YEAR);
        let mut solange = portal.agent("solange.prevost").await;
        let hold = [("geste", "geler"), ("motif", "Recours au tribunal administratif")];
        solange.post("/agent/archives/gels", &hold).await.is(422).shows("Aucune demande n’a cette référence");
        solange.post("/agent/archives/gels", &[hold.as_slice(), &[("reference", held.reference.as_str())]].concat()).await.is(303);
        solange.get("/agent/archives").await.is(200).shows("4 demandes à proposer");
        let list = prepared(&mut solange, "relations-usagers").await;
        // Taken out by its archivist, until a day.
        let out = [("geste", "retirer"), ("reference", kept.reference.as_str()), ("motif", "Enquête en cours")];
        let early = [out.as_slice(), &[("jusqu", "1/2/2020")]].concat();
        let wrong = solange.post(&list, &early).await.is(422).shows("Choisissez un jour à venir");
        assert_eq!(wrong.form("motif").value("motif"), "Enquête en cours");
        let out = [out.as_slice(), &[("jusqu", "31/12/2027")]].concat();
        solange.post(&list, &out).await.leads_to(&format!("{list}?fait=garde"));
        solange.post(&list, &out).await.is(422).shows("Aucune demande de ce bordereau n’a cette référence");
        // Reopened since, and ended again: the visa is about its first end.
        let again = sql!("update request set ended_at = $3 where authority_id = $1 and id = $2");
        let now = portal.app.clock.now();
        portal.db().write(async |tx: &mut Tx| tx.run(again, args![tx.authority(), anew.id, now]).await).await.unwrap();
        // Held after the visa, before its turn.
        sign(&portal, &mut solange, &list).await.is(303);
        solange.post("/agent/archives/gels", &[hold.as_slice(), &[("reference", late.reference.as_str())]].concat()).await.is(303);
        portal.work().await;
        for (request, there) in [(&held, true), (&late, true), (&kept, true), (&anew, true), (&gone, false)] {
            assert_eq!(exists(&portal, request.id).await, there, "{}", request.reference);
        }
        solange.get(&list).await.is(200).shows("Gelée après le visa").shows("Rouverte après le bordereau").shows("Enquête en cours").shows("1 demande.");
        // What was kept until a day comes back after it; what is held does not, until it is released.
        solange.get("/agent/archives").await.is(200).shows("Aucune demande n’a dépassé sa durée.");
        portal.later(SignedDuration::from_hours(24 * 60));
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("1 demande à proposer");
        solange.post("/agent/archives/gels", &[("geste", "lever"), ("demande", &held.id.to_string())]).await.is(303);
        let list = prepared(&mut solange, "relations-usagers").await;
        solange.get(&format!("{list}/bordereau.csv")).await.is(200).shows(&held.reference).shows(&kept.reference).hides(&late.reference);
        // Held again for another reason: since that day.
        let anew = [("geste", "geler"), ("motif", "Autre recours"), ("reference", late.reference.as_str())];
        solange.post("/agent/archives/gels", &anew).await.is(303);
        let page = solange.get("/agent/archives/gels").await.is(200).shows("Autre recours").shows("Gelée le 17 janvier 2028");
        page.hides("Recours au tribunal").hides("18 novembre 2027");
        // Given up: they may be listed again, by one list only; but what was taken out is kept until its day.
        let out = [("geste", "retirer"), ("reference", held.reference.as_str()), ("motif", "Tri"), ("jusqu", "31/12/2029")];
        solange.post(&list, &out).await.leads_to(&format!("{list}?fait=garde"));
        solange.post(&list, &[("geste", "abandonner")]).await.leads_to("/agent/archives?fait=abandonne");
        solange.get(&list).await.is(200).shows("31 décembre 2029");
        solange.get(&list).await.is(200).shows("rien n’a été éliminé");
        sign(&portal, &mut solange, &list).await.is(409);
        let list = prepared(&mut solange, "relations-usagers").await;
        solange.get(&format!("{list}/bordereau.csv")).await.is(200).shows(&kept.reference).hides(&held.reference);
        solange.post("/agent/archives", &[("service", "relations-usagers")]).await.leads_to("/agent/archives?fait=rien");
    }

    /// A decision that may still be contested outlasts a short retention.
    async fn a_decision_is_kept_while_it_may_be_contested(portal: Portal) {
        let answers = portal.sample("operation-tranquillite-vacances").await;
        let mut owner = portal.usager(crate::harness::USAGER).await;
        let filed = owner.file("operation-tranquillite-vacances", &answers).await;
        owner.post(&format!("/demandes/{}/annuler", filed.id), &[]).await.is(303);
        let statement = sql!(
            "insert into decision (authority_id, id, request_id, favourable, author_id, author_name, author_quality, author_department, at) values ($1, $2, $3, $4, $2, 'A', 'B', 'C', $5)"
        );
        let (id, now) = (Uuid::new_v4(), portal.app.clock.now());
        let decide = async |tx: &mut Tx| tx.run(statement, args![tx.authority(), id, filed.id, false, now]).await;
        portal.db().write(decide).await.unwrap();
        portal.later(SignedDuration::from_hours(24 * 60));
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("Aucune demande n’a dépassé sa durée.");
        portal.later(SignedDuration::from_hours(24 * 130));
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("1 demande à proposer");
        prepared(&mut solange, "police-municipale").await;
    }
    /// More than one job takes away.
    async fn a_long_list_is_eliminated_to_its_end(portal: Portal) {
        let filed = taken_back(&portal).await;
        let now = portal.app.clock.now();
        for _ in 0..119 {
            again(&portal, filed.id, now, now).await;
        }
        portal.later(YEAR);
        let mut solange = portal.agent("solange.prevost").await;
        let list = prepared(&mut solange, "relations-usagers").await;
        sign(&portal, &mut solange, &list).await.is(303);
        portal.work().await;
        solange.get(&list).await.is(200).shows("120 demandes.");
        assert_eq!(portal.count("request").await, 0);
    }

    /// A file that cannot be removed holds up its own request only, and the page tells when nobody tries any more.
    async fn one_that_cannot_go_holds_up_no_other(portal: Portal) {
        let filed = settled(&portal).await;
        let now = portal.app.clock.now();
        for _ in 0..60 {
            again(&portal, filed.id, now, now).await;
        }
        portal.later(YEAR);
        let mut solange = portal.agent("solange.prevost").await;
        let list = prepared(&mut solange, "etat-civil").await;
        // A folder where its file is.
        let object = std::fs::read_dir(portal.files().join(portal.city.to_string())).unwrap().next().unwrap().unwrap().path();
        std::fs::remove_file(&object).unwrap();
        std::fs::create_dir(&object).unwrap();
        sign(&portal, &mut solange, &list).await.is(303);
        portal.work().await;
        solange.get(&list).await.is(200).shows("60 demandes éliminées sur 61").shows("L'élimination continue sans vous");
        let last = "update job set attempts = 11 where kind = 'archives.eliminate' and done_at is null";
        portal.direct(vec![last.to_owned()]).await;
        portal.later(SignedDuration::from_hours(13));
        portal.work().await;
        let mut solange = portal.agent("solange.prevost").await;
        solange.get(&list).await.is(200).shows("L'élimination s'est arrêtée").hides("continue sans vous");
        std::fs::remove_dir(&object).unwrap();
        solange.post(&list, &[("geste", "reprendre")]).await.leads_to(&format!("{list}?fait=repris"));
        solange.get(&list).await.is(200).shows("continue sans vous");
        portal.work().await;
        solange.get(&list).await.is(200).shows("61 demandes.").hides("arrêtée");
    }

    /// While its lines in the journal cannot be sealed, and so stay, it is not done.
    async fn it_is_not_done_while_the_journal_names_it(portal: Portal) {
        let filed = settled(&portal).await;
        journal::seal(&portal.app).await.unwrap();
        portal.later(YEAR);
        portal.agent("herve.le-goff").await.get(&format!("/agent/demandes/{}", filed.id)).await.is(200);
        let mut solange = portal.agent("solange.prevost").await;
        let list = prepared(&mut solange, "etat-civil").await;
        let named = async || -> i64 {
            let lines = sql!("select count(*) from journal where authority_id = $1 and request_id = $2");
            portal.db().one(lines, args![portal.city, filed.id]).await.unwrap()
        };
        let head: Vec<u8> = portal.db().one(sql!("select signature from journal_head where authority_id = $1 and kind = 'head'"), args![portal.city]).await.unwrap();
        let put = async |signature: &[u8]| {
            let forged = sql!("update journal_head set signature = $2 where authority_id = $1 and kind = 'head'");
            portal.db().write(async |tx: &mut Tx| tx.run(forged, args![tx.authority(), signature.to_vec()]).await).await.unwrap();
        };
        put(&[0; 64]).await;
        sign(&portal, &mut solange, &list).await.is(303);
        portal.work().await;
        assert!(named().await > 0);
        solange.get(&list).await.is(200).shows("0 demande éliminée sur 1");
        put(&head).await;
        portal.later(SignedDuration::from_secs(30));
        portal.work().await;
        assert_eq!(named().await, 0);
        solange.get(&list).await.is(200).shows("Éliminé le");
    }

    /// What is under way is always there; the rest goes on to other pages.
    async fn long_lists_go_on(portal: Portal) {
        let filed = taken_back(&portal).await;
        let mut solange = portal.agent("solange.prevost").await;
        let now = portal.app.clock.now();
        for number in 1..=53_i64 {
            again(&portal, filed.id, now, now).await;
            let done = (number > 1).then_some(now);
            let made = sql!(
                "insert into disposal (authority_id, id, number, department_id, made_at, made_by, noted_at, done_at)
                 select $1, $2, $3, 'relations-usagers', $4, a.id, $5, $5 from account a where a.authority_id = $1 and a.email = 'solange.prevost@valmont.example'"
            );
            let id = portal.app.clock.id();
            let make = async |tx: &mut Tx| tx.run(made, args![tx.authority(), id, number, now, done]).await;
            assert_eq!(portal.db().write(make).await.unwrap(), 1);
        }
        let first = solange.get("/agent/archives").await.is(200).shows("BE-0001").shows("BE-0053").shows("BE-0004").hides("BE-0003");
        assert!(first.links_to("/agent/archives?avant=4"));
        solange.get("/agent/archives?avant=4").await.is(200).shows("BE-0001").shows("BE-0003").hides("BE-0004").hides("plus anciens");
        let hold = "insert into legal_hold (authority_id, request_id, reason, at, by_id) select r.authority_id, r.id, 'Recours', r.submitted_at, a.id
                    from request r join account a on a.authority_id = r.authority_id and a.email = 'solange.prevost@valmont.example'";
        portal.direct(vec![hold.to_owned()]).await;
        let first = solange.get("/agent/archives/gels").await.is(200).hides(&filed.reference);
        let older = first.html().split("href=\"").find(|rest| rest.contains("avant=")).unwrap();
        let older = older.split('"').next().unwrap().replace("&#x2f;", "/").replace("&amp;", "&");
        let second = solange.get(&older).await.is(200).shows(&filed.reference);
        assert_eq!(second.html().matches("value=\"lever\"").count(), 4);
    }

    /// What is to be sorted asks that it was; what is for public archives is in no list.
    async fn fates_differ(portal: Portal) {
        let mut owner = portal.usager(crate::harness::USAGER).await;
        for procedure in ["intervention-technique", "certificat-alignement"] {
            let filed = owner.file(procedure, &portal.sample(procedure).await).await;
            owner.post(&format!("/demandes/{}/annuler", filed.id), &[]).await.is(303);
        }
        portal.later(YEAR * 11);
        let mut solange = portal.agent("solange.prevost").await;
        solange.get("/agent/archives").await.is(200).shows("1 demande à verser aux archives publiques").shows("1 demande à proposer");
        solange.post("/agent/archives", &[("service", "urbanisme")]).await.leads_to("/agent/archives?fait=rien");
        let list = prepared(&mut solange, "voirie").await;
        solange.get(&list).await.is(200).shows("Tri, puis élimination");
        sign(&portal, &mut solange, &list).await.is(422).shows("Retirez d’abord du bordereau ce que le tri garde");
    }
}
