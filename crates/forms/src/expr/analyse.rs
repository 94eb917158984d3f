//! Plain contradictions and tautologies, found by trying every combination of the choices and
//! yes-no answers referred to. What depends on anything else may be true, false or unknown.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    Env, Type, Value,
    ast::{Node, Shape},
    eval,
    functions::Function,
};

/// Beyond so many combinations we do not look.
const MOST: usize = 4_096;

/// A set of truths: which of true, false and unknown are possible.
type Truths = u8;
const TRUE: Truths = 1;
const FALSE: Truths = 2;
const UNKNOWN: Truths = 4;
const ALL: Truths = TRUE | FALSE | UNKNOWN;

pub(super) fn never(root: &Node, names: &BTreeMap<String, Type>) -> bool {
    every_case(root, names, true, |truths| truths & TRUE == 0)
}

pub(super) fn always(root: &Node, names: &BTreeMap<String, Type>) -> bool {
    every_case(root, names, false, |truths| truths == TRUE)
}

/// Whether `test` passes in every case; `unanswered` counts as a case of its own when asked for.
fn every_case(root: &Node, names: &BTreeMap<String, Type>, unanswered: bool, test: impl Fn(Truths) -> bool) -> bool {
    let cases: Vec<(&String, Vec<Option<Value>>)> = names
        .iter()
        .filter_map(|(name, kind)| {
            let mut cases = cases(kind)?;
            cases.extend(unanswered.then_some(None));
            Some((name, cases))
        })
        .collect();
    let count = cases.iter().try_fold(1usize, |product, (_, cases)| product.checked_mul(cases.len()));
    let Some(count) = count.filter(|count| *count <= MOST) else { return false };
    (0..count).all(|number| {
        let case = Case { answers: combination(&cases, number), names, unanswered };
        test(case.truths(root))
    })
}

fn cases(kind: &Type) -> Option<Vec<Option<Value>>> {
    match kind {
        Type::Bool => Some(vec![Some(Value::Bool(true)), Some(Value::Bool(false))]),
        Type::Choice(options) => Some(options.iter().cloned().map(|option| Some(Value::Text(option))).collect()),
        _ => None,
    }
}

/// The combination of this number: its digits, in a base that changes with each name.
fn combination(cases: &[(&String, Vec<Option<Value>>)], mut number: usize) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for (name, cases) in cases {
        let Some(digit) = number.checked_rem(cases.len()) else { continue };
        number /= cases.len();
        if let Some(Some(value)) = cases.get(digit) {
            answers.insert((*name).clone(), value.clone());
        }
    }
    answers
}

struct Case<'a> {
    answers: BTreeMap<String, Value>,
    names: &'a BTreeMap<String, Type>,
    unanswered: bool,
}

impl Case<'_> {
    fn truths(&self, node: &Node) -> Truths {
        match &node.shape {
            Shape::Not(inner) => negate(self.truths(inner)),
            Shape::And(nodes) => nodes.iter().map(|node| self.truths(node)).fold(TRUE, both),
            Shape::Or(nodes) => negate(nodes.iter().map(|node| negate(self.truths(node))).fold(TRUE, both)),
            // answered(x) is always known, even when we cannot tell which way.
            Shape::Call(Function::Answered, _) if !self.decided(node) => TRUE | FALSE,
            _ if self.decided(node) => self.truth(node),
            _ => ALL,
        }
    }

    fn truth(&self, node: &Node) -> Truths {
        // No decided expression reads the clock; see `decided`.
        let env = Env { today: Date::ZERO, names: &self.answers, row: None };
        match eval::value(node, &env) {
            Some(Value::Bool(true)) => TRUE,
            Some(Value::Bool(false)) => FALSE,
            _ => UNKNOWN,
        }
    }

    /// Whether the value depends on nothing but the answers of this case.
    fn decided(&self, node: &Node) -> bool {
        let itself = match &node.shape {
            Shape::Path(path) => {
                matches!(path.as_slice(), [name] if self.names.get(name).is_some_and(|kind| cases(kind).is_some()))
            }
            Shape::Call(Function::Today, _) => false,
            Shape::Call(Function::Age, arguments) => arguments.len() == 2,
            Shape::Call(Function::Answered, _) => self.unanswered,
            Shape::Each(..) => false,
            _ => true,
        };
        itself && node.children().all(|child| self.decided(child))
    }
}

fn negate(truths: Truths) -> Truths {
    (truths & UNKNOWN) | if truths & TRUE > 0 { FALSE } else { 0 } | if truths & FALSE > 0 { TRUE } else { 0 }
}

/// Kleene's `and` on sets: false as soon as one side is, true when both are, else unknown.
fn both(left: Truths, right: Truths) -> Truths {
    let mut truths = (left & FALSE) | (right & FALSE) | (left & right & TRUE);
    let open = TRUE | UNKNOWN;
    if (left & UNKNOWN > 0 && right & open > 0) || (right & UNKNOWN > 0 && left & open > 0) {
        truths |= UNKNOWN;
    }
    truths
}
