//! Contacts: visits, calls, letters, faxes, SMS and mails that happened elsewhere than on the portal's pages,
//! written down on the request that they are about, or waiting (« à qualifier ») until an agent ties them to one.
//! Nothing in them proves who spoke.

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

mod arrive;
mod desk;
pub mod mail;
mod model;
mod record;
pub mod show;
pub mod sms;
mod store;

pub use desk::found as open_waiting;
pub use model::LOOSE;
pub use model::{Contact, INTERNAL, SHARED, is_internal_slot, slot};
pub use store::{New, add, export, follow, of_request, sweep};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/demandes/{request}/echanges", get(record::on_request).post(record::save_on_request))
        .route("/agent/contacts", get(desk::list))
        .route("/agent/contacts/nouveau", get(record::new).post(record::save_new))
        .route("/agent/contacts/{contact}", get(desk::show))
        .route("/agent/contacts/{contact}/rattacher", post(desk::tie))
        .route("/agent/contacts/{contact}/classer", post(desk::close))
        .route("/agent/contacts/{contact}/confier", post(desk::hand))
        .route("/agent/contacts/{contact}/fichiers/{file}", get(desk::file))
        .merge(sms::routes())
}
