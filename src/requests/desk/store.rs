//! The desk's own SQL: lists, counters, holders, messages that could not be delivered.

use db::{Query, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    conditions::Text,
    filters::{Filters, View},
    found,
    levels::Levels,
    sort::{Cursor, Order},
    words,
};
use crate::{
    requests::{
        access::{self, Process},
        handover::HANDED,
        store::{self, Entry},
    },
    visit::Agent,
};

/// Lines of a page.
pub const PAGE: usize = 50;
/// Counting the views of the menu stops here: « 1 000+ ».
pub const MOST: i64 = 1_000;
/// Counting a narrowed list stops here: « plus de 100 ».
pub const FEW: i64 = 100;

row! {
    #[derive(Debug, Clone)]
    pub struct Line {
        id: Uuid,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        channel: String,
        filer_name: Option<String>,
        beneficiary: Option<String>,
        state: String,
        status: String,
        ended: bool,
        submitted_at: Timestamp,
        due_at: Timestamp,
        active_at: Timestamp,
        holder_id: Option<Uuid>,
        holder_name: Option<String>,
        /// Its place in the index of searches; 0 in other lists.
        number: i64,
        /// Messages of the usager that nobody read.
        unread: i64,
    }
}

/// One page of a list, in the order shown; and whether there is more before and after it.
#[derive(Default)]
pub struct Page {
    pub lines: Vec<Line>,
    pub before: bool,
    pub after: bool,
}

impl Page {
    /// From lines read in the direction of `cursor`, one more than a page when there are more.
    pub fn of(mut lines: Vec<Line>, cursor: Option<Cursor>, size: usize) -> Self {
        let more = lines.len() > size;
        lines.truncate(size);
        if cursor.is_none_or(|cursor| cursor.forward) {
            return Self { lines, before: cursor.is_some(), after: more };
        }
        lines.reverse();
        Self { lines, before: more, after: true }
    }
}

/// Around the keys of a page (`authority_id, id, at, number`): what it shows of those requests, who holds them, and
/// what nobody read. Only these few rows are read whole.
pub const AROUND: &str = "select r.id, r.reference, r.procedure_id, r.procedure_version, r.channel, r.filer_name, r.beneficiary, r.state, r.status, r.ended,
           r.submitted_at, r.due_at, r.active_at, r.holder_id, t.number, h.first_name || ' ' || h.last_name as holder_name,
           (select count(*) from message m where m.authority_id = r.authority_id and m.request_id = r.id and m.author = 'usager' and not m.internal and m.read_at is null) as unread
         from (";
pub const REQUESTS: &str = ") t join request r on r.authority_id = t.authority_id and r.id = t.id left join account h on h.authority_id = r.authority_id and h.id = r.holder_id";

pub async fn page(agent: &Agent, filters: &Filters) -> anyhow::Result<Page> {
    Ok(Page::of(lines(agent, filters, &SCREEN).await?, filters.cursor, SCREEN.lines))
}

/// How many lines are read at once: one more than shown, to know whether there are more.
pub struct Size {
    pub lines: usize,
    /// As the end of a query: a number that is not known to the planner would spoil the plan.
    pub limit: &'static str,
}

pub const SCREEN: Size = Size { lines: PAGE, limit: " limit 51" };
/// The one line beside another.
pub const NEIGHBOUR: Size = Size { lines: 0, limit: " limit 1" };
/// Of an export.
pub const BULK: Size = Size { lines: 500, limit: " limit 501" };

/// The lines from the cursor on, in its direction.
pub async fn lines(agent: &Agent, filters: &Filters, size: &Size) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for query in queries(agent, filters, "", size).await? {
        lines = agent.db.all(query, args![]).await?;
        if lines.len() > size.lines {
            break;
        }
    }
    Ok(lines)
}

/// What gives a page, after `head` (nothing, or `explain`): each is asked when the one before gave less than a page.
///
/// Each department and each half of the table (running, ended) is read in the order of its index
/// and gives one page at most: what is sorted in the end is a few pages, however long the lists.
pub async fn queries(agent: &Agent, filters: &Filters, head: &'static str, size: &Size) -> anyhow::Result<Vec<Query>> {
    let levels = Levels::of(agent, filters).await?;
    match filters.text(agent) {
        Text::Words(wanted) => return Ok(found::queries(agent, filters, &levels, &wanted, head, size).await?),
        Text::Nothing => return Ok(Vec::new()),
        Text::None | Text::Reference(_) => {}
    }
    let forward = filters.cursor.is_none_or(|cursor| cursor.forward);
    let order = Order::of(filters.sort, forward);
    let mut query = Query::new(head).push(AROUND);
    let mut first = true;
    for place in filters.places(agent) {
        for ended in filters.view.ended() {
            query = query
                .push(if first { "" } else { " union all " })
                .push("select * from (select r.authority_id, r.id, ")
                .push(order.at)
                .push_with(" as at, cast(0 as bigint) as number from request r where r.ended = {}", *ended);
            query = order
                .from(filters.restrict(query, agent, &place, &levels), agent, filters.cursor)
                .push(order.inside)
                .push(size.limit)
                .push(") b");
            first = false;
        }
    }
    if first {
        return Ok(Vec::new());
    }
    Ok(vec![query.push(order.keys).push(size.limit).push(REQUESTS).push(order.outside)])
}

/// What the menu counts.
#[derive(Debug, Clone)]
pub struct Counts {
    pub views: Vec<(View, i64)>,
    /// What could not be delivered.
    pub failures: i64,
}

/// How many requests each view holds, and how much could not be delivered, in one query; beyond [`MOST`] it stops
/// counting.
pub async fn counts(agent: &Agent) -> Result<Counts, db::Error> {
    let mut query = Query::new("");
    for (index, view) in View::COUNTED.into_iter().enumerate() {
        query = query
            .push(if index == 0 { "" } else { " union all " })
            .push_with("select cast({} as text) as view, count(*) as many from (", view.id());
        query = query.push("select 1 as one from request r where r.ended = false");
        query = view.restrict(access::scope(query, agent), agent).push(" limit 1001) t");
    }
    query = query.push(
        " union all select cast('failures' as text) as view, count(*) as many from (
           select 1 as one from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id where j.failed_at is not null",
    );
    let query = access::scope_as::<Process>(query.and("j.authority_id = {}", agent.db.authority()), agent);
    let counts: Vec<(String, i64)> = agent.db.all(query.push(" limit 1001) t"), args![]).await?;
    let of = |name: &str| counts.iter().find(|(id, _)| id == name).map_or(0, |(_, many)| *many);
    Ok(Counts {
        views: View::COUNTED.into_iter().map(|view| (view, of(view.id()))).collect(),
        failures: of("failures"),
    })
}

/// How many requests a list holds, its first page known: counted no further than [`FEW`].
pub async fn total(agent: &Agent, filters: &Filters, page: &Page) -> anyhow::Result<Total> {
    if filters.cursor.is_none() && !page.after {
        return Ok(Total { many: i64::try_from(page.lines.len()).unwrap_or(i64::MAX), more: false });
    }
    let levels = Levels::of(agent, filters).await?;
    let many = match filters.text(agent) {
        Text::Words(wanted) => found::total(agent, filters, &levels, &wanted).await?,
        _ => narrowed(agent, filters, &levels).await?,
    };
    Ok(Total { many: many.min(FEW), more: many > FEW })
}

async fn narrowed(agent: &Agent, filters: &Filters, levels: &Levels) -> Result<i64, db::Error> {
    let mut query = Query::new("select count(*) from (");
    let mut first = true;
    for place in filters.places(agent) {
        for ended in filters.view.ended() {
            query = query
                .push(if first { "" } else { " union all " })
                .push_with("select * from (select 1 as one from request r where r.ended = {}", *ended);
            query = filters.restrict(query, agent, &place, levels).push(" limit 101) b");
            first = false;
        }
    }
    if first { Ok(0) } else { agent.db.one(query.push(" limit 101) t"), args![]).await }
}

/// How many, and whether there are more than could be counted in good time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    pub many: i64,
    pub more: bool,
}

row! {
    /// Somebody who holds or may hold requests of the agent's departments.
    #[derive(Debug, Clone)]
    pub struct Colleague {
        id: Uuid,
        first_name: String,
        last_name: String,
    }
}

impl Colleague {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// Who processes in one of the departments, but this one.
pub async fn colleagues(agent: &Agent) -> Result<Vec<Colleague>, db::Error> {
    let departments: Vec<&str> = agent.memberships.iter().map(|one| one.department_id.as_str()).collect();
    let query = Query::new(
        "select distinct a.id, a.first_name, a.last_name from staff s join account a on a.authority_id = s.authority_id and a.id = s.account_id
         where s.role in ('processor', 'decider', 'manager') and a.closed_at is null",
    );
    let query = query
        .and("s.authority_id = {}", agent.db.authority())
        .and("(s.from_day is null or s.from_day <= {})", agent.today())
        .and("(s.until_day is null or s.until_day >= {})", agent.today())
        .and("a.id <> {}", agent.account.id)
        .and_in("s.department_id", &departments)
        .push(" order by a.last_name, a.first_name, a.id limit 200");
    agent.db.all(query, args![]).await
}

/// Gives the request to `to`, or to nobody, if it is still held by `from`. False when it is not.
pub async fn hand(
    tx: &mut Tx,
    request: Uuid,
    from: Option<Uuid>,
    to: Option<Uuid>,
    by: Uuid,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update request set holder_id = $1 where authority_id = $2 and id = $3 and not ended
                 and (holder_id = $4 or (holder_id is null and cast($4 as uuid) is null))"
            ),
            args![to, tx.authority(), request, from],
        )
        .await?;
    if changed == 1 && from != to {
        let (code, subject) = match to {
            None => (words::RELEASED, None),
            Some(to) if to == by => (words::HELD, None),
            Some(to) => (HANDED, Some(to)),
        };
        note(tx, request, by, code, subject, now).await?;
    }
    Ok(changed == 1)
}

/// Adds to the history something an agent did that is not a transition.
pub async fn note(
    tx: &mut Tx,
    request: Uuid,
    by: Uuid,
    code: &str,
    subject: Option<Uuid>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let entry = Entry { actor: "agent", actor_id: Some(by), code, from: None, to: None, subject, acted: None };
    store::record(tx, request, &entry, now).await?;
    Ok(())
}

/// Whether this very message was stored already: the form was sent twice.
pub async fn written(tx: &mut Tx, message: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(sql!("select 1 from message where authority_id = $1 and id = $2"), args![tx.authority(), message])
        .await?;
    Ok(found.is_some())
}

row! {
    #[derive(Debug, Clone)]
    pub struct Failure {
        id: Uuid,
        kind: String,
        failed_at: Timestamp,
        last_error: Option<String>,
        attempts: i64,
        request_id: Uuid,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        email: Option<String>,
        payload: db::Json<serde_json::Value>,
    }
}

/// What could not be carried out for requests that the agent processes, latest first; of one
/// request when it is named.
pub async fn failures(agent: &Agent, request: Option<Uuid>) -> Result<Vec<Failure>, db::Error> {
    let query = Query::new(
        "select j.id, j.kind, j.failed_at, j.last_error, j.attempts, r.id as request_id, r.reference, r.procedure_id, r.procedure_version, r.email, j.payload
         from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id where j.failed_at is not null",
    );
    let query = query.and("j.authority_id = {}", agent.db.authority()).and_some("j.request_id = {}", request);
    agent
        .db
        .all(access::scope_as::<Process>(query, agent).push(" order by j.failed_at desc, j.id desc limit 200"), args![])
        .await
}

/// Puts a failed job back in the queue, if the agent processes its request; gives the request. One
/// that did not fail, or no longer, is left alone.
pub async fn again(agent: &Agent, job: Uuid) -> Result<Option<Uuid>, db::Error> {
    let (by, now) = (agent.account.id, agent.now);
    let find = || {
        let query = Query::new(
            "select j.request_id from job j join request r on r.authority_id = j.authority_id and r.id = j.request_id where 1 = 1",
        );
        access::scope_as::<Process>(query.and("j.authority_id = {}", agent.db.authority()).and("j.id = {}", job), agent)
    };
    agent
        .db
        .write(async |tx: &mut Tx| {
            let Some(request) = tx.first::<Uuid>(find(), args![]).await? else { return Ok(None) };
            let changed = tx
                .run(
                    sql!("update job set failed_at = null, attempts = 0, run_at = $1 where authority_id = $2 and id = $3 and failed_at is not null"),
                    args![now, tx.authority(), job],
                )
                .await?;
            if changed == 1 {
                note(tx, request, by, words::AGAIN, Some(job), now).await?;
            }
            Ok(Some(request))
        })
        .await
}
