//! The values both engines can hold, and how Rust types become values and come back.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// One parameter, or one cell of a row.
///
/// | variant | SQLite | PostgreSQL |
/// |---|---|---|
/// | `Bool` | integer 0 or 1 | boolean |
/// | `Int`, `Real`, `Text`, `Bytes` | integer, real, text, blob | bigint (or smaller), double precision, text, bytea |
/// | `Uuid` | blob of 16 bytes | uuid |
/// | `Time` | integer: microseconds since 1970 UTC | timestamptz |
/// | `Date` | text, `2026-11-21` | date |
/// | `Json` | text | jsonb |
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    Time(i64),
    Date(Date),
    Json(String),
    /// Cannot be stored the same way by both engines; sending it is an error, with this reason.
    Refused(&'static str),
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a uuid",
            Self::Time(_) => "a time",
            Self::Date(_) => "a date",
            Self::Json(_) => "JSON",
            Self::Refused(reason) => reason,
        }
    }

    /// Text without U+0000, which PostgreSQL cannot hold.
    #[must_use]
    pub fn text(text: String) -> Self {
        if text.contains('\0') { Self::Refused("text with a NUL character") } else { Self::Text(text) }
    }
}

/// A Rust value that can be bound to `$n`. Implement it for your own types, or use [`text_value!`](crate::text_value).
pub trait ToValue {
    fn to_value(&self) -> Value;
}

/// A Rust value that can be read from a column.
pub trait FromValue: Sized {
    /// # Errors
    /// What was expected instead, in words, without the value itself.
    fn from_value(value: Value) -> std::result::Result<Self, String>;
}

/// A structure kept as JSON: `text` on SQLite, `jsonb` on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> std::result::Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> std::result::Result<Self, String> {
        Ok(value)
    }
}

macro_rules! plain {
    ($($type:ty, $words:literal, |$this:ident| $to:expr, { $($from:tt)+ })+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }
        impl FromValue for $type {
            fn from_value(value: Value) -> std::result::Result<Self, String> {
                match value { $($from)+, _ => None }.ok_or_else(|| $words.to_owned())
            }
        }
    )+};
}

plain! {
    bool, "a boolean", |v| Value::Bool(*v), {
        Value::Bool(v) => Some(v), Value::Int(0) => Some(false), Value::Int(1) => Some(true)
    }
    i64, "an integer", |v| Value::Int(*v), { Value::Int(v) => Some(v) }
    i32, "an integer of 32 bits", |v| Value::Int(i64::from(*v)), { Value::Int(v) => v.try_into().ok() }
    u32, "a positive integer of 32 bits", |v| Value::Int(i64::from(*v)), { Value::Int(v) => v.try_into().ok() }
    f64, "a real number", |v| real(*v), {
        Value::Real(v) => Some(v), Value::Int(v) => exact(v)
    }
    String, "text", |v| Value::text(v.clone()), { Value::Text(v) | Value::Json(v) => Some(v) }
    Vec<u8>, "bytes", |v| Value::Bytes(v.clone()), { Value::Bytes(v) => Some(v) }
    Uuid, "a uuid", |v| Value::Uuid(*v), {
        Value::Uuid(v) => Some(v), Value::Bytes(v) => Uuid::from_slice(&v).ok()
    }
    Timestamp, "a time", |v| time(*v), {
        Value::Time(v) | Value::Int(v) => Timestamp::from_microsecond(v).ok()
    }
    Date, "a date", |v| date(*v), {
        Value::Date(v) => Some(v), Value::Text(v) => v.parse().ok()
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::text(self.to_owned())
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<T: Serialize> ToValue for Json<T> {
    fn to_value(&self) -> Value {
        match serde_json::to_string(&self.0) {
            Ok(text) if holds_nul(&text) => Value::Refused("JSON with a NUL character"),
            Ok(text) => Value::Json(text),
            Err(_) => Value::Refused("a structure that cannot be written as JSON"),
        }
    }
}

impl<T: DeserializeOwned> FromValue for Json<T> {
    fn from_value(value: Value) -> std::result::Result<Self, String> {
        let (Value::Json(text) | Value::Text(text)) = value else { return Err("JSON".to_owned()) };
        // serde's own message may quote what a citizen wrote: keep the place only.
        serde_json::from_str(&text).map(Json).map_err(|error| {
            let shape = std::any::type_name::<T>();
            format!("JSON of the shape {shape} ({:?} error at column {})", error.classify(), error.column())
        })
    }
}

/// SQLite stores NaN as NULL without a word.
fn real(value: f64) -> Value {
    if value.is_nan() { Value::Refused("not a number") } else { Value::Real(value) }
}

/// `sum` and `avg` give integers on one engine and reals on the other.
fn exact(value: i64) -> Option<f64> {
    i32::try_from(value).map(f64::from).ok().or_else(|| value.to_string().parse().ok())
}

/// Microseconds; the rest is dropped. PostgreSQL begins in 4713 BC, and jiff cannot read back its own
/// very last second.
fn time(value: Timestamp) -> Value {
    const FIRST: i64 = -210_866_803_200_000_000;
    let micros = value.as_microsecond();
    if micros < FIRST || Timestamp::from_microsecond(micros).is_err() {
        return Value::Refused("a time before 4713 BC or in the last second of 9999");
    }
    Value::Time(micros)
}

/// Only years 1 to 9999 sort the same as text and as dates.
fn date(value: Date) -> Value {
    if value.year() < 1 { Value::Refused("a date before the year 1") } else { Value::Date(value) }
}

/// `jsonb` refuses `\u0000`; SQLite would take it.
fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.get(..at).unwrap_or_default();
        let slashes = before.len() - before.trim_end_matches('\\').len();
        slashes.is_multiple_of(2)
    })
}

/// Keeps types that have `Display` and `FromStr` (states, kinds…) as text columns.
///
/// ```
/// # #[derive(Debug, PartialEq)] enum State { New }
/// # impl std::fmt::Display for State { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str("new") } }
/// # impl std::str::FromStr for State { type Err = (); fn from_str(s: &str) -> Result<Self, ()> { (s == "new").then_some(State::New).ok_or(()) } }
/// db::text_value!(State);
/// # assert_eq!(db::args![State::New], [db::Value::Text("new".into())]);
/// ```
#[macro_export]
macro_rules! text_value {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::ToValue for $type {
            fn to_value(&self) -> $crate::Value {
                $crate::Value::text(::std::string::ToString::to_string(self))
            }
        }
        impl $crate::FromValue for $type {
            fn from_value(value: $crate::Value) -> ::std::result::Result<Self, ::std::string::String> {
                <::std::string::String as $crate::FromValue>::from_value(value)?
                    .parse()
                    .map_err(|_| ::std::string::String::from(stringify!($type)))
            }
        }
    )+};
}

/// The parameters of a statement, in the order of `$1`, `$2`…; everything is borrowed.
#[macro_export]
macro_rules! args {
    () => { ::std::vec::Vec::<$crate::Value>::new() };
    ($($value:expr),+ $(,)?) => { ::std::vec![$($crate::ToValue::to_value(&$value)),+] };
}
