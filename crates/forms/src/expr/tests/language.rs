use jiff::civil::date;

use super::*;

/// Every truth that `marie` and `majeur` can have, by name: unknown is no answer.
const TRUTHS: [(&str, Option<bool>); 3] = [("true", Some(true)), ("false", Some(false)), ("unknown", None)];

fn with(name: &str, truth: Option<bool>) -> Option<(String, Value)> {
    truth.map(|truth| (name.to_owned(), Value::Bool(truth)))
}

fn truth_of(source: &str, a: Option<bool>, b: Option<bool>) -> &'static str {
    let names: Known = with("marie", a).into_iter().chain(with("majeur", b)).collect();
    match eval(source, &names) {
        Some(Value::Bool(true)) => "true",
        Some(Value::Bool(false)) => "false",
        None => "unknown",
        other => panic!("{source}: {other:?}"),
    }
}

/// One line per operator: the results for (a, b) in the order of `TRUTHS` × `TRUTHS`.
#[test]
fn truth_table_of_two_operands() {
    let (t, f, u) = ("true", "false", "unknown");
    for (source, wanted) in [
        ("marie and majeur", [t, f, u, f, f, f, u, f, u]),
        ("marie or majeur", [t, t, t, t, f, u, t, u, u]),
        ("marie == majeur", [t, f, u, f, t, u, u, u, u]),
        ("marie != majeur", [f, t, u, t, f, u, u, u, u]),
        ("not (marie == majeur)", [f, t, u, t, f, u, u, u, u]),
        ("marie in [majeur, majeur]", [t, f, u, f, t, u, u, u, u]),
        ("if(marie, majeur, not majeur)", [t, f, u, f, t, u, u, u, u]),
        ("answered(marie) and answered(majeur)", [t, t, f, t, t, f, f, f, f]),
        ("answered(marie) or majeur", [t, t, t, t, t, t, t, f, u]),
    ] {
        let cases = TRUTHS.iter().flat_map(|a| TRUTHS.iter().map(move |b| (a, b)));
        for ((a, b), wanted) in cases.zip(wanted) {
            assert_eq!(truth_of(source, a.1, b.1), wanted, "{source} with {} and {}", a.0, b.0);
        }
    }
}

#[test]
fn truth_table_of_one_operand() {
    for (source, wanted) in [
        ("marie", ["true", "false", "unknown"]),
        ("not marie", ["false", "true", "unknown"]),
        ("not not marie", ["true", "false", "unknown"]),
        ("answered(marie)", ["true", "true", "false"]),
        ("not answered(marie)", ["false", "false", "true"]),
    ] {
        for ((name, truth), wanted) in TRUTHS.iter().zip(wanted) {
            assert_eq!(truth_of(source, *truth, None), wanted, "{source} with {name}");
        }
    }
}

/// Comparisons and arithmetic with one side, the other, or both unknown.
#[test]
fn unknown_spreads_through_comparisons_and_arithmetic() {
    let one = known(&[("exemplaires", number("1")), ("debut", Value::Date(TODAY)), ("nom", text("x"))]);
    let none = Known::new();
    for sign in ["==", "!=", "<", "<=", ">", ">="] {
        for source in [format!("exemplaires {sign} count(jours)"), format!("debut {sign} fin")] {
            assert_eq!(eval(&source, &one), None, "{source}");
            assert_eq!(eval(&source, &none), None, "{source}");
        }
    }
    for sign in ["+", "-", "*", "/"] {
        let source = format!("exemplaires {sign} count(jours)");
        assert_eq!(eval(&source, &one), None, "{source}");
    }
    for source in [
        "age(fin)",
        "age(debut, fin)",
        "days(debut, fin)",
        "year(fin)",
        "round(count(jours), 2)",
        "-count(jours)",
        "min(exemplaires, count(jours))",
        "max(count(jours), exemplaires)",
        "sum(enfants, prix)",
        "count(enfants)",
        "length(demandeur.prenoms)",
        "\"lundi\" in jours",
        "nom == format",
        "format in [\"copie\"]",
        "any(enfants, cantine)",
        "all(enfants, cantine)",
    ] {
        assert_eq!(eval(source, &one), None, "{source}");
    }
}

#[test]
fn a_whole_condition_left_unknown_does_not_hold() {
    let names = Known::new();
    let env = Env { today: TODAY, names: &names, row: None };
    for source in ["format == \"copie\"", "format != \"copie\"", "not (format == \"copie\")", "exemplaires < 3"] {
        assert!(!parse(source).holds(&env), "{source}");
    }
    assert!(parse("not answered(format)").holds(&env));
}

#[test]
fn values() {
    let names = known(&[
        ("format", text("copie")),
        ("jours", Value::List(options(&["mardi"]))),
        ("exemplaires", number("3")),
        ("nom", text("Éloïse")),
        ("debut", Value::Date(date(2026, 9, 1))),
        ("demandeur", Value::Parts(known(&[("date_naissance", Value::Date(date(2008, 2, 29)))]))),
    ]);
    let yes = || Some(Value::Bool(true));
    for source in [
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "10 - 2 - 3 == 5",
        "12 / 4 / 3 == 1",
        "-2 * -3 == 6",
        "0.1 + 0.2 == 0.3",
        "12.50 == 12.5",
        "not exemplaires == 4",
        "format in [\"simple\", \"copie\"]",
        "\"mardi\" in jours",
        "not (\"lundi\" in jours)",
        "count(jours) == 1",
        "length(nom) == 6",
        "initial(nom) in [\"M\", \"E\"] or length(nom) == 6",
        "initial(\"Éloi\") == \"E\" and initial(\" œuvrard\") == \"O\"",
        "round(2.345, 2) == 2.35",
        "round(-2.5) == -3",
        "min(3, 1, 2) == 1",
        "max(debut, date(\"2027-01-01\")) == date(\"2027-01-01\")",
        "year(debut) == 2026",
        "days(debut, date(\"2026-10-01\")) == 30",
        "days(date(\"2026-10-01\"), debut) == -30",
        "today() == date(\"2026-11-21\")",
        "age(demandeur.date_naissance) == 18",
        "age(demandeur.date_naissance, date(\"2026-02-28\")) == 17",
        "age(demandeur.date_naissance, date(\"2026-03-01\")) == 18",
        "if(exemplaires > 2, \"copie\", \"simple\") == format",
        "answered(demandeur) and answered(demandeur.date_naissance) and not answered(demandeur.prenoms)",
        "true or marie and false",
        "\"a\\\"b\" != \"ab\"",
    ] {
        assert_eq!(eval(source, &names), yes(), "{source}");
    }
}

#[test]
fn what_cannot_be_computed_is_unknown() {
    let names = Known::new();
    let most = "79228162514264337593543950335";
    for source in [
        "1 / 0".to_owned(),
        "1 / (2 - 2)".to_owned(),
        format!("{most} * 2"),
        format!("{most} + 1"),
        format!("-{most} - 1"),
    ] {
        assert_eq!(eval(&source, &names), None, "{source}");
    }
}

#[test]
fn rows() {
    let enfant = |answers: &[(&str, Value)]| known(answers);
    let names = known(&[
        ("nom", text("Martin")),
        (
            "enfants",
            Value::Rows(vec![
                enfant(&[("nom", text("Zoé")), ("cantine", Value::Bool(true)), ("prix", number("2.5"))]),
                enfant(&[("prix", number("4"))]),
            ]),
        ),
    ]);
    assert_eq!(eval("count(enfants)", &names), Some(number("2")));
    assert_eq!(eval("sum(enfants, prix * 2)", &names), Some(number("13.0")));
    assert_eq!(eval("any(enfants, cantine)", &names), Some(Value::Bool(true)));
    assert_eq!(eval("all(enfants, cantine)", &names), None);
    assert_eq!(eval("any(enfants, not cantine)", &names), None);
    assert_eq!(eval("all(enfants, not cantine)", &names), Some(Value::Bool(false)));
    assert_eq!(eval("any(enfants, prix > 3)", &names), Some(Value::Bool(true)));
    assert_eq!(
        eval("all(enfants, answered(nom))", &names),
        Some(Value::Bool(false)),
        "a blank name is not the filer's"
    );
    assert_eq!(eval("any(enfants, nom == \"Martin\")", &names), None);
}

#[test]
fn no_row() {
    let names = known(&[("enfants", Value::Rows(Vec::new()))]);
    assert_eq!(eval("count(enfants) == 0 and sum(enfants, prix) == 0", &names), Some(Value::Bool(true)));
    assert_eq!(eval("any(enfants, cantine)", &names), Some(Value::Bool(false)));
    assert_eq!(eval("all(enfants, cantine)", &names), Some(Value::Bool(true)));
    assert_eq!(eval("answered(enfants)", &names), Some(Value::Bool(false)));
}

#[test]
fn a_row_comes_before_the_procedure() {
    let (names, row) =
        (known(&[("nom", text("Martin")), ("marie", Value::Bool(true))]), known(&[("nom", text("Zoé"))]));
    let env = Env { today: TODAY, names: &names, row: Some(&row) };
    assert!(parse("nom == \"Zoé\" and marie").holds(&env));
}

#[test]
fn names_and_types() {
    let expr = parse("any(enfants, nom == \"x\" and marie) or demandeur.prenoms == \"y\"");
    assert_eq!(expr.names().into_iter().collect::<Vec<_>>(), ["demandeur", "enfants", "marie"]);
    assert_eq!(*expr.type_of(), Type::Bool);
    assert_eq!(*parse("min(debut, fin)").type_of(), Type::Date);
    assert_eq!(parse("(  ((1))+2 )*3").canonical(), "(1 + 2) * 3");
}

#[test]
fn contradictions() {
    for source in [
        "format == \"copie\" and format == \"simple\"",
        "format == \"copie\" and exemplaires > 2 and not (format in [\"copie\", \"simple\"])",
        "marie and not marie",
        "1 == 2",
        "false and exemplaires > 1",
        "answered(format) and not answered(format)",
    ] {
        assert!(parse(source).never(), "{source}");
        assert!(!parse(source).always(), "{source}");
    }
    for source in [
        "format == \"copie\"",
        "marie and not majeur",
        "exemplaires > 2",
        "not answered(format)",
        "age(debut) > 3",
        "any(enfants, cantine)",
    ] {
        assert!(!parse(source).never(), "{source}");
    }
}

#[test]
fn tautologies() {
    for source in [
        "format in [\"copie\", \"filiation\", \"simple\"]",
        "marie or not marie",
        "format != \"copie\" or format == \"copie\"",
        "2 > 1",
    ] {
        assert!(parse(source).always(), "{source}");
        assert!(!parse(source).never(), "{source}");
    }
    for source in
        ["format == \"copie\" or marie", "answered(format)", "exemplaires > 1 or exemplaires <= 1", "age(debut) >= 0"]
    {
        assert!(!parse(source).always(), "{source}");
    }
}

#[test]
fn too_many_combinations_are_not_tried() {
    let many: Vec<String> = (0..5_000).map(|n| format!("o{n}")).collect();
    let scope = Scope { names: [named("ville", Type::Choice(many))].into_iter().collect() };
    let expr = Expr::parse("ville == \"o1\" and ville == \"o2\"", &scope, None).unwrap();
    assert!(!expr.never());
}

#[test]
fn french_words() {
    let label = |name: &str| {
        match name {
            "format" => "Document",
            "format=copie" => "Copie intégrale",
            "format=simple" => "Extrait",
            "jours=lundi" => "le lundi",
            "enfants.nom" => "Nom de l'enfant",
            "exemplaires" => "Nombre",
            _ => "",
        }
        .to_owned()
    };
    for (source, wanted) in [
        ("format == \"copie\"", "«\u{a0}Document\u{a0}» est «\u{a0}Copie intégrale\u{a0}»"),
        (
            "not (format in [\"copie\", \"simple\"])",
            "«\u{a0}Document\u{a0}» n'est ni «\u{a0}Copie intégrale\u{a0}» ni «\u{a0}Extrait\u{a0}»",
        ),
        (
            "not (marie and exemplaires < 2.5)",
            "«\u{a0}marie\u{a0}» est «\u{a0}non\u{a0}» ou «\u{a0}Nombre\u{a0}» vaut au moins 2,5",
        ),
        (
            "marie or format != \"copie\" and majeur",
            "«\u{a0}marie\u{a0}» est «\u{a0}oui\u{a0}» ou («\u{a0}Document\u{a0}» n'est pas «\u{a0}Copie intégrale\u{a0}» et «\u{a0}majeur\u{a0}» est «\u{a0}oui\u{a0}»)",
        ),
        ("\"lundi\" in jours", "«\u{a0}jours\u{a0}» comprend «\u{a0}le lundi\u{a0}»"),
        ("date(\"2026-09-01\") <= debut", "«\u{a0}debut\u{a0}» est au plus tôt le 1er septembre 2026"),
        ("not answered(nom)", "«\u{a0}nom\u{a0}» n'a pas de réponse"),
        (
            "not all(enfants, nom == \"x\")",
            "au moins une ligne de «\u{a0}enfants\u{a0}» vérifie («\u{a0}Nom de l'enfant\u{a0}» n'est pas «\u{a0}x\u{a0}»)",
        ),
        ("age(debut) < 18", "l'âge selon «\u{a0}debut\u{a0}» vaut moins de 18 ans"),
        (
            "marie and format in [\"copie\", \"simple\"]",
            "«\u{a0}marie\u{a0}» est «\u{a0}oui\u{a0}» et («\u{a0}Document\u{a0}» est «\u{a0}Copie intégrale\u{a0}» ou «\u{a0}Extrait\u{a0}»)",
        ),
        ("days(today(), date(\"2026-05-01\")) > 3", "le nombre de jours d'aujourd'hui au 1er mai 2026 vaut plus de 3"),
        (
            "age(debut, date(\"2026-05-02\")) >= 3",
            "l'âge selon «\u{a0}debut\u{a0}», à la date du 2 mai 2026, vaut au moins 3 ans",
        ),
        ("(exemplaires + 1) * 2", "(«\u{a0}Nombre\u{a0}» + 1) × 2"),
        ("answered(nom) == true", "(«\u{a0}nom\u{a0}» a une réponse) est «\u{a0}oui\u{a0}»"),
    ] {
        assert_eq!(parse(source).says(&label), wanted, "{source}");
    }
}

/// The youngest age that the person may have: 31 December, or the last of the month.
#[test]
fn ages_of_dates_known_in_part() {
    let year = Value::Within(date(1951, 1, 1), date(1951, 12, 31));
    let month = Value::Within(date(1951, 11, 1), date(1951, 11, 30));
    let october = Value::Within(date(1951, 10, 1), date(1951, 10, 31));
    for (born, age) in [(&year, 74), (&month, 74), (&october, 75)] {
        let names = known(&[("debut", born.clone())]);
        assert_eq!(eval("age(debut)", &names), Some(Value::Number(age.into())), "{born:?}");
        assert_eq!(eval("age(debut) < 75", &names), Some(Value::Bool(age < 75)), "{born:?}");
        assert_eq!(eval("year(debut) == 1951 and answered(debut)", &names), Some(Value::Bool(true)), "{born:?}");
        assert_eq!(eval("age(debut, date(\"2000-12-31\")) == 49", &names), Some(Value::Bool(true)), "{born:?}");
        for unknown in
            ["debut < today()", "debut == debut", "days(debut, today()) > 0", "max(debut, today()) == today()"]
        {
            assert_eq!(eval(unknown, &names), None, "{unknown}");
        }
    }
}
