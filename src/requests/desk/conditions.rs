//! A list's filters as conditions on `request r`, and as what the index of searches is asked for.

use db::Query;
use jiff::Timestamp;

use super::{
    ask,
    filters::{Filters, Held, Late},
    levels::Levels,
};
use crate::{
    agents::Role,
    requests::{
        access::{self, Place},
        model,
        sought::{Sought, Wanted, Where},
    },
    visit::Agent,
};

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
        let answers = ask::answers(&self.asks);
        let sought = Sought {
            text: &self.search,
            person: &self.person,
            address: &self.address,
            procedure: &self.procedure,
            answers: &answers,
        };
        if sought.is_none() {
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
        let wanted = Wanted::new(agent.db.authority(), &wanted(true), &wanted(false), &sought);
        wanted.map_or(Text::Nothing, Text::Words)
    }

    /// The conditions on `request r` in one place of the agent, when no words are looked for.
    pub fn restrict(&self, query: Query, agent: &Agent, place: &Place<'_>, levels: &Levels) -> Query {
        let query = self.narrow(access::within(query, agent, place), agent, levels);
        match self.text(agent) {
            Text::Reference(reference) => query.and("r.reference = {}", reference),
            _ => query,
        }
    }

    /// The conditions on `request r` beside its department and the words.
    pub fn narrow(&self, query: Query, agent: &Agent, levels: &Levels) -> Query {
        let mut query = self
            .view
            .restrict(query, agent)
            .and_some("r.procedure_id = {}", some(&self.procedure))
            .and_some("r.status = {}", some(self.status))
            .and_some("r.state = {}", some(&self.state));
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
        match self.late {
            Late::Past => query
                .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
                .and("r.due_at < {}", agent.now),
            Late::Any | Late::Red | Late::Orange => levels.restrict(query),
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
