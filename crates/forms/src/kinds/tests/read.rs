//! The options of a procedure file, as kinds read them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::{
    expr::{Expr, Scope, Type},
    kinds::{KINDS, Options, by_name, options::DayUnit},
};

/// Options given as JSON, and what was said of them.
#[derive(Default)]
struct Given {
    values: BTreeMap<String, Json>,
    asked: Vec<String>,
    said: Vec<String>,
}

impl Given {
    fn get(&mut self, key: &str) -> Option<Json> {
        self.asked.push(key.to_owned());
        self.values.get(key).cloned()
    }
}

impl Options for Given {
    fn text(&mut self, key: &str) -> Option<String> {
        self.get(key)?.as_str().map(str::to_owned)
    }
    fn integer(&mut self, key: &str) -> Option<i64> {
        self.get(key)?.as_i64()
    }
    fn decimal(&mut self, key: &str) -> Option<Decimal> {
        self.get(key)?.to_string().parse().ok()
    }
    fn flag(&mut self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }
    fn pairs(&mut self, key: &str) -> Option<Vec<(String, String)>> {
        serde_json::from_value(self.get(key)?).ok()
    }
    fn fields(&mut self, key: &str) -> Option<Vec<Field>> {
        self.get(key).map(|_| vec![field(Text::default())])
    }
    fn rows(&mut self, key: &str) -> Option<(u32, u32, String)> {
        serde_json::from_value(self.get(key)?).ok()
    }
    fn expr(&mut self, key: &str, wanted: Option<&Type>) -> Option<Expr> {
        Expr::parse(self.get(key)?.as_str()?, &Scope::default(), wanted).ok()
    }
    fn day(&mut self, key: &str) -> Option<DayBound> {
        self.get(key)?.as_str()?.parse().ok()
    }
    fn wrong(&mut self, key: &str, message: &str) {
        assert!(message.ends_with('.') && !message.contains(".."), "{message}");
        self.said.push(format!("{key}: {message}"));
    }
    fn required(&mut self, key: &str) {
        self.said.push(format!("{key} is required"));
    }
}

fn read(name: &str, options: Json) -> (Arc<dyn Kind>, Vec<String>) {
    let (_, _, read) = by_name(name).expect(name);
    let Json::Object(values) = options else { panic!("an object") };
    let mut given = Given { values: values.into_iter().collect(), ..Given::default() };
    let kind = read(&mut given);
    (kind, given.said)
}

#[test]
fn every_kind_is_listed_once_and_reads_its_own_keys() {
    assert_eq!(KINDS.len(), 18);
    for (name, keys, read) in KINDS {
        assert_eq!(KINDS.iter().filter(|(other, _, _)| other == name).count(), 1);
        // Mandatory keys have a value, so that reading goes to its end.
        let values = json!({
            "options": [["a", "A"], ["b", "B"]], "fields": [], "rows": [1, 2, "Enfant"], "text": "Bonjour.", "value": "1",
        });
        let Json::Object(values) = values else { panic!("an object") };
        let mut given = Given { values: values.into_iter().collect(), ..Given::default() };
        let kind = read(&mut given);
        assert_eq!(kind.name(), *name);
        assert_eq!(given.said, Vec::<String>::new(), "{name}");
        given.asked.sort();
        let mut keys: Vec<&str> = keys.to_vec();
        keys.sort_unstable();
        assert_eq!(given.asked, keys, "{name}");
    }
    assert!(by_name("couleur").is_none());
    assert!(by_name("explanation").is_some());
}

#[test]
fn options_change_kinds() {
    let (number, said) = read("number", json!({"min": 1, "max": 5, "unit": "enfants"}));
    assert_eq!(said, Vec::<String>::new());
    bad(&field_of(number), "9", "de 1 à 5");
    let (amount, _) = read("amount", json!({"max": 12.5}));
    bad(&field_of(amount), "12,51", "12,50");
    let (date, _) = read("date", json!({"partial": true, "max": "today"}));
    good(&field_of(date), "1950", "1950");
    let (text, _) = read("text", json!({"pattern": "AA99"}));
    good(&field_of(text), "ab 12", "AB12");
    let (file, _) = read("file", json!({"max": 4}));
    assert_eq!(file.files(), Some(4));
    let (group, _) = read("group", json!({"fields": [], "rows": [0, 3, "Enfant"]}));
    assert_eq!(group.group().map(|it| (it.min, it.max)), Some((0, 3)));
    let (computed, _) = read("computed", json!({"value": "1 + 2", "format": "amount"}));
    assert_eq!(computed.computed().map(Expr::source), Some("1 + 2"));
    assert_eq!(computed.expr_type(), Type::Number);
    let (explanation, _) = read("explanation", json!({"text": "Une\nphrase.\n\n\nDeux."}));
    assert_eq!(explanation.display(&Json::Null), ["Une phrase.", "Deux."]);
    assert!(!explanation.needs_ask() && explanation.silent());
}

#[test]
fn wrong_options_are_told() {
    for (name, options, key) in [
        ("text", json!({"max": 0}), "max"),
        ("text", json!({"pattern": "??"}), "pattern"),
        ("text", json!({"pattern": "99", "example": "AB"}), "example"),
        ("long-text", json!({"rows": 1}), "rows"),
        ("number", json!({"min": 5, "max": 1}), "max"),
        ("number", json!({"decimals": 9}), "decimals"),
        ("amount", json!({"min": 0.005}), "min"),
        ("date", json!({"min": "2026-01-02", "max": "2026-01-01"}), "max"),
        ("choice", json!({}), "options"),
        ("choice", json!({"options": [["a", "A"]]}), "options"),
        ("choice", json!({"options": [["a", "A"], ["b", " "]]}), "options"),
        ("choices", json!({"options": [["a", "A"]], "max": 2}), "max"),
        ("choices", json!({"options": [["a", "A"], ["b", "B"]], "min": 2, "max": 1}), "max"),
        ("file", json!({"max": 0}), "max"),
        ("group", json!({"fields": [], "rows": [0, 0, "Enfant"]}), "rows"),
        ("group", json!({"rows": [0, 1, "Enfant"]}), "fields"),
        ("explanation", json!({"text": " \n "}), "text"),
        ("computed", json!({"value": "1", "format": "couleur"}), "format"),
        ("computed", json!({}), "value"),
    ] {
        let (_, said) = read(name, options.clone());
        assert_eq!(said.len(), 1, "{name} {options}: {said:?}");
        assert!(said[0].starts_with(key), "{name} {options}: {said:?}");
    }
}

#[test]
fn day_bounds() {
    let day = |text: &str| text.parse::<DayBound>();
    assert_eq!(day("2026-09-01"), Ok(DayBound::On(jiff::civil::date(2026, 9, 1))));
    assert_eq!(day("today-18 years"), Ok(DayBound::FromToday(-18, DayUnit::Years)));
    assert_eq!(day(" today  + 1 month "), Ok(DayBound::FromToday(1, DayUnit::Months)));
    for wrong in [
        "",
        "demain",
        "today + x days",
        "today 3 days",
        "2026-02-30",
        "2026-9-1",
        "today + 99999 days",
        "today + 3 ages",
    ] {
        assert!(day(wrong).is_err(), "{wrong}");
    }
    for text in ["2026-09-01", "today", "today - 18 years", "today + 3 months", "today + 2 weeks", "today - 1 days"] {
        assert_eq!(day(text).unwrap().to_string(), text);
    }
    let leap = Today(jiff::civil::date(2024, 2, 29));
    assert_eq!(day("today - 18 years").unwrap().resolve(leap), jiff::civil::date(2006, 2, 28));
    assert_eq!(day("today + 9999 years").unwrap().resolve(leap), jiff::civil::Date::MAX);
}
