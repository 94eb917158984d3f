//! Kinds with no more than the journey needs.

use rust_decimal::Decimal;
use serde_json::json;

use super::row_fields;
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Expr, Type, Value},
    kinds::{Group, Kind, Today},
    model::Field,
};

type Parsed = Result<Option<Json>, Vec<Problem>>;

fn text(answer: &Json) -> String {
    answer.as_str().unwrap_or_default().to_owned()
}

/// What the kinds below have in common.
macro_rules! common {
    ($name:literal) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
            raw.set(name, text(answer));
        }

        fn display(&self, answer: &Json) -> Vec<String> {
            vec![text(answer)]
        }

        fn view(&self, _field: &Field, _input: Input<'_>) -> Json {
            json!({})
        }
    };
}

#[derive(Debug)]
pub enum Plain {
    Text,
    Number,
}

impl Kind for Plain {
    common!("plain");

    fn parse(&self, _field: &Field, input: Input<'_>, _today: Today) -> Parsed {
        match (self, input.text()) {
            (_, "") => Ok(None),
            (Self::Number, typed) if typed.parse::<Decimal>().is_err() => {
                Err(vec![Problem::new("Ce n'est pas un nombre")])
            }
            (_, typed) => Ok(Some(json!(typed))),
        }
    }

    fn expr_type(&self) -> Type {
        match self {
            Self::Text => Type::Text,
            Self::Number => Type::Number,
        }
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        match self {
            Self::Text => Some(Value::Text(text(answer))),
            Self::Number => text(answer).parse().ok().map(Value::Number),
        }
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "7");
    }
}

#[derive(Debug)]
pub struct Pick(pub &'static [&'static str]);

impl Kind for Pick {
    common!("pick");

    fn parse(&self, _field: &Field, input: Input<'_>, _today: Today) -> Parsed {
        match input.text() {
            "" => Ok(None),
            typed if self.0.contains(&typed) => Ok(Some(json!(typed))),
            _ => Err(vec![Problem::new("Choix inconnu")]),
        }
    }

    fn expr_type(&self) -> Type {
        Type::Choice(self.0.iter().map(|option| (*option).to_owned()).collect())
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        Some(Value::Text(text(answer)))
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, self.0[0]);
    }
}

#[derive(Debug)]
pub struct Note;

impl Kind for Note {
    common!("note");

    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Parsed {
        panic!("nothing to parse")
    }

    fn expr_type(&self) -> Type {
        Type::Opaque
    }

    fn expr_value(&self, _answer: &Json) -> Option<Value> {
        None
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {}

    fn silent(&self) -> bool {
        true
    }
}

#[derive(Debug)]
pub struct Calc(pub Expr);

impl Kind for Calc {
    common!("calc");

    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Parsed {
        panic!("nothing to parse")
    }

    fn expr_type(&self) -> Type {
        self.0.type_of().clone()
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        text(answer).parse().ok().map(Value::Number)
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {}

    fn silent(&self) -> bool {
        true
    }

    fn computed(&self) -> Option<&Expr> {
        Some(&self.0)
    }
}

#[derive(Debug)]
pub struct Files;

impl Kind for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn parse(&self, _field: &Field, input: Input<'_>, _today: Today) -> Parsed {
        let ids: Vec<&str> = input.all().collect();
        Ok((!ids.is_empty()).then(|| json!(ids)))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.0.insert(name.to_owned(), answer.as_array().unwrap().iter().map(text).collect());
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_array().unwrap().iter().map(text).collect()
    }

    fn view(&self, _field: &Field, _input: Input<'_>) -> Json {
        json!({})
    }

    fn expr_type(&self) -> Type {
        Type::Opaque
    }

    fn expr_value(&self, _answer: &Json) -> Option<Value> {
        Some(Value::Opaque)
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {}

    fn files(&self) -> Option<u32> {
        Some(2)
    }
}

#[derive(Debug)]
pub struct Repeat(pub Group);

impl Kind for Repeat {
    common!("repeat");

    fn parse(&self, _field: &Field, _input: Input<'_>, _today: Today) -> Parsed {
        panic!("rows are read one by one")
    }

    fn expr_type(&self) -> Type {
        Type::Rows(row_fields())
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        let row = |row: &Json| {
            let fields = self.0.fields.iter();
            fields.filter_map(|field| Some((field.id.clone(), field.kind.expr_value(row.get(&field.id)?)?))).collect()
        };
        Some(Value::Rows(answer.as_array()?.iter().map(row).collect()))
    }

    fn sample(&self, _name: &str, _today: Today, _raw: &mut Raw) {
        panic!("rows are filled one by one")
    }

    fn group(&self) -> Option<&Group> {
        Some(&self.0)
    }
}
