//! What a list shows, all of it in its address: a view can be bookmarked or sent to a colleague.

use db::Query;
use jiff::{Timestamp, ToSpan, civil::Date};
use serde::Deserialize;
use uuid::Uuid;

pub use super::views::View;
use super::{delays::NEAR, words::STATUSES};
use crate::{
    agents::Role,
    platform::{encode, french, sheet::Format},
    requests::{
        access::{self, Place},
        channel::Channel,
        model,
        search::{Wanted, Where},
    },
    visit::Agent,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Anyone,
    Me,
    Nobody,
    By(Uuid),
}

/// How a due date stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    Any,
    Late,
    /// Within the days that lists show as near.
    Soon,
}

impl Delay {
    pub fn id(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Late => "retard",
            Self::Soon => "bientot",
        }
    }
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
    /// A time in microseconds or, in a search, the number of the request in the index.
    pub at: i64,
    pub id: Uuid,
    /// Towards the end of the list.
    pub forward: bool,
}

impl Cursor {
    fn parse(text: &str, forward: bool) -> Option<Self> {
        let (at, id) = text.split_once('_')?;
        Some(Self { at: at.parse().ok()?, id: id.parse().ok()?, forward })
    }

    /// None when the address was made up.
    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.at).ok()
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
    affecte: String,
    delai: String,
    canal: String,
    personne: String,
    du: String,
    au: String,
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
    pub department: String,
    pub status: &'static str,
    pub held: Held,
    pub delay: Delay,
    pub channel: Option<Channel>,
    /// A name, as typed.
    pub person: String,
    /// First and last day of sending: as typed, and understood.
    pub from: (String, Option<Date>),
    pub to: (String, Option<Date>),
    /// As typed.
    pub search: String,
    pub sort: Sort,
    pub cursor: Option<Cursor>,
    /// What was typed and cannot be: (field, why). The list is as if it had been left empty.
    pub errors: Vec<(&'static str, String)>,
}

fn clean(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// A day as typed; what is wrong goes to `errors`.
fn day(typed: &str, field: &'static str, errors: &mut Vec<(&'static str, String)>) -> (String, Option<Date>) {
    let typed = clean(typed);
    let day = french::day(&typed);
    if day.is_none() && !typed.is_empty() {
        errors.push((field, "Écrivez une date comme 27/03/2026, qui existe dans le calendrier.".to_owned()));
    }
    (typed, day)
}

impl From<Asked> for Filters {
    fn from(asked: Asked) -> Self {
        let (search, person) = (clean(&asked.q), clean(&asked.personne));
        let mut errors = Vec::new();
        let (from, mut to) = (day(&asked.du, "du", &mut errors), day(&asked.au, "au", &mut errors));
        if let (Some(first), Some(last)) = (from.1, to.1)
            && last < first
        {
            errors.push(("au", "La fin de la période est avant son début.".to_owned()));
            to.1 = None;
        }
        // A search without a view looks everywhere.
        let sought = !search.is_empty() || !person.is_empty();
        let view = View::named(&asked.vue).unwrap_or(if sought { View::All } else { View::Todo });
        Self {
            view,
            procedure: clean(&asked.demarche),
            department: clean(&asked.service),
            status: STATUSES.iter().map(|(id, _)| *id).find(|id| *id == asked.statut).unwrap_or_default(),
            held: match asked.affecte.as_str() {
                "moi" => Held::Me,
                "personne" => Held::Nobody,
                other => other.parse().map_or(Held::Anyone, Held::By),
            },
            delay: [Delay::Late, Delay::Soon].into_iter().find(|one| one.id() == asked.delai).unwrap_or(Delay::Any),
            channel: Channel::named(&asked.canal),
            sort: match asked.tri.as_str() {
                _ if sought => Sort::Sent,
                "depot" => Sort::Sent,
                "echeance" => Sort::Due,
                _ if matches!(view, View::Done | View::All) => Sort::Sent,
                _ => Sort::Due,
            },
            person,
            from,
            to,
            search,
            cursor: Cursor::parse(&asked.apres, true).or_else(|| Cursor::parse(&asked.avant, false)),
            errors,
        }
    }
}

/// What a text of the address makes of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    None,
    Reference(String),
    Words(Wanted),
    /// Nothing in it can be looked for.
    Nothing,
}

impl Filters {
    pub fn held_id(&self) -> String {
        match self.held {
            Held::Anyone => String::new(),
            Held::Me => "moi".to_owned(),
            Held::Nobody => "personne".to_owned(),
            Held::By(id) => id.to_string(),
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
        format!("/agent?{}", self.query(sort))
    }

    /// Where this list is taken away, whole.
    pub fn export(&self, format: Format) -> String {
        format!("/agent/export.{}?{}", format.ending(), self.query(self.sort_id()))
    }

    /// The query of that address.
    pub fn query(&self, sort: &str) -> String {
        let held = self.held_id();
        let pairs = [
            ("vue", self.view.id()),
            ("demarche", &self.procedure),
            ("service", &self.department),
            ("statut", self.status),
            ("affecte", &held),
            ("delai", self.delay.id()),
            ("canal", self.channel.map_or("", Channel::id)),
            ("personne", &self.person),
            ("du", &self.from.0),
            ("au", &self.to.0),
            ("q", &self.search),
            ("tri", sort),
        ];
        let pairs: Vec<String> = pairs
            .iter()
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
            || self.held != Held::Anyone
            || !self.search.is_empty()
            || self.more()
    }

    /// Whether one of the filters that are folded away does.
    pub fn more(&self) -> bool {
        let texts = [&self.department, &self.person, &self.from.0, &self.to.0];
        self.delay != Delay::Any || self.channel.is_some() || texts.iter().any(|text| !text.is_empty())
    }

    /// The agent's departments that the list is about.
    pub fn places<'a>(&self, agent: &'a Agent) -> Vec<Place<'a>> {
        let mut places = access::places(agent);
        places.retain(|one| self.about(one.department));
        places
    }

    fn about(&self, department: &str) -> bool {
        self.department.is_empty() || department == self.department
    }

    /// What is looked for. Who may not see the content of a department's requests may not search in it either.
    pub fn text(&self, agent: &Agent) -> Text {
        if self.search.is_empty() && self.person.is_empty() {
            return Text::None;
        }
        let reference = model::canonical_reference(&self.search);
        let prefix = &agent.site.settings.prefix;
        if reference.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.len() == 8 && rest.starts_with('-')) {
            return Text::Reference(reference);
        }
        let wanted = |able: bool| -> Vec<Where<'_>> {
            let able = |role: Role| (role >= Role::Processor) == able;
            let own = agent.memberships.iter().filter(|one| able(one.role) && self.about(&one.department_id));
            let some = agent.limited.iter().filter(|one| able(one.role) && self.about(&one.department_id));
            own.map(|one| (one.department_id.as_str(), None))
                .chain(some.map(|one| (one.department_id.as_str(), Some(one.procedure_id.as_str()))))
                .collect()
        };
        let wanted = Wanted::new(agent.db.authority(), &wanted(true), &wanted(false), &self.search, &self.person);
        wanted.map_or(Text::Nothing, Text::Words)
    }

    /// The conditions on `request r` in one place of the agent, when no words are looked for.
    pub fn restrict(&self, query: Query, agent: &Agent, place: &Place<'_>) -> Query {
        let query = self.narrow(access::within(query, agent, place), agent);
        match self.text(agent) {
            Text::Reference(reference) => query.and("r.reference = {}", reference),
            _ => query,
        }
    }

    /// The conditions on `request r` beside its department and the words.
    pub fn narrow(&self, query: Query, agent: &Agent) -> Query {
        let mut query = self
            .view
            .restrict(query, agent)
            .and_some("r.procedure_id = {}", some(&self.procedure))
            .and_some("r.status = {}", some(self.status));
        query = match self.held {
            Held::Anyone => query,
            Held::Me => query.and("r.holder_id = {}", agent.account.id),
            Held::Nobody => query.push(" and r.holder_id is null"),
            Held::By(colleague) => query.and("r.holder_id = {}", colleague),
        };
        if let Some(channel) = self.channel {
            query = query.push(channel.condition());
        }
        let (first, end) = self.period(agent);
        query = query.and_some("r.submitted_at >= {}", first).and_some("r.submitted_at < {}", end);
        let near = || agent.today().checked_add(NEAR.days()).ok().and_then(|day| agent.morning(day.tomorrow().ok()?));
        match self.delay {
            Delay::Any => query,
            Delay::Late => query
                .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
                .and("r.due_at < {}", agent.now),
            Delay::Soon => query
                .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
                .and("r.due_at >= {}", agent.now)
                .and_some("r.due_at < {}", near()),
        }
    }

    /// When the sending of what is listed begins and ends (excluded).
    pub fn period(&self, agent: &Agent) -> (Option<Timestamp>, Option<Timestamp>) {
        let first = self.from.1.and_then(|day| agent.morning(day));
        (first, self.to.1.and_then(|day| agent.morning(day.tomorrow().ok()?)))
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
            assert_eq!(wrong.errors.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [field]);
            assert_eq!((wrong.from.0.as_str(), wrong.to.0.as_str()), (du, au));
        }
    }

    #[test]
    fn a_search_alone_looks_everywhere() {
        assert_eq!(Filters::from(Asked { q: "x".into(), ..Asked::default() }).view, View::All);
        assert_eq!(Filters::from(Asked::default()).view, View::Todo);
        assert!(Cursor::parse("12_nothing", true).is_none());
    }
}
