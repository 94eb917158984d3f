//! Whose documents a page is about. The address says it, the visitor's right to them is checked here.

use std::ops::Deref;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use minijinja::{Value, context};
use uuid::Uuid;

use super::{model::Safe, store};
use crate::{
    acting::{Deed, For},
    error::Problem,
    platform::local,
    visit::{Citizen, SignedIn, Visitor},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Account(Uuid),
    Organisation(Uuid),
}

impl Owner {
    /// Whose documents the visitor may use: their own; the organisation's for which they prepare requests; by a
    /// mandate neither theirs nor one's own.
    pub fn of(visitor: &Visitor) -> Option<Self> {
        let Some(acting) = &visitor.acting else { return visitor.account().map(|account| Self::Account(account.id)) };
        match acting.whom {
            For::Organisation { id, .. } if acting.may.includes(Deed::Fill) => Some(Self::Organisation(id)),
            _ => None,
        }
    }

    /// Where the documents are, without a final slash.
    pub fn base(self) -> String {
        match self {
            Self::Account(_) => "/mes-documents".to_owned(),
            Self::Organisation(id) => format!("/organisations/{id}/documents"),
        }
    }
}

/// A signed-in usager with the right to these documents, open or not: their own in their own name, those of
/// the organisation named in the address while they act for that very one. A form sent from a page that was
/// opened in another name thus reaches nobody else's.
pub struct Holder {
    pub citizen: Citizen,
    pub owner: Owner,
}

impl Deref for Holder {
    type Target = Citizen;
    fn deref(&self) -> &Citizen {
        &self.citizen
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "organisation"));
        let Some((_, named)) = named else {
            let citizen = Citizen::from_request_parts(parts, state).await?;
            return Ok(Self { owner: Owner::Account(citizen.account.id), citizen });
        };
        let SignedIn(citizen) = SignedIn::from_request_parts(parts, state).await?;
        let acting = citizen.acting.as_ref().filter(
            |acting| matches!(acting.whom, For::Organisation { id, .. } if named.parse().is_ok_and(|named: Uuid| named == id)),
        );
        if acting.is_none() {
            return Err(Problem::NotFound);
        }
        match Owner::of(&citizen) {
            Some(owner) => Ok(Self { citizen, owner }),
            None => Err(Problem::Forbidden(
                "Votre rôle permet de consulter les demandes de l’organisation, pas ses documents.",
            )),
        }
    }
}

impl Holder {
    pub fn base(&self) -> String {
        self.owner.base()
    }

    /// The organisation whose documents these are; none: one's own.
    pub fn organisation(&self) -> Option<Uuid> {
        match self.owner {
            Owner::Account(_) => None,
            Owner::Organisation(id) => Some(id),
        }
    }

    pub fn title(&self) -> &'static str {
        if self.organisation().is_some() { "Documents de l’organisation" } else { "Mes documents" }
    }

    /// The organisation's name, empty for one's own documents.
    pub fn name(&self) -> &str {
        self.acting.as_ref().map_or("", |acting| &acting.name)
    }

    /// For templates: `base`, where the documents are; `organisation`, its name or empty; `title`.
    pub fn place(&self) -> Value {
        context! { base => self.base(), organisation => self.name(), title => self.title() }
    }

    /// The visitor's own safe, which opens the others.
    ///
    /// # Errors
    /// `Elsewhere` when they have none.
    pub async fn own(&self) -> Result<Safe, Problem> {
        let safe = store::of(&self.db, Owner::Account(self.account.id)).await?;
        safe.ok_or_else(|| Problem::Elsewhere(self.base()))
    }

    /// Where to go after the documents are open.
    pub fn onward(&self, suite: &str) -> String {
        if suite.is_empty() { self.base() } else { local(suite).to_owned() }
    }
}
