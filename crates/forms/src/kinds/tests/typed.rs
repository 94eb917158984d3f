//! What people type, kind by kind.

use serde_json::json;

use super::*;

#[test]
fn text() {
    let plain = field(Text { max: 10, ..Text::default() });
    good(&plain, "  Bonjour  ", "Bonjour");
    good(&plain, "a\u{a0}\t b", "a b");
    good(&plain, "e\u{301}te\u{301}", "été");
    good(&plain, "so\u{200b}leil\u{ad}", "soleil");
    bad(&plain, "onze lettre", "1\u{a0}caractère de trop");
    bad(&plain, "douze lettres", "3\u{a0}caractères de trop");
    bad(&plain, "a\u{1b}b", "invisibles");
    assert_eq!(parse(&plain, &[("", " \u{200b} ")]), Ok(None));
}

#[test]
fn text_with_a_mask() {
    let mask = |it: &str| field(Text { pattern: Some(it.parse().unwrap()), ..Text::default() });
    let plate = mask("AA-999-AA");
    good(&plate, "ab123cd", "AB-123-CD");
    good(&plate, "AB 123 CD", "AB-123-CD");
    good(&plate, "ab-123-cd", "AB-123-CD");
    bad(&plate, "ab-12-cd", "AA-999-AA");
    let old = mask("9?9?99 A?AA 99");
    good(&old, "12 ab 13", "12 AB 13");
    good(&old, "1234abc13", "1234 ABC 13");
    bad(&old, "1abc13", "sous la forme");
    good(&mask("N°999"), "n°123", "N°123");
    good(&mask("99-9?"), "12", "12");
    let hostile = mask(&"9?".repeat(60));
    bad(&hostile, &format!("{}x", "1".repeat(59)), "sous la forme");
    let guided = Text { pattern: "999".parse().ok(), example: Some("042".to_owned()), ..Text::default() };
    bad(&field(guided), "12", "par exemple 042");
    for wrong in ["", "?9", "9??", &"A".repeat(61)] {
        assert!(wrong.parse::<crate::kinds::mask::Mask>().is_err(), "{wrong}");
    }
}

#[test]
fn long_text() {
    let long = field(LongText { max: 20, rows: 3 });
    good(&long, "Une ligne\r\n\r\nune autre", "Une ligne\n\nune autre");
    bad(&long, "une ligne beaucoup trop longue", "10\u{a0}caractères de trop");
    bad(&long, "a\u{0}b", "invisibles");
}

#[test]
fn number() {
    let whole = field(Number { min: Some(1.into()), max: Some(5.into()), ..Number::default() });
    good(&whole, "3", "3");
    good(&whole, " 003,0 ", "3");
    for typed in ["0", "6", "2,5", "trois", "1e2", "1,2,3", "--3", ",", "-", "٣"] {
        bad(&whole, typed, "un nombre entier de 1 à 5");
    }
    let area = field(Number { decimals: 2, unit: Some("m²".to_owned()), ..Number::default() });
    good(&area, "1 234,50 m²", "1234.5");
    good(&area, "1\u{202f}234.5", "1234.5");
    good(&area, ",5", "0.5");
    good(&area, "−12", "-12");
    good(&area, "-0", "0");
    bad(&area, "1,234", "en m²");
    bad(&area, &"9".repeat(40), "un nombre");
    bad(&field(Number { min: Some(1.into()), ..Number::default() }), "0", "d’au moins 1");
    bad(&field(Number { max: Some(1.into()), ..Number::default() }), "2", "d’au plus 1");
}

#[test]
fn amount() {
    let price = field(Amount { min: Some(0), max: Some(100_000) });
    for (typed, cents) in [("12,50", 1250), ("12.5 €", 1250), ("1\u{a0}000 euros", 100_000), ("0", 0), ("12 EUR", 1200)]
    {
        good(&price, typed, cents);
    }
    for typed in ["12,505", "-1", "1000,01", "gratuit", "€"] {
        bad(&price, typed, "un montant de 0,00\u{a0}€ à 1\u{202f}000,00\u{a0}€");
    }
}

#[test]
fn date() {
    let day = field(DateKind::default());
    let parts = |d, m, y| [("jour", d), ("mois", m), ("annee", y)];
    let expect =
        |typed: &[(&str, &str)], answer: &str| assert_eq!(parse(&day, typed), Ok(Some(answer.into())), "{typed:?}");
    expect(&parts("27", "3", "2021"), "2021-03-27");
    expect(&parts("1er", "février", "2021"), "2021-02-01");
    expect(&parts("07", "AOUT", "2021"), "2021-08-07");
    expect(&parts("29", "02", "2024"), "2024-02-29");
    expect(&parts("3", "juil.", "1999"), "1999-07-03");
    for pasted in ["27/03/2021", "27-3-2021", "27.03.2021", "27032021", "2021-03-27", "samedi 27 mars 2021"] {
        expect(&parts(pasted, "", ""), "2021-03-27");
        expect(&[("", pasted)], "2021-03-27");
    }
    assert_eq!(parse(&day, &parts("", " ", "")), Ok(None));

    let wrong = |typed: &[(&str, &str)]| faults(&day, typed);
    assert_eq!(wrong(&parts("29", "2", "2023")).0, ["jour"]);
    assert!(wrong(&parts("29", "2", "2023")).1.contains("29 février 2023 n’existe pas"));
    assert_eq!(wrong(&parts("27", "3", "0026")).0, ["annee"]);
    assert_eq!(wrong(&parts("27", "3", "26")).0, ["annee"]);
    assert_eq!(wrong(&parts("32", "13", "2021")).0, ["jour", "mois"]);
    assert_eq!(wrong(&parts("2", "jui", "2021")).0, ["mois"]);
    let (part, said) = wrong(&parts("27", "", ""));
    assert_eq!(part, ["mois"]);
    assert!(said.contains("le mois et l’année pour «\u{a0}Le champ\u{a0}»"), "{said}");
    assert_eq!(wrong(&parts("", "", "1950")).0, ["jour"]);
}

#[test]
fn partial_date() {
    let day = field(DateKind { partial: true, max: "today".parse().ok(), ..DateKind::default() });
    let parts = |d, m, y| [("jour", d), ("mois", m), ("annee", y)];
    assert_eq!(parse(&day, &parts("", "", "1950")), Ok(Some("1950".into())));
    assert_eq!(parse(&day, &parts("", "mars", "1950")), Ok(Some("1950-03".into())));
    assert_eq!(parse(&day, &parts("mars 1950", "", "")), Ok(Some("1950-03".into())));
    assert_eq!(parse(&day, &parts("1950", "", "")), Ok(Some("1950".into())));
    assert_eq!(parse(&day, &parts("", "11", "2026")), Ok(Some("2026-11".into())), "it may be past");
    assert_eq!(faults(&day, &parts("", "12", "2026")).0, [""]);
    assert_eq!(faults(&day, &parts("3", "", "1950")).0, ["mois"]);
    assert_eq!(faults(&day, &parts("", "3", "")).0, ["annee"]);
}

#[test]
fn date_bounds() {
    let bounds =
        DateKind { min: "today - 18 years".parse().ok(), max: "today + 3 months".parse().ok(), ..DateKind::default() };
    let day = field(bounds);
    good(&day, "21/11/2008", "2008-11-21");
    bad(&day, "20/11/2008", "le 21 novembre 2008 ou une date plus tardive");
    good(&day, "21/02/2027", "2027-02-21");
    bad(&day, "22/02/2027", "le 21 février 2027 ou une date plus ancienne");
    let past = field(DateKind { max: "today".parse().ok(), ..DateKind::default() });
    bad(&past, "22/11/2026", "la date du jour (21 novembre 2026)");
}

#[test]
fn email() {
    let mail = field(Email);
    good(&mail, "Camille.Martin@Exemple.FR", "Camille.Martin@exemple.fr");
    good(&mail, "mailto:a+b@sous.domaine.example", "a+b@sous.domaine.example");
    good(&mail, "contact@mairie-évry.fr", "contact@mairie-évry.fr");
    good(&mail, "x@orange.re", "x@orange.re");
    good(&mail, "x@grange.fr", "x@grange.fr");
    good(&mail, "x@yahoo.gr", "x@yahoo.gr");
    for typed in
        ["camille", "@exemple.fr", "a@b", "a@exemple..fr", "a..b@exemple.fr", "a@-b.fr", "a@1.2.3.4", "a b@c.fr"]
    {
        bad(&mail, typed, "nom@exemple.fr");
    }
    bad(&mail, "a@b.fr, c@d.fr", "");
    bad(&mail, "hélène@exemple.fr", "sans accent");
    bad(&mail, &format!("{}@exemple.fr", "a".repeat(65)), "complète");
    bad(&mail, &format!("a@{}fr", "abcdefghi.".repeat(26)), "complète");
    for (typed, meant) in [
        ("a@gmial.com", "a@gmail.com"),
        ("a@gmail.con", "a@gmail.com"),
        ("a@ornage.fr", "a@orange.fr"),
        ("a@hotmial.fr", "a@hotmail.fr"),
        ("a@laposte.ner", "a@laposte.net"),
    ] {
        bad(&mail, typed, meant);
        assert_eq!(parse(&mail, &[("", typed), ("sure", typed)]), Ok(Some(typed.into())), "confirmed");
    }
    assert!(parse(&mail, &[("", "a@gmial.com"), ("sure", "b@gmial.com")]).is_err(), "confirmed for another");
}

#[test]
fn phone() {
    let tel = field(Phone);
    for typed in [
        "0612345678",
        "06.12.34.56.78",
        "06 12-34/56 78",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "00 33 612345678",
        "(0)6 12 34 56 78",
    ] {
        good(&tel, typed, "+33612345678");
    }
    good(&tel, "0692 12 34 56", "+262692123456");
    good(&tel, "06 39 98 12 34", "+33639981234");
    good(&tel, "+41 22 123 45 67", "+41221234567");
    good(&tel, "+247 123456", "+247123456");
    for typed in [
        "061234567",
        "06123456789",
        "3639",
        "612345678",
        "+33 1234",
        "+12345",
        "+1234567890123456",
        "+0123456789",
        "0012",
        "06 12 34 56 7a",
        "appelez",
    ] {
        bad(&tel, typed, "06 12 34 56 78");
    }
}

#[test]
fn address() {
    let place = field(Address);
    let typed = |postcode, country| {
        [
            ("numero_voie", "12 bis, rue  des Lilas"),
            ("code_postal", postcode),
            ("commune", "Ailleurs"),
            ("pays", country),
        ]
    };
    let full = json!({"numero_voie": "12 bis, rue des Lilas", "code_postal": "20090", "commune": "Ailleurs", "pays": "France"});
    assert_eq!(parse(&place, &typed("20 090", "FRANCE")), Ok(Some(full)), "Corsica");
    for good in ["13100", "97411", "98800", "01000", "00641"] {
        assert!(parse(&place, &typed(good, "")).is_ok(), "{good}");
    }
    for bad in ["1310", "2A004", "", "131000", "L-1234"] {
        assert_eq!(faults(&place, &typed(bad, "France")).0, ["code_postal"], "{bad}");
    }
    assert!(parse(&place, &typed("L-1234", "Luxembourg")).is_ok());
    assert!(parse(&place, &typed("", "Irlande")).is_ok());
    assert_eq!(parse(&place, &[("pays", "France"), ("ban_id", "x")]), Ok(None), "only what comes filled in");
    let hamlet = [("lieu_dit", "Le Moulin"), ("code_postal", "05100"), ("commune", "Névache")];
    assert_eq!(parse(&place, &hamlet).unwrap().unwrap()["lieu_dit"], "Le Moulin");
    let (parts, said) = faults(&place, &[("complement", "chez Mme Roux")]);
    assert_eq!(parts, ["code_postal", "numero_voie", "commune"]);
    assert_eq!(said.matches("Le champ").count(), 3, "{said}");
    let hidden = [("ban_id", "13001_5680_00012_bis"), ("code_insee", "2A004")];
    let kept = parse(&place, &[&typed("20000", "")[..], &hidden[..]].concat()).unwrap().unwrap();
    assert_eq!((&kept["ban_id"], &kept["code_insee"]), (&json!("13001_5680_00012_bis"), &json!("2A004")));
    let tampered = [("ban_id", "<script>"), ("code_insee", "99999999")];
    let kept = parse(&place, &[&typed("20000", "")[..], &tampered[..]].concat()).unwrap().unwrap();
    assert!(kept.get("ban_id").is_none() && kept.get("code_insee").is_none());
    assert_eq!(
        faults(&place, &[("numero_voie", &"x".repeat(101)), ("code_postal", "13100"), ("commune", "Aix")]).0,
        ["numero_voie"]
    );
}

#[test]
fn choices_and_yes_no() {
    let one = field(Choice { options: colours() });
    good(&one, "vert", "vert");
    bad(&one, "violet", "Choisissez une réponse");
    assert_eq!(parse(&one, &[]), Ok(None));

    let some = field(Choices { options: colours(), min: Some(2), max: Some(2) });
    assert_eq!(parse(&some, &[("", "bleu"), ("", "rouge"), ("", "bleu")]), Ok(Some(json!(["rouge", "bleu"]))));
    bad(&some, "vert", "au moins 2\u{a0}réponses");
    assert!(faults(&some, &[("", "bleu"), ("", "rouge"), ("", "vert")]).1.contains("au plus 2\u{a0}réponses"));
    bad(&some, "violet", "parmi les réponses proposées");

    good(&field(YesNo), "oui", true);
    good(&field(YesNo), "NON", false);
    bad(&field(YesNo), "peut-être", "Oui ou Non");
}

#[test]
fn iban() {
    let account = field(Iban);
    for typed in
        ["FR76 3000 6000 0112 3456 7890 189", "fr7630006000011234567890189", "IBAN : FR76-3000-6000-0112-3456-7890-189"]
    {
        good(&account, typed, "FR7630006000011234567890189");
    }
    good(&account, "DE89 3704 0044 0532 0130 00", "DE89370400440532013000");
    good(&account, "GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819");
    good(&account, "BE68 5390 0754 7034", "BE68539007547034");
    good(&account, "NO93 8601 1117 947", "NO9386011117947");
    bad(&account, "FR76 3000 6000 0112 3456 7890 188", "inexact");
    bad(&account, "FR76 3000 6000 0112 3456 7890 18", "27");
    bad(&account, "FR76", "27");
    bad(&account, "30006 00001 12345678901 89", "IBAN comme FR76");
    bad(&account, "été", "IBAN comme FR76");
}

#[test]
fn siret() {
    let company = field(Siret);
    good(&company, "732 829 320 00074", "73282932000074");
    good(&company, "356 000 000 00048", "35600000000048");
    good(&company, "356.000.000.09075", "35600000009075");
    good(&company, "356 000 000 00024", "35600000000024");
    bad(&company, "356 000 000 09076", "inexact");
    bad(&company, "732 829 320 00075", "inexact");
    bad(&company, "732 829 320", "SIREN");
    bad(&company, "7328293200007", "14 chiffres");
    bad(&company, "FR732829320", "14 chiffres");
}

#[test]
fn files() {
    let photos = field(Files { max: 2, images: true });
    assert_eq!(parse(&photos, &[("", "a-1"), ("", "b2")]), Ok(Some(json!(["a-1", "b2"]))));
    assert_eq!(parse(&photos, &[("fichier", "photo.jpg")]), Ok(None));
    bad(&photos, "../etc", "Envoyez de nouveau");
    assert!(faults(&photos, &[("", "a"), ("", "b"), ("", "c")]).1.contains("Retirez 1\u{a0}fichier"));
}

#[test]
fn missing_answers() {
    for kind in all() {
        let mut field = field_of(kind);
        let said = field.kind.missing(&field);
        assert!(said.contains("Le champ"), "{said}");
        field.error = Some("Dites-le.".to_owned());
        assert_eq!(field.kind.missing(&field), "Dites-le.");
    }
}
