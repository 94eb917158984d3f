//! How a procedure file's options reach a kind: the loader answers by key, the kind says what is
//! wrong, and the loader turns that into a finding with its line and column.

use std::{fmt, str::FromStr};

use jiff::{Span, ToSpan, civil::Date};
use rust_decimal::Decimal;

use super::Today;
use crate::{
    expr::{Expr, Type},
    model::Field,
};

/// The options written under a field. A getter answers `None` when the key is absent; when its
/// value has another shape, the loader reports that itself and answers `None` too.
pub trait Options {
    fn text(&mut self, key: &str) -> Option<String>;
    fn integer(&mut self, key: &str) -> Option<i64>;
    fn decimal(&mut self, key: &str) -> Option<Decimal>;
    fn flag(&mut self, key: &str) -> Option<bool>;
    /// A mapping of ids to labels, in the order of the file.
    fn pairs(&mut self, key: &str) -> Option<Vec<(String, String)>>;
    /// Fields of a group, shared blocks already in place.
    fn fields(&mut self, key: &str) -> Option<Vec<Field>>;
    /// `{min, max, title}`.
    fn rows(&mut self, key: &str) -> Option<(u32, u32, String)>;
    /// An expression over the fields that come before, of this type when one is given.
    fn expr(&mut self, key: &str, wanted: Option<&Type>) -> Option<Expr>;
    /// A day, read by [`DayBound::from_str`].
    fn day(&mut self, key: &str) -> Option<DayBound>;
    /// The value under `key` will not do; `message` is a French sentence with its full stop.
    fn wrong(&mut self, key: &str, message: &str);
    /// `key` is missing, or its value could not be read (the loader then says nothing more).
    fn required(&mut self, key: &str);
}

/// A limit of a date: a day, or some time from the day of the answer. Written as an ISO date,
/// `today`, `today - 18 years`, `today + 3 months` (days, weeks, months, years).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayBound {
    On(Date),
    /// Signed number of units from today.
    FromToday(i32, DayUnit),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayUnit {
    Days,
    Weeks,
    Months,
    Years,
}

/// The text is no day bound; displays as a French sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Écrivez une date comme 2026-09-01, « today », « today - 18 years » ou « today + 3 months »")]
pub struct NotADay;

impl DayBound {
    /// The day it stands for today; the calendar's first or last day when it falls outside.
    pub fn resolve(self, today: Today) -> Date {
        match self {
            Self::On(day) => day,
            Self::FromToday(count, unit) => today.0.saturating_add(unit.span(count)),
        }
    }
}

impl DayUnit {
    const NAMES: [(&'static str, Self); 4] =
        [("day", Self::Days), ("week", Self::Weeks), ("month", Self::Months), ("year", Self::Years)];

    fn span(self, count: i32) -> Span {
        // `FromStr` keeps counts within four digits, which every unit accepts.
        let count = count.clamp(-9_999, 9_999);
        match self {
            Self::Days => count.days(),
            Self::Weeks => count.weeks(),
            Self::Months => count.months(),
            Self::Years => count.years(),
        }
    }
}

impl FromStr for DayBound {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        if let Some(day) = iso_day(text.trim()) {
            return Ok(Self::On(day));
        }
        let spaced = text.replace('-', " - ").replace('+', " + ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        match words.as_slice() {
            ["today"] => Ok(Self::FromToday(0, DayUnit::Days)),
            ["today", sign @ ("+" | "-"), count, unit] if count.len() <= 4 => {
                let count: u16 = count.parse().map_err(|_| NotADay)?;
                let singular = unit.strip_suffix('s').unwrap_or(unit);
                let (_, unit) = DayUnit::NAMES.into_iter().find(|(name, _)| *name == singular).ok_or(NotADay)?;
                let count = i32::from(count);
                Ok(Self::FromToday(if *sign == "-" { -count } else { count }, unit))
            }
            _ => Err(NotADay),
        }
    }
}

impl fmt::Display for DayBound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => write!(out, "{day}"),
            Self::FromToday(0, _) => out.write_str("today"),
            Self::FromToday(count, unit) => {
                let sign = if *count < 0 { '-' } else { '+' };
                let name = DayUnit::NAMES.into_iter().find(|(_, it)| it == unit).map_or("day", |(name, _)| name);
                write!(out, "today {sign} {} {name}s", count.unsigned_abs())
            }
        }
    }
}

/// Exactly `2026-03-27`: the shape of stored answers and of procedure files.
pub fn iso_day(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shape { text.parse().ok() } else { None }
}
