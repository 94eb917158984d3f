//! Agents: who belongs to which department, with which role; « Agents du service », for who manages it; who
//! administers the authority.

use axum::{
    Router,
    routing::{get, post},
};
use db::{Db, args, sql};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    journal::{self, Action, Line},
    visit::Visit,
};

mod given;
mod pages;
mod rights;
mod store;

pub use given::sweep;
pub use pages::managed;
pub use rights::watchers;
pub use store::{address, by_email, signatories};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/agents", get(pages::list))
        .route("/agent/agents/{agent}", get(pages::show))
        .route("/agent/agents/{agent}/fin", post(pages::end))
        .route("/agent/agents/{agent}/retirer", post(pages::leave))
        .route("/agent/droits/nouveau", get(rights::show).post(rights::send))
        .route("/agent/droits/{right}/retirer", post(rights::withdraw))
}

/// Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Reader,
    Processor,
    Decider,
    Manager,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Processor => "processor",
            Self::Decider => "decider",
            Self::Manager => "manager",
        }
    }

    /// As agents read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reader => "Accueil",
            Self::Processor => "Instruction",
            Self::Decider => "Décision",
            Self::Manager => "Responsable",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reader, Self::Processor, Self::Decider, Self::Manager].into_iter().find(|role| role.name() == name)
    }
}

/// A kept role as agents read it.
pub fn role_words(role: &str) -> &str {
    match Role::parse(role) {
        Some(role) => role.words(),
        None => role,
    }
}

#[derive(Debug, Clone)]
pub struct Membership {
    pub department_id: String,
    pub department_name: String,
    pub role: Role,
}

/// A right on one procedure of a department, given beside memberships, by itself or with its category.
#[derive(Debug, Clone)]
pub struct Limited {
    pub department_id: String,
    pub department_name: String,
    pub procedure_id: String,
    pub role: Role,
}

/// What an agent is for the whole authority, apart from any department: no right on requests comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum General {
    Administrator,
    /// Keeps the archives: what is eliminated, and when.
    Archivist,
    /// Sees the figures of every department.
    Observer,
}

impl General {
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Archivist => "archivist",
            Self::Observer => "observer",
        }
    }
}

/// Any role, as settings name them: `reader`, `processor`, `decider`, `manager`, `administrator`, `archivist`,
/// `observer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyRole {
    InDepartment(Role),
    General(General),
}

/// All that an agent is here.
#[derive(Debug, Clone)]
pub struct Standing {
    /// One for each department: the agent's own, and those that were given whole for today.
    pub memberships: Vec<Membership>,
    pub limited: Vec<Limited>,
    pub general: Vec<General>,
    /// Whether some request is their own: none of those is theirs to treat.
    pub asks: bool,
}

impl Standing {
    /// Whether one of these roles is among `demanding`.
    pub fn any_of(&self, demanding: &[AnyRole]) -> bool {
        any_of(&self.memberships, &self.limited, &self.general, demanding)
    }
}

/// The same, of an agent’s roles taken apart.
pub fn any_of(memberships: &[Membership], limited: &[Limited], general: &[General], demanding: &[AnyRole]) -> bool {
    let mut roles = memberships.iter().map(|one| one.role).chain(limited.iter().map(|one| one.role));
    general.iter().any(|one| demanding.contains(&AnyRole::General(*one)))
        || roles.any(|role| demanding.contains(&AnyRole::InDepartment(role)))
}

/// One statement, since every page of agents asks. A right on a category is one on each procedure that the catalogue
/// has in it now.
pub async fn standing(visit: &Visit, account: Uuid) -> anyhow::Result<Standing> {
    let db = &visit.db;
    let rows: Vec<(Option<String>, Option<String>, String, String)> = db
        .all(
            sql!(
                "select m.department_id, d.name, m.role, '' from membership m join department d on d.authority_id = m.authority_id and d.id = m.department_id
                 where m.authority_id = $1 and m.account_id = $2
                 union all select e.department_id, d.name, e.role, e.procedures from entitlement e join department d on d.authority_id = e.authority_id and d.id = e.department_id
                 where e.authority_id = $1 and e.account_id = $2 and e.from_day <= $3 and (e.until_day is null or e.until_day >= $3)
                 union all select null, null, 'administrator', '' from administrator where authority_id = $1 and account_id = $2
                 union all select null, null, 'archivist', '' from archivist where authority_id = $1 and account_id = $2
                 union all select null, null, 'observer', '' from observer where authority_id = $1 and account_id = $2
                 union all select null, null, 'asks', '' where exists (select 1 from request where authority_id = $1 and account_id = $2)
                 order by 2"
            ),
            args![db.authority(), account, visit.today()],
        )
        .await?;
    let has = |wanted: &str| rows.iter().any(|(department, _, role, _)| department.is_none() && role == wanted);
    let general = [General::Administrator, General::Archivist, General::Observer];
    let general = general.into_iter().filter(|one| has(one.name())).collect();
    let mut standing = Standing { memberships: Vec::new(), limited: Vec::new(), general, asks: has("asks") };
    for (department, name, role, on) in rows {
        if let (Some(department), Some(name)) = (department, name) {
            let some = !on.trim().is_empty();
            let procedures = if some { given::procedures(visit, &on).await? } else { Vec::new() };
            standing.add((department, name), Role::parse(&role).unwrap_or(Role::Reader), procedures, some);
        }
    }
    Ok(standing)
}

/// Every agent who works in a department that day, those who replace somebody among them, with the highest of their
/// roles there.
pub async fn members(db: &Db, today: Date) -> Result<Vec<(Uuid, String, Role)>, db::Error> {
    let rows: Vec<(Uuid, String, String)> = db
        .all(
            sql!(
                "select s.account_id, s.department_id, s.role from staff s join account a on a.authority_id = s.authority_id and a.id = s.account_id
                 where s.authority_id = $1 and a.closed_at is null and (a.ends_on is null or a.ends_on >= $2)
                   and (s.from_day is null or s.from_day <= $2) and (s.until_day is null or s.until_day >= $2)
                 order by s.department_id, s.account_id"
            ),
            args![db.authority(), today],
        )
        .await?;
    let mut members: Vec<(Uuid, String, Role)> = Vec::new();
    for (account, department, role) in rows {
        let Some(role) = Role::parse(&role) else { continue };
        match members.last_mut() {
            Some(last) if last.0 == account && last.1 == department => last.2 = last.2.max(role),
            _ => members.push((account, department, role)),
        }
    }
    Ok(members)
}

impl Standing {
    /// On these procedures of a department only if `some`, which may be none any more; else on all of it.
    fn add(
        &mut self,
        (department_id, department_name): (String, String),
        role: Role,
        procedures: Vec<String>,
        some: bool,
    ) {
        if some {
            self.limited.extend(procedures.into_iter().map(|procedure_id| {
                let (department_id, department_name) = (department_id.clone(), department_name.clone());
                Limited { department_id, department_name, procedure_id, role }
            }));
            return;
        }
        match self.memberships.iter_mut().find(|one| one.department_id == department_id) {
            Some(one) => one.role = one.role.max(role),
            None => self.memberships.push(Membership { department_id, department_name, role }),
        }
    }
}

/// Gives an agent what they are for the whole authority, or takes it back.
pub async fn set_general(db: &Db, account: Uuid, of: General, wanted: bool, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| change_general(tx, account, of, wanted, None, now).await).await
}

/// The same, by this agent; none: by the operator.
pub async fn change_general(
    tx: &mut db::Tx,
    account: Uuid,
    of: General,
    wanted: bool,
    by: Option<Uuid>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let what = if wanted { of.name().to_owned() } else { format!("-{}", of.name()) };
    let trace = Line::city(by, Action::RightsChanged).about("account", account).detail(&what);
    let (give, take) = match of {
        General::Administrator => (
            sql!(
                "insert into administrator (authority_id, account_id, since) values ($1, $2, $3) on conflict (authority_id, account_id) do nothing"
            ),
            sql!("delete from administrator where authority_id = $1 and account_id = $2"),
        ),
        General::Archivist => (
            sql!(
                "insert into archivist (authority_id, account_id, since) values ($1, $2, $3) on conflict (authority_id, account_id) do nothing"
            ),
            sql!("delete from archivist where authority_id = $1 and account_id = $2"),
        ),
        General::Observer => (
            sql!(
                "insert into observer (authority_id, account_id, since) values ($1, $2, $3) on conflict (authority_id, account_id) do nothing"
            ),
            sql!("delete from observer where authority_id = $1 and account_id = $2"),
        ),
    };
    journal::note(tx, now, &trace).await?;
    let authority = tx.authority();
    if wanted {
        tx.run(give, args![authority, account, now]).await?;
    } else {
        tx.run(take, args![authority, account]).await?;
    }
    Ok(())
}

pub async fn add_membership(db: &Db, account: Uuid, department: &str, role: Role) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!("insert into membership (authority_id, account_id, department_id, role) values ($1, $2, $3, $4)"),
            args![tx.authority(), account, department, role.name()],
        )
        .await?;
        Ok(())
    })
    .await
}
