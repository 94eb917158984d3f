//! The second factor: a code from an application on one's telephone, asked after the password; ten recovery
//! codes for who has lost it.

pub mod check;
pub mod counter;
pub mod pages;
mod qr;
mod recovery;
pub mod step;
mod store;
mod totp;

pub use counter::reset_agent;
pub use store::{present, remove};
