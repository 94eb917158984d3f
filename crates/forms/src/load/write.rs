//! A tree → canonical YAML: block style, short lists of words on one line, long texts on blocks.

use std::fmt::Write;

use super::{
    fmt::Shape,
    node::{Body, Node, Text},
};

/// Longest line, in characters, wherever a text can be cut.
const WIDTH: usize = 100;
/// Longest item of a list written on one line.
const SHORT: usize = 30;

pub(super) fn file(tree: &Node) -> String {
    let mut out = String::new();
    node(&mut out, tree, Shape::File, 0, 0);
    while out.starts_with('\n') {
        out.remove(0);
    }
    out
}

/// Writes what follows `key:` or `-`; `column` is where its first line stands, `indent` where the
/// lines of a block begin.
fn node(out: &mut String, node: &Node, shape: Shape, indent: usize, column: usize) {
    match &node.body {
        Body::Text(it) => text(out, it, indent, column),
        Body::List(items) if items.is_empty() => out.push_str(" []\n"),
        Body::List(items) => match on_one_line(items, column) {
            Some(line) => {
                let _ = writeln!(out, " {line}");
            }
            None => list(out, items, shape, indent),
        },
        Body::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Body::Map(entries) => {
            if column > 0 {
                out.push('\n');
            }
            map(out, entries, shape, indent, false);
        }
    }
}

fn list(out: &mut String, items: &[Node], shape: Shape, indent: usize) {
    out.push('\n');
    for (index, item) in items.iter().enumerate() {
        if shape == Shape::Page && index > 0 {
            out.push('\n');
        }
        spaces(out, indent);
        out.push('-');
        match &item.body {
            Body::Map(entries) if !entries.is_empty() => {
                out.push(' ');
                map(out, entries, shape, indent.saturating_add(2), true);
            }
            _ => node(out, item, shape, indent.saturating_add(2), indent.saturating_add(1)),
        }
    }
}

/// `hanging`: the first key stands after a dash that is already written.
fn map(out: &mut String, entries: &[super::node::Entry], shape: Shape, indent: usize, hanging: bool) {
    for (index, entry) in shape.sorted(entries).into_iter().enumerate() {
        let apart = indent == 0
            && matches!(
                entry.key.as_str(),
                "pages" | "pieces" | "opinions" | "webhooks" | "approvals" | "starts" | "states" | "transitions"
            );
        if apart && entry.value.list().is_some_and(|items| !items.is_empty()) {
            out.push('\n');
        }
        if index > 0 || !hanging {
            spaces(out, indent);
        }
        let key = scalar(&entry.key, true, false);
        out.push_str(&key);
        out.push(':');
        let column = indent.saturating_add(key.chars().count()).saturating_add(1);
        node(out, &entry.value, shape.under(&entry.key), indent.saturating_add(2), column);
    }
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

fn text(out: &mut String, text: &Text, indent: usize, column: usize) {
    let value = &text.value;
    if value.is_empty() {
        out.push_str(if text.plain { "\n" } else { " \"\"\n" });
    } else if value.contains('\n') && value.chars().all(|c| c == '\n' || printable(c)) {
        out.push_str(" |-\n");
        for line in value.split('\n') {
            if !line.is_empty() {
                spaces(out, indent);
                out.push_str(line);
            }
            out.push('\n');
        }
    } else {
        let line = scalar(value, text.plain, false);
        let wide = column.saturating_add(line.chars().count()).saturating_add(1) > WIDTH;
        if wide && value.chars().all(printable) && !value.contains("  ") && value.contains(' ') {
            folded(out, value, indent);
        } else {
            let _ = writeln!(out, " {line}");
        }
    }
}

/// Cut at single spaces only, so that reading puts the same text together again.
fn folded(out: &mut String, value: &str, indent: usize) {
    out.push_str(" >-\n");
    let mut width = 0;
    for word in value.split(' ') {
        let len = word.chars().count();
        if width > 0 && width + 1 + len > WIDTH {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            spaces(out, indent);
            width = indent;
        } else {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += len;
    }
    out.push('\n');
}

fn on_one_line(items: &[Node], column: usize) -> Option<String> {
    let mut words = Vec::new();
    for item in items {
        let Body::Text(text) = &item.body else { return None };
        if text.value.is_empty() || text.value.chars().count() > SHORT || !text.value.chars().all(printable) {
            return None;
        }
        words.push(scalar(&text.value, text.plain, true));
    }
    let line = format!("[{}]", words.join(", "));
    (column.saturating_add(line.chars().count()).saturating_add(1) <= WIDTH).then_some(line)
}

fn printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text on one line, in quotes when it needs some. `plain` texts had none: `12` stays a number.
fn scalar(value: &str, plain: bool, flow: bool) -> String {
    if !value.chars().all(printable) {
        escaped(value)
    } else if bare(value, flow) && (plain || !other_type(value)) {
        value.to_owned()
    } else if value.contains('\'') && !value.contains(['"', '\\']) {
        format!("\"{value}\"")
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}

/// Whether YAML reads this text as it is, without quotes.
fn bare(value: &str, flow: bool) -> bool {
    let mut chars = value.chars();
    let first = match chars.next() {
        None => false,
        Some('-' | '?' | ':') => chars.next().is_some_and(|next| !next.is_whitespace() && !",[]{}".contains(next)),
        Some(first) => !",[]{}#&*!|>'\"%@`".contains(first),
    };
    let marker = value.starts_with("---") || value.starts_with("...");
    let inside = value.contains(": ") || value.ends_with(':') || value.contains(" #");
    let flow_mark = flow && (value.contains([',', '[', ']', '{', '}', '"']) || value.contains(':'));
    first && !marker && !inside && !flow_mark && value.trim() == value
}

/// Whether other readers of YAML would take this bare text for something else.
fn other_type(value: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", ".nan", ".inf"];
    WORDS.contains(&value.to_lowercase().as_str())
        || value.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && value.chars().all(|c| c.is_ascii_hexdigit() || "+-.:_exoTZ ".contains(c))
}

fn escaped(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}
