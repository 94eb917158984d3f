use std::collections::BTreeMap;

use forms::answers::{Json, Raw};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::json;

use super::model::*;
use crate::household::model::read;

const TODAY: Date = date(2026, 11, 17);

fn city() -> Vec<(String, String)> {
    ["dechets", "education", "voirie", "sport"].map(|id| (id.to_owned(), format!("Service {id}"))).into()
}

fn settings() -> BTreeMap<String, Vec<String>> {
    let of = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
    [
        ("dechets".to_owned(), of(&["adresse"])),
        ("education".to_owned(), of(&["adresse", "telephone", "membres"])),
        ("sport".to_owned(), of(&["membres"])),
    ]
    .into()
}

#[test]
fn departments_say_what_they_receive() {
    let found = receivers(city(), &settings(), &["voirie".to_owned(), "dechets".to_owned()]);
    let seen: Vec<(&str, &[Part])> = found.iter().map(|one| (one.id.as_str(), one.parts.as_slice())).collect();
    let usual = [Part::Address, Part::Name, Part::Email, Part::Phone];
    let expected: [(&str, &[Part]); 3] = [
        ("dechets", &[Part::Address]),
        ("education", &[Part::Address, Part::Phone, Part::Members]),
        // It has a request of the usager's: their coordinates, and nobody else's. Who receives people only gets nothing.
        ("voirie", &usual),
    ];
    assert_eq!(seen, expected);
    assert_eq!(receivers(city(), &BTreeMap::new(), &[]), []);
}

/// What the form makes, and the names of the questions with problems.
fn judged(typed: &[(&str, &str)]) -> (Option<Change>, Vec<String>) {
    let receivers = receivers(city(), &settings(), &[]);
    let questions = questions(vec![("m1".to_owned(), "Léa Martin".to_owned())], &receivers);
    let mut raw = Raw::default();
    for (name, value) in typed {
        raw.0.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    let mut readings = read(&questions, &raw, TODAY);
    let change = change(&mut readings, &receivers);
    let wrong = readings.into_iter().filter(|reading| !reading.problems.is_empty());
    (change, wrong.map(|reading| reading.name).collect())
}

const DAY: [(&str, &str); 3] = [("depuis.jour", "1"), ("depuis.mois", "12"), ("depuis.annee", "2026")];

#[test]
fn something_changes_and_concerns_who_is_told() {
    let with = |more: &[(&'static str, &'static str)]| judged(&[&DAY[..], more].concat());
    assert_eq!(judged(&[]).1, ["depuis"]);
    assert_eq!(with(&[]).1, ["adresse"]);
    assert_eq!(with(&[("telephone", "06 12 34 56 78"), ("services", "dechets")]).1, ["services"]);
    let home =
        [("adresse.numero_voie", "3 rue Neuve"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont")];
    assert_eq!(with(&home).1, ["confidentielle"]);
    let told = with(
        &[
            &home[..],
            &[("confidentielle", "non"), ("services", "dechets"), ("services", "education"), ("membres", "m1")],
        ]
        .concat(),
    );
    let change = told.0.unwrap();
    assert_eq!((change.departments.len(), change.members.as_slice()), (2, ["m1".to_owned()].as_slice()));
    // What no service is told, and the account does not keep; people whom nobody is told of.
    assert_eq!(with(&[("nom", "Durand")]).1, ["services"]);
    assert_eq!(with(&[("telephone", "06 12 34 56 78"), ("membres", "m1")]).1, ["membres"]);
    // Neither a service that is not offered, nor somebody else's child.
    assert_eq!(with(&[("telephone", "06 12 34 56 78"), ("services", "voirie")]).1, ["services"]);
    assert_eq!(with(&[("telephone", "06 12 34 56 78"), ("membres", "m2")]).1, ["membres"]);
}

proptest! {
    /// Whatever changes and whatever a department receives, it is sent nothing else.
    #[test]
    fn nobody_is_sent_more_than_they_receive(given in prop::array::uniform4(any::<bool>()), receives in prop::collection::vec(0usize..5, 0..5)) {
        let all = [Part::Address, Part::Name, Part::Email, Part::Phone, Part::Members];
        let receiver = Receiver { id: "x".into(), name: "X".into(), parts: receives.iter().map(|at| all[*at]).collect() };
        let text = |at: usize, text: &str| given[at].then(|| text.to_owned());
        let home = json!({"numero_voie": "3 rue Secrète", "code_postal": "96000", "commune": "Valmont", "pays": "France"});
        let change = Change {
            from: TODAY,
            address: given[0].then(|| home.clone()),
            name: text(1, "Nouveaunom"),
            email: text(2, "neuf@exemple.fr"),
            phone: text(3, "+33612345678"),
            ..Change::default()
        };
        let lea = json!({"nom_naissance": "Martin", "prenoms": "Léa", "date_naissance": "2019-05-03"});
        let raw = typed(&change, &receiver, ("Camille", "Martin"), Some(&home), std::slice::from_ref(&lea));
        let sent = Json::from_iter(raw.0.values().flatten().cloned()).to_string();
        let words = ["Secrète", "Nouveaunom", "neuf@", "+336", "Léa"];
        for (at, word) in words.iter().enumerate() {
            let wanted = receiver.parts.contains(&all[at]) && given.get(at).copied().unwrap_or(true);
            prop_assert_eq!(sent.contains(word), wanted, "{} in {}", word, sent);
        }
    }
}
