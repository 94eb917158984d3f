//! « Mes documents »: what their owner does with them, and what nobody else can.

mod keys;
mod organisation;
mod own;
mod pages;
pub mod passkey;
mod requests;
mod scan;
mod secrecy;

use crate::harness::{Client, Engine, PASSWORD, Page, Portal, USAGER, both, html, journey::PDF};

/// What nobody but the owner may read.
const SECRET: &str = "Quittance Bougainvillée";
const OTHER_PASSWORD: &str = "girafe bleue du mardi";

/// A document whose content holds [`SECRET`].
fn secret_pdf() -> Vec<u8> {
    // Longer than what age encrypts as one piece.
    [PDF, SECRET.as_bytes(), &[b'x'; 150_000]].concat()
}

/// Makes a safe; gives its recovery code.
async fn create(client: &mut Client) -> String {
    let page = client.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
    code(&page)
}

fn code(page: &Page) -> String {
    let words = page.words();
    let code = words.split_whitespace().find(|word| word.len() == 35 && word.matches('-').count() == 5);
    code.unwrap_or_else(|| panic!("no code in {words}")).to_owned()
}

async fn send(client: &mut Client, name: &str, kind: &str, bytes: &[u8]) -> Page {
    let fields = [("type".to_owned(), kind.to_owned())];
    client.upload("/mes-documents/ajouter", &fields, &[("fichier", name, bytes)]).await
}

/// Adds a document; gives its address.
async fn add(client: &mut Client, name: &str, kind: &str, bytes: &[u8]) -> String {
    let page = send(client, name, kind, bytes).await.is(303);
    let (address, told) = page.location().split_once('?').unwrap();
    assert_eq!(told, "fait=ajoute");
    address.to_owned()
}

async fn open(client: &mut Client, password: &str) -> Page {
    client.post("/mes-documents/ouvrir", &[("mot-de-passe", password), ("suite", "/mes-documents")]).await
}

/// A usager with a safe and one document in it.
async fn owner(portal: &Portal) -> (Client, String, String) {
    let mut client = portal.usager(USAGER).await;
    let code = create(&mut client).await;
    let document = add(&mut client, &format!("{SECRET}.pdf"), "domicile", &secret_pdf()).await;
    (client, code, document)
}

/// Addresses of the documents on a page.
fn documents(page: &Page) -> Vec<String> {
    let links = html::tags(page.html()).into_iter().filter(|tag| tag.name == "a").map(|tag| tag.get("href").to_owned());
    links
        .filter(|href| href.starts_with("/mes-documents/") && href.split('/').nth(2).is_some_and(|id| id.len() == 36))
        .filter(|href| href.split('/').count() == 3)
        .collect()
}
