//! Whose figures are read: the one place that decides it. Without a department, nothing is.

use db::{Db, Query};

use crate::{
    agents::{Membership, Role},
    catalogue::Current,
    error::Problem,
    visit::Agent,
};

/// Departments, and one of their procedures or all.
#[derive(Debug, Clone)]
pub struct Scope {
    departments: Vec<String>,
    pub procedure: Option<String>,
}

const REFUSED: Problem = Problem::Forbidden(
    "Les statistiques et les retards sont vus par les agents qui instruisent les demandes du service.",
);

/// The departments whose figures an agent may see: those where they process requests, at least.
///
/// # Errors
/// `Forbidden` when there is none.
pub fn seen(agent: &Agent) -> Result<Vec<Membership>, Problem> {
    let mut seen = agent.memberships.clone();
    seen.retain(|membership| membership.role >= Role::Processor);
    if seen.is_empty() { Err(REFUSED) } else { Ok(seen) }
}

impl Scope {
    /// What an agent may see of a department (all of theirs when it is empty) and a procedure (same).
    ///
    /// # Errors
    /// `Forbidden` when they process nowhere; `NotFound` for a department that is not one of those.
    pub fn of(agent: &Agent, department: &str, procedure: &str) -> Result<Self, Problem> {
        let mut departments: Vec<String> = seen(agent)?.into_iter().map(|one| one.department_id).collect();
        departments.retain(|id| department.is_empty() || id == department);
        if departments.is_empty() {
            return Err(Problem::NotFound);
        }
        Ok(Self { departments, procedure: Some(procedure.to_owned()).filter(|id| !id.is_empty()) })
    }

    /// One department, for what is sent about it.
    pub fn department(id: &str) -> Self {
        Self::departments_of(vec![id.to_owned()])
    }

    /// Departments whose figures its reader was found to see.
    pub fn departments_of(departments: Vec<String>) -> Self {
        Self { departments, procedure: None }
    }

    pub fn departments(&self) -> &[String] {
        &self.departments
    }

    /// What everybody may be told of every published procedure, once small numbers are left out.
    pub fn public(current: &Current) -> Self {
        let mut departments: Vec<String> =
            current.procedures.values().map(|published| published.procedure.department.clone()).collect();
        departments.sort();
        departments.dedup();
        Self { departments, procedure: None }
    }

    /// The same of one procedure.
    pub fn procedure(procedure: &forms::model::Procedure) -> Self {
        Self { departments: vec![procedure.department.clone()], procedure: Some(procedure.id.clone()) }
    }

    /// Restricts a query on `tally` or `fact` to it, in the order of their indexes.
    pub(super) fn restrict(&self, query: Query, db: &Db) -> Query {
        query
            .and("authority_id = {}", db.authority())
            .and_in("department_id", &self.departments)
            .and_some("procedure_id = {}", self.procedure.as_deref())
    }
}
