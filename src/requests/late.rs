//! Requests that wait for the department's answer, by the day when it is due.

use db::{Db, Query, args, row};
use jiff::Timestamp;
use uuid::Uuid;

/// Requests of departments (none: nothing is found), of one procedure if it is named, that are due before a moment.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    pub departments: &'a [String],
    pub procedure: Option<&'a str>,
    pub from: Option<Timestamp>,
    pub before: Timestamp,
}

impl Due<'_> {
    /// Nothing is late while the usager has to complete, nor once it is decided.
    fn restrict(&self, query: Query, db: &Db) -> Query {
        query
            .and("r.authority_id = {}", db.authority())
            .and_in("r.department_id", self.departments)
            .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
            .and("r.due_at < {}", self.before)
            .and_some("r.due_at >= {}", self.from)
            .and_some("r.procedure_id = {}", self.procedure)
    }
}

row! {
    /// How many are due at a moment.
    #[derive(Debug, Clone)]
    pub struct Group {
        department_id: String,
        procedure_id: String,
        due_at: Timestamp,
        many: i64,
    }
}

/// Counted by procedure and by due moment, which is the end of a day: few of them.
pub async fn groups(db: &Db, due: &Due<'_>) -> Result<Vec<Group>, db::Error> {
    let query =
        Query::new("select r.department_id, r.procedure_id, r.due_at, count(*) as many from request r where 1 = 1");
    db.all(
        due.restrict(query, db).push(" group by r.department_id, r.procedure_id, r.due_at order by r.due_at"),
        args![],
    )
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct Line {
        id: Uuid,
        reference: String,
        procedure_id: String,
        due_at: Timestamp,
        holder_id: Option<Uuid>,
        holder_name: Option<String>,
    }
}

/// The first hundred, those that are due first.
pub async fn lines(db: &Db, due: &Due<'_>) -> Result<Vec<Line>, db::Error> {
    let query = Query::new(
        "select r.id, r.reference, r.procedure_id, r.due_at, r.holder_id, h.first_name || ' ' || h.last_name as holder_name
         from request r left join account h on h.authority_id = r.authority_id and h.id = r.holder_id where 1 = 1",
    );
    db.all(due.restrict(query, db).push(" order by r.due_at, r.id limit 100"), args![]).await
}
