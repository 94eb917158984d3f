//! Rules on what people type about themselves. Every message is a French sentence for the field's owner.

use forms::{answers::Raw, kinds};
use unicode_normalization::UnicodeNormalization;

use crate::platform::french;

/// From this length on, a password needs no mix of characters.
pub const LONG: usize = 12;
/// The least the CNIL allows where failed attempts are slowed down (délibération 2022-100, 50 bits).
const SHORT: usize = 8;
/// The same, for digits alone.
const DIGITS: usize = 16;
/// Longer ones serve nobody, and hashing them costs.
const LONGEST: usize = 200;
/// Kinds of characters out of capital, small, digit, sign that a short password needs.
const MIXED: usize = 3;
/// How many pieces somebody who guesses must get right at least.
const PIECES: usize = 6;
const LONGEST_NAME: usize = 100;

/// Pieces that every list of leaked passwords begins with, folded.
const COMMON: &str = include_str!("common.txt");

/// A mistake, on the field whose HTML id this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub text: String,
}

impl Wrong {
    pub fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

/// What accounts are found by: two spellings of one address are one account.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// An address that a mail server may know.
pub fn email(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("Saisissez votre adresse électronique, par exemple nom@exemple.fr".into());
    }
    kinds::email::address(typed)
        .map_err(|how| format!("Saisissez une adresse électronique {how}, par exemple nom@exemple.fr"))
}

/// A first or last name; empty when nothing was typed.
pub fn name(typed: &str, what: &str) -> Result<String, String> {
    let name = kinds::person_name::regular(typed, false)
        .ok_or_else(|| format!("Saisissez votre {what} avec des lettres seulement"))?;
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("Raccourcissez votre {what}\u{a0}: {LONGEST_NAME} caractères au plus"));
    }
    Ok(name)
}

/// A telephone number in E.164 form; none when nothing was typed.
pub fn phone(typed: &str) -> Result<Option<String>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let number = kinds::phone::e164(typed).ok_or("Saisissez un numéro de téléphone comme 06\u{a0}12\u{a0}34\u{a0}56\u{a0}78, ou +41\u{a0}22\u{a0}123\u{a0}45\u{a0}67 à l’étranger")?;
    Ok(Some(number))
}

/// Who somebody says they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub first_name: String,
    pub last_name: String,
}

/// Reads `prenom` (which some people do not have) and `nom`.
pub fn identity(typed: &Raw, wrong: &mut Vec<Wrong>) -> Identity {
    let mut read = |field: &'static str, what: &str| match name(typed.text(field), what) {
        Ok(name) => name,
        Err(text) => {
            wrong.push(Wrong::new(field, text));
            String::new()
        }
    };
    let identity = Identity { first_name: read("prenom", "prénom"), last_name: read("nom", "nom") };
    if identity.last_name.is_empty() && !wrong.iter().any(|wrong| wrong.field == "nom") {
        wrong.push(Wrong::new("nom", "Saisissez votre nom"));
    }
    identity
}

/// The same password typed on two machines is the same text.
pub fn regular_password(typed: &str) -> String {
    typed.nfkc().collect()
}

/// Whether a new password may be kept. `known` is what others know of its owner: names, address, city.
///
/// # Errors
/// What is missing, in a sentence.
pub fn password(password: &str, known: &[&str]) -> Result<(), String> {
    let length = password.chars().count();
    let missing = missing_kinds(password);
    let digits_only = password.chars().all(|letter| letter.is_numeric());
    if password.is_empty() {
        return Err("Choisissez un mot de passe".into());
    }
    if length > LONGEST {
        return Err(format!("Raccourcissez votre mot de passe\u{a0}: {LONGEST} caractères au plus"));
    }
    if length < SHORT {
        return Err(format!(
            "Votre mot de passe est trop court\u{a0}: il en faut {LONG} caractères, ou {SHORT} en mêlant majuscules, minuscules, chiffres ou signes"
        ));
    }
    if digits_only && length < DIGITS {
        return Err(format!(
            "Un mot de passe fait de chiffres seulement doit en compter {DIGITS}\u{a0}: ajoutez plutôt des lettres"
        ));
    }
    if length < LONG && 4 - missing.len() < MIXED {
        let more = LONG - length;
        let plural = if more > 1 { "s" } else { "" };
        return Err(format!("Ajoutez {more} caractère{plural} à votre mot de passe, ou {}", one_of(&missing)));
    }
    if pieces(password, known) < PIECES {
        return Err("Ce mot de passe est trop facile à deviner\u{a0}: évitez les noms, les dates, les suites et les mots de passe courants".into());
    }
    Ok(())
}

/// Kinds of characters that the password lacks.
fn missing_kinds(password: &str) -> Vec<&'static str> {
    let has = |kind: fn(char) -> bool| password.chars().any(kind);
    let kinds = [
        (has(char::is_uppercase), "une majuscule"),
        (has(char::is_lowercase), "une minuscule"),
        (has(char::is_numeric), "un chiffre"),
        (has(|letter| !letter.is_alphanumeric()), "un signe"),
    ];
    kinds.into_iter().filter(|(there, _)| !there).map(|(_, name)| name).collect()
}

/// What a password of one or two kinds of characters may add.
fn one_of(missing: &[&str]) -> String {
    match missing {
        [first, second] => format!("mettez-y {first} ou {second}"),
        more => format!("mettez-y deux sortes de caractères de plus\u{a0}: {}", more.join(", ")),
    }
}

/// How many things somebody has to guess: a known word, a year or a sequence counts as one, any other
/// character too.
fn pieces(password: &str, known: &[&str]) -> usize {
    let letters = guessed_first(password);
    // `mot-de-passe` is no better than `motdepasse`.
    let tight: Vec<char> = letters.iter().copied().filter(|letter| !matches!(letter, '-' | '_' | '.' | ' ')).collect();
    whole(&letters, known).min(whole(&tight, known))
}

fn whole(letters: &[char], known: &[&str]) -> usize {
    match period(letters) {
        Some(unit) => count(letters.get(..unit).unwrap_or_default(), known) + 1,
        None => count(letters, known),
    }
}

/// The shortest beginning that, repeated, makes the whole.
fn period(letters: &[char]) -> Option<usize> {
    (1..=letters.len() / 2).find(|unit| letters.iter().zip(letters.iter().skip(*unit)).all(|(one, next)| one == next))
}

fn count(letters: &[char], known: &[&str]) -> usize {
    let words = words(known);
    let mut at = 0;
    let mut pieces = 0;
    while let Some(rest) = letters.get(at..).filter(|rest| !rest.is_empty()) {
        let word = words.iter().filter(|word| rest.starts_with(word)).map(Vec::len).max().unwrap_or(0);
        at += word.max(year(rest)).max(sequence(rest)).max(1);
        pieces += 1;
    }
    pieces
}

fn words(known: &[&str]) -> Vec<Vec<char>> {
    let common = COMMON.lines().map(str::to_owned);
    let own = known
        .iter()
        .flat_map(|text| french::fold(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.chars().count() >= 3);
    common.chain(own).map(|word| guessed_first(&word)).collect()
}

/// As programs that guess see it: no accents, no capitals, `@` and `4` for `a`…
fn guessed_first(text: &str) -> Vec<char> {
    let plain = |letter: char| letter.nfd().next().unwrap_or(letter).to_lowercase().next().unwrap_or(letter);
    let written = |letter: char| match letter {
        '@' | '4' => 'a',
        '0' => 'o',
        '1' | '!' | 'l' => 'i',
        '3' => 'e',
        '5' | '$' => 's',
        other => other,
    };
    text.chars().map(|letter| written(plain(letter))).collect()
}

/// Length of a year at the beginning: 1900 to 2099, once written by [`guessed_first`].
fn year(letters: &[char]) -> usize {
    let digit = |letter: &char| letter.is_ascii_digit() || matches!(letter, 'a' | 'o' | 'i' | 'e' | 's');
    let century = matches!(letters, ['i', '9', ..] | ['2', 'o', ..]);
    if century && letters.len() >= 4 && letters.iter().take(4).all(digit) { 4 } else { 0 }
}

/// Length of a run at the beginning (3 or more): `aaaa`, `abcd`, `7654`, `azer`, `qsdf`.
fn sequence(letters: &[char]) -> usize {
    let Some(first) = letters.first() else { return 0 };
    let same = letters.iter().take_while(|letter| *letter == first).count();
    let rows = [
        "abcdefghijklmnopqrstuvwxyz",
        "0123456789",
        "azertyuiop",
        "qsdfghjklm",
        "wxcvbn",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        // Columns and zigzags of a keyboard.
        "1qaz2wsx3edc4rfv5tgb6yhn",
        "1aqw2zsx3edc4rfv5tgb6yhn",
        "1qazxsw23edcvfr4",
        "zaq12wsxcde34rfv",
        "zaq1xsw2cde3vfr4",
        "qazwsxedcrfvtgb",
        "qazxswedcvfrtgb",
        "zaqwsxcderfv",
        "qawsedrftgyh",
        "qwaszxerdfcv",
        "1q2w3e4r5t6y7u8i9o0p",
        "q1w2e3r4t5y6u7i8o9p0",
        "1a2z3e4r5t6y7u8i9o0p",
        "a1z2e3r4t5y6u7i8o9p0",
        "a1s2d3f4g5h6",
        "1a2s3d4f5g6h7j8k9l",
        "z1x2c3v4b5n6m7",
        "12qw34er56ty",
        "1qa2ws3ed4rf5tg",
        "qaz123wsx456",
    ];
    let along = rows.iter().flat_map(|row| {
        let row = guessed_first(row);
        let back: Vec<char> = row.iter().rev().copied().collect();
        [row, back]
    });
    let longest = along.map(|row| common_run(letters, &row)).max().unwrap_or(0).max(same);
    if longest >= 3 { longest } else { 0 }
}

/// How far the letters follow the row from wherever their first one stands in it.
fn common_run(letters: &[char], row: &[char]) -> usize {
    let starts = row.iter().enumerate().filter(|(_, letter)| letters.first() == Some(letter)).map(|(at, _)| at);
    starts.map(|at| row.iter().skip(at).zip(letters).take_while(|(one, other)| one == other).count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["Camille", "Moreau-Durand", "c.moreau", "Ville de Valmont"];

    fn refused(text: &str) -> String {
        password(text, &KNOWN).expect_err(text)
    }

    #[test]
    fn passwords_worth_keeping() {
        for good in [
            "cheval agrafe tulipe",
            "les girafes aiment",
            "un deux trois nous irons au bois",
            "Tr0ub4d&r",
            "kX9#vBq2",
            "8fh2kd93js0w",
            "правильный конь",
            "6031 4478 2295 8801",
            "6031447822958801",
        ] {
            assert_eq!(password(good, &KNOWN), Ok(()), "{good}");
        }
    }

    #[test]
    fn passwords_that_are_tried_first() {
        for bad in [
            "motdepasse123",
            "MotDePasse2026!",
            "M0t-d3-p4ss3",
            "Azerty123456!",
            "azertyuiopqs",
            "aaaaaaaaaaaa",
            "abcabcabcabcabc",
            "Abcdefgh1!",
            "Camille-1978",
            "MoreauCamille",
            "camille.moreau",
            "Valmont2026!",
            "Soleil123456",
            "P@ssw0rd2024",
            "1234567890123456",
            "9876543210987654",
            "1qaz2wsx3edc",
            "1aqw2zsx3edc",
            "finalfantasy",
            "Christopher1!",
        ] {
            assert!(refused(bad).contains("trop facile à deviner"), "{bad}: {}", refused(bad));
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(refused(""), "Choisissez un mot de passe");
        assert!(refused("Kx9#vBq").contains("trop court"));
        assert_eq!(
            refused("kxqvbzfh9"),
            "Ajoutez 3 caractères à votre mot de passe, ou mettez-y une majuscule ou un signe"
        );
        assert_eq!(
            refused("kxqvbzfhwpd"),
            "Ajoutez 1 caractère à votre mot de passe, ou mettez-y deux sortes de caractères de plus\u{a0}: une majuscule, un chiffre, un signe"
        );
        assert!(refused("603144782295").contains("chiffres seulement"));
        assert!(refused(&"kX9#".repeat(51)).contains("200 caractères au plus"));
        assert_eq!(password(&"kX9#vBq2".repeat(25), &[]), Ok(()));
    }

    #[test]
    fn what_is_known_of_a_person_depends_on_the_person() {
        assert_eq!(password("brunehilde-8", &["Ali"]), Ok(()));
        assert!(password("brunehilde-8", &["Brunehilde"]).is_err());
        // Too short a name says nothing: it is in every word.
        assert_eq!(password("les girafes aiment", &["Le", "Ai"]), Ok(()));
    }

    #[test]
    fn two_spellings_are_one_address() {
        assert_eq!(email_key(" Camille@Exemple.FR "), email_key("camille@exemple.fr"));
        assert_eq!(email(" camille@Exemple.FR "), Ok("camille@exemple.fr".into()));
        for bad in ["", "camille", "a b@c.fr", "a@b", "a@b.fr, c@d.fr", "a@b.fr\n", "é@b.fr"] {
            assert!(email(bad).is_err() || bad.trim() != bad, "{bad}");
        }
    }

    #[test]
    fn people_have_names() {
        let read = |first: &str, last: &str| {
            let (mut typed, mut wrong) = (Raw::default(), Vec::new());
            typed.set("prenom", first);
            typed.set("nom", last);
            let identity = identity(&typed, &mut wrong);
            (identity.first_name, identity.last_name, wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>())
        };
        assert_eq!(read(" Zoë ", "d’Ornano-Lê"), ("Zoë".into(), "d’Ornano-Lê".into(), vec![]));
        assert_eq!(read("", "Suharto").2, Vec::<&str>::new());
        assert_eq!(read("Léa", "").2, ["nom"]);
        assert_eq!(read("http://x.fr", "<b>").2, ["prenom", "nom"]);
        assert_eq!(read("Léa", &"a".repeat(101)).2, ["nom"]);
    }

    #[test]
    fn telephones_may_be_left_out() {
        assert_eq!(phone(""), Ok(None));
        assert_eq!(phone("06 39 98 12 34"), Ok(Some("+33639981234".into())));
        assert!(phone("12").is_err());
    }

    proptest::proptest! {
        #[test]
        fn judging_never_fails(text in "\\PC{0,60}", name in "\\PC{0,20}") {
            let _ = password(&text, &[&name]);
        }

        #[test]
        fn what_is_accepted_is_long_and_not_a_repetition(text in "[a-c1!A]{0,20}") {
            if password(&text, &[]).is_ok() {
                proptest::prop_assert!(text.chars().count() >= SHORT);
                let first = text.chars().next();
                proptest::prop_assert!(text.chars().any(|letter| Some(letter) != first));
            }
        }
    }
}
