//! The lists of the left menu.

use db::Query;

use crate::visit::Agent;

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

    pub fn named(id: &str) -> Option<Self> {
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
