//! A whole list, to act on a page of it at a time: no more than a page may be confirmed at once, for each usager's
//! part of it is read first.

use uuid::Uuid;

use super::{
    came::Came,
    filters::{Cursor, Filters},
    store,
};
use crate::visit::Agent;

/// The requests of a page of the list, and where the next page begins; empty when there is none. `from`: where this
/// one does, as [`Cursor`] reads it; anything else for the first.
pub async fn page(agent: &Agent, came: &Came, from: &str) -> anyhow::Result<(Vec<Uuid>, String)> {
    let Some(filters) = came.filters() else { return Ok((Vec::new(), String::new())) };
    let filters = Filters { cursor: Cursor::parse(from, true), ..filters.clone() };
    let page = store::page(agent, &filters).await?;
    let last = page.lines.last().filter(|_| page.after);
    let next = last.map(|line| format!("{}_{}", line.at(filters.sort), line.id)).unwrap_or_default();
    Ok((page.lines.iter().map(|line| line.id).collect(), next))
}
