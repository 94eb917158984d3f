//! How somebody signed in, told to applications, and asked by them.

use guichet::platform::encode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{SECRET, declare, leads, oidc, parameter};
use crate::{
    harness::{Client, Engine, Page, Portal, USAGER, both},
    journeys::{
        passkeys::{self, Device},
        signing_in::{give, password, set_up},
    },
};

const SFA: &str = "https://refeds.org/profile/sfa";
const MFA: &str = "https://refeds.org/profile/mfa";
const SECURITY: &str = "/compte/securite";

fn asking(levels: &str) -> String {
    oidc::authorize(&format!("&acr_values={}", encode(levels)))
}

/// (`acr`, `amr`, `auth_time`) of the ID token that comes of a session, when `levels` are asked.
async fn told(portal: &Portal, person: &mut Client, levels: &str) -> (String, Value, i64) {
    let code = oidc::code(person, &asking(levels)).await;
    let tokens = oidc::json(&oidc::ask_with(portal, "app", SECRET, &oidc::exchange(&code)).await.is(200));
    let claims = oidc::claims(tokens["id_token"].as_str().unwrap());
    (claims["acr"].as_str().unwrap().to_owned(), claims["amr"].clone(), claims["auth_time"].as_i64().unwrap())
}

#[track_caller]
fn error(page: &Page, expected: &str) {
    let to = leads(page).unwrap_or_else(|| panic!("{} leads nowhere: {}", page.path, page.words()));
    assert!(to.starts_with("https://app.test/retour?"), "{to}");
    assert_eq!(parameter(&to, "error").as_deref(), Some(expected), "{to}");
}

both! {
    async fn tokens_tell_how_somebody_signed_in(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let mut person = portal.usager(USAGER).await;
        let opened = portal.app.clock.now().as_second();
        portal.later(SignedDuration::from_mins(5));
        assert_eq!(told(&portal, &mut person, "").await, (SFA.into(), json!(["pwd"]), opened));
        let (phone, codes) = set_up(&portal, &mut person, SECURITY).await;
        portal.later(SignedDuration::from_mins(5));
        // The session was opened before the factor: it says so.
        assert_eq!(told(&portal, &mut person, "").await, (SFA.into(), json!(["pwd"]), opened));
        let mut second = portal.client();
        let page = password(&mut second, "/connexion", USAGER).await.is(200);
        give(&mut second, &page, "code", &phone.code(&portal, 0)).await.is(303);
        let now = portal.app.clock.now().as_second();
        assert_eq!(told(&portal, &mut second, "").await, (MFA.into(), json!(["pwd", "otp", "mfa"]), now));
        assert_eq!(told(&portal, &mut second, &format!("phr {SFA}")).await.0, SFA);
        let mut third = portal.client();
        let page = password(&mut third, "/connexion", USAGER).await.is(200);
        give(&mut third, &page, "secours", &codes[0]).await.is(303);
        assert_eq!(told(&portal, &mut third, "").await, (MFA.into(), json!(["pwd", "mfa"]), now));
        for (flags, method) in [(5, "hwk"), (5 | 8, "swk")] {
            let mut device = Device::new();
            device.flags = flags;
            passkeys::add(&mut person, SECURITY, &mut device).await.leads_to("/compte/securite?fait=cle");
            let mut fourth = portal.client();
            passkeys::enter(&mut fourth, "/connexion", &mut device).await.leads_to("/mes-demandes");
            assert_eq!(told(&portal, &mut fourth, "").await, ("phr".into(), json!([method, "user", "mfa"]), now));
            assert_eq!(told(&portal, &mut fourth, MFA).await.0, MFA);
        }
        // Renewed tokens go on telling the first sign-in.
        let tokens = oidc::tokens(&portal, &mut second).await;
        portal.later(SignedDuration::from_mins(30));
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
        let renewed = oidc::json(&oidc::ask_with(&portal, "app", SECRET, &form).await.is(200));
        let claims = oidc::claims(renewed["id_token"].as_str().unwrap());
        assert_eq!((&claims["acr"], &claims["amr"], &claims["auth_time"]), (&json!(MFA), &json!(["pwd", "otp", "mfa"]), &json!(now)));
    }

    async fn an_application_raises_the_level(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let mut person = portal.usager(USAGER).await;
        told(&portal, &mut person, "").await;
        // Nothing to raise it with: what to do is told, and the application learns when they give up.
        let page = person.get(&asking(MFA)).await.is(200).shows("Vélos demande plus qu’un mot de passe").shows("activez le second facteur");
        assert!(page.links_to(SECURITY));
        error(&person.get(&format!("{}&retour=abandon", asking(MFA))).await, "unmet_authentication_requirements");
        error(&person.get(&format!("{}&prompt=none", asking(MFA))).await, "login_required");
        error(&person.get(&asking("eidas2")).await, "unmet_authentication_requirements");
        let (phone, _) = set_up(&portal, &mut person, SECURITY).await;
        portal.later(SignedDuration::from_mins(5));
        // The same session: the factor is asked, then the application is entered.
        let page = person.get(&asking(MFA)).await.is(303);
        assert!(page.location().starts_with("/connexion?encore=oui&suite="), "{}", page.location());
        let form = person.follow(&page).await.is(200).form("mot-de-passe");
        let form = form.with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
        let page = person.post_form(&form.action, &form.fields).await.is(200).shows("Saisissez votre code");
        let page = give(&mut person, &page, "code", &phone.code(&portal, 0)).await.is(303);
        let to = leads(&person.follow(&page).await).unwrap();
        assert!(parameter(&to, "code").is_some(), "{to}");
        assert_eq!(told(&portal, &mut person, MFA).await.0, MFA);
        // A passkey is asked, and there is none.
        person.get(&asking("phr")).await.is(200).shows("demande une clé d’accès");
        let mut device = Device::new();
        passkeys::add(&mut person, SECURITY, &mut device).await.is(303);
        // Signing in again with less does not turn in circles.
        let page = person.get(&asking("phr")).await.is(303);
        portal.later(SignedDuration::from_mins(1));
        let form = person.follow(&page).await.form("mot-de-passe").with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
        let page = person.post_form(&form.action, &form.fields).await.is(200);
        let page = give(&mut person, &page, "code", &phone.code(&portal, 0)).await.is(303);
        let page = person.follow(&page).await.is(200).shows("Connectez-vous de nouveau, avec votre clé d’accès");
        assert!(page.html().contains("retour=abandon"));
        passkeys::enter(&mut person, "/connexion", &mut device).await.is(303);
        assert_eq!(told(&portal, &mut person, "phr").await.0, "phr");
    }
}
