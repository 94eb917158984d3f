//! Verified identity: who an account's owner is, as checked by somebody else than themselves.

mod store;

pub use store::{Verified, find, merge, record};
