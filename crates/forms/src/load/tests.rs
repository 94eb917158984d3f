use std::{fmt::Write, fs, path::Path};

use super::*;

fn folder(path: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file in {path}");
    files
}

/// The real shared files, and those that only tests use.
fn shared() -> Shared {
    let mut files = BTreeMap::new();
    for (name, text) in folder("../../procedures/workflows") {
        files.insert(format!("workflows/{name}"), text);
    }
    for (name, text) in folder("src/load/samples/blocks") {
        files.insert(format!("blocks/{name}"), text);
    }
    Shared { files, ..Shared::default() }
}

fn listed(found: &[Finding]) -> String {
    let mut out = String::new();
    for finding in found {
        writeln!(out, "{finding}").unwrap();
    }
    out
}

#[test]
fn bad_files() {
    for (name, text) in folder("src/load/samples/bad") {
        let found = procedure(&name, &text, &shared()).expect_err(&name);
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), listed(&found));
    }
}

#[test]
fn bad_workflows() {
    for (name, text) in folder("src/load/samples/bad-workflows") {
        let found = workflow(&name, &text, &shared()).expect_err(&name);
        insta::assert_snapshot!(format!("workflow-{}", name.trim_end_matches(".yaml")), listed(&found));
    }
}

#[test]
fn good_files_load_and_their_closed_form_is_the_same_procedure() {
    for (name, text) in folder("src/load/samples/good") {
        let read = procedure(&name, &text, &shared()).unwrap_or_else(|found| panic!("{}", listed(&found)));
        let closed = closed(&name, &text, &shared()).unwrap();
        let again = procedure("version", &closed, &Shared::default())
            .unwrap_or_else(|found| panic!("{}{closed}", listed(&found)));
        assert_eq!(format!("{read:#?}"), format!("{again:#?}"), "{name}");
        assert!(closed.starts_with("format: 1\n"), "{name}");
        assert_eq!(super::closed("version", &closed, &Shared::default()).unwrap(), closed, "{name}");
    }
}

#[test]
fn a_full_file_in_canonical_form() {
    let (_, text) = folder("src/load/samples/good").into_iter().find(|(name, _)| name == "complet.yaml").unwrap();
    insta::assert_snapshot!("fmt-complet", fmt("complet.yaml", &text).unwrap());
    insta::assert_snapshot!("closed-complet", closed("complet.yaml", &text, &shared()).unwrap());
}

#[test]
fn shipped_workflows_are_right_and_in_canonical_form() {
    for (name, text) in folder("../../procedures/workflows") {
        let read = workflow(&name, &text, &shared()).unwrap_or_else(|found| panic!("{}", listed(&found)));
        assert_eq!(format!("{}.yaml", read.id), name);
        assert_eq!(fmt(&name, &text).unwrap(), text, "run `guichet fmt`: {name}");
        for transition in &read.transitions {
            let by_agent = matches!(transition.who, crate::workflow::Who::Process | crate::workflow::Who::Decide);
            assert!(!by_agent || transition.receives.is_some(), "{name}: {}", transition.id);
        }
    }
}

#[test]
fn shipped_surveys_are_right_and_in_canonical_form() {
    let all = folder("../../procedures/surveys");
    for (name, text) in &all {
        survey(name, text, &Shared::default()).unwrap_or_else(|found| panic!("{}", listed(&found)));
        assert_eq!(fmt(name, text).unwrap(), *text, "run `guichet fmt`: {name}");
    }
    let (name, text) = all.iter().find(|(name, _)| name == "accueil-mairie.yaml").unwrap();
    for (was, is, told) in [
        ("anonymous: true\n", "", "Il manque la clé « anonymous »"),
        ("  to: 2027-06-30\n", "", "Une enquête a un dernier jour"),
        ("kind: long-text\n    max: 1000\n    rows: 4", "kind: file", "ne pose pas une question comme"),
        ("show-if: note < 4", "show-if: idees == 'x'", "idees"),
    ] {
        assert!(text.contains(was), "{name}: {was}");
        let found = listed(&survey(name, &text.replace(was, is), &Shared::default()).unwrap_err());
        assert!(found.replace('\u{a0}', " ").contains(told), "{found}");
    }
}

#[test]
fn a_message_has_its_template_where_templates_are_known() {
    let (name, text) = folder("../../procedures/workflows").remove(0);
    let mut shared = Shared { messages: ["recue", "reponse", "annulee"].map(str::to_owned).into(), ..shared() };
    let found = workflow(&name, &text, &shared).unwrap_err();
    assert!(found.iter().any(|one| one.message.contains("Aucun modèle de message ne s'appelle")), "{}", listed(&found));
    assert!(found.iter().all(|one| text.lines().nth(one.line - 1).unwrap()[one.column - 1..].contains(']')));
    shared.messages.clear();
    workflow(&name, &text, &shared).unwrap();
}

/// A letter has its template, which names only what the procedure asks.
#[test]
fn a_letter_is_judged_with_the_procedure_that_sends_it() {
    let (name, text) = folder("../../procedures").into_iter().find(|(name, _)| name.starts_with("debit-")).unwrap();
    let mut shared = shared();
    for kind in ["blocks", "letters"] {
        for (name, text) in folder(&format!("../../procedures/{kind}")) {
            shared.files.insert(format!("{kind}/{name}"), text);
        }
    }
    shared.messages = [
        "recue",
        "prise-en-charge",
        "piece-demandee",
        "relance",
        "classee",
        "complete",
        "decision",
        "annulee",
        "rouverte",
    ]
    .map(str::to_owned)
    .into();
    assert!(shared.letters().count() >= 2);
    procedure(&name, &text, &shared).unwrap_or_else(|found| panic!("{}", listed(&found)));
    let found = |shared: &Shared, text: &str| listed(&procedure(&name, text, shared).unwrap_err());
    // Where it stands, and what is wrong.
    let mut wrong = shared.clone();
    let file = "letters/buvette-refus.yaml";
    let letter = shared.files[file].replace("{{ lettre.motivation }}", "{{ sponsor }}");
    let line = 1 + letter.lines().position(|line| line.contains("sponsor")).unwrap();
    wrong.files.insert(file.to_owned(), letter);
    let told = found(&wrong, &text);
    assert!(
        told.starts_with(&format!("{file}:{line}:1:")) && told.contains("sponsor") && told.contains("debit-boissons"),
        "{told}"
    );
    wrong.files.remove(file);
    assert!(found(&wrong, &text).contains("Aucun modèle de lettre ne s'appelle"), "{}", found(&wrong, &text));
    for (was, is, words) in [
        ("[letter buvette-refus, notify decision]", "[notify decision, letter buvette-refus]", "vient avant"),
        (
            "[letter buvette-refus, notify decision]",
            "[letter buvette-refus, letter buvette-arrete]",
            "une seule lettre",
        ),
        ("    - id: refuse\n", "    - id: cancel\n", "Une transition de l'usager ne fait pas de lettre"),
        ("[letter buvette-refus, notify decision]", "[letter]", "Dites avec quel modèle"),
    ] {
        let told = found(&shared, &text.replace(was, is));
        assert!(told.replace('\u{a0}', " ").contains(words), "{is}: {told}");
    }
}

/// Everything in the project that is a procedure file keeps its meaning and settles in one pass.
#[test]
fn canonical_form_is_stable() {
    let mut files = folder("../../procedures/workflows");
    for path in ["samples/good", "samples/bad", "samples/blocks", "samples/bad-workflows"] {
        files.extend(folder(&format!("src/load/{path}")));
    }
    files.extend(folder("../../procedures"));
    files.extend(folder("../../procedures/blocks"));
    files.extend(folder("../../procedures/letters"));
    for (name, text) in files {
        let Ok(once) = fmt(&name, &text) else { continue };
        assert_eq!(fmt(&name, &once).unwrap(), once, "{name}");
        assert_eq!(meaning(&text), meaning(&once), "{name}");
        assert!(once.lines().all(|line| line == line.trim_end()), "{name}");
    }
}

/// The shipped catalogue: right, in canonical form, and the same once closed.
#[test]
fn shipped_procedures() {
    let mut shared = Shared::default();
    for kind in ["blocks", "workflows"] {
        for (name, text) in folder(&format!("../../procedures/{kind}")) {
            assert_eq!(fmt(&name, &text).unwrap(), text, "run `guichet fmt`: {kind}/{name}");
            shared.files.insert(format!("{kind}/{name}"), text);
        }
    }
    let mut found = Vec::new();
    for (name, text) in folder("../../procedures") {
        match procedure(&name, &text, &shared) {
            Ok(read) => {
                let again = procedure("version", &closed(&name, &text, &shared).unwrap(), &Shared::default()).unwrap();
                assert_eq!(format!("{read:?}"), format!("{again:?}"), "{name}");
            }
            Err(more) => found.extend(more),
        }
        assert_eq!(fmt(&name, &text).unwrap(), text, "run `guichet fmt`: {name}");
    }
    assert!(found.is_empty(), "{}", listed(&found));
}

/// The tree without places and styles, keys of every mapping but answers in one order.
fn meaning(text: &str) -> String {
    fn walk(node: &node::Node, out: &mut String) {
        match &node.body {
            node::Body::Text(text) => write!(out, "{:?}", text.value).unwrap(),
            node::Body::List(items) => {
                out.push('[');
                for item in items {
                    walk(item, out);
                    out.push(',');
                }
                out.push(']');
            }
            node::Body::Map(entries) => {
                out.push('{');
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by(|a, b| a.key.cmp(&b.key));
                for entry in entries {
                    write!(out, "{:?}:", entry.key).unwrap();
                    walk(&entry.value, out);
                    out.push(',');
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    walk(&yaml::read("x", text, &mut Vec::new()).unwrap(), &mut out);
    out
}

proptest::proptest! {
    /// Whatever text a studio puts in, the canonical form gives it back.
    #[test]
    fn any_text_survives(value in "[ -~éàœ«»’\u{a0}\u{202f}\n\t#:'\"\\[\\]{},|>&*!%@`-]{0,160}", key in "[a-z#: '\"-]{1,12}") {
        let value = value.trim().to_owned();
        let at = node::At { file: "x".into(), line: 1, column: 1 };
        let entry = |key: &str, value: node::Node| node::Entry { key: key.to_owned(), at: at.clone(), value };
        let text = |plain| node::Node {
            at: at.clone(),
            body: node::Body::Text(node::Text { value: value.clone(), plain, ..node::Text::default() }),
        };
        let list = node::Node { at: at.clone(), body: node::Body::List(vec![text(false), text(true)]) };
        let inner = node::Node { at: at.clone(), body: node::Body::Map(vec![entry("a", text(true)), entry("b", list)]) };
        let key = key.trim();
        proptest::prop_assume!(!key.is_empty());
        let tree = node::Node { at: at.clone(), body: node::Body::Map(vec![entry(key, inner)]) };
        let written = fmt::write(&tree);
        let mut found = Vec::new();
        let again = yaml::read("x", &written, &mut found);
        proptest::prop_assert!(found.is_empty(), "{written}{found:?}");
        let again = again.unwrap();
        let inner = again.get(key).unwrap();
        proptest::prop_assert_eq!(inner.get("a").unwrap().text(), Some(value.as_str()), "{}", &written);
        for item in inner.get("b").unwrap().list().unwrap() {
            proptest::prop_assert_eq!(item.text(), Some(value.as_str()), "{}", &written);
        }
        proptest::prop_assert_eq!(fmt::write(&again), written);
    }

    /// No input makes the loader panic.
    #[test]
    fn any_input_is_answered(text in "(a|id|:|: |- |\n|\n  |#|'|\"|\\||>|\\[|\\]|\\{|\\}|,|é|!|&|\\*| |pages|fields|use){0,60}") {
        let _ = procedure("x.yaml", &text, &Shared::default());
        let _ = fmt("x.yaml", &text);
    }
}

#[test]
fn limits() {
    let long = format!("id: {}", "a".repeat(1_000_000));
    assert!(listed(&procedure("x", &long, &Shared::default()).unwrap_err()).contains("1 Mo"));
    let deep = "[".repeat(100_000);
    assert!(listed(&procedure("x", &deep, &Shared::default()).unwrap_err()).contains("64 niveaux"));
    let mut files = BTreeMap::new();
    for level in 0..20 {
        let inner = level + 1;
        files.insert(
            format!("blocks/b{level}.yaml"),
            format!("fields: [{{use: b{inner}}}, {{use: b{inner}}}, {{use: b{inner}}}]"),
        );
    }
    files.insert("blocks/b20.yaml".to_owned(), "fields: [{id: a, ask: A, kind: text}]".to_owned());
    let found =
        procedure("x", "pages: [{title: P, fields: [{use: b0}]}]", &Shared { files, ..Shared::default() }).unwrap_err();
    assert!(listed(&found).contains("2 000"), "{}", listed(&found));
}

/// A procedure for somebody: a question of each sort that `beneficiary` might name.
fn for_somebody(beneficiary: &str) -> Result<Procedure, Vec<Finding>> {
    let (_, text) = folder("src/load/samples/good").into_iter().find(|(name, _)| name == "minimal.yaml").unwrap();
    let fields = "      - {id: enfant, ask: Quel enfant ?, kind: identity}
      - {id: adulte, ask: Quel adulte ?, kind: identity, optional: true}
      - {id: defunt, ask: Qui est mort ?, kind: identity, deceased: true}
      - {id: malade, ask: Quel malade ?, kind: identity, sensitive: true}
      - id: foyer
        kind: group
        rows: {max: 3, title: Membre}
        fields:
          - {id: membre, ask: Qui ?, kind: identity}
pieces: []";
    let text =
        text.replace("pieces: []", fields).replace("cost: free", &format!("beneficiary: {beneficiary}\ncost: free"));
    procedure("minimal.yaml", &text, &shared())
}

#[test]
fn nobody_living_is_proposed_where_the_dead_are_asked_for() {
    assert_eq!(for_somebody("enfant").unwrap().takes_up().map(|field| field.id.as_str()), Some("enfant"));
    assert!(for_somebody("defunt").unwrap().takes_up().is_none());
}

#[test]
fn beneficiaries_are_people_named_once() {
    assert_eq!(for_somebody("enfant").unwrap().beneficiary.as_deref(), Some("enfant"));
    for (wrong, said) in [
        (
            "enfnt",
            "Aucune question ne s'appelle «\u{a0}enfnt\u{a0}». (Vouliez-vous dire «\u{a0}enfant\u{a0}»\u{202f}?)",
        ),
        (
            "question",
            "La question «\u{a0}question\u{a0}» ne demande pas le nom d'une personne (genre «\u{a0}identity\u{a0}»). (Valeurs possibles\u{a0}: «\u{a0}enfant\u{a0}», «\u{a0}adulte\u{a0}», «\u{a0}defunt\u{a0}».)",
        ),
        (
            "malade",
            "La question «\u{a0}malade\u{a0}» est sensible\u{a0}: elle ne peut pas dire pour qui est la demande. (Ce nom est montré dans les listes\u{202f}; retirez «\u{a0}sensitive\u{a0}», ou «\u{a0}beneficiary\u{a0}».)",
        ),
        (
            "membre",
            "La question «\u{a0}membre\u{a0}» est dans un groupe\u{a0}: elle peut nommer plusieurs personnes. («\u{a0}beneficiary\u{a0}» nomme une question posée une seule fois.)",
        ),
    ] {
        let found = listed(&for_somebody(wrong).unwrap_err());
        assert_eq!(found, format!("minimal.yaml:10:14: {said}\n"));
    }
    assert!(listed(&for_somebody("[enfant]").unwrap_err()).contains("Un texte est attendu ici"));
}

#[test]
fn beneficiaries_are_named_as_far_as_they_are_typed() {
    let somebody = for_somebody("enfant").unwrap();
    for (nom_naissance, nom_usage, prenoms, name) in [
        ("Martin", "", "Léa", Some("Léa Martin")),
        (" Martin ", "Le  Goff", "Léa,  Zoé", Some("Léa Zoé Le Goff")),
        ("", "", "Léa", Some("Léa")),
        ("Martin", "", "", Some("Martin")),
        ("  ", "", "\u{7}", None),
        ("12€", "", "", Some("12€")),
    ] {
        let mut raw = crate::answers::Raw::default();
        raw.set("enfant.nom_naissance", nom_naissance);
        raw.set("enfant.nom_usage", nom_usage);
        raw.set("enfant.prenoms", prenoms);
        raw.set("adulte.nom_naissance", "Autre");
        assert_eq!(somebody.beneficiary(&raw).as_deref(), name, "{raw:?}");
    }
    assert_eq!(somebody.beneficiary(&crate::answers::Raw::default()), None);
    let mut long = crate::answers::Raw::default();
    long.set("enfant.prenoms", "x".repeat(5_000));
    assert_eq!(somebody.beneficiary(&long).unwrap().len(), 200);
    let answers = serde_json::json!({"enfant": {"nom_naissance": "Martin", "prenoms": "Léa"}});
    assert_eq!(somebody.beneficiary_of(answers.as_object().unwrap()).as_deref(), Some("Léa Martin"));
    assert_eq!(somebody.beneficiary_of(&crate::answers::Answers::new()), None);
}

#[test]
fn same_text_same_hash() {
    assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// Silence decides as the law says of the procedure, its attestation is delivered by somebody, and what the platform
/// writes by itself names no agent.
#[test]
fn what_silence_decides_is_proved() {
    let (name, text) = folder("../../procedures").into_iter().find(|(name, _)| name.contains("bibliotheque")).unwrap();
    let mut shared = shared();
    for kind in ["blocks", "letters"] {
        for (name, text) in folder(&format!("../../procedures/{kind}")) {
            shared.files.insert(format!("{kind}/{name}"), text);
        }
    }
    procedure(&name, &text, &shared).unwrap_or_else(|found| panic!("{}", listed(&found)));
    let attestation = "  attestation:\n    letter: attestation-acceptation\n";
    for (was, is, words) in [
        ("silence: acceptation", "silence: rejet", "dit que le silence vaut acceptation, et la démarche non"),
        (attestation, "", "rien n'en délivre l'attestation"),
        ("letter attestation-acceptation", "letter buvette-refus", "Personne ne délivre l'attestation"),
        ("after: legal", "after: due", "que le circuit ne constate jamais"),
    ] {
        let found = listed(&procedure(&name, &text.replace(was, is), &shared).unwrap_err());
        assert!(found.replace('\u{a0}', " ").contains(words), "{is}: {found}");
    }
    let without = text.replace("    - id: close\n", "    - id: accept\n      needs: []\n    - id: close\n");
    let found = listed(&procedure(&name, &without, &shared).unwrap_err());
    assert!(found.contains("sans que personne signe la décision"), "{found}");
    procedure(&name, &without.replace("notice:\n", "decisions: false\nnotice:\n"), &shared).unwrap();
    let automatic = text.replace(attestation, &format!("{attestation}    automatic: true\n"));
    procedure(&name, &automatic, &shared).unwrap_or_else(|found| panic!("{}", listed(&found)));
    let letter = shared.files.get_mut("letters/attestation-acceptation.yaml").unwrap();
    letter.push_str("  {{ agent.nom }}\n");
    procedure(&name, &text, &shared).unwrap_or_else(|found| panic!("{}", listed(&found)));
    let found = listed(&procedure(&name, &automatic, &shared).unwrap_err());
    assert!(found.contains("agent.nom"), "{found}");
}
