//! Agents who leave: on a day, at once, and what they were working on.

use db::{args, sql};
use guichet::requests::sweep;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::harness::{Client, Engine, PASSWORD, Page, Portal, both, journey::birth};

const NADIA: &str = "nadia.benali@valmont.example";
const CLAIRE: &str = "claire.daubigny@valmont.example";
const HERVE: &str = "herve.le-goff@valmont.example";

async fn id(portal: &Portal, email: &str) -> Uuid {
    let query = sql!("select id from account where authority_id = $1 and kind = 'agent' and email = $2");
    portal.db().one(query, args![portal.city, email]).await.unwrap()
}

async fn set_end(manager: &mut Client, agent: Uuid, day: &str, month: &str, year: &str) -> Page {
    let fields = [("fin.jour", day), ("fin.mois", month), ("fin.annee", year)];
    manager.post(&format!("/agent/agents/{agent}/fin"), &fields).await
}

/// A request that the agent has taken charge of; gives its id.
async fn taken(portal: &Portal, agent: &mut Client) -> String {
    let filed = portal.client().file("acte-naissance", &birth()).await;
    agent.post(&format!("/agent/demandes/{}/affecter", filed.id), &[]).await.is(303);
    filed.id.to_string()
}

async fn mails_to(portal: &Portal, email: &str, subject: &str) -> Vec<String> {
    let all = portal.outbox().await;
    all.into_iter()
        .filter(|(to, found, _)| to == email && found.contains(subject))
        .map(|(_, _, body)| body.replace('\u{a0}', " "))
        .collect()
}

async fn refused(portal: &Portal, email: &str) -> Page {
    portal.client().post("/agent/connexion", &[("email", email), ("mot-de-passe", PASSWORD)]).await.is(422)
}

both! {
    async fn an_access_ends_with_its_last_day(portal: Portal) {
        let nadia = id(&portal, NADIA).await;
        let mut claire = portal.agent("claire.daubigny").await;
        claire.get("/agent").await.is(200);
        claire.get("/agent/agents").await.is(200).shows("Nadia Benali").shows("Sans fin").shows("Hervé Le Goff").hides("Fatoumata");
        let page = set_end(&mut claire, nadia, "16", "11", "2026").await.is(422).shows("un jour à venir");
        assert_eq!(page.form("fin.jour").value("fin.jour"), "16", "what was typed stays");
        set_end(&mut claire, nadia, "31", "11", "2026").await.is(422).shows("une date qui existe");
        let done = set_end(&mut claire, nadia, "30", "11", "2026").await;
        claire.follow(&done).await.is(200).shows("La fin d’accès est enregistrée");
        claire.get("/agent/agents").await.shows("30 novembre 2026");

        // 21 h in Paris, on the last day; then half past midnight.
        portal.later(SignedDuration::from_hours(13 * 24 + 11));
        let mut agent = portal.agent("nadia.benali").await;
        agent.get("/agent").await.is(200).shows("prend fin le 30 novembre 2026");
        portal.later(SignedDuration::from_mins(210));
        agent.get("/agent").await.leads_to("/agent/connexion?suite=/agent");
        refused(&portal, NADIA).await.shows("Votre accès a pris fin le 30 novembre 2026");
        sweep::all(&portal.app).await.unwrap();
        let open: i64 = portal.db().one(sql!("select count(*) from session where authority_id = $1 and account_id = $2"), args![portal.city, nadia]).await.unwrap();
        assert_eq!(open, 0);

        let mut claire = portal.agent("claire.daubigny").await;
        claire.get("/agent/agents").await.shows("Accès terminé");
        set_end(&mut claire, nadia, "", "", "").await.is(303);
        let mut agent = portal.agent("nadia.benali").await;
        agent.get("/agent/securite").await.is(200).shows("Fin d’accès changée").shows("Dernier jour d’accès : 30 novembre 2026").shows("Aucune fin prévue");
    }

    async fn an_end_that_comes_near_is_told_once(portal: Portal) {
        let nadia = id(&portal, NADIA).await;
        let mut claire = portal.agent("claire.daubigny").await;
        set_end(&mut claire, nadia, "2", "12", "2026").await.is(303);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.outbox().await.len(), 0, "more than two weeks before");
        portal.later(SignedDuration::from_hours(24));
        for _ in 0..2 {
            sweep::all(&portal.app).await.unwrap();
        }
        let (own, theirs) = ("Votre accès", "Un agent de votre service");
        assert!(mails_to(&portal, NADIA, own).await[0].contains("2 décembre 2026"));
        let told = mails_to(&portal, CLAIRE, theirs).await;
        assert!(told.len() == 1 && told[0].contains("Nadia Benali") && told[0].contains("/agent/agents"), "{told:?}");
        assert_eq!(portal.outbox().await.len(), 2, "nobody else, and once");
        // Another day is told anew.
        let mut claire = portal.agent("claire.daubigny").await;
        set_end(&mut claire, nadia, "1", "12", "2026").await.is(303);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(mails_to(&portal, NADIA, own).await.len(), 2);
    }

    async fn who_is_cut_leaves_at_once_and_stays_named(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        let request = taken(&portal, &mut nadia).await;
        let (done, said) = portal.admin(&["close-agent", "--email", NADIA, "--reason", "Départ"]);
        assert!(done && said.contains("etat-civil: still holds 1 requests"), "{said}");
        assert!(!portal.admin(&["close-agent", "--email", NADIA]).0, "once");
        nadia.get("/agent").await.is(303);
        refused(&portal, NADIA).await.shows("Adresse ou mot de passe incorrect");
        let mut claire = portal.agent("claire.daubigny").await;
        claire.get("/agent/agents").await.shows("Accès terminé").shows("Confier ces dossiers");
        claire.get(&format!("/agent/demandes/{request}?onglet=historique")).await.shows("Nadia Benali").shows("Dossier affecté");
        assert!(portal.admin(&["open-agent", "--email", NADIA]).0);
        portal.agent("nadia.benali").await.get("/agent").await.is(200);
    }

    async fn what_an_agent_holds_is_handed_over(portal: Portal) {
        let (nadia, herve) = (id(&portal, NADIA).await, id(&portal, HERVE).await);
        let mut agent = portal.agent("nadia.benali").await;
        let one = taken(&portal, &mut agent).await;
        taken(&portal, &mut agent).await;
        let before = portal.outbox().await.len();
        let mut claire = portal.agent("claire.daubigny").await;
        let done = set_end(&mut claire, nadia, "30", "11", "2026").await;
        claire.follow(&done).await.shows("2 dossiers à confier avant son départ");
        let path = format!("/agent/agents/{nadia}/dossiers");
        let asked = format!("{path}?service=etat-civil");
        claire.get(&asked).await.is(200).shows("2 dossiers en cours").shows("Demander un acte de naissance").shows("Hervé Le Goff").hides("Nadia Benali (");
        claire.post(&path, &[("service", "etat-civil"), ("a", "")]).await.is(422).shows("Choisissez un collègue");
        let outsider = id(&portal, "fatoumata.diallo@valmont.example").await.to_string();
        claire.post(&path, &[("service", "etat-civil"), ("a", &outsider)]).await.is(422).shows("ne peut pas recevoir");
        claire.post(&path, &[("service", "elections"), ("a", &herve.to_string())]).await.is(404);
        let done = claire.post(&path, &[("service", "etat-civil"), ("a", &herve.to_string())]).await.leads_to("/agent/agents?fait=confies");
        claire.follow(&done).await.shows("Les dossiers sont confiés");
        claire.post(&path, &[("service", "etat-civil"), ("a", &herve.to_string())]).await.is(404);
        let told = mails_to(&portal, HERVE, "Des dossiers vous sont confiés").await;
        assert!(told.len() == 1 && told[0].contains("2 dossiers que suivait Nadia Benali"), "{told:?}");
        assert_eq!(portal.outbox().await.len(), before + 1, "one mail for all");
        let mut receiver = portal.agent("herve.le-goff").await;
        receiver.get(&format!("/agent/demandes/{one}?onglet=historique")).await.shows("Dossier confié à Hervé Le Goff").shows("Claire d’Aubigny").shows("Nadia Benali");
        receiver.get(&format!("/agent/demandes/{one}")).await.shows("Pris en charge par vous");
    }

    async fn hundreds_are_handed_over_in_batches(portal: Portal) {
        let (nadia, herve) = (id(&portal, NADIA).await, id(&portal, HERVE).await);
        let mut agent = portal.agent("nadia.benali").await;
        let of: Uuid = taken(&portal, &mut agent).await.parse().unwrap();
        portal.db().write(async |tx: &mut db::Tx| {
            for _ in 0..449 {
                let id = Uuid::new_v4();
                tx.run(
                    sql!(
                        "insert into request (authority_id, id, reference, procedure_id, procedure_version, department_id, answers, state, status, ended,
                           holder_id, submitted_at, updated_at, due_at, version)
                         select authority_id, $3, $4, procedure_id, procedure_version, department_id, answers, state, status, ended,
                           holder_id, submitted_at, updated_at, due_at, version from request where authority_id = $1 and id = $2"
                    ),
                    args![tx.authority(), of, id, id.to_string()],
                ).await?;
            }
            Ok::<(), db::Error>(())
        }).await.unwrap();
        let before = portal.outbox().await.len();
        let (done, said) = portal.admin(&["hand-over", "--from", NADIA, "--to", HERVE, "--dry-run"]);
        assert!(done && said.contains("acte-naissance: 450 requests"), "{said}");
        let (done, said) = portal.admin(&["hand-over", "--from", NADIA, "--to", "fatoumata.diallo@valmont.example"]);
        assert!(!done && said.contains("does not process requests there"), "{said}");
        let (done, said) = portal.admin(&["hand-over", "--from", NADIA, "--to", HERVE]);
        assert!(done && said.contains("450 requests handed over"), "{said}");
        let held = async |who: Uuid| -> i64 {
            portal.db().one(sql!("select count(*) from request where authority_id = $1 and holder_id = $2"), args![portal.city, who]).await.unwrap()
        };
        assert_eq!((held(nadia).await, held(herve).await), (0, 450));
        let told: i64 = portal.db().one(sql!("select count(*) from request_event where authority_id = $1 and code = 'handed'"), args![portal.city]).await.unwrap();
        assert_eq!(told, 450);
        // The command works at the present time of the machine.
        portal.later(SignedDuration::from_hours(24 * 365 * 10));
        assert_eq!(portal.outbox().await.len(), before + 1);
    }

    async fn who_leaves_a_department_leaves_its_requests(portal: Portal) {
        let nadia = id(&portal, NADIA).await;
        let mut agent = portal.agent("nadia.benali").await;
        let request = taken(&portal, &mut agent).await;
        let mut claire = portal.agent("claire.daubigny").await;
        let base = format!("/agent/agents/{nadia}");
        claire.post(&format!("{base}/retirer"), &[("service", "education")]).await.is(404);
        let done = claire.post(&format!("{base}/retirer"), &[("service", "etat-civil")]).await.leads_to(&format!("{base}/dossiers?service=etat-civil"));
        agent.get(&format!("/agent/demandes/{request}")).await.is(404);
        claire.get(&base).await.is(404);
        claire.get("/agent/agents").await.shows("n’appartiennent plus au service").shows("confier 1 dossier");
        claire.follow(&done).await.is(200).shows("Personne : libérer les dossiers");
        claire.post(&format!("{base}/dossiers"), &[("service", "etat-civil"), ("a", "personne")]).await.leads_to("/agent/agents?fait=liberes");
        claire.get(&format!("/agent/demandes/{request}?onglet=historique")).await.shows("Dossier libéré");
    }

    async fn a_manager_has_no_power_beyond_their_departments(portal: Portal) {
        let (claire, thierry) = (id(&portal, CLAIRE).await, id(&portal, "thierry.kowalski@valmont.example").await);
        let mut manager = portal.agent("claire.daubigny").await;
        manager.get(&format!("/agent/agents/{claire}")).await.is(200).shows("votre propre accès");
        set_end(&mut manager, claire, "30", "11", "2026").await.is(403);
        manager.post(&format!("/agent/agents/{claire}/retirer"), &[("service", "elections")]).await.is(403);
        // Of two departments, of which Maud manages one.
        let mut maud = portal.agent("maud.etienne").await;
        maud.get(&format!("/agent/agents/{thierry}")).await.is(200).shows("appartient aussi à d’autres services").hides("déchets");
        set_end(&mut maud, thierry, "30", "11", "2026").await.is(403);
        maud.post(&format!("/agent/agents/{thierry}/retirer"), &[("service", "dechets")]).await.is(404);
        maud.post(&format!("/agent/agents/{thierry}/retirer"), &[("service", "voirie")]).await.leads_to("/agent/agents?fait=retire");
        portal.agent("thierry.kowalski").await.get("/agent").await.is(200);
    }

    async fn a_new_agent_chooses_their_own_password(portal: Portal) {
        let email = "zoe.saison@valmont.example";
        let (done, said) = portal.admin(&["add-agent", "--email", email, "--first-name", "Zoé", "--last-name", "Saison", "--quality", "Renfort d’été", "--member", "etat-civil:processor", "--ends-on", "2200-08-31"]);
        assert!(done, "{said}");
        refused(&portal, email).await;
        portal.later(SignedDuration::from_hours(24 * 365 * 10));
        let mail = mails_to(&portal, email, "Votre compte d’agent est ouvert").await.remove(0);
        let path = mail.lines().find_map(|line| line.strip_prefix("http://ville.test")).unwrap().to_owned();
        let mut zoe = portal.client();
        zoe.get(&path).await.is(200);
        zoe.post(&path, &[("mot-de-passe", "trois girafes mauves")]).await.leads_to("/agent/connexion?fait=mot-de-passe");
        zoe.post("/agent/connexion", &[("email", email), ("mot-de-passe", "trois girafes mauves")]).await.is(303);
        zoe.get("/agent").await.is(200);
        let (done, said) = portal.admin(&["end-sessions", "--email", email]);
        assert!(done && said.contains("1 accounts"), "{said}");
        zoe.get("/agent").await.is(303);
        zoe.post("/agent/connexion", &[("email", email), ("mot-de-passe", "trois girafes mauves")]).await.is(303);
        let mut usager = portal.usager(crate::harness::USAGER).await;
        let (done, said) = portal.admin(&["end-sessions", "--everybody"]);
        assert!(done && said.contains("2 accounts"), "{said}");
        zoe.get("/agent").await.is(303);
        usager.get("/compte").await.is(303);
        assert!(portal.admin(&["end-agent", "--email", email, "--on", "2020-01-01"]).0);
        portal.client().post("/agent/connexion", &[("email", email), ("mot-de-passe", "trois girafes mauves")]).await.is(422).shows("pris fin le 1er janvier 2020");
        assert!(portal.admin(&["end-agent", "--email", email, "--never"]).0);
        zoe.post("/agent/connexion", &[("email", email), ("mot-de-passe", "trois girafes mauves")]).await.is(303);
    }
}
