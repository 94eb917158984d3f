use super::*;

/// Source, the part pointed at, and words of the message and of the advice.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("formt == \"copie\"", "formt", "formt", "format"),
    ("format == \"copi\"", "\"copi\"", "choix possible", "copie"),
    ("\"copi\" == format", "\"copi\"", "choix possible", "copie"),
    ("format in [\"copie\", \"zzz\"]", "\"zzz\"", "choix possible", "filiation"),
    ("\"dimanche\" in jours", "\"dimanche\"", "choix possible", "lundi"),
    ("!marie", "!", "ne s'emploie pas", "not"),
    ("marie && majeur", "&&", "ne s'emploie pas", "and"),
    ("marie || majeur", "||", "ne s'emploie pas", "or"),
    ("format = \"copie\"", "=", "ne s'emploie pas", "=="),
    ("exemplaires ≤ 3", "≤", "ne s'emploie pas", "<="),
    ("nom == 'x'", "'x'", "guillemets droits", "\"x\""),
    ("nom == «\u{a0}x\u{a0}»", "«\u{a0}x\u{a0}»", "guillemets droits", "\"x\""),
    ("nom == \"x", "\"x", "pas fermé", "guillemet"),
    ("debut < 2026-09-01", "2026-09-01", "date", "date(\"2026-09-01\")"),
    ("debut < \"2026-09-01\"", "debut < \"2026-09-01\"", "ne se comparent pas", "date(\"2026-09-01\")"),
    ("debut < date(\"2026-02-30\")", "date(\"2026-02-30\")", "n'existe pas", "2026-09-01"),
    ("exemplaires == \"3\"", "exemplaires == \"3\"", "ne se comparent pas", "sans guillemets"),
    ("marie == \"oui\"", "marie == \"oui\"", "ne se comparent pas", "true"),
    ("jours == \"lundi\"", "jours == \"lundi\"", "ne se comparent pas", "\"lundi\" in jours"),
    ("format < \"copie\"", "format < \"copie\"", "nombres ou des dates", ""),
    ("marie et majeur", "et", "n'est pas un opérateur", "and"),
    ("marie AND majeur", "AND", "n'est pas un opérateur", "and"),
    ("marie majeur", "majeur", "opérateur", "and"),
    ("non marie", "marie", "opérateur", "not"),
    ("marie == vrai", "vrai", "ne s'appelle", "true"),
    ("marie == not majeur", "not", "mal placé", "parenthèses"),
    ("format not in [\"copie\"]", "not", "opérateur", "not (x in"),
    ("1 < exemplaires < 3", "<", "ne peuvent pas se suivre", "and"),
    ("exemplaires > 12,5", ",", "opérateur", "12.5"),
    ("(marie", "(marie", "manque", ""),
    ("marie)", ")", "pas été ouverte", ""),
    ("marie and", "", "manque une valeur", ""),
    ("", "", "vide", ""),
    ("exemplaires", "exemplaires", "condition", "nombre > 0"),
    ("format", "format", "condition", "=="),
    ("demandeur == \"x\"", "demandeur == \"x\"", "parties", "prenoms"),
    ("demandeur.prenom == \"x\"", "demandeur.prenom", "n'est pas une partie", "prenoms"),
    ("nom.x == \"x\"", "nom.x", "pas de parties", ""),
    ("photo == \"x\"", "photo == \"x\"", "si elle est donnée", "answered"),
    ("agee(debut) > 3", "agee", "n'existe pas", "age"),
    ("age() > 3", "age()", "bon nombre", "age(naissance)"),
    ("age(nom) > 3", "nom", "une date", ""),
    ("fin - debut > 3", "fin", "un nombre", "days"),
    ("any(enfants, prix)", "prix", "une condition", ""),
    ("any(nom, marie)", "nom", "groupe répété", ""),
    ("answered(1)", "1", "nom d'une question", ""),
    ("nom in []", "[]", "vide", ""),
    ("nom == [\"a\"]", "[\"a\"]", "après «\u{a0}in\u{a0}»", ""),
    ("nom in debut", "debut", "attend une liste", "in"),
    ("if(marie, 1, \"a\") == 1", "\"a\"", "se ressembler", ""),
    ("naissance == debut", "naissance", "ne s'appelle", ""),
    ("exemplaires == 99999999999999999999999999999999", "99999999999999999999999999999999", "trop de chiffres", ""),
    ("marie # majeur", "#", "pas de sens", ""),
];

#[test]
fn every_mistake_is_located_and_explained() {
    for (source, place, message, advice) in MISTAKES {
        let errors = errors(source);
        let found = errors.iter().any(|error| {
            source.get(error.start..error.end) == Some(place)
                && error.message.contains(message)
                && error.advice.as_deref().unwrap_or_default().contains(advice)
        });
        assert!(found, "{source}: {errors:#?}");
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    assert_eq!(errors("formt == \"x\" && age(nom) > 3").len(), 3);
}

#[test]
fn the_type_asked_for() {
    let parse = |source: &str, wanted: &Type| Expr::parse(source, &scope(), Some(wanted)).is_ok();
    assert!(parse("exemplaires * 2", &Type::Number));
    assert!(parse("format", &Type::Text));
    assert!(!parse("nom", &Type::Number));
    for source in ["photo", "demandeur", "enfants", "jours"] {
        assert!(Expr::parse(source, &scope(), None).is_err(), "{source}");
    }
}

#[test]
fn hostile_sources_do_not_exhaust_the_stack() {
    for (open, close) in
        [("(", ")"), ("not ", ""), ("-", ""), ("min(1, ", ")"), ("[", "]"), ("1 + ", ""), ("if(true, 1, ", ")")]
    {
        for times in [60, 500, 2_000] {
            let source = format!("{}1{}", open.repeat(times), close.repeat(times));
            let _ = Expr::parse(&source, &scope(), None);
            assert!(times < 100 || Expr::parse(&source, &scope(), None).is_err(), "{open}");
        }
    }
    let long = vec!["marie"; 500].join(" and ");
    assert!(Expr::parse(&long, &scope(), None).is_ok(), "a long list of conditions is not deep");
    assert!(Expr::parse(&" ".repeat(100_000), &scope(), None).is_err());
}
