//! Proxy tickets, with a callback over TLS under a certification authority of our own.

use std::process::Command;

use guichet::platform::encode;

use super::{
    cas::{SPORT, login, refused, ticket, validate},
    declare, parameter, walk,
};
use crate::harness::{Engine, Folder, USAGER, peers, portal};

/// A certificate for this machine, made by OpenSSL, and its key.
fn certificate(folder: &Folder) -> (String, String) {
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

async fn check(engine: Engine) {
    let folder = Folder::new();
    let (certificate, key) = certificate(&folder);
    let callback = peers::Script::start("cas_proxy.py", &[&certificate, &key]);
    let pgt_url = format!("https://localhost:{}/recu", callback.port);
    let trusted = certificate.clone();
    let portal = portal::Portal::start_with(engine, |config| config.outside_ca = trusted.into()).await;
    let media = format!(
        "id = \"media\"\nname = \"Médiathèque\"\n[cas]\nservices = [\"https://media.test/app\"]\nproxy_callbacks = [\"https://localhost:{}/\"]\n",
        callback.port
    );
    declare(&portal, &media).await;
    declare(&portal, SPORT).await;
    let (service, target) = ("https://media.test/app", "https://sport.test/api");
    let mut person = portal.usager(USAGER).await;
    let ask = |ticket: String, url: String| {
        format!("/cas/serviceValidate?service={}&ticket={ticket}&pgtUrl={}", encode(service), encode(&url))
    };
    // Not declared, not TLS, not answering 200: no ticket, and the service ticket is spent.
    for (url, code) in [
        ("https://autre.test/".to_owned(), "UNAUTHORIZED_SERVICE_PROXY"),
        (pgt_url.replace("https", "http"), "INVALID_PROXY_CALLBACK"),
        (pgt_url.replace("recu", "absent"), "INVALID_PROXY_CALLBACK"),
        (pgt_url.replace("localhost", "127.0.0.1"), "UNAUTHORIZED_SERVICE_PROXY"),
    ] {
        let ticket = ticket(&mut person, service).await;
        refused(portal.client().get(&ask(ticket.clone(), url)).await.html(), code);
        refused(&validate(&portal, "serviceValidate", service, &ticket).await, "INVALID_TICKET");
    }
    let answer = portal.client().get(&ask(ticket(&mut person, service).await, pgt_url.clone())).await;
    let iou = answer.html().split_once("<cas:proxyGrantingTicket>").unwrap().1.split('<').next().unwrap().to_owned();
    let granting = callback.line(|line| line.split_once(&format!("{iou} ")).map(|(_, pgt)| pgt.to_owned()));
    assert!(granting.starts_with("PGT-") && granting.len() <= 64);

    let proxy = async |pgt: &str, target: &str| {
        let path = format!("/cas/proxy?pgt={pgt}&targetService={}", encode(target));
        portal.client().get(&path).await.is(200).html().to_owned()
    };
    refused(&proxy(&granting, "https://autre.test/").await, "UNAUTHORIZED_SERVICE");
    refused(&proxy("PGT-INCONNU", target).await, "INVALID_REQUEST");
    refused(&proxy(&iou, target).await, "INVALID_REQUEST");
    let given = async || {
        let text = proxy(&granting, target).await;
        text.split_once("<cas:proxyTicket>").unwrap_or_else(|| panic!("{text}")).1.split('<').next().unwrap().to_owned()
    };
    let answer = validate(&portal, "p3/proxyValidate", target, &given().await).await;
    assert!(answer.contains(&format!("<cas:proxy>{pgt_url}</cas:proxy>")), "{answer}");
    // A door that takes no proxy ticket spends it all the same.
    let one = given().await;
    refused(&validate(&portal, "serviceValidate", target, &one).await, "INVALID_TICKET_SPEC");
    refused(&validate(&portal, "proxyValidate", target, &one).await, "INVALID_TICKET");
    assert!(parameter(&walk(&mut person, &login(service)).await, "ticket").is_some());
    // A granting ticket validates nothing, and ends with the session.
    refused(&validate(&portal, "proxyValidate", service, &granting).await, "INVALID_TICKET");
    person.post("/deconnexion", &[]).await.is(303);
    refused(&proxy(&granting, target).await, "INVALID_REQUEST");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_sqlite() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_postgres() {
    check(Engine::Postgres).await;
}
