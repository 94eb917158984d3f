//! Codes of six digits that an authenticator application and we compute alike from a shared secret and the
//! time (RFC 6238, with what every application understands: SHA-1, 6 digits, 30 seconds).

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::platform::encode;

/// RFC 4226 asks for 160 bits.
pub const SECRET_LENGTH: usize = 20;
const STEP_SECONDS: i64 = 30;
/// How many steps a telephone's clock may be off, each way: two minutes.
const SKEW: i64 = 4;
const DIGITS: usize = 6;

/// The number of the step of 30 seconds.
pub fn step(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP_SECONDS)
}

/// The code of one step.
pub fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // Dynamic truncation (RFC 4226, 5.3): the last four bits say where to read 31 bits.
    let at = usize::from(tag.last().copied().unwrap_or_default() & 15);
    let number = tag.iter().skip(at).take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 1_000_000)
}

/// The step whose code was typed, among those that the two clocks allow and that are later than `last`.
pub fn matching(secret: &[u8], typed: &str, now: Timestamp, last: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    let here = step(now);
    (here - SKEW..=here + SKEW)
        .filter(|step| *step > last)
        .find(|step| code(secret, *step).as_bytes().ct_eq(typed.as_bytes()).into())
}

/// The secret as a person types it into an application: groups of four letters.
pub fn readable(secret: &[u8]) -> String {
    let text = BASE32_NOPAD.encode(secret);
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// What the square drawing says: the address that applications read.
pub fn address(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account) = (encode(issuer), encode(account));
    format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", BASE32_NOPAD.encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the RFCs' examples.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, of which applications show the last six digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step(at(seconds))), expected);
        }
        // RFC 4226, appendix D.
        assert_eq!(code(SECRET, 0), "755224");
        assert_eq!(code(SECRET, 9), "520489");
    }

    #[test]
    fn clocks_may_be_two_minutes_off_and_no_more() {
        let now = at(1_800_000_000);
        let here = step(now);
        for off in -6..=6 {
            let found = matching(SECRET, &code(SECRET, here + off), now, 0);
            assert_eq!(found, (off.abs() <= 4).then_some(here + off), "{off}");
        }
    }

    #[test]
    fn a_code_is_not_taken_again_nor_one_before_it() {
        let now = at(1_800_000_000);
        let here = step(now);
        assert_eq!(matching(SECRET, &code(SECRET, here), now, here), None);
        assert_eq!(matching(SECRET, &code(SECRET, here - 1), now, here), None);
        assert_eq!(matching(SECRET, &code(SECRET, here + 1), now, here), Some(here + 1));
    }

    #[test]
    fn codes_are_typed_in_several_ways() {
        let now = at(1_234_567_890);
        assert_eq!(matching(SECRET, " 005 924 ", now, 0), Some(step(now)));
        for wrong in ["", "5924", "0059240", "005924\u{661}", "OO5924"] {
            assert_eq!(matching(SECRET, wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn applications_are_told_whose_account_it_is() {
        assert_eq!(
            address(SECRET, "Ville de L’Haÿ", "a+b@exemple.fr"),
            "otpauth://totp/Ville%20de%20L%E2%80%99Ha%C3%BF:a%2Bb%40exemple.fr?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ville%20de%20L%E2%80%99Ha%C3%BF"
        );
        assert_eq!(readable(SECRET), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
