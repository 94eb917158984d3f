//! The life of an account: its address, the counter, two accounts made one, its end.

mod address;
mod closing;
mod code;
mod counter;
mod meanwhile;
mod merge;

use guichet::accounts::session::Kind;
use uuid::Uuid;

use crate::harness::{Client, PASSWORD, Page, Portal};

/// The path of the link in the latest mail to this address.
pub async fn link(portal: &Portal, to: &str) -> String {
    let mails = portal.outbox().await;
    let (_, _, body) = mails.iter().rev().find(|(found, ..)| found == to).unwrap_or_else(|| panic!("no mail to {to}"));
    body.lines().find_map(|line| line.trim().strip_prefix("http://ville.test")).expect("a link").to_owned()
}

/// Subjects of the mails to this address.
pub async fn subjects(portal: &Portal, to: &str) -> Vec<String> {
    portal.outbox().await.into_iter().filter(|(found, ..)| found == to).map(|(_, subject, _)| subject).collect()
}

/// One more usager's account, open.
pub async fn usager(portal: &Portal, email: &str) -> Uuid {
    let now = portal.app.clock.now();
    let id = portal.app.clock.id();
    let new = guichet::accounts::NewAccount {
        id,
        kind: Kind::Usager,
        email: email.into(),
        password_hash: Some(guichet::accounts::hash(PASSWORD).await.unwrap()),
        first_name: "Camille".into(),
        last_name: "Moreau".into(),
        phone: None,
        quality: None,
        confirmed_at: Some(now),
    };
    guichet::accounts::create(&portal.db(), &new, now).await.unwrap();
    id
}

/// What « Connexion et sécurité » tells of the account.
pub async fn history(person: &mut Client) -> Page {
    person.get("/compte/securite").await.is(200)
}

/// Signs in; the page that follows.
pub async fn enter(person: &mut Client, name: &str, password: &str) -> Page {
    person.post("/connexion", &[("email", name), ("mot-de-passe", password), ("suite", "")]).await
}

/// The words of a PDF.
pub fn paper(pdf: &[u8]) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new("pdftotext")
        .args(["-raw", "-", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("poppler-utils is installed");
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "not a PDF");
    // Places where a long word may break.
    String::from_utf8(output.stdout).unwrap().replace('\u{200b}', "")
}
