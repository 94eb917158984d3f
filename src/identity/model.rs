//! What is asked of an identity to be verified, and how a verified one is told.

use std::sync::Arc;

use forms::{
    kinds::{Kind, address::Address, choice::Choice, identity::Identity},
    model::Field,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::{
    platform::{clock, encode, french},
    provider,
    visit::Visit,
};

/// Sources of an identity, beside `provider:<id>`.
pub const COUNTER: &str = "counter";
pub const POST: &str = "post";

/// How long the code of a letter is good for, once posted.
pub const CODE_LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// One letter at most is posted to an account in this time.
pub const BETWEEN_LETTERS: SignedDuration = SignedDuration::from_hours(15 * 24);

/// Names of the questions.
pub const IDENTITY: &str = "identite";
pub const ADDRESS: &str = "adresse";
pub const DOCUMENT: &str = "document";

/// The provider that an identity comes from, if one certified it.
fn certifier(source: &str) -> Option<&str> {
    source.strip_prefix("provider:")
}

/// « Faire vérifier mon identité », then back to `next` (an address of ours), for a procedure if one asks.
pub fn page(next: &str, procedure: &str) -> String {
    format!("/compte/identite?suite={}&demarche={}", encode(next), encode(procedure))
}

/// « au guichet », « par courrier », « par FranceConnect ».
pub async fn how(visit: &Visit, source: &str) -> Result<String, db::Error> {
    let name = match certifier(source) {
        Some(id) => provider::name(&visit.db, id).await?,
        None => None,
    };
    Ok(told(source, name.as_deref()))
}

/// `name`: as people know the provider, while it is declared.
fn told(source: &str, name: Option<&str>) -> String {
    match source {
        COUNTER => "au guichet".to_owned(),
        POST => "par courrier".to_owned(),
        other => format!("par {}", name.or(certifier(other)).unwrap_or(other)),
    }
}

/// « Identité vérifiée au guichet le 3 mars 2026 ».
pub async fn sentence(visit: &Visit, source: &str, at: Timestamp) -> Result<String, db::Error> {
    let day = french::date(clock::day(at, &visit.site.zone));
    Ok(format!("Identité vérifiée {} le {day}", how(visit, source).await?))
}

fn kind() -> Identity {
    Identity { birth_date: true, birth_place: true, ..Identity::default() }
}

/// An identity, one line for each thing known.
pub fn lines(identity: &Json) -> Vec<String> {
    kind().display(identity)
}

/// « Léa Martin », for an envelope.
pub fn name(identity: &Json) -> String {
    let part = |key: &str| identity.get(key).and_then(Json::as_str).unwrap_or_default();
    let family = if part("nom_usage").is_empty() { part("nom_naissance") } else { part("nom_usage") };
    format!("{} {family}", part("prenoms").replace(',', " ")).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address as it stands on an envelope.
pub fn address_lines(address: &Json) -> Vec<String> {
    Address.display(address)
}

fn asked(id: &str, ask: &str, help: Option<&str>, kind: Arc<dyn Kind>) -> Field {
    Field { optional: false, help: help.map(str::to_owned), ..Field::plain(id, ask, kind) }
}

/// What somebody declares to be sent a letter.
pub fn declaration() -> Vec<Field> {
    let identity = Arc::new(Identity { autocomplete: true, ..kind() });
    let help = "La lettre y est envoyée à votre nom : il doit figurer sur la boîte aux lettres.";
    vec![
        asked(IDENTITY, "Votre identité", Some("Telle qu’elle figure sur vos papiers"), identity),
        asked(ADDRESS, "Votre adresse postale", Some(help), Arc::new(Address)),
    ]
}

/// Kinds of paper; which one is all that is kept of it.
const DOCUMENTS: [(&str, &str); 5] = [
    ("carte", "Carte nationale d’identité"),
    ("passeport", "Passeport"),
    ("sejour", "Titre de séjour"),
    ("permis", "Permis de conduire"),
    ("autre", "Autre document avec photo"),
];

/// Kinds of paper: code and name.
pub fn documents() -> impl Iterator<Item = (&'static str, &'static str)> {
    DOCUMENTS.into_iter()
}

/// « Passeport ».
pub fn document_label(code: &str) -> Option<&'static str> {
    DOCUMENTS.iter().find(|(known, _)| *known == code).map(|(_, label)| *label)
}

/// What an agent copies from the paper shown at the counter.
pub fn counter_questions() -> Vec<Field> {
    let options = DOCUMENTS.map(|(code, label)| (code.to_owned(), label.to_owned()));
    let help = "Recopiez ce que dit le document. N’écrivez jamais son numéro.";
    vec![
        asked(DOCUMENT, "Document présenté", None, Arc::new(Choice { options: options.into() })),
        asked(IDENTITY, "Identité", Some(help), Arc::new(kind())),
    ]
}

/// A code as a letter shows it: groups of four.
pub fn readable(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sources_are_told_in_french() {
        let all = [("counter", None), ("post", None), ("provider:fc", Some("FranceConnect")), ("provider:autre", None)];
        let told = all.map(|(source, name)| told(source, name));
        assert_eq!(told, ["au guichet", "par courrier", "par FranceConnect", "par autre"]);
    }

    #[test]
    fn envelopes_bear_the_name_in_use() {
        let identity = json!({"nom_naissance": "Gaüzère", "nom_usage": "Lefèvre", "prenoms": "Noémie, Zoé"});
        assert_eq!(name(&identity), "Noémie Zoé Lefèvre");
        assert_eq!(name(&json!({"nom_naissance": "Gaüzère", "prenoms": ""})), "Gaüzère");
        assert_eq!(readable("ABCDEFGHJKLM"), "ABCD EFGH JKLM");
    }
}
