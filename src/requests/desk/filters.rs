//! What a list shows, all of it in its address: a view can be bookmarked or sent to a colleague.

use db::Query;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::words::STATUSES;
use crate::{
    agents::{Membership, Role},
    platform::{encode, french},
    requests::{access, model},
    visit::Agent,
};

/// Words of a search beyond these are ignored.
const MOST_WORDS: usize = 6;

/// The entries of the left menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Todo,
    Mine,
    Waiting,
    Late,
    Done,
    All,
}

impl View {
    pub const COUNTED: [Self; 5] = [Self::Todo, Self::Mine, Self::Waiting, Self::Late, Self::Done];

    pub fn id(self) -> &'static str {
        match self {
            Self::Todo => "a-traiter",
            Self::Mine => "mes-dossiers",
            Self::Waiting => "attente",
            Self::Late => "retard",
            Self::Done => "termines",
            Self::All => "toutes",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Todo => "À traiter",
            Self::Mine => "Mes dossiers",
            Self::Waiting => "En attente de l’usager",
            Self::Late => "En retard",
            Self::Done => "Terminés",
            Self::All => "Toutes les demandes",
        }
    }

    fn named(id: &str) -> Option<Self> {
        [Self::All].into_iter().chain(Self::COUNTED).find(|view| view.id() == id)
    }

    /// Which values of `ended` it shows.
    pub fn ended(self) -> &'static [bool] {
        match self {
            Self::Done => &[true],
            Self::All => &[false, true],
            _ => &[false],
        }
    }

    /// Restricts a query on `request r` to those values.
    pub fn half(self, query: Query) -> Query {
        match self.ended() {
            [one] => query.and("r.ended = {}", *one),
            _ => query,
        }
    }

    /// The condition on `request r` beside `ended`.
    pub fn restrict(self, query: Query, agent: &Agent) -> Query {
        match self {
            Self::Todo => query.push(" and r.status <> 'action-needed'"),
            Self::Mine => query.and("r.holder_id = {}", agent.account.id),
            Self::Waiting => query.push(" and r.status = 'action-needed'"),
            // Nothing is late while the usager has to complete, nor once it is decided.
            Self::Late => query.push(" and r.status in ('sent', 'in-progress')").and("r.due_at < {}", agent.now),
            Self::Done | Self::All => query,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Anyone,
    Me,
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Soonest first.
    Due,
    /// Latest first.
    Sent,
}

/// The line beside which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: Uuid,
    /// Towards the end of the list.
    pub forward: bool,
}

impl Cursor {
    fn parse(text: &str, forward: bool) -> Option<Self> {
        let (at, id) = text.split_once('_')?;
        Some(Self { at: Timestamp::from_microsecond(at.parse().ok()?).ok()?, id: id.parse().ok()?, forward })
    }
}

/// The query of the address, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Asked {
    vue: String,
    demarche: String,
    statut: String,
    affecte: String,
    q: String,
    tri: String,
    apres: String,
    avant: String,
}

#[derive(Debug, Clone)]
pub struct Filters {
    pub view: View,
    /// Empty for any.
    pub procedure: String,
    pub status: &'static str,
    pub held: Held,
    /// As typed.
    pub search: String,
    pub sort: Sort,
    pub cursor: Option<Cursor>,
}

impl From<Asked> for Filters {
    fn from(asked: Asked) -> Self {
        let search: String = asked.q.trim().chars().filter(|letter| !letter.is_control()).take(200).collect();
        // A search without a view looks everywhere.
        let view = View::named(&asked.vue).unwrap_or(if search.is_empty() { View::Todo } else { View::All });
        Self {
            view,
            procedure: asked.demarche.replace('\0', ""),
            status: STATUSES.iter().map(|(id, _)| *id).find(|id| *id == asked.statut).unwrap_or_default(),
            held: match asked.affecte.as_str() {
                "moi" => Held::Me,
                "personne" => Held::Nobody,
                _ => Held::Anyone,
            },
            search,
            sort: match asked.tri.as_str() {
                "depot" => Sort::Sent,
                "echeance" => Sort::Due,
                _ if matches!(view, View::Done | View::All) => Sort::Sent,
                _ => Sort::Due,
            },
            cursor: Cursor::parse(&asked.apres, true).or_else(|| Cursor::parse(&asked.avant, false)),
        }
    }
}

impl Filters {
    pub fn held_id(&self) -> &'static str {
        match self.held {
            Held::Anyone => "tous",
            Held::Me => "moi",
            Held::Nobody => "personne",
        }
    }

    pub fn sort_id(&self) -> &'static str {
        match self.sort {
            Sort::Due => "echeance",
            Sort::Sent => "depot",
        }
    }

    /// The address of this list from its beginning, sorted by `sort`.
    pub fn url(&self, sort: &str) -> String {
        let held = if self.held == Held::Anyone { "" } else { self.held_id() };
        let pairs = [
            ("vue", self.view.id()),
            ("demarche", &self.procedure),
            ("statut", self.status),
            ("affecte", held),
            ("q", &self.search),
            ("tri", sort),
        ];
        let pairs: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        format!("/agent?{}", pairs.join("&"))
    }

    /// The address of the page after or before the line `at`, `id`.
    pub fn page(&self, forward: bool, at: Timestamp, id: Uuid) -> String {
        let name = if forward { "apres" } else { "avant" };
        format!("{}&{name}={}_{id}", self.url(self.sort_id()), at.as_microsecond())
    }

    /// Whether something narrows the view.
    pub fn narrowed(&self) -> bool {
        !self.procedure.is_empty() || !self.status.is_empty() || self.held != Held::Anyone || !self.search.is_empty()
    }

    /// The conditions on `request r` in one department of the agent.
    pub fn restrict(&self, query: Query, agent: &Agent, department: &Membership) -> Query {
        let mut query = self
            .view
            .restrict(access::within(query, agent, department), agent)
            .and_some("r.procedure_id = {}", some(&self.procedure))
            .and_some("r.status = {}", some(self.status));
        query = match self.held {
            Held::Anyone => query,
            Held::Me => query.and("r.holder_id = {}", agent.account.id),
            Held::Nobody => query.push(" and r.holder_id is null"),
        };
        self.find(query, &agent.site.settings.prefix, department.role)
    }

    /// A reference is looked up; anything else must be found word by word. Who may not see the
    /// content may not search in it either.
    fn find(&self, mut query: Query, prefix: &str, role: Role) -> Query {
        if self.search.is_empty() {
            return query;
        }
        let reference = model::canonical_reference(&self.search);
        if reference.strip_prefix(prefix).is_some_and(|rest| rest.len() == 8 && rest.starts_with('-')) {
            return query.and("r.reference = {}", reference);
        }
        let folded = french::fold(&self.search);
        let mut words = folded.split_whitespace().take(MOST_WORDS).peekable();
        if words.peek().is_none() {
            return query.push(" and 1 = 0");
        }
        for word in words {
            let like = format!("%{word}%");
            query = if role < Role::Processor {
                query.and("r.filer_key like {}", like)
            } else {
                query.and("r.filer_key like {} or r.words like {}", like)
            };
        }
        query
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_it_all() {
        let asked = Asked {
            vue: "retard".into(),
            q: " Élodie  ".into(),
            affecte: "personne".into(),
            statut: "nonsense".into(),
            ..Asked::default()
        };
        let filters = Filters::from(asked);
        assert_eq!(filters.url(filters.sort_id()), "/agent?vue=retard&affecte=personne&q=%C3%89lodie&tri=echeance");
        let page = filters.page(true, Timestamp::from_microsecond(12).unwrap(), Uuid::from_u128(3));
        let cursor = Cursor::parse(page.rsplit_once('=').unwrap().1, true).unwrap();
        assert_eq!((cursor.at.as_microsecond(), cursor.id), (12, Uuid::from_u128(3)));
    }

    #[test]
    fn a_search_alone_looks_everywhere() {
        assert_eq!(Filters::from(Asked { q: "x".into(), ..Asked::default() }).view, View::All);
        assert_eq!(Filters::from(Asked::default()).view, View::Todo);
        assert!(Cursor::parse("12_nothing", true).is_none());
    }
}
