//! « Nouvelle demande au guichet »: an agent files a request for somebody, who came, called or wrote. What is asked
//! first (procedure, channel, day of reception, for whom) is kept beside the draft, which is then filled in on the
//! usager's own pages. See docs/decisions/0030-counter.md.

mod amend;
mod begin;
mod complete;
mod filed;
mod list;
mod model;
mod paper;
mod store;

pub use amend::{save as amend, show as amending};
pub use begin::{begin, start};
pub use complete::{begin as complete, show as completing};
pub use filed::{confirmation, receipt};
pub use list::show as list;
pub use model::{Intake, received_at, reception};
pub use paper::print;
pub use store::{find, forget, insert, merge};
