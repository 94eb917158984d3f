//! Every kind's template, rendered as the application does, and what accessibility asks of it.

use minijinja::{Environment, UndefinedBehavior, path_loader, value::Serde};
use serde_json::json;

use super::*;

fn render(field: &Field, raw: &Raw, errors: &[Problem], more: &Json) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_loader(path_loader(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates")));
    environment.add_filter("tied", crate::kinds::french::tied);
    let mut f = field.kind.view(field, Input { raw, name: NAME });
    let common = json!({
        "kind": field.kind.name(), "name": NAME, "id": NAME.replace('.', "-"), "ask": field.ask, "help": field.help,
        "optional": field.optional, "certified": null, "errors": errors, "error": errors.first().map(|it| &it.message),
    });
    for keys in [&common, more] {
        f.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    }
    let name = format!("fields/{}.html", field.kind.name());
    let page = environment.get_template(&name).unwrap().render(Serde(json!({"f": f})));
    page.unwrap_or_else(|error| panic!("{name}: {error:#}"))
}

/// Values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).map(|it| it.split('"').next().unwrap()).collect()
}

/// What must hold of any rendering.
fn sound(field: &Field, raw: &Raw, html: &str) {
    let name = field.kind.name();
    let ids = values(html, "id");
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{name}: an id twice\n{html}");
    let pointing = ["aria-describedby", "for", "data-postcode-id", "data-city-id", "data-ban-id", "data-insee-id"];
    for pointed in pointing.iter().flat_map(|it| values(html, it)).flat_map(str::split_whitespace) {
        assert!(ids.contains(&pointed), "{name}: nothing has the id {pointed}\n{html}");
    }
    let view = field.kind.view(field, Input { raw, name: NAME });
    let anchor = view["anchor"].as_str().unwrap();
    // A value that cannot be computed yet shows nothing, so nothing points at it.
    assert!(html.trim().is_empty() || ids.contains(&anchor), "{name}: no anchor {anchor}\n{html}");
    assert!(!html.contains("role=\"group\"") && !html.contains(" required"), "{name}\n{html}");
    assert!(!html.contains("none<") && !html.contains(">none"), "{name}\n{html}");
    let labelled =
        html.matches("<input").count() - html.matches("type=\"hidden\"").count() + html.matches("<textarea").count();
    assert_eq!(values(html, "for").len(), labelled, "{name}: one label for each input\n{html}");
}

#[test]
fn untouched() {
    for kind in all() {
        let mut field = field_of(kind);
        let html = render(&field, &Raw::default(), &[], &json!({}));
        sound(&field, &Raw::default(), &html);
        assert!(!html.contains("aria-invalid") && !html.contains("Erreur"), "{html}");
        let asks = !field.kind.silent() && !matches!(field.kind.name(), "choices" | "group");
        assert_eq!(html.contains("aria-required=\"true\""), asks, "{html}");

        field.optional = true;
        field.help = Some("Un conseil <b>".to_owned());
        let html = render(&field, &Raw::default(), &[], &json!({}));
        sound(&field, &Raw::default(), &html);
        assert!(
            field.kind.silent() || html.contains("Le champ (facultatif)") || html.contains("</span> (facultatif)"),
            "{html}"
        );
        assert!(!html.contains("aria-required"), "{html}");
        assert!(
            html.trim().is_empty() || field.kind.name() == "explanation" || html.contains("Un conseil &lt;b&gt;"),
            "{html}"
        );
    }
}

#[test]
fn filled_in() {
    for kind in all() {
        let field = field_of(kind.clone());
        let mut raw = Raw::default();
        kind.sample(NAME, today(), &mut raw);
        let html = render(&field, &raw, &[], &json!({}));
        sound(&field, &raw, &html);
        let shown = raw.0.values().flatten().filter(|_| kind.group().is_none() && kind.files().is_none());
        for value in shown {
            assert!(html.contains(&value.replace('\'', "&#x27;")), "{}: {value}\n{html}", kind.name());
        }
    }
}

#[test]
fn in_error() {
    for kind in all().into_iter().filter(|it| !it.silent()) {
        let field = field_of(kind.clone());
        let whole = Problem::new("Un problème avec « Le champ »");
        let html = render(&field, &Raw::default(), std::slice::from_ref(&whole), &json!({}));
        sound(&field, &Raw::default(), &html);
        assert!(html.contains("Un problème avec") && html.contains("Erreur\u{a0}:"), "{html}");
        assert!(html.contains("aria-invalid=\"true\"") || kind.group().is_some(), "{html}");
    }
}

/// Whatever part a kind complains of, its message is on the page and an input bears its id.
#[test]
fn every_complaint_has_its_place() {
    let parts = ["", "jour", "mois", "annee", "nom_naissance", "nom_usage", "prenoms", "lieu", "departement", "pays"];
    let more = ["numero_voie", "complement", "lieu_dit", "code_postal", "commune"];
    let typed: Vec<(&str, &str)> = parts.into_iter().chain(more).map(|part| (part, "\u{1}?")).collect();
    for kind in all() {
        let field = field_of(kind.clone());
        let raw = raw(&typed);
        let Err(problems) = parse_raw(&field, &raw) else { continue };
        let html = render(&field, &raw, &problems, &json!({}));
        sound(&field, &raw, &html);
        for problem in problems {
            let said = problem.message.replace('\'', "&#x27;");
            assert!(html.contains(&said), "{}: {said}\n{html}", kind.name());
            if let Some(part) = problem.part {
                let id = format!("{}-{part}", NAME.replace('.', "-"));
                assert!(values(&html, "id").contains(&id.as_str()), "{}: {id}\n{html}", kind.name());
            }
        }
    }
}

#[test]
fn files_rows_and_computed_values_come_from_the_application() {
    let uploads = json!({"uploads": [{"id": "f1", "name": "a<b.pdf", "size": "1,2 Mo", "remove_name": "retirer"}]});
    let photos = field(Files { max: 2, images: true });
    let html = render(&photos, &Raw::default(), &[], &uploads);
    assert!(html.contains("a&lt;b.pdf") && html.contains("name=\"retirer\" value=\"f1\""), "{html}");
    assert!(html.contains("name=\"rangs.0.champ.fichier\""), "{html}");
    let full = field(Files::default());
    let html = render(&full, &Raw::default(), &[], &uploads);
    sound(&full, &Raw::default(), &html);
    assert!(!html.contains("type=\"file\""), "{html}");

    let group = field(children());
    let row = |index: u32| json!({"index": index, "title": format!("Enfant {}", index + 1), "fields_html": "<p>champs</p>", "remove_name": "x"});
    let html = render(&group, &Raw::default(), &[], &json!({"rows": [row(0), row(1)]}));
    assert!(html.contains("<p>champs</p>") && html.contains("Enfant 3"), "{html}");
    assert!(html.contains("name=\"retirer-rang\" value=\"rangs.0.champ.1\""), "{html}");
    let html = render(&group, &Raw::default(), &[], &json!({"rows": [row(0)]}));
    assert!(!html.contains("retirer-rang"), "the last row stays: {html}");
    let html = render(&group, &Raw::default(), &[], &json!({"rows": (0..5).map(row).collect::<Vec<_>>()}));
    assert!(!html.contains("name=\"ajouter\""), "no more than five: {html}");

    let html = render(&field(Computed::default()), &Raw::default(), &[], &json!({"answer": ["12,50 €"]}));
    assert!(html.contains("12,50 €"), "{html}");
}

#[test]
fn a_misspelt_address_can_be_confirmed() {
    let mail = field(Email);
    let html = render(&mail, &raw(&[("", "a@gmial.com")]), &[], &json!({}));
    assert!(html.contains("name=\"rangs.0.champ.sure\" type=\"checkbox\" value=\"a@gmial.com\">"), "{html}");
}
