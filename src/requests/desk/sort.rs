//! In what order a list comes, and how its pages follow one another: each page begins beside a line of the one before
//! (keyset), so that an index gives it in order however far it is.

use db::{Query, args};
use jiff::Timestamp;
use uuid::Uuid;

use super::store::Line;
use crate::{requests::model::Request, visit::Agent};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Due,
    Sent,
    /// The last entry of the history.
    Active,
    /// The filer's name.
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: By,
    /// The latest, or the last of the alphabet, first.
    pub down: bool,
}

impl Sort {
    /// Soonest first.
    pub const DUE: Self = Self { by: By::Due, down: false };
    /// Latest first.
    pub const SENT: Self = Self { by: By::Sent, down: true };
    const EACH: [(&'static str, Self); 8] = [
        ("echeance", Self::DUE),
        ("echeance-desc", Self { by: By::Due, down: true }),
        ("depot", Self::SENT),
        ("depot-asc", Self { by: By::Sent, down: false }),
        ("activite", Self { by: By::Active, down: true }),
        ("activite-asc", Self { by: By::Active, down: false }),
        ("nom", Self { by: By::Name, down: false }),
        ("nom-desc", Self { by: By::Name, down: true }),
    ];

    pub fn id(self) -> &'static str {
        Self::EACH.iter().find(|(_, sort)| *sort == self).map_or("", |(id, _)| id)
    }

    pub fn named(id: &str) -> Option<Self> {
        Self::EACH.iter().find(|(known, _)| *known == id).map(|(_, sort)| *sort)
    }

    /// As `aria-sort` says it.
    pub fn words(self) -> &'static str {
        if self.down { "descending" } else { "ascending" }
    }

    /// Where the head of a column leads: its own order first, then the other way round.
    pub fn next(self, by: By) -> Self {
        let first = Self::EACH.iter().map(|(_, sort)| *sort).find(|sort| sort.by == by).unwrap_or(self);
        if self.by == by { Self { down: !self.down, ..self } } else { first }
    }

    /// The place of a request in this order: see [`Cursor`].
    pub fn at(self, request: &Request) -> i64 {
        match self.by {
            By::Due => request.due_at.as_microsecond(),
            By::Sent => request.submitted_at.as_microsecond(),
            By::Active => request.active_at.as_microsecond(),
            By::Name => 0,
        }
    }
}

impl Line {
    /// Its place in the order of the list: see [`Cursor`].
    pub fn at(&self, sort: Sort) -> i64 {
        match (self.number, sort.by) {
            (0, By::Due) => self.due_at.as_microsecond(),
            (0, By::Sent) => self.submitted_at.as_microsecond(),
            (0, By::Active) => self.active_at.as_microsecond(),
            (number, _) => number,
        }
    }
}

/// The line beside which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// A time in microseconds or, in a search, the number of the request in the index; nothing in the order of names,
    /// where no address tells the name: the request is asked for it.
    pub at: i64,
    pub id: Uuid,
    /// Towards the end of the list.
    pub forward: bool,
}

impl Cursor {
    pub fn parse(text: &str, forward: bool) -> Option<Self> {
        let (at, id) = text.split_once('_')?;
        Some(Self { at: at.parse().ok()?, id: id.parse().ok()?, forward })
    }
}

/// An order as SQL, over `request r` in each place, then over the keys `t` of all.
pub struct Order {
    by: By,
    /// The column, read as `at`.
    pub at: &'static str,
    beyond: &'static str,
    pub inside: &'static str,
    pub keys: &'static str,
    pub outside: &'static str,
}

macro_rules! both_ways {
    ($by:expr, $column:literal, $from:literal) => {
        [
            Order {
                by: $by,
                at: $column,
                beyond: concat!("(", $column, ", r.id) > (", $from, ", {})"),
                inside: concat!(" order by ", $column, ", r.id"),
                keys: " order by at, id",
                outside: " order by t.at, t.id",
            },
            Order {
                by: $by,
                at: $column,
                beyond: concat!("(", $column, ", r.id) < (", $from, ", {})"),
                inside: concat!(" order by ", $column, " desc, r.id desc"),
                keys: " order by at desc, id desc",
                outside: " order by t.at desc, t.id desc",
            },
        ]
    };
}

impl Order {
    /// `forward`: from the beginning of the list on.
    pub fn of(sort: Sort, forward: bool) -> Self {
        let [up, down] = match sort.by {
            By::Due => both_ways!(By::Due, "r.due_at", "{}"),
            By::Sent => both_ways!(By::Sent, "r.submitted_at", "{}"),
            By::Active => both_ways!(By::Active, "r.active_at", "{}"),
            By::Name => both_ways!(
                By::Name,
                "r.filer_key",
                "coalesce((select k.filer_key from request k where k.authority_id = {} and k.id = {}), '')"
            ),
        };
        if sort.down == forward { down } else { up }
    }

    /// Restricts a query on `request r` to what follows the cursor.
    pub fn from(&self, query: Query, agent: &Agent, cursor: Option<Cursor>) -> Query {
        let Some(Cursor { at, id, .. }) = cursor else { return query };
        if self.by == By::Name {
            return query.and_args(self.beyond, args![agent.db.authority(), id, id]);
        }
        // None when the address was made up.
        match Timestamp::from_microsecond(at) {
            Ok(at) => query.and_args(self.beyond, args![at, id]),
            Err(_) => query,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_has_its_name_and_its_reverse() {
        for (id, sort) in Sort::EACH {
            assert_eq!((Sort::named(id), sort.id()), (Some(sort), id));
            assert_eq!(sort.next(sort.by).next(sort.by), sort, "there and back");
        }
        assert_eq!(Sort::DUE.next(By::Sent), Sort::SENT);
        assert_eq!(Sort::SENT.next(By::Name).id(), "nom");
        assert_eq!(Sort::named("x"), None);
    }

    #[test]
    fn a_cursor_is_read_or_is_none() {
        let cursor = Cursor::parse(&format!("12_{}", Uuid::from_u128(3)), true);
        assert_eq!(cursor, Some(Cursor { at: 12, id: Uuid::from_u128(3), forward: true }));
        assert_eq!(Cursor::parse("12_nothing", true), None);
    }
}
