//! The kinds as a whole: what they accept and refuse, how they show it, and laws for all of them.

mod certify;
mod laws;
mod people;
mod read;
mod shown;
mod templates;
mod typed;

use std::sync::Arc;

use super::{
    DayBound, Group, Kind, Today, address::Address, amount::Amount, choice::Choice, choices::Choices,
    computed::Computed, date::DateKind, email::Email, explanation::Explanation, file::Files, group::Repeated,
    iban::Iban, identity::Identity, long_text::LongText, number::Number, phone::Phone, siret::Siret, text::Text,
    yes_no::YesNo,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

/// Under this HTML name fields are tried: a row's, so that dots are met.
const NAME: &str = "rangs.0.champ";

fn today() -> Today {
    Today(jiff::civil::date(2026, 11, 21))
}

fn field_of(kind: Arc<dyn Kind>) -> Field {
    Field {
        id: "champ".to_owned(),
        ask: "Le champ".to_owned(),
        help: None,
        optional: false,
        show_if: None,
        sensitive: false,
        search: false,
        verified: false,
        error: None,
        was: None,
        checks: Vec::new(),
        kind,
    }
}

fn field(kind: impl Kind + 'static) -> Field {
    field_of(Arc::new(kind))
}

/// Raw input by part; the part `""` is the field itself.
fn raw(parts: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::default();
    for (part, value) in parts {
        let name = if part.is_empty() { NAME.to_owned() } else { format!("{NAME}.{part}") };
        raw.0.entry(name).or_default().push((*value).to_owned());
    }
    raw
}

fn parse_raw(field: &Field, raw: &Raw) -> Result<Option<Json>, Vec<Problem>> {
    field.kind.parse(field, Input { raw, name: NAME }, today())
}

fn parse(field: &Field, parts: &[(&str, &str)]) -> Result<Option<Json>, Vec<Problem>> {
    parse_raw(field, &raw(parts))
}

/// Parses one input and expects an answer.
fn good(field: &Field, typed: &str, answer: impl Into<Json>) {
    assert_eq!(parse(field, &[("", typed)]), Ok(Some(answer.into())), "{typed:?}");
}

/// Parses one input and expects one problem that names the field and says this.
fn bad(field: &Field, typed: &str, said: &str) {
    let problems = parse(field, &[("", typed)]).expect_err(typed);
    assert_eq!(problems.len(), 1, "{typed:?}");
    let message = &problems[0].message;
    assert!(message.contains("Le champ"), "{typed:?}: {message}");
    assert!(message.contains(said), "{typed:?}: {message}");
}

/// The parts that have problems, and what is said of all.
fn faults(field: &Field, parts: &[(&str, &str)]) -> (Vec<String>, String) {
    let problems = parse(field, parts).expect_err("a problem");
    let said = problems.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join(" | ");
    (problems.into_iter().map(|it| it.part.unwrap_or_default()).collect(), said)
}

fn pairs(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|(id, label)| ((*id).to_owned(), (*label).to_owned())).collect()
}

fn colours() -> Vec<(String, String)> {
    pairs(&[("rouge", "Rouge"), ("vert", "Vert"), ("bleu", "Bleu")])
}

fn children() -> Repeated {
    let mut name = field(Text::default());
    name.id = "nom".to_owned();
    name.ask = "Nom".to_owned();
    let mut born = field(DateKind { partial: true, ..DateKind::default() });
    born.id = "naissance".to_owned();
    born.ask = "Date de naissance".to_owned();
    let mut diet = field(Text::default());
    diet.id = "regime".to_owned();
    diet.ask = "Régime".to_owned();
    diet.sensitive = true;
    Repeated::new(Group { fields: vec![name, born, diet], min: 1, max: 5, row_title: "Enfant".to_owned() })
}

/// Every kind with plain and rich options: what the laws and the templates go through.
fn all() -> Vec<Arc<dyn Kind>> {
    let mask = |it: &str| Some(it.parse().expect("a mask"));
    vec![
        Arc::new(Text::default()),
        Arc::new(Text { pattern: mask("AA-999-AA"), example: Some("AB-123-CD".to_owned()), ..Text::default() }),
        Arc::new(LongText::default()),
        Arc::new(Number::default()),
        Arc::new(Number { min: Some((-5).into()), max: Some(5.into()), decimals: 2, unit: Some("m²".to_owned()) }),
        Arc::new(Amount::default()),
        Arc::new(DateKind::default()),
        Arc::new(DateKind {
            partial: true,
            birth: true,
            max: Some("today - 18 years".parse().expect("a day")),
            min: Some(DayBound::On(jiff::civil::date(1900, 1, 1))),
        }),
        Arc::new(Email),
        Arc::new(Phone),
        Arc::new(Address),
        Arc::new(Choice { options: colours() }),
        Arc::new(Choices { options: colours(), min: Some(2), max: Some(3) }),
        Arc::new(YesNo),
        Arc::new(Identity::default()),
        Arc::new(Identity { birth_date: true, birth_place: true, autocomplete: true, ..Identity::default() }),
        Arc::new(Iban),
        Arc::new(Siret),
        Arc::new(Files { max: 3, images: true }),
        Arc::new(children()),
        Arc::new(Explanation::new("Un paragraphe.\n\nUn autre.")),
        Arc::new(Computed::default()),
    ]
}
