//! The language of conditions, checks and computed values: small, typed, analysable.
//!
//! docs/procedures.md, section « Conditions », describes it. A source text goes through [`lexer`],
//! [`parser`] and [`types`]; what comes out is evaluated ([`eval`]), said in French ([`words`]) and
//! searched for contradictions ([`analyse`]).
//!
//! An answer not given is *unknown*, written `None` here. `and`, `or` and `not` follow Kleene's
//! strong logic: `false and unknown` is false, `true or unknown` is true, anything else that
//! touches something unknown is unknown. A whole condition left unknown does not hold.

mod analyse;
mod ast;
mod eval;
mod functions;
mod lexer;
mod mistakes;
mod parser;
mod print;
mod sorts;
mod types;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

use ast::{Node, Shape};

/// What an expression or an answer can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Bool,
    Text,
    Number,
    Date,
    /// One of these option ids; compared with text literals, which must be among them.
    Choice(Vec<String>),
    /// Several of these option ids.
    Choices(Vec<String>),
    /// Named parts of a composite answer: `demandeur.date_naissance`.
    Parts(Vec<(String, Type)>),
    /// Rows of a repeated group, with the fields of one row.
    Rows(Vec<(String, Type)>),
    /// Nothing that an expression can use, beyond `answered(x)` (a file, an explanation).
    Opaque,
}

/// A known value; an unknown one is `Option::None` around it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Text(String),
    Number(Decimal),
    Date(Date),
    /// A date known in part, « 1950 » or « mars 1950 »: the first and the last day it may be. Only
    /// `age`, `year` and `answered` know what to do with it.
    Within(Date, Date),
    List(Vec<String>),
    /// Known parts only.
    Parts(BTreeMap<String, Value>),
    /// Per row, the known answers.
    Rows(Vec<BTreeMap<String, Value>>),
    /// Answered, and nothing more can be said of it.
    Opaque,
}

/// The names an expression may use, with their types: fields already asked. Inside a group, the
/// row's own fields come first and hide those of the procedure.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub names: BTreeMap<String, Type>,
}

/// The known answers when an expression is evaluated; a name absent here is unanswered.
#[derive(Debug, Clone)]
pub struct Env<'a> {
    pub today: Date,
    /// Inside a row, without the names of the row's own fields: one left blank must not be read
    /// from a namesake of the procedure.
    pub names: &'a BTreeMap<String, Value>,
    /// The current row's answers, looked up first.
    pub row: Option<&'a BTreeMap<String, Value>>,
}

/// A mistake in an expression: byte range in its source, French sentence, advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    pub start: usize,
    pub end: usize,
    pub message: String,
    pub advice: Option<String>,
}

/// A parsed, type-checked expression.
#[derive(Debug, Clone)]
pub struct Expr {
    source: String,
    root: Node,
    kind: Type,
    /// The names of the procedure (or of the enclosing row) referred to.
    names: BTreeMap<String, Type>,
}

impl Expr {
    /// Parses and types `source`. `wanted` is the type its place asks for (`Type::Bool` for a
    /// condition); `None` accepts any type that has a value.
    ///
    /// # Errors
    /// Every mistake found, in the order of the source.
    pub fn parse(source: &str, scope: &Scope, wanted: Option<&Type>) -> Result<Self, Vec<ExprError>> {
        let (tokens, mut errors) = lexer::tokens(source);
        let mut root = match parser::parse(tokens) {
            Ok(root) => root,
            Err(error) => {
                errors.push(error);
                return Err(errors);
            }
        };
        let checked = types::check(source, scope, wanted, &mut root);
        errors.extend(checked.errors);
        errors.sort_by_key(|error| error.start);
        match checked.kind {
            Some(kind) if errors.is_empty() => Ok(Self { source: source.to_owned(), root, kind, names: checked.names }),
            _ => Err(errors),
        }
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The same expression, written in the canonical way.
    pub fn canonical(&self) -> String {
        self.root.to_string()
    }

    pub fn type_of(&self) -> &Type {
        &self.kind
    }

    /// The fields referred to: first part of every name, without those of a row that `any`, `all`
    /// or `sum` walks through.
    pub fn names(&self) -> BTreeSet<String> {
        self.names.keys().cloned().collect()
    }

    /// The same with their parts: `demandeur.date_naissance`.
    pub fn paths(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        paths(&self.root, &BTreeSet::new(), &mut found);
        found
    }

    /// The value, or `None` when it depends on something unknown, on a division by zero or on a
    /// number too large.
    pub fn eval(&self, env: &Env<'_>) -> Option<Value> {
        eval::value(&self.root, env)
    }

    /// Whether the condition is known and true.
    pub fn holds(&self, env: &Env<'_>) -> bool {
        self.eval(env) == Some(Value::Bool(true))
    }

    /// The condition in French words. `label` is asked for the words of a name (`format`,
    /// `demandeur.date_naissance`, `enfants.nom` in a row) and of an option (`format=copie`); an
    /// empty string means that it has none, and the id is shown.
    pub fn says(&self, label: &dyn Fn(&str) -> String) -> String {
        words::says(&self.root, label)
    }

    /// Whether no answer at all can make the condition true. Only plain contradictions between
    /// choices and yes-no answers are found; `false` means « not that we know ».
    pub fn never(&self) -> bool {
        self.kind == Type::Bool && analyse::never(&self.root, &self.names)
    }

    /// Whether the condition holds for every combination of answers, once they are given. Found
    /// as far as [`Expr::never`] goes.
    pub fn always(&self) -> bool {
        self.kind == Type::Bool && analyse::always(&self.root, &self.names)
    }

    /// Whether at least one of these conditions holds whatever is answered, when only the questions of `blank` may be
    /// left unanswered. Found for choices and yes-no answers, and for a condition beside its opposite.
    pub fn cover(conditions: &[&Self], blank: &BTreeSet<String>) -> bool {
        let roots: Vec<&Node> = conditions.iter().map(|one| &one.root).collect();
        let names = conditions.iter().flat_map(|one| one.names.clone()).collect();
        conditions.iter().all(|one| one.kind == Type::Bool) && analyse::cover(&roots, &names, blank)
    }
}

/// `hidden`: names of the rows around, which are none of the procedure's.
fn paths(node: &Node, hidden: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    match &node.shape {
        Shape::Path(parts) if parts.first().is_some_and(|head| !hidden.contains(head)) => {
            found.insert(parts.join("."));
        }
        Shape::Each(_, walk) => {
            paths(&walk.rows, hidden, found);
            paths(&walk.body, &hidden.union(&walk.fields).cloned().collect(), found);
        }
        _ => node.children().for_each(|child| paths(child, hidden, found)),
    }
}
