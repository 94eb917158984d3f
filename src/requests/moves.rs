//! A request that goes to another department (« l'autorité administrative compétente », CRPA L114-2): by an agent who
//! decides, or by a rule of its circuit. Its reception stays where it was, and delays run from there. The department
//! before knows that it had the request, and where it went.

use db::{Db, Tx, args, row, sql};
use forms::step::Effect;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    model::Request,
    search,
    store::{self, Entry},
};

/// Code of the history.
pub const MOVED: &str = "moved";

/// A move to be.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub id: Uuid,
    pub to: &'a str,
    /// For the usager; none: a rule said so.
    pub reason: Option<&'a str>,
    pub by: Option<Uuid>,
    pub acting: &'a str,
}

/// The department that a rule gives a request to, if one does.
pub fn chosen(effects: &[Effect]) -> Option<&str> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Move(department) => Some(department.as_str()),
        _ => None,
    })
}

/// Moves it, as it was read: false, and nothing written, when it changed since. Nobody holds it any more.
pub async fn make(tx: &mut Tx, request: &Request, new: &New<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let moved = tx
        .run(
            sql!(
                "update request set department_id = $1, holder_id = null, version = version + 1, updated_at = $2
                 where authority_id = $3 and id = $4 and version = $5 and department_id <> $1"
            ),
            args![new.to, now, tx.authority(), request.id, request.version],
        )
        .await?;
    if moved == 1 {
        note(tx, request, new, now).await?;
    }
    Ok(moved == 1)
}

/// The same within a transition that has just changed the request.
pub async fn follow(tx: &mut Tx, request: &Request, new: &New<'_>, now: Timestamp) -> Result<(), db::Error> {
    if new.to == request.department_id {
        return Ok(());
    }
    tx.run(
        sql!("update request set department_id = $1, holder_id = null where authority_id = $2 and id = $3"),
        args![new.to, tx.authority(), request.id],
    )
    .await?;
    note(tx, request, new, now).await
}

async fn note(tx: &mut Tx, request: &Request, new: &New<'_>, now: Timestamp) -> Result<(), db::Error> {
    search::relocate(tx, request.id, new.to, &request.procedure_id).await?;
    tx.run(
        sql!(
            "insert into request_move (authority_id, id, request_id, from_department, to_department, reason, moved_at, moved_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        args![tx.authority(), new.id, request.id, &request.department_id, new.to, new.reason, now, new.by],
    )
    .await?;
    let subject = Some(new.id);
    let entry = Entry { actor: new.acting, actor_id: new.by, code: MOVED, from: None, to: None, subject, acted: None };
    store::record(tx, request.id, &entry, now).await?;
    Ok(())
}

row! {
    /// What a department that had a request still knows of it.
    #[derive(Debug, Clone)]
    pub struct Gone {
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
        pub submitted_at: Timestamp,
        pub moved_at: Timestamp,
        /// Where it is now.
        pub department: String,
        pub from_department: String,
    }
}

/// The departments that had this request, the latest first.
pub async fn gone(db: &Db, request: Uuid) -> Result<Vec<Gone>, db::Error> {
    db.all(
        sql!(
            "select r.reference, r.procedure_id, r.procedure_version, r.submitted_at, m.moved_at, d.name as department, m.from_department
             from request_move m join request r on r.authority_id = m.authority_id and r.id = m.request_id
             join department d on d.authority_id = r.authority_id and d.id = r.department_id
             where m.authority_id = $1 and m.request_id = $2 order by m.moved_at desc, m.id desc"
        ),
        args![db.authority(), request],
    )
    .await
}
