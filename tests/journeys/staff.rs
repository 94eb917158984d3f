//! What agents ask of their own administration.

use db::{args, sql};
use forms::answers::Raw;
use guichet::{catalogue, requests::timers};
use uuid::Uuid;

use super::{agent::act, identity::text_of};
use crate::harness::{
    Client, Engine, OTHER_USAGER, Portal, USAGER, both,
    journey::{PDF, birth},
};

const LEAVE: &str = "demande-conge";
const LIST: &str = "/agent/interne/demarches";
const MINE: &str = "/agent/interne/demandes";

/// Begins an internal procedure; gives its first page.
async fn begin(agent: &mut Client, procedure: &str) -> String {
    let page = agent.get(&format!("{LIST}/{procedure}")).await.is(200);
    let form = page.form("une-fois");
    let begun = agent.submit(&page, &form, &form.fields).await.is(303).location().to_owned();
    // Sent twice, it is one draft.
    agent.submit(&page, &form, &form.fields).await.leads_to(&begun);
    begun
}

/// Files one with these answers; gives the request.
async fn file(agent: &mut Client, procedure: &str, answers: &Raw) -> crate::harness::Filed {
    let first = begin(agent, procedure).await;
    let check = agent.fill_from(&first, answers).await;
    agent.send_checked(&check).await
}

/// Carries out an action whose form asks this question.
async fn fire(agent: &mut Client, request: &str, action: &str, question: &str, answer: &str) {
    let page = agent.get(&format!("{request}/actions/{action}")).await.is(200);
    let form = page.form("version");
    let name = form.names.iter().find(|name| name.ends_with(question)).unwrap().clone();
    agent.post_form(&page.path, &form.with(&name, answer).fields).await.is(303);
}

fn desk(id: Uuid) -> String {
    format!("/agent/demandes/{id}")
}

both! {
    async fn usagers_know_nothing_of_it(portal: Portal) {
        let (mut stranger, mut person) = (portal.client(), portal.usager(USAGER).await);
        for client in [&mut stranger, &mut person] {
            for address in ["/", "/demarches", "/demarches?q=congé", "/demarches?q=remboursement", "/demarches?public=agent", "/plan-du-site", "/qualite"] {
                client.get(address).await.is(200).hides("Demander un congé").hides("Faire rembourser des frais").hides(LEAVE);
            }
            for address in [format!("/demarches/{LEAVE}"), format!("/demarches/{LEAVE}/commencer"), format!("/demarches/{LEAVE}/remplir"), format!("/qualite/{LEAVE}")] {
                client.get(&address).await.is(404);
            }
            client.get(LIST).await.is(303);
        }
        person.get("/compte/mandats/donner").await.is(200).hides("Demander un congé");
        // Nor does an agent file it for somebody, at the counter or on paper.
        let mut nathalie = portal.agent("nathalie.weber").await;
        nathalie.get("/agent/depots/nouveau").await.is(200).hides("Demander un congé");
        nathalie.get(&format!("/agent/depots/papier/{LEAVE}")).await.is(404);
        // Nor is a public procedure filed as an internal one.
        nathalie.get(LIST).await.is(200).shows("Demander un congé").hides("acte de naissance");
        nathalie.get(&format!("{LIST}/acte-naissance")).await.is(404);
        nathalie.post(&format!("{LIST}/acte-naissance"), &[]).await.is(404);
    }

    async fn from_the_question_to_the_answer(portal: Portal) {
        let answers = portal.sample(LEAVE).await;
        let mut thierry = portal.agent("thierry.kowalski").await;
        assert!(thierry.get("/agent").await.is(200).links_to(LIST));
        thierry.get(MINE).await.is(200).shows("Aucune demande pour l'instant").hides("retrouvée avec son code");
        let first = begin(&mut thierry, LEAVE).await;
        let draft = first.rsplit_once('/').unwrap().0.to_owned();
        thierry.get(&first).await.is(200).shows("Service des ressources humaines");
        // Kept for later, and nobody else's: neither a colleague's, nor of the department, nor of a usager.
        let page = thierry.get(&first).await.is(200);
        let form = page.form("action").with("action", "plus-tard").with("nature", "rtt");
        thierry.post_form(&first, &form.fields).await.leads_to(&format!("{MINE}?fait=garde"));
        thierry.get(&format!("{MINE}?fait=garde")).await.is(200).shows("Vos réponses sont gardées").shows("Brouillon");
        let id = draft.rsplit('/').next().unwrap().to_owned();
        for name in ["nathalie.weber", "maud.etienne"] {
            let mut other = portal.agent(name).await;
            other.get(&format!("{draft}/verifier")).await.is(404);
            other.get(&format!("/agent/depots/{id}/verifier")).await.is(404);
            other.get(MINE).await.is(200).hides("Demander un congé");
        }
        // Their own account of usager is another's, as anybody's.
        portal.usager(USAGER).await.get(&format!("/brouillons/{id}/verifier")).await.is(404);

        let mut with_proof = answers.clone();
        with_proof.set("nature", "autorisation");
        with_proof.set("evenement", "Mariage");
        let check = thierry.fill_from(&first, &with_proof).await;
        let sent = thierry.send_checked(&check).await;
        assert_eq!((sent.id.to_string(), sent.code.as_str()), (id.clone(), ""));
        let mine = format!("{MINE}/{id}");
        sent.page.shows("thierry.kowalski@valmont.example").hides("Appelez le");
        thierry.get(&format!("{draft}/verifier")).await.leads_to(&mine);
        thierry.get(MINE).await.is(200).shows(&sent.reference).shows("Demander un congé");
        thierry.get(&mine).await.is(200).shows("Envoyée").shows("Mariage").shows("document.pdf").hides("Donner mon avis").hides("mes documents");
        let receipt = thierry.get(&format!("{mine}/recepisse.pdf")).await.is(200);
        assert!(text_of(&receipt.bytes).contains("Thierry Kowalski"));
        // It is not followed as an usager's is, by anybody.
        for mut client in [portal.client(), portal.usager(USAGER).await] {
            client.get(&format!("/demandes/{id}")).await;
            assert!(!client.get(&format!("/demandes/{id}")).await.html().contains("Mariage"));
        }
        portal.agent("maud.etienne").await.get(&mine).await.is(404);
        portal.agent("maud.etienne").await.get(&desk(sent.id)).await.is(404);

        // The department treats it as any request.
        let theirs = desk(sent.id);
        let mut nathalie = portal.agent("nathalie.weber").await;
        nathalie.get("/agent").await.is(200).shows(&sent.reference).shows("Thierry Kowalski");
        nathalie.get(&theirs).await.is(200).shows("demande interne").shows("Mariage");
        nathalie.get(&format!("{theirs}?onglet=historique")).await.is(200).shows("L'agent");
        nathalie.get(&format!("{theirs}/acces")).await.is(200).shows("avec son compte d'agent").shows("Rachid Mansouri");
        act(&mut nathalie, &theirs, "take", &[]).await.is(303);
        act(&mut nathalie, &theirs, "ask", &[("champs", "responsable"), ("pieces", "justificatif"), ("message", "Qui est votre responsable ?"), ("jours", "15")]).await.is(303);
        thierry.get(&mine).await.is(200).shows("Qui est votre responsable").shows("Ce que nous attendons de vous").hides("Nathalie");
        thierry.get(MINE).await.is(200).shows("Action attendue de votre part");
        let path = thierry.get(&format!("{mine}/repondre?vers=votre-service")).await.is(303).location().to_owned();
        assert_eq!(path, format!("/agent/interne/brouillons/{id}/votre-service"));
        let mut corrected = with_proof.clone();
        corrected.set("responsable", "Maud Étienne");
        let check = thierry.answer(&path, &corrected).await;
        thierry.give(&format!("/agent/interne/brouillons/{id}/pieces/justificatif"), &[("livret.pdf", PDF)]).await;
        let page = thierry.get(&check).await.is(200).shows("Vos modifications ne sont pas encore envoyées");
        thierry.post_form(&check, &page.form("version").fields).await.leads_to(&format!("{mine}?fait=repondu"));
        thierry.post(&format!("{mine}/messages"), &[("message", ""), ("version", "")]).await.is(422);
        thierry.post(&format!("{mine}/messages"), &[("message", "Je pars le matin."), ("version", "")]).await.leads_to(&format!("{mine}?fait=message"));
        nathalie.get(&theirs).await.is(200).shows("Maud Étienne");
        nathalie.get(&format!("{theirs}?onglet=messages")).await.is(200).shows("Je pars le matin");
        let pieces = nathalie.get(&format!("{theirs}?onglet=pieces")).await.is(200).shows("livret.pdf");
        let file = crate::harness::html::tags(pieces.html()).into_iter().map(|tag| tag.get("href").to_owned()).find(|href| href.starts_with("/agent/fichiers/")).unwrap();
        let file = file.rsplit('/').next().unwrap().to_owned();
        thierry.get(&format!("/agent/interne/fichiers/{file}")).await.is(200);
        thierry.get(&format!("/agent/fichiers/{file}")).await.is(403);
        for mut client in [portal.agent("maud.etienne").await, portal.agent("nathalie.weber").await] {
            client.get(&format!("/agent/interne/fichiers/{file}")).await.is(404);
        }
        portal.usager(USAGER).await.get(&format!("/fichiers/{file}")).await.is(404);

        let mut rachid = portal.agent("rachid.mansouri").await;
        act(&mut rachid, &theirs, "accept", &[("faits", "Bonnes vacances.")]).await.is(303);
        thierry.get(&mine).await.is(200).shows("Votre demande est acceptée").shows("Bonnes vacances").shows("Rachid Mansouri").hides("Annuler ma demande");
        portal.work().await;
        let mails = portal.outbox().await;
        let theirs: Vec<_> = mails.iter().filter(|(to, ..)| to == "thierry.kowalski@valmont.example").collect();
        assert!(theirs.len() >= 4, "received, taken, asked, decided: {mails:?}");
        assert!(theirs.iter().all(|(_, _, body)| body.contains(&mine) && !body.contains("Mariage")), "{theirs:?}");

        // It is counted where the department counts, and ends by itself.
        rachid.get("/agent/statistiques").await.is(200).shows("Demander un congé");
        portal.later(jiff::SignedDuration::from_hours(31 * 24));
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&mine).await.is(200).shows("Terminée").hides("Donner mon avis");
    }

    /// Nobody treats what they ask for, whatever their role: a colleague does.
    async fn four_eyes(portal: Portal) {
        let answers = portal.sample(LEAVE).await;
        let mut rachid = portal.agent("rachid.mansouri").await;
        let own = file(&mut rachid, LEAVE, &answers).await;
        let mut nathalie = portal.agent("nathalie.weber").await;
        let theirs = file(&mut nathalie, LEAVE, &answers).await;
        let page = desk(own.id);
        // In none of the department's lists, not to be opened, nor acted upon.
        for address in ["/agent".to_owned(), "/agent?vue=toutes".to_owned(), format!("/agent?q={}", own.reference), "/agent?vue=toutes&q=mansouri".to_owned(), "/agent/export.csv?vue=toutes".to_owned()] {
            rachid.get(&address).await.is(200).hides(&own.reference);
            nathalie.get(&address.replace("mansouri", "weber")).await.is(200).hides(&theirs.reference);
        }
        for address in [page.clone(), format!("{page}?onglet=historique"), format!("{page}/dossier.pdf"), format!("{page}/acces"), format!("{page}/actions/accept"), format!("{page}/avis/demander"), format!("{page}/echanges")] {
            rachid.get(&address).await.is(403).shows("un collègue la traite");
        }
        for address in ["notes", "messages", "affecter", "liberer", "actions/take", "actions/accept", "avis/demander", "echanges"] {
            rachid.post(&format!("{page}/{address}"), &[("version", "1"), ("note", "x"), ("message", "x")]).await.is(403);
        }
        let id = own.id.to_string();
        let several = [("d", id.as_str()), ("action", "affecter"), ("etape", "confirmer")];
        rachid.post("/agent/lot", &several).await;
        let held: Option<Uuid> = portal.db().one(sql!("select holder_id from request where authority_id = $1 and id = $2"), args![portal.city, own.id]).await.unwrap();
        assert_eq!(held, None);
        // The other does, and the other way round.
        nathalie.get("/agent?vue=toutes").await.is(200).shows(&own.reference);
        act(&mut nathalie, &page, "take", &[]).await.is(303);
        rachid.get(&format!("{MINE}/{}", own.id)).await.is(200).shows("En cours d'examen");
        let watchers = nathalie.get(&format!("{page}/acces")).await.is(200).shows("Nathalie Weber");
        assert!(!watchers.html().contains(">Rachid Mansouri</th>") && watchers.html().contains(">Nathalie Weber</th>"));
        act(&mut rachid, &desk(theirs.id), "take", &[]).await.is(303);
        act(&mut rachid, &desk(theirs.id), "accept", &[("faits", "Accordé.")]).await.is(303);
        // Who hands over their requests to whom asked for one of them leaves it to nobody.
        let nathalie_id: Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'nathalie.weber@valmont.example'"), args![portal.city]).await.unwrap();
        let rachid_id: Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'rachid.mansouri@valmont.example'"), args![portal.city]).await.unwrap();
        let hand = format!("/agent/agents/{nathalie_id}/dossiers");
        rachid.post(&hand, &[("service", "ressources-humaines"), ("a", &rachid_id.to_string())]).await.is(303);
        let held: Option<Uuid> = portal.db().one(sql!("select holder_id from request where authority_id = $1 and id = $2"), args![portal.city, own.id]).await.unwrap();
        assert_eq!(held, None);
        // An usager's request is nobody's own there.
        let usagers = portal.client().file("acte-naissance", &birth()).await;
        portal.agent("nadia.benali").await.get(&desk(usagers.id)).await.is(200);
    }

    /// A rule of the circuit gives it to somebody else, and an opinion on it is another's to give.
    async fn neither_a_rule_nor_an_opinion_comes_back_to_who_asks(portal: Portal) {
        let mut sources = catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| *name == format!("{LEAVE}.yaml"));
        let (_, text) = &mut sources.procedures[0];
        text.push_str("    - id: send\n      assign:\n        - when: nature == \"rtt\"\n          to: nathalie.weber@valmont.example\n        - to: turn\n");
        catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap();
        portal.app.catalogue.refresh(portal.city);
        let mut answers = portal.sample(LEAVE).await;
        let mut nathalie = portal.agent("nathalie.weber").await;
        let holder = async |id: Uuid| -> Option<String> {
            let of = sql!("select a.email from request r left join account a on a.authority_id = r.authority_id and a.id = r.holder_id where r.authority_id = $1 and r.id = $2");
            portal.db().one(of, args![portal.city, id]).await.unwrap()
        };
        for _ in 0..3 {
            let one = file(&mut nathalie, LEAVE, &answers).await;
            assert_eq!(holder(one.id).await.as_deref(), Some("rachid.mansouri@valmont.example"));
        }
        answers.set("nature", "rtt");
        let named = file(&mut nathalie, LEAVE, &answers).await;
        assert_eq!(holder(named.id).await, None);

        let mut thierry = portal.agent("thierry.kowalski").await;
        let asked = file(&mut thierry, LEAVE, &answers).await;
        let opinion = Uuid::new_v4();
        let statement = sql!(
            "insert into consultation (authority_id, id, request_id, department_id, expert_name, expert_email, question, fields, pieces, until, asked_at, state)
             values ($1, $2, $3, 'voirie', '', '', 'Peut-il partir ?', '[]', '[]', '2027-01-01', $4, 'open')"
        );
        let (id, now) = (asked.id, portal.app.clock.now());
        portal.db().write(async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), opinion, id, now]).await).await.unwrap();
        let page = format!("/agent/avis-a-rendre/{opinion}");
        thierry.get("/agent/avis-a-rendre").await.is(200).hides("Peut-il partir");
        thierry.get(&page).await.is(404);
        thierry.post(&page, &[("avis", "favorable")]).await.is(404);
        let mut maud = portal.agent("maud.etienne").await;
        maud.get("/agent/avis-a-rendre").await.is(200).shows("Peut-il partir");
        maud.get(&page).await.is(200);

        // Nor a visa.
        let (circuit, step) = (Uuid::new_v4(), Uuid::new_v4());
        portal.db().write(async |tx: &mut db::Tx| {
            let circuits = sql!(
                "insert into approval (authority_id, id, request_id, circuit, title, asked_at, version, asked_by, asker_too, state, fingerprint, letter)
                 select $1, $2, $3, 'absence', 'Absence du service', $4, 1, a.id, $5, 'open', $6, 'null' from account a where a.authority_id = $1 and a.email = 'nathalie.weber@valmont.example'"
            );
            tx.run(circuits, args![tx.authority(), circuit, id, now, false, vec![0_u8; 32]]).await?;
            let steps = sql!(
                "insert into approval_step (authority_id, id, approval_id, position, title, department_id, role, state, until, reason)
                 values ($1, $2, $3, 0, 'Chef de service', 'voirie', 'processor', 'open', '2027-01-01', '')"
            );
            tx.run(steps, args![tx.authority(), step, circuit]).await
        }).await.unwrap();
        let page = format!("/agent/a-viser/{step}");
        thierry.get("/agent/a-viser").await.is(200).hides("Absence du service");
        thierry.get(&page).await.is(404);
        thierry.post(&page, &[("visa", "oui")]).await.is(404);
        maud.get("/agent/a-viser").await.is(200).shows("Absence du service");
        maud.get(&page).await.is(200);
    }

    async fn some_are_for_some_departments(portal: Portal) {
        let publish = async |reserved: &str| {
            let mut sources = catalogue::shipped().unwrap();
            sources.procedures.retain(|(name, _)| name == "demande-materiel.yaml");
            let (_, text) = &mut sources.procedures[0];
            *text = text.replace("audience: [agent]", &format!("audience: [agent]\nreserved-to: [{reserved}]"));
            let done = catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await;
            portal.app.catalogue.refresh(portal.city);
            done
        };
        let told = publish("voirie, inconnu").await.unwrap_err().to_string();
        assert!(told.contains("reserved-to") && told.contains("inconnu"), "{told}");
        let (mut thierry, mut mei) = (portal.agent("thierry.kowalski").await, portal.agent("mei.chen").await);
        let answers = portal.sample("demande-materiel").await;
        let begun = begin(&mut mei, "demande-materiel").await;
        publish("voirie").await.unwrap();
        let address = format!("{LIST}/demande-materiel");
        mei.get(LIST).await.is(200).hides("Demander du matériel").shows("Demander un congé");
        mei.get(&address).await.is(403);
        mei.post(&address, &[]).await.is(403);
        // What was begun before keeps its version, for all agents.
        let check = mei.fill_from(&begun, &answers).await;
        mei.send_checked(&check).await;
        file(&mut thierry, "demande-materiel", &answers).await;
    }

    async fn each_shipped_one_is_filed_and_ends(portal: Portal) {
        let mut mei = portal.agent("mei.chen").await;
        let frais = portal.sample("remboursement-frais").await;
        let filed = file(&mut mei, "remboursement-frais", &frais).await;
        let theirs = desk(filed.id);
        let (mut nathalie, mut rachid) = (portal.agent("nathalie.weber").await, portal.agent("rachid.mansouri").await);
        nathalie.get(&theirs).await.is(200).shows("Indemnité kilométrique").shows("0,32");
        act(&mut nathalie, &theirs, "take", &[]).await.is(303);
        fire(&mut nathalie, &theirs, "check", "montant_retenu", "0,32").await;
        act(&mut rachid, &theirs, "accept", &[("faits", "Remboursé.")]).await.is(303);
        fire(&mut nathalie, &theirs, "close", "mandat", "2026-118").await;
        mei.get(&format!("{MINE}/{}", filed.id)).await.is(200).shows("Terminée").hides("2026-118");

        let materiel = portal.sample("demande-materiel").await;
        let filed = file(&mut mei, "demande-materiel", &materiel).await;
        let theirs = desk(filed.id);
        let mut patrick = portal.agent("patrick.girard").await;
        for (action, fields) in [("take", vec![]), ("accept", vec![("faits", "D’accord.")]), ("order", vec![]), ("close", vec![("message", "Le siège vous attend.")])] {
            act(&mut patrick, &theirs, action, &fields).await.is(303);
        }
        mei.get(&format!("{MINE}/{}", filed.id)).await.is(200).shows("Le siège vous attend").shows("Terminée");
        // And one that is given up.
        let filed = file(&mut mei, "demande-materiel", &materiel).await;
        let mine = format!("{MINE}/{}", filed.id);
        mei.get(&format!("{mine}/annuler")).await.is(200).shows("Annuler votre demande");
        mei.post(&format!("{mine}/annuler"), &[("version", "1")]).await.leads_to(&mine);
        mei.get(&mine).await.is(200).shows("Annulée à votre demande");
        mei.get(MINE).await.is(200).shows("Terminées");
    }

    /// An agent is a person whose data this is: they take it away, and are told who looked.
    async fn it_is_theirs_to_take_away(portal: Portal) {
        let answers = portal.sample(LEAVE).await;
        let mut thierry = portal.agent("thierry.kowalski").await;
        let sent = file(&mut thierry, LEAVE, &answers).await;
        begin(&mut thierry, "demande-materiel").await;
        portal.agent("nathalie.weber").await.get(&desk(sent.id)).await.is(200);
        portal.usager(OTHER_USAGER).await.file("acte-naissance", &birth()).await;
        portal.work().await;
        let zip = thierry.get("/agent/interne/donnees.zip").await.is(200);
        let text = String::from_utf8_lossy(&zip.bytes).into_owned();
        assert!(text.contains("donnees.json") && text.contains(&format!("demandes/{}/", sent.reference)), "its receipt is in it");
        let data = zip.taken_away();
        assert_eq!(data["demandes"].as_array().unwrap().len(), 1);
        assert_eq!((data["demandes"][0]["reference"].as_str().unwrap(), data["brouillons"].as_array().unwrap().len()), (sent.reference.as_str(), 1));
        assert_eq!(data["consultations"][0]["service"], "Service des ressources humaines");
        assert_eq!(data["destinataires"][0]["demarche"], "Demander un congé");
        let line = sql!("select count(*) from journal where authority_id = $1 and action = 'data-exported' and actor_kind = 'agent'");
        let noted: i64 = portal.db().one(line, args![portal.city]).await.unwrap();
        assert_eq!(noted, 1);
        // Nothing of it is in anybody's space of usager, nor in another agent's.
        let zip = portal.agent("nathalie.weber").await.get("/agent/interne/donnees.zip").await.is(200);
        assert!(!String::from_utf8_lossy(&zip.bytes).contains(&sent.reference));
        // A closed access ends all of it at once; the department keeps what was sent.
        let (done, told) = portal.admin(&["close-agent", "--email", "thierry.kowalski@valmont.example", "--reason", "Départ"]);
        assert!(done, "{told}");
        thierry.get(MINE).await.is(303);
        let told = async || portal.outbox().await.iter().filter(|(to, ..)| to == "thierry.kowalski@valmont.example").count();
        let before = told().await;
        act(&mut portal.agent("nathalie.weber").await, &desk(sent.id), "take", &[]).await.is(303);
        assert_eq!(told().await, before, "nobody writes any more to who left");
    }
}
