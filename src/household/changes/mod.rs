//! « Je change de coordonnées »: one declaration, one request for each department that the usager ticks, with
//! only what that department receives.

mod model;
mod pages;
mod send;
mod store;

pub use pages::{changing, declare};
pub use store::{export, sent};

/// The procedure of these requests. It is filed here, never by its own pages.
pub const PROCEDURE: &str = "changement-coordonnees";
pub const PAGE: &str = "/compte/coordonnees/changer";

#[cfg(test)]
mod tests;
