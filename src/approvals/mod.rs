//! « Parapheur »: circuits of approvals on what is about to be decided. An agent opens one by a transition of the
//! workflow; those whom it names approve what they are shown, or refuse with a reason; what waits for it is possible
//! once all have. Decision 0033.

use axum::{Router, routing::get};

use crate::app::App;

mod change;
mod jobs;
mod model;
mod pages;
mod remind;
mod shown;
mod store;

pub use change::{Answered, Opening, approve};
pub use jobs::{MAIL, send};
pub use model::{ASKED, COMPLETE, DECLINED, GIVEN, LATE, Prepared, REMINDED, VOID};
pub use remind::Step;
pub use shown::{Granted, able, granted, on_request, watchers};
pub use store::{export, of};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/a-viser", get(pages::list))
        .route("/agent/a-viser/{visa}", get(pages::show).post(pages::send))
        .route("/agent/a-viser/{visa}/fichiers/{file}", get(pages::file))
}
