//! How answers are shown, exported and seen by expressions.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::{
    expr::{Type, Value},
    kinds::computed::Format,
};

fn lines(kind: &dyn Kind, answer: &Json) -> String {
    kind.display(answer).join(" | ").replace('\u{a0}', "~").replace('\u{202f}', "_")
}

#[test]
fn display() {
    let metres = Number { unit: Some("m²".to_owned()), decimals: 1, ..Number::default() };
    let shown = [
        (lines(&metres, &json!("1234567.5")), "1_234_567,5~m²"),
        (lines(&metres, &json!("-123")), "-123~m²"),
        (lines(&Amount::default(), &json!(1250)), "12,50~€"),
        (lines(&Amount::default(), &json!(-123_456_789)), "-1_234_567,89~€"),
        (lines(&DateKind::default(), &json!("2021-03-27")), "27 mars 2021"),
        (lines(&DateKind::default(), &json!("2021-08-01")), "1er août 2021"),
        (lines(&DateKind::default(), &json!("1950-03")), "mars 1950"),
        (lines(&DateKind::default(), &json!("1950")), "1950"),
        (lines(&Phone, &json!("+33612345678")), "06 12 34 56 78"),
        (lines(&Phone, &json!("+262692123456")), "06 92 12 34 56"),
        (lines(&Phone, &json!("+41221234567")), "+41 221 234 567"),
        (lines(&Iban, &json!("BE68539007547034")), "BE68 5390 0754 7034"),
        (lines(&Siret, &json!("35600000000048")), "356 000 000 00048"),
        (lines(&YesNo, &json!(false)), "Non"),
        (lines(&Choice { options: colours() }, &json!("vert")), "Vert"),
        (lines(&Choice { options: colours() }, &json!("ancien")), "ancien"),
        (lines(&Files::default(), &json!(["a", "b"])), "2~fichiers"),
        (lines(&LongText::default(), &json!("a\nb")), "a | b"),
    ];
    for (found, expected) in shown {
        assert_eq!(found, expected);
    }
}

#[test]
fn people_and_places() {
    let born = json!({"commune": "Cracovie", "departement": "Galicie", "pays": "Autriche-Hongrie"});
    let person = json!({"nom_naissance": "Kowalski", "prenoms": "", "date_naissance": "1912", "lieu_naissance": born});
    let expected = "Nom de naissance~: Kowalski | Prénoms~: sans prénom | Date de naissance~: 1912 | Lieu de naissance~: Cracovie (Galicie), Autriche-Hongrie";
    assert_eq!(lines(&Identity::default(), &person), expected);
    assert_eq!(Identity::default().export(&person), "Kowalski, 1912");

    let home = json!({"numero_voie": "1 quai", "code_postal": "13100", "commune": "Aix", "pays": "France", "complement": "Bât. A"});
    assert_eq!(lines(&Address, &home), "1 quai | Bât. A | 13100 Aix");
    let away = json!({"numero_voie": "", "lieu_dit": "Dorf", "code_postal": "", "commune": "Uri", "pays": "Suisse"});
    assert_eq!(lines(&Address, &away), "Dorf | Uri | Suisse");
}

#[test]
fn sensitive_cells_of_a_row_stay_inside() {
    let answer = json!([{"nom": "Zoé", "naissance": "2020-02-29", "regime": "sans gluten"}, {"nom": "Léo"}]);
    let kind = children();
    assert_eq!(
        lines(&kind, &answer),
        "Enfant 1 | Nom~: Zoé | Date de naissance~: 29 février 2020 | Régime~: sans gluten | Enfant 2 | Nom~: Léo"
    );
    assert_eq!(kind.export(&answer), "Zoé, 2020-02-29 ; Léo");
    assert!(!kind.words(&answer).contains("gluten"));
    let mut filled = Raw::default();
    kind.fill("enfants", &answer, &mut filled);
    assert_eq!(filled.text("enfants.0.naissance.jour"), "29");
    assert_eq!(filled.text("enfants.1.nom"), "Léo");
    let Some(Value::Rows(rows)) = kind.expr_value(&answer) else { panic!("rows") };
    assert_eq!(rows[0]["naissance"], Value::Date(jiff::civil::date(2020, 2, 29)));
    assert_eq!(rows[1].len(), 1);
}

#[test]
fn computed_values() {
    let format = |format| Computed { format, ..Computed::default() };
    assert_eq!(lines(&format(Format::Number), &json!("1234.50")), "1_234,5");
    assert_eq!(lines(&format(Format::Amount), &json!("12.345")), "12,35~€");
    assert_eq!(lines(&format(Format::Amount), &json!("3")), "3,00~€");
    assert_eq!(format(Format::Amount).export(&json!("12.345")), "12,35");
    assert_eq!(lines(&format(Format::Date), &json!("2026-01-01")), "1er janvier 2026");
    assert_eq!(lines(&format(Format::YesNo), &json!(true)), "Oui");
    assert_eq!(lines(&format(Format::Text), &json!("bleu")), "bleu");
    assert_eq!(format(Format::Amount).expr_value(&json!("12.5")), Some(Value::Number(Decimal::new(125, 1))));
}

#[test]
fn exports_are_plain() {
    assert_eq!(Number::default().export(&json!("12.5")), "12,5");
    assert_eq!(Amount::default().export(&json!(5)), "0,05");
    assert_eq!(DateKind::default().export(&json!("2021-03-27")), "2021-03-27");
    assert_eq!(Iban.export(&json!("BE68539007547034")), "BE68539007547034");
    assert!(Phone.words(&json!("+33612345678")).contains("0612345678"));
}

#[test]
fn what_expressions_see() {
    assert_eq!(Amount::default().expr_value(&json!(1250)), Some(Value::Number(Decimal::new(125, 1))));
    let within = |answer, from, to| {
        assert_eq!(DateKind::default().expr_value(&json!(answer)), Some(Value::Within(from, to)), "{answer}");
    };
    within("1950", jiff::civil::date(1950, 1, 1), jiff::civil::date(1950, 12, 31));
    within("1952-02", jiff::civil::date(1952, 2, 1), jiff::civil::date(1952, 2, 29));
    assert_eq!(Choice { options: colours() }.expr_value(&json!("vert")), Some(Value::Text("vert".to_owned())));
    let person = json!({"nom_naissance": "Roux", "prenoms": "", "date_naissance": "1950-03"});
    let born = Value::Within(jiff::civil::date(1950, 3, 1), jiff::civil::date(1950, 3, 31));
    let known = BTreeMap::from([
        ("nom_naissance".to_owned(), Value::Text("Roux".to_owned())),
        ("date_naissance".to_owned(), born),
    ]);
    assert_eq!(Identity::default().expr_value(&person), Some(Value::Parts(known)));
    let Type::Parts(parts) = Identity::default().expr_type() else { panic!("parts") };
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["nom_naissance", "nom_usage", "prenoms"], "only what is asked for");
    let Type::Parts(parts) = Address.expr_type() else { panic!("parts") };
    assert_eq!(parts.len(), 4);
}

/// What a kind says it shows is what expressions are typed with.
#[test]
fn values_have_their_type() {
    for kind in all() {
        let mut typed = Raw::default();
        kind.sample(NAME, today(), &mut typed);
        let Some(answer) = parse_raw(&field_of(kind.clone()), &typed).expect("a sample") else { continue };
        let fits = match (kind.expr_type(), kind.expr_value(&answer).expect("a value")) {
            (Type::Bool, Value::Bool(_))
            | (Type::Number, Value::Number(_))
            | (Type::Date, Value::Date(_))
            | (Type::Text | Type::Choice(_), Value::Text(_))
            | (Type::Choices(_), Value::List(_))
            | (Type::Opaque, Value::Opaque) => true,
            (Type::Parts(types), Value::Parts(values)) => {
                values.keys().all(|key| types.iter().any(|(name, _)| name == key))
            }
            _ => false,
        };
        assert!(fits, "{}", kind.name());
    }
}
