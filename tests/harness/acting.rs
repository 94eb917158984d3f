//! Organisations and mandates, made by their own pages.

use super::{Client, Page, Portal};

pub const RNA: &str = "W963001234";
pub const SIRET: &str = "356 000 000 00048";
pub const CLUB: &str = "Judo-club de Valmont";

/// Declares the club; gives its id.
pub async fn declare_club(person: &mut Client) -> String {
    let page = person.get("/compte/organisations/declarer").await.is(200);
    let form = page.form("nature");
    let id = form.value("organisation").to_owned();
    let fields = [
        ("organisation", id.as_str()),
        ("nature", "association"),
        ("nom", CLUB),
        ("rna", RNA),
        ("siret", SIRET),
        ("adresse", "1 rue du Stade, 96000 Valmont"),
    ];
    // Twice is once.
    for _ in 0..2 {
        person
            .post("/compte/organisations/declarer", &fields)
            .await
            .leads_to(&format!("/compte/organisations/{id}?fait=declaree"));
    }
    id
}

/// The path of the latest invitation mailed to this address.
pub async fn invitation(portal: &Portal, email: &str) -> String {
    let mails = portal.outbox().await;
    let mut links = mails.iter().filter(|(to, ..)| to == email).filter_map(|(_, _, body)| {
        let at = body.find("/invitations/")?;
        body.get(at..)?.split_whitespace().next()
    });
    links.next_back().unwrap_or_else(|| panic!("no invitation for {email}: {mails:?}")).to_owned()
}

/// Invites somebody, who accepts.
pub async fn join(portal: &Portal, president: &mut Client, id: &str, person: &mut Client, email: &str, role: &str) {
    let url = format!("/compte/organisations/{id}");
    president
        .post(&format!("{url}/inviter"), &[("email", email), ("role", role)])
        .await
        .leads_to(&format!("{url}?fait=invite"));
    let link = invitation(portal, email).await;
    person.get(&link).await.is(200).shows(CLUB);
    person.post(&link, &[("reponse", "accepter")]).await.leads_to("/agir-pour?fait=accepte");
}

/// Acts for an organisation (`organisation:ID`), by a mandate (`mandate:ID`), or for oneself (`moi`).
pub async fn act(person: &mut Client, whom: &str) {
    person.post("/agir-pour", &[("pour", whom)]).await.leads_to("/mes-demandes");
}

/// Whom every page says that one acts for; empty for oneself.
pub fn banner(page: &Page) -> String {
    let Some((_, rest)) = page.html().split_once("Vous agissez pour <strong>") else { return String::new() };
    super::html::decode(rest.split('<').next().unwrap())
}

/// Terms of a mandate for everything, for three months.
pub fn terms<'a>(email: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("email", email), ("qualite", "family"), ("duree", "3")];
    fields.extend_from_slice(more);
    fields
}

pub const ALL: [(&str, &str); 4] = [("peut", "send"), ("peut", "answer"), ("peut", "follow"), ("portee", "toutes")];

/// Gives a mandate, which the helper accepts; gives its id.
pub async fn mandate(
    portal: &Portal,
    principal: &mut Client,
    helper: &mut Client,
    email: &str,
    more: &[(&str, &str)],
) -> String {
    principal.post("/compte/mandats/donner", &terms(email, more)).await.leads_to("/compte/mandats?fait=propose");
    let link = invitation(portal, email).await;
    helper.post(&link, &[("reponse", "accepter")]).await.leads_to("/agir-pour?fait=accepte");
    let page = helper.get("/compte/mandats").await.is(200);
    let tags = super::html::tags(page.html());
    let button = tags.iter().find(|tag| tag.get("name") == "pour" && tag.get("value").starts_with("mandate:"));
    button.expect("no mandate to act by").get("value").trim_start_matches("mandate:").to_owned()
}
