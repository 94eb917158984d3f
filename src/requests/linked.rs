//! Linked requests (« démarches liées »): what a transition offers its usager to go on with. Their draft has the id of
//! the link, as a request has the id of its draft: begun twice, it is one. Answers are carried over when it is begun.

use db::{Db, Tx, args, row, sql};
use forms::{model::Procedure, step::Effect};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    jobs::NOTIFY,
    model::Request,
    store::{self, Entry, NewMessage},
};
use crate::{
    catalogue, contacts,
    error::Problem,
    platform::jobs::{self, NewJob},
    visit::Visit,
};

/// Code of the history.
pub const OFFERED: &str = "linked-offered";

row! {
    /// A link between two requests, the second of which may not be sent yet.
    #[derive(Debug, Clone)]
    pub struct Link {
        pub id: Uuid,
        pub request_id: Uuid,
        pub start: String,
        pub procedure_id: String,
        pub title: String,
        pub first_reference: String,
        pub first_procedure: String,
        pub first_version: i64,
        pub first_department: String,
        pub first_status: String,
        /// None: it is not sent.
        pub next_reference: Option<String>,
        pub next_department: Option<String>,
        pub next_status: Option<String>,
    }
}

/// The links of a request: what it offered, and what offered it.
pub async fn of(db: &Db, request: Uuid) -> Result<Vec<Link>, db::Error> {
    db.all(
        sql!(
            "select l.id, l.request_id, l.start, l.procedure_id, l.title, f.reference as first_reference, f.procedure_id as first_procedure,
               f.procedure_version as first_version, f.department_id as first_department, f.status as first_status,
               n.reference as next_reference, n.department_id as next_department, n.status as next_status
             from linked_request l join request f on f.authority_id = l.authority_id and f.id = l.request_id
               left join request n on n.authority_id = l.authority_id and n.id = l.id
             where l.authority_id = $1 and (l.request_id = $2 or l.id = $2) order by l.offered_at, l.id"
        ),
        args![db.authority(), request],
    )
    .await
}

/// The other request of a link, seen from `from`: is it what came before, its title, reference and status once it is
/// sent, its id, its department and its procedure.
pub struct Other<'a> {
    pub before: bool,
    pub title: String,
    pub reference: Option<&'a str>,
    pub status: Option<&'a str>,
    pub id: Uuid,
    pub department: &'a str,
    pub procedure: &'a str,
}

impl Link {
    pub async fn other(&self, visit: &Visit, from: Uuid) -> Result<Other<'_>, Problem> {
        if self.request_id == from {
            return Ok(Other {
                before: false,
                title: self.title.clone(),
                reference: self.next_reference.as_deref(),
                status: self.next_status.as_deref(),
                id: self.id,
                department: self.next_department.as_deref().unwrap_or_default(),
                procedure: &self.procedure_id,
            });
        }
        let first = catalogue::version(visit, &self.first_procedure, self.first_version).await?;
        Ok(Other {
            before: true,
            title: first.title.clone(),
            reference: Some(&self.first_reference),
            status: Some(&self.first_status),
            id: self.request_id,
            department: &self.first_department,
            procedure: &self.first_procedure,
        })
    }
}

/// What a transition offers, decided and not written yet.
#[derive(Debug)]
pub struct New {
    id: Uuid,
    message: Uuid,
    job: Uuid,
    start: String,
    procedure: String,
    title: String,
}

impl New {
    pub fn of(visit: &Visit, procedure: &Procedure, effects: &[Effect]) -> Vec<Self> {
        let started = effects.iter().filter_map(|effect| match effect {
            Effect::Start(id) => procedure.workflow.start(id),
            _ => None,
        });
        let new = started.map(|start| Self {
            id: visit.id(),
            message: visit.id(),
            job: visit.id(),
            start: start.id.clone(),
            procedure: start.procedure.clone(),
            title: start.title.clone(),
        });
        new.collect()
    }

    /// Offers it, once for a request however often the transition is fired, and tells its usager.
    pub async fn store(&self, tx: &mut Tx, request: &Request, now: Timestamp) -> Result<(), db::Error> {
        let made = tx
            .run(
                sql!(
                    "insert into linked_request (authority_id, id, request_id, start, procedure_id, title, offered_at) values ($1, $2, $3, $4, $5, $6, $7)
                     on conflict (authority_id, request_id, start) do nothing"
                ),
                args![tx.authority(), self.id, request.id, &self.start, &self.procedure, &self.title, now],
            )
            .await?;
        if made == 0 {
            return Ok(());
        }
        let code = OFFERED;
        let entry = Entry { actor: "system", actor_id: None, code, from: None, to: None, subject: None, acted: None };
        store::record(tx, request.id, &entry, now).await?;
        let body = format!(
            "Vous pouvez poursuivre avec « {} » : ce que vous avez déjà répondu y est repris. Sur la page de cette demande, choisissez « Poursuivre ».",
            self.title
        );
        let new = NewMessage { id: self.message, author: "agent", author_id: None, internal: false, body: &body };
        store::write(tx, request.id, &new, now).await?;
        if request.email.is_none() && !contacts::sms::chosen(tx, request.id).await? {
            return Ok(());
        }
        let told = NewJob {
            kind: NOTIFY,
            effect: format!("notify:{}:message:{}", request.id, self.message),
            request: Some(request.id),
            payload: json!({"message": "message"}),
        };
        jobs::enqueue(tx, self.job, now, told).await
    }
}

row! {
    struct Told {
        reference: String,
        title: String,
        offered_at: Timestamp,
        next: Option<String>,
    }
}

/// What an account's requests led to, for the export of one's data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Json>, db::Error> {
    let found: Vec<Told> = db
        .all(
            sql!(
                "select r.reference, l.title, l.offered_at, n.reference as next
                 from request r join linked_request l on l.authority_id = r.authority_id and l.request_id = r.id
                   left join request n on n.authority_id = l.authority_id and n.id = l.id
                 where r.authority_id = $1 and r.account_id = $2 order by l.offered_at, l.id"
            ),
            args![db.authority(), account],
        )
        .await?;
    let one = |one: &Told| json!({"demande": one.reference, "suite": one.title, "proposee_le": one.offered_at.to_string(), "demande_suivante": one.next});
    Ok(found.iter().map(one).collect())
}
