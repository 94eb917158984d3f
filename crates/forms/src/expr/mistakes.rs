//! How mistakes are said: constructors named after what they mean.

use super::ExprError;

impl ExprError {
    pub(super) fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        Self { start, end, message: message.into(), advice: None }
    }

    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    pub(super) fn too_deep(start: usize, end: usize) -> Self {
        Self::new(start, end, "Cette expression est trop imbriquée.")
            .advise("Partagez-la en plusieurs champs calculés, ou allégez-la.")
    }
}

/// « word », with its no-break spaces.
pub(super) fn quoted(word: &str) -> String {
    format!("«\u{a0}{word}\u{a0}»")
}

/// `a`, `b` and `c`, as a French list.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The known word that looks most like `word`, if any does.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

pub(super) fn did_you_mean(word: &str) -> String {
    format!("Vouliez-vous dire {}\u{202f}?", quoted(word))
}

/// The operator or constant behind a word that people write out of habit.
pub(super) fn habit(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "et" | "and" => Some("and"),
        "ou" | "or" => Some("or"),
        "non" | "pas" | "not" => Some("not"),
        "dans" | "parmi" | "in" => Some("in"),
        "vrai" | "oui" | "true" | "yes" => Some("true"),
        "faux" | "false" | "no" => Some("false"),
        _ => None,
    }
}
