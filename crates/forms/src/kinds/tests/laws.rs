//! What holds for every kind, whatever is typed.

use proptest::prelude::*;

use super::*;

/// Names of inputs that some kind reads.
const PARTS: [&str; 17] = [
    "",
    "jour",
    "mois",
    "annee",
    "nom_naissance",
    "nom_usage",
    "prenoms",
    "sans_prenom",
    "lieu",
    "departement",
    "pays",
    "numero_voie",
    "complement",
    "lieu_dit",
    "code_postal",
    "commune",
    "sure",
];

/// Arbitrary text, and text made of what kinds look at.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9+ ./()-]{0,20}",
        "[A-Za-z'’éñ ,-]{0,20}",
        "[0-9]{1,4}",
        "[a-z]{1,8}@[a-z]{1,8}\\.(com|con|fr)",
        "(oui|non|rouge|vert|France|mars|juil|FR76|1er)",
        "-?[0-9]{1,6}[.,][0-9]{0,3} ?€?",
    ]
}

fn input() -> impl Strategy<Value = Raw> {
    let one = (0..PARTS.len(), typed());
    prop::collection::vec(one, 1..12).prop_map(|found| {
        let parts: Vec<(&str, &str)> = found.iter().map(|(at, value)| (PARTS[*at], value.as_str())).collect();
        raw(&parts)
    })
}

/// Every part filled, so that composite kinds get past their first checks.
fn full_input() -> impl Strategy<Value = Raw> {
    prop::collection::vec(typed(), PARTS.len()).prop_map(|found| {
        let parts: Vec<(&str, &str)> = PARTS.into_iter().zip(found.iter().map(String::as_str)).collect();
        raw(&parts)
    })
}

/// Whatever is accepted can be typed back, shown and used.
fn check(raw: &Raw) {
    for kind in all() {
        let field = field_of(kind.clone());
        assert!(kind.view(&field, Input { raw, name: NAME }).get("anchor").is_some());
        match parse_raw(&field, raw) {
            Ok(Some(answer)) => {
                let mut again = raw.clone();
                kind.fill(NAME, &answer, &mut again);
                assert_eq!(parse_raw(&field, &again), Ok(Some(answer.clone())), "{}", kind.name());
                let shown = kind.display(&answer);
                assert!(!shown.is_empty() && shown.iter().any(|it| !it.trim().is_empty()), "{}", kind.name());
                kind.export(&answer);
                kind.words(&answer);
                kind.expr_value(&answer);
            }
            Ok(None) => {}
            Err(problems) => {
                assert!(!problems.is_empty(), "{}", kind.name());
                assert!(problems.iter().all(|it| !it.message.is_empty()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_accepted_reads_back(raw in input()) {
        check(&raw);
    }

    #[test]
    fn full_forms_read_back(raw in full_input()) {
        check(&raw);
    }

    #[test]
    fn every_real_day_reads_back(year in 1500i16..=2200, month in 1i8..=12, day in 1i8..=31) {
        let typed = [("jour", day.to_string()), ("mois", month.to_string()), ("annee", year.to_string())];
        let typed: Vec<(&str, &str)> = typed.iter().map(|(part, it)| (*part, it.as_str())).collect();
        let parsed = parse(&field(DateKind::default()), &typed);
        match jiff::civil::Date::new(year, month, day) {
            Ok(real) => prop_assert_eq!(parsed, Ok(Some(real.to_string().into()))),
            Err(_) => prop_assert!(parsed.is_err()),
        }
    }

    #[test]
    fn amounts_read_back(cents in -100_000_000_000_000i64..100_000_000_000_000) {
        let kind = Amount::default();
        let mut raw = Raw::default();
        kind.fill(NAME, &cents.into(), &mut raw);
        prop_assert_eq!(parse_raw(&field(kind), &raw), Ok(Some(cents.into())));
        let shown = Amount::default().display(&cents.into()).join("");
        prop_assert_eq!(parse(&field(Amount::default()), &[("", &shown)]), Ok(Some(cents.into())));
    }

    #[test]
    fn one_wrong_digit_is_seen(at in 4usize..27, add in 1u32..10) {
        let digits = "FR7630006000011234567890189";
        let wrong: String = digits.chars().enumerate().map(|(here, it)| {
            if here == at { char::from_digit((it.to_digit(10).unwrap() + add) % 10, 10).unwrap() } else { it }
        }).collect();
        prop_assert!(parse(&field(Iban), &[("", &wrong)]).is_err());
    }
}

#[test]
fn samples_are_answers() {
    for kind in all().into_iter().filter(|it| !it.silent() && it.group().is_none()) {
        let field = field_of(kind.clone());
        let mut typed = Raw::default();
        kind.sample(NAME, today(), &mut typed);
        let answer = parse_raw(&field, &typed).ok().flatten().unwrap_or_else(|| panic!("{}", kind.name()));
        let mut again = Raw::default();
        kind.fill(NAME, &answer, &mut again);
        assert_eq!(parse_raw(&field, &again), Ok(Some(answer.clone())), "{}", kind.name());
        assert!(!kind.display(&answer).join("").is_empty());
    }
}

#[test]
fn a_group_samples_and_fills_its_rows() {
    let kind = children();
    let mut typed = Raw::default();
    kind.sample("enfants", today(), &mut typed);
    assert_eq!(typed.text("enfants.0.nom"), "Exemple");
    let mut filled = typed.clone();
    kind.fill("enfants", &serde_json::json!([]), &mut filled);
    assert_eq!(filled, Raw::default(), "former rows are gone");
}
