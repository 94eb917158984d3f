//! Adding an identity to one's account and taking it away; declaring providers.

use std::process::{Command, Stdio};

use db::{args, sql};

use super::{come, declare, franceconnect, path, sent, text};
use crate::{
    harness::{
        Client, Engine, Folder, OTHER_USAGER, PASSWORD, Page, Portal, USAGER, both,
        provider::{Flaw, Provider},
    },
    journeys::life,
    sso::leads,
};

const HERE: &str = "/compte/securite";

/// Gives the password, is identified, comes back.
pub async fn add(browser: &mut Client, id: &str) -> Page {
    let form = [("fournisseur", id), ("mot-de-passe-identite", PASSWORD)];
    let page = browser.post(&format!("{HERE}/identites"), &form).await.is(200);
    let back = path(browser, &sent(&leads(&page).unwrap()).await);
    browser.get(&back).await
}

both! {
    /// With the account, the identity changes hands: its owner reads it before and is told after.
    async fn a_merge_tells_of_the_identities_that_move(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let (kept, other) = ("camille@exemple.fr", "camille.travail@exemple.fr");
        for email in [kept, other] {
            life::usager(&portal, email).await;
        }
        add(&mut portal.usager(other).await, "fc").await.leads_to("/compte/securite?fait=identite");
        let mut browser = portal.usager(kept).await;
        let form = [("autre-compte", other), ("mot-de-passe-autre", PASSWORD)];
        let page = browser.post("/compte/reunir", &form).await.is(200).shows("L'identité fc : elle ouvrira ce compte");
        let form = page.form("preuve").with("mot-de-passe", PASSWORD);
        browser.post_form("/compte/reunir/confirmer", &form.fields).await.leads_to("/compte?fait=reunis");
        browser.get(HERE).await.is(200).shows("fc : Angela DUBOIS");
        let mine: Vec<_> = portal.outbox().await.into_iter().filter(|mail| mail.0 == kept && mail.1.contains("identité est rattachée")).collect();
        assert_eq!(mine.len(), 1);
        let told: i64 = portal.db().one(sql!("select count(*) from sign_in_event where authority_id = $1 and code = 'identity-linked' and reason = 'fc'"), args![portal.city]).await.unwrap();
        assert_eq!(told, 2, "to the one, then to the other");
        come(&mut portal.client(), "/connexion", "fc").await.leads_to("/mes-demandes");
    }

    async fn an_identity_is_added_and_taken_away(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.usager(USAGER).await;
        browser.get(HERE).await.is(200).shows("Rattacher une identité");
        // After the password only.
        let wrong = [("fournisseur", "fc"), ("mot-de-passe-identite", "faux")];
        browser.post(&format!("{HERE}/identites"), &wrong).await.is(422).shows("Ce n'est pas votre mot de passe actuel");
        add(&mut browser, "fc").await.leads_to("/compte/securite?fait=identite");
        browser.get(HERE).await.is(200).shows("fc : Angela DUBOIS").shows("Identité rattachée").hides("Rattacher une identité");
        assert!(portal.outbox().await.iter().any(|mail| mail.0 == USAGER && mail.1.contains("identité est rattachée")));
        // Somebody else cannot have it too.
        let mut other = portal.usager(OTHER_USAGER).await;
        add(&mut other, "fc").await.leads_to("/compte/securite?fait=identite-prise");
        other.get("/compte/securite?fait=identite-prise").await.is(422).shows("ouvre déjà un autre compte");
        // It opens the account, and no more once it is taken away; the sessions it opened end.
        let mut third = portal.client();
        come(&mut third, "/connexion", "fc").await.leads_to("/mes-demandes");
        let form = [("fournisseur", "fc"), ("mot-de-passe-retirer-identite", "")];
        browser.post(&format!("{HERE}/identites/retirer"), &form).await.is(422).shows("Saisissez votre mot de passe actuel");
        let form = [("fournisseur", "fc"), ("mot-de-passe-retirer-identite", PASSWORD)];
        browser.post(&format!("{HERE}/identites/retirer"), &form).await.leads_to("/compte/securite?fait=identite-retiree");
        browser.post(&format!("{HERE}/identites/retirer"), &form).await.is(404);
        third.get("/compte").await.is(303);
        browser.get("/compte").await.is(200);
        let page = come(&mut third, "/connexion", "fc").await.is(303);
        third.follow(&page).await.is(200).shows("C'est la première fois");
        // Refused or down, one is back where one began.
        provider.script().error = "access_denied";
        add(&mut browser, "fc").await.leads_to("/compte/securite?fait=identite-refusee");
        browser.get("/compte/securite?fait=identite-refusee").await.is(422).shows("recommencez");
        provider.set(Flaw::Broken);
        portal.later(jiff::SignedDuration::from_mins(11));
        let form = [("fournisseur", "fc"), ("mot-de-passe-identite", PASSWORD)];
        browser.post(&format!("{HERE}/identites"), &form).await.leads_to("/compte/securite?fait=identite-panne");
        assert_eq!(portal.count("provider_link").await, 0);
    }

    /// Who asked and was signed out, or is somebody else by then, adds nothing.
    async fn an_identity_is_added_in_the_session_that_asked(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let mut browser = portal.usager(USAGER).await;
        let form = [("fournisseur", "fc"), ("mot-de-passe-identite", PASSWORD)];
        let page = browser.post(&format!("{HERE}/identites"), &form).await.is(200);
        let back = path(&browser, &sent(&leads(&page).unwrap()).await);
        browser.sign_in("/connexion", OTHER_USAGER).await;
        browser.get(&back).await.leads_to("/compte/securite?fait=identite-refusee");
        assert_eq!(portal.count("provider_link").await, 0);
        // Shown to somebody signed in since before: their session alone does not add it.
        let mut signed = portal.usager(USAGER).await;
        portal.later(jiff::SignedDuration::from_secs(1));
        let page = come(&mut signed, "/connexion?encore=oui", "fc").await.is(303);
        let first = signed.follow(&page).await.is(200).hides("Rattacher cette identité");
        signed.post(&first.path, &[("choix", "rattacher")]).await.leads_to(&first.path);
        assert_eq!(portal.count("provider_link").await, 0);
    }

    /// An account goes with its identities.
    async fn an_account_goes_with_its_identities(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let mut browser = portal.usager(OTHER_USAGER).await;
        add(&mut browser, "fc").await.is(303);
        let verified = portal.count("verified_identity").await;
        browser.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        assert_eq!((portal.count("provider_link").await, portal.count("verified_identity").await), (0, verified - 1));
    }

    async fn providers_are_declared_by_file(portal: Portal) {
        let folder = Folder::new();
        let file = folder.0.join("fc.toml");
        std::fs::write(&file, include_str!("../../docs/examples/franceconnect.toml")).unwrap();
        let path = file.to_str().unwrap();
        let (done, said) = admin(&portal, &["add-provider", path], "");
        assert!(!done && said.contains("--secret"), "{said}");
        let (done, said) = admin(&portal, &["add-provider", "--secret", path], "très secret\n");
        assert!(done && !said.contains("secret"), "{said}");
        portal.client().get("/connexion").await.is(200).shows("S'identifier avec FranceConnect");
        let sealed = async || -> Vec<u8> { portal.db().one(sql!("select sealed_secret from provider where authority_id = $1"), args![portal.city]).await.unwrap() };
        let before = sealed().await;
        assert!(!before.windows(6).any(|part| part == b"secret"));
        // Again, with the secret it had; or with another.
        assert!(admin(&portal, &["add-provider", path], "").0);
        assert_eq!(sealed().await, before);
        assert!(admin(&portal, &["add-provider", "--secret", path], "autre\n").0);
        assert_ne!(sealed().await, before);
        assert!(admin(&portal, &["remove-provider", "franceconnect"], "").0);
        assert!(!admin(&portal, &["remove-provider", "franceconnect"], "").0);
        // One that opens accounts is not taken out by mistake.
        let provider = Provider::start(&portal.app.clock).await;
        declare(&portal, &text("fc", "franceconnect", &provider, "")).await;
        let mut owner = portal.usager(USAGER).await;
        add(&mut owner, "fc").await.is(303);
        let mut opened = portal.client();
        come(&mut opened, "/connexion", "fc").await.is(303);
        let (done, said) = admin(&portal, &["remove-provider", "fc"], "");
        assert!(!done && said.contains("opens 1 accounts"), "{said}");
        opened.get("/compte").await.is(200);
        assert!(admin(&portal, &["remove-provider", "fc", "--forget-links"], "").0);
        assert_eq!(portal.count("provider_link").await, 0);
        // What it had opened is closed, and owners learn of it; what a password opened stays.
        opened.get("/compte").await.is(303);
        owner.get(HERE).await.is(200).shows("Identité détachée");
        // The command lives at the real time: its mail is for later here.
        let mails = sql!("select count(*) from job where authority_id = $1 and effect like 'account:identite-detachee:%'");
        assert_eq!(portal.db().one::<i64>(mails, args![portal.city]).await.unwrap(), 1);
    }
}

fn admin(portal: &Portal, arguments: &[&str], input: &str) -> (bool, String) {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_guichet"))
        .args(["admin", arguments[0], "--authority", "valmont"])
        .args(&arguments[1..])
        .env("GUICHET_DATABASE", &portal.app.config.database)
        .env("GUICHET_DATA", &portal.app.config.data)
        .env("GUICHET_SECRET", "of every portal under test, the same")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8(if done.status.success() { done.stdout } else { done.stderr }).unwrap();
    (done.status.success(), text)
}
