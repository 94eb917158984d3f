//! Declaring somebody in « Mon foyer ».

use super::{Client, Portal, html};

/// A child of the household: what its form sends.
pub fn child(first_names: &str, born: &str) -> Vec<(String, String)> {
    let mut parts = born.split('-');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (year, month, day) = (part(), part(), part());
    let fields = [
        ("lien", "child"),
        ("autorite_parentale", "oui"),
        ("identite.nom_naissance", "Martin"),
        ("identite.prenoms", first_names),
        ("identite.annee", &year),
        ("identite.mois", &month),
        ("identite.jour", &day),
        ("identite.lieu", "Lyon"),
        ("identite.departement", "Rhône"),
        ("identite.pays", "France"),
    ];
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Declares a child by the page's own form; gives their id.
pub async fn declare(person: &mut Client, first_names: &str, born: &str) -> String {
    let page = person.get("/compte/foyer/ajouter").await.is(200);
    let id = page.form("membre").value("membre").to_owned();
    let mut fields = child(first_names, born);
    fields.push(("membre".to_owned(), id.clone()));
    person.post_form("/compte/foyer/ajouter", &fields).await.leads_to("/compte/foyer?fait=declare");
    // Twice is once.
    person.post_form("/compte/foyer/ajouter", &fields).await.leads_to("/compte/foyer?fait=declare");
    let page = person.get("/compte/foyer").await.is(200);
    let address = format!("/compte/foyer/{id}");
    assert_eq!(html::tags(page.html()).iter().filter(|tag| tag.get("href") == address).count(), 1);
    id
}

/// An address of the account: what its form sends.
pub fn address(street: &str, from: &str, confidential: bool) -> Vec<(String, String)> {
    let mut parts = from.split('-');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (year, month, day) = (part(), part(), part());
    let fields = [
        ("genre", "main"),
        ("adresse.numero_voie", street),
        ("adresse.code_postal", "96000"),
        ("adresse.commune", "Valmont"),
        ("adresse.pays", "France"),
        ("depuis.annee", &year),
        ("depuis.mois", &month),
        ("depuis.jour", &day),
        ("confidentielle", if confidential { "oui" } else { "non" }),
    ];
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Declares a main address by the page's own form; gives its id.
pub async fn live(person: &mut Client, street: &str, from: &str, confidential: bool) -> String {
    let page = person.get("/compte/coordonnees/ajouter").await.is(200);
    let id = page.form("membre").value("membre").to_owned();
    let mut fields = address(street, from, confidential);
    fields.push(("membre".to_owned(), id.clone()));
    for _ in 0..2 {
        person.post_form("/compte/coordonnees/ajouter", &fields).await.leads_to("/compte/coordonnees?fait=ajoutee");
    }
    id
}

/// Invites by the page's own form: to share these children, or whole households for none. Gives the share's id.
pub async fn invite(person: &mut Client, email: &str, children: &[&str]) -> String {
    let page = person.get("/compte/foyer/inviter").await.is(200);
    let id = page.form("membre").value("membre").to_owned();
    let scope = if children.is_empty() { "foyer" } else { "enfants" };
    let mut fields = vec![("membre", id.as_str()), ("courriel", email), ("portee", scope)];
    fields.extend(children.iter().map(|child| ("enfants", *child)));
    for _ in 0..2 {
        person.post("/compte/foyer/inviter", &fields).await.leads_to("/compte/foyer?fait=invite");
    }
    id
}

/// The path of the last link to an invitation mailed there.
pub async fn invitation(portal: &Portal, email: &str) -> String {
    let mails = portal.outbox().await;
    let (_, subject, body) = mails.iter().rfind(|(to, ..)| to.eq_ignore_ascii_case(email)).expect("a mail");
    assert_eq!(subject, "Une invitation vous attend");
    let at = body.find("/compte/foyer/invitations/").expect("a link");
    body[at..].split_whitespace().next().unwrap().to_owned()
}
