//! Who fills a draft: an usager in their own space, or an agent at the counter for somebody. The type that a route's
//! handler is made for says which. What is an usager's alone (documents, household, what their account tells, drafts
//! of theirs) is reached through [`Filler::usager`], which an agent has not. See docs/decisions/0030-counter.md.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::StatusCode, response::Response};
use minijinja::Value;
use uuid::Uuid;

use crate::{
    acting::Deed,
    app::App,
    error::Problem,
    visit::{Agent, Visit, Visitor},
};

#[derive(Clone)]
pub enum Filler {
    Usager(Visitor),
    Counter(Agent),
}

/// The first parameter of the handlers of drafts.
pub trait Fills: FromRequestParts<App, Rejection = Problem> + Into<Filler> + Send {}

impl Fills for Visitor {}
impl Fills for Agent {}

impl From<Visitor> for Filler {
    fn from(visitor: Visitor) -> Self {
        Self::Usager(visitor)
    }
}

impl From<Agent> for Filler {
    fn from(agent: Agent) -> Self {
        Self::Counter(agent)
    }
}

impl Deref for Filler {
    type Target = Visit;
    fn deref(&self) -> &Visit {
        match self {
            Self::Usager(visitor) => visitor,
            Self::Counter(agent) => agent,
        }
    }
}

impl Filler {
    pub fn usager(&self) -> Option<&Visitor> {
        match self {
            Self::Usager(visitor) => Some(visitor),
            Self::Counter(_) => None,
        }
    }

    /// See [`Visitor::require`]; an agent's right was checked with the draft.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require(&self, deed: Deed) -> Result<(), Problem> {
        self.usager().map_or(Ok(()), |visitor| visitor.require(deed))
    }

    /// Where they download files.
    pub fn files(&self) -> &'static str {
        match self {
            Self::Usager(_) => "/fichiers",
            Self::Counter(_) => "/agent/fichiers",
        }
    }

    /// Where a request is that was a draft of theirs.
    pub fn request(&self, id: Uuid) -> String {
        match self {
            Self::Usager(_) => format!("/demandes/{id}"),
            Self::Counter(_) => format!("/agent/demandes/{id}"),
        }
    }

    /// The page that confirms it was sent.
    pub fn sent(&self, id: Uuid) -> String {
        let page = if self.usager().is_some() { "envoyee" } else { "deposee" };
        format!("{}/{page}", self.request(id))
    }

    /// Where one comes back to after leaving a draft.
    pub fn home(&self) -> &'static str {
        match self {
            Self::Usager(visitor) if visitor.account().is_some() => "/mes-demandes",
            Self::Usager(_) => "/demarches",
            Self::Counter(_) => "/agent/depots",
        }
    }

    pub fn page(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template, title, context)
    }

    /// The form again, with what is wrong: 422.
    pub fn page_again(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, template, &format!("Erreur : {title}"), context)
    }

    fn page_with(&self, status: StatusCode, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        match self {
            Self::Usager(visitor) => visitor.page_with(status, template, title, context),
            Self::Counter(agent) => agent.page_with(status, template, title, context),
        }
    }
}
