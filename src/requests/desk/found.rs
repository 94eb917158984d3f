//! Lists of what was searched, newest first: the index gives the order, and nothing is ranked. FTS5 reads its
//! lists from the newest on and stops at the end of a page. PostgreSQL cannot: its index gives all that matches or
//! nothing. So the newest requests are looked at one by one first, which is enough for common words; and what
//! is not common there is rare enough to be taken whole from the index.

use db::{Query, args};

use super::{
    filters::{Cursor, Filters},
    levels::Levels,
    store::{AROUND, FEW, REQUESTS, Size},
};
use crate::{
    requests::{access, search, sought::Wanted},
    visit::Agent,
};

/// What is read of the index, besides the direction.
#[derive(Clone, Copy)]
enum Through {
    Fts5,
    /// Of PostgreSQL, the newest requests only.
    Newest,
    /// Of PostgreSQL, all.
    Index,
}

/// Fewer hits than this, as the planner sees them, are taken whole from PostgreSQL's index at once.
const RARE: i64 = 8_000;

/// See [`super::store::queries`].
pub async fn queries(
    agent: &Agent,
    filters: &Filters,
    levels: &Levels,
    wanted: &Wanted,
    head: &'static str,
    size: &Size,
) -> Result<Vec<Query>, db::Error> {
    let forward = filters.cursor.is_none_or(|cursor| cursor.forward);
    let order = if forward { " order by t.number desc, t.id desc" } else { " order by t.number, t.id" };
    let one = |through: &Through| {
        let query =
            Query::new(head).push(AROUND).push("select r.authority_id, r.id, cast(0 as bigint) as at, s.number from ");
        around(*through, query, agent, filters, wanted, levels)
            .push(inside(*through, forward))
            .push(size.limit)
            .push(REQUESTS)
            .push(order)
    };
    Ok(ways(agent, wanted).await?.iter().map(one).collect())
}

/// Counted no further than one more than [`FEW`].
pub async fn total(agent: &Agent, filters: &Filters, levels: &Levels, wanted: &Wanted) -> Result<i64, db::Error> {
    let whole = Filters { cursor: None, ..filters.clone() };
    let mut many = 0;
    for through in ways(agent, wanted).await? {
        let query = Query::new("select count(*) from (select 1 as one from ");
        let query = around(*through, query, agent, &whole, wanted, levels);
        many = agent.db.one(query.push(" limit 101) t"), args![]).await?;
        if many > FEW {
            break;
        }
    }
    Ok(many)
}

async fn ways(agent: &Agent, wanted: &Wanted) -> Result<&'static [Through], db::Error> {
    if agent.db.engine() == "sqlite" {
        return Ok(&[Through::Fts5]);
    }
    let query = Query::new("explain select 1 from request_search i where 1 = 1")
        .and("i.authority_id = {}", agent.db.authority())
        .and("i.tokens @@ cast(cast({} as text) as tsquery)", wanted.tsquery());
    let plan: Vec<String> = agent.db.all(query, args![]).await?;
    let estimated = plan.first().and_then(|line| line.split_once("rows=")?.1.split(' ').next()?.parse::<i64>().ok());
    Ok(if estimated.is_some_and(|rows| rows < RARE) { &[Through::Index] } else { &[Through::Newest, Through::Index] })
}

fn inside(through: Through, forward: bool) -> &'static str {
    match (through, forward) {
        (Through::Fts5, true) => " order by f.rowid desc",
        (Through::Fts5, false) => " order by f.rowid",
        (_, true) => " order by s.number desc, s.request_id desc",
        (_, false) => " order by s.number, s.request_id",
    }
}

/// The index joined to `request r`, with every condition.
fn around(through: Through, query: Query, agent: &Agent, filters: &Filters, wanted: &Wanted, levels: &Levels) -> Query {
    let (first, end) = filters.period(agent);
    let (first, end) = (first.map(search::number), end.map(search::number));
    let authority = agent.db.authority();
    let cursor = filters.cursor;
    let query = match through {
        Through::Fts5 => {
            // The order of a cross join is kept: the index first.
            let query = query.push("request_fts f cross join request_search s on s.number = f.rowid cross join request r on r.authority_id = s.authority_id and r.id = s.request_id where 1 = 1");
            let query = query.and("request_fts match {}", wanted.fts5());
            let query = query.and_some("f.rowid >= {}", first).and_some("f.rowid < {}", end);
            beyond(query, cursor, ["f.rowid < {}", "f.rowid > {}"])
        }
        Through::Newest | Through::Index => {
            let query = query.push("(select i.authority_id, i.request_id, i.number");
            let query = query.push(if matches!(through, Through::Newest) { ", i.tokens" } else { "" });
            let query = query.push(" from request_search i where 1 = 1");
            let query = query.and("i.authority_id = {}", authority);
            let query = query.and_some("i.number >= {}", first).and_some("i.number < {}", end);
            let query = match cursor {
                None => query,
                Some(one) => {
                    let text = if one.forward {
                        "(i.number, i.request_id) < ({}, {})"
                    } else {
                        "(i.number, i.request_id) > ({}, {})"
                    };
                    query.and_args(text, args![one.at, one.id])
                }
            };
            let forward = cursor.is_none_or(|cursor| cursor.forward);
            let query = match (through, forward) {
                (Through::Newest, true) => query.push(" order by i.number desc, i.request_id desc limit 4000"),
                (Through::Newest, false) => query.push(" order by i.number, i.request_id limit 4000"),
                // Without « offset 0 » it would be one query with the rest, and might be read in another order.
                _ => query.and("i.tokens @@ cast(cast({} as text) as tsquery)", wanted.tsquery()).push(" offset 0"),
            };
            let query =
                query.push(") s join request r on r.authority_id = s.authority_id and r.id = s.request_id where 1 = 1");
            match through {
                Through::Newest => query.and("s.tokens @@ cast(cast({} as text) as tsquery)", wanted.tsquery()),
                _ => query,
            }
        }
    };
    let departments: Vec<&str> = filters.places(agent).iter().map(|one| one.department).collect();
    let query = access::scope(query, agent).and_in("r.department_id", &departments);
    filters.narrow(filters.view.half(query), agent, levels)
}

fn beyond(query: Query, cursor: Option<Cursor>, [forward, back]: [&'static str; 2]) -> Query {
    match cursor {
        None => query,
        Some(cursor) => query.and(if cursor.forward { forward } else { back }, cursor.at),
    }
}
