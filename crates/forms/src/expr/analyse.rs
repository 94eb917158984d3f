//! Plain contradictions and tautologies, found by trying every combination of the choices and
//! yes-no answers referred to. What depends on anything else may be true, false or unknown.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{
    Env, Type, Value,
    ast::{Comparison, Node, Shape},
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
    every_case(root, names, true, &|_| true, |truths| truths & TRUE == 0)
}

pub(super) fn always(root: &Node, names: &BTreeMap<String, Type>) -> bool {
    every_case(root, names, false, &|_| false, |truths| truths == TRUE)
}

/// Whether one of `roots` holds whatever is answered, when only the names of `blank` may be left unanswered: by the
/// choices and yes-no answers that they refer to, or because two of them are opposite.
pub(super) fn cover(roots: &[&Node], names: &BTreeMap<String, Type>, blank: &BTreeSet<String>) -> bool {
    let opposite = roots.iter().enumerate().any(|(index, left)| {
        roots.iter().skip(index).any(|right| opposed(left, right) && !may_be_unknown(left, blank))
    });
    if opposite {
        return true;
    }
    let any = Node::new(Shape::Or(roots.iter().copied().cloned().collect()), 0, 0);
    every_case(&any, names, true, &|name| blank.contains(name), |truths| truths == TRUE)
}

/// `x` and `not x`; `a < b` and `a >= b`.
fn opposed(left: &Node, right: &Node) -> bool {
    let negates = |one: &Node, other: &Node| matches!(&one.shape, Shape::Not(inner) if **inner == *other);
    let compared = |node: &Node| match &node.shape {
        Shape::Compare { how, sides, .. } => Some((*how, sides.clone())),
        _ => None,
    };
    let differ = |(how, sides), (other, others)| Comparison::opposite(how) == other && sides == others;
    negates(left, right)
        || negates(right, left)
        || compared(left).zip(compared(right)).is_some_and(|(left, right)| differ(left, right))
}

/// Whether it may be neither true nor false: it reads a part of an answer, rows, a quotient, or an answer of `blank`.
fn may_be_unknown(node: &Node, blank: &BTreeSet<String>) -> bool {
    match &node.shape {
        Shape::Call(Function::Answered, _) => false,
        Shape::Path(path) => path.len() > 1 || path.iter().any(|name| blank.contains(name)),
        Shape::Each(..) | Shape::Arithmetic(..) => true,
        _ => node.children().any(|child| may_be_unknown(child, blank)),
    }
}

/// Whether `test` passes in every case; for a name that may be `blank`, being unanswered is a case of its own.
/// `unanswered`: whether anything may be, so that `answered` has something to tell.
fn every_case(
    root: &Node,
    names: &BTreeMap<String, Type>,
    unanswered: bool,
    blank: &dyn Fn(&str) -> bool,
    test: impl Fn(Truths) -> bool,
) -> bool {
    let cases: Vec<(&String, Vec<Option<Value>>)> = names
        .iter()
        .filter_map(|(name, kind)| {
            let mut cases = cases(kind)?;
            cases.extend(blank(name).then_some(None));
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
