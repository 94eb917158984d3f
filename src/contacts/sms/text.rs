//! What an SMS may hold: the letters of GSM 03.38, 160 of them, or 153 in each part of a longer one; 70 and 67 as
//! soon as one letter is not of those.

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// These take the place of two.
const EXTENDED: &str = "^{}\\[~]|€";

/// The same text in letters that cost least, where French has others: « ê » as « e ».
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        match letter {
            '’' | '‘' => plain.push('\''),
            '«' | '»' | '“' | '”' => plain.push('"'),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            '–' | '—' => plain.push('-'),
            '…' => plain.push_str("..."),
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("OE"),
            'ç' => plain.push('c'),
            letter if BASIC.contains(letter) || EXTENDED.contains(letter) => plain.push(letter),
            letter => plain.push(bare(letter)),
        }
    }
    plain
}

/// Without its accent, if it is one of ours.
fn bare(letter: char) -> char {
    const PAIRS: [(&str, char); 12] = [
        ("âáã", 'a'),
        ("êë", 'e'),
        ("îïí", 'i'),
        ("ôóõ", 'o'),
        ("ûú", 'u'),
        ("ÿý", 'y'),
        ("ÂÀÁ", 'A'),
        ("ÊËÈ", 'E'),
        ("ÎÏ", 'I'),
        ("ÔÓ", 'O'),
        ("ÛÙÚ", 'U'),
        ("Ÿ", 'Y'),
    ];
    PAIRS.iter().find(|(accented, _)| accented.contains(letter)).map_or(letter, |(_, bare)| *bare)
}

/// Whether every letter is of GSM 03.38.
pub fn is_gsm(text: &str) -> bool {
    measure(text).gsm
}

/// What a text costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Of GSM 03.38, where some count for two; of UTF-16 otherwise.
    pub letters: usize,
    pub gsm: bool,
    /// How many SMS are paid for it.
    pub parts: usize,
    /// The letters that are not of GSM 03.38, each once.
    pub costly: Vec<char>,
}

pub fn measure(text: &str) -> Measure {
    let mut costly: Vec<char> =
        text.chars().filter(|letter| !BASIC.contains(*letter) && !EXTENDED.contains(*letter)).collect();
    costly.sort_unstable();
    costly.dedup();
    let gsm = costly.is_empty();
    let (letters, one, each) = if gsm {
        (text.chars().map(|letter| if EXTENDED.contains(letter) { 2 } else { 1 }).sum(), 160, 153)
    } else {
        (text.encode_utf16().count(), 70, 67)
    };
    let parts = if letters <= one { 1 } else { letters.div_ceil(each) };
    Measure { letters, gsm, parts, costly }
}

/// How many SMS are paid for it.
pub fn parts(text: &str) -> usize {
    measure(text).parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_as_operators_do() {
        assert_eq!(parts(&"é".repeat(160)), 1);
        assert_eq!(parts(&"é".repeat(161)), 2);
        assert_eq!((parts(&"é".repeat(306)), parts(&"é".repeat(307))), (2, 3));
        assert_eq!((parts(&"€".repeat(80)), parts(&"€".repeat(81))), (1, 2));
        assert_eq!((parts(&"ê".repeat(70)), parts(&"ê".repeat(71)), parts(&"ê".repeat(135))), (1, 2, 3));
        assert_eq!(parts("😀"), 1);
        let costly = Measure { letters: 8, gsm: false, parts: 1, costly: vec!['Д', 'м', 'о'] };
        assert_eq!(measure("Дом, мо€"), costly);
    }

    #[test]
    fn french_costs_as_little_as_it_can() {
        let typed = "L\u{2019}accusé\u{a0}: prêt, façade, cœur, À, \u{ab}Où\u{bb}\u{2026}";
        assert_eq!(plain(typed), "L\u{27}accusé : pret, facade, coeur, A, \"Où\"...");
        assert!(is_gsm(&plain("Ça, œuvre, été, Noël, maïs, ambiguë, août, çà et là – tôt")));
        assert!(!is_gsm(&plain("Дом")), "what is not ours stays whole");
    }
}
