//! What a verified identity fills in, and what it leaves to be typed.

use serde_json::json;

use super::*;
use crate::kinds::identity::Identity;

fn whole() -> Identity {
    Identity { birth_date: true, birth_place: true, ..Identity::default() }
}

fn checked() -> Json {
    json!({
        "nom_naissance": "Martin", "nom_usage": "Durand", "prenoms": "Léa, Zoé", "date_naissance": "1980-05",
        "lieu_naissance": {"commune": "Lyon", "departement": "Rhône", "pays": "France"},
    })
}

/// Somebody else's whole identity, as a browser could send it.
fn forged() -> Raw {
    raw(&[
        ("", "1950-01-01"),
        ("nom_naissance", "Usurpateur"),
        ("nom_usage", "Autre"),
        ("prenoms", ""),
        ("sans_prenom", "oui"),
        ("jour", "3"),
        ("mois", "2"),
        ("annee", "1950"),
        ("lieu", "Paris"),
        ("departement", "Seine"),
        ("pays", "Belgique"),
        ("remarque", "Faux"),
    ])
}

fn certified(kind: Identity, identity: &Json) -> (Vec<&'static str>, Json) {
    let mut typed = forged();
    let parts = kind.certify(NAME, identity, today(), &mut typed);
    assert_eq!(typed.text(&format!("{NAME}.remarque")), "Faux", "nothing else is touched");
    let field = field(kind);
    (parts, parse_raw(&field, &typed).unwrap().unwrap())
}

#[test]
fn the_certified_parts_replace_all_that_was_typed() {
    let (parts, answer) = certified(whole(), &checked());
    assert_eq!(parts, ["nom_naissance", "prenoms", "nom_usage", "date_naissance", "lieu_naissance"]);
    assert_eq!(answer, checked());
}

#[test]
fn only_what_is_asked_for_is_taken() {
    let kind = Identity { use_name: false, ..Identity::default() };
    let mut typed = Raw::default();
    assert_eq!(kind.certify(NAME, &checked(), today(), &mut typed), ["nom_naissance", "prenoms"]);
    assert_eq!(typed, raw(&[("nom_naissance", "Martin"), ("prenoms", "Léa, Zoé")]));
}

#[test]
fn what_was_not_checked_stays_to_be_typed() {
    let mut identity = checked();
    for part in ["nom_usage", "lieu_naissance"] {
        identity.as_object_mut().unwrap().remove(part);
    }
    let (parts, answer) = certified(whole(), &identity);
    assert_eq!(parts, ["nom_naissance", "prenoms", "date_naissance"]);
    assert_eq!((&answer["nom_usage"], &answer["lieu_naissance"]["commune"]), (&json!("Autre"), &json!("Paris")));
    assert_eq!((&answer["nom_naissance"], &answer["date_naissance"]), (&json!("Martin"), &json!("1980-05")));
    assert!(answer["prenoms"] == "Léa, Zoé");
}

#[test]
fn what_the_question_would_refuse_blocks_nobody() {
    // A date to come, a name in other letters, a place without a town.
    let mut identity = checked();
    identity["date_naissance"] = json!("2999-01-01");
    identity["nom_naissance"] = json!("Мартин");
    identity["lieu_naissance"] = json!({"commune": "", "pays": "France"});
    let mut typed = forged();
    assert_eq!(whole().certify(NAME, &identity, today(), &mut typed), ["nom_usage"]);
    assert_eq!(typed.text(&format!("{NAME}.annee")), "1950");
    assert_eq!(typed.text(&format!("{NAME}.nom_naissance")), "Usurpateur");
    for nothing in [json!(null), json!({}), json!("x"), json!({"nom_naissance": null, "prenoms": 3})] {
        assert!(whole().certify(NAME, &nothing, today(), &mut forged()).is_empty(), "{nothing}");
    }
}

#[test]
fn nobody_has_a_first_name_by_omission() {
    let (parts, answer) = certified(Identity::default(), &json!({"nom_naissance": "Martin", "prenoms": ""}));
    assert_eq!((parts, &answer["prenoms"]), (vec!["nom_naissance", "prenoms"], &json!("")));
    assert!(Identity::default().certify(NAME, &json!({"nom_naissance": "Martin"}), today(), &mut forged()).is_empty());
}
