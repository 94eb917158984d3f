//! The small mask of `pattern`: `A` a letter, `9` a digit, `?` after one makes it optional,
//! anything else is itself.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::clean::separator;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    source: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    sort: Sort,
    optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Letter,
    Digit,
    Itself(char),
}

/// The mask cannot be read; displays as a French sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Ce modèle doit commencer par A, 9 ou un caractère fixe, et compter 60 signes au plus ; « ? » suit le signe qu’il rend facultatif"
)]
pub struct BadMask;

impl FromStr for Mask {
    type Err = BadMask;

    fn from_str(source: &str) -> Result<Self, BadMask> {
        let mut tokens: Vec<Token> = Vec::new();
        for letter in source.chars() {
            let sort = match letter {
                'A' => Sort::Letter,
                '9' => Sort::Digit,
                '?' => {
                    let last = tokens.last_mut().filter(|it| !it.optional).ok_or(BadMask)?;
                    last.optional = true;
                    continue;
                }
                other => Sort::Itself(other),
            };
            tokens.push(Token { sort, optional: false });
        }
        if tokens.is_empty() || tokens.len() > 60 {
            return Err(BadMask);
        }
        Ok(Self { source: source.to_owned(), tokens })
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)
    }
}

impl Mask {
    /// The text in the mask's own form (letters in capitals, its separators), whatever separators
    /// were typed; `None` when it does not fit.
    pub fn apply(&self, text: &str) -> Option<String> {
        let typed: Vec<char> = text.chars().filter(|it| !separator(*it)).map(capital).collect();
        let mut dead = BTreeSet::new();
        let reversed = fit(&self.tokens, &typed, &mut dead)?;
        let fitted: String = reversed.into_iter().rev().collect();
        Some(fitted.trim_matches(separator).to_owned()).filter(|it| !it.is_empty())
    }

    /// An answer that fits.
    pub fn sample(&self) -> String {
        let letters = self.tokens.iter().map(|token| match token.sort {
            Sort::Letter => 'A',
            Sort::Digit => '1',
            Sort::Itself(letter) => letter,
        });
        letters.collect()
    }
}

/// What was typed, laid along the mask, last character first. `dead` remembers the places already
/// tried in vain, so that optional signs cost no more than mask × text.
fn fit(tokens: &[Token], typed: &[char], dead: &mut BTreeSet<(usize, usize)>) -> Option<Vec<char>> {
    let Some((token, rest)) = tokens.split_first() else {
        return typed.is_empty().then(Vec::new);
    };
    let place = (tokens.len(), typed.len());
    if dead.contains(&place) {
        return None;
    }
    let found = taken(*token, typed)
        .and_then(|(letter, left)| fit(rest, left, dead).map(|it| pushed(it, letter)))
        .or_else(|| if token.optional { fit(rest, typed, dead) } else { None });
    if found.is_none() {
        dead.insert(place);
    }
    found
}

/// The sign at this place and what is left to lay; a separator of the mask needs not be typed.
fn taken(token: Token, typed: &[char]) -> Option<(char, &[char])> {
    if let Sort::Itself(letter) = token.sort
        && separator(letter)
    {
        return Some((letter, typed));
    }
    let (first, left) = typed.split_first()?;
    let fits = match token.sort {
        Sort::Letter => first.is_alphabetic(),
        Sort::Digit => first.is_ascii_digit(),
        Sort::Itself(letter) => *first == capital(letter),
    };
    let sign = if let Sort::Itself(letter) = token.sort { letter } else { *first };
    fits.then_some((sign, left))
}

fn pushed(mut letters: Vec<char>, letter: char) -> Vec<char> {
    letters.push(letter);
    letters
}

/// In capitals, where that is one character.
fn capital(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}
