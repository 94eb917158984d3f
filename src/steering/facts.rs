//! What is counted, as it happens, and its folding into counters.
//!
//! Whoever files or processes appends rows, which no two transactions share; a worker takes them away a minute
//! later and adds them to `tally`. Readers add both up in one statement, so that a folding in between neither
//! hides a row nor counts it twice. See docs/decisions/0028-counters.md.

use std::collections::BTreeMap;

use anyhow::Result;
use db::{Db, Query, Tx, args, row, sql};
use jiff::{Timestamp, ToSpan, civil::Date};
use uuid::Uuid;

use super::model::Delays;
use crate::{app::App, authorities, requests::Channel};

/// Facts folded in one transaction.
const BATCH: i64 = 500;
/// Counters written by one statement.
const ROWS: usize = 50;
/// Days for which counters are kept day by day; beyond, month by month.
const DAYS_KEPT: i32 = 400;

/// What a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// A request was sent.
    Sent,
    /// The department answered within the promised delay; its bucket tells the delay.
    OnTime,
    /// The department answered after it.
    Late,
    /// A request sent that day was asked to be completed, for the first time.
    Asked,
    /// Any other transition.
    Step,
    /// A draft went on in its form: « from>to ».
    Page,
    /// A mark was given.
    Score,
    /// Sent otherwise than through the portal, as the department declares it: by month only.
    Elsewhere,
}

impl Measure {
    pub const ALL: [Self; 8] =
        [Self::Sent, Self::OnTime, Self::Late, Self::Asked, Self::Step, Self::Page, Self::Score, Self::Elsewhere];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::OnTime => "on-time",
            Self::Late => "late",
            Self::Asked => "asked",
            Self::Step => "step",
            Self::Page => "page",
            Self::Score => "score",
            Self::Elsewhere => "elsewhere",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }
}

/// The channel of what comes through the portal.
pub const WEB: &str = Channel::WEB;

/// One thing to count.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    pub day: Date,
    pub department: &'a str,
    pub procedure: &'a str,
    pub measure: Measure,
    /// The transition, the two steps of the form, or the mark.
    pub what: &'a str,
    /// By which way what is counted came: see [`Channel`].
    pub channel: &'a str,
    /// Of an answer: see [`super::model::bucket`].
    pub days: Option<i64>,
}

/// Appends a fact in the transaction of what it counts.
pub async fn note(tx: &mut Tx, id: Uuid, fact: &Fact<'_>) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into fact (authority_id, id, day, department_id, procedure_id, measure, what, channel, delays)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        args![
            tx.authority(),
            id,
            fact.day,
            fact.department,
            fact.procedure,
            fact.measure.name(),
            fact.what,
            fact.channel,
            Delays::of(fact.days).to_string()
        ],
    )
    .await?;
    Ok(())
}

row! {
    struct Kept {
        day: Date,
        department_id: String,
        procedure_id: String,
        measure: String,
        what: String,
        channel: String,
        delays: String,
    }
}

row! {
    /// Delays of a counter.
    struct Told {
        span: String,
        department_id: String,
        measure: String,
        start: Date,
        procedure_id: String,
        what: String,
        channel: String,
        delays: String,
    }
}

/// (span, department, measure, start, procedure, what, channel): the key of a counter, in its order.
type Key = (String, String, String, Date, String, String, String);

/// What to add to counters, each once.
#[derive(Default, Clone)]
pub struct Sums {
    counters: BTreeMap<Key, (i64, Delays)>,
    /// Before it, only months are counted.
    oldest: Option<Date>,
}

impl Sums {
    /// As of `today`: what is too old to be kept by day is not.
    pub fn on(today: Date) -> Self {
        Self { counters: BTreeMap::new(), oldest: today.checked_sub(DAYS_KEPT.days()).ok() }
    }

    /// Counts `many` times a fact, by its day and by its month.
    pub fn add(&mut self, fact: &Fact<'_>, many: i64) {
        let mut delays = Delays::default();
        if let Some(days) = fact.days {
            delays.add(days, many);
        }
        for (span, start) in [("day", fact.day), ("month", fact.day.first_of_month())] {
            if span == "day" && self.oldest.is_some_and(|oldest| start < oldest) {
                continue;
            }
            let (department, procedure) = (fact.department.to_owned(), fact.procedure.to_owned());
            let (span, measure) = (span.to_owned(), fact.measure.name().to_owned());
            let (what, channel) = (fact.what.to_owned(), fact.channel.to_owned());
            let key = (span, department, measure, start, procedure, what, channel);
            let sum = self.counters.entry(key).or_default();
            sum.0 += many;
            sum.1.merge(&delays);
        }
    }

    /// Adds them to what is there. Others who would wait for the end of this transaction.
    pub async fn write(&mut self, tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
        tx.run(
            sql!("insert into tally_turn (authority_id, at) values ($1, $2) on conflict (authority_id) do update set at = excluded.at"),
            args![tx.authority(), now],
        )
        .await?;
        let answered: Vec<Key> =
            self.counters.iter().filter(|(_, (_, delays))| delays.requests() > 0).map(|(key, _)| key.clone()).collect();
        for keys in answered.chunks(ROWS) {
            for row in tx.all::<Told>(delays_of(tx.authority(), keys), args![]).await? {
                let key =
                    (row.span, row.department_id, row.measure, row.start, row.procedure_id, row.what, row.channel);
                if let Some((_, delays)) = self.counters.get_mut(&key) {
                    delays.merge(&Delays::parse(&row.delays));
                }
            }
        }
        let counters: Vec<(&Key, &(i64, Delays))> = self.counters.iter().collect();
        for rows in counters.chunks(ROWS) {
            tx.run(rows_of(tx.authority(), rows), args![]).await?;
        }
        Ok(())
    }
}

/// Says how many there were in the month of a fact, whatever was said before.
pub async fn declare(tx: &mut Tx, fact: &Fact<'_>, many: i64) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into tally (authority_id, span, department_id, measure, start, procedure_id, what, channel, many, delays)
             values ($1, 'month', $2, $3, $4, $5, $6, $7, $8, '')
             on conflict (authority_id, span, department_id, measure, start, procedure_id, what, channel) do update set many = excluded.many"
        ),
        args![
            tx.authority(),
            fact.department,
            fact.measure.name(),
            fact.day.first_of_month(),
            fact.procedure,
            fact.what,
            fact.channel,
            many
        ],
    )
    .await?;
    Ok(())
}

/// The delays that these counters hold already.
fn delays_of(authority: Uuid, keys: &[Key]) -> Query {
    let mut query =
        Query::new("select span, department_id, measure, start, procedure_id, what, channel, delays from tally where ");
    for (index, (span, department, measure, start, procedure, what, channel)) in keys.iter().enumerate() {
        // The whole key in each: SQLite looks each of them up.
        query = query
            .push_with(if index == 0 { "(authority_id = {}" } else { " or (authority_id = {}" }, authority)
            .push_with(" and span = {}", span)
            .push_with(" and department_id = {}", department)
            .push_with(" and measure = {}", measure)
            .push_with(" and start = {}", *start)
            .push_with(" and procedure_id = {}", procedure)
            .push_with(" and what = {}", what)
            .push_with(" and channel = {})", channel);
    }
    query
}

fn rows_of(authority: Uuid, rows: &[(&Key, &(i64, Delays))]) -> Query {
    let mut query = Query::new(
        "insert into tally (authority_id, span, department_id, measure, start, procedure_id, what, channel, many, delays) values ",
    );
    for (index, (key, (many, delays))) in rows.iter().enumerate() {
        let (span, department, measure, start, procedure, what, channel) = key;
        query = query
            .push_with(if index == 0 { "({}" } else { "), ({}" }, authority)
            .push_with(", {}", span)
            .push_with(", {}", department)
            .push_with(", {}", measure)
            .push_with(", {}", *start)
            .push_with(", {}", procedure)
            .push_with(", {}", what)
            .push_with(", {}", channel)
            .push_with(", {}", *many)
            .push_with(", {}", delays.to_string());
    }
    query.push(
        ") on conflict (authority_id, span, department_id, measure, start, procedure_id, what, channel)
         do update set many = tally.many + excluded.many, delays = excluded.delays",
    )
}

/// Adds what was appended to the counters of every authority; gives how many facts.
pub async fn fold(app: &App) -> Result<usize> {
    let mut folded = 0;
    for authority in authorities::all(&app.db).await? {
        let db = app.db.for_authority(authority).fresh();
        loop {
            let some = fold_some(&db, app.clock.now()).await?;
            folded += some;
            if some < usize::try_from(BATCH)? {
                break;
            }
        }
    }
    Ok(folded)
}

async fn fold_some(db: &Db, now: Timestamp) -> Result<usize, db::Error> {
    // Spares a write when there is nothing.
    let waiting: Option<i64> =
        db.first(sql!("select 1 from fact where authority_id = $1 limit 1"), args![db.authority()]).await?;
    if waiting.is_none() {
        return Ok(0);
    }
    db.write(async |tx: &mut Tx| {
        let taken: Vec<Kept> = tx
            .all(
                sql!(
                    "delete from fact where authority_id = $1 and id in (select id from fact where authority_id = $1 order by id limit $2 for update skip locked)
                     returning day, department_id, procedure_id, measure, what, channel, delays"
                ),
                args![tx.authority(), BATCH],
            )
            .await?;
        let mut sums = Sums::default();
        for kept in &taken {
            let Some(measure) = Measure::named(&kept.measure) else { continue };
            let fact = Fact {
                day: kept.day,
                department: &kept.department_id,
                procedure: &kept.procedure_id,
                measure,
                what: &kept.what,
                channel: &kept.channel,
                days: Delays::parse(&kept.delays).within(10),
            };
            sums.add(&fact, 1);
        }
        sums.write(tx, now).await?;
        Ok(taken.len())
    })
    .await
}

/// Forgets counters by day that are old; those by month stay.
pub async fn sweep(tx: &mut Tx, today: Date) -> Result<(), db::Error> {
    let oldest = today.checked_sub(DAYS_KEPT.days()).unwrap_or(today);
    tx.run(
        sql!(
            "delete from tally where authority_id = $1 and span = 'day' and start < $2
               and department_id in (select d.id from department d where d.authority_id = $1)
               and measure in ('sent', 'on-time', 'late', 'asked', 'step', 'page', 'score')"
        ),
        args![tx.authority(), oldest],
    )
    .await?;
    Ok(())
}
