//! Makes texts printable. A letter must never fail because someone typed an emoji:
//! PDF/A refuses characters that no font draws, and those without a public meaning.

use serde_json::Value;

use crate::world;

/// Which characters are kept.
#[derive(Clone, Copy)]
pub(crate) enum Keep {
    /// Whatever a font can draw. A few sequences of signs that belong to no language
    /// still defeat the layout.
    Drawable,
    /// Latin, Greek and Cyrillic letters, figures and punctuation: always succeeds.
    European,
}

/// Shown for a character that none of the fonts has.
const MISSING: char = '\u{25a1}';

/// The same in the family of the text alone.
const MISSING_EUROPEAN: char = '\u{25ca}';

/// Where a word that would run off the page may be cut: a space without width.
const BREAK: char = '\u{200b}';

/// How many characters surely fit in the narrowest column.
const LONGEST: usize = 20;

/// The same data, with texts that the fonts can draw.
pub(crate) fn value(data: &Value, keep: Keep) -> Value {
    match data {
        Value::String(text) => Value::String(self::text(text, keep)),
        Value::Array(items) => items.iter().map(|item| value(item, keep)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, field)| (key.clone(), value(field, keep))).collect(),
        other => other.clone(),
    }
}

fn text(text: &str, keep: Keep) -> String {
    let mut printed = String::with_capacity(text.len());
    let mut unbroken = 0;
    let characters = text.replace("\r\n", "\n");
    for character in characters.chars().filter_map(|one| character(one, keep)) {
        unbroken = if character.is_whitespace() { 0 } else { unbroken + 1 };
        if unbroken > LONGEST {
            printed.push(BREAK);
            unbroken = 1;
        }
        printed.push(character);
    }
    printed
}

fn character(character: char, keep: Keep) -> Option<char> {
    match character {
        '\n' | ' '..='~' => Some(character),
        '\t' => Some(' '),
        '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        _ if hidden(character) => None,
        // Invisible in any font, but the layout knows what to do with them.
        '\u{a0}' | '\u{2009}' | '\u{202f}' => Some(character),
        _ => Some(drawn(character, keep)),
    }
}

fn drawn(character: char, keep: Keep) -> char {
    match keep {
        Keep::Drawable if world::some_covers(character) => character,
        Keep::Drawable => MISSING,
        Keep::European if european(character) && world::text_covers(character) => character,
        Keep::European => MISSING_EUROPEAN,
    }
}

fn european(character: char) -> bool {
    matches!(character, '\0'..='\u{52f}' | '\u{1e00}'..='\u{1fff}' | '\u{2010}'..='\u{214f}')
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
