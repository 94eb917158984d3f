//! What a list shows, all of it in its address: a view can be bookmarked or sent to a colleague.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    ask::{self, Ask, How},
    words::STATUSES,
};
pub use super::{
    sort::{Cursor, Sort},
    views::View,
};
use crate::{
    catalogue,
    platform::{encode, french, sheet::Format},
    requests::channel::Channel,
    visit::Agent,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Anyone,
    Me,
    Nobody,
    By(Uuid),
}

/// How late an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    Any,
    /// Its due date is past.
    Past,
    /// As its procedure says: see [`Levels`].
    Red,
    Orange,
}

impl Late {
    pub const EACH: [(&'static str, &'static str, Self); 3] = [
        ("retard", "En retard", Self::Past),
        ("rouge", "En alerte rouge", Self::Red),
        ("orange", "En alerte orange", Self::Orange),
    ];

    pub fn id(self) -> &'static str {
        Self::EACH.iter().find(|(_, _, late)| *late == self).map_or("", |(id, ..)| id)
    }
}

/// The query of the address, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Asked {
    vue: String,
    demarche: String,
    service: String,
    statut: String,
    etat: String,
    affecte: String,
    delai: String,
    canal: String,
    personne: String,
    adresse: String,
    du: String,
    au: String,
    q: String,
    tri: String,
    apres: String,
    avant: String,
    /// Answers looked for.
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct Filters {
    pub view: View,
    /// Empty for any.
    pub procedure: String,
    pub department: String,
    pub status: &'static str,
    /// Of the procedure's own circuit.
    pub state: String,
    pub held: Held,
    pub late: Late,
    pub channel: Option<Channel>,
    /// A name, as typed.
    pub person: String,
    /// Words of an address, as typed.
    pub address: String,
    /// Answers to the questions of the procedure.
    pub asks: Vec<Ask>,
    /// First and last day of sending: as typed, and understood.
    pub from: (String, Option<Date>),
    pub to: (String, Option<Date>),
    /// As typed.
    pub search: String,
    pub sort: Sort,
    pub cursor: Option<Cursor>,
    /// What was typed and cannot be: (field, why). The list is as if it had been left empty.
    pub errors: Vec<(String, String)>,
}

fn clean(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// A day as typed; what is wrong goes to `errors`.
fn day(typed: &str, field: &str, errors: &mut Vec<(String, String)>) -> (String, Option<Date>) {
    let typed = clean(typed);
    let day = french::day(&typed);
    if day.is_none() && !typed.is_empty() {
        errors.push((field.to_owned(), "Écrivez une date comme 27/03/2026, qui existe dans le calendrier.".to_owned()));
    }
    (typed, day)
}

impl From<Asked> for Filters {
    fn from(asked: Asked) -> Self {
        let (search, person, address) = (clean(&asked.q), clean(&asked.personne), clean(&asked.adresse));
        let procedure = clean(&asked.demarche);
        let asks = if procedure.is_empty() { Vec::new() } else { Ask::all(&asked.rest, clean) };
        let mut errors = Vec::new();
        let (from, mut to) = (day(&asked.du, "du", &mut errors), day(&asked.au, "au", &mut errors));
        if let (Some(first), Some(last)) = (from.1, to.1)
            && last < first
        {
            errors.push(("au".to_owned(), "La fin de la période est avant son début.".to_owned()));
            to.1 = None;
        }
        errors.extend(asks.iter().filter_map(|ask| Some((ask.name(), ask.problem()?.to_owned()))));
        let mut filters = Self {
            view: View::Todo,
            state: if procedure.is_empty() { String::new() } else { clean(&asked.etat) },
            procedure,
            department: clean(&asked.service),
            status: STATUSES.iter().map(|(id, _)| *id).find(|id| *id == asked.statut).unwrap_or_default(),
            held: match asked.affecte.as_str() {
                "moi" => Held::Me,
                "personne" => Held::Nobody,
                other => other.parse().map_or(Held::Anyone, Held::By),
            },
            late: Late::EACH.iter().find(|(id, ..)| *id == asked.delai).map_or(Late::Any, |(_, _, late)| *late),
            channel: Channel::named(&asked.canal),
            sort: Sort::DUE,
            address,
            asks,
            person,
            from,
            to,
            search,
            cursor: Cursor::parse(&asked.apres, true).or_else(|| Cursor::parse(&asked.avant, false)),
            errors,
        };
        // What the index of searches finds comes newest first; without a view, from everywhere.
        let sought = filters.sought();
        filters.view = View::named(&asked.vue).unwrap_or(if sought { View::All } else { View::Todo });
        filters.sort = match Sort::named(&asked.tri) {
            _ if sought => Sort::SENT,
            Some(sort) => sort,
            None if matches!(filters.view, View::Done | View::All) => Sort::SENT,
            None => Sort::DUE,
        };
        filters
    }
}

impl Filters {
    /// As asked, without the state and the answers that the procedure does not have: another one was chosen.
    pub async fn of(agent: &Agent, asked: Asked) -> anyhow::Result<Self> {
        let mut filters = Self::from(asked);
        if filters.state.is_empty() && filters.asks.is_empty() {
            return Ok(filters);
        }
        let current = catalogue::current(agent).await?;
        let procedure = current.any(&filters.procedure).map(|published| published.procedure.as_ref());
        let (kept, others) = std::mem::take(&mut filters.asks)
            .into_iter()
            .partition(|ask: &Ask| procedure.is_some_and(|procedure| ask.is_of(procedure)));
        filters.asks = kept;
        filters.errors.retain(|(field, _)| !others.iter().any(|ask| ask.name() == *field));
        if procedure.is_none_or(|procedure| procedure.workflow.state(&filters.state).is_none()) {
            filters.state.clear();
        }
        Ok(filters)
    }

    /// The same list, without what was looked for at one moment about somebody.
    pub fn without_names(mut self) -> Self {
        (self.search, self.person) = (String::new(), String::new());
        self.asks.retain(|ask| ask.how != How::Name);
        self
    }

    /// Whether the index of searches finds it.
    pub fn sought(&self) -> bool {
        let texts = [&self.search, &self.person, &self.address];
        texts.iter().any(|text| !text.is_empty()) || !ask::answers(&self.asks).is_empty()
    }

    /// What was typed to look for it.
    pub fn typed(&self) -> Vec<&str> {
        let words = self.asks.iter().filter(|ask| matches!(ask.how, How::Words | How::Name));
        let typed = [&self.search, &self.person, &self.address].into_iter().chain(words.map(|ask| &ask.value));
        typed.map(String::as_str).collect()
    }

    pub fn held_id(&self) -> String {
        match self.held {
            Held::Anyone => String::new(),
            Held::Me => "moi".to_owned(),
            Held::Nobody => "personne".to_owned(),
            Held::By(id) => id.to_string(),
        }
    }

    pub fn sort_id(&self) -> &'static str {
        self.sort.id()
    }

    /// The address of this list from its beginning, sorted by `sort`.
    pub fn url(&self, sort: &str) -> String {
        format!("/agent?{}", self.query(sort))
    }

    /// Where this list is taken away, whole.
    pub fn export(&self, format: Format) -> String {
        format!("/agent/export.{}?{}", format.ending(), self.query(self.sort_id()))
    }

    /// The query of that address.
    pub fn query(&self, sort: &str) -> String {
        let held = self.held_id();
        let asks: Vec<(String, &str)> = self.asks.iter().map(|ask| (ask.name(), ask.value.as_str())).collect();
        let before = [
            ("vue", self.view.id()),
            ("demarche", &self.procedure),
            ("service", &self.department),
            ("statut", self.status),
            ("etat", &self.state),
            ("affecte", &held),
            ("delai", self.late.id()),
            ("canal", self.channel.map_or("", Channel::id)),
            ("personne", &self.person),
            ("adresse", &self.address),
            ("du", &self.from.0),
            ("au", &self.to.0),
        ];
        let asks = asks.iter().map(|(name, value)| (name.as_str(), *value));
        let pairs: Vec<String> = before
            .into_iter()
            .chain(asks)
            .chain([("q", self.search.as_str()), ("tri", sort)])
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        pairs.join("&")
    }

    /// The address of the page after or before the line `at` (see [`Cursor`]), `id`.
    pub fn page(&self, forward: bool, at: i64, id: Uuid) -> String {
        let name = if forward { "apres" } else { "avant" };
        format!("{}&{name}={at}_{id}", self.url(self.sort_id()))
    }

    /// Whether something narrows the view.
    pub fn narrowed(&self) -> bool {
        !self.procedure.is_empty()
            || !self.status.is_empty()
            || !self.state.is_empty()
            || self.held != Held::Anyone
            || !self.search.is_empty()
            || self.more()
    }

    /// Whether one of the filters that are folded away does.
    pub fn more(&self) -> bool {
        let texts = [&self.department, &self.person, &self.address, &self.from.0, &self.to.0];
        self.late != Late::Any
            || self.channel.is_some()
            || !self.asks.is_empty()
            || texts.iter().any(|text| !text.is_empty())
    }
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
        assert_eq!(filters.url(filters.sort_id()), "/agent?vue=retard&affecte=personne&q=%C3%89lodie&tri=depot");
        let page = filters.page(true, 12, Uuid::from_u128(3));
        let cursor = Cursor::parse(page.rsplit_once('=').unwrap().1, true).unwrap();
        assert_eq!((cursor.at, cursor.id), (12, Uuid::from_u128(3)));
    }

    #[test]
    fn a_wrong_date_is_told_and_kept() {
        let asked = |du: &str, au: &str| Filters::from(Asked { du: du.into(), au: au.into(), ..Asked::default() });
        let fine = asked("1/3/2026", "2026-03-31");
        assert_eq!((fine.from.1, fine.to.1), (Some(Date::constant(2026, 3, 1)), Some(Date::constant(2026, 3, 31))));
        assert!(fine.errors.is_empty());
        for (du, au, field) in [("31/02/2026", "", "du"), ("", "demain", "au"), ("02/03/2026", "01/03/2026", "au")] {
            let wrong = asked(du, au);
            assert_eq!(wrong.errors.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), [field]);
            assert_eq!((wrong.from.0.as_str(), wrong.to.0.as_str()), (du, au));
        }
    }

    #[test]
    fn a_search_alone_looks_everywhere() {
        assert_eq!(Filters::from(Asked { q: "x".into(), ..Asked::default() }).view, View::All);
        assert_eq!(Filters::from(Asked::default()).view, View::Todo);
    }
}
