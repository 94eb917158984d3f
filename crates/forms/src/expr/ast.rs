//! The tree of an expression.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::functions::Function;

/// Deepest tree, and deepest nesting while parsing: a hostile file must not exhaust the stack.
pub(super) const MAX_DEPTH: usize = 64;

/// A piece of the source, with its byte range. Two nodes are equal when they mean the same,
/// wherever they stand.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub shape: Shape,
    pub start: usize,
    pub end: usize,
    /// Height of the tree below, itself included.
    pub depth: usize,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Bool(bool),
    Number(Decimal),
    Text(String),
    Date(Date),
    List(Vec<Node>),
    /// `format`, `demandeur.date_naissance`; never empty.
    Path(Vec<String>),
    /// At least two.
    And(Vec<Node>),
    /// At least two.
    Or(Vec<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Compare {
        how: Comparison,
        sides: Box<(Node, Node)>,
        /// What is compared; found by the type checker.
        sort: Sort,
    },
    In(Box<(Node, Node)>),
    Arithmetic(Arithmetic, Box<(Node, Node)>),
    Call(Function, Vec<Node>),
    Each(Each, Box<Walk>),
}

/// A walk through the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Walk {
    pub rows: Node,
    pub body: Node,
    /// The row's own names; found by the type checker. They hide those of the procedure, even
    /// when they are unanswered in a row.
    pub fields: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    Any,
    All,
    Sum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What two compared sides have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    Bool,
    #[default]
    Text,
    Choice,
    Number,
    Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Comparison {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Different => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// `not (a < b)` is `a >= b`, unknown sides included.
    pub fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Different,
            Self::Different => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::Different)
    }
}

impl Arithmetic {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

impl Node {
    pub fn new(shape: Shape, start: usize, end: usize) -> Self {
        let depth = 1 + shape.children().map(|node| node.depth).max().unwrap_or(0);
        Self { shape, start, end, depth }
    }

    pub fn children(&self) -> impl Iterator<Item = &Node> {
        self.shape.children()
    }
}

impl Shape {
    pub fn compare(how: Comparison, left: Node, right: Node) -> Self {
        Self::Compare { how, sides: Box::new((left, right)), sort: Sort::default() }
    }

    fn children(&self) -> impl Iterator<Item = &Node> {
        let (list, pair): (&[Node], [Option<&Node>; 2]) = match self {
            Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Date(_) | Self::Path(_) => (&[], [None, None]),
            Self::List(nodes) | Self::And(nodes) | Self::Or(nodes) | Self::Call(_, nodes) => (nodes, [None, None]),
            Self::Not(node) | Self::Negative(node) => (&[], [Some(node), None]),
            Self::Compare { sides, .. } | Self::In(sides) | Self::Arithmetic(_, sides) => {
                (&[], [Some(&sides.0), Some(&sides.1)])
            }
            Self::Each(_, walk) => (&[], [Some(&walk.rows), Some(&walk.body)]),
        };
        list.iter().chain(pair.into_iter().flatten())
    }
}
