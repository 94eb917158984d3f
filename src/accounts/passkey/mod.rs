//! Passkeys (WebAuthn): a key kept by a telephone, a computer or a token, which opens the account without a
//! password. The device checks its owner first, so that a passkey counts as both factors.

mod ceremony;
pub mod door;
pub mod pages;
pub mod prf;
mod store;

pub use ceremony::possible;
pub use store::{export, list, present, remove_all, sweep};
