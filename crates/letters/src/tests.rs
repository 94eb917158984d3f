use std::io::Write;
use std::process::{Command, Stdio};

use jiff::civil::date;
use serde_json::json;

use super::*;

const DAY: Date = date(2026, 11, 21);

/// What one of the poppler tools says of a PDF given on its standard input.
fn poppler(tool: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("poppler-utils is installed");
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{tool} refuses the file");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(pdf: &[u8]) -> String {
    // Places where a long word may break are not of the text.
    poppler("pdftotext", &["-raw", "-", "-"], pdf).replace('\u{200b}', "")
}

/// What a checker of PDF/UA-1 by other people finds: sixteen of the rules that a program can judge.
fn found(pdf: &[u8], least: &str) -> Vec<String> {
    let home = || std::path::PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, std::path::PathBuf::from);
    let checker = cache.join("guichet/venv/bin/pdfua");
    assert!(checker.exists(), "{} is missing: run scripts/setup-tests.sh", checker.display());
    let file = std::env::temp_dir().join(format!("guichet-letter-{}-{:p}.pdf", std::process::id(), pdf));
    std::fs::write(&file, pdf).unwrap();
    let output = Command::new(checker).args(["check", "--min-severity", least, "--format", "json"]).arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let report = report.get(0).unwrap_or(&report);
    let all = report["findings"].as_array().unwrap_or_else(|| panic!("{said}"));
    all.iter().map(Value::to_string).collect()
}

fn fact(info: &str, name: &str) -> String {
    let line = info.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map(|(_, fact)| fact.trim().to_owned()).unwrap_or_default()
}

fn letter(template: &Template, data: &Value) -> Vec<u8> {
    render(template, data, DAY).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_sample_gives_a_tagged_letter_with_its_accents() {
    for (template, pages, words) in [
        (
            &*RECEIPT,
            "2",
            vec!["Accusé d’enregistrement", "Et maintenant", "livret-été.pdf (1,3 Mo)", "45 Ko", "SEL-7F3K-29", "Cnil"],
        ),
        (
            &*REQUEST,
            "2",
            vec![
                "Dossier SEL-2026-004217",
                "Sommaire",
                "Historique",
                "l’acte est-il prêt",
                "mandat.heic",
                "Dossier ouvert",
                "officière d’état civil",
                "21 novembre 2026",
            ],
        ),
        (
            &*LETTER,
            "1",
            vec![
                "Saint-Élier, le 1er mars 2027",
                "Votre demande est refusée.",
                "ou venir au guichet",
                "3. troisièmement",
                "Aïcha Benoît",
                "arrêté n° 2026-118",
                "recours gracieux",
                "Page 1 / 1",
            ],
        ),
        (
            &*BLANK,
            "2",
            vec!["Pour quels usages", "Un mariage", "JJ / MM / AAAA", "Seulement si", "Livret de famille", "Cnil"],
        ),
        (&*SLIP, "1", vec!["Votre code de suivi", "7F3K2-9ACDE", "Tapez la référence", "saint-elier.example/suivre"]),
    ] {
        let pdf = letter(template, &template.sample());
        assert!(pdf.starts_with(b"%PDF-1.7"));
        let info = poppler("pdfinfo", &["-"], &pdf);
        assert_eq!(fact(&info, "Tagged"), "yes", "{}", template.name());
        assert_eq!(fact(&info, "Pages"), pages, "{}", template.name());
        assert_eq!(fact(&info, "Author"), "Ville de Saint-Élier");
        let text = text(&pdf);
        for word in words.into_iter().chain(["SEL-2026-004217", "Demander un acte de naissance", "Hôtel de ville"]) {
            assert!(text.contains(word), "{} lacks {word:?} in:\n{text}", template.name());
        }
    }
}

#[test]
fn says_that_it_conforms_to_both_standards() {
    let pdf = letter(&RECEIPT, &RECEIPT.sample());
    let meta = poppler("pdfinfo", &["-meta", "-"], &pdf);
    for claim in ["<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"] {
        assert!(meta.contains(claim), "no {claim} in {meta}");
    }
    let raw = String::from_utf8_lossy(&pdf);
    assert!(raw.contains("/Lang(fr"), "the language is told");
}

#[test]
fn another_program_finds_nothing_wrong() {
    for template in [&*RECEIPT, &*REQUEST, &*LETTER, &*CODE, &*SLIP, &*BLANK, &*DISPOSAL] {
        assert_eq!(found(&letter(template, &template.sample()), "info"), [""; 0], "{}", template.name());
    }
    // It does find what is wrong.
    assert!(found(&sheet("Sans balises", 595, 842), "error").len() > 1);
}

#[test]
fn the_structure_is_told_to_screen_readers() {
    let pdf = letter(&RECEIPT, &RECEIPT.sample());
    let structure = poppler("pdfinfo", &["-struct-text", "-"], &pdf);
    let tags = structure.lines().filter_map(|line| line.split_whitespace().next());
    let tags = tags.collect::<Vec<_>>();
    for tag in ["Document", "H1", "H2", "H3", "P", "L", "LI", "Lbl", "LBody"] {
        assert!(tags.contains(&tag), "no {tag} in {structure}");
    }
    let head = structure.split("Référence").next().unwrap();
    assert!(head.trim_end().trim_end_matches('"').trim_end().ends_with("Span (inline)"), "{head}");
    assert!(!structure.contains("Page 1"), "the footer is not read aloud on each page");
}

#[test]
fn optional_parts_may_be_absent_or_null() {
    let bare = json!({
        "authority": { "name": "Ville de S." },
        "department": { "name": "Accueil", "address": "1, place Haute" },
        "reference": "R-1", "procedure": "Écrire à la ville", "received": "hier",
        "sections": [], "pieces": [], "filer": null, "next": [], "tracking": null
    });
    let text = text(&letter(&RECEIPT, &bare));
    assert!(text.contains("R-1") && text.contains("1, place Haute") && text.contains("Aucune pièce"));
    for absent in ["Code de suivi", "Déposée par", "Délai", "Et maintenant", "Vos données"] {
        assert!(!text.contains(absent), "{absent} is printed in:\n{text}");
    }
}

#[test]
fn data_is_never_read_as_markup() {
    let nasty = r#"#read("/etc/passwd") $x^2$ *gras* \ \u{41} "a" 'b' `c` <d> @e [f] {g} // h /* i */ = j #panic("k") #(1+1) ~ -- ..."#;
    for template in [&*RECEIPT, &*REQUEST, &*LETTER, &*CODE, &*SLIP, &*BLANK] {
        let mut data = template.sample();
        replace_texts(&mut data, nasty);
        let printed = text(&letter(template, &data)).replace(['\n', ' '], "");
        let wanted = nasty.replace(' ', "");
        assert!(printed.contains(&wanted), "{} changed the text:\n{printed}", template.name());
    }
}

fn replace_texts(data: &mut Value, by: &str) {
    match data {
        Value::String(text) => by.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_texts(item, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace_texts(field, by)),
        _ => {}
    }
}

#[test]
fn a_template_reaches_nothing_but_its_data() {
    for attempt in [
        "#read(\"/etc/passwd\")",
        "#read(\"../../etc/passwd\")",
        "#read(\"/data.json.bak\")",
        "#import \"/other.typ\": x",
        "#import \"@preview/cetz:0.2.0\"",
        "#image(\"/logo.png\", alt: \"x\")",
    ] {
        let template = Template::embedded("attempt", attempt, samples::receipt);
        let error = render(&template, &json!({}), DAY).unwrap_err();
        assert!(matches!(error, LetterError::Template { .. }), "{attempt}: {error}");
    }
}

#[test]
fn an_inaccessible_letter_is_refused() {
    let source = "#set document(title: \"T\", date: datetime.today())\n= T\n=== Saute un niveau";
    let template = Template::embedded("skips", source, samples::receipt);
    let error = render(&template, &json!({}), DAY).unwrap_err();
    assert!(matches!(error, LetterError::NotConforming { .. }), "{error}");
}

#[test]
fn any_character_can_be_typed() {
    let mut data = RECEIPT.sample();
    data["sections"] = json!([{ "title": "Écritures 🎉", "entries": [
        { "label": "Emoji", "value": "avant 🎉👩‍👩‍👧 après" },
        { "label": "Arabe", "value": "محمد بن علي، لا إله، الله" },
        { "label": "Hébreu", "value": "שָׁלוֹם" },
        { "label": "Chinois", "value": "王小明" },
        { "label": "Hindi, thaï", "value": "क्षत्रिय กรุงเทพ" },
        { "label": "Cyrillique, grec, arménien, géorgien", "value": "Ольга Ωμέγα Հայ ქართ" },
        { "label": "Vietnamien, turc, polonais", "value": "Nguyễn Thị Ánh, Işık, Łódź" },
        { "label": "Décomposé", "value": "Noe\u{308}mie franc\u{327}aise e\u{301}te\u{301}" },
        { "label": "Commandes", "value": "a\u{0}b\u{7}c\u{202e}d\u{feff}e\u{fffe}f\u{e000}g\u{10ffff}h\u{200d}i\u{ad}j\tk\r\nl\u{2028}m" },
        { "label": "Espaces", "value": "a\u{a0}b\u{202f}c\u{2009}d\u{3000}e" },
        { "label": "Signes", "value": "€ № ½ … — « » “ ” ’ • → ☎ ✓ ∀ 🅰 ﬁ ﷽ Ǆ ͏ ̀" },
        { "label": "", "value": "" },
        { "label": "\n", "value": [] },
        { "label": "Long", "value": "Ж".repeat(2000) },
    ]}]);
    let text = text(&letter(&RECEIPT, &data));
    for word in [
        "avant □",
        "Ольга Ωμέγα",
        "Nguyễn Thị Ánh, Işık, Łódź",
        "Noe\u{308}mie franc\u{327}aise e\u{301}te\u{301}",
        "abcde□fg□hij k\nl\nm",
    ] {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
    assert_eq!(text.matches('Ж').count(), 2000, "a long word is broken, not cut");
}

#[test]
fn every_character_of_the_first_planes_prints_or_is_replaced() {
    let all = (0..=0x1_ffffu32).filter_map(char::from_u32).collect::<Vec<_>>();
    let rows = all.chunks(1024).enumerate().map(|(row, characters)| {
        let spaced = characters.iter().flat_map(|one| [*one, ' ']).collect::<String>();
        json!({ "label": format!("{row}"), "value": spaced })
    });
    let mut data = RECEIPT.sample();
    data["sections"] = json!([{ "title": "Tout", "entries": rows.collect::<Vec<_>>() }]);
    letter(&RECEIPT, &data);
}

/// Words of letters of one block of 128 characters each; some defeat the layout.
fn odd_words() -> Vec<String> {
    let mut seed = 7u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    // Blocks of 128 characters, so that the letters of a word belong together.
    let mut word = |_| {
        let block = next(0x3000 / 128) * 128;
        let letter = |_| u32::try_from(block + next(128)).ok().and_then(char::from_u32);
        (0..8).filter_map(letter).collect::<String>()
    };
    (0..4000).map(&mut word).collect()
}

#[test]
fn words_of_any_letters_print() {
    let words = odd_words();
    let mut data = RECEIPT.sample();
    let rows = words.chunks(40).map(|row| json!({ "label": row[0], "value": row.join(" ") }));
    data["sections"] = json!([{ "title": words[0], "entries": rows.collect::<Vec<_>>() }]);
    let defeated = attempt(&RECEIPT, &printable::value(&data, Keep::Drawable), DAY);
    assert!(matches!(defeated, Err(LetterError::NotConforming { .. })), "else test something harder");
    let text = text(&letter(&RECEIPT, &data));
    assert!(text.contains("Noémie Lefèvre-Gaüzère") && text.contains("livret-été.pdf"));
}

#[test]
fn a_letter_that_defeats_the_layout_spoils_no_other() {
    let mut data = LETTER.sample();
    let mut odd = data["letters"][0].clone();
    odd["body"] = json!([{"kind": "paragraph", "spans": [{"text": odd_words().join(" "), "bold": false}]}]);
    data["letters"][0]["subject"] = json!("გიორგი");
    data["letters"].as_array_mut().unwrap().push(odd);
    let defeated = attempt(&LETTER, &printable::value(&data, Keep::Drawable), DAY);
    assert!(matches!(defeated, Err(LetterError::NotConforming { .. })), "else test something harder");
    assert!(text(&letter(&LETTER, &data)).contains("გიორგი"));
}

#[test]
fn the_same_letter_has_the_same_bytes() {
    let data = LETTER.sample();
    assert_eq!(letter(&LETTER, &data), letter(&LETTER, &data));
}

#[test]
fn missing_data_is_an_error_that_names_it() {
    let mut data = RECEIPT.sample();
    data.as_object_mut().unwrap().remove("reference");
    let error = render(&RECEIPT, &data, DAY).unwrap_err().to_string();
    assert!(error.contains("reference"), "{error}");
}

#[test]
fn a_batch_is_one_file_where_each_letter_has_its_own_sheets_and_pages() {
    let mut data = LETTER.sample();
    let mut other = data["letters"][0].clone();
    other["reference"] = json!("SEL-2026-004218");
    // To whom it may concern, and by nobody in particular.
    for key in ["recipient", "author", "ground", "facts", "appeal"] {
        other.as_object_mut().unwrap().remove(key);
    }
    let body = data["letters"][0]["body"].as_array().unwrap().clone();
    data["letters"][0]["body"] = body.iter().cycle().take(4 * body.len()).cloned().collect();
    data["letters"].as_array_mut().unwrap().insert(0, other);
    let pdf = letter(&LETTER, &data);
    let info = poppler("pdfinfo", &["-"], &pdf);
    assert_eq!((fact(&info, "Tagged").as_str(), fact(&info, "Pages").as_str()), ("yes", "4"));
    let pages: Vec<String> = text(&pdf).split('\u{c}').map(str::to_owned).collect();
    let has = |page: usize, words: &[&str]| {
        for word in words {
            assert!(pages[page].contains(word), "page {page} lacks {word:?}:\n{}", pages[page]);
        }
    };
    has(0, &["SEL-2026-004218", "Page 1 / 1"]);
    assert!(!pages[0].contains("12 bis, rue"), "{}", pages[0]);
    has(2, &["SEL-2026-004217", "Page 1 / 2", "12 bis, rue"]);
    has(3, &["SEL-2026-004217", "Page 2 / 2", "recours gracieux"]);
}

#[test]
fn codes_come_one_page_each() {
    let pdf = letter(&CODE, &CODE.sample());
    let info = poppler("pdfinfo", &["-"], &pdf);
    assert_eq!((fact(&info, "Tagged").as_str(), fact(&info, "Pages").as_str()), ("yes", "2"));
    // An address may be cut at the end of a line.
    let text = text(&pdf).replace('\n', "");
    for word in ["7F3K 29AC DEHM", "9QRT 42NP XYZ2", "12 bis, rue de l’Œuvre", "Aïcha Benoît", "/compte/identite"]
    {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
}

#[test]
fn a_list_of_what_is_eliminated_is_tagged_however_long() {
    let mut data = DISPOSAL.sample();
    let all: Vec<String> = (0..2_000).map(|number| format!("SEL-{number:04}-29")).collect();
    data["parts"][0]["references"] = json!(all);
    let pdf = letter(&DISPOSAL, &data);
    assert_eq!(fact(&poppler("pdfinfo", &["-"], &pdf), "Tagged"), "yes");
    let text = text(&pdf);
    for word in [
        "Bordereau d’élimination BE-0007",
        "Demander un acte de naissance",
        "SEL-0000-29",
        "SEL-1999-29",
        "recours en cours",
        "Visa",
    ] {
        assert!(text.contains(word), "{word}");
    }
    data["visa"] = json!([{ "label": "Signé par", "value": "La directrice des Archives départementales" }]);
    assert!(self::text(&letter(&DISPOSAL, &data)).contains("La directrice"));
}

/// A PDF of one page of this size, with a text of Latin letters.
fn sheet(text: &str, width: u16, height: u16) -> Vec<u8> {
    let drawn = format!("BT /F 12 Tf 20 40 Td ({text}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 {width} {height}]>>"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>".to_owned(),
        format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()),
    ];
    let (mut file, mut places) = ("%PDF-2.0\n".to_owned(), Vec::new());
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj{object}endobj\n", index + 1);
    }
    let start = file.len();
    file += "xref\n0 6\n0000000000 65535 f \n";
    places.iter().for_each(|place| file += &format!("{place:010} 00000 n \n"));
    file += &format!("trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

#[test]
fn a_file_is_bound_with_what_came_with_it() {
    let mut data = REQUEST.sample();
    let entries = json!([{ "label": "Nom du fichier", "value": "livret.pdf" }]);
    data["files"] = json!([
        { "title": "2. Livret de famille", "entries": entries, "pages": 1 },
        { "title": "3. Plan", "entries": entries, "pages": 1 }
    ]);
    let files = || vec![sheet("Vu au guichet", 595, 842), sheet("Parcelle", 1000, 300)];
    let pdf = bind(&REQUEST, &data, DAY, files()).unwrap();
    let info = poppler("pdfinfo", &["-l", "9", "-"], &pdf);
    assert_eq!((fact(&info, "Pages").as_str(), fact(&info, "Tagged").as_str()), ("6", "yes"));
    assert!(fact(&info, "Page    6 size").starts_with("1000 x 300"), "as large as it is: {info}");
    let pages: Vec<String> = text(&pdf).split('\u{c}').map(str::to_owned).collect();
    assert!(
        pages[2].contains("2. Livret de famille")
            && pages[3].contains("Vu au guichet")
            && pages[5].contains("Parcelle")
    );
    // The contents say where, counting every page.
    let contents = pages[0].replace(['.', '\n', ' ', '\u{2060}'], "");
    assert!(contents.contains("Livretdefamille3") && contents.contains("Plan5"), "{contents}");
    let structure = poppler("pdfinfo", &["-struct", "-"], &pdf);
    assert!(structure.contains("Figure") && structure.contains("H2"), "{structure}");
    assert_eq!(found(&pdf, "error"), [""; 0]);
    // It vouches for nothing.
    let meta = poppler("pdfinfo", &["-meta", "-"], &pdf);
    assert!(!meta.contains("pdfaid:part") && !meta.contains("pdfuaid:part"), "{meta}");
    // A page that is not there is an error, not a file that lacks one.
    data["files"][0]["pages"] = json!(2);
    assert!(bind(&REQUEST, &data, DAY, files()).is_err());
}
