//! The journal of accesses: who read or wrote what about whom, for which request, when. [`note`] writes a line
//! in the transaction of what it traces, [`read`] one of its own before anything is shown: without its trace,
//! nothing is done and nothing is seen. A worker chains the lines ([`seal`]), `guichet audit verify` judges the
//! chain ([`verify`]), old lines go behind a signed checkpoint ([`retain`]). Decision 0025.
//!
//! Lines hold ids and codes; for their names, the page of administrators joins accounts, departments and
//! requests.

use axum::{Router, routing::get};

use crate::app::App;

pub mod chain;
mod erase;
mod model;
mod pages;
mod retain;
mod seal;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub use erase::{Of, erase};
pub use model::{Action, Line};
pub use retain::retain;
pub use seal::{PERIOD, seal};
pub use store::{busy, head, note, read, read_many};
pub use verify::{Report, verify};

pub fn routes() -> Router<App> {
    Router::new().route("/agent/journal", get(pages::show))
}
