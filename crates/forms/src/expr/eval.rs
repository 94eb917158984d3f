//! Tree + answers → value. `None` is unknown, and spreads except where logic decides without it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use unicode_normalization::UnicodeNormalization;

use super::{
    Env, Value,
    ast::{Arithmetic, Comparison, Each, Node, Shape, Walk},
    functions::Function,
};

pub(super) fn value(node: &Node, env: &Env<'_>) -> Option<Value> {
    Place { env, row: None }.value(node)
}

/// Where names are looked up: the rows walked through, innermost first, then the environment.
#[derive(Clone, Copy)]
struct Place<'a> {
    env: &'a Env<'a>,
    row: Option<&'a Row<'a>>,
}

struct Row<'a> {
    fields: &'a BTreeSet<String>,
    answers: &'a BTreeMap<String, Value>,
    outer: Option<&'a Row<'a>>,
}

impl<'a> Place<'a> {
    fn value(self, node: &'a Node) -> Option<Value> {
        match &node.shape {
            Shape::Bool(known) => Some(Value::Bool(*known)),
            Shape::Number(number) => Some(Value::Number(*number)),
            Shape::Text(text) => Some(Value::Text(text.clone())),
            Shape::Date(date) => Some(Value::Date(*date)),
            Shape::List(_) => None,
            Shape::Path(path) => self.path(path).cloned(),
            Shape::And(nodes) => all(nodes.iter().map(|node| self.truth(node))).map(Value::Bool),
            Shape::Or(nodes) => any(nodes.iter().map(|node| self.truth(node))).map(Value::Bool),
            Shape::Not(inner) => self.truth(inner).map(|known| Value::Bool(!known)),
            Shape::Negative(inner) => self.number(inner).map(|number| Value::Number(-number)),
            Shape::Compare { how, sides, .. } => {
                compare(*how, &self.value(&sides.0)?, &self.value(&sides.1)?).map(Value::Bool)
            }
            Shape::In(sides) => self.among(&sides.0, &sides.1).map(Value::Bool),
            Shape::Arithmetic(sign, sides) => {
                compute(*sign, self.number(&sides.0)?, self.number(&sides.1)?).map(Value::Number)
            }
            Shape::Call(function, arguments) => self.call(*function, arguments),
            Shape::Each(each, walk) => self.each(*each, walk),
        }
    }

    fn path(self, path: &[String]) -> Option<&'a Value> {
        let (first, parts) = path.split_first()?;
        let mut found = self.name(first)?;
        for part in parts {
            found = match found {
                Value::Parts(known) => known.get(part)?,
                _ => return None,
            };
        }
        Some(found)
    }

    fn name(self, name: &str) -> Option<&'a Value> {
        let mut row = self.row;
        while let Some(inner) = row {
            if inner.fields.contains(name) {
                return inner.answers.get(name);
            }
            row = inner.outer;
        }
        self.env.row.and_then(|answers| answers.get(name)).or_else(|| self.env.names.get(name))
    }

    fn truth(self, node: &'a Node) -> Option<bool> {
        match self.value(node)? {
            Value::Bool(known) => Some(known),
            _ => None,
        }
    }

    fn number(self, node: &'a Node) -> Option<Decimal> {
        match self.value(node)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn date(self, node: &'a Node) -> Option<Date> {
        match self.value(node)? {
            Value::Date(date) => Some(date),
            _ => None,
        }
    }

    /// The date; the last day it may be when it is known in part. A birth year alone then gives the
    /// youngest age: what asks for so many years is never had by leaving out a day.
    fn last_day(self, node: &'a Node) -> Option<Date> {
        match self.value(node)? {
            Value::Date(date) | Value::Within(_, date) => Some(date),
            _ => None,
        }
    }

    fn among(self, item: &'a Node, list: &'a Node) -> Option<bool> {
        let item = self.value(item)?;
        match &list.shape {
            Shape::List(nodes) => any(nodes.iter().map(|node| compare(Comparison::Equal, &item, &self.value(node)?))),
            _ => match (item, self.value(list)?) {
                (Value::Text(text), Value::List(chosen)) => Some(chosen.contains(&text)),
                _ => None,
            },
        }
    }

    fn call(self, function: Function, arguments: &'a [Node]) -> Option<Value> {
        match (function, arguments) {
            (Function::Answered, [node]) => Some(Value::Bool(self.answered(node))),
            (Function::Today, []) => Some(Value::Date(self.env.today)),
            (Function::Age, [born]) => age(self.last_day(born)?, self.env.today),
            (Function::Age, [born, at]) => age(self.last_day(born)?, self.date(at)?),
            (Function::Days, [from, to]) => {
                let days = self.date(from)?.until(self.date(to)?).ok()?.get_days();
                Some(Value::Number(days.into()))
            }
            (Function::Year, [date]) => Some(Value::Number(self.last_day(date)?.year().into())),
            (Function::Length, [text]) => match self.value(text)? {
                Value::Text(text) => Some(Value::Number(text.chars().count().into())),
                _ => None,
            },
            (Function::Initial, [text]) => match self.value(text)? {
                Value::Text(text) => initial(&text).map(Value::Text),
                _ => None,
            },
            (Function::Round, [number]) => round(self.number(number)?, Decimal::ZERO),
            (Function::Round, [number, decimals]) => round(self.number(number)?, self.number(decimals)?),
            (Function::Min, nodes) => self.extreme(nodes, Comparison::Less),
            (Function::Max, nodes) => self.extreme(nodes, Comparison::Greater),
            (Function::If, [condition, then, otherwise]) => {
                self.value(if self.truth(condition)? { then } else { otherwise })
            }
            (Function::Count, [list]) => match self.value(list)? {
                Value::List(chosen) => Some(Value::Number(chosen.len().into())),
                Value::Rows(rows) => Some(Value::Number(rows.len().into())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Always known. A group without a row counts as not answered.
    fn answered(self, node: &'a Node) -> bool {
        match &node.shape {
            Shape::Path(path) => match self.path(path) {
                Some(Value::Rows(rows)) => !rows.is_empty(),
                found => found.is_some(),
            },
            _ => false,
        }
    }

    fn extreme(self, nodes: &'a [Node], keep: Comparison) -> Option<Value> {
        let mut found: Option<Value> = None;
        for node in nodes {
            let value = self.value(node)?;
            found = match found {
                Some(best) if !compare(keep, &value, &best)? => Some(best),
                _ => Some(value),
            };
        }
        found
    }

    fn each(self, each: Each, walk: &'a Walk) -> Option<Value> {
        let Shape::Path(path) = &walk.rows.shape else { return None };
        let Value::Rows(rows) = self.path(path)? else { return None };
        let rows = rows.iter().map(|answers| Row { fields: &walk.fields, answers, outer: self.row });
        match each {
            Each::Any => any(rows.map(|row| self.within(&row).truth(&walk.body))).map(Value::Bool),
            Each::All => all(rows.map(|row| self.within(&row).truth(&walk.body))).map(Value::Bool),
            Each::Sum => {
                let mut sum = Decimal::ZERO;
                for row in rows {
                    sum = sum.checked_add(self.within(&row).number(&walk.body)?)?;
                }
                Some(Value::Number(sum))
            }
        }
    }

    fn within<'b>(self, row: &'b Row<'b>) -> Place<'b>
    where
        'a: 'b,
    {
        Place { env: self.env, row: Some(row) }
    }
}

/// Kleene's `and`: one false decides, whatever is unknown.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(truths.map(|truth| truth.map(|known| !known))).map(|known| !known)
}

/// Kleene's `or`: one true decides, whatever is unknown.
fn any(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for truth in truths {
        match truth {
            Some(true) => return Some(true),
            Some(false) => {}
            None => found = None,
        }
    }
    found
}

fn compare(how: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => return None,
    };
    Some(match how {
        Comparison::Equal => order.is_eq(),
        Comparison::Different => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    })
}

fn compute(sign: Arithmetic, left: Decimal, right: Decimal) -> Option<Decimal> {
    match sign {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
    }
}

/// Full years between two dates. Who is born on 29 February is a year older on 1 March of a
/// common year.
fn age(born: Date, at: Date) -> Option<Value> {
    let not_yet = (at.month(), at.day()) < (born.month(), born.day());
    Some(Value::Number(Decimal::from(i32::from(at.year()) - i32::from(born.year()) - i32::from(not_yet))))
}

/// The first letter, a plain capital: « Œuvrard » begins with an O, « Éloi » with an E.
fn initial(text: &str) -> Option<String> {
    let first = text.chars().find(|letter| letter.is_alphabetic())?;
    let plain = match first {
        'œ' | 'Œ' => 'O',
        'æ' | 'Æ' => 'A',
        other => other.nfd().next()?.to_uppercase().next()?,
    };
    Some(plain.to_string())
}

/// Halves go away from zero, as on a bill.
fn round(number: Decimal, decimals: Decimal) -> Option<Value> {
    let decimals = decimals.to_u32().filter(|decimals| *decimals <= 10)?;
    Some(Value::Number(number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)))
}
