//! Dates, sizes and words as French readers expect them, and folding for search.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// « 27 mars 2021 », « 1er mars 2021 ».
pub fn date(day: Date) -> String {
    forms::kinds::french::date(day).replacen(' ', "\u{a0}", 1)
}

/// A day as people type it, `27/03/2021` with any separator, or as browsers send it, `2021-03-27`.
pub fn day(typed: &str) -> Option<Date> {
    let parts: Vec<&str> = typed.split(['/', '-', '.', ' ']).filter(|part| !part.is_empty()).collect();
    let &[first, month, last] = parts.as_slice() else { return None };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    if year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// « Préparer » as it goes on inside a sentence: « préparer ».
pub fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters.clone()).collect()
}

/// « 27 mars 2021 à 14 h 05 ».
pub fn datetime(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    format!("{} à {}\u{a0}h\u{a0}{:02}", date(local.date()), local.hour(), local.minute())
}

/// « 1,2 Mo ».
pub fn size(bytes: u64) -> String {
    let (divisor, unit) = match bytes {
        0..1_000 => return format!("{bytes}\u{a0}octets"),
        1_000..1_000_000 => (1_000, "Ko"),
        _ => (1_000_000, "Mo"),
    };
    let tenths = (bytes * 10).div_ceil(divisor);
    if tenths.is_multiple_of(10) {
        format!("{}\u{a0}{unit}", tenths / 10)
    } else {
        format!("{},{}\u{a0}{unit}", tenths / 10, tenths % 10)
    }
}

/// Lower case, without accents or ligatures; anything but letters and digits becomes a space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'œ' | 'Œ' => folded.push_str("oe"),
            'æ' | 'Æ' => folded.push_str("ae"),
            _ if letter.is_alphanumeric() => folded.extend(letter.to_lowercase()),
            _ => folded.push(' '),
        }
    }
    folded
}

/// Words too common to find anything by.
const EMPTY: [&str; 34] = [
    "a", "au", "aux", "avec", "ce", "ces", "d", "dans", "de", "des", "du", "en", "et", "il", "j", "je", "l", "la",
    "le", "les", "ma", "mes", "mon", "n", "ou", "par", "pour", "qu", "que", "s", "sur", "un", "une", "vous",
];

/// Stems of the useful words: « Demandes d'actes » → `demand`, `act`.
pub fn stems(text: &str) -> Vec<String> {
    // The stemmer knows accents; folding after it keeps both spellings equal.
    let stemmer = Stemmer::create(Algorithm::French);
    fold(text)
        .split_whitespace()
        .filter(|word| !EMPTY.contains(word))
        .map(|word| stemmer.stem(word).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(date(jiff::civil::date(2021, 3, 1)), "1er\u{a0}mars 2021");
        let march = Some(jiff::civil::date(2021, 3, 27));
        assert_eq!([day("27/3/2021"), day("2021-03-27"), day("27 03 2021"), day("27.03.2021")], [march; 4]);
        assert_eq!([day("27/3/21"), day("30/02/2021"), day("mars 2021"), day("")], [None; 4]);
        assert_eq!(size(1_234_000), "1,3\u{a0}Mo");
        assert_eq!(size(2_000_000), "2\u{a0}Mo");
        assert_eq!(fold("L'École des Sœurs"), "l ecole des soeurs");
        assert_eq!(stems("Demander des actes"), stems("demande d'un acte"));
    }
}
