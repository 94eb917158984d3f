//! Agents: who works for the authority, in which departments, and who administers it.

use std::{collections::BTreeSet, ops::Deref};

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::Response,
};
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use uuid::Uuid;

use super::{Visit, html, menu, visit};
use crate::{
    accounts::{
        ending, factor,
        session::{self, Kind},
    },
    agents::{self, General, Limited, Membership, Role, Standing},
    error::Problem,
    platform::french,
};

/// A signed-in agent, with the departments they belong to; with a second factor, if their role demands it.
#[derive(Clone)]
pub struct Agent {
    pub visit: Visit,
    pub session_id: Uuid,
    /// The passkey that vouches for the session, if one does.
    pub passkey: Option<Uuid>,
    pub account: session::Account,
    /// Last day of their access, when one is set.
    pub ends_on: Option<Date>,
    pub memberships: Vec<Membership>,
    /// Rights on some procedures only.
    pub limited: Vec<Limited>,
    /// What they are for the whole authority.
    pub general: Vec<General>,
    /// See [`Standing::asks`].
    pub asks: bool,
}

impl Deref for Agent {
    type Target = Visit;
    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Agent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Arriving(agent) = Arriving::from_request_parts(parts, state).await?;
        let proved = agent.passkey.is_some() || !agent.needs_factor();
        if !proved && !factor::present(&agent.db, agent.account.id).await? {
            return Err(Problem::Elsewhere("/agent/securite".to_owned()));
        }
        Ok(agent)
    }
}

/// An agent who has given their password, and perhaps has yet to set up the second factor that their role
/// demands: may do that, and leave.
pub struct Arriving(pub Agent);

impl<S: Send + Sync> FromRequestParts<S> for Arriving {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        let sign_in = || Problem::Elsewhere(format!("/agent/connexion?suite={}", crate::platform::encode(&visit.here)));
        let session = session::find(&visit, &parts.headers, Kind::Agent).await?.ok_or_else(sign_in)?;
        let ends_on = session.ends_on;
        let account = session.account.ok_or_else(sign_in)?;
        let Standing { memberships, limited, general, asks } = agents::standing(&visit, account.id).await?;
        let (session_id, passkey) = (session.id, session.passkey);
        Ok(Self(Agent { visit, session_id, passkey, account, ends_on, memberships, limited, general, asks }))
    }
}

/// An agent for themself, who asks something of their own administration: whatever their departments and roles.
#[derive(Clone)]
pub struct Staff(pub Agent);

impl Deref for Staff {
    type Target = Agent;
    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Agent::from_request_parts(parts, state).await.map(Self)
    }
}

/// An agent who administers the authority.
pub struct Administrator(pub Agent);

impl Deref for Administrator {
    type Target = Agent;
    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let agent = Agent::from_request_parts(parts, state).await?;
        if agent.general.contains(&General::Administrator) {
            Ok(Self(agent))
        } else {
            Err(Problem::Forbidden("Cette page est réservée aux administrateurs de la collectivité."))
        }
    }
}

/// An agent who keeps the archives.
pub struct Archivist(pub Agent);

impl Deref for Archivist {
    type Target = Agent;
    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Archivist {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let agent = Agent::from_request_parts(parts, state).await?;
        if agent.general.contains(&General::Archivist) {
            Ok(Self(agent))
        } else {
            Err(Problem::Forbidden("Cette page est réservée aux archivistes de la collectivité."))
        }
    }
}

/// An agent who sees the figures of the whole authority.
pub struct Observer(pub Agent);

impl Deref for Observer {
    type Target = Agent;
    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Observer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let agent = Agent::from_request_parts(parts, state).await?;
        if agent.general.contains(&General::Observer) {
            Ok(Self(agent))
        } else {
            Err(Problem::Forbidden(
                "Cette page est réservée à ceux qui lisent les chiffres de toute la collectivité. Un administrateur donne ce droit.",
            ))
        }
    }
}

impl Agent {
    /// The id of what they write for this purpose under this name, which a form brings: no name leads to what is
    /// another's.
    pub fn own_id(&self, purpose: &'static str, once: &str) -> Uuid {
        let named = [self.account.id.as_bytes(), once.as_bytes()].concat();
        let print = self.app.secret.fingerprint(purpose, &named);
        let bytes = print.first_chunk::<16>().copied().unwrap_or_default();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The agent's role in a department; none when they do not belong to it.
    pub fn role(&self, department: &str) -> Option<Role> {
        self.memberships
            .iter()
            .find(|membership| membership.department_id == department)
            .map(|membership| membership.role)
    }

    /// The agent's role on one procedure of a department.
    pub fn role_on(&self, department: &str, procedure: &str) -> Option<Role> {
        let limited = self.limited.iter();
        let limited = limited.filter(|one| one.department_id == department && one.procedure_id == procedure);
        limited.map(|one| one.role).max().max(self.role(department))
    }

    /// The name of a department that the agent works for.
    pub fn department(&self, id: &str) -> Option<&str> {
        self.departments().into_iter().find(|(known, _)| *known == id).map(|(_, name)| name)
    }

    /// The departments that the agent works for, wholly or not: id and name.
    pub fn departments(&self) -> BTreeSet<(&str, &str)> {
        let own = self.memberships.iter().map(|one| (one.department_id.as_str(), one.department_name.as_str()));
        own.chain(self.limited.iter().map(|one| (one.department_id.as_str(), one.department_name.as_str()))).collect()
    }

    /// Whether the agent may treat some request.
    pub fn treats(&self) -> bool {
        let limited = self.limited.iter().map(|one| one.role).max();
        self.highest().max(limited) >= Some(Role::Processor)
    }

    /// The agent's highest role, whatever the department.
    fn highest(&self) -> Option<Role> {
        self.memberships.iter().map(|membership| membership.role).max()
    }

    /// Whoever only reads, or belongs to no department, has no business with accounts, organisations and mandates.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn at_counter(&self) -> Result<(), Problem> {
        if self.highest() >= Some(Role::Processor) {
            Ok(())
        } else {
            Err(Problem::Forbidden("Votre rôle ne permet pas d’agir sur les comptes des usagers."))
        }
    }

    /// Whether one of the agent's roles demands a second factor here.
    pub fn needs_factor(&self) -> bool {
        agents::any_of(&self.memberships, &self.limited, &self.general, &self.site.settings.second_factor)
    }

    pub fn page(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template, title, context)
    }

    pub fn page_again(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, template, &format!("Erreur : {title}"), context)
    }

    pub fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        context: Value,
    ) -> Result<Response, Problem> {
        let departments: Vec<&str> = self.departments().into_iter().map(|(_, name)| name).collect();
        let menu = menu::of(&self.visit.here, self.highest(), &self.general);
        let ends = self.ends_on.filter(|_| ending::near(self.ends_on, self.today())).map(french::date);
        let who = context! { menu => Serde(menu), name => self.account.full_name(), kind => "agent", email => &self.account.login, departments => Serde(departments), ends => ends };
        Ok(html(status, self.visit.draw_for(Some(who), template, title, context)?))
    }
}
