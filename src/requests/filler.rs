//! Who fills a draft: an usager in their own space, an agent at the counter for somebody, or an agent for themself.
//! The type that a route's handler is made for says which. What is an usager's alone (documents, household, what
//! their account tells, drafts of theirs) is reached through [`Filler::usager`], which an agent has not. See
//! docs/decisions/0030-counter.md and 0035-staff.md.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::StatusCode, response::Response};
use minijinja::Value;
use uuid::Uuid;

use super::{fire::By, owner};
use crate::{
    acting::Deed,
    app::App,
    error::Problem,
    visit::{Agent, Staff, Visit, Visitor},
};

#[derive(Clone)]
pub enum Filler {
    Usager(Visitor),
    Counter(Agent),
    Staff(Staff),
}

/// The first parameter of the handlers of drafts.
pub trait Fills: FromRequestParts<App, Rejection = Problem> + Into<Filler> + Send {}

impl Fills for Visitor {}
impl Fills for Agent {}
impl Fills for Staff {}

/// The first parameter of the handlers of requests for who filed them themself.
pub trait Follows: Fills {}

impl Follows for Visitor {}
impl Follows for Staff {}

/// Where the pages of a kind of filler are.
#[derive(Debug)]
pub struct Place {
    pub drafts: &'static str,
    pub requests: &'static str,
    pub files: &'static str,
    /// Where « Reprendre plus tard » leads; none: a page of the draft's own.
    pub later: Option<&'static str>,
}

pub const USAGERS: Place = Place { drafts: "/brouillons", requests: "/demandes", files: "/fichiers", later: None };
pub const COUNTER: Place = Place {
    drafts: "/agent/depots",
    requests: "/agent/demandes",
    files: "/agent/fichiers",
    later: Some("/agent/depots?fait=garde"),
};
pub const STAFF: Place = Place {
    drafts: "/agent/interne/brouillons",
    requests: "/agent/interne/demandes",
    files: "/agent/interne/fichiers",
    later: Some("/agent/interne/demandes?fait=garde"),
};

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

impl From<Staff> for Filler {
    fn from(staff: Staff) -> Self {
        Self::Staff(staff)
    }
}

impl Deref for Filler {
    type Target = Visit;
    fn deref(&self) -> &Visit {
        match self {
            Self::Usager(visitor) => visitor,
            Self::Counter(agent) => agent,
            Self::Staff(staff) => staff,
        }
    }
}

impl Filler {
    pub fn usager(&self) -> Option<&Visitor> {
        match self {
            Self::Usager(visitor) => Some(visitor),
            Self::Counter(_) | Self::Staff(_) => None,
        }
    }

    /// See [`Visitor::require`]; an agent's right was checked with the draft.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require(&self, deed: Deed) -> Result<(), Problem> {
        self.usager().map_or(Ok(()), |visitor| visitor.require(deed))
    }

    /// The account of who is there.
    pub fn account(&self) -> Option<Uuid> {
        match self {
            Self::Usager(visitor) => visitor.account().map(|account| account.id),
            Self::Counter(agent) => Some(agent.account.id),
            Self::Staff(staff) => Some(staff.account.id),
        }
    }

    /// Who acts on a request of this account.
    pub fn by(&self, owner: Option<Uuid>) -> By {
        match self.usager() {
            Some(visitor) => owner::by(visitor, owner),
            None => By { actor: forms::step::Actor::Usager, account: owner, acted: None },
        }
    }

    pub fn place(&self) -> &'static Place {
        match self {
            Self::Usager(_) => &USAGERS,
            Self::Counter(_) => &COUNTER,
            Self::Staff(_) => &STAFF,
        }
    }

    /// Where a request is that was a draft of theirs.
    pub fn request(&self, id: Uuid) -> String {
        format!("{}/{id}", self.place().requests)
    }

    /// The page that confirms it was sent.
    pub fn sent(&self, id: Uuid) -> String {
        let page = if matches!(self, Self::Counter(_)) { "deposee" } else { "envoyee" };
        format!("{}/{page}", self.request(id))
    }

    /// Where one comes back to after leaving a draft.
    pub fn home(&self) -> &'static str {
        match self {
            Self::Usager(visitor) if visitor.account().is_some() => "/mes-demandes",
            Self::Usager(_) => "/demarches",
            Self::Counter(_) => "/agent/depots",
            Self::Staff(_) => "/agent/interne/demandes",
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
            Self::Staff(staff) => staff.page_with(status, template, title, context),
        }
    }
}
