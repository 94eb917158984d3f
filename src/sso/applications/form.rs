//! The form of an application, and the declaration it stands for. Pure: the rules are those of the file.

use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};

use crate::sso::client::{Cas, Claim, Claims, Declaration, Oidc};

/// Claims as the form lists them: value, label.
const CLAIMS: [(Claim, &str, &str); 5] = [
    (Claim::GivenName, "given_name", "Le prénom"),
    (Claim::FamilyName, "family_name", "Le nom"),
    (Claim::Email, "email", "L’adresse électronique"),
    (Claim::PhoneNumber, "phone_number", "Le numéro de téléphone"),
    (
        Claim::Login,
        "login",
        "L’identifiant de connexion (l’adresse électronique), à la place d’un numéro propre à l’application",
    ),
];

pub fn claim_label(claim: Claim) -> &'static str {
    CLAIMS.iter().find(|(known, ..)| *known == claim).map_or("", |(_, _, label)| label)
}

/// The field that a key of the file is filled in by.
pub fn field(key: &str) -> &'static str {
    match key {
        "id" => "identifiant",
        "name" => "nom",
        "oidc.redirect_uris" => "retours",
        "oidc.post_logout_redirect_uris" => "apres-deconnexion",
        "oidc.backchannel_logout_uri" => "prevenir",
        "cas.services" => "adresses-cas",
        "cas.proxy_callbacks" => "mandataire",
        _ => "oidc",
    }
}

/// What was typed, as a declaration, right or wrong. `id`: of the application that is changed.
pub fn read(raw: &Raw, id: Option<&str>) -> Declaration {
    let told = |name: &str| raw.text(name) == "oui";
    let chosen = |name: &str| raw.all("donnees").any(|value| value == name);
    let claims: Claims = CLAIMS.iter().filter(|(_, name, _)| chosen(name)).map(|(claim, ..)| *claim).collect();
    let oidc = told("oidc").then(|| Oidc {
        redirect_uris: lines(raw.text("retours")),
        post_logout_redirect_uris: lines(raw.text("apres-deconnexion")),
        backchannel_logout_uri: lines(raw.text("prevenir")).into_iter().next(),
        public: raw.text("type") == "public",
        refresh_tokens: told("renouveler"),
    });
    let cas = told("cas")
        .then(|| Cas { services: lines(raw.text("adresses-cas")), proxy_callbacks: lines(raw.text("mandataire")) });
    let id = id.unwrap_or_else(|| raw.text("identifiant").trim()).to_owned();
    Declaration { id, name: raw.text("nom").trim().to_owned(), claims, oidc, cas }
}

/// One address by line, each once.
fn lines(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !found.iter().any(|one| one == line) {
            found.push(line.to_owned());
        }
    }
    found
}

/// A declaration as it would have been typed.
pub fn typed(declaration: &Declaration) -> Raw {
    let mut raw = Raw::default();
    let mut set = |name: &str, value: &str| raw.0.entry(name.to_owned()).or_default().push(value.to_owned());
    set("identifiant", &declaration.id);
    set("nom", &declaration.name);
    for (_, name, _) in CLAIMS.iter().filter(|(claim, ..)| declaration.claims.contains(claim)) {
        set("donnees", name);
    }
    if let Some(oidc) = &declaration.oidc {
        set("oidc", "oui");
        set("retours", &oidc.redirect_uris.join("\n"));
        set("apres-deconnexion", &oidc.post_logout_redirect_uris.join("\n"));
        set("prevenir", oidc.backchannel_logout_uri.as_deref().unwrap_or_default());
        set("type", if oidc.public { "public" } else { "serveur" });
        set("renouveler", if oidc.refresh_tokens { "oui" } else { "" });
    }
    if let Some(cas) = &declaration.cas {
        set("cas", "oui");
        set("adresses-cas", &cas.services.join("\n"));
        set("mandataire", &cas.proxy_callbacks.join("\n"));
    }
    raw
}

/// The values of the form's fields, as its template draws them.
pub fn values(raw: &Raw) -> Value {
    let told = |name: &str| raw.text(name) == "oui";
    let claims: Vec<Json> = CLAIMS
        .iter()
        .map(|(_, name, label)| json!({"value": name, "text": label, "checked": raw.all("donnees").any(|one| one == *name)}))
        .collect();
    context! {
        id => raw.text("identifiant"), name => raw.text("nom"), claims => Value::from(Serde(claims)),
        oidc => told("oidc"), cas => told("cas"), public => raw.text("type") == "public", refresh => told("renouveler"),
        redirects => raw.text("retours"), after_logout => raw.text("apres-deconnexion"), backchannel => raw.text("prevenir"),
        services => raw.text("adresses-cas"), proxies => raw.text("mandataire"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_filled_in_is_the_one_of_the_file() {
        let file = include_str!("../../../docs/examples/service.toml");
        let whole = file
            .replace("\"email\"]", "\"email\", \"phone_number\", \"login\"]")
            .replace("/cas/\"]", "/cas/\", \"https://b.fr\"]\nproxy_callbacks = [\"https://b.fr/pgt\"]");
        let public = file.replace("refresh_tokens = true", "public = true");
        let cas = "id = \"a\"\nname = \"A\"\n[cas]\nservices = [\"https://a.fr/\"]\n";
        for text in [file, &whole, &public, cas] {
            let found = Declaration::read("a.toml", text).unwrap();
            assert_eq!(read(&typed(&found), None), found);
            assert_eq!(read(&typed(&found), Some(&found.id)), found);
        }
    }

    #[test]
    fn every_key_has_its_field_and_every_claim_its_words() {
        let keys = [
            "id",
            "name",
            "oidc.redirect_uris",
            "oidc.post_logout_redirect_uris",
            "oidc.backchannel_logout_uri",
            "cas.services",
            "cas.proxy_callbacks",
            "",
        ];
        let fields: std::collections::BTreeSet<&str> = keys.into_iter().map(field).collect();
        assert_eq!(fields.len(), keys.len());
        for (claim, name, label) in CLAIMS {
            assert_eq!((json!(claim), claim_label(claim)), (json!(name), label));
        }
    }

    #[test]
    fn addresses_are_read_line_by_line() {
        assert_eq!(lines(" https://a.fr \n\nhttps://b.fr\r\nhttps://a.fr"), ["https://a.fr", "https://b.fr"]);
        let raw = crate::platform::form::urlencoded(b"oidc=oui&prevenir=%20&donnees=email&donnees=rien");
        let found = read(&raw, None);
        assert_eq!(found.oidc.unwrap().backchannel_logout_uri, None);
        assert_eq!((found.claims.len(), found.cas), (1, None));
    }
}
