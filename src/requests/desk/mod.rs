//! The agents' pages: what waits for their departments, one request, what they do with it, and the
//! messages that could not be delivered.

use std::sync::Arc;

use forms::{model::Procedure, step::Actor};
use serde_json::Value as Json;
use uuid::Uuid;

use self::came::Came;
use super::access::{self, Permitted, Right};
use crate::{
    catalogue,
    error::Problem,
    journal::{Action, Line},
    organisations,
    visit::Agent,
};

pub mod act;
mod ask;
pub mod batch;
mod came;
pub mod code;
mod conditions;
mod delays;
pub mod entrust;
pub mod export;
pub mod failures;
mod filters;
mod found;
mod give;
pub mod handover;
pub mod letter;
mod levels;
pub mod list;
mod list_page;
mod narrow;
pub mod presence;
pub mod quick;
pub mod saved;
pub mod show;
mod sign;
mod sort;
mod store;
#[cfg(test)]
mod tests;
pub mod transfer;
mod view;
mod views;
pub mod watchers;
pub mod whole;
mod words;

pub use give::{appeal, appeal_from};
pub use words::AGAIN;

/// The longest text that an agent may write at once, in characters.
const LONGEST: usize = 10_000;

/// A request opened with the right `R`, and the procedure it was made with.
pub struct Opened<R> {
    pub request: Permitted<R>,
    pub procedure: Arc<Procedure>,
    /// The list it was opened from.
    pub came: Came,
    /// The published version of the procedure, when it is another than the one the request was made with and keeps.
    pub newer: Option<i64>,
    /// The organisation that it belongs to, as agents see it: `{name, numbers, verified}`.
    pub organisation: Option<Json>,
}

impl<R: Right> Opened<R> {
    pub async fn open(agent: &Agent, id: Uuid) -> Result<Self, Problem> {
        Self::open_to(agent, id, Action::RequestOpened).await
    }

    pub async fn open_to(agent: &Agent, id: Uuid, action: Action) -> Result<Self, Problem> {
        Self::open_with(agent, id, Line::agent(agent, action)).await
    }

    pub async fn open_with(agent: &Agent, id: Uuid, trace: Line<'_>) -> Result<Self, Problem> {
        let request = access::desk::<R>(agent, id, trace).await?;
        let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
        let organisation = match request.organisation_id {
            Some(id) => organisations::card(&agent.db, id).await?,
            None => None,
        };
        let published = catalogue::any(agent, &request.procedure_id).await?.map(|one| one.version);
        let newer = published.filter(|version| *version > request.procedure_version);
        Ok(Self { request, procedure, came: Came::from(agent), newer, organisation })
    }

    /// Several at once, without what is not the agent's; each leaves its line in the journal.
    pub async fn several(agent: &Agent, ids: &[Uuid]) -> Result<Vec<Self>, Problem> {
        let mut files = Vec::new();
        for request in access::desk_several::<R>(agent, ids).await? {
            let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
            files.push(Self { request, procedure, came: Came::default(), newer: None, organisation: None });
        }
        Ok(files)
    }

    /// Whether the content may be shown: a reader knows that a request exists, its state and the next step.
    pub fn content(&self) -> bool {
        self.request.actor != Actor::Reader
    }

    pub fn url(&self) -> String {
        format!("/agent/demandes/{}", self.request.id)
    }
}
