//! SQL on drafts of departments.

use db::{Tx, args, row, sql};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{Intake, model::Told};
use crate::{
    accounts,
    agents::Role,
    error::Problem,
    journal::{self, Action, Line},
    requests::{
        channel::Channel,
        drafts::{self, Draft},
    },
    visit::Agent,
};

row! {
    struct Kept {
        department_id: String,
        agent_id: Uuid,
        account_id: Option<Uuid>,
        channel: String,
        received_on: Date,
        paper: Option<String>,
        contact_id: Option<Uuid>,
    }

    /// A draft in the department's list.
    #[derive(Debug, Clone)]
    pub struct Waiting {
        pub id: Uuid,
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
        pub department_id: String,
        pub agent: Option<String>,
        /// Of the account that it is for.
        pub usager: Option<String>,
        pub beneficiary: Option<String>,
        pub channel: String,
        pub received_on: Date,
        pub updated_at: Timestamp,
    }
}

/// A draft that the agent may fill in: of a department where they process this procedure. Opening what a colleague
/// began leaves a line in the journal, as opening a request does.
pub async fn find(agent: &Agent, id: Uuid) -> Result<Option<(Draft, Intake)>, Problem> {
    let kept: Option<Kept> = agent
        .db
        .first(
            sql!("select department_id, agent_id, account_id, channel, received_on, paper, contact_id from intake where authority_id = $1 and draft_id = $2"),
            args![agent.db.authority(), id],
        )
        .await?;
    let Some(kept) = kept else { return Ok(None) };
    let Some(draft) = drafts::of_intake(&agent.db, id).await? else { return Ok(None) };
    if agent.role_on(&kept.department_id, &draft.procedure_id) < Some(Role::Processor) {
        return Ok(None);
    }
    if kept.agent_id != agent.account.id {
        let line = Line::agent(agent, Action::DraftOpened).request(id).department(&kept.department_id);
        journal::read(agent, &line).await?;
    }
    let account = match kept.account_id {
        Some(account) => accounts::usager(&agent.db, account).await?,
        None => None,
    };
    let channel = Channel::named(&kept.channel).ok_or_else(|| anyhow::anyhow!("channel {}", kept.channel))?;
    let Kept { department_id: department, agent_id: agent, received_on, paper, contact_id: contact, .. } = kept;
    Ok(Some((draft, Intake { department, agent, account, channel, received_on, paper, contact })))
}

/// Drafts of the departments where the agent processes, the latest first.
pub async fn waiting(agent: &Agent) -> Result<Vec<Waiting>, db::Error> {
    let departments: Vec<&str> = agent.departments().into_iter().map(|(id, _)| id).collect();
    let query = db::Query::new(
        "select d.id, d.reference, d.procedure_id, d.procedure_version, i.department_id, a.first_name || ' ' || a.last_name as agent,
           u.first_name || ' ' || u.last_name as usager, d.beneficiary, i.channel, i.received_on, d.updated_at
         from intake i join draft d on d.authority_id = i.authority_id and d.id = i.draft_id
           left join account a on a.authority_id = i.authority_id and a.id = i.agent_id
           left join account u on u.authority_id = i.authority_id and u.id = i.account_id where 1 = 1",
    );
    let query = query.and("i.authority_id = {}", agent.db.authority()).and_in("i.department_id", &departments);
    let mut found: Vec<Waiting> =
        agent.db.all(query.push(" order by d.updated_at desc, d.id limit 200"), args![]).await?;
    found.retain(|one| agent.role_on(&one.department_id, &one.procedure_id) >= Some(Role::Processor));
    Ok(found)
}

/// Says of a draft, just made, whom it is for and how it came.
pub async fn insert(tx: &mut Tx, draft: Uuid, intake: &Intake) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into intake (authority_id, draft_id, department_id, agent_id, account_id, channel, received_on, paper, contact_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        args![
            tx.authority(), draft, &intake.department, intake.agent, intake.account.as_ref().map(|account| account.id),
            intake.channel.id(), intake.received_on, &intake.paper, intake.contact
        ],
    )
    .await?;
    Ok(())
}

/// Says it again; nothing changes once the draft is sent.
pub async fn amend(tx: &mut Tx, draft: Uuid, told: &Told, account: Option<Uuid>) -> Result<(), db::Error> {
    tx.run(
        sql!("update intake set channel = $3, received_on = $4, paper = $5, account_id = $6 where authority_id = $1 and draft_id = $2"),
        args![tx.authority(), draft, told.channel.id(), told.received_on, told.paper, account],
    )
    .await?;
    Ok(())
}

/// Says of the draft that completes a request how its answer came, or says it anew.
pub async fn complete(tx: &mut Tx, draft: Uuid, intake: &Intake) -> Result<(), db::Error> {
    tx.run(sql!("delete from intake where authority_id = $1 and draft_id = $2"), args![tx.authority(), draft]).await?;
    insert(tx, draft, intake).await
}

/// The account is erased: what was being filled in for it goes too.
pub async fn forget(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from file where authority_id = $1 and owner_id in (select draft_id from intake where authority_id = $1 and account_id = $2)"),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(
        sql!("delete from draft where authority_id = $1 and id in (select draft_id from intake where authority_id = $1 and account_id = $2)"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Two accounts become one.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update intake set account_id = $1 where authority_id = $2 and account_id = $3"),
        args![to, tx.authority(), from],
    )
    .await?;
    Ok(())
}
