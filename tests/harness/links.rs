//! Linked services: the sample city's, and others.

use guichet::{
    links::{self, Declaration, Import, Report},
    work,
};

use super::{Client, Page, Portal, html};

pub const EXAMPLE: &str = include_str!("../../docs/examples/dechets.toml");
pub const HEADER: &str = "reference;naissance;titulaire;adresse;solde;echeance\n";
/// Of the sample city's service.
pub const REFERENCE: &str = "DEC-100001";
pub const BORN: &str = "27/03/1985";

/// Declares the example anew for another department, under another id.
pub async fn declare(portal: &Portal, id: &str, department: &str) {
    let text = EXAMPLE
        .replace("id = \"dechets\"", &format!("id = \"{id}\""))
        .replace("department = \"dechets\"", &format!("department = \"{department}\""));
    let declaration = Declaration::read("a.toml", &text).unwrap();
    links::put(&portal.db(), &declaration, portal.app.clock.now()).await.unwrap();
}

/// Loads references as the command line does.
pub async fn load(portal: &Portal, service: &str, csv: &str, fewer: bool) -> Report {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    let service = links::find(&visit.db, service).await.unwrap().unwrap();
    let mut import = Import::begin(&visit, &service).await.unwrap();
    for piece in csv.as_bytes().chunks(100) {
        import.push(piece).await.unwrap();
    }
    import.end(fewer).await.unwrap()
}

pub async fn attempt(person: &mut Client, service: &str, reference: &str, born: &str) -> Page {
    let form = [("reference", reference), ("preuve-naissance", born)];
    person.post(&format!("/mes-services/rattacher/{service}"), &form).await
}

/// Links a reference; gives the address of the link.
pub async fn link(person: &mut Client, service: &str, reference: &str, born: &str) -> String {
    let before = addresses(person).await;
    attempt(person, service, reference, born).await.leads_to("/mes-services?fait=rattache");
    addresses(person).await.into_iter().find(|address| !before.contains(address)).unwrap()
}

async fn addresses(person: &mut Client) -> Vec<String> {
    let page = person.get("/mes-services").await.is(200);
    let hrefs = html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned());
    hrefs
        .filter(|href| href.starts_with("/mes-services/") && href.ends_with("/detacher"))
        .map(|href| href.trim_end_matches("/detacher").to_owned())
        .collect()
}
