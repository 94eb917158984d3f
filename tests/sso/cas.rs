//! The CAS server.

use jiff::SignedDuration;

use super::{declare, leads, parameter, walk};
use crate::harness::{
    Client, Engine, OTHER_USAGER, Portal, USAGER,
    acting::{act, declare_club},
    both,
    scene::Scene,
};
use guichet::platform::encode;

pub const MEDIA: &str = "id = \"media\"\nname = \"Médiathèque\"\nclaims = [\"given_name\", \"family_name\", \"email\"]\n[cas]\nservices = [\"https://media.test/app\"]\n";
pub const SPORT: &str =
    "id = \"sport\"\nname = \"Sport\"\nclaims = [\"login\"]\n[cas]\nservices = [\"https://sport.test/\"]\n";
const SERVICE: &str = "https://media.test/app/retour?x=é&y";

pub fn login(service: &str) -> String {
    format!("/cas/login?service={}", encode(service))
}

pub async fn ticket(browser: &mut Client, service: &str) -> String {
    let to = walk(browser, &login(service)).await;
    parameter(&to, "ticket").unwrap_or_else(|| panic!("no ticket in {to}"))
}

pub async fn validate(portal: &Portal, door: &str, service: &str, ticket: &str) -> String {
    let path = format!("/cas/{door}?service={}&ticket={ticket}", encode(service));
    let page = portal.client().get(&path).await.is(200);
    assert_eq!(page.header("cache-control"), "no-store");
    page.html().to_owned()
}

#[track_caller]
pub fn refused(text: &str, code: &str) {
    assert!(text.contains(&format!("code=\"{code}\"")) && !text.contains("cas:user"), "{text}");
}

fn user(text: &str) -> &str {
    text.split_once("<cas:user>").unwrap_or_else(|| panic!("{text}")).1.split('<').next().unwrap()
}

both! {
    async fn a_person_enters_with_their_account(portal: Portal) {
        declare(&portal, MEDIA).await;
        let mut person = portal.client();
        let page = person.get(&login(SERVICE)).await.is(303);
        assert!(page.location().starts_with("/connexion?suite="), "{}", page.location());
        // What will be given is told, with the values, and nothing else is.
        person.sign_in("/connexion", USAGER).await;
        let page = person.get(&login(SERVICE)).await.is(200).shows("Médiathèque recevra").shows("Camille").shows(USAGER);
        page.hides("téléphone");
        let to = walk(&mut person, &login(SERVICE)).await;
        let ticket = parameter(&to, "ticket").unwrap();
        assert_eq!(to, format!("https://media.test/app/retour?x=%C3%A9&y&ticket={ticket}"));
        assert!(ticket.starts_with("ST-") && ticket.len() <= 32);
        let answer = validate(&portal, "p3/serviceValidate", SERVICE, &ticket).await;
        for part in ["<cas:givenName>Camille</cas:givenName>", "<cas:sn>Martin</cas:sn>", &format!("<cas:mail>{USAGER}</cas:mail>")] {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
        let first = user(&answer).to_owned();
        assert_eq!(first.len(), 43);
        // Once agreed, straight through; the same name each time, and no attribute for CAS 2.
        let page = person.get(&login(SERVICE)).await.is(303);
        let ticket = parameter(page.location(), "ticket").unwrap();
        let answer = validate(&portal, "serviceValidate", SERVICE, &ticket).await;
        assert_eq!(user(&answer), first);
        assert!(!answer.contains("attributes"));
        let ticket = parameter(person.get(&login(SERVICE)).await.location(), "ticket").unwrap();
        assert_eq!(validate(&portal, "validate", SERVICE, &ticket).await, format!("yes\n{first}\n"));
        let ticket = parameter(person.get(&login(SERVICE)).await.location(), "ticket").unwrap();
        let path = format!("/cas/p3/serviceValidate?format=JSON&service={}&ticket={ticket}", encode(SERVICE));
        let page = portal.client().get(&path).await.is(200);
        assert_eq!(page.header("content-type"), "application/json");
        let json: serde_json::Value = serde_json::from_slice(&page.bytes).unwrap();
        assert_eq!(json["serviceResponse"]["authenticationSuccess"]["user"], first);
        // Without a service, there is nothing to enter but the account.
        person.get("/cas/login").await.leads_to("/compte");
    }

    async fn services_cannot_join_their_files(portal: Portal) {
        declare(&portal, MEDIA).await;
        declare(&portal, &SPORT.replace("\"login\"", "")).await;
        let (mut one, mut other) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let mut names = Vec::new();
        for browser in [&mut one, &mut other] {
            for service in ["https://media.test/app", "https://sport.test/"] {
                let ticket = ticket(browser, service).await;
                names.push(user(&validate(&portal, "serviceValidate", service, &ticket).await).to_owned());
            }
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 4, "{names:?}");
        // The clear login goes only where it was declared.
        declare(&portal, SPORT).await;
        one.get(&login("https://sport.test/")).await.is(200).shows("peuvent rapprocher");
        let ticket = ticket(&mut one, "https://sport.test/").await;
        assert_eq!(validate(&portal, "validate", "https://sport.test/", &ticket).await, format!("yes\n{USAGER}\n"));
    }

    async fn tickets_are_good_once_for_one_service(portal: Portal) {
        declare(&portal, MEDIA).await;
        declare(&portal, SPORT).await;
        let mut person = portal.usager(USAGER).await;
        let used = ticket(&mut person, SERVICE).await;
        assert!(validate(&portal, "serviceValidate", SERVICE, &used).await.contains("authenticationSuccess"));
        refused(&validate(&portal, "serviceValidate", SERVICE, &used).await, "INVALID_TICKET");
        // Shown by another service: refused, and worth nothing any more to its own.
        for wrong in ["https://sport.test/", "https://media.test/app", "https://media.test/app/retour?x=e&y", ""] {
            let stolen = ticket(&mut person, SERVICE).await;
            let code = if wrong.is_empty() { "INVALID_REQUEST" } else { "INVALID_SERVICE" };
            refused(&validate(&portal, "serviceValidate", wrong, &stolen).await, code);
            refused(&validate(&portal, "serviceValidate", SERVICE, &stolen).await, "INVALID_TICKET");
        }
        let late = ticket(&mut person, SERVICE).await;
        portal.later(SignedDuration::from_secs(121));
        refused(&validate(&portal, "serviceValidate", SERVICE, &late).await, "INVALID_TICKET");
        assert_eq!(validate(&portal, "validate", SERVICE, "ST-INCONNU").await, "no\n\n");
        refused(&validate(&portal, "serviceValidate", SERVICE, "").await, "INVALID_REQUEST");
        // Of a session that has ended.
        let left = ticket(&mut person, SERVICE).await;
        person.post("/deconnexion", &[]).await.is(303);
        refused(&validate(&portal, "serviceValidate", SERVICE, &left).await, "INVALID_TICKET");
        // The database never knew them.
        let kept = portal.count("sso_ticket").await;
        assert_eq!(kept, 0);
    }

    async fn nobody_is_sent_to_an_undeclared_service(portal: Portal) {
        declare(&portal, MEDIA).await;
        let mut person = portal.usager(USAGER).await;
        for service in [
            "https://autre.test/app",
            "https://media.test/application",
            "https://media.test/app/../admin",
            "http://media.test/app",
            "https://media.test:8443/app",
            "https://media.test@autre.test/app",
            "//media.test/app",
            "javascript:alert(1)",
            "%",
        ] {
            for more in ["", "&gateway=true", "&renew=true"] {
                let page = person.get(&format!("{}{more}", login(service))).await.is(400).shows("n'est pas connu");
                assert_eq!((page.location(), page.header("refresh")), ("", ""));
            }
            let page = portal.client().get(&format!("{}&gateway=true", login(service))).await.is(400);
            assert_eq!(page.location(), "");
            let mut leaving = portal.usager(OTHER_USAGER).await;
            let page = leaving.get(&format!("/cas/logout?service={}&url={}", encode(service), encode(service))).await.is(200);
            assert_eq!((page.location(), page.header("refresh")), ("", ""));
        }
        let page = person.get(&format!("/cas/logout?service={}", encode(SERVICE))).await.is(303);
        assert!(page.location().starts_with("https://media.test/app/"));
        person.get("/compte").await.is(303);
    }

    async fn gateway_asks_nothing_and_renew_asks_again(portal: Portal) {
        declare(&portal, MEDIA).await;
        let gateway = format!("{}&gateway=true", login(SERVICE));
        let mut person = portal.client();
        let page = person.get(&gateway).await.is(303);
        assert_eq!(page.location(), "https://media.test/app/retour?x=%C3%A9&y");
        person.sign_in("/connexion", USAGER).await;
        // Signed in, but nothing agreed: still nothing asked.
        assert_eq!(parameter(person.get(&gateway).await.is(303).location(), "ticket"), None);
        let entered = ticket(&mut person, SERVICE).await;
        let with = |ticket: &str| format!("/cas/serviceValidate?renew=true&service={}&ticket={ticket}", encode(SERVICE));
        refused(portal.client().get(&with(&entered)).await.html(), "INVALID_TICKET");
        assert!(parameter(person.get(&gateway).await.location(), "ticket").is_some());

        portal.later(SignedDuration::from_secs(60));
        let renew = format!("{}&renew=true&gateway=true", login(SERVICE));
        let asked = person.get(&renew).await.is(303).location().to_owned();
        assert!(asked.starts_with("/connexion?encore=oui&suite="), "{asked}");
        // Coming back without having signed in again, or with a mark of one's own, asks again.
        let back = parameter(&format!("http://x{asked}"), "suite").unwrap();
        assert!(person.get(&back).await.location().starts_with("/connexion?encore=oui"));
        let forged = format!("{renew}&depuis=0.AAAAAAAAAA");
        assert!(person.get(&forged).await.location().starts_with("/connexion?encore=oui"));
        portal.later(SignedDuration::from_secs(5));
        let to = walk(&mut person, &renew).await;
        let answer = portal.client().get(&with(&parameter(&to, "ticket").unwrap())).await;
        assert!(answer.html().contains("authenticationSuccess"), "{}", answer.html());
        // The mark does not serve tomorrow.
        portal.later(SignedDuration::from_mins(16));
        assert!(person.get(&back).await.location().starts_with("/connexion?encore=oui"));
    }

    /// An application would take who acts for somebody for themself: they come back to themself first.
    async fn nobody_enters_in_another_name(portal: Portal) {
        declare(&portal, MEDIA).await;
        let mut person = portal.usager(USAGER).await;
        ticket(&mut person, SERVICE).await;
        let club = declare_club(&mut person).await;
        act(&mut person, &format!("organisation:{club}")).await;
        let page = person.get(&login(SERVICE)).await.is(403).shows("Cette page ne s’ouvre qu’en votre nom");
        // Where nothing may be shown, nobody is signed in.
        let gateway = format!("{}&gateway=true", login(SERVICE));
        assert_eq!(parameter(person.get(&gateway).await.is(303).location(), "ticket"), None);
        let form = page.form("suite").clone().with("pour", "moi");
        person.submit(&page, &form, &form.fields).await.leads_to(&login(SERVICE));
        ticket(&mut person, SERVICE).await;
    }

    /// Each city has its applications; a ticket of one is nothing to another.
    async fn another_city_knows_none_of_it(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        declare(&scene.portal, MEDIA).await;
        assert_eq!(leads(&scene.abroad.get(&login(SERVICE)).await.is(400)), None);
        let taken = ticket(&mut scene.owner, SERVICE).await;
        let path = format!("/cas/serviceValidate?service={}&ticket={taken}", encode(SERVICE));
        refused(scene.abroad.get(&path).await.html(), "INVALID_TICKET");
        assert!(validate(&scene.portal, "serviceValidate", SERVICE, &taken).await.contains("authenticationSuccess"));
        let (here, abroad) = (scene.nobody.get("/oidc/jwks").await.is(200), scene.abroad.get("/oidc/jwks").await.is(200));
        assert_ne!(here.bytes, abroad.bytes);
    }

    async fn who_refuses_gives_nothing(portal: Portal) {
        declare(&portal, MEDIA).await;
        let mut person = portal.usager(USAGER).await;
        let page = person.get(&login(SERVICE)).await.is(200);
        let form = page.form("choix").with("choix", "refuser");
        let back = person.post_form(&form.action, &form.fields).await.is(303);
        let page = person.follow(&back).await.is(200).shows("Vous avez refusé");
        assert_eq!(leads(&page), None);
        person.get("/compte/services").await.is(200).shows("Aucun service");
        // Agreed, then taken back: asked again.
        ticket(&mut person, SERVICE).await;
        let page = person.get("/compte/services").await.is(200).shows("Médiathèque").shows("Votre adresse électronique");
        let form = page.form("service");
        person.post_form(&form.action, &form.fields).await.leads_to("/compte/services?fait=retire");
        person.get(&login(SERVICE)).await.is(200).shows("Médiathèque recevra");
        // More than was agreed is asked too.
        ticket(&mut person, SERVICE).await;
        declare(&portal, &MEDIA.replace("\"email\"", "\"email\", \"phone_number\"")).await;
        person.get(&login(SERVICE)).await.is(200).shows("téléphone");
        let data = person.data().await;
        assert_eq!(data["services_connectes"][0]["service"], "Médiathèque");
        // Another site cannot agree in somebody's name.
        person.origin = Some("https://media.test".into());
        person.post("/services/autoriser", &[("service", "media"), ("choix", "accepter")]).await.is(403);
    }
}
