//! Source text → tokens. Signs of other languages (`&&`, `!`, `=`) are reported with advice and
//! read as what was meant, so that one reading finds as many mistakes as possible.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    ExprError,
    ast::{Arithmetic, Comparison},
    mistakes::quoted,
};

/// No condition that a person can read is longer, in bytes.
pub(super) const MAX_SOURCE: usize = 8_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Number(Decimal),
    Text(String),
    Date(Date),
    And,
    Or,
    Not,
    In,
    Bool(bool),
    Compare(Comparison),
    Sign(Arithmetic),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Dot,
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// The tokens, ended by [`Token::End`], and the mistakes met.
pub(super) fn tokens(source: &str) -> (Vec<Placed>, Vec<ExprError>) {
    let mut lexer = Lexer { source, at: 0, errors: Vec::new() };
    let mut tokens = Vec::new();
    if source.len() > MAX_SOURCE {
        lexer.errors.push(ExprError::new(0, source.len(), "Cette expression est trop longue."));
    } else {
        while let Some(placed) = lexer.next() {
            tokens.push(placed);
        }
    }
    tokens.push(Placed { token: Token::End, start: source.len(), end: source.len() });
    (tokens, lexer.errors)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    errors: Vec<ExprError>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Takes the characters for which `keep` holds.
    fn take(&mut self, keep: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = rest.find(|c| !keep(c)).and_then(|end| rest.get(..end)).unwrap_or(rest);
        self.at += taken.len();
        taken
    }

    fn next(&mut self) -> Option<Placed> {
        loop {
            self.take(char::is_whitespace);
            let start = self.at;
            let first = self.rest().chars().next()?;
            let token = if first.is_alphabetic() || first == '_' {
                Some(self.word())
            } else if first.is_ascii_digit() {
                self.number()
            } else if let Some(closing) = closing_quote(first) {
                Some(self.text(first, closing))
            } else {
                self.sign(first)
            };
            if let Some(token) = token {
                return Some(Placed { token, start, end: self.at });
            }
        }
    }

    fn word(&mut self) -> Token {
        let word = self.take(|c| c.is_alphanumeric() || c == '_');
        match word {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Not,
            "in" => Token::In,
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            _ => Token::Name(word.to_owned()),
        }
    }

    fn number(&mut self) -> Option<Token> {
        let start = self.at;
        if let Some(date) = self.rest().get(..10).and_then(iso_date) {
            self.at += 10;
            self.errors.push(
                ExprError::new(start, self.at, format!("La date {date} doit être écrite avec «\u{a0}date\u{a0}»."))
                    .advise(format!("Écrivez date(\"{date}\").")),
            );
            return Some(Token::Date(date));
        }
        self.take(|c| c.is_ascii_digit());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.take(|c| c.is_ascii_digit());
        }
        let digits = self.source.get(start..self.at).unwrap_or_default();
        match Decimal::from_str_exact(digits) {
            Ok(number) => Some(Token::Number(number)),
            Err(_) => {
                self.errors.push(ExprError::new(start, self.at, "Ce nombre a trop de chiffres."));
                Some(Token::Number(Decimal::ZERO))
            }
        }
    }

    fn text(&mut self, opening: char, closing: char) -> Token {
        let start = self.at;
        self.at += opening.len_utf8();
        let mut text = String::new();
        let mut closed = false;
        let mut chars = self.rest().chars();
        while let Some(c) = chars.next() {
            self.at += c.len_utf8();
            if c == closing {
                closed = true;
                break;
            }
            match c {
                '\\' => {
                    if let Some(escaped) = chars.next() {
                        self.at += escaped.len_utf8();
                        text.push(escaped);
                    }
                }
                c => text.push(c),
            }
        }
        if !closed {
            self.errors.push(
                ExprError::new(start, self.at, "Ce texte n'est pas fermé.")
                    .advise("Ajoutez un guillemet droit \" à la fin."),
            );
        } else if opening != '"' {
            let text = text.trim();
            self.errors.push(
                ExprError::new(start, self.at, "Un texte s'écrit entre guillemets droits.")
                    .advise(format!("Écrivez \"{text}\".")),
            );
        }
        Token::Text(text)
    }

    fn sign(&mut self, first: char) -> Option<Token> {
        let start = self.at;
        let rest = self.rest();
        if let Some((sign, token)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            self.at += sign.len();
            return Some(token.clone());
        }
        if let Some((sign, right, token)) = FOREIGN.iter().find(|(sign, ..)| rest.starts_with(sign)) {
            self.at += sign.len();
            self.errors.push(
                ExprError::new(start, self.at, format!("{} ne s'emploie pas ici.", quoted(sign)))
                    .advise(format!("Écrivez {}.", quoted(right))),
            );
            return Some(token.clone());
        }
        self.at += first.len_utf8();
        self.errors.push(ExprError::new(
            start,
            self.at,
            format!("Le signe {} n'a pas de sens ici.", quoted(first.encode_utf8(&mut [0; 4]))),
        ));
        None
    }
}

/// The signs of the language, longer ones first.
const SIGNS: &[(&str, Token)] = &[
    ("==", Token::Compare(Comparison::Equal)),
    ("!=", Token::Compare(Comparison::Different)),
    ("<=", Token::Compare(Comparison::AtMost)),
    (">=", Token::Compare(Comparison::AtLeast)),
    ("<", Token::Compare(Comparison::Less)),
    (">", Token::Compare(Comparison::Greater)),
    ("+", Token::Sign(Arithmetic::Add)),
    ("-", Token::Sign(Arithmetic::Subtract)),
    ("*", Token::Sign(Arithmetic::Multiply)),
    ("/", Token::Sign(Arithmetic::Divide)),
    ("(", Token::Open),
    (")", Token::Close),
    ("[", Token::OpenList),
    ("]", Token::CloseList),
    (",", Token::Comma),
    (".", Token::Dot),
];

/// Signs of other languages: what to write instead, and what they are read as.
const FOREIGN: &[(&str, &str, Token)] = &[
    ("&&", "and", Token::And),
    ("&", "and", Token::And),
    ("||", "or", Token::Or),
    ("|", "or", Token::Or),
    ("!", "not", Token::Not),
    ("=", "==", Token::Compare(Comparison::Equal)),
    ("≠", "!=", Token::Compare(Comparison::Different)),
    ("≤", "<=", Token::Compare(Comparison::AtMost)),
    ("≥", ">=", Token::Compare(Comparison::AtLeast)),
    ("−", "-", Token::Sign(Arithmetic::Subtract)),
    ("×", "*", Token::Sign(Arithmetic::Multiply)),
    ("÷", "/", Token::Sign(Arithmetic::Divide)),
    (";", ",", Token::Comma),
];

fn closing_quote(opening: char) -> Option<char> {
    match opening {
        '"' | '\'' => Some(opening),
        '“' => Some('”'),
        '‘' | '’' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

/// A date written in full, `2026-09-01`.
pub(super) fn iso_date(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text)
}
