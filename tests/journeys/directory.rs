//! Agents whose accounts come from the city's directory, a real one.

use std::time::{Duration, Instant};

use db::{args, sql};
use guichet::{
    directory::{self, Declaration, Report},
    work,
};
use jiff::SignedDuration;

use crate::harness::{
    Client, Engine, PASSWORD, Page, Phone, Portal, both,
    peers::slapd::{READER_PASSWORD, Slapd},
};

const INCORRECT: &str = "Adresse ou mot de passe incorrect";
const DOWN: &str = "L’annuaire de la collectivité ne répond pas";

async fn declare(portal: &Portal, declaration: &Declaration) {
    directory::declare(&portal.app, &portal.db(), declaration, Some(READER_PASSWORD)).await.unwrap();
}

/// A city with its directory, and people of the registry office in it.
async fn set(portal: &Portal, names: &[&str]) -> Slapd {
    let slapd = Slapd::start().await;
    for name in names {
        slapd.person(name, &[]).await;
        slapd.join("etat-civil", name).await;
    }
    declare(portal, &slapd.plain()).await;
    slapd
}

async fn attempt(client: &mut Client, email: &str, password: &str) -> Page {
    client.post("/agent/connexion", &[("email", email), ("mot-de-passe", password)]).await
}

async fn refused(portal: &Portal, email: &str, password: &str, why: &str) {
    attempt(&mut portal.client(), email, password).await.is(422).shows(why);
}

async fn enters(portal: &Portal, name: &str) -> Client {
    let mut client = portal.client();
    attempt(&mut client, &format!("{name}@valmont.example"), &format!("mot de passe de {name}")).await.is(303);
    client.get("/agent").await.is(200);
    client
}

async fn sync(portal: &Portal) -> anyhow::Result<Report> {
    directory::sync(&work::visit(&portal.app, portal.city).await.unwrap(), false).await
}

async fn accounts(portal: &Portal) -> i64 {
    portal
        .db()
        .one(sql!("select count(*) from account where authority_id = $1 and kind = 'agent'"), args![portal.city])
        .await
        .unwrap()
}

both! {
    async fn the_directory_judges_passwords(portal: Portal) {
        let slapd = set(&portal, &["amel.kaci", "carla.arret", "denis.fini"]).await;
        slapd.set("carla.arret", "employeeType", "suspendu").await;
        slapd.set("denis.fini", "shadowExpire", "20000").await;
        slapd.person("emma.rien", &[]).await;
        // Another person than the one of this address here.
        slapd.person("nadia.benali", &[]).await;
        slapd.join("chefs", "nadia.benali").await;
        let before = accounts(&portal).await;

        let amel = "amel.kaci@valmont.example";
        refused(&portal, amel, "mot de passe de carla.arret", INCORRECT).await;
        refused(&portal, amel, "", "Saisissez votre mot de passe").await;
        refused(&portal, "inconnu@valmont.example", "mot de passe de amel.kaci", INCORRECT).await;
        refused(&portal, "carla.arret@valmont.example", "mot de passe de carla.arret", INCORRECT).await;
        for login in ["*", "amel*", "amel.kaci@valmont.example)(uid=*", "*)(mail=amel.kaci@valmont.example", "amel.kaci@valmont.example\\2a", "cn=guichet,dc=ville,dc=fr"] {
            refused(&portal, login, "mot de passe de amel.kaci", INCORRECT).await;
        }
        refused(&portal, "emma.rien@valmont.example", "mot de passe de emma.rien", "n’ouvre pas l’espace agent").await;
        refused(&portal, "nadia.benali@valmont.example", "mot de passe de nadia.benali", INCORRECT).await;
        assert_eq!(accounts(&portal).await, before, "nobody came in");

        let mut client = enters(&portal, "amel.kaci").await;
        client.get("/agent").await.shows("À traiter");
        let kept: Option<String> = portal.db().one(sql!("select password_hash from account where authority_id = $1 and email = $2"), args![portal.city, amel]).await.unwrap();
        assert_eq!(kept, None);
        enters(&portal, "amel.kaci").await;
        assert_eq!(accounts(&portal).await, before + 1, "made once");
        refused(&portal, amel, PASSWORD, INCORRECT).await;
        refused(&portal, "denis.fini@valmont.example", "mot de passe de denis.fini", "pris fin le 3 octobre 2024").await;

        // Accounts of this place go on, and a new password is not ours to give.
        portal.agent("nadia.benali").await.get("/agent").await.is(200);
        portal.client().post("/mot-de-passe-oublie?espace=agent", &[("email", amel)]).await.is(200);
        let mails = portal.outbox().await;
        assert!(mails.len() == 1 && mails[0].1.contains("celui de l’annuaire") && !mails[0].2.contains("/mot-de-passe/"), "{mails:?}");
        // What an open session alone may not do asks the directory too; our second factor is asked after it.
        let right = "mot de passe de amel.kaci";
        client.post("/agent/securite/second-facteur", &[("mot-de-passe-activer", "faux")]).await.is(422);
        let page = client.post("/agent/securite/second-facteur", &[("mot-de-passe-activer", right)]).await.is(200);
        let (phone, form) = (Phone::reading(&page), page.form("cle"));
        client.post_form(&form.action, &form.clone().with("code", &phone.code(&portal, 0)).fields).await.is(200);
        let mut other = portal.client();
        attempt(&mut other, amel, right).await.is(200).shows("Saisissez votre code");
        other.get("/agent").await.is(303);
    }

    async fn whoever_leaves_the_directory_is_cut(portal: Portal) {
        let slapd = set(&portal, &["amel.kaci", "bruno.petit", "chloe.roy", "diane.sy"]).await;
        slapd.join("chefs", "bruno.petit").await;
        let (mut amel, mut bruno, mut chloe) = (enters(&portal, "amel.kaci").await, enters(&portal, "bruno.petit").await, enters(&portal, "chloe.roy").await);
        enters(&portal, "diane.sy").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 4, cut: 0, back: 0 });

        // Out of the group: out at the next reading.
        slapd.quit("etat-civil", "amel.kaci").await;
        slapd.set("chloe.roy", "sn", "Roy-Martin").await;
        slapd.set("chloe.roy", "shadowExpire", "20789").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 3, cut: 1, back: 0 });
        amel.get("/agent").await.is(303);
        refused(&portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", "n’ouvre pas l’espace agent").await;
        let page = bruno.get("/agent/agents").await.is(200).shows("Roy-Martin").shows("1er décembre 2026");
        assert!(!page.words().contains("amel.kaci"), "{}", page.words());
        let id: uuid::Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'chloe.roy@valmont.example'"), args![portal.city]).await.unwrap();
        bruno.get(&format!("/agent/agents/{id}")).await.is(200).shows("L’annuaire de la collectivité fixe la fin").shows("L’annuaire de la collectivité donne ce rôle");
        bruno.post(&format!("/agent/agents/{id}/retirer"), &[("service", "etat-civil")]).await.is(403);
        bruno.post(&format!("/agent/agents/{id}/fin"), &[]).await.is(403);

        // And back with it; but not who was cut here.
        slapd.join("etat-civil", "amel.kaci").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 3, cut: 0, back: 1 });
        enters(&portal, "amel.kaci").await;
        assert!(portal.admin(&["close-agent", "--email", "diane.sy@valmont.example"]).0);
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 3, cut: 0, back: 0 });
        refused(&portal, "diane.sy@valmont.example", "mot de passe de diane.sy", INCORRECT).await;

        // The role follows the groups.
        slapd.quit("chefs", "bruno.petit").await;
        sync(&portal).await.unwrap();
        bruno.get("/agent/agents").await.is(403);
        slapd.remove("chloe.roy").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 2, cut: 1, back: 0 });
        chloe.get("/agent").await.is(303);
    }

    async fn a_large_cut_waits_for_somebody_to_look(portal: Portal) {
        let slapd = set(&portal, &["amel.kaci", "bruno.petit", "chloe.roy", "diane.sy"]).await;
        slapd.join("chefs", "bruno.petit").await;
        let mut amel = enters(&portal, "amel.kaci").await;
        let mut bruno = enters(&portal, "bruno.petit").await;
        enters(&portal, "chloe.roy").await;
        enters(&portal, "diane.sy").await;
        slapd.remove("amel.kaci").await;
        slapd.quit("etat-civil", "diane.sy").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Held { lost: 2, of: 4 });
        amel.get("/agent").await.is(200);
        bruno.get("/agent/agents").await.is(200).shows("elle couperait 2 agents sur 4").shows("diane.sy");
        let (done, said) = portal.admin(&["sync-directory"]);
        assert!(!done && said.contains("2 of 4"), "{said}");
        let (done, said) = portal.admin(&["sync-directory", "--accept-cut"]);
        assert!(done && said.contains("2 agents up to date, 2 cut"), "{said}");
        amel.get("/agent").await.is(303);
        bruno.get("/agent/agents").await.is(200).hides("elle couperait");
    }

    async fn a_broken_directory_stops_only_its_own(portal: Portal) {
        let mut slapd = set(&portal, &["amel.kaci"]).await;
        let mut amel = enters(&portal, "amel.kaci").await;
        slapd.stop();
        refused(&portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", DOWN).await;
        // Nobody learns from it which accounts there are.
        refused(&portal, "inconnu@valmont.example", "n'importe quoi", DOWN).await;
        refused(&portal, "nadia.benali@valmont.example", "n'importe quoi", DOWN).await;
        let mut bruno = portal.agent("nadia.benali").await;
        bruno.get("/agent").await.is(200);
        assert!(sync(&portal).await.is_err());
        amel.get("/agent").await.is(200);
        portal.agent("claire.daubigny").await.get("/agent/agents").await.is(200).shows("L’annuaire ne peut pas être lu");

        // One that takes the call and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldap://127.0.0.1:{}", silent.local_addr().unwrap().port());
        declare(&portal, &slapd.declaration(&url, "")).await;
        let start = Instant::now();
        refused(&portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", DOWN).await;
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        portal.agent("herve.le-goff").await.get("/agent").await.is(200);

        slapd.resume().await;
        declare(&portal, &slapd.plain()).await;
        portal.later(SignedDuration::from_hours(2));
        enters(&portal, "amel.kaci").await;
        // Read under another name: nothing is read, so nobody is cut.
        directory::declare(&portal.app, &portal.db(), &slapd.plain(), Some("faux")).await.unwrap();
        assert!(sync(&portal).await.is_err());
        enters_not(&portal).await;
    }

    async fn only_a_trusted_directory_is_spoken_to(portal: Portal) {
        let slapd = set(&portal, &["amel.kaci"]).await;
        let url = format!("ldaps://localhost:{}", slapd.tls_port);
        declare(&portal, &slapd.declaration(&url, "")).await;
        refused(&portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", DOWN).await;
        declare(&portal, &slapd.declaration(&url, "ca = \"cert.pem\"")).await;
        enters(&portal, "amel.kaci").await;
        // StartTLS on the plain door.
        declare(&portal, &slapd.declaration(&format!("ldap://localhost:{}", slapd.port), "ca = \"cert.pem\"")).await;
        enters(&portal, "amel.kaci").await;
        declare(&portal, &slapd.declaration(&format!("ldap://localhost:{}", slapd.port), "")).await;
        refused(&portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", DOWN).await;
    }

    async fn an_account_made_here_is_given_to_the_directory(portal: Portal) {
        let slapd = set(&portal, &["nadia.benali"]).await;
        let before = accounts(&portal).await;
        refused(&portal, "nadia.benali@valmont.example", "mot de passe de nadia.benali", INCORRECT).await;
        assert!(portal.admin(&["from-directory", "--email", "nadia.benali@valmont.example"]).0);
        refused(&portal, "nadia.benali@valmont.example", PASSWORD, INCORRECT).await;
        enters(&portal, "nadia.benali").await;
        assert_eq!(accounts(&portal).await, before);
        // From now on by what names her there, whatever her address.
        slapd.set("nadia.benali", "mail", "nadia.moreau@valmont.example").await;
        assert_eq!(sync(&portal).await.unwrap(), Report::Done { kept: 1, cut: 0, back: 0 });
        let mut client = portal.client();
        attempt(&mut client, "nadia.moreau@valmont.example", "mot de passe de nadia.benali").await.is(303);
        assert_eq!(accounts(&portal).await, before);
        let (done, said) = portal.admin(&["remove-directory"]);
        assert!(done, "{said}");
        refused(&portal, "nadia.moreau@valmont.example", "mot de passe de nadia.benali", INCORRECT).await;
    }
}

async fn enters_not(portal: &Portal) {
    refused(portal, "amel.kaci@valmont.example", "mot de passe de amel.kaci", DOWN).await;
}
