//! « Mes coordonnées »: where the account's owner lives, lived and will live. Today's main address is
//! proposed in their requests.

mod model;
mod pages;
mod store;

pub use model::{Address, CONFIDENTIAL_HELP, Declared, FULL};
pub use pages::{add, adding, change, changing, remove, removing, show};
pub use store::{all, declare, export, home, shown_home, told};

#[cfg(test)]
mod tests;
