use serde_json::{Value as Json, json};

use super::*;

fn full() -> Vec<(&'static str, &'static str)> {
    vec![
        ("service", "cantine"),
        ("enfants.0.nom", "Zoé"),
        ("enfants.0.age", "7"),
        ("enfants.0.regime", "sans arachide"),
    ]
}

#[test]
fn a_complete_draft_can_be_sent() {
    let procedure = cantine();
    let reading = procedure.read(&raw(&full()), &files(1), TODAY);
    assert_eq!(problems(&reading), []);
    assert!(reading.ready());
    assert_eq!(reading.first_incomplete(), None);
    assert_eq!(
        Json::Object(reading.answers),
        json!({
            "service": "cantine",
            "enfants": [{"nom": "Zoé", "age": "7", "regime": "sans arachide", "cout": "10.5"}],
            "total": "10.5",
        })
    );
}

#[test]
fn an_empty_draft_says_what_is_missing() {
    let procedure = cantine();
    let reading = procedure.read(&Raw::default(), &Files::new(), TODAY);
    let (service, nom) = ("Renseignez « Question service »", "Renseignez « Question nom »");
    let age = "Renseignez « Question age »";
    let wanted = [("service", service), ("enfants.0.nom", nom), ("enfants.0.age", age)];
    assert_eq!(problems(&reading), wanted.map(|(name, says)| (name.to_owned(), says.to_owned())));
    assert_eq!(reading.first_incomplete(), Some(0));
    assert!(reading.answers.is_empty());
    assert!(!reading.ready());
}

/// `service != "cantine"` is unknown as long as there is no answer, and then does not hold.
#[test]
fn a_question_is_hidden_until_its_condition_holds() {
    let procedure = cantine();
    for (typed, wanted) in [(vec![], false), (vec![("service", "cantine")], false), (vec![("service", "centre")], true)]
    {
        let reading = procedure.read(&raw(&typed), &files(1), TODAY);
        assert_eq!(reading.pages[0].fields[2].shown, wanted, "{typed:?}");
    }
}

#[test]
fn a_hidden_answer_is_neither_known_nor_sent() {
    let procedure = cantine();
    let mut typed = full();
    typed.extend([("motif", "vacances"), ("jours", "4")]);
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert!(!reading.answers.contains_key("motif") && !reading.answers.contains_key("jours"));
    assert!(!reading.env_names().contains_key("motif"));
    assert_eq!(reading.answers["total"], "10.5", "jours does not count");

    typed[0] = ("service", "centre");
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert_eq!(reading.answers["motif"], "vacances");
    assert_eq!(reading.answers["total"], "42");
    assert!(reading.answers["enfants"][0].get("regime").is_none(), "hidden in its row too");
}

#[test]
fn pages_follow_their_conditions() {
    let procedure = cantine();
    let reading = procedure.read(&raw(&full()), &files(1), TODAY);
    assert_eq!(shown(&reading), [0, 1, 3]);
    assert_eq!((reading.next_shown(1), reading.previous_shown(3)), (Some(3), Some(1)));
    assert_eq!((reading.next_shown(3), reading.previous_shown(0)), (None, None));
    assert!(reading.page(2).is_some_and(|page| !page.shown) && reading.page(4).is_none());

    let reading = procedure.read(&raw(&[("service", "centre")]), &files(1), TODAY);
    assert_eq!(shown(&reading), [0, 1, 2, 3]);
}

#[test]
fn a_page_without_a_question_shown_is_skipped() {
    let hidden = Field { show_if: Some(condition("service == \"rien\"")), ..field("motif", Plain::Text) };
    let procedure = procedure(vec![page("Vide", vec![hidden]), page("Texte seul", Vec::new())], Vec::new());
    assert_eq!(shown(&procedure.read(&Raw::default(), &Files::new(), TODAY)), [1]);
}

#[test]
fn a_stop_rule_ends_the_journey() {
    let procedure = cantine();
    let mut typed = full();
    typed[0] = ("service", "rien");
    typed.push(("motif", "x"));
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert_eq!(reading.stop(), Some("Aucun service n'est demandé."));
    assert_eq!(shown(&reading), [0]);
    assert_eq!(problems(&reading), []);
    assert!(!reading.ready());
    assert_eq!(reading.first_incomplete(), Some(0));
    assert_eq!(Json::Object(reading.answers), json!({"service": "rien", "motif": "x"}));
}

#[test]
fn a_mistyped_answer_is_told_once_and_unknown() {
    let procedure = cantine();
    let mut typed = full();
    typed[2] = ("enfants.0.age", "sept");
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert_eq!(problems(&reading), [("enfants.0.age".to_owned(), "Ce n'est pas un nombre".to_owned())]);
    assert_eq!(reading.first_incomplete(), Some(1));
    assert!(!reading.answers.contains_key("total"), "not computed, never zero");
}

#[test]
fn a_check_refuses_an_answer() {
    let procedure = cantine();
    let mut typed = full();
    typed[2] = ("enfants.0.age", "2");
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert_eq!(problems(&reading), [("enfants.0.age".to_owned(), "L'enfant doit avoir 3 ans.".to_owned())]);
    assert_eq!(reading.answers["enfants"], json!([{"nom": "Zoé"}]));
}

#[test]
fn rows_go_as_far_as_the_form_within_bounds() {
    let procedure = cantine();
    for (key, wanted) in [
        ("x", 1),
        ("enfants.1.nom", 2),
        ("enfants.2", 3),
        ("enfants.4294967295.nom", 3),
        ("enfants.a.nom", 1),
        ("enfants.-1.nom", 1),
    ] {
        let reading = procedure.read(&raw(&[(key, "")]), &files(1), TODAY);
        assert_eq!(reading.pages[1].fields[0].rows.len(), wanted, "{key}");
    }
}

#[test]
fn blank_rows_beyond_the_minimum_are_forgiven() {
    let procedure = cantine();
    let typed = [
        ("service", "cantine"),
        ("enfants.0.nom", " "),
        ("enfants.1.nom", "Zoé"),
        ("enfants.1.age", "4"),
        ("enfants.2.nom", ""),
    ];
    let reading = procedure.read(&raw(&typed), &files(1), TODAY);
    assert_eq!(problems(&reading), []);
    assert_eq!(reading.pages[1].fields[0].rows.len(), 3);
    assert_eq!(reading.answers["enfants"], json!([{"nom": "Zoé", "age": "4", "cout": "6"}]));

    let half = procedure.read(
        &raw(&[("enfants.0.nom", "Zoé"), ("enfants.0.age", "4"), ("enfants.2.nom", "Léo")]),
        &files(1),
        TODAY,
    );
    let names: Vec<_> = problems(&half).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["service", "enfants.2.age"]);
}

fn group_of(min: u32, optional: bool) -> Procedure {
    let nom = Field { optional: true, ..field("nom", Plain::Text) };
    let group = Group { fields: vec![nom], min, max: 4, row_title: "Enfant".to_owned() };
    let enfants = Field { optional, ..field("enfants", Repeat(group)) };
    let total = field("total", Calc(typed("count(enfants)", None)));
    procedure(vec![page("Enfants", vec![enfants, total])], Vec::new())
}

#[test]
fn too_few_rows_are_a_problem() {
    for (min, optional, typed, wanted) in [
        (1, false, "x", Some("Renseignez « Question enfants »")),
        (2, false, "enfants.0.nom", Some("Remplissez au moins 2 fois «\u{a0}Enfant\u{a0}»")),
        (1, false, "enfants.0.nom", None),
        (2, true, "x", None),
        (2, true, "enfants.3.nom", Some("Remplissez au moins 2 fois «\u{a0}Enfant\u{a0}»")),
        (0, false, "x", None),
    ] {
        let procedure = group_of(min, optional);
        let reading = procedure.read(&raw(&[(typed, "a")]), &Files::new(), TODAY);
        let found: Vec<_> = problems(&reading).into_iter().map(|(_, says)| says).collect();
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "min {min}, optional {optional}, {typed}");
    }
}

#[test]
fn a_group_without_a_row_counts_zero_where_none_is_asked_for() {
    for (min, wanted) in [(0, json!({"enfants": [], "total": "0"})), (1, json!({}))] {
        let procedure = group_of(min, false);
        let reading = procedure.read(&Raw::default(), &Files::new(), TODAY);
        assert_eq!(procedure.values(&reading.answers), *reading.env_names());
        assert_eq!(Json::Object(reading.answers), wanted, "min {min}");
    }
}

/// A name left blank in a row is not read from its namesake in the procedure.
#[test]
fn a_row_does_not_borrow_from_the_procedure() {
    let age = Field { show_if: Some(condition("answered(nom)")), ..field("age", Plain::Number) };
    let nom = Field { optional: true, ..field("nom", Plain::Text) };
    let group = Group { fields: vec![nom.clone(), age], min: 1, max: 4, row_title: "Enfant".to_owned() };
    let procedure = procedure(vec![page("A", vec![nom, field("enfants", Repeat(group))])], Vec::new());
    let reading = procedure.read(&raw(&[("nom", "Martin"), ("enfants.1.nom", "Zoé")]), &Files::new(), TODAY);
    let shown: Vec<bool> = reading.pages[0].fields[1].rows.iter().map(|row| row[1].shown).collect();
    assert_eq!(shown, [false, true]);
}

#[test]
fn groups_within_groups() {
    let inner = Group { fields: vec![field("jours", Plain::Number)], min: 1, max: 2, row_title: "Période".to_owned() };
    let cout = field("cout", Calc(typed("jours", None)));
    let fields = vec![field("age", Plain::Number), field("enfants", Repeat(inner)), cout];
    let outer = Group { fields, min: 1, max: 2, row_title: "Enfant".to_owned() };
    let procedure = procedure(vec![page("A", vec![field("familles", Repeat(outer))])], Vec::new());
    let typed = raw(&[("familles.0.age", "4"), ("familles.0.enfants.1.jours", "3")]);
    let reading = procedure.read(&typed, &Files::new(), TODAY);
    assert_eq!(problems(&reading), []);
    assert_eq!(reading.answers["familles"], json!([{"age": "4", "enfants": [{"jours": "3"}]}]));
    assert_eq!(procedure.read(&procedure.fill(&reading.answers), &Files::new(), TODAY).answers, reading.answers);
}

#[test]
fn pieces_are_asked_for_by_condition() {
    let procedure = cantine();
    let reading = procedure.read(&raw(&full()), &files(0), TODAY);
    let pieces: Vec<_> = reading.pieces.iter().map(|piece| (piece.piece.id.as_str(), piece.missing)).collect();
    assert_eq!(pieces, [("domicile", true)]);
    assert!(!reading.ready() && reading.first_incomplete().is_none());

    let reading = procedure.read(&raw(&[("service", "centre")]), &files(2), TODAY);
    let pieces: Vec<_> =
        reading.pieces.iter().map(|piece| (piece.piece.id.as_str(), piece.files, piece.missing)).collect();
    assert_eq!(pieces, [("domicile", 2, false), ("assurance", 0, true)]);
}

#[test]
fn the_check_page_shows_what_is_blank_or_wrong() {
    let procedure = cantine();
    let typed = [
        ("service", "centre"),
        ("enfants.0.nom", "Zoé"),
        ("enfants.0.age", "x"),
        ("jours", "2"),
        ("enfants.2.nom", ""),
    ];
    let sections = procedure.read(&raw(&typed), &files(1), TODAY).show();
    let lines: Vec<_> = sections
        .iter()
        .flat_map(|section| {
            section.rows.iter().map(|line| {
                (
                    section.title.as_str(),
                    section.page,
                    section.depth,
                    line.path.as_str(),
                    line.lines[0].as_str(),
                    line.given,
                )
            })
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("Service", 0, 0, "service", "centre", true),
            ("Service", 0, 0, "motif", "Non renseigné", false),
            ("Enfant 1", 1, 1, "enfants.0.nom", "Zoé", true),
            ("Enfant 1", 1, 1, "enfants.0.age", "À corriger", false),
            ("Centre", 2, 0, "jours", "2", true),
            ("Fin", 3, 0, "photo", "Non renseigné", false),
        ]
    );
    assert_eq!(
        sections.iter().map(|section| section.title.as_str()).collect::<Vec<_>>(),
        ["Service", "Enfants", "Enfant 1", "Centre", "Fin"]
    );
}

/// A remark on what was certified lifts the rules on it, and no others; a long one is told.
#[test]
fn a_wrong_certificate_blocks_nobody() {
    let rules = || vec![rule("age < 3", "L'enfant doit avoir 3 ans.")];
    let read = |verified: bool, typed: &[(&str, &str)]| {
        let age = Field { verified, checks: rules(), ..field("age", Plain::Number) };
        let procedure = Procedure { pages: vec![page("Vous", vec![age])], pieces: Vec::new(), ..cantine() };
        let reading = procedure.read(&raw(typed), &Files::new(), TODAY);
        (reading.ready(), reading.answers.get("age").cloned(), problems(&reading))
    };
    let remark = [("age", "1"), ("age.remarque", "J'ai 10 ans")];
    assert_eq!(read(true, &remark), (true, Some(json!("1")), vec![]));
    for (verified, typed) in
        [(false, &remark[..]), (true, &[("age", "1"), ("age.remarque", " ")]), (true, &[("age", "1")])]
    {
        let (ready, _, told) = read(verified, typed);
        assert!(!ready && told.len() == 1, "{verified} {typed:?}: {told:?}");
    }
    let long = "x".repeat(LONGEST_REMARK + 1);
    let (ready, _, told) = read(true, &[("age", "10"), ("age.remarque", &long)]);
    assert!(!ready && told[0].1.contains("Raccourcissez votre remarque"), "{told:?}");
}
