use jiff::civil::date;
use serde_json::json;

use super::*;

const TODAY: Date = date(2026, 11, 17);

fn member(relation: Relation, born: &str, declared: &str) -> Member {
    let declared_at: Timestamp = declared.parse().unwrap();
    Member {
        id: Uuid::nil(),
        relation: relation.code().to_owned(),
        identity: Json(json!({"nom_naissance": "Martin", "prenoms": "Léa, Zoé", "date_naissance": born})),
        responsible: None,
        deceased_on: None,
        measure: None,
        measure_from: None,
        measure_until: None,
        declared_at,
        changed_at: declared_at,
    }
}

#[test]
fn eighteen_is_certain_or_not_yet() {
    let adult = |born: &str| of_age(born.parse().unwrap()).unwrap();
    assert_eq!(adult("2008-11-17"), date(2026, 11, 17));
    assert_eq!(adult("2008-11"), date(2026, 11, 30));
    assert_eq!(adult("2008"), date(2026, 12, 31));
    // Born on 29 February: on 1 March of a common year, on the day of a leap year.
    assert_eq!(adult("2008-02-29"), date(2026, 3, 1));
    assert_eq!(adult("2014-02-28"), date(2032, 2, 28));
}

#[test]
fn a_child_is_proposed_until_eighteen() {
    let zone = TimeZone::UTC;
    let lea = member(Relation::Child, "2008-11-18", "2026-01-05T12:00:00Z");
    assert_eq!(lea.standing(TODAY, &zone), Standing::Proposed);
    assert_eq!(lea.standing(date(2026, 11, 18), &zone), Standing::OfAge(date(2026, 11, 18)));
    // Of age already when declared.
    let grown = member(Relation::Child, "1990", "2026-01-05T12:00:00Z");
    assert_eq!(grown.standing(TODAY, &zone), Standing::OfAge(date(2008, 12, 31)));
    // Another link: a minor grows up, an adult stays who they were declared as.
    assert!(!member(Relation::Other, "2008-06-01", "2026-01-05T12:00:00Z").standing(TODAY, &zone).is_proposed());
    assert!(member(Relation::Parent, "1960", "2026-01-05T12:00:00Z").standing(TODAY, &zone).is_proposed());
}

#[test]
fn the_deceased_are_not_proposed() {
    let mut parent = member(Relation::Parent, "1950-03", "2026-01-05T12:00:00Z");
    parent.deceased_on = Some("2026-02".to_owned());
    let day = "2026-02".parse().unwrap();
    assert_eq!(parent.standing(TODAY, &TimeZone::UTC), Standing::Deceased(day));
    assert_eq!(parent.name(), "Léa Zoé Martin");

    let questions = question_of_death();
    let judge = |month: &str, year: &str| {
        let mut raw = Raw::default();
        raw.set("deces.mois", month);
        raw.set("deces.annee", year);
        let mut readings = read(&questions, &raw, TODAY);
        (death(&mut readings, &parent), readings.iter().any(|reading| !reading.problems.is_empty()))
    };
    assert_eq!(judge("2", "2026"), (Some(day), false));
    assert_eq!(judge("", "1950"), ("1950".parse().ok(), false));
    assert_eq!(judge("2", "1950"), (None, true));
    assert_eq!(judge("12", "2026"), (None, true));
    assert_eq!(judge("", ""), (None, true));
}

fn typed(relation: &str, year: &str, responsible: &str) -> Raw {
    let mut raw = Raw::default();
    let identity =
        [("nom_naissance", "Martin"), ("prenoms", "Léa"), ("annee", year), ("lieu", "Lyon"), ("pays", "France")];
    for (part, value) in identity {
        raw.set(format!("{IDENTITY}.{part}"), value);
    }
    raw.set(RELATION, relation);
    raw.set(RESPONSIBLE, responsible);
    raw
}

/// The person declared, and the names of the questions with problems.
fn judged(raw: &Raw) -> (Option<Person>, Vec<String>) {
    let questions = questions();
    let mut readings = read(&questions, raw, TODAY);
    let person = person(&mut readings, TODAY);
    let wrong = readings.into_iter().filter(|reading| !reading.problems.is_empty());
    (person, wrong.map(|reading| reading.name).collect())
}

#[test]
fn responsibility_is_asked_for_a_minor_child() {
    let responsible = |raw: &Raw| judged(raw).0.unwrap().responsible;
    assert_eq!(responsible(&typed("child", "2019", "oui")), Some(true));
    assert_eq!(responsible(&typed("child", "2019", "non")), Some(false));
    assert_eq!(judged(&typed("child", "2019", "")), (None, vec![RESPONSIBLE.to_owned()]));
    assert_eq!(responsible(&typed("other", "2019", "")), None);
    // It means nothing for an adult: not kept.
    assert_eq!(responsible(&typed("partner", "1980", "oui")), None);
}

#[test]
fn nothing_is_declared_of_nobody() {
    assert_eq!(judged(&Raw::default()), (None, vec![IDENTITY.to_owned(), RELATION.to_owned()]));
    assert_eq!(judged(&typed("cousin", "2019", "oui")).1, [RELATION]);
    assert_eq!(judged(&typed("child", "2030", "oui")).1, [IDENTITY]);
}

#[test]
fn a_declaration_is_typed_again_as_it_was() {
    let raw = typed("child", "2019", "oui");
    let person = judged(&raw).0.unwrap();
    let mut member = member(person.relation, "", "2026-01-05T12:00:00Z");
    (member.identity, member.responsible) = (Json(person.identity.clone()), person.responsible);
    assert_eq!(judged(&member.typed()).0, Some(person));
}
