//! A YAML file as a tree whose every node knows where it stands.

use std::sync::Arc;

use super::Finding;

/// A place in a file; line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl At {
    pub fn finding(&self, message: impl Into<String>) -> Finding {
        Finding {
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            message: message.into(),
            advice: None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub at: At,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub at: At,
    pub value: Node,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    /// Without spaces around.
    pub value: String,
    /// Written without quotes and on no block of its own.
    pub plain: bool,
    /// As it stands in the file, to point inside it.
    pub raw: String,
    /// Bytes put into `value` after reading (the prefix of a block): where they begin, how many.
    pub added: Vec<(usize, usize)>,
}

impl Node {
    pub fn of_text(at: At, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { at, body: Body::Text(Text { raw: value.clone(), value, plain: true, added: Vec::new() }) }
    }

    /// « un texte », « une liste »: what the person wrote, for a message.
    pub fn shape(&self) -> &'static str {
        match &self.body {
            Body::Text(text) if text.value.is_empty() => "rien",
            Body::Text(_) => "un texte",
            Body::List(_) => "une liste",
            Body::Map(_) => "un groupe de clés",
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(&text.value),
            Body::List(_) | Body::Map(_) => None,
        }
    }

    pub fn map(&self) -> Option<&[Entry]> {
        match &self.body {
            Body::Map(entries) => Some(entries),
            Body::Text(_) | Body::List(_) => None,
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        match &self.body {
            Body::List(items) => Some(items),
            Body::Text(_) | Body::Map(_) => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Where the byte `offset` of a text stands in the file.
    pub fn inside(&self, offset: usize) -> At {
        match &self.body {
            Body::Text(text) => text.place(&self.at, offset),
            Body::List(_) | Body::Map(_) => self.at.clone(),
        }
    }
}

impl Text {
    fn place(&self, at: &At, offset: usize) -> At {
        let mut offset = offset;
        for &(start, len) in self.added.iter().rev() {
            if offset >= start {
                offset = offset.saturating_sub(len).max(start);
            }
        }
        let original = self.original();
        let mut walk = Walk::new(&self.raw, at);
        for (index, wanted) in original.char_indices() {
            walk.reach(wanted);
            if index >= offset {
                return walk.at;
            }
            walk.step();
        }
        walk.at
    }

    fn original(&self) -> String {
        let mut value = self.value.clone();
        for &(start, len) in self.added.iter().rev() {
            if value.is_char_boundary(start) && value.is_char_boundary(start.saturating_add(len)) {
                value.replace_range(start..start.saturating_add(len), "");
            }
        }
        value
    }
}

/// Walks through the text as written, beside the text as understood: quotes, escapes and folded
/// lines make them differ.
struct Walk<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    quote: Option<char>,
    at: At,
}

impl<'a> Walk<'a> {
    fn new(raw: &'a str, at: &At) -> Self {
        let mut walk = Self { rest: raw.chars().peekable(), quote: None, at: at.clone() };
        if let Some(&quote @ ('"' | '\'')) = walk.rest.peek() {
            walk.quote = Some(quote);
            walk.step();
        }
        walk
    }

    /// Moves to where `wanted` is written.
    fn reach(&mut self, wanted: char) {
        while let Some(&next) = self.rest.peek() {
            if next == wanted || !next.is_whitespace() || wanted.is_whitespace() {
                return;
            }
            self.step();
        }
    }

    /// Moves past one understood character; a run of spaces counts as one, as folding does.
    fn step(&mut self) {
        let Some(first) = self.rest.next() else { return };
        self.pass(first);
        let escape = (first == '\\' && self.quote == Some('"')) || (first == '\'' && self.quote == Some('\''));
        if escape && let Some(second) = self.rest.next() {
            self.pass(second);
        }
    }

    fn pass(&mut self, passed: char) {
        if passed == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
    }
}
