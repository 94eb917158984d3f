//! What can go wrong, in words that mean the same on both engines.

/// Messages never hold a value of the database or of a parameter: they end up in logs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no such row")]
    NotFound,
    /// A unique index or a primary key refuses the row. `constraint` is the name PostgreSQL gives:
    /// the index's own name, `TABLE_pkey`, or `TABLE_COLUMN_COLUMN_key` for an inline `unique (…)`.
    #[error("already there: {constraint}")]
    Unique { constraint: String },
    #[error("a foreign key refuses")]
    ForeignKey,
    /// Two transactions stood in each other's way. `Db::write` has already tried again.
    #[error("two transactions stood in each other's way")]
    Serialization,
    /// The connection broke; nothing was committed. Reads and `Db::write` have already tried again.
    #[error("the connection to the database broke: {0}")]
    Lost(String),
    /// The disk is full, the database is down or overloaded, or nobody knows whether a commit
    /// arrived. Answer 503 and say so.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    #[error("cannot read a row: {0}")]
    Decode(String),
    #[error("database: {0}")]
    Other(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// True when the unique constraint of this name refused the row, on either engine.
    #[must_use]
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Unique { constraint } if constraint == name)
    }

    /// True when the fault lies with the machine, not with the request: worth a 503.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unavailable(_) | Self::Serialization)
    }

    /// True when the same work may succeed if it is simply done again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Serialization | Self::Lost(_))
    }

    /// Says which statement it was.
    pub(crate) fn at(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Decode(text) => Self::Decode(format!("{place}: {text}")),
            Self::Other(text) => Self::Other(format!("{place}: {text}")),
            other => other,
        }
    }
}
