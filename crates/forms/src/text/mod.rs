//! The language of letters and mails: words with variables and conditions, in a markup of four signs.
//!
//! docs/letters.md describes it. A source goes through [`parse`], which knows every name that may stand in it
//! ([`Names`]) and refuses what could be missing; filled in, it is a tree of [`Block`]s that nobody reads as
//! markup again. Conditions are those of procedures ([`crate::expr`]).

mod layout;
mod names;
mod parse;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use crate::expr::{Env, Expr};

pub use names::{GENERAL, Known, MOTIVATION, Names, Variable};

/// Longest source, in characters.
pub const LONGEST: usize = 20_000;

/// A mistake in a text, for who writes it. The line counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    /// French sentence.
    pub message: String,
    pub advice: Option<String>,
}

/// A text that was parsed and checked against the names it may use.
#[derive(Debug, Clone)]
pub struct Text {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Literal(String),
    Value(Variable),
    If { when: Expr, then: Vec<Node>, otherwise: Vec<Node> },
}

/// A part of a text that was filled in. What people typed stands in it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Block {
    Heading {
        spans: Vec<Span>,
    },
    Paragraph {
        spans: Vec<Span>,
    },
    /// `start`: the first item's number; none when the items have none.
    List {
        start: Option<u32>,
        items: Vec<Vec<Span>>,
    },
}

/// Words of one weight; line breaks are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    pub text: String,
    pub bold: bool,
}

/// A text with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub blocks: Vec<Block>,
    /// The paths of the variables that were shown.
    pub used: BTreeSet<String>,
}

impl Text {
    /// # Errors
    /// Every mistake found, in the order of the source.
    pub fn parse(source: &str, names: &Names) -> Result<Self, Vec<Mistake>> {
        parse::parse(source, names)
    }

    /// Whether this variable stands somewhere, under whatever condition.
    pub fn names(&self, path: &str) -> bool {
        mentions(&self.nodes, path)
    }

    /// Puts the values in, on the day `today`.
    ///
    /// # Errors
    /// The labels of the values that are missing: a text never leaves with a hole in it.
    pub fn fill(&self, known: &Known, today: Date) -> Result<Filled, Vec<String>> {
        let mut filling = Filling { known, today, pieces: Vec::new(), used: BTreeSet::new(), missing: Vec::new() };
        filling.walk(&self.nodes);
        if filling.missing.is_empty() {
            Ok(Filled { blocks: layout::blocks(&filling.pieces), used: filling.used })
        } else {
            Err(filling.missing)
        }
    }
}

/// Words that somebody typed for one letter alone: the markup, and nothing to put in. Braces are braces.
///
/// # Errors
/// Every mistake found, in the order of the source.
pub fn typed(source: &str) -> Result<Vec<Block>, Vec<Mistake>> {
    let source = source.replace("\r\n", "\n");
    parse::markup(&source)?;
    Ok(layout::blocks(&[Piece::Literal(&source)]))
}

/// The markup that [`typed`] reads as these blocks, as long as no value in them looks like markup.
pub fn source(blocks: &[Block]) -> String {
    let words = |spans: &[Span]| spans.iter().map(marked).collect::<String>();
    let item = |start: Option<u32>, at: usize, spans: &[Span]| match start {
        Some(first) => format!("{}. {}", first as usize + at, words(spans)),
        None => format!("- {}", words(spans)),
    };
    let shown = blocks.iter().map(|block| match block {
        Block::Heading { spans } => format!("# {}", words(spans)),
        Block::Paragraph { spans } => words(spans),
        Block::List { start, items } => {
            let items: Vec<String> = items.iter().enumerate().map(|(at, one)| item(*start, at, one)).collect();
            items.join("\n")
        }
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// Bold ends on its own line.
fn marked(span: &Span) -> String {
    if !span.bold {
        return span.text.clone();
    }
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("**{line}**") };
    span.text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn mentions(nodes: &[Node], path: &str) -> bool {
    nodes.iter().any(|node| match node {
        Node::Literal(_) => false,
        Node::Value(variable) => variable.path == path,
        Node::If { then, otherwise, .. } => mentions(then, path) || mentions(otherwise, path),
    })
}

/// What the layout is made of: words of the text, and values that are never looked into.
enum Piece<'t> {
    Literal(&'t str),
    Value(Vec<String>),
}

struct Filling<'t> {
    known: &'t Known,
    today: Date,
    pieces: Vec<Piece<'t>>,
    used: BTreeSet<String>,
    missing: Vec<String>,
}

impl<'t> Filling<'t> {
    fn walk(&mut self, nodes: &'t [Node]) {
        for node in nodes {
            match node {
                Node::Literal(text) => self.pieces.push(Piece::Literal(text)),
                Node::Value(variable) => self.value(variable),
                Node::If { when, then, otherwise } => {
                    let env = Env { today: self.today, names: &self.known.values, row: None };
                    self.walk(if when.holds(&env) { then } else { otherwise });
                }
            }
        }
    }

    fn value(&mut self, variable: &Variable) {
        self.used.insert(variable.path.clone());
        let lines = self.known.lines(&variable.path);
        if lines.is_empty() && variable.path != MOTIVATION {
            if !self.missing.contains(&variable.label) {
                self.missing.push(variable.label.clone());
            }
            return;
        }
        self.pieces.push(Piece::Value(lines));
    }
}

/// The same as plain words, for a mail or the title of a letter.
pub fn plain(blocks: &[Block]) -> String {
    let join = |spans: &[Span]| spans.iter().map(|span| span.text.as_str()).collect::<String>();
    let item = |start: Option<u32>, at: usize, spans: &[Span]| match start {
        Some(first) => format!("{}. {}", first as usize + at, join(spans)),
        None => format!("– {}", join(spans)),
    };
    let shown = blocks.iter().map(|block| match block {
        Block::Heading { spans } | Block::Paragraph { spans } => join(spans),
        Block::List { start, items } => {
            let items: Vec<String> = items.iter().enumerate().map(|(at, one)| item(*start, at, one)).collect();
            items.join("\n")
        }
    });
    shown.collect::<Vec<_>>().join("\n\n")
}
