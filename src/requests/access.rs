//! The one place where a request is opened. A role proves nothing about *this* request: only
//! [`desk`] and [`mine`] yield one, with the right that was checked in its type. What is not yours
//! looks as if it did not exist.

use std::{marker::PhantomData, ops::Deref};

use db::{Query, args, sql};
use forms::step::Actor;
use uuid::Uuid;

use super::{filler::Filler, model::Request, owner::Whose, store};
use crate::{
    acting::Deed,
    agents::Role,
    error::Problem,
    journal::{self, Action, Line},
    visit::{Agent, Visitor},
};

/// Four eyes: whoever asks does not treat what they ask for.
const OWN: Problem = Problem::Forbidden(
    "Cette demande est la vôtre\u{a0}: un collègue la traite. Vous la suivez dans «\u{a0}Mes demandes internes\u{a0}».",
);

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
    let role = opens(agent, &request)?;
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
        let actor = actor(role(agent, &request)?);
        Some(Permitted { request, actor, right: PhantomData })
    });
    Ok(permitted.collect())
}

/// Whether who opened a request may do more with it.
///
/// # Errors
/// `Forbidden`.
pub fn may<R: Right>(agent: &Agent, request: &Request) -> Result<(), Problem> {
    allows::<R>(opens(agent, request)?)
}

/// Whether the agent has the right `R` on a request. Nothing of it is shown, so that no line is written.
pub async fn reaches<R: Right>(agent: &Agent, id: Uuid) -> Result<bool, db::Error> {
    let query = Query::new("select 1 from request r where 1 = 1").and("r.authority_id = {}", agent.db.authority());
    let found: Option<i64> = agent.db.first(scope_as::<R>(query.and("r.id = {}", id), agent), args![]).await?;
    Ok(found.is_some())
}

/// The agent's role on a request; none on their own.
fn role(agent: &Agent, request: &Request) -> Option<Role> {
    if is_own(agent, request) { None } else { agent.role_on(&request.department_id, &request.procedure_id) }
}

fn opens(agent: &Agent, request: &Request) -> Result<Role, Problem> {
    if is_own(agent, request) { Err(OWN) } else { role(agent, request).ok_or(Problem::NotFound) }
}

fn is_own(agent: &Agent, request: &Request) -> bool {
    request.account_id == Some(agent.account.id)
}

/// Whether this agent filed this request for themself.
pub async fn is_asked_by(agent: &Agent, request: Uuid) -> Result<bool, db::Error> {
    let found = if agent.asks { store::find(&agent.db, request).await? } else { None };
    Ok(found.is_some_and(|request| is_own(agent, &request)))
}

/// Restricts a query on `request r` to what is not the agent's own.
pub fn others(query: Query, agent: &Agent) -> Query {
    // Who never asked for anything reads the lists as their indexes give them.
    if agent.asks { query.and("(r.account_id is null or r.account_id <> {})", agent.account.id) } else { query }
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

/// Opens a request of who filed it: see [`mine`]; for an agent, what they asked for themself.
pub async fn own(filler: &Filler, id: Uuid) -> Result<Mine, Problem> {
    own_to(filler, id, Deed::Follow).await
}

/// The same, to do this with it.
pub async fn own_to(filler: &Filler, id: Uuid, deed: Deed) -> Result<Mine, Problem> {
    match filler {
        Filler::Usager(visitor) => mine_to(visitor, id, deed).await,
        Filler::Staff(staff) => {
            let found = store::find(&staff.db, id).await?.filter(|request| is_own(staff, request));
            found.map(Mine).ok_or(Problem::NotFound)
        }
        Filler::Counter(_) => Err(Problem::NotFound),
    }
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
    let query = others(query.and("r.authority_id = {}", agent.db.authority()), agent);
    let mut limited = agent
        .limited
        .iter()
        .filter(|one| one.role >= R::LEAST && !departments.contains(&one.department_id.as_str()))
        .peekable();
    if limited.peek().is_none() {
        return query.and_in("r.department_id", &departments);
    }
    let mut query = query.push(" and (1 = 0");
    for department in &departments {
        query = query.push_with(" or r.department_id = {}", *department);
    }
    for one in limited {
        query = query.push(" or (r.department_id = {} and r.procedure_id = {})");
        query = query.bind(&one.department_id).bind(&one.procedure_id);
    }
    query.push(")")
}

/// A department of the agent, or the procedures of it that they have a right on.
#[derive(Debug)]
pub struct Place<'a> {
    pub department: &'a str,
    /// Empty: all of them.
    procedures: Vec<&'a str>,
}

/// Where the agent has a right: together, what [`scope`] leaves; no two overlap.
pub fn places(agent: &Agent) -> Vec<Place<'_>> {
    let own = agent.memberships.iter().map(|one| (one.department_id.as_str(), None));
    let limited = agent.limited.iter().filter(|one| agent.role(&one.department_id).is_none());
    let mut places: Vec<Place<'_>> = Vec::new();
    for (department, procedure) in
        own.chain(limited.map(|one| (one.department_id.as_str(), Some(one.procedure_id.as_str()))))
    {
        match places.iter_mut().find(|place| place.department == department) {
            Some(place) => place.procedures.extend(procedure),
            None => places.push(Place { department, procedures: procedure.into_iter().collect() }),
        }
    }
    places
}

/// The same as [`scope`], for one of the agent's places: an index gives it in order.
pub fn within(query: Query, agent: &Agent, place: &Place<'_>) -> Query {
    let query = query.and("r.authority_id = {}", agent.db.authority()).and("r.department_id = {}", place.department);
    let query = others(query, agent);
    if place.procedures.is_empty() { query } else { query.and_in("r.procedure_id", &place.procedures) }
}
