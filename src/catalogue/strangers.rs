//! Agents whom published procedures give requests to, and who cannot have them: whatever a rule says, nobody gets a
//! request then, and its history says so (`requests::assign`).

use anyhow::Result;
use db::{args, sql};
use uuid::Uuid;

use crate::{requests::handover::may_hold, visit::Visit};

/// One line each, for who publishes.
pub async fn strangers(visit: &Visit) -> Result<Vec<String>> {
    let current = super::current(visit).await?;
    let today = visit.today();
    let mut told = Vec::new();
    for published in current.all() {
        let procedure = &published.procedure;
        for address in procedure.workflow.named().agents {
            let agent: Option<Uuid> = visit
                .db
                .first(
                    sql!("select id from account where authority_id = $1 and kind = 'agent' and email = $2 and closed_at is null"),
                    args![visit.db.authority(), address],
                )
                .await?;
            let department = &procedure.department;
            let able = match agent {
                Some(agent) => {
                    visit.db.write(async |tx: &mut db::Tx| may_hold(tx, today, department, agent).await).await?
                }
                None => false,
            };
            if able {
                continue;
            }
            let why =
                if agent.is_some() { format!("does not process in {department}") } else { "is no agent".to_owned() };
            told.push(format!("{}: assign: {address} {why}: requests given to them stay nobody's", procedure.id));
        }
    }
    Ok(told)
}
