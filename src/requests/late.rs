//! Requests that wait for the department's answer, by the day when it is due.

use std::collections::BTreeMap;

use db::{Db, Query, args, row};
use jiff::Timestamp;
use uuid::Uuid;

/// Requests told one by one, at most.
const SHOWN: i64 = 100;

/// Nothing is late while the usager has to complete, nor once it is decided.
fn restrict(query: Query, db: &Db, departments: &[String]) -> Query {
    query
        .and("r.authority_id = {}", db.authority())
        .and_in("r.department_id", departments)
        .push(" and r.ended = false and r.status in ('sent', 'in-progress')")
}

/// Requests of departments (none: nothing is found), of one procedure if it is named, that are due before a moment.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    pub departments: &'a [String],
    pub procedure: Option<&'a str>,
    pub before: Timestamp,
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
    let query = restrict(query, db, due.departments)
        .and("r.due_at < {}", due.before)
        .and_some("r.procedure_id = {}", due.procedure);
    db.all(query.push(" group by r.department_id, r.procedure_id, r.due_at order by r.due_at"), args![]).await
}

/// First and last due moment looked at of each procedure, both included: no further than the first [`SHOWN`].
#[derive(Debug, Default)]
pub struct Spans {
    each: BTreeMap<String, (Timestamp, Timestamp)>,
    many: i64,
    last: Option<Timestamp>,
}

impl Spans {
    /// So many are due then. To be called in the order of due moments.
    pub fn add(&mut self, procedure: &str, due: Timestamp, many: i64) {
        if self.many >= SHOWN && self.last.is_some_and(|last| due > last) {
            return;
        }
        (self.many, self.last) = (self.many + many, Some(due));
        let span = self.each.entry(procedure.to_owned()).or_insert((due, due));
        *span = (span.0.min(due), span.1.max(due));
    }
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

/// The first ones within these spans, those that are due first.
pub async fn lines(db: &Db, departments: &[String], spans: &Spans) -> Result<Vec<Line>, db::Error> {
    let Some(last) = spans.last else { return Ok(Vec::new()) };
    let query = Query::new(
        "select r.id, r.reference, r.procedure_id, r.due_at, r.holder_id, h.first_name || ' ' || h.last_name as holder_name
         from request r left join account h on h.authority_id = r.authority_id and h.id = r.holder_id where 1 = 1",
    );
    let mut query = restrict(query, db, departments).and("r.due_at <= {}", last).push(" and (1 = 0");
    for (procedure, (first, last)) in &spans.each {
        query = query
            .push_with(" or (r.procedure_id = {}", procedure)
            .push_with(" and r.due_at >= {}", *first)
            .push_with(" and r.due_at <= {})", *last);
    }
    db.all(query.push_with(") order by r.due_at, r.id limit {}", SHOWN), args![]).await
}
