//! « Vos connexions »: the sessions of an account and what happened at its door, for its owner to look at
//! and to end.

pub mod history;
pub mod pages;
mod store;

pub use history::{Event, Happened};
pub use store::{export, export_open, merge, refused, remember, remember_agent, remember_with, sweep};
