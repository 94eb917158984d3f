//! What the tests stand on: a portal, browsers, pages, other programs.

pub mod acting;
pub mod application;
pub mod client;
pub mod household;
pub mod html;
pub mod journey;
pub mod links;
pub mod llng;
pub mod peers;
pub mod phone;
pub mod portal;
pub mod process;
pub mod provider;
pub mod routes;
pub mod scene;
pub mod unsynced;

pub use client::{Client, Page, urlencoded};
pub use journey::Filed;
pub use phone::Phone;
pub use portal::{Engine, Folder, HOST, OTHER_USAGER, PASSWORD, Portal, USAGER};

/// Runs each test on both engines: `both! { async fn name(portal: Portal) { … } }`.
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($portal:ident: Portal) $body:block)+) => {$(
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn check($portal: Portal) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check(Portal::start(Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                check(Portal::start(Engine::Postgres).await).await;
            }
        }
    )+};
}
pub(crate) use both;
