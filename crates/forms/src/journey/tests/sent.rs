use serde_json::json;

use super::*;
use crate::{answers::Answers, expr::Value};

fn answers() -> Answers {
    let answers = json!({
        "service": "cantine",
        "enfants": [{"nom": "Zoé", "age": "7", "regime": "sans arachide", "cout": "10.5"}, {"nom": "Léo", "age": "4"}],
        "total": "10.5",
        "photo": ["f1", "f2"],
        "inconnu": "x",
    });
    answers.as_object().unwrap().clone()
}

#[test]
fn a_sent_request_is_shown_page_by_page() {
    let sections = cantine().show(&answers());
    let titles: Vec<_> = sections.iter().map(|section| (section.title.as_str(), section.page, section.depth)).collect();
    assert_eq!(titles, [("Service", 0, 0), ("Enfants", 1, 0), ("Enfant 1", 1, 1), ("Enfant 2", 1, 1), ("Fin", 3, 0)]);
    let child: Vec<_> =
        sections[2].rows.iter().map(|line| (line.path.as_str(), line.lines[0].as_str(), line.sensitive)).collect();
    let wanted =
        [("nom", "Zoé", false), ("age", "7", false), ("regime", "sans arachide", true), ("cout", "10.5", false)];
    let wanted: Vec<_> =
        wanted.into_iter().map(|(id, says, hidden)| (format!("enfants.0.{id}"), says, hidden)).collect();
    assert_eq!(child, wanted.iter().map(|(path, says, hidden)| (path.as_str(), *says, *hidden)).collect::<Vec<_>>());
    assert_eq!(sections[3].rows.len(), 2, "what has no answer is left out");
    assert_eq!(sections[4].rows[1].lines, ["f1", "f2"]);
    assert!(cantine().show(&Answers::new()).is_empty());
}

#[test]
fn a_sensitive_group_makes_its_rows_sensitive() {
    let mut procedure = cantine();
    procedure.pages[1].fields[0].sensitive = true;
    let sections = procedure.show(&answers());
    assert!(sections[2].rows.iter().all(|line| line.sensitive));
    assert_eq!(procedure.said(&answers()).words, "cantine 10.5 f1, f2");
}

#[test]
fn what_is_said_leaves_sensitive_answers_out() {
    let said = cantine().said(&answers());
    assert!(said.words.starts_with("cantine Zoé 7 10.5 Léo 4") && !said.words.contains("arachide"), "{said:?}");
    assert_eq!(said.told, [("service".to_owned(), crate::journey::Told::Words("cantine".to_owned()))].into());
    let mut procedure = cantine();
    procedure.pages[0].fields[1].sensitive = true;
    assert!(procedure.said(&answers()).told.is_empty());
    procedure.pages[1].fields[0].search = true;
    assert!(procedure.said(&answers()).told.is_empty(), "a group has several answers");
}

#[test]
fn a_request_filled_in_again_gives_the_same_answers() {
    let procedure = cantine();
    let raw = procedure.fill(&answers());
    assert_eq!(raw.text("enfants.1.nom"), "Léo");
    assert_eq!(raw.all("photo").collect::<Vec<_>>(), ["f1", "f2"]);
    assert_eq!(raw.text("total"), "", "nobody types a computed value");
    let first = procedure.read(&raw, &files(1), TODAY);
    let again = procedure.read(&procedure.fill(&first.answers), &files(1), TODAY);
    assert_eq!(first.answers, again.answers);
    assert!(again.ready());
}

#[test]
fn values_are_those_of_the_reading() {
    let procedure = cantine();
    let reading = procedure.read(&procedure.fill(&answers()), &files(1), TODAY);
    assert_eq!(&procedure.values(&reading.answers), reading.env_names());
    assert_eq!(reading.env_names()["total"], Value::Number("16.5".parse().unwrap()));
    assert!(condition("any(enfants, nom == \"Léo\") and service == \"cantine\"").holds(&reading.env()));
}

#[test]
fn a_sample_can_be_sent() {
    let procedure = cantine();
    let reading = procedure.read(&procedure.sample(TODAY), &files(1), TODAY);
    assert!(reading.ready(), "{:?}", problems(&reading));
    assert_eq!(reading.answers["enfants"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_draft_follows_a_renaming() {
    let mut procedure = cantine();
    procedure.pages[0].fields[1].was = Some("prestation".to_owned());
    procedure.pages[1].fields[0].was = Some("eleves".to_owned());
    let old = raw(&[("prestation", "centre"), ("eleves.0.nom", "Zoé"), ("autre", "x")]);
    let wanted = raw(&[("service", "centre"), ("enfants.0.nom", "Zoé"), ("autre", "x")]);
    assert_eq!(procedure.follow_renames(&old), wanted);
    let both = raw(&[("prestation", "centre"), ("service", "rien")]);
    assert_eq!(procedure.follow_renames(&both), both, "what was typed since stays");
}
