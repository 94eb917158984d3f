//! Agents: who belongs to which department, with which role; « Agents du service », for who manages it.

use axum::{
    Router,
    routing::{get, post},
};
use db::{Db, args, sql};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;

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

pub async fn memberships(db: &Db, account: Uuid) -> Result<Vec<Membership>, db::Error> {
    let rows: Vec<(String, String, String)> = db
        .all(
            sql!(
                "select m.department_id, d.name, m.role from membership m join department d on d.authority_id = m.authority_id and d.id = m.department_id
                 where m.authority_id = $1 and m.account_id = $2 order by d.name"
            ),
            args![db.authority(), account],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|(department_id, department_name, role)| Membership {
            department_id,
            department_name,
            role: Role::parse(&role).unwrap_or(Role::Reader),
        })
        .collect())
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
