//! The one place where a request is opened. A role proves nothing about *this* request: only
//! [`desk`] and [`mine`] yield one, with the right that was checked in its type. What is not yours
//! looks as if it did not exist.

use std::{marker::PhantomData, ops::Deref};

use db::{Query, args, sql};
use forms::step::Actor;
use uuid::Uuid;

use super::{model::Request, owner::Whose, store};
use crate::{
    acting::Deed,
    agents::{Membership, Role},
    error::Problem,
    journal::{self, Action, Line},
    visit::{Agent, Visitor},
};

/// What an agent wants to do with a request.
pub trait Right {
    const LEAST: Role;
}

#[derive(Debug, Clone, Copy)]
pub struct Read;
#[derive(Debug, Clone, Copy)]
pub struct Process;
#[derive(Debug, Clone, Copy)]
pub struct Decide;

impl Right for Read {
    const LEAST: Role = Role::Reader;
}
impl Right for Process {
    const LEAST: Role = Role::Processor;
}
impl Right for Decide {
    const LEAST: Role = Role::Decider;
}

/// A request that its opener may treat with the right `R`.
#[derive(Debug)]
pub struct Permitted<R> {
    request: Request,
    pub actor: Actor,
    right: PhantomData<R>,
}

impl<R> Deref for Permitted<R> {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.request
    }
}

/// A request that belongs to the visitor.
#[derive(Debug)]
pub struct Mine(Request);

impl Deref for Mine {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.0
    }
}

/// Opens a request of one of the agent's departments, to do what `trace` says: without its line in the journal,
/// nothing is opened. The person it is about sees that it was, and when.
pub async fn desk<R: Right>(agent: &Agent, id: Uuid, trace: Line<'_>) -> Result<Permitted<R>, Problem> {
    let request = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let role = agent.role(&request.department_id).ok_or(Problem::NotFound)?;
    allows::<R>(role)?;
    journal::read(agent, &trace.request(id).department(&request.department_id).on(agent.today())).await?;
    Ok(Permitted { request, actor: actor(role), right: PhantomData })
}

/// The same for several, in the order of their sending: those of which the agent has the right `R`, the others as
/// if they did not exist.
pub async fn desk_several<R: Right>(agent: &Agent, ids: &[Uuid]) -> Result<Vec<Permitted<R>>, Problem> {
    let found = store::several(&agent.db, |query| scope_as::<R>(query, agent).and_in("r.id", ids)).await?;
    let traced: Vec<(Uuid, &str)> = found.iter().map(|one| (one.id, one.department_id.as_str())).collect();
    journal::read_many(agent, Action::RequestOpened, &traced).await?;
    let permitted = found.into_iter().filter_map(|request| {
        let actor = actor(agent.role(&request.department_id)?);
        Some(Permitted { request, actor, right: PhantomData })
    });
    Ok(permitted.collect())
}

/// Whether who opened a request may do more with it.
///
/// # Errors
/// `Forbidden`.
pub fn may<R: Right>(agent: &Agent, request: &Request) -> Result<(), Problem> {
    allows::<R>(agent.role(&request.department_id).ok_or(Problem::NotFound)?)
}

fn allows<R: Right>(role: Role) -> Result<(), Problem> {
    if role >= R::LEAST {
        return Ok(());
    }
    Err(Problem::Forbidden(
        "Votre rôle dans ce service ne permet pas cette action. Demandez-la à un collègue qui instruit ou qui décide.",
    ))
}

fn actor(role: Role) -> Actor {
    match role {
        Role::Reader => Actor::Reader,
        Role::Processor => Actor::Processor,
        Role::Decider | Role::Manager => Actor::Decider,
    }
}

/// Opens a request that the visitor filed: with their account, or from a session that proved it.
///
/// For who acts in somebody's name, that person's or organisation's requests, as far as the right goes.
pub async fn mine(visitor: &Visitor, id: Uuid) -> Result<Mine, Problem> {
    mine_to(visitor, id, Deed::Follow).await
}

/// The same, to do this with it.
pub async fn mine_to(visitor: &Visitor, id: Uuid, deed: Deed) -> Result<Mine, Problem> {
    let request = owned(visitor, id).await?;
    visitor.require(deed)?;
    Ok(request)
}

async fn owned(visitor: &Visitor, id: Uuid) -> Result<Mine, Problem> {
    let Some(session) = &visitor.session else { return Err(visitor.sign_in()) };
    let found = store::find(&visitor.db, id).await?;
    let mut owned = false;
    if let Some(request) = &found {
        owned = Whose::of(visitor).owns(request) && visitor.covers(&request.procedure_id);
        // What a session proved is its own person's.
        if !owned && visitor.acting.is_none() {
            let grant: Option<i64> = visitor
                .db
                .first(
                    sql!("select 1 from request_grant where authority_id = $1 and session_id = $2 and request_id = $3"),
                    args![visitor.db.authority(), session.id, id],
                )
                .await?;
            owned = grant.is_some();
        }
    }
    match found {
        Some(request) if owned => Ok(Mine(request)),
        // Somebody whose session ended may sign in and come back here.
        _ if session.account.is_none() => Err(visitor.sign_in()),
        _ => Err(Problem::NotFound),
    }
}

/// Restricts a query on `request r` to what the agent may see: shared by lists, counts, search, exports.
pub fn scope(query: Query, agent: &Agent) -> Query {
    scope_as::<Read>(query, agent)
}

/// The same, for what needs the right `R`.
pub fn scope_as<R: Right>(query: Query, agent: &Agent) -> Query {
    let able = agent.memberships.iter().filter(|membership| membership.role >= R::LEAST);
    let departments: Vec<&str> = able.map(|membership| membership.department_id.as_str()).collect();
    query.and("r.authority_id = {}", agent.db.authority()).and_in("r.department_id", &departments)
}

/// The same, for one of the agent's departments: an index gives it in order.
pub fn within(query: Query, agent: &Agent, membership: &Membership) -> Query {
    query.and("r.authority_id = {}", agent.db.authority()).and("r.department_id = {}", &membership.department_id)
}
