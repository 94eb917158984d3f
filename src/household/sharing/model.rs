//! Who sees whom.

use db::row;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use crate::household::model::{Member, Relation, Standing};

/// Invitations and shares that one account may have begun.
pub const MOST: i64 = 20;
/// How long an invitation may be accepted.
pub const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);

row! {
    #[derive(Debug, Clone)]
    pub struct Share {
        id: Uuid,
        owner_id: Uuid,
        owner_name: String,
        email: String,
        /// Both whole households, or some children of the owner's.
        whole: bool,
        created_at: Timestamp,
        accepted_at: Option<Timestamp>,
        expires_at: Timestamp,
        guest_id: Option<Uuid>,
        guest_name: Option<String>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Invited,
    /// Nobody accepted in time.
    Expired,
    Accepted,
}

impl Share {
    pub fn state(&self, now: Timestamp) -> State {
        match self.guest_id {
            Some(_) => State::Accepted,
            None if self.expires_at <= now => State::Expired,
            None => State::Invited,
        }
    }

    /// The other one, for `me`: the account and its name; none until somebody has accepted.
    pub fn other(&self, me: Uuid) -> Option<(Uuid, &str)> {
        let guest = (self.guest_id?, self.guest_name.as_deref().unwrap_or_default());
        Some(if self.owner_id == me { guest } else { (self.owner_id, self.owner_name.as_str()) })
    }
}

/// Somebody of another's household, for who sees them.
#[derive(Debug, Clone)]
pub struct Shared {
    pub member: Member,
    /// Who declared them.
    pub by: String,
}

/// Whether a share shows a member of the one to the other, today. `named`: one of the children that an invitation
/// names. A child is shown until 18 and while alive; somebody under protection is nobody's business.
pub fn shows(whole: bool, named: bool, member: &Member, today: Date, zone: &TimeZone) -> bool {
    let alive = member.standing(today, zone) == Standing::Proposed;
    alive && member.relation() != Relation::Protected && (whole || (named && may_be_named(member, today, zone)))
}

/// Whether an invitation may name this member: their child, as long as they say that they exercise authority.
pub fn may_be_named(member: &Member, today: Date, zone: &TimeZone) -> bool {
    let standing = member.standing(today, zone);
    member.relation() == Relation::Child && member.responsible == Some(true) && standing == Standing::Proposed
}
