//! The language, by example and by property.

mod language;
mod mistakes;
mod properties;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::{Env, Expr, ExprError, Scope, Type, Value};

const TODAY: Date = date(2026, 11, 21);

fn options(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn named(name: &str, kind: Type) -> (String, Type) {
    (name.to_owned(), kind)
}

fn scope() -> Scope {
    let enfant = vec![
        named("nom", Type::Text),
        named("naissance", Type::Date),
        named("cantine", Type::Bool),
        named("prix", Type::Number),
    ];
    let personne = vec![named("prenoms", Type::Text), named("date_naissance", Type::Date)];
    let names = [
        named("format", Type::Choice(options(&["copie", "filiation", "simple"]))),
        named("jours", Type::Choices(options(&["lundi", "mardi"]))),
        named("marie", Type::Bool),
        named("majeur", Type::Bool),
        named("exemplaires", Type::Number),
        named("nom", Type::Text),
        named("debut", Type::Date),
        named("fin", Type::Date),
        named("demandeur", Type::Parts(personne)),
        named("enfants", Type::Rows(enfant)),
        named("photo", Type::Opaque),
    ];
    Scope { names: names.into_iter().collect() }
}

fn parse(source: &str) -> Expr {
    Expr::parse(source, &scope(), None).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

fn errors(source: &str) -> Vec<ExprError> {
    Expr::parse(source, &scope(), Some(&Type::Bool)).err().unwrap_or_default()
}

type Known = BTreeMap<String, Value>;

fn known(answers: &[(&str, Value)]) -> Known {
    answers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn eval(source: &str, names: &Known) -> Option<Value> {
    parse(source).eval(&Env { today: TODAY, names, row: None })
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}
