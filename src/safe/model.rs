//! A safe and its documents as they are stored, and the rules that need no database.

use db::row;
use jiff::{SignedDuration, Timestamp, civil::Date};
use uuid::Uuid;

use super::kinds;
use crate::platform::secret;

/// An open safe closes when it is not used for this long.
pub const STAYS_OPEN: SignedDuration = SignedDuration::from_mins(30);

/// Most documents of one safe: a page lists them all.
pub const MOST: i64 = 500;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 120;

/// Clear characters of a recovery code: 29^30 codes are some 145 bits.
pub const CODE_LENGTH: usize = 30;

row! {
    #[derive(Debug, Clone)]
    pub struct Safe {
        id: Uuid,
        recipient: String,
    }

    /// The key sealed under a secret.
    #[derive(Debug, Clone)]
    pub struct Wrap {
        salt: Vec<u8>,
        sealed: Vec<u8>,
        /// The account's password is another one since.
        stale: bool,
    }

    /// The key sealed under what a passkey derives from the salt.
    #[derive(Debug, Clone)]
    pub struct KeyWrap {
        passkey_id: Uuid,
        salt: Vec<u8>,
        sealed: Vec<u8>,
        made_at: Timestamp,
    }

    #[derive(Debug, Clone)]
    pub struct Document {
        id: Uuid,
        kind: String,
        /// See [`super::crypt::Label`].
        label: Vec<u8>,
        size: i64,
        issued_on: Date,
        until_on: Option<Date>,
        deposit: Option<String>,
        added_at: Timestamp,
    }
}

/// What opens a safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Password,
    /// The code that the owner of an account without password chose.
    Own,
    /// The recovery code.
    Code,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Own => "own",
            Self::Code => "code",
        }
    }
}

impl Document {
    pub fn until(&self) -> Option<Date> {
        self.until_on.or_else(|| kinds::of(&self.kind).validity.until(self.issued_on))
    }

    pub fn outdated(&self, today: Date) -> bool {
        self.until().is_some_and(|until| until < today)
    }
}

/// A code as it is printed: by five.
pub fn printed(code: &str) -> String {
    secret::grouped(code, 5)
}

/// A code as it was made, whatever its case, spaces and dashes; none when it is no code.
pub fn regular_code(typed: &str) -> Option<String> {
    let code = secret::regular(typed);
    let separators = typed.chars().all(|letter| letter.is_ascii_alphanumeric() || " -\u{a0}\u{2011}".contains(letter));
    (separators && code.len() == CODE_LENGTH).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = "23456789ACDEFGHJKLMNPQRTUVWXYZ";
        assert_eq!(printed(code), "23456-789AC-DEFGH-JKLMN-PQRTU-VWXYZ");
        assert_eq!(regular_code(&printed(code).to_lowercase()).as_deref(), Some(code));
        assert_eq!(regular_code(&printed(code).replace('-', " ")).as_deref(), Some(code));
        assert_eq!(regular_code(&code[1..]), None);
        assert_eq!(regular_code("un ancien mot de passe, de 30 lettres"), None);
    }
}
