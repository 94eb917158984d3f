//! From rows to Rust types.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::value::{FromValue, Value};

/// One row of an answer. Most code never sees it: it asks for a [`row!`](crate::row) struct, a tuple or a value.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
    /// Where the next column probably is: structs mostly list columns in the order of the select.
    next: usize,
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values, next: 0 }
    }

    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Takes the column of this name out of the row (a second call finds null).
    ///
    /// # Errors
    /// `Decode` when there is no such column or it holds something else.
    pub fn take<T: FromValue>(&mut self, name: &str) -> Result<T> {
        let name = name.trim_start_matches("r#");
        let found = match self.columns.get(self.next) {
            Some(column) if column == name => Some(self.next),
            _ => self.columns.iter().position(|column| column == name),
        };
        match found {
            Some(index) => self.take_at(index),
            None => Err(Error::Decode(format!("no column `{name}`, only {}", self.columns.join(", ")))),
        }
    }

    /// Takes the column at this position (from 0) out of the row.
    ///
    /// # Errors
    /// `Decode` when there is no such column or it holds something else.
    pub fn take_at<T: FromValue>(&mut self, index: usize) -> Result<T> {
        self.next = index + 1;
        let Some(value) = self.values.get_mut(index) else {
            return Err(Error::Decode(format!("no column {}, only {}", index + 1, self.columns.join(", "))));
        };
        let value = std::mem::replace(value, Value::Null);
        let kind = value.kind();
        T::from_value(value).map_err(|expected| {
            let name = self.columns.get(index).map_or("?", String::as_str);
            Error::Decode(format!("column `{name}`: expected {expected}, found {kind}"))
        })
    }
}

/// A type that can be read from a row: [`row!`](crate::row) structs by column name, tuples by position,
/// single values from the first column.
pub trait FromRow: Sized {
    /// # Errors
    /// `Decode`, naming the column and what was expected.
    fn from_row(row: &mut Row) -> Result<Self>;
}

impl FromRow for Row {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(row.clone())
    }
}

impl<T: FromValue> FromRow for T {
    fn from_row(row: &mut Row) -> Result<Self> {
        row.take_at(0)
    }
}

macro_rules! tuples {
    ($($($name:ident $index:literal),+;)+) => {$(
        impl<$($name: FromValue),+> FromRow for ($($name,)+) {
            fn from_row(row: &mut Row) -> Result<Self> {
                Ok(($(row.take_at::<$name>($index)?,)+))
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

/// A struct whose fields are the columns of a select, by name and in any order. Fields are always as
/// visible as the struct; attributes go through.
///
/// ```
/// db::row! {
///     /// A line of the list.
///     #[derive(Debug)]
///     pub struct Line { id: uuid::Uuid, title: String, closed_at: Option<jiff::Timestamp> }
/// }
/// ```
#[macro_export]
macro_rules! row {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $ignored:vis $field:ident : $type:ty),* $(,)?
    })+) => {$(
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $vis $field: $type),* }

        impl $crate::FromRow for $name {
            fn from_row(row: &mut $crate::Row) -> $crate::Result<Self> {
                ::std::result::Result::Ok(Self { $($field: row.take(stringify!($field))?),* })
            }
        }
    )+};
}
