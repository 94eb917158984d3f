//! Time and identifiers come from here, so that tests decide them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Microseconds since 1970, moved by tests.
    Set(Arc<AtomicI64>),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    pub fn now(&self) -> Timestamp {
        // Whole microseconds: what both databases keep, so that a time read back equals the one written.
        let micros = match self {
            Self::System => Timestamp::now().as_microsecond(),
            Self::Set(micros) => micros.load(Ordering::Relaxed),
        };
        Timestamp::from_microsecond(micros).unwrap_or_default()
    }

    /// An identifier that sorts by time.
    pub fn id(&self) -> Uuid {
        id()
    }
}

/// The same, where no clock is at hand.
#[expect(clippy::disallowed_methods, reason = "this is where identifiers come from")]
pub fn id() -> Uuid {
    Uuid::now_v7()
}

/// The civil time zone of an authority.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

pub fn day(now: Timestamp, zone: &TimeZone) -> Date {
    now.to_zoned(zone.clone()).date()
}
