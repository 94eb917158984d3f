//! The heart of Guichet: procedures as data, what a person typed, what it means, and the life of a
//! request. Everything here is pure: no clock, no file, no network, no randomness.
//!
//! - [`model`]: a procedure, as read from its file.
//! - [`load`]: YAML → [`model::Procedure`], every mistake with file, line, column and advice.
//! - [`expr`]: the small typed language of conditions and computed values.
//! - [`draw`]: a workflow as a picture and as tables.
//! - [`kinds`]: the kinds of field, one file each.
//! - [`journey`]: what a draft amounts to: pages shown, problems, answers.
//! - [`workflow`]: states and transitions of a request.
//! - [`text`]: the language of letters and mails.
//! - [`due`]: by when it must be answered.
//! - [`step`]: what one of them changes; [`timer`]: when the platform fires one by itself.

mod alert;
pub mod answers;
pub mod calendar;
pub mod draw;
pub mod due;
pub mod expr;
pub mod journey;
pub mod kinds;
pub mod linked;
pub mod load;
pub mod model;
mod rules;
pub mod step;
pub mod text;
pub mod timer;
pub mod workflow;

pub use alert::Colour;
pub use rust_decimal::Decimal;
