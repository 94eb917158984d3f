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
};

mod pages;
mod store;

pub use pages::managed;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/agent/agents", get(pages::list))
        .route("/agent/agents/{agent}", get(pages::show))
        .route("/agent/agents/{agent}/fin", post(pages::end))
        .route("/agent/agents/{agent}/retirer", post(pages::leave))
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

/// What an agent is for the whole authority, apart from any department: no right on requests comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum General {
    Administrator,
}

/// Any role, as settings name them: `reader`, `processor`, `decider`, `manager`, `administrator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyRole {
    InDepartment(Role),
    General(General),
}

/// All that an agent is here.
#[derive(Debug, Clone)]
pub struct Standing {
    pub memberships: Vec<Membership>,
    pub administrator: bool,
}

impl Standing {
    /// Whether one of these roles is among `demanding`.
    pub fn any_of(&self, demanding: &[AnyRole]) -> bool {
        any_of(&self.memberships, self.administrator, demanding)
    }
}

/// The same, of an agent’s roles taken apart.
pub fn any_of(memberships: &[Membership], administrator: bool, demanding: &[AnyRole]) -> bool {
    let general = administrator && demanding.contains(&AnyRole::General(General::Administrator));
    general || memberships.iter().any(|one| demanding.contains(&AnyRole::InDepartment(one.role)))
}

const ADMINISTRATOR: &str = "administrator";

/// One statement, since every page of agents asks.
pub async fn standing(db: &Db, account: Uuid) -> Result<Standing, db::Error> {
    let rows: Vec<(Option<String>, Option<String>, String)> = db
        .all(
            sql!(
                "select m.department_id, d.name, m.role from membership m join department d on d.authority_id = m.authority_id and d.id = m.department_id
                 where m.authority_id = $1 and m.account_id = $2
                 union all select null, null, 'administrator' from administrator where authority_id = $1 and account_id = $2
                 order by 2"
            ),
            args![db.authority(), account],
        )
        .await?;
    let administrator = rows.iter().any(|(department, _, role)| department.is_none() && role == ADMINISTRATOR);
    let memberships = rows.into_iter().filter_map(|(department, name, role)| {
        let role = Role::parse(&role).unwrap_or(Role::Reader);
        Some(Membership { department_id: department?, department_name: name?, role })
    });
    Ok(Standing { memberships: memberships.collect(), administrator })
}

/// Every agent of every department whose access is not over, with their role there.
pub async fn members(db: &Db, today: Date) -> Result<Vec<(Uuid, String, Role)>, db::Error> {
    let rows: Vec<(Uuid, String, String)> = db
        .all(
            sql!(
                "select m.account_id, m.department_id, m.role from membership m join account a on a.authority_id = m.authority_id and a.id = m.account_id
                 where m.authority_id = $1 and a.closed_at is null and (a.ends_on is null or a.ends_on >= $2) order by m.department_id, m.account_id"
            ),
            args![db.authority(), today],
        )
        .await?;
    let member = |(account, department, role): (Uuid, String, String)| Some((account, department, Role::parse(&role)?));
    Ok(rows.into_iter().filter_map(member).collect())
}

/// Makes an agent an administrator of the authority, or no longer.
pub async fn set_administrator(db: &Db, account: Uuid, wanted: bool, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        let authority = tx.authority();
        let what = if wanted { ADMINISTRATOR } else { "-administrator" };
        let trace = Line::city(None, Action::RightsChanged).about("account", account).detail(what);
        journal::note(tx, now, &trace).await?;
        if wanted {
            tx.run(
                sql!("insert into administrator (authority_id, account_id, since) values ($1, $2, $3) on conflict (authority_id, account_id) do nothing"),
                args![authority, account, now],
            )
            .await
        } else {
            tx.run(sql!("delete from administrator where authority_id = $1 and account_id = $2"), args![authority, account])
                .await
        }
    })
    .await?;
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
