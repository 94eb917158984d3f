//! An agent files a request for somebody who came, called or wrote.

use db::{args, sql};
use forms::answers::Raw;
use guichet::requests::code;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::identity::{RIGHTS, text_of, verify};
use crate::harness::{
    Client, Engine, OTHER_USAGER, Page, Portal, USAGER, both, html,
    journey::{PDF, birth},
};

const NEW: &str = "/agent/depots/nouveau";

/// Sends what is asked before the first page, as drawn but for `more`.
async fn begin(agent: &mut Client, more: &[(&str, &str)]) -> Page {
    let form = agent.get(NEW).await.is(200).form("une-fois");
    let typed = more.iter().fold(form, |form, (name, value)| form.with(name, value));
    agent.post_form(NEW, &typed.fields).await
}

/// Fills in a draft up to the check page, from where `begin` leads; gives the draft's address.
pub async fn fill(agent: &mut Client, begun: &Page, answers: &Raw) -> String {
    let check = agent.fill_from(begun.location(), answers).await;
    check.strip_suffix("/verifier").unwrap().to_owned()
}

/// Files what the check page shows; gives the confirmation, and the request's id.
pub async fn deposit(agent: &mut Client, draft: &str) -> (Page, Uuid) {
    let check = format!("{draft}/verifier");
    let page = agent.get(&check).await.is(200).shows("Cette demande n’est pas encore déposée");
    let form =
        page.forms().into_iter().find(|form| form.holds("version")).unwrap_or_else(|| panic!("{}", page.words()));
    let form = if form.holds("declaration") { form.with("declaration", "oui") } else { form };
    let sent = agent.post_form(&check, &form.fields).await.is(303);
    // Sent twice, it is one request.
    agent.post_form(&check, &form.fields).await.leads_to(sent.location());
    let id =
        sent.location().strip_prefix("/agent/demandes/").unwrap().strip_suffix("/deposee").unwrap().parse().unwrap();
    (agent.get(sent.location()).await.is(200).shows("Demande déposée"), id)
}

fn strong(page: &Page, class: &str) -> String {
    let found = html::tags(page.html()).into_iter().find(|tag| tag.name == "strong" && tag.get("class") == class);
    found.map_or_else(String::new, |tag| html::decode(tag.after))
}

async fn dates(portal: &Portal, id: Uuid) -> (Timestamp, Timestamp) {
    let query = sql!("select submitted_at, due_at from request where authority_id = $1 and id = $2");
    portal.db().one(query, args![portal.city, id]).await.unwrap()
}

async fn count(portal: &Portal, query: db::Sql) -> i64 {
    portal.db().one(query, args![portal.city]).await.unwrap()
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::get("Europe/Paris").unwrap()).date().to_string()
}

both! {
    async fn a_letter_becomes_a_request_of_the_account(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent").await.is(200).shows("Déposer pour un usager");
        let told = [("demarche", "acte-naissance"), ("canal", "courrier"), ("recu", "10/11/2026"), ("compte", USAGER)];
        let begun = begin(&mut nadia, &told).await.is(303);
        // What the account tells is typed already.
        let draft = fill(&mut nadia, &begun, &birth()).await;
        let check = format!("{draft}/verifier");
        nadia.get(&check).await.is(200).shows("Elle compte comme reçue le 10 novembre 2026 (par courrier)").shows("Zéphyrine");

        // Until it is filed, it is the department's alone.
        let mut camille = portal.usager(USAGER).await;
        let id = draft.rsplit('/').next().unwrap().to_owned();
        camille.get("/mes-demandes").await.is(200).hides("acte de naissance");
        camille.get(&format!("/brouillons/{id}/verifier")).await.is(404);
        assert!(camille.data().await.to_string().contains(&id) || camille.data().await.to_string().contains("Zéphyrine"), "what is written about somebody is theirs to take away");
        portal.agent("fatoumata.diallo").await.get(&check).await.is(404);
        let opened = count(&portal, sql!("select count(*) from journal where authority_id = $1 and action = 'draft-opened'")).await;
        assert_eq!(opened, 0, "its own agent reads nothing of others");
        let mut herve = portal.agent("herve.le-goff").await;
        herve.get("/agent/depots").await.is(200).shows("Camille Martin").shows("Par courrier").shows("Nadia Benali");
        herve.get(&check).await.is(200).shows("Zéphyrine");
        let opened = count(&portal, sql!("select count(*) from journal where authority_id = $1 and action = 'draft-opened' and department_id = 'etat-civil'")).await;
        assert_eq!(opened, 1);

        let (page, request) = deposit(&mut nadia, &draft).await;
        page.shows("Reçue le 10 novembre 2026 (par courrier)").hides("Code de suivi").shows("camille.martin@exemple.fr");
        nadia.get(&check).await.leads_to(&format!("/agent/demandes/{request}"));
        herve.get("/agent/depots").await.is(200).hides("Camille Martin");

        // The delay runs from the reception: that of a request of today ends a week later.
        let today = portal.client().file("acte-naissance", &birth()).await;
        let ((received, due), (_, due_today)) = (dates(&portal, request).await, dates(&portal, today.id).await);
        assert_eq!(day(received), "2026-11-10");
        // Five working days, one of them closed (11 November): the 18th; from the 17th, the 24th.
        assert_eq!((day(due), day(due_today)), ("2026-11-18".to_owned(), "2026-11-24".to_owned()));

        // The usager has it like any other; nobody has handled it yet.
        camille.get("/mes-demandes").await.is(200).shows("acte de naissance");
        let follow = camille.get(&format!("/demandes/{request}")).await.is(200);
        follow.shows("déposée pour vous par le service de l’état civil, reçue le 10 novembre 2026 (par courrier)")
            .shows("Demande déposée").shows("Déposée pour vous par le service").hides("Lu par le service").hides("Nadia");
        portal.work().await;
        let mails = portal.outbox().await;
        let (_, _, body) = mails.iter().find(|(to, _, body)| to == USAGER && body.contains("10\u{a0}novembre 2026")).expect("an acknowledgement");
        assert!(body.contains("par courrier"), "{body}");

        // For agents: who entered it, and by which way.
        let file = format!("/agent/demandes/{request}");
        herve.get(&file).await.is(200).shows("10 novembre 2026 (par courrier)");
        herve.get(&format!("{file}?onglet=historique")).await.is(200).shows("Demande déposée pour l’usager").shows("Nadia Benali").shows("17 novembre 2026");
        let reference = strong(&nadia.get(&format!("{file}/deposee")).await, "g-ref");
        for (address, there) in [("canal=courrier", true), ("canal=guichet", false), ("canal=web", false), ("", true), ("canal=courrier&q=zephyrine&demarche=acte-naissance", true)] {
            let list = herve.get(&format!("/agent?vue=toutes&{address}")).await.is(200);
            assert_eq!(list.html().contains(&reference), there, "{address}");
        }
        herve.get("/agent?vue=toutes&canal=courrier").await.shows("Effacer les filtres").shows("Par courrier").hides(&today.reference);
        let csv = herve.get("/agent/export.csv?vue=toutes&canal=courrier").await.is(200);
        let csv = String::from_utf8_lossy(&csv.bytes).into_owned();
        assert!(csv.contains("Canal") && csv.contains("Par courrier") && csv.contains(&reference) && !csv.contains(&today.reference), "{csv}");

        let filed = sql!("select count(*) from journal where authority_id = $1 and action = 'request-filed' and detail = 'courrier' and actor_kind = 'agent' and subject_kind = 'account' and department_id = 'etat-civil'");
        assert_eq!(count(&portal, filed).await, 1);
        let counted = sql!("select count(*) from fact where authority_id = $1 and measure = 'sent' and channel = 'courrier' and day = '2026-11-10'");
        let folded = sql!("select count(*) from tally where authority_id = $1 and measure = 'sent' and channel = 'courrier' and start = '2026-11-10' and span = 'day'");
        assert_eq!(count(&portal, counted).await + count(&portal, folded).await, 1);
        // How usagers go on in the form says nothing of what agents type.
        let pages = sql!("select count(*) from fact where authority_id = $1 and measure = 'page' and channel <> 'web'");
        assert_eq!(count(&portal, pages).await, 0);
        portal.agent("claire.daubigny").await.get("/agent/statistiques?demarche=acte-naissance").await.is(200).shows("Par courrier");
    }

    async fn somebody_without_account_goes_home_with_a_code(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        let begun = begin(&mut nadia, &[("demarche", "acte-naissance")]).await.is(303);
        let mut answers = birth();
        answers.clear("courriel");
        answers.set("courriel", "");
        let draft = fill(&mut nadia, &begun, &birth()).await;
        // A draft of the department is not opened with a code, even one that is right.
        let id: Uuid = draft.rsplit('/').next().unwrap().parse().unwrap();
        let reference: String = portal.db().one(sql!("select reference from draft where authority_id = $1 and id = $2"), args![portal.city, id]).await.unwrap();
        let right = code::printed(&portal.app.secret, id, 0);
        portal.client().post("/suivre", &[("reference", &reference), ("code", &right)]).await.is(422);

        let (page, request) = deposit(&mut nadia, &draft).await;
        let code = strong(&page, "g-code");
        assert_eq!((code.as_str(), request), (right.as_str(), id));
        let receipt = nadia.get(&format!("/agent/demandes/{request}/accuse.pdf")).await.is(200);
        let text = text_of(&receipt.bytes);
        assert!(text.contains(&code) && text.contains(&reference) && text.contains("(au guichet)"), "{text}");
        // The receipt that is kept for the mails and the follow-up page bears no code, nor does a colleague's.
        portal.work().await;
        let mut herve = portal.agent("herve.le-goff").await;
        herve.get(&format!("/agent/demandes/{request}/deposee")).await.is(200).hides(&code);
        let theirs = text_of(&herve.get(&format!("/agent/demandes/{request}/accuse.pdf")).await.is(200).bytes);
        assert!(theirs.contains(&reference) && !theirs.contains(&code), "{theirs}");

        let mut person = portal.client();
        person.post("/suivre", &[("reference", &reference), ("code", &code)]).await.leads_to(&format!("/demandes/{request}"));
        person.get(&format!("/demandes/{request}")).await.is(200).shows("déposée pour vous par le service");
        let kept = text_of(&person.get(&format!("/demandes/{request}/recepisse.pdf")).await.is(200).bytes);
        assert!(!kept.contains(&code), "{kept}");
        // What is filed by the usagers themselves has no such page.
        let other = portal.client().file("acte-naissance", &birth()).await;
        nadia.get(&format!("/agent/demandes/{}/deposee", other.id)).await.leads_to(&format!("/agent/demandes/{}", other.id));
    }

    async fn answers_are_judged_on_the_day_of_reception_which_is_told_again_when_it_was_wrong(portal: Portal) {
        let mut agent = portal.agent("karim.haddad").await;
        let begun = begin(&mut agent, &[("demarche", "operation-tranquillite-vacances"), ("canal", "courrier"), ("recu", "17/11/2026")]).await.is(303);
        let first = begun.location().to_owned();
        let away = async |agent: &mut Client| {
            let form = agent.get(&first).await.is(200).form("debut.jour");
            let typed = [("debut", "12"), ("fin", "20")].into_iter().fold(form, |form, (name, day)| {
                form.with(&format!("{name}.jour"), day).with(&format!("{name}.mois"), "11").with(&format!("{name}.annee"), "2026")
            });
            agent.post_form(&first, &typed.with("passages", "non").fields).await
        };
        away(&mut agent).await.is(422);
        // The letter came a week before.
        let reception = format!("{}/reception", first.rsplit_once('/').unwrap().0);
        let page = agent.get(&reception).await.is(200);
        let form = page.form("recu");
        assert_eq!((form.value("recu"), form.value("canal")), ("17/11/2026", "courrier"));
        agent.post_form(&reception, &form.with("recu", "18/11/2026").fields).await.is(422).shows("La date de réception est à venir");
        agent.post_form(&reception, &page.form("recu").with("recu", "10/11/2026").with("compte", USAGER).fields).await.leads_to(&reception.replace("reception", "verifier"));
        away(&mut agent).await.is(303);
        agent.get(&reception.replace("reception", "verifier")).await.is(200).shows("reçue le 10 novembre 2026 (par courrier), pour Camille Martin").shows("Modifier la réception");
        agent.get("/agent/depots").await.is(200).shows("Camille Martin");
        // What the account tells is typed with it, and goes with it.
        let typed = async || -> String {
            let query = sql!("select d.raw from draft d join intake i on i.authority_id = d.authority_id and i.draft_id = d.id where d.authority_id = $1");
            let raw: db::Json<Raw> = portal.db().one(query, args![portal.city]).await.unwrap();
            raw.0.0.values().flatten().cloned().collect::<Vec<_>>().join("|")
        };
        assert!(typed().await.contains(USAGER), "{}", typed().await);
        let read = count(&portal, sql!("select count(*) from journal where authority_id = $1 and action = 'account-opened'")).await;
        assert_eq!(read, 1);
        // Unchanged, nobody's account is looked up again; emptied, it is for nobody known.
        let form = agent.get(&reception).await.is(200).form("recu");
        agent.post_form(&reception, &form.fields).await.is(303);
        assert_eq!(count(&portal, sql!("select count(*) from journal where authority_id = $1 and action = 'account-opened'")).await, 1);
        agent.post_form(&reception, &form.with("compte", "").fields).await.is(303);
        assert_eq!(count(&portal, sql!("select count(*) from intake where authority_id = $1 and account_id is null")).await, 1);
        assert!(!typed().await.contains(USAGER) && typed().await.contains("2026"), "{}", typed().await);
    }

    async fn what_is_wrong_before_the_first_page_is_told_and_kept(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        let fine = [("demarche", "acte-naissance"), ("canal", "telephone"), ("recu", "16/11/2026"), ("compte", USAGER)];
        for (name, value, told) in [
            ("demarche", "", "Choisissez la démarche"),
            ("demarche", "inscription-scolaire", "Choisissez la démarche"),
            ("demarche", "changement-coordonnees", "Choisissez la démarche"),
            ("canal", "pigeon", "Choisissez par où la demande est arrivée"),
            ("recu", "18/11/2026", "La date de réception est à venir"),
            ("recu", "17/11/2025", "La date de réception est trop ancienne"),
            ("recu", "31/02/2026", "un jour qui existe"),
            ("compte", "camille", "Aucun compte n’a cette adresse"),
            ("piece", "passeport", "ne se vérifie qu’au guichet"),
        ] {
            let mut typed = fine.to_vec();
            typed.retain(|(field, _)| *field != name);
            typed.push((name, value));
            let again = begin(&mut nadia, &typed).await.is(422).shows(told);
            let form = again.form("une-fois");
            for (field, kept) in typed.iter().filter(|(field, kept)| *field != name || (name != "demarche" && name != "canal" && !kept.is_empty())) {
                assert_eq!(form.value(field), *kept, "{name}={value}");
            }
        }
        assert_eq!(count(&portal, sql!("select count(*) from draft where authority_id = $1 and account_id is null")).await, 0);
        // The same form sent twice begins one draft.
        let form = nadia.get(NEW).await.is(200).form("une-fois").with("demarche", "acte-naissance");
        let first = nadia.post_form(NEW, &form.fields).await.is(303);
        nadia.post_form(NEW, &form.fields).await.leads_to(first.location());
        assert_eq!(count(&portal, sql!("select count(*) from intake where authority_id = $1")).await, 1);
        // And is erased when it is given up.
        let draft = first.location().rsplit_once('/').unwrap().0.to_owned();
        nadia.get(&format!("{draft}/supprimer")).await.is(200).shows("Effacer ce brouillon");
        nadia.post(&format!("{draft}/supprimer"), &[]).await.leads_to("/agent/depots");
        nadia.get(&format!("{draft}/verifier")).await.is(404);
        assert_eq!(count(&portal, sql!("select count(*) from intake where authority_id = $1")).await, 0);
    }

    async fn a_limited_right_files_its_procedures_only(portal: Portal) {
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(NEW).await.is(200).hides("acte de naissance");
        let mut claire = portal.agent("claire.daubigny").await;
        let right = |role: &'static str, on: &'static str| {
            vec![("service", "etat-civil"), ("courriel", "thierry.kowalski@valmont.example"), ("role", role), ("demarches", on), ("du", "17/11/2026"), ("motif", "Renfort"), ("once", "")]
        };
        let mut nadia = portal.agent("nadia.benali").await;
        let begun = begin(&mut nadia, &[("demarche", "acte-naissance")]).await.is(303);
        let draft = fill(&mut nadia, &begun, &birth()).await;
        // Who only reads knows nothing of what is being filled in.
        claire.post("/agent/droits/nouveau", &right("reader", "acte-naissance")).await.is(303);
        thierry.get(&format!("{draft}/verifier")).await.is(404);
        thierry.get("/agent/depots").await.is(200).hides("acte de naissance");
        begin(&mut thierry, &[("demarche", "acte-naissance")]).await.is(422);

        claire.post("/agent/droits/nouveau", &right("processor", "acte-naissance")).await.is(303);
        thierry.get(NEW).await.is(200).shows("acte de naissance").hides("acte de décès");
        begin(&mut thierry, &[("demarche", "acte-deces")]).await.is(422).shows("Choisissez la démarche");
        thierry.get(&format!("{draft}/verifier")).await.is(200).shows("Zéphyrine");
        let begun = begin(&mut thierry, &[("demarche", "acte-naissance"), ("canal", "sms")]).await.is(303);
        let own = fill(&mut thierry, &begun, &birth()).await;
        deposit(&mut thierry, &own).await.0.shows("(par SMS)");
        // Nobody reads them but who processes: neither the manager of another department, nor who only reads.
        for name in ["aicha.traore", "lea.fontaine"] {
            portal.agent(name).await.get(&format!("{draft}/verifier")).await.is(404);
        }
        portal.agent("lea.fontaine").await.get(NEW).await.is(403);
    }

    /// The agent stands in for an account, and, with a paper before them, for a verified one.
    async fn identity_is_what_the_procedure_demands(portal: Portal) {
        let mut paulo = portal.agent("paulo.da-silva").await;
        begin(&mut paulo, &[("demarche", RIGHTS), ("canal", "telephone")]).await.is(422).shows("la personne vient au guichet");
        begin(&mut paulo, &[("demarche", RIGHTS), ("compte", OTHER_USAGER)]).await.is(422).shows("dites quel document");
        let begun = begin(&mut paulo, &[("demarche", RIGHTS), ("piece", "passeport")]).await.is(303);
        let answers = portal.sample(RIGHTS).await;
        let draft = fill(&mut paulo, &begun, &answers).await;
        paulo.get(&format!("{draft}/verifier")).await.is(200).shows("Identité vérifiée au guichet le 17 novembre 2026");
        let (_, request) = deposit(&mut paulo, &draft).await;
        let source: String = portal.db().one(sql!("select source from request_certified where authority_id = $1 and request_id = $2"), args![portal.city, request]).await.unwrap();
        assert_eq!(source, "counter");
        paulo.get(&format!("/agent/demandes/{request}?onglet=notes")).await.is(200).shows("Passeport");
        // That of an account was checked before: any channel will do, and nobody types over it.
        verify(&portal, USAGER, "Certifiée").await;
        let begun = begin(&mut paulo, &[("demarche", RIGHTS), ("canal", "courriel"), ("compte", USAGER)]).await.is(303);
        let draft = fill(&mut paulo, &begun, &answers).await;
        paulo.get(&format!("{draft}/verifier")).await.is(200).shows("Certifiée");
        deposit(&mut paulo, &draft).await;
    }

    /// Every question and piece of a procedure on paper, with its conditions in words: never an id.
    async fn a_form_is_printed_blank(portal: Portal) {
        for (name, procedures) in [
            ("claire.daubigny", vec!["acte-naissance", "inscription-listes-electorales", "recensement-citoyen"]),
            ("fatoumata.diallo", vec!["accueil-periscolaire", "inscription-scolaire", "restaurant-scolaire"]),
            ("isabelle.vandenberghe", vec!["debit-boissons-temporaire"]),
            ("thierry.kowalski", vec!["intervention-technique", "stationnement-demenagement"]),
            ("paulo.da-silva", vec!["demande-information", RIGHTS]),
        ] {
            let mut agent = portal.agent(name).await;
            let list = agent.get("/agent/depots").await.is(200).shows("Formulaires papier");
            for procedure in procedures {
                let address = format!("/agent/depots/papier/{procedure}");
                assert!(list.links_to(&address), "{address}");
                let pdf = agent.get(&address).await.is(200);
                assert_eq!(pdf.header("content-type"), "application/pdf");
                let text = text_of(&pdf.bytes);
                assert!(text.contains("Date et signature") && text.contains("Vos données et vos droits"), "{text}");
                let ids: Vec<&str> = text.split_whitespace().filter(|word| word.contains('_')).collect();
                assert!(ids.is_empty(), "{procedure}: {ids:?}");
            }
        }
        let mut nadia = portal.agent("nadia.benali").await;
        let text = text_of(&nadia.get("/agent/depots/papier/acte-naissance").await.is(200).bytes);
        for words in ["Où la personne est-elle née", "Dans la commune", "Nom de naissance", "Seulement si", "Je certifie"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        nadia.get("/agent/depots/papier/encombrants").await.is(404);
    }

    /// A procedure that asks for an account, with pieces and sensitive questions, for somebody who has none.
    async fn pieces_and_sensitive_answers_stay_with_who_processes(portal: Portal) {
        let mut fatoumata = portal.agent("fatoumata.diallo").await;
        let begun = begin(&mut fatoumata, &[("demarche", "inscription-scolaire")]).await.is(303);
        let answers = portal.sample("inscription-scolaire").await;
        let mut path = begun.location().to_owned();
        while !path.contains("/pieces/") {
            path = fatoumata.answer(&path, &answers).await;
        }
        fatoumata.upload(&path, &[("action".into(), "ajouter".into())], &[("fichier", "livret.pdf", PDF)]).await.leads_to(&path);
        let page = fatoumata.get(&path).await.is(200).shows("livret.pdf").hides("mes documents");
        let html = page.html().replace("&#x2f;", "/");
        let file = html.split("href=\"").find(|part| part.starts_with("/agent/fichiers/")).unwrap();
        let file = file.split('"').next().unwrap();
        fatoumata.get(file).await.is(200);
        portal.agent("elise.meyer").await.get(file).await.is(200);
        portal.agent("nadia.benali").await.get(file).await.is(404);
        portal.usager(USAGER).await.get(&file.replace("/agent", "")).await.is(404);
        // Left for later, and taken up by a colleague.
        fatoumata.post(&path, &[("action", "plus-tard")]).await.leads_to("/agent/depots?fait=garde");
        fatoumata.get("/agent/depots?fait=garde").await.is(200).shows("est gardée");
        // Ninety days later nothing is left of it.
        portal.later(jiff::SignedDuration::from_hours(91 * 24));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(count(&portal, sql!("select count(*) from intake where authority_id = $1")).await, 0);
        assert_eq!(count(&portal, sql!("select count(*) from file where authority_id = $1")).await, 0);
    }
}
