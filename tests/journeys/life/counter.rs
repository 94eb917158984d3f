//! Accounts opened at the counter: a printed code, a sign-in name, an address that may be shared.

use jiff::SignedDuration;

use super::{enter, history, link, paper, subjects, usager};
use crate::harness::{Client, Engine, PASSWORD, Page, Portal, both, journey::question};

const SHARED: &str = "famille@exemple.fr";

/// Opens an account; where its page is.
async fn open(agent: &mut Client, first: &str, email: &str) -> String {
    let form = agent.get("/agent/comptes/ouvrir").await.is(200).form("une-fois");
    let fields = [
        ("prenom", first),
        ("nom", "Moreau"),
        ("courriel", email),
        ("identite", "oui"),
        ("motif", "Sans ordinateur, carte d’identité"),
    ];
    let fields = fields.iter().fold(form, |form, (name, value)| form.with(name, value)).fields;
    let to = agent.post_form("/agent/comptes/ouvrir", &fields).await.is(303).location().to_owned();
    // Sent twice, it is one account.
    assert_eq!(agent.post_form("/agent/comptes/ouvrir", &fields).await.location(), to);
    to.split('?').next().unwrap().to_owned()
}

/// Prints a paper; the sign-in name and the code on it.
async fn print(agent: &mut Client, account: &str) -> (String, String) {
    let page = agent.post(&format!("{account}/activation"), &[]).await.is(200);
    assert_eq!(page.header("content-type"), "application/pdf");
    let text = paper(&page.bytes);
    assert!(
        text.contains("http://ville.test/activation")
            && text.replace('\n', " ").contains("17 décembre 2026")
            && text.contains("1 / 1"),
        "{text}"
    );
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(label))
            .unwrap_or_else(|| panic!("{label}? {text}"))
            .trim()
            .to_owned()
    };
    (after("Identifiant"), after("Code d’activation"))
}

async fn activate(person: &mut Client, login: &str, code: &str, password: &str) -> Page {
    person.post("/activation", &[("identifiant", login), ("code", code), ("mot-de-passe", password)]).await
}

both! {
    async fn somebody_without_address_gets_an_account(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        let page = agent.post("/agent/comptes/ouvrir", &[("prenom", "<>"), ("telephone", "12"), ("courriel", "x")]).await.is(422);
        page.shows("Saisissez votre nom").shows("Vérifiez l'identité").shows("Écrivez le motif").shows("adresse électronique");
        let account = open(&mut agent, "Aïssatou", "").await;
        agent.get(&account).await.is(200).shows("Aïssatou Moreau").shows("Pas d'adresse électronique").shows("attend d'être activé");
        let (login, lost) = print(&mut agent, &account).await;
        assert!(login.starts_with("aissatou.moreau."), "{login}");
        let (same, code) = print(&mut agent, &account).await;
        assert_eq!(same, login);
        assert!(lost != code && code.len() == 14, "{lost} {code}");

        let mut person = portal.client();
        person.get("/activation").await.is(200);
        activate(&mut person, "", "", "court").await.is(422).shows("Saisissez l'identifiant").shows("Saisissez le code").shows("trop court");
        // The code printed first is worth nothing any more; nothing opens without the code.
        activate(&mut person, &login, &lost, PASSWORD).await.is(422).shows("ne vont pas ensemble");
        activate(&mut person, "personne.moreau.0000", &code, PASSWORD).await.is(422).shows("ne vont pas ensemble");
        enter(&mut person, &login, PASSWORD).await.is(422);
        enter(&mut person, &login, &code).await.is(422);
        activate(&mut person, &login.to_uppercase(), &code.to_lowercase().replace('-', " "), PASSWORD).await.leads_to("/connexion?fait=active");
        activate(&mut person, &login, &code, "une-autre-longue-phrase").await.is(422);
        enter(&mut person, &login, PASSWORD).await.leads_to("/mes-demandes");
        person.get("/compte").await.is(200).shows(&login).shows("n'a pas d'adresse électronique");
        history(&mut person).await.shows("Compte ouvert au guichet").shows("Code d'activation imprimé au guichet").shows("Compte activé").shows("Sans ordinateur");
        agent.post(&format!("{account}/activation"), &[]).await.is(400).shows("déjà activé");

        // What mails others receives waits on the site: nothing is queued, nothing fails.
        let filed = person.file("demande-information", &question("Sans courriel")).await;
        person.get("/mes-demandes").await.is(200).shows(&filed.reference);
        let other = "une-autre-longue-phrase";
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", other)]).await.leads_to("/compte?fait=mot-de-passe");
        person.get("/compte/donnees").await.is(200);
        assert_eq!(portal.outbox().await.iter().filter(|(to, ..)| !to.contains("@valmont.example") && !to.contains("@exemple")).count(), 0);

        // An address of their own, later: one mailbox to ask.
        person.post("/compte/adresse", &[("nouvelle-adresse", "aissatou@exemple.fr"), ("mot-de-passe-adresse", other)]).await.is(200).shows("Un lien vient");
        portal.client().post(&link(&portal, "aissatou@exemple.fr").await, &[("reponse", "oui")]).await.is(200).shows("est changée");
        enter(&mut portal.client(), "aissatou@exemple.fr", other).await.is(422);
        enter(&mut portal.client(), &login, other).await.leads_to("/mes-demandes");
    }

    async fn an_address_is_shared_a_sign_in_is_not(portal: Portal) {
        let owner = usager(&portal, SHARED).await;
        let mut agent = portal.agent("nadia.benali").await;
        let account = open(&mut agent, "Paul", SHARED).await;
        let (login, code) = print(&mut agent, &account).await;
        activate(&mut portal.client(), &login, &code, "une-autre-longue-phrase").await.is(303);
        let mut person = portal.client();
        enter(&mut person, &login, "une-autre-longue-phrase").await.leads_to("/mes-demandes");
        // Until the mailbox agrees, the address is not theirs.
        person.get("/compte").await.is(200).shows("n'a pas d'adresse électronique");
        let confirm = link(&portal, SHARED).await;
        portal.client().post(&confirm, &[("reponse", "oui")]).await.is(200);
        person.get("/compte").await.is(200).shows(SHARED).shows(&login);

        // Signing in with the address opens its owner's account only.
        enter(&mut portal.client(), SHARED, "une-autre-longue-phrase").await.is(422);
        let mut other = portal.client();
        enter(&mut other, SHARED, PASSWORD).await.leads_to("/mes-demandes");
        other.get("/compte").await.is(200).shows("l'adresse").hides(&login);
        // The counter tells them apart.
        let found = agent.post("/agent/comptes", &[("email", SHARED)]).await.is(200).shows("Plusieurs comptes").shows("Paul Moreau");
        assert!(found.links_to(&account) && found.links_to(&format!("/agent/comptes/{owner}")));
        agent.post("/agent/comptes", &[("email", &login)]).await.is(200).shows("Paul Moreau").hides("Plusieurs");

        // A forgotten password: one mail, a link for each.
        portal.client().post("/mot-de-passe-oublie", &[("email", SHARED)]).await.is(200);
        let mails: Vec<_> = portal.outbox().await.into_iter().filter(|(to, subject, _)| to == SHARED && subject == "Choisissez un nouveau mot de passe").collect();
        assert_eq!(mails.len(), 1, "{mails:?}");
        let body = &mails[0].2;
        let lines: Vec<&str> = body.lines().map(str::trim).collect();
        let at = lines.iter().position(|line| *line == format!("{login} :") || *line == format!("{login}\u{a0}:")).unwrap_or_else(|| panic!("{body}"));
        assert!(lines.iter().any(|line| line.starts_with(SHARED)), "{body}");
        let path = lines[at + 1].strip_prefix("http://ville.test").unwrap();
        portal.client().get(path).await.is(200).shows(&login);
        portal.client().post(path, &[("mot-de-passe", "encore-une-longue-phrase")]).await.is(303);
        enter(&mut portal.client(), &login, "encore-une-longue-phrase").await.leads_to("/mes-demandes");
        enter(&mut portal.client(), SHARED, PASSWORD).await.leads_to("/mes-demandes");

        // Opening an account by oneself with an address that is somebody's sign-in is still refused without a word.
        let form = [("prenom", "X"), ("nom", "Y"), ("email", SHARED), ("mot-de-passe", "encore-une-longue-phrase")];
        portal.client().post("/inscription", &form).await.is(200).shows("Consultez vos courriels");
        assert_eq!(subjects(&portal, SHARED).await.last().unwrap(), "Vous avez déjà un compte");
    }

    /// However it came to be open: a paper left in a drawer gives nobody the account.
    async fn a_code_opens_no_account_that_is_open(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        let account = open(&mut agent, "Paul", "").await;
        let (login, code) = print(&mut agent, &account).await;
        let now = portal.app.clock.now();
        portal
            .db()
            .write(async |tx: &mut db::Tx| tx.run(db::sql!("update account set confirmed_at = $1 where authority_id = $2 and login = $3"), db::args![now, portal.city, &login]).await)
            .await
            .unwrap();
        activate(&mut portal.client(), &login, &code, PASSWORD).await.is(422).shows("ne vont pas ensemble");
    }

    async fn accounts_that_nobody_confirmed_are_forgotten(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        let at_counter = open(&mut agent, "Paul", "").await;
        let kept = usager(&portal, "camille@exemple.fr").await;
        let form = [("prenom", "Jean"), ("nom", "Moreau"), ("email", "jean@exemple.fr"), ("mot-de-passe", "encore-une-longue-phrase")];
        portal.client().post("/inscription", &form).await.is(200).shows("effacé au bout d'une semaine");
        let names = async || -> Vec<String> {
            let all = db::sql!("select first_name from account where authority_id = $1 and last_name = 'Moreau' and first_name in ('Camille', 'Jean', 'Paul') order by first_name");
            portal.db().all(all, db::args![portal.city]).await.unwrap()
        };
        portal.later(SignedDuration::from_hours(7 * 24 - 1));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(names().await, ["Camille", "Jean", "Paul"]);
        portal.later(SignedDuration::from_hours(2));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(names().await, ["Camille", "Paul"], "{kept} {at_counter}");
        // The address is free again.
        portal.client().post("/inscription", &form).await.is(200);
        assert_eq!(subjects(&portal, "jean@exemple.fr").await.last().unwrap(), "Confirmez votre adresse électronique");
    }

    async fn codes_are_slowed_and_expire(portal: Portal) {
        let mut agent = portal.agent("nadia.benali").await;
        let account = open(&mut agent, "Paul", "").await;
        let (login, code) = print(&mut agent, &account).await;
        let mut person = portal.client();
        for _ in 0..5 {
            activate(&mut person, &login, "AAAA-AAAA-AAAA", PASSWORD).await.is(422).shows("ne vont pas ensemble");
        }
        activate(&mut person, &login, &code, PASSWORD).await.is(422).shows("Trop d'essais");
        portal.later(SignedDuration::from_hours(30 * 24 + 1));
        activate(&mut person, &login, &code, PASSWORD).await.is(422).shows("ne vont pas ensemble");
        let mut agent = portal.agent("nadia.benali").await;
        let page = agent.post(&format!("{account}/activation"), &[]).await.is(200);
        let text = paper(&page.bytes);
        let code = text.lines().find_map(|line| line.strip_prefix("Code d’activation")).unwrap().trim().to_owned();
        let kept: String = portal.db().one(db::sql!("select code_hash from activation where authority_id = $1"), db::args![portal.city]).await.unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains(&code.replace('-', "")));
        activate(&mut person, &login, &code, PASSWORD).await.leads_to("/connexion?fait=active");
    }
}
