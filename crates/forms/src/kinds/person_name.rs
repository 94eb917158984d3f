//! Names of people, as civil registries write them: letters of the Latin script with any diacritic,
//! apostrophes, hyphens, spaces.

use unicode_normalization::char::is_combining_mark;

use super::clean;

/// The name made regular; `None` when it holds something else than a name does. `commas` between
/// first names are accepted, as birth certificates have them.
pub fn regular(text: &str, commas: bool) -> Option<String> {
    let line = clean::line(text)?;
    let straight: String = line.chars().map(|it| if matches!(it, '`' | '´') { '\'' } else { it }).collect();
    let known = |it: char| latin(it) || is_combining_mark(it) || joint(it) || (commas && it == ',');
    let named = straight.is_empty() || straight.chars().any(latin);
    (named && straight.chars().all(known)).then_some(straight)
}

fn joint(letter: char) -> bool {
    // Among apostrophes, U+02BB and U+02BC are letters of Polynesian and Breton names.
    matches!(letter, ' ' | '-' | '\u{2010}' | '\u{2011}' | '\'' | '’' | '‘' | '\u{2bb}' | '\u{2bc}')
}

fn latin(letter: char) -> bool {
    letter.is_alphabetic()
        && matches!(letter,
            'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}')
}
