//! Accounts opened at the counter, for somebody who is there: a sign-in name made for them, and a printed code
//! with which they choose their password at home. Their address, if they gave one, counts once its mailbox has
//! agreed; several people may share one, none shares a sign-in name.

pub mod counter;
pub mod pages;
pub(super) mod store;

pub use store::drop;

use jiff::SignedDuration;

use crate::platform::{french, secret};

/// How long a printed code is good for.
const LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Letters of a code, in groups for the eye: 58 bits, slowed and kept like a password.
const LENGTH: usize = 12;
const GROUP: usize = 4;
/// Digits after the name: the same name is made again until it is free.
const DIGITS: usize = 4;
const LONGEST_PART: usize = 20;

/// « camille.moreau.2734 »: a sign-in name that can be read aloud, and is no address.
fn sign_in_name(first: &str, last: &str) -> String {
    let part = |text: &str| -> String {
        french::fold(text)
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(LONGEST_PART)
            .collect()
    };
    let parts: Vec<String> = [part(first), part(last)].into_iter().filter(|part| !part.is_empty()).collect();
    let name = if parts.is_empty() { "usager".to_owned() } else { parts.join(".") };
    let digits: String = std::iter::repeat_with(|| char::from(b'0' + rand::random::<u8>() % 10)).take(DIGITS).collect();
    format!("{name}.{digits}")
}

/// A new code: as it is kept before hashing, and as it is printed.
fn code() -> (String, String) {
    let code = secret::clear_text(LENGTH);
    let printed = secret::grouped(&code, GROUP);
    (code, printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_and_are_no_addresses() {
        let name = |first: &str, last: &str| {
            let name = sign_in_name(first, last);
            let (name, digits) = name.rsplit_once('.').unwrap();
            assert!(digits.len() == DIGITS && digits.chars().all(|digit| digit.is_ascii_digit()), "{digits}");
            name.to_owned()
        };
        assert_eq!(name("Zoë", "d’Ornano-Lê"), "zoe.d");
        assert_eq!(name("Camille Anne", "Moreau"), "camille.moreau");
        assert_eq!(name("", "Œuvrard"), "oeuvrard");
        assert_eq!(name("李", "王"), "usager");
        assert_eq!(name(&"a".repeat(99), "b").len(), LONGEST_PART + 2);
    }

    #[test]
    fn codes_are_typed_in_any_way() {
        let (code, printed) = code();
        assert_eq!((code.len(), printed.len()), (LENGTH, LENGTH + 2));
        assert_eq!(secret::regular(&printed.to_lowercase().replace('-', " ")), code);
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_never_an_address(first in "\\PC{0,30}", last in "\\PC{0,30}") {
            let name = sign_in_name(&first, &last);
            proptest::prop_assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '.'), "{}", name);
        }
    }
}
