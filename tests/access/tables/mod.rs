//! The tables. Rows that end something (a session, a draft, a request) come last.

pub use agents::{ADMINISTRATORS, AGENTS, ARCHIVISTS, MANAGERS, OBSERVERS};
pub use public::PUBLIC;
pub use usagers::{ACTING, ENDING, USAGERS};

mod agents;
mod public;
mod usagers;
