//! Letters and mails from templates that departments write: the templates and their versions, a letter put
//! together from one of them, its PDF, and the letters to post.

pub mod compose;
pub mod jobs;
mod model;
mod publishing;
mod store;

use axum::Router;

use crate::app::App;

pub use model::Author;
pub use publishing::{ready, seed};
pub use store::{New, insert};

pub fn routes() -> Router<App> {
    Router::new()
}
