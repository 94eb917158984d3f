//! The list that an agent came from, carried by the addresses of a request's pages: what is done there leads back
//! to the same place of it, or to the next request.

use axum::extract::Query;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    conditions::Text,
    filters::{Asked, Cursor, Filters},
    store::{self, NEIGHBOUR},
};
use crate::{
    platform::encode,
    requests::{model::Request, search},
    visit::Agent,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Carried {
    liste: String,
}

/// None: from nowhere in particular.
#[derive(Default)]
pub struct Came(Option<Filters>);

impl Came {
    /// As the present address says.
    pub fn from(agent: &Agent) -> Self {
        let carried = agent.here.parse().ok().and_then(|uri| Query::<Carried>::try_from_uri(&uri).ok());
        Self::named(&carried.map(|Query(carried)| carried.liste).unwrap_or_default())
    }

    /// The list of this query; nowhere when it is empty, or nonsense.
    pub fn named(query: &str) -> Self {
        let uri =
            Some(query).filter(|query| !query.is_empty()).and_then(|query| format!("/agent?{query}").parse().ok());
        let asked = uri.and_then(|uri| Query::<Asked>::try_from_uri(&uri).ok());
        Self(asked.map(|Query(asked)| Filters::from(asked)))
    }

    pub fn of(filters: &Filters) -> Self {
        Self(Some(filters.clone()))
    }

    pub fn filters(&self) -> Option<&Filters> {
        self.0.as_ref()
    }

    /// The query that [`Self::named`] takes.
    pub fn query(&self) -> String {
        self.0.as_ref().map(|filters| filters.query(filters.sort_id())).unwrap_or_default()
    }

    /// `url` with the list.
    pub fn on(&self, url: &str) -> String {
        match &self.0 {
            None => url.to_owned(),
            Some(filters) => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}liste={}", encode(&filters.query(filters.sort_id())))
            }
        }
    }

    /// The list itself, or nothing.
    pub fn back(&self) -> String {
        self.0.as_ref().map(|filters| filters.url(filters.sort_id())).unwrap_or_default()
    }

    /// Pages of the requests before and after this one in the list, whether or not it is still in it.
    pub async fn neighbours(&self, agent: &Agent, request: &Request) -> anyhow::Result<(String, String)> {
        let Some(filters) = &self.0 else { return Ok((String::new(), String::new())) };
        let at = match filters.text(agent) {
            Text::Words(_) => search::number_of(&agent.db, request.id).await?.unwrap_or_default(),
            _ => filters.sort.at(request),
        };
        let before = self.beside(agent, filters, Cursor { at, id: request.id, forward: false }).await?;
        Ok((before, self.beside(agent, filters, Cursor { at, id: request.id, forward: true }).await?))
    }

    async fn beside(&self, agent: &Agent, filters: &Filters, cursor: Cursor) -> anyhow::Result<String> {
        let filters = Filters { cursor: Some(cursor), ..filters.clone() };
        let lines = store::lines(agent, &filters, &NEIGHBOUR).await?;
        Ok(lines.first().map(|line| self.page(line.id)).unwrap_or_default())
    }

    pub fn page(&self, id: Uuid) -> String {
        self.on(&format!("/agent/demandes/{id}"))
    }
}
