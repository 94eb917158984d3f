//! Changing the address of an account: both the new address and the former one have to agree, by a link each.
//! Either may refuse. Who no longer reads the former mailbox comes to the counter, where an agent agrees in
//! its place after checking their identity; that mailbox is told, and may still refuse.

pub mod counter;
pub mod pages;
pub mod store;

use jiff::SignedDuration;

/// How long both addresses have to agree.
pub const LASTS: SignedDuration = SignedDuration::from_hours(72);

/// One of the two mailboxes that have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    New,
    Old,
}

/// What an answer made of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has yet to agree.
    Waits(Side),
    Done,
    Refused(Side),
}

/// What becomes of a change when `side` answers; `other` says whether the other side has agreed.
pub fn outcome(side: Side, agrees: bool, other: bool) -> Outcome {
    match (agrees, other, side) {
        (false, ..) => Outcome::Refused(side),
        (true, true, _) => Outcome::Done,
        (true, false, Side::New) => Outcome::Waits(Side::Old),
        (true, false, Side::Old) => Outcome::Waits(Side::New),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agree_or_either_refuses() {
        for side in [Side::New, Side::Old] {
            assert_eq!(outcome(side, true, true), Outcome::Done);
            assert_eq!(outcome(side, false, true), Outcome::Refused(side));
            assert_eq!(outcome(side, false, false), Outcome::Refused(side));
        }
        assert_eq!(outcome(Side::New, true, false), Outcome::Waits(Side::Old));
        assert_eq!(outcome(Side::Old, true, false), Outcome::Waits(Side::New));
    }
}
