//! Sharing a household, or some children of it, with another adult: invited by mail, accepted by them, ended by
//! either.

mod invite;
mod jobs;
mod model;
mod pages;
mod store;

pub use invite::{invite, inviting};
pub use jobs::{INVITATION, send};
pub use model::Shared;
pub use pages::{answer, end, ending, invited, section};
pub use store::{export, shared, sweep};

#[cfg(test)]
mod tests;
