//! Makes texts printable. A letter must never fail because someone typed an emoji:
//! PDF/A refuses characters that no font draws, and those without a public meaning.

use serde_json::Value;

use crate::world;

/// Shown for a character that none of the fonts has.
const MISSING: char = '\u{25a1}';

/// Where a word that would run off the page may be cut: a space without width.
const BREAK: char = '\u{200b}';

/// How many characters surely fit in the narrowest column.
const LONGEST: usize = 20;

/// The same data, with texts that the fonts can draw.
pub(crate) fn value(data: &Value) -> Value {
    match data {
        Value::String(text) => Value::String(self::text(text)),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, field)| (key.clone(), value(field))).collect()
        }
        other => other.clone(),
    }
}

fn text(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    let mut unbroken = 0;
    for character in text.replace("\r\n", "\n").chars().filter_map(character) {
        unbroken = if character.is_whitespace() { 0 } else { unbroken + 1 };
        if unbroken > LONGEST {
            printed.push(BREAK);
            unbroken = 1;
        }
        printed.push(character);
    }
    printed
}

fn character(character: char) -> Option<char> {
    match character {
        '\n' | ' '..='~' => Some(character),
        '\t' => Some(' '),
        '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        _ if hidden(character) => None,
        // Invisible in any font, but the layout knows what to do with them.
        '\u{a0}' | '\u{2009}' | '\u{202f}' => Some(character),
        _ if world::covers(character) => Some(character),
        _ => Some(MISSING),
    }
}

/// Characters without a shape: controls, and those that turn or join their neighbours,
/// with which a text can be made to look like another.
fn hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
        || private(character)
}

fn private(character: char) -> bool {
    matches!(
        character,
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}'
    )
}
