use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::load;

const PROCEDURE: &str = "
id: x
title: Demander un badge
summary: Un badge.
theme: quotidien
audience: [particulier]
department: d
identification: none
cost: free
minutes: 1
delay: 1 days
notice: {purpose: p, basis: b, recipients: [r], retention: {current: 1 days, dua: 1 days, final: destroy}}
pages:
  - title: P
    fields:
      - {id: zone, ask: Quelle zone ?, kind: choice, options: {nord: Au nord, sud: Au sud}}
      - {id: places, ask: Combien ?, kind: number, min: 1, max: 9}
      - {id: remarque, ask: Une remarque ?, kind: text, optional: true}
      - {id: qui, ask: Qui ?, kind: identity}
pieces: []
after: [a]
workflow:
  id: w
  title: W
  initial: draft
  states:
    - {id: draft, label: d, usager: d, status: draft}
    - {id: end, label: e, usager: e, status: ended, end: true}
  transitions:
    - {id: send, label: s, from: [draft], to: end, who: usager, does: [notify x]}
";

fn procedure() -> crate::model::Procedure {
    load::procedure("x v1", PROCEDURE, &load::Shared::default()).unwrap_or_else(|found| panic!("{found:?}"))
}

fn names() -> Names {
    Names::letter().with(&procedure())
}

fn known(remark: Option<&str>) -> Known {
    let mut known = Known::default();
    known.set("demande.reference", "VAL-1");
    known.set("lettre.motivation", "Premier.\n\nSecond **sec**.");
    let mut answers = json!({"zone": "sud", "places": "2", "qui": {"nom_naissance": "Martin", "prenoms": "Léa # 1"}});
    if let Some(remark) = remark {
        answers["remarque"] = json!(remark);
    }
    known.answer(&procedure(), answers.as_object().unwrap(), &crate::answers::Answers::new());
    known
}

fn filled(source: &str, remark: Option<&str>) -> String {
    let text = Text::parse(source, &names()).unwrap_or_else(|found| panic!("{found:?}"));
    plain(&text.fill(&known(remark), date(2026, 3, 1)).unwrap().blocks)
}

fn mistakes(source: &str) -> Vec<(usize, String)> {
    let found = Text::parse(source, &names()).unwrap_err();
    found.into_iter().map(|one| (one.line, format!("{} {}", one.message, one.advice.unwrap_or_default()))).collect()
}

#[test]
fn values_and_conditions() {
    assert_eq!(filled("Demande {{demande.reference}}, {{ zone }}.", None), "Demande VAL-1, Au sud.");
    assert_eq!(filled("À {{ qui.nom_naissance }}", None), "À Martin");
    let source = "Un\n{% si answered(remarque) %}\nNous notons : {{ remarque }}\n{% sinon %}\nRien.\n{% fin %}\nDeux";
    assert_eq!(filled(source, Some("a\nb")), "Un\nNous notons : a, b\nDeux");
    assert_eq!(filled(source, None), "Un\nRien.\nDeux");
    let both = "{% si zone == \"sud\" and places > 1 %}Oui{% sinon %}Non{% fin %}";
    assert_eq!(filled(both, None), "Oui");
    let nested = "{% si zone == \"sud\" %}\n{% si places > 5 %}\nBeaucoup\n{% sinon %}\nPeu\n{% fin %}\n{% fin %}\nFin";
    assert_eq!(filled(nested, None), "Peu\nFin");
}

#[test]
fn what_may_be_missing_stands_under_a_condition() {
    let found = mistakes("Bonjour,\n\n{{ remarque }}");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 3);
    assert!(found[0].1.contains("peut manquer") && found[0].1.contains("si answered(remarque)"), "{found:?}");
    // A part may be missing from an answer that is there.
    for (source, fine) in [
        ("{{ qui.prenoms }}", false),
        ("{% si answered(qui) %}{{ qui.prenoms }}{% fin %}", false),
        ("{% si answered(qui.prenoms) %}{{ qui.prenoms }}, {{ qui }}{% fin %}", true),
        ("{% si answered(usager.nom) %}{{ usager.adresse }}{% fin %}", false),
        ("{% si answered(usager.adresse) %}{{ usager.adresse }}{% fin %}", true),
        ("{% si answered(decision.motif) and answered(decision.faits) %}{{ decision.faits }}{% fin %}", true),
    ] {
        assert_eq!(Text::parse(source, &names()).is_ok(), fine, "{source}");
    }
    // A request of another day may lack it all the same: then nothing leaves.
    let text = Text::parse("{% si not answered(remarque) %}{{ remarque }}{% fin %}", &names()).unwrap();
    assert_eq!(text.fill(&known(None), date(2026, 3, 1)), Err(vec!["Une remarque ?".to_owned()]));
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    for (source, line, words) in [
        ("a\n{{ zonne }}", 2, "{{ zone }}"),
        ("{{ zone", 1, "pas fermées"),
        ("a\n\n{% si zone == \"est\" %}x{% fin %}", 3, "est"),
        ("{% si zone == \"sud\" %}x", 1, "{% fin %}"),
        ("x{% fin %}", 1, "ne ferme aucune"),
        ("{% sinon %}", 1, "ne suit aucune"),
        ("{% pour x %}", 1, "n’est pas compris"),
        ("a\n**b", 2, "gras"),
        ("## b", 1, "niveau"),
    ] {
        let found = mistakes(source);
        assert!(found.iter().any(|one| one.0 == line && one.1.contains(words)), "{source}: {found:?}");
    }
    assert_eq!(mistakes(&"é".repeat(LONGEST + 1)).len(), 1);
}

#[test]
fn a_mail_says_nothing_of_a_person() {
    let found = Text::parse("{{ demande.reference }} {{ usager.nom }} {{ decision.motif }} {{ zone }}", &Names::mail());
    assert_eq!(found.unwrap_err().len(), 3);
    let title = "{{ demande.demarche }}";
    assert!(Text::parse(title, &Names::mail()).is_ok() && Text::parse(title, &Names::letter().subject()).is_ok());
    assert!(Text::parse(title, &Names::mail().subject()).is_err());
}

#[test]
fn markup_is_that_of_the_text_alone() {
    let text = Text::parse(
        "# Objet **gras**\n- un\n- deux {{ remarque }}\n\n4. a\n5. b\nsuite\n\n{{ lettre.motivation }}\nfin",
        &{
            let mut open = procedure();
            open.pages[0].fields[2].optional = false;
            Names::letter().with(&open)
        },
    )
    .unwrap();
    let blocks = text.fill(&known(Some("# **x** {{ y }} {% fin %}")), date(2026, 3, 1)).unwrap().blocks;
    let span = |text: &str, bold| Span { text: text.to_owned(), bold };
    assert_eq!(
        blocks,
        [
            Block::Heading { spans: vec![span("Objet ", false), span("gras", true)] },
            Block::List {
                start: None,
                items: vec![vec![span("un", false)], vec![span("deux # **x** {{ y }} {% fin %}", false)]]
            },
            Block::List { start: Some(4), items: vec![vec![span("a", false)], vec![span("b", false)]] },
            Block::Paragraph { spans: vec![span("suite", false)] },
            Block::Paragraph { spans: vec![span("Premier.", false)] },
            Block::Paragraph { spans: vec![span("Second **sec**.\n", false), span("fin", false)] },
        ]
    );
}

#[test]
fn a_letter_begun_from_a_template_is_changed_as_markup() {
    let text = "# Objet **gras**\n\nBonjour,\nune ligne **forte**\nsuite\n\n- un\n- **deux**\n\n4. a\n5. b";
    let blocks = typed(text).unwrap();
    assert_eq!(source(&blocks), text);
    assert_eq!(typed(&source(&blocks)).unwrap(), blocks);
    // Braces name nothing here.
    let braces = typed("{{ usager.nom }} {% si %}").unwrap();
    assert_eq!(plain(&braces), "{{ usager.nom }} {% si %}");
    let wrong = typed("a\n**b\n## c").unwrap_err();
    assert_eq!(wrong.iter().map(|one| one.line).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(typed(&"a".repeat(LONGEST + 1)).unwrap_err().len(), 1);
}

proptest! {
    /// Written again as markup, blocks are the same.
    #[test]
    fn markup_of_blocks_gives_them_back(text in "([a-z ]|\n|\n\n|\n- |\n3\\. |\n# |\\*\\*b\\*\\*){0,30}") {
        if let Ok(blocks) = typed(&text) {
            let written = source(&blocks);
            prop_assert_eq!(typed(&written).unwrap(), blocks, "{:?}", written);
        }
    }

    /// Whatever is written gives a text or mistakes that point into it.
    #[test]
    fn any_source_is_judged(source in "([a-zé#*.\\- \n]|\\{\\{ ?|\\}\\}|\\{% ?|%\\}|si |sinon|fin|zone|remarque|answered\\(|\\)|== \"sud\"|1\\. ){0,40}") {
        match Text::parse(&source, &names()) {
            Ok(text) => { let _ = text.fill(&known(Some("x")), date(2026, 3, 1)); }
            Err(found) => {
                let lines = source.split('\n').count();
                prop_assert!(!found.is_empty() && found.iter().all(|one| (1..=lines).contains(&one.line)), "{:?}", found);
            }
        }
    }

    /// What somebody typed comes out as it went in, and changes nothing of what stands around.
    #[test]
    fn a_value_is_never_markup(value in "[ -~éà]{1,40}") {
        prop_assume!(!value.trim().is_empty());
        let source = "# T\n\n- a {% si answered(remarque) %}{{ remarque }}{% fin %} b **c**";
        let text = Text::parse(source, &names()).unwrap();
        let blocks = text.fill(&known(Some(&value)), date(2026, 3, 1)).unwrap().blocks;
        prop_assert_eq!(blocks.len(), 2);
        let Block::List { items, .. } = &blocks[1] else { panic!("{blocks:?}") };
        prop_assert_eq!(&items[0][0].text, &format!("a {value} b "));
        prop_assert_eq!(&items[0][1], &Span { text: "c".to_owned(), bold: true });
    }
}
