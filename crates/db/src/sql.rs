//! Statements: written once, checked by a test, understood by both engines.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::value::{ToValue, Value};

/// Every `sql!` of the program, for [`Db::prepare_all`](crate::Db::prepare_all) and for tests that
/// look at the texts (does each statement on a tenant's table bind the authority?).
#[linkme::distributed_slice]
pub static STATEMENTS: [Statement];

/// One statement of the program; made by [`sql!`](crate::sql).
#[derive(Debug)]
pub struct Statement {
    pub postgres: &'static str,
    pub sqlite: &'static str,
    pub file: &'static str,
    pub line: u32,
    rewritten: OnceLock<String>,
    /// Took long last time: the SQLite engine then tells the runtime before it runs it.
    pub(crate) slow: AtomicBool,
}

/// What [`sql!`](crate::sql) gives.
pub type Sql = &'static Statement;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Statement {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(postgres: &'static str, sqlite: &'static str, file: &'static str, line: u32) -> Self {
        Self { postgres, sqlite, file, line, rewritten: OnceLock::new(), slow: AtomicBool::new(false) }
    }

    pub(crate) fn text(&'static self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Postgres => self.postgres,
            Dialect::Sqlite => self.rewritten.get_or_init(|| for_sqlite(self.sqlite)),
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One SQL text for both engines, with `$1`, `$2`… in any order. `for update [skip locked]` is meant
/// for PostgreSQL and left out on SQLite, which has one writer. Never use `now()`: bind the clock's time.
///
/// Give PostgreSQL a type where it cannot guess one: `cast($1 as bigint) is null or …`.
#[macro_export]
macro_rules! sql {
    ($text:expr) => {
        $crate::sql_pg_sqlite!(pg: $text, sqlite: $text)
    };
}

/// For the few statements that differ.
#[macro_export]
macro_rules! sql_pg_sqlite {
    (pg: $pg:expr, sqlite: $sqlite:expr $(,)?) => {{
        #[$crate::linkme::distributed_slice($crate::STATEMENTS)]
        #[linkme(crate = $crate::linkme)]
        static STATEMENT: $crate::Statement = $crate::Statement::new($pg, $sqlite, file!(), line!());
        &STATEMENT
    }};
}

/// SQLite takes `$2` for a *name* and numbers names as they come, so `set a = $2 where id = $1` would
/// bind the wrong way round and silently change nothing: `$n` becomes `?n`. Strings, quoted names and
/// comments stay as they are.
pub(crate) fn for_sqlite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before_word = !out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        let taken = if let Some(length) = opaque(rest) {
            out.push_str(rest.get(..length).unwrap_or_default());
            length
        } else if before_word && let Some(digits) = parameter(rest) {
            out.push('?');
            out.push_str(digits);
            1 + digits.len()
        } else if before_word && let Some(length) = row_lock(rest) {
            length
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Length of the string, quoted name or comment that begins here. A doubled quote reads as two
/// strings side by side, which comes to the same.
fn opaque(rest: &str) -> Option<usize> {
    let end = |from: usize, mark: &str| {
        rest.get(from..).and_then(|tail| tail.find(mark)).map_or(rest.len(), |at| from + at + mark.len())
    };
    match rest.as_bytes() {
        [b'\'', ..] => Some(end(1, "'")),
        [b'"', ..] => Some(end(1, "\"")),
        [b'-', b'-', ..] => Some(end(2, "\n")),
        [b'/', b'*', ..] => Some(end(2, "*/")),
        _ => None,
    }
}

fn parameter(rest: &str) -> Option<&str> {
    let tail = rest.strip_prefix('$')?;
    let digits = tail.get(..tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()))?;
    (!digits.is_empty()).then_some(digits)
}

/// Length of a row lock clause that begins here.
fn row_lock(rest: &str) -> Option<usize> {
    let lock = phrase(rest, "for no key update").or_else(|| phrase(rest, "for update"))?;
    let after = rest.get(lock..)?;
    let spaces = after.len() - after.trim_start().len();
    let wait = after.get(spaces..).and_then(|tail| phrase(tail, "skip locked").or_else(|| phrase(tail, "nowait")));
    Some(lock + wait.map_or(0, |length| spaces + length))
}

/// Length of these words at the start of `rest`, whatever their case and the space between them.
fn phrase(rest: &str, words: &str) -> Option<usize> {
    let mut at = 0;
    for (index, word) in words.split(' ').enumerate() {
        let tail = rest.get(at..)?;
        let spaces = tail.len() - tail.trim_start().len();
        if (spaces == 0) != (index == 0) {
            return None;
        }
        at += spaces;
        let found = rest.get(at..at + word.len())?;
        if !found.eq_ignore_ascii_case(word) {
            return None;
        }
        at += word.len();
    }
    let ends = !rest.get(at..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ends.then_some(at)
}

/// A statement with optional parts, for lists with filters. Every part is a text of the program, so
/// nothing a user wrote can become SQL; `{}` marks a value.
///
/// ```
/// # use db::{Query, args};
/// # let (state, text): (Option<&str>, Option<&str>) = (Some("new"), None);
/// let query = Query::new("select id, title from request r where r.authority_id = {}")
///     .bind(uuid::Uuid::nil())
///     .and_some("r.state = {}", state)
///     .and_some("r.title like {}", text)
///     .and_in("r.department", &["a", "b"])
///     .push(" order by r.id limit 50");
/// ```
/// Then `db.all::<Line>(query, args![])`.
#[derive(Debug, Clone)]
pub struct Query {
    head: Head,
    tail: String,
    args: Vec<Value>,
    problem: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Head {
    Fixed(Sql),
    Text(&'static Location<'static>),
}

impl Query {
    /// Begins with this text; its `{}` are filled by [`bind`](Self::bind), in order.
    #[track_caller]
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self { head: Head::Text(Location::caller()), tail: text.to_owned(), args: Vec::new(), problem: None }
    }

    /// Begins with a `sql!` (checked by `prepare_all`) and its parameters.
    #[must_use]
    pub fn from_sql(sql: Sql, args: Vec<Value>) -> Self {
        Self { head: Head::Fixed(sql), tail: String::new(), args, problem: None }
    }

    /// Fills the next `{}` that is still open.
    #[must_use]
    pub fn bind(mut self, value: impl ToValue) -> Self {
        if self.tail.contains("{}") {
            self.args.push(value.to_value());
            self.tail = self.tail.replacen("{}", &format!("${}", self.args.len()), 1);
        } else {
            self.problem = Some("more values than {} in a Query");
        }
        self
    }

    /// Adds a text without values.
    #[must_use]
    pub fn push(mut self, text: &'static str) -> Self {
        self.tail.push_str(text);
        self
    }

    /// Adds a text whose `{}` all stand for this value.
    #[must_use]
    pub fn push_with(mut self, text: &'static str, value: impl ToValue) -> Self {
        if !text.contains("{}") {
            self.problem = Some("no {} for a value in a Query");
            return self;
        }
        self.args.push(value.to_value());
        self.tail.push_str(&text.replace("{}", &format!("${}", self.args.len())));
        self
    }

    /// `and (condition)`, whose `{}` all stand for this value.
    #[must_use]
    pub fn and(self, condition: &'static str, value: impl ToValue) -> Self {
        self.push(" and (").push_with(condition, value).push(")")
    }

    /// [`and`](Self::and), if there is a value.
    #[must_use]
    pub fn and_some(self, condition: &'static str, value: Option<impl ToValue>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }

    /// `and (condition)` with one value for each `{}`: `("(created_at, id) < ({}, {})", args![a, b])`.
    #[must_use]
    pub fn and_args(self, condition: &'static str, args: Vec<Value>) -> Self {
        let query = self.push(" and (").push(condition).push(")");
        args.into_iter().fold(query, Self::bind)
    }

    /// `and column in (…)`; nothing matches an empty list. The list is filled up to a power of two by
    /// repeating its last value, so that few different texts exist to be prepared.
    #[must_use]
    pub fn and_in<T: ToValue>(mut self, column: &'static str, values: &[T]) -> Self {
        let Some(last) = values.last() else { return self.push(" and 1 = 0") };
        self.tail.push_str(" and ");
        self.tail.push_str(column);
        for index in 0..values.len().next_power_of_two() {
            self.args.push(values.get(index).unwrap_or(last).to_value());
            self.tail.push_str(if index == 0 { " in ($" } else { ", $" });
            self.tail.push_str(&self.args.len().to_string());
        }
        self.push(")")
    }

    /// The parameters given at the call come after those of a `sql!`; a built query has its own.
    pub(crate) fn finish(mut self, args: Vec<Value>) -> Result<Self> {
        if self.args.is_empty() {
            self.args = args;
        } else if !args.is_empty() {
            self.problem = Some("a Query brings its own values: pass args![]");
        }
        if self.tail.contains("{}") {
            self.problem = Some("fewer values than {} in a Query");
        }
        for value in &self.args {
            if let Value::Refused(reason) = value {
                self.problem = Some(reason);
            }
        }
        match self.problem {
            Some(problem) => Err(Error::Other(format!("{}: {problem}", self.place()))),
            None => Ok(self),
        }
    }

    pub(crate) fn args(&self) -> &[Value] {
        &self.args
    }

    pub(crate) fn text(&self, dialect: Dialect) -> Cow<'static, str> {
        let tail = match dialect {
            Dialect::Postgres => self.tail.clone(),
            Dialect::Sqlite => for_sqlite(&self.tail),
        };
        match self.head {
            Head::Fixed(sql) if tail.is_empty() => sql.text(dialect).into(),
            Head::Fixed(sql) => (sql.text(dialect).to_owned() + &tail).into(),
            Head::Text(_) => tail.into(),
        }
    }

    /// File and line, for errors and slow-query warnings.
    pub(crate) fn place(&self) -> String {
        match self.head {
            Head::Fixed(sql) => sql.to_string(),
            Head::Text(at) => format!("{}:{}", at.file(), at.line()),
        }
    }

    /// Built queries are lists and searches: taken for slow until shown otherwise.
    pub(crate) fn is_slow(&self) -> bool {
        match self.head {
            Head::Fixed(sql) => sql.slow.load(Ordering::Relaxed),
            Head::Text(_) => true,
        }
    }

    pub(crate) fn set_slow(&self, slow: bool) {
        if let Head::Fixed(sql) = self.head {
            sql.slow.store(slow, Ordering::Relaxed);
        }
    }
}

impl From<Sql> for Query {
    fn from(sql: Sql) -> Self {
        Self::from_sql(sql, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_rewritten() {
        assert_eq!(for_sqlite("a = $2 and b=$10 or $1"), "a = ?2 and b=?10 or ?1");
        assert_eq!(
            for_sqlite("a$1 $$ $x '$1' \"$2\" -- $3\n$4 /* $5 */ $6"),
            "a$1 $$ $x '$1' \"$2\" -- $3\n?4 /* $5 */ ?6"
        );
        assert_eq!(for_sqlite("'it''s $1' || $2"), "'it''s $1' || ?2");
        assert_eq!(for_sqlite("'never closed $1"), "'never closed $1");
    }

    #[test]
    fn row_locks_are_left_out() {
        assert_eq!(for_sqlite("select 1 for update"), "select 1 ");
        assert_eq!(for_sqlite("select 1 For No Key\n Update  skip\tlocked)"), "select 1 )");
        assert_eq!(for_sqlite("select 1 for update nowait limit $1"), "select 1  limit ?1");
        for same in ["for_update", "before update", "for updates", "for each row", "'for update'", "for"] {
            assert_eq!(for_sqlite(same), same);
        }
    }

    proptest! {
        #[test]
        fn only_parameters_change(text in "[a-z$0-9'\" \\-/*\né]{0,60}") {
            let out = for_sqlite(&text);
            prop_assert_eq!(out.len(), text.len());
            for (before, after) in text.chars().zip(out.chars()) {
                prop_assert!(before == after || (before == '$' && after == '?'));
            }
            prop_assert_eq!(for_sqlite(&out), out);
        }

        #[test]
        fn strings_are_never_touched(inside in "[^']{0,20}") {
            let text = format!("'{inside}'");
            prop_assert_eq!(for_sqlite(&text), text);
        }
    }

    #[test]
    fn lists_are_padded_to_few_texts() {
        let text = |n: usize| Query::new("x").and_in("id", &vec![1_i64; n]).text(Dialect::Postgres).into_owned();
        assert_eq!(text(3), "x and id in ($1, $2, $3, $4)");
        assert_eq!((text(0), text(5)), ("x and 1 = 0".to_owned(), text(8)));
    }
}
