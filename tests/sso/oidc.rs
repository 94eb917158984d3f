//! The OpenID Connect provider.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use guichet::platform::encode;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{SECRET, declare, leads, parameter, walk};
use crate::harness::{Client, Engine, Page, Portal, USAGER, both, urlencoded};

pub const APP: &str = "id = \"app\"\nname = \"Vélos\"\nclaims = [\"given_name\", \"family_name\", \"email\"]\n[oidc]\nredirect_uris = [\"https://app.test/retour\", \"https://app.test/autre\"]\npost_logout_redirect_uris = [\"https://app.test/parti\"]\nrefresh_tokens = true\n";
const OTHER: &str = "id = \"other\"\nname = \"Autre\"\n[oidc]\nredirect_uris = [\"https://other.test/retour\"]\nrefresh_tokens = true\n";
const PUBLIC: &str =
    "id = \"phone\"\nname = \"Téléphone\"\n[oidc]\nredirect_uris = [\"https://phone.test/retour\"]\npublic = true\n";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-at-least";

pub fn authorize(more: &str) -> String {
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER));
    format!(
        "/oidc/authorize?client_id=app&redirect_uri={}&response_type=code&scope=openid+profile+email&state=s%26t&nonce=n&code_challenge={challenge}&code_challenge_method=S256{more}",
        encode("https://app.test/retour")
    )
}

pub async fn code(browser: &mut Client, path: &str) -> String {
    let to = walk(browser, path).await;
    parameter(&to, "code").unwrap_or_else(|| panic!("no code in {to}"))
}

/// Asks as a server does: no cookie, no origin.
async fn ask(portal: &Portal, client: &str, form: &[(&str, &str)]) -> Page {
    ask_with(portal, client, SECRET, form).await
}

pub async fn ask_with(portal: &Portal, client: &str, secret: &str, form: &[(&str, &str)]) -> Page {
    let form: Vec<(String, String)> = form.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut server = portal.client();
    server.origin = None;
    let basic = format!("Basic {}", BASE64.encode(format!("{client}:{secret}").as_bytes()));
    let kind = "application/x-www-form-urlencoded";
    let send = |request: reqwest::RequestBuilder| {
        let request = request.header("content-type", kind).body(urlencoded(&form));
        if client.is_empty() { request } else { request.header("authorization", basic) }
    };
    let page = server.try_send(Method::POST, "/oidc/token", send).await.unwrap();
    assert_eq!(page.header("cache-control"), "no-store");
    page
}

pub fn exchange(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://app.test/retour"),
        ("code_verifier", VERIFIER),
    ]
}

pub fn json(page: &Page) -> Value {
    serde_json::from_slice(&page.bytes).unwrap_or_else(|_| panic!("{} {}", page.status, page.words()))
}

#[track_caller]
fn refused(page: &Page, status: u16, error: &str) {
    assert_eq!((page.status, json(page)["error"].as_str()), (status, Some(error)), "{}", page.words());
}

pub async fn tokens(portal: &Portal, browser: &mut Client) -> Value {
    let code = code(browser, &authorize("")).await;
    let page = ask(portal, "app", &exchange(&code)).await.is(200);
    json(&page)
}

pub async fn userinfo(portal: &Portal, token: &str) -> Page {
    let bearer = format!("Bearer {token}");
    portal
        .client()
        .try_send(Method::GET, "/oidc/userinfo", |request| request.header("authorization", bearer))
        .await
        .unwrap()
}

async fn refresh(portal: &Portal, client: &str, token: &str) -> Page {
    ask(portal, client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

pub fn claims(token: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap()
}

both! {
    async fn a_code_becomes_tokens(portal: Portal) {
        declare(&portal, APP).await;
        let mut person = portal.client();
        let to = walk(&mut person, &authorize("")).await;
        assert!(to.starts_with("https://app.test/retour?code="), "{to}");
        assert_eq!(parameter(&to, "state").as_deref(), Some("s&t"));
        // Who answers: an application that deals with several providers is not mixed up (RFC 9207).
        assert_eq!(parameter(&to, "iss").as_deref(), Some("http://ville.test"));
        let tokens = json(&ask(&portal, "app", &exchange(&parameter(&to, "code").unwrap())).await.is(200));
        assert_eq!((tokens["token_type"].as_str(), tokens["scope"].as_str()), (Some("Bearer"), Some("openid profile email")));
        let id = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!((id["iss"].as_str(), id["aud"].as_str(), id["nonce"].as_str()), (Some("http://ville.test"), Some("app"), Some("n")));
        assert_eq!(id["auth_time"].as_i64(), Some(portal.app.clock.now().as_second()));
        assert!(id["email"].is_null() && id["sid"].is_string());
        let info = json(&userinfo(&portal, tokens["access_token"].as_str().unwrap()).await.is(200));
        assert_eq!((info["sub"].as_str(), info["email"].as_str(), info["name"].as_str()), (id["sub"].as_str(), Some(USAGER), Some("Camille Martin")));
        assert!(info["phone_number"].is_null());
        // Agreed once: straight through, by a plain redirection; with no more than is asked.
        let page = person.get(&authorize("").replace("+profile+email", "")).await.is(303);
        let bare = json(&ask(&portal, "app", &exchange(&parameter(page.location(), "code").unwrap())).await.is(200));
        let info = json(&userinfo(&portal, bare["access_token"].as_str().unwrap()).await.is(200));
        assert_eq!(info, serde_json::json!({"sub": id["sub"]}));
        // Nothing that opens anything is in the database.
        for token in ["access_token", "refresh_token"] {
            let kept: Vec<Vec<u8>> = portal.app.db.all(db::Query::new("select hash from sso_token"), vec![]).await.unwrap();
            assert!(!kept.iter().any(|hash| hash == tokens[token].as_str().unwrap().as_bytes()));
        }
        // Withdrawn: what was given opens nothing any more.
        let page = person.get("/compte/services").await.is(200).shows("Vélos");
        let form = page.form("service");
        person.post_form(&form.action, &form.fields).await.is(303);
        userinfo(&portal, tokens["access_token"].as_str().unwrap()).await.is(401);
        refused(&refresh(&portal, "app", tokens["refresh_token"].as_str().unwrap()).await, 400, "invalid_grant");
    }

    async fn nothing_goes_to_an_undeclared_address(portal: Portal) {
        declare(&portal, APP).await;
        declare(&portal, OTHER).await;
        let mut person = portal.usager(USAGER).await;
        let good = encode("https://app.test/retour");
        for uri in ["https://app.test/retour/", "https://app.test/retour?x", "https://other.test/retour", "https://autre.test/", "//app.test/retour", ""] {
            for more in ["", "&prompt=none", "&response_type=token", "&retour=refus"] {
                let page = person.get(&authorize(more).replace(&good, &encode(uri))).await.is(400).shows("n'est pas connu");
                assert_eq!((page.location(), page.header("refresh")), ("", ""), "{uri}");
            }
        }
        for path in [authorize("").replace("client_id=app", "client_id=rien"), authorize("&client_id=other"), authorize("&redirect_uri=https://autre.test")] {
            assert_eq!(leads(&person.get(&path).await.is(400)), None, "{path}");
        }
        // Other mistakes are told to the application, at its own address.
        for (path, error) in [
            (authorize("").replace("response_type=code", "response_type=token"), "unsupported_response_type"),
            (authorize("").replace("openid+", ""), "invalid_scope"),
            (authorize("&request=x"), "request_not_supported"),
            (authorize("").replace("S256", "plain"), "invalid_request"),
            (authorize("&nonce=m"), "invalid_request"),
            (authorize("&prompt=none"), "consent_required"),
        ] {
            let page = person.get(&path).await.is(303);
            assert!(page.location().starts_with("https://app.test/retour?error="), "{}", page.location());
            let told = |name: &str| parameter(page.location(), name);
            assert_eq!((told("error").as_deref(), told("state").as_deref(), told("iss").as_deref()), (Some(error), Some("s&t"), Some("http://ville.test")));
        }
        let page = portal.client().get(&authorize("&prompt=none")).await.is(303);
        assert_eq!(parameter(page.location(), "error").as_deref(), Some("login_required"));
    }

    async fn a_code_is_good_once_for_who_asked(portal: Portal) {
        declare(&portal, APP).await;
        declare(&portal, OTHER).await;
        let mut person = portal.usager(USAGER).await;
        let first = code(&mut person, &authorize("")).await;
        let tokens = json(&ask(&portal, "app", &exchange(&first)).await.is(200));
        userinfo(&portal, tokens["access_token"].as_str().unwrap()).await.is(200);
        // Replayed: somebody stole it, before or after; all that came of it ends.
        refused(&ask(&portal, "app", &exchange(&first)).await, 400, "invalid_grant");
        userinfo(&portal, tokens["access_token"].as_str().unwrap()).await.is(401);
        refused(&refresh(&portal, "app", tokens["refresh_token"].as_str().unwrap()).await, 400, "invalid_grant");

        let swap = |code: &str, name: &str, value: &str| -> Vec<(String, String)> {
            exchange(code).iter().map(|(key, old)| ((*key).to_owned(), if *key == name { value } else { old }.to_owned())).collect()
        };
        let long = "x".repeat(60);
        for (client, name, value) in [
            ("app", "code_verifier", long.as_str()),
            ("app", "code_verifier", ""),
            ("app", "redirect_uri", "https://app.test/autre"),
            ("app", "redirect_uri", ""),
            ("other", "", ""),
        ] {
            let code = code(&mut person, &authorize("")).await;
            let form = swap(&code, name, value);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            refused(&ask(&portal, client, &form).await, 400, "invalid_grant");
            // And is spent.
            refused(&ask(&portal, "app", &exchange(&code)).await, 400, "invalid_grant");
        }
        let late = code(&mut person, &authorize("")).await;
        portal.later(SignedDuration::from_secs(61));
        refused(&ask(&portal, "app", &exchange(&late)).await, 400, "invalid_grant");
        let left = code(&mut person, &authorize("")).await;
        person.post("/deconnexion", &[]).await.is(303);
        refused(&ask(&portal, "app", &exchange(&left)).await, 400, "invalid_grant");
        refused(&ask(&portal, "app", &exchange("")).await, 400, "invalid_grant");
    }

    async fn applications_prove_who_they_are(portal: Portal) {
        declare(&portal, APP).await;
        declare(&portal, PUBLIC).await;
        let mut person = portal.usager(USAGER).await;
        let code = code(&mut person, &authorize("")).await;
        let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> { exchange(&code).into_iter().chain(more.iter().copied()).collect() };
        for more in [&[][..], &[("client_id", "app")], &[("client_id", "app"), ("client_secret", "faux")], &[("client_id", "rien"), ("client_secret", SECRET)]] {
            refused(&ask(&portal, "", &with(more)).await, 401, "invalid_client");
        }
        refused(&ask(&portal, "app", &with(&[("client_id", "app"), ("client_secret", SECRET)])).await, 400, "invalid_request");
        refused(&ask(&portal, "app", &with(&[("client_id", "phone")])).await, 401, "invalid_client");
        assert_eq!(ask(&portal, "rien", &with(&[])).await.header("www-authenticate"), "Basic realm=\"token\"");
        refused(&ask(&portal, "app", &[("grant_type", "password"), ("username", USAGER)]).await, 400, "unsupported_grant_type");
        // By the form, too.
        ask(&portal, "", &with(&[("client_id", "app"), ("client_secret", SECRET)])).await.is(200);

        // A public one has no secret, and cannot do without PKCE.
        let phone = authorize("").replace("client_id=app", "client_id=phone").replace(&encode("https://app.test/retour"), &encode("https://phone.test/retour"));
        let bare = phone.split("&code_challenge").next().unwrap();
        let page = person.get(bare).await.is(303);
        assert_eq!(parameter(page.location(), "error").as_deref(), Some("invalid_request"));
        let code = crate::sso::oidc::code(&mut person, &phone).await;
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "https://phone.test/retour"), ("code_verifier", VERIFIER), ("client_id", "phone")];
        let tokens = json(&ask(&portal, "", &form).await.is(200));
        assert!(tokens["refresh_token"].is_null());
        refused(&ask(&portal, "", &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", "phone")]).await, 400, "unauthorized_client");
    }

    async fn a_stolen_refresh_token_ends_everything(portal: Portal) {
        declare(&portal, APP).await;
        declare(&portal, OTHER).await;
        let mut person = portal.usager(USAGER).await;
        let first = tokens(&portal, &mut person).await;
        let second = json(&refresh(&portal, "app", first["refresh_token"].as_str().unwrap()).await.is(200));
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let (before, after) = (claims(first["id_token"].as_str().unwrap()), claims(second["id_token"].as_str().unwrap()));
        assert_eq!((&before["sub"], &before["sid"], &before["auth_time"]), (&after["sub"], &after["sid"], &after["auth_time"]));
        assert!(after["nonce"].is_null());
        // The first one again: two hold it.
        refused(&refresh(&portal, "app", first["refresh_token"].as_str().unwrap()).await, 400, "invalid_grant");
        refused(&refresh(&portal, "app", second["refresh_token"].as_str().unwrap()).await, 400, "invalid_grant");
        userinfo(&portal, second["access_token"].as_str().unwrap()).await.is(401);
        // Another application's.
        let third = tokens(&portal, &mut person).await;
        refused(&refresh(&portal, "other", third["refresh_token"].as_str().unwrap()).await, 400, "invalid_grant");
        userinfo(&portal, third["access_token"].as_str().unwrap()).await.is(401);
        // An access token is no refresh token, and lasts an hour.
        let fourth = tokens(&portal, &mut person).await;
        refused(&refresh(&portal, "app", fourth["access_token"].as_str().unwrap()).await, 400, "invalid_grant");
        userinfo(&portal, fourth["refresh_token"].as_str().unwrap()).await.is(401);
        portal.later(SignedDuration::from_secs(3601));
        userinfo(&portal, fourth["access_token"].as_str().unwrap()).await.is(401);
        refresh(&portal, "app", fourth["refresh_token"].as_str().unwrap()).await.is(200);
    }

    async fn credentials_and_consent_are_asked_again_on_request(portal: Portal) {
        declare(&portal, APP).await;
        let mut person = portal.usager(USAGER).await;
        tokens(&portal, &mut person).await;
        portal.later(SignedDuration::from_secs(100));
        assert!(person.get(&authorize("&max_age=200")).await.location().starts_with("https://app.test/"));
        for more in ["&prompt=login", "&max_age=99", "&max_age=0"] {
            assert!(person.get(&authorize(more)).await.is(303).location().starts_with("/connexion?encore=oui"), "{more}");
            let page = person.get(&authorize(&format!("{more}&prompt=none"))).await.is(303);
            let error = if more == "&prompt=login" { "invalid_request" } else { "login_required" };
            assert_eq!(parameter(page.location(), "error").as_deref(), Some(error));
        }
        portal.later(SignedDuration::from_secs(1));
        let code = code(&mut person, &authorize("&prompt=login")).await;
        let again = json(&ask(&portal, "app", &exchange(&code)).await.is(200));
        assert_eq!(claims(again["id_token"].as_str().unwrap())["auth_time"].as_i64(), Some(portal.app.clock.now().as_second()));
        // Agreed already, asked all the same; and refused, which the application learns.
        let page = person.get(&authorize("&prompt=consent")).await.is(200).shows("Vélos recevra");
        let form = page.form("choix").with("choix", "refuser");
        let back = person.post_form(&form.action, &form.fields).await.is(303);
        let to = leads(&person.follow(&back).await).unwrap();
        assert_eq!((parameter(&to, "error").as_deref(), parameter(&to, "state").as_deref()), (Some("access_denied"), Some("s&t")));
        let to = walk(&mut person, &authorize("&prompt=consent")).await;
        assert!(parameter(&to, "code").is_some());
        // Posted by another site: asked again with this site's cookies.
        let mut elsewhere = portal.client();
        elsewhere.origin = Some("https://app.test".into());
        let page = elsewhere.post("/oidc/authorize", &[("client_id", "app"), ("state", "a&b")]).await;
        page.leads_to("/oidc/authorize?client_id=app&state=a%26b");
    }

    async fn keys_turn_and_old_tokens_stay_good(portal: Portal) {
        declare(&portal, APP).await;
        let found = json(&portal.client().get("/.well-known/openid-configuration").await.is(200));
        assert_eq!((found["issuer"].as_str(), found["jwks_uri"].as_str()), (Some("http://ville.test"), Some("http://ville.test/oidc/jwks")));
        assert_eq!(found["subject_types_supported"][0], "pairwise");
        let kids = async || -> Vec<String> {
            let page = portal.client().get("/oidc/jwks").await.is(200);
            assert!(!page.html().contains("\"d\""), "a private key is published");
            json(&page)["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        let first = kids().await;
        assert_eq!((first.len(), kids().await), (1, first.clone()));
        let kid = |tokens: &Value| {
            let header = tokens["id_token"].as_str().unwrap().split('.').next().unwrap().to_owned();
            let header: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
            header["kid"].as_str().unwrap().to_owned()
        };
        let mut person = portal.usager(USAGER).await;
        guichet::sso::rotate(&portal.db(), &portal.app.secret, &portal.app.clock).await.unwrap();
        // Published before it signs.
        assert_eq!(kids().await.len(), 2);
        assert_eq!(kid(&tokens(&portal, &mut person).await), first[0]);
        portal.later(SignedDuration::from_secs(3600));
        let second = kids().await;
        assert_eq!(second.len(), 2);
        assert_eq!(kid(&tokens(&portal, &mut person).await), second[1]);
        portal.later(SignedDuration::from_mins(26));
        assert_eq!(kids().await, second[1..]);
        // A key taken out of the database signs nothing more, though this process has read it.
        let taken_out = async |tx: &mut db::Tx| tx.run(db::sql!("delete from sso_key where id = $1"), db::args![&second[1]]).await;
        portal.app.db.write(taken_out).await.unwrap();
        assert_eq!(kid(&tokens(&portal, &mut person).await), first[0]);
        guichet::sso::rotate(&portal.db(), &portal.app.secret, &portal.app.clock).await.unwrap();
        portal.later(SignedDuration::from_secs(3600));
        let third = kids().await;
        assert_eq!(kid(&tokens(&portal, &mut person).await), third[1]);
        // Sealed: a copy of the database signs nothing.
        let sealed: Vec<Vec<u8>> = portal.app.db.all(db::Query::new("select sealed from sso_key"), vec![]).await.unwrap();
        assert_eq!(sealed.len(), 2);
        assert!(sealed.iter().all(|sealed| !sealed.starts_with(&[0x30, 0x82]) && guichet::platform::secret::Secret::new("x").unseal("clef-sso", b"x", sealed).is_none()));
        portal.later(SignedDuration::from_hours(32 * 24));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!((portal.count("sso_key").await, portal.count("sso_grant").await, portal.count("sso_token").await), (1, 0, 0));
    }
}
