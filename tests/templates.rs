//! Every page and every mail is drawn from its sample: a template that asks for what its page does not
//! give fails here, not in front of somebody.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use guichet::platform::page::Templates;
use minijinja::{Value, value::Serde};
use serde_json::{Map, Value as Json, json};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/samples")
}

fn read(path: &Path) -> Map<String, Json> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Samples of a page: (variant, what it is given), the frame of every page included.
fn of(page: &str) -> Vec<(String, BTreeMap<String, Value>)> {
    let (folder, name) = page.trim_end_matches(".html").rsplit_once('/').unwrap();
    let shared = read(&samples().join("_shared.json"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(samples().join(folder)).into_iter().flatten() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(variant) =
            file.strip_suffix(".json").filter(|file| *file == name || file.starts_with(&format!("{name}.")))
        else {
            continue;
        };
        let mut context = shared.clone();
        context.extend(read(&path));
        if let Some(page) = context.get_mut("page").and_then(Json::as_object_mut) {
            page.entry("url").or_insert(json!("/"));
        }
        let values = context.into_iter().map(|(key, value)| {
            // The only value that comes as HTML.
            let safe =
                value.as_str().filter(|_| key == "fields_html").map(|text| Value::from_safe_string(text.to_owned()));
            (key, safe.unwrap_or_else(|| Value::from(Serde(value))))
        });
        found.push((variant.to_owned(), values.collect()));
    }
    found
}

/// Frames and parts, which no page is.
fn part(name: &str) -> bool {
    name.starts_with("fields/")
        || name.starts_with("frame/")
        || name.contains("/_")
        || name.ends_with("layout.html")
        || name.starts_with("macros")
}

#[test]
fn every_page_is_drawn_from_its_samples() {
    let templates = Templates::new(PathBuf::new());
    let mut wrong = Vec::new();
    let mut drawn = 0;
    for name in Templates::names().filter(|name| name.ends_with(".html") && !part(name)) {
        let samples = of(&name);
        if samples.is_empty() {
            wrong.push(format!("{name}: no sample"));
        }
        for (variant, context) in samples {
            match templates.render(&name, Value::from(context)) {
                Ok(html) if html.contains("<h1") && html.trim_end().ends_with("</html>") => drawn += 1,
                Ok(html) => wrong.push(format!("{variant}: not a whole page: {html}")),
                Err(error) => wrong.push(format!("{name} with {variant}: {error:#}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(drawn > 40, "{drawn}");
}

#[test]
fn every_sample_has_its_page() {
    let pages: Vec<String> = Templates::names().collect();
    for folder in std::fs::read_dir(samples()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let page = format!(
                "{}/{}.html",
                folder.file_name().unwrap().display(),
                file.file_name().unwrap().to_str().unwrap().split('.').next().unwrap()
            );
            assert!(pages.contains(&page), "{} is a sample of no page", file.display());
        }
    }
}

#[test]
fn every_mail_is_drawn() {
    let templates = Templates::new(PathBuf::new());
    let city = json!({"name": "Ville de Valmont", "phone": "04 65 71 10 00", "email": "mairie@valmont.example"});
    let mut count = 0;
    for name in Templates::names().filter(|name| name.starts_with("mails/") && name != "mails/frame.txt") {
        for procedure in [json!("Demander un acte de naissance"), Json::Null] {
            let context = json!({
                "city": city, "reference": "VAL-7F3K-29", "procedure": procedure, "submitted": "17 novembre 2026 à 10 h 00",
                "inviter": "Camille Martin", "email": "dominique@exemple.fr", "link": "http://ville.test/suivre", "link_label": "Suivre ma demande",
                "code": "7F3K2-9ACDE", "silence": "Sans réponse au plus tard le 17 janvier 2027, votre demande sera réputée acceptée.", "accounts": [{"login": "camille.moreau.2734", "href": "http://ville.test/mot-de-passe/x"}],
                "outside": true, "until": "2 décembre 2026", "who": "Camille Martin", "what": "Judo-club de Valmont", "circuit": "Projet d’arrêté", "step": "Direction de la voirie", "state": "declined",
                "subject": "Une décision vous attend", "text": "Bonjour,\n\nUne décision vous attend.",
                "about": {
                    "date": "30 novembre 2026", "name": "Nadia Benali", "count": 12, "red": 3, "orange": 2, "many": 4, "rest": 1,
                    "lines": ["VAL-7F3K-29 : en retard de 3 jours (à vous)"], "from": "1er octobre 2026", "to": "31 octobre 2026",
                    "figures": [{"label": "Demandes reçues", "now": "34", "before": "28"}],
                },
            });
            let text = templates
                .render(&name, Value::from(Serde(context)))
                .unwrap_or_else(|error| panic!("{name}: {error:#}"));
            count += 1;
            if name.ends_with(".subject.txt") {
                assert!(
                    !text.trim().is_empty() && !text.trim().contains('\n') && text.chars().count() < 90,
                    "{name}: {text:?}"
                );
                assert!(!text.contains("acte de naissance"), "{name}: a subject is read over shoulders: {text}");
            } else {
                let pair = name.replace(".txt", ".subject.txt");
                assert!(Templates::names().any(|other| other == pair), "{name} has no subject");
                assert!(
                    text.contains("Bonjour")
                        && text.contains("http://ville.test/suivre")
                        && text.contains("04 65 71 10 00"),
                    "{name}: {text}"
                );
                assert!(text.lines().all(|line| line.len() < 900), "{name}: a line too long for mail");
            }
        }
    }
    assert!(count >= 30, "{count}");
}

/// Everything that a workflow of the catalogue may send has its mail.
#[test]
fn every_message_of_a_workflow_has_its_mail() {
    let sources = guichet::catalogue::shipped().unwrap();
    let names: Vec<String> = Templates::names().collect();
    for (file, text) in &sources.procedures {
        let procedure = forms::load::procedure(file, text, &sources.shared).unwrap();
        for transition in &procedure.workflow.transitions {
            for action in &transition.does {
                if let forms::workflow::Action::Notify(message) = action {
                    assert!(
                        names.contains(&format!("mails/{message}.txt")),
                        "{file}: {}: no mail « {message} »",
                        transition.id
                    );
                }
            }
        }
    }
}
