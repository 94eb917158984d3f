//! What is typed or pasted, made regular before it is judged.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::french::{plural, quoted};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

/// One line of text: NFC, every run of blanks made one space, invisible marks left by copy and
/// paste dropped. `None` when a control character remains.
pub fn line(text: &str) -> Option<String> {
    let normal: String = text.chars().filter(|it| !invisible(*it)).nfc().collect();
    let joined = normal.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().any(char::is_control) { None } else { Some(joined) }
}

/// Several lines, ends of line made `\n`. `None` when a control character remains.
pub fn lines(text: &str) -> Option<String> {
    let joined = text.replace("\r\n", "\n");
    let normal: String = joined
        .chars()
        .filter(|it| !invisible(*it))
        .map(|it| match it {
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
            '\t' => ' ',
            other => other,
        })
        .nfc()
        .collect();
    let trimmed = normal.trim();
    if trimmed.chars().any(|it| it.is_control() && it != '\n') { None } else { Some(trimmed.to_owned()) }
}

/// Zero-width and direction marks, soft hyphens: never meant by who types.
fn invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Without blanks, dots, dashes and the like: what separates groups in a number.
pub fn compact(text: &str) -> String {
    text.chars().filter(|it| !invisible(*it) && !separator(*it)).collect()
}

pub fn separator(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '.' | '/' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Lower case without accents, to compare words.
pub fn fold(text: &str) -> String {
    text.nfd().filter(|it| !is_combining_mark(*it)).flat_map(char::to_lowercase).collect()
}

pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A line for a named field: refuses control characters and more than `max` characters.
pub fn checked_line(text: &str, label: &str, max: usize) -> Result<String, String> {
    let clean = line(text).ok_or_else(|| control(label))?;
    within(&clean, label, max)?;
    Ok(clean)
}

pub fn within(text: &str, label: &str, max: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count <= max {
        return Ok(());
    }
    let most = plural(max, "caractère", "caractères");
    let over = plural(count - max, "caractère", "caractères");
    Err(format!("Raccourcissez {}\u{a0}: {over} de trop, pour {most} au plus", quoted(label)))
}

pub fn control(label: &str) -> String {
    format!("Retirez les caractères invisibles de {}, par exemple en retapant le texte", quoted(label))
}

/// One problem on the whole field.
pub fn wrong<T>(message: impl Into<String>) -> Result<T, Vec<Problem>> {
    Err(vec![Problem::new(message)])
}

/// The HTML id of an input: its name with `-` for `.`.
pub fn html_id(name: &str) -> String {
    name.replace('.', "-")
}

/// The view of a field of one input: what was typed, and where an error leads.
pub fn single(input: Input<'_>) -> serde_json::Map<String, Json> {
    let mut view = serde_json::Map::new();
    view.insert("value".to_owned(), input.text().into());
    view.insert("anchor".to_owned(), html_id(input.name).into());
    view
}

/// The view of a field of several inputs; the first part is where an error leads.
pub fn composite(input: Input<'_>, parts: &[&str]) -> serde_json::Map<String, Json> {
    let typed: serde_json::Map<String, Json> =
        parts.iter().map(|part| ((*part).to_owned(), input.part(part).into())).collect();
    let mut view = serde_json::Map::new();
    view.insert("parts".to_owned(), typed.into());
    view.insert("anchor".to_owned(), format!("{}-{}", html_id(input.name), parts.first().unwrap_or(&"")).into());
    view
}

/// A part of a new input, unless it is empty.
pub fn set_part(raw: &mut Raw, name: &str, part: &str, value: &str) {
    if !value.is_empty() {
        raw.set(format!("{name}.{part}"), value);
    }
}

/// A text member of an answer object; empty when absent.
pub fn member<'a>(answer: &'a Json, key: &str) -> &'a str {
    answer.get(key).and_then(Json::as_str).unwrap_or("")
}

/// The answer as one line, or nothing when it has another shape.
pub fn text_lines(answer: &Json) -> Vec<String> {
    answer.as_str().map(str::to_owned).into_iter().collect()
}

/// The field's own sentence for a missing answer, or this one.
pub fn missing(field: &Field, otherwise: impl FnOnce() -> String) -> String {
    field.error.clone().unwrap_or_else(otherwise)
}
