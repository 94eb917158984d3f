//! The second factor, sessions and their history, as usagers and agents meet them.

use db::{args, sql};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{Client, Engine, PASSWORD, Page, Phone, Portal, USAGER, both, html};

const AGENT: &str = "nadia.benali@valmont.example";

fn minutes(portal: &Portal, count: i64) {
    portal.later(SignedDuration::from_mins(count));
}

/// Sets the second factor up at `base`; gives the telephone and the recovery codes.
pub async fn set_up(portal: &Portal, person: &mut Client, base: &str) -> (Phone, Vec<String>) {
    let page = person.post(&format!("{base}/second-facteur"), &[("mot-de-passe-activer", PASSWORD)]).await.is(200);
    let phone = Phone::reading(&page);
    let form = page.form("cle");
    let page = person.post_form(&form.action, &form.clone().with("code", &phone.code(portal, 0)).fields).await.is(200);
    let codes: Vec<String> = html::tags(page.html())
        .into_iter()
        .filter(|tag| tag.name == "strong" && tag.get("class") == "g-ref")
        .map(|tag| tag.after.to_owned())
        .collect();
    assert_eq!(codes.len(), 10, "{}", page.words());
    (phone, codes)
}

/// Gives the password; the page that follows.
pub async fn password(person: &mut Client, door: &str, email: &str) -> Page {
    person.post(door, &[("email", email), ("mot-de-passe", PASSWORD), ("suite", "")]).await
}

/// Types a code (or a recovery code) on the page that asks it.
pub async fn give(person: &mut Client, page: &Page, field: &str, code: &str) -> Page {
    let form = page.form(field);
    person.post_form(&form.action, &form.clone().with(field, code).fields).await
}

both! {
    async fn a_second_factor_is_set_up_and_asked(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/compte/securite").await.is(200).shows("Activer le second facteur").hides("Activé depuis");
        // An open session alone is not enough.
        person.post("/compte/securite/second-facteur", &[("mot-de-passe-activer", "faux")]).await.is(422).shows("Ce n’est pas votre mot de passe actuel");
        let page = person.post("/compte/securite/second-facteur", &[("mot-de-passe-activer", PASSWORD)]).await.is(200);
        assert!(page.html().contains("<svg") && !page.html().contains("style=") && page.html().contains("autocomplete=\"one-time-code\""));
        let phone = Phone::reading(&page);
        let form = page.form("cle");
        person.post_form(&form.action, &form.clone().with("code", "").fields).await.is(422).shows("Saisissez le code à 6 chiffres");
        let again = person.post_form(&form.action, &form.clone().with("code", &phone.wrong(&portal)).fields).await.is(422).shows("Ce code n’est pas le bon");
        assert_eq!(Phone::reading(&again).0, phone.0, "the same secret is shown again");
        // Not confirmed: nothing is asked yet.
        password(&mut portal.client(), "/connexion", USAGER).await.leads_to("/mes-demandes");
        let code = phone.code(&portal, 0);
        person.post_form(&form.action, &form.clone().with("code", &code).fields).await.is(200).shows("Vos codes de secours");
        // The form sent twice does not show them again, nor make others.
        person.post_form(&form.action, &form.clone().with("code", &code).fields).await.leads_to("/compte/securite?fait=deja");
        person.get("/compte/securite").await.is(200).shows("Il vous reste 10 codes de secours").shows("Second facteur activé");

        let mut other = portal.client();
        let page = password(&mut other, "/connexion", USAGER).await.is(200).shows("Saisissez votre code");
        other.get("/compte").await.leads_to("/connexion?suite=/compte");
        give(&mut other, &page, "code", "").await.is(422).shows("Saisissez le code à 6 chiffres");
        // The code of the set-up has served.
        give(&mut other, &page, "code", &code).await.is(422).shows("il a déjà servi");
        minutes(&portal, 1);
        let code = phone.code(&portal, 0);
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        give(&mut other, &page, "code", &spaced).await.leads_to("/mes-demandes");
        other.get("/compte").await.is(200);
        // Seen over a shoulder: of no use any more.
        let mut thief = portal.client();
        let page = password(&mut thief, "/connexion", USAGER).await.is(200);
        give(&mut thief, &page, "code", &code).await.is(422).shows("il a déjà servi");
        thief.get("/compte").await.leads_to("/connexion?suite=/compte");
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(to, subject, body)| to == USAGER && subject.contains("activé") && body.contains("/mot-de-passe-oublie")), "{mails:?}");
    }

    async fn clocks_may_differ_by_two_minutes(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, _) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 10);
        for (off, right) in [(-180, false), (180, false), (-120, true), (120, true)] {
            let mut other = portal.client();
            let page = password(&mut other, "/connexion", USAGER).await.is(200);
            let answer = give(&mut other, &page, "code", &phone.code(&portal, off)).await;
            assert_eq!(answer.status, if right { 303 } else { 422 }, "{off} s: {}", answer.words());
        }
        // An older code than one that was taken is not taken, however right.
        let mut other = portal.client();
        let page = password(&mut other, "/connexion", USAGER).await.is(200);
        give(&mut other, &page, "code", &phone.code(&portal, 30)).await.is(422);
    }

    async fn a_code_given_twice_at_once_opens_one_session(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, codes) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 5);
        for (field, code) in [("code", phone.code(&portal, 0)), ("secours", codes[0].clone())] {
            let (mut one, mut two) = (portal.client(), portal.client());
            let (first, second) = (password(&mut one, "/connexion", USAGER).await, password(&mut two, "/connexion", USAGER).await);
            let (first, second) = tokio::join!(give(&mut one, &first, field, &code), give(&mut two, &second, field, &code));
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [303, 422], "{field}");
        }
    }

    async fn a_recovery_code_serves_once(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (_, codes) = set_up(&portal, &mut person, "/compte/securite").await;
        let stored: Vec<String> = portal.db().all(sql!("select hash from recovery_code where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(stored.len() == 10 && stored.iter().all(|hash| hash.starts_with("$argon2id$")));
        let mut other = portal.client();
        let page = password(&mut other, "/connexion", USAGER).await.is(200);
        give(&mut other, &page, "secours", "").await.is(422).shows("Saisissez l’un de vos codes");
        give(&mut other, &page, "secours", "2222-2222-2222").await.is(422).shows("n’est pas le bon");
        give(&mut other, &page, "secours", &codes[3].to_lowercase().replace('-', " ")).await.leads_to("/mes-demandes");
        other.get("/compte/securite").await.is(200).shows("Il vous reste 9 codes").shows("Connexion avec un code de secours");
        assert!(portal.outbox().await.iter().any(|(to, subject, _)| to == USAGER && subject == "Un code de secours a servi"));
        let mut thief = portal.client();
        let page = password(&mut thief, "/connexion", USAGER).await.is(200);
        give(&mut thief, &page, "secours", &codes[3]).await.is(422).shows("il a déjà servi");
        // New ones after the password; those from before are void.
        person.post("/compte/securite/second-facteur/codes", &[("mot-de-passe-codes", "")]).await.is(422);
        person.post("/compte/securite/second-facteur/codes", &[("mot-de-passe-codes", PASSWORD)]).await.is(200).shows("Vos codes de secours");
        give(&mut thief, &page, "secours", &codes[4]).await.is(422);
    }

    async fn codes_are_not_guessed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, codes) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 5);
        let mut thief = portal.client();
        for _ in 0..5 {
            // The right password between guesses forgives none of them.
            let page = password(&mut thief, "/connexion", USAGER).await.is(200);
            give(&mut thief, &page, "code", &phone.wrong(&portal)).await.is(422).shows("Ce code n’est pas le bon");
        }
        let page = password(&mut thief, "/connexion", USAGER).await.is(200);
        give(&mut thief, &page, "code", &phone.code(&portal, 0)).await.is(422).shows("Trop d’essais");
        give(&mut thief, &page, "secours", &codes[0]).await.is(422).shows("Trop d’essais");
        minutes(&portal, 1);
        give(&mut thief, &page, "code", &phone.code(&portal, 0)).await.leads_to("/mes-demandes");
        person.get("/compte/securite").await.is(200).shows("Code de vérification refusé");
    }

    async fn the_code_page_is_bound_to_the_password(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, _) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 5);
        let mut other = portal.client();
        let page = password(&mut other, "/connexion", USAGER).await.is(200);
        // Left for too long.
        minutes(&portal, 16);
        give(&mut other, &page, "code", &phone.code(&portal, 0)).await.is(422).shows("Trop de temps a passé");
        // At the other door.
        let page = password(&mut other, "/connexion", USAGER).await.is(200);
        let form = page.form("code").with("code", &phone.code(&portal, 0));
        other.post_form("/agent/connexion/code", &form.fields).await.is(422).shows("Trop de temps a passé");
        // Changed meanwhile.
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", "girafe bleue du mardi")]).await.leads_to("/compte?fait=mot-de-passe");
        give(&mut other, &page, "code", &phone.code(&portal, 0)).await.is(422).shows("Trop de temps a passé");
        // A key bent or invented.
        for key in ["", "x", &"A".repeat(120)] {
            other.post("/connexion/code", &[("cle", key), ("code", &phone.code(&portal, 0))]).await.is(422);
        }
        other.get("/compte").await.leads_to("/connexion?suite=/compte");
        // A new password by mail does not remove the second factor.
        portal.client().post("/mot-de-passe-oublie", &[("email", USAGER)]).await.is(200);
        let (_, _, body) = portal.outbox().await.into_iter().rfind(|(to, subject, _)| to == USAGER && subject.contains("Choisi")).unwrap();
        let link = body.lines().find_map(|line| line.trim().strip_prefix("http://ville.test")).unwrap().to_owned();
        other.post(&link, &[("mot-de-passe", PASSWORD)]).await.leads_to("/connexion?fait=mot-de-passe");
        password(&mut other, "/connexion", USAGER).await.is(200).shows("Saisissez votre code");
    }

    async fn where_one_was_going_follows_through_the_code(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, _) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 5);
        let mut other = portal.client();
        let check = other.fill("demande-information", &crate::harness::journey::question("Je me connecte en route")).await;
        let page = other.post("/connexion", &[("email", USAGER), ("mot-de-passe", PASSWORD), ("suite", &check)]).await.is(200);
        let page = give(&mut other, &page, "code", &phone.wrong(&portal)).await.is(422);
        give(&mut other, &page, "code", &phone.code(&portal, 0)).await.leads_to(&check);
        other.get(&check).await.is(200).shows("Je me connecte en route");
        // Nobody is sent elsewhere.
        minutes(&portal, 1);
        let page = other.post("/connexion", &[("email", USAGER), ("mot-de-passe", PASSWORD), ("suite", "https://autre.fr")]).await.is(200);
        give(&mut other, &page, "code", &phone.code(&portal, 0)).await.leads_to("/");
    }

    async fn a_factor_is_replaced_and_removed_after_the_password(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (old, _) = set_up(&portal, &mut person, "/compte/securite").await;
        minutes(&portal, 5);
        let (new, _) = set_up(&portal, &mut person, "/compte/securite").await;
        assert_ne!(old.0, new.0);
        minutes(&portal, 5);
        let mut other = portal.client();
        let page = password(&mut other, "/connexion", USAGER).await.is(200);
        give(&mut other, &page, "code", &old.code(&portal, 0)).await.is(422);
        give(&mut other, &page, "code", &new.code(&portal, 0)).await.leads_to("/mes-demandes");
        person.post("/compte/securite/second-facteur/retirer", &[("mot-de-passe-retirer", "faux")]).await.is(422);
        password(&mut portal.client(), "/connexion", USAGER).await.is(200);
        person.post("/compte/securite/second-facteur/retirer", &[("mot-de-passe-retirer", PASSWORD)]).await.leads_to("/compte/securite?fait=retire");
        person.get("/compte/securite").await.is(200).shows("Second facteur remplacé").shows("Second facteur retiré");
        password(&mut portal.client(), "/connexion", USAGER).await.leads_to("/mes-demandes");
        assert_eq!((portal.count("factor").await, portal.count("recovery_code").await), (0, 0));
        assert!(portal.outbox().await.iter().any(|(to, subject, _)| to == USAGER && subject == "Le second facteur de votre compte est retiré"));
    }

    async fn the_secret_is_not_readable_in_the_database(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (phone, _) = set_up(&portal, &mut person, "/compte/securite").await;
        let sealed: Vec<u8> = portal.db().one(sql!("select sealed from factor where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(!sealed.windows(8).any(|part| phone.0.windows(8).any(|secret| secret == part)));
        // Moved to another account, it opens nothing there.
        let mut other = portal.usager(crate::harness::OTHER_USAGER).await;
        let (theirs, codes) = set_up(&portal, &mut other, "/compte/securite").await;
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("update factor set sealed = $1 where authority_id = $2"), args![&sealed, tx.authority()]).await).await.unwrap();
        minutes(&portal, 5);
        let mut thief = portal.client();
        let page = password(&mut thief, "/connexion", crate::harness::OTHER_USAGER).await.is(200);
        give(&mut thief, &page, "code", &phone.code(&portal, 0)).await.is(422);
        give(&mut thief, &page, "code", &theirs.code(&portal, 0)).await.is(422);
        // Whoever cannot be asked a code any more still has recovery codes.
        give(&mut thief, &page, "secours", &codes[0]).await.leads_to("/mes-demandes");
    }

    async fn roles_may_demand_a_second_factor(portal: Portal) {
        let mut before = portal.agent("nadia.benali").await;
        demand(&portal, &["processor"]).await;
        // Sessions that were open are led there too.
        before.get("/agent").await.leads_to("/agent/securite");
        let mut agent = portal.client();
        password(&mut agent, "/agent/connexion", AGENT).await.leads_to("/agent");
        agent.get("/agent/envois").await.leads_to("/agent/securite");
        agent.get("/agent/securite").await.is(200).shows("Votre rôle demande un second facteur");
        let (phone, _) = set_up(&portal, &mut agent, "/agent/securite").await;
        agent.get("/agent").await.is(200);
        agent.get("/agent/securite").await.is(200).hides("Retirer le second facteur");
        agent.post("/agent/securite/second-facteur/retirer", &[("mot-de-passe-retirer", PASSWORD)]).await.is(403);
        minutes(&portal, 5);
        let mut other = portal.client();
        let page = password(&mut other, "/agent/connexion", AGENT).await.is(200).shows("Saisissez votre code");
        other.get("/agent").await.leads_to("/agent/connexion?suite=/agent");
        give(&mut other, &page, "code", &phone.code(&portal, 0)).await.leads_to("/agent");
        other.get("/agent").await.is(200);
        // Lost with its codes: the operator removes it, and it is demanded again.
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        assert!(!guichet::accounts::factor::reset_agent(&visit, USAGER, "x").await.unwrap(), "for agents only");
        assert!(guichet::accounts::factor::reset_agent(&visit, AGENT, "Téléphone volé").await.unwrap());
        // What was open is closed.
        other.get("/agent").await.leads_to("/agent/connexion?suite=/agent");
        password(&mut other, "/agent/connexion", AGENT).await.leads_to("/agent");
        other.get("/agent").await.leads_to("/agent/securite");
        other.get("/agent/securite").await.is(200).shows("Téléphone volé");
        // Another role: nothing is demanded.
        demand(&portal, &["decider", "manager"]).await;
        other.get("/agent").await.is(200);
        portal.usager(USAGER).await.get("/compte").await.is(200);
    }

    async fn the_counter_removes_what_was_lost(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let _ = set_up(&portal, &mut person, "/compte/securite").await;
        let mut agent = portal.agent("nadia.benali").await;
        agent.get("/agent/comptes").await.is(200);
        agent.post("/agent/comptes", &[("email", "personne@exemple.fr")]).await.is(200).shows("Aucun compte n’a cette adresse");
        // An agent's account is not the counter's business.
        agent.post("/agent/comptes", &[("email", AGENT)]).await.is(200).shows("Aucun compte n’a cette adresse");
        agent.post("/agent/comptes", &[("email", " ")]).await.is(422);
        let page = agent.post("/agent/comptes", &[("email", USAGER)]).await.is(200).shows("Second facteur activé depuis");
        let form = page.form("motif");
        agent.post_form(&form.action, &[]).await.is(422).shows("Vérifiez l’identité").shows("Écrivez le motif");
        let refused = agent.post(&form.action, &[("motif", "Téléphone perdu, passeport vu")]).await.is(422).shows("Vérifiez l’identité");
        assert!(refused.html().contains("Téléphone perdu, passeport vu"), "what was typed stays");
        password(&mut portal.client(), "/connexion", USAGER).await.is(200).shows("Saisissez votre code");
        let long = "x".repeat(301);
        agent.post(&form.action, &[("identite", "oui"), ("motif", &long)]).await.is(422).shows("Raccourcissez le motif");
        agent.post(&form.action, &[("identite", "oui"), ("motif", "Téléphone perdu, passeport vu")]).await.leads_to("/agent/comptes?fait=retire");
        // What the lost telephone had opened is closed.
        assert!(person.get("/compte/securite").await.location().starts_with("/connexion"));
        password(&mut person, "/connexion", USAGER).await.leads_to("/mes-demandes");
        person.get("/compte/securite").await.is(200).shows("Second facteur retiré au guichet").shows("Téléphone perdu, passeport vu");
        let by: String = portal
            .db()
            .one(sql!("select a.email from sign_in_event e join account a on a.authority_id = e.authority_id and a.id = e.actor_id where e.authority_id = $1"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(by, AGENT);
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(to, _, body)| to == USAGER && body.contains("Un agent vient de retirer") && !body.contains("passeport")), "{mails:?}");
        agent.post("/agent/comptes", &[("email", USAGER)]).await.is(200).shows("Ce compte n’a pas de second facteur");
    }

    async fn sessions_are_listed_and_ended(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        minutes(&portal, 10);
        let mut other = portal.usager(USAGER).await;
        let mut third = portal.usager(USAGER).await;
        let page = person.get("/compte/securite").await.is(200).shows("(cet appareil)");
        let ends = |page: &Page| -> Vec<String> { page.forms().into_iter().map(|form| form.action).filter(|action| action.ends_with("/terminer")).collect() };
        assert_eq!(ends(&page).len(), 2);
        // Seen ten minutes after it was opened.
        let (created, seen): (jiff::Timestamp, jiff::Timestamp) = portal
            .db()
            .one(sql!("select created_at, seen_at from session where authority_id = $1 and account_id is not null order by id limit 1"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(seen.duration_since(created), SignedDuration::from_mins(10));
        // Not somebody else's to end.
        let mut stranger = portal.usager(crate::harness::OTHER_USAGER).await;
        stranger.post(&ends(&page)[0], &[]).await.is(404);
        person.post(&ends(&page)[0], &[]).await.leads_to("/compte/securite?fait=termine");
        let (one, two) = (other.get("/compte").await.status, third.get("/compte").await.status);
        let mut statuses = [one, two];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 303], "one of the two is out");
        person.post(&ends(&page)[0], &[]).await.is(404);
        person.post("/compte/securite/deconnecter", &[]).await.leads_to("/compte/securite?fait=deconnecte");
        other.get("/compte").await.is(303);
        third.get("/compte").await.is(303);
        let page = person.get("/compte/securite").await.is(200).shows("Appareil déconnecté");
        assert!(ends(&page).is_empty());
        stranger.get("/compte").await.is(200);
    }

    async fn the_history_tells_what_happened_for_six_months(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        portal.client().post("/connexion", &[("email", USAGER), ("mot-de-passe", "faux")]).await.is(422);
        portal.client().post("/connexion", &[("email", "personne@exemple.fr"), ("mot-de-passe", "faux")]).await.is(422);
        let page = person.get("/compte/securite").await.is(200).shows("Mot de passe refusé").shows("réseau 127.0.0.0/24");
        assert!(!page.html().contains("127.0.0.1"));
        let kept: Vec<(String, String)> = portal.db().all(sql!("select code, network from sign_in_event where authority_id = $1 order by id"), args![portal.city]).await.unwrap();
        let network = "127.0.0.0/24".to_owned();
        assert_eq!(kept, [("signed-in".to_owned(), network.clone()), ("wrong-password".to_owned(), network)]);
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", "girafe bleue du mardi")]).await.is(303);
        person.get("/compte/securite").await.shows("Mot de passe changé");
        let password = [("mot-de-passe-export", "girafe bleue du mardi")];
        let export = person.post("/compte/donnees/export", &password).await.is(200);
        assert!(String::from_utf8_lossy(&export.bytes).contains("Mot de passe changé"));
        // Of this account only.
        portal.usager(crate::harness::OTHER_USAGER).await.get("/compte/securite").await.hides("Mot de passe refusé");
        let mut agent = portal.agent("nadia.benali").await;
        agent.get("/agent/securite").await.is(200).shows("Connexion").hides("Mot de passe refusé").hides("Mot de passe changé");
        portal.later(SignedDuration::from_hours(182 * 24));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("sign_in_event").await, 6);
        portal.later(SignedDuration::from_hours(24));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("sign_in_event").await, 0);
    }
}

/// Roles that must have a second factor, from the next look at the settings on.
pub async fn demand(portal: &Portal, roles: &[&str]) {
    let db::Json(mut settings): db::Json<serde_json::Value> =
        portal.db().one(sql!("select settings from authority where id = $1"), args![portal.city]).await.unwrap();
    settings["second_factor"] = json!(roles);
    let settings = db::Json(settings);
    portal
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("update authority set settings = $1 where id = $2"), args![&settings, tx.authority()]).await
        })
        .await
        .unwrap();
    minutes(portal, 1);
}
