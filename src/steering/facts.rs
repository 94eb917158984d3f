//! What is counted, as it happens, and its folding into counters.
//!
//! Whoever files or processes appends rows, which no two transactions share; a worker takes them away a minute
//! later and adds them to `tally`. Readers add both up in one statement, so that a folding in between neither
//! hides a row nor counts it twice. See docs/decisions/0028-counters.md.

use std::collections::BTreeMap;

use anyhow::Result;
use db::{Db, Query, Tx, args, row, sql};
use jiff::{ToSpan, civil::Date};
use uuid::Uuid;

use crate::{app::App, authorities};

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
pub const WEB: &str = "web";

/// One thing to count.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    pub day: Date,
    pub department: &'a str,
    pub procedure: &'a str,
    pub measure: Measure,
    /// The transition, the two steps of the form, or the mark.
    pub what: &'a str,
    /// See [`super::model::bucket`].
    pub bucket: i64,
}

/// Appends a fact in the transaction of what it counts.
pub async fn note(tx: &mut Tx, id: Uuid, fact: &Fact<'_>) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into fact (authority_id, id, day, department_id, procedure_id, measure, what, channel, bucket)
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
            WEB,
            fact.bucket
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
        bucket: i64,
    }
}

/// (span, department, measure, start, procedure, what, channel, bucket): the key of a counter, in its order.
type Key = (&'static str, String, String, Date, String, String, String, i64);

/// Counters to add to, each once and in the order of their key: two folders never wait for each other in a ring.
#[derive(Default)]
pub struct Sums(BTreeMap<Key, i64>);

impl Sums {
    /// Counts `many` times a fact, by its day and by its month.
    pub fn add(&mut self, fact: &Fact<'_>, channel: &str, many: i64) {
        for (span, start) in [("day", fact.day), ("month", fact.day.first_of_month())] {
            let key = (
                span,
                fact.department.to_owned(),
                fact.measure.name().to_owned(),
                start,
                fact.procedure.to_owned(),
                fact.what.to_owned(),
                channel.to_owned(),
                fact.bucket,
            );
            *self.0.entry(key).or_default() += many;
        }
    }

    pub async fn write(&self, tx: &mut Tx) -> Result<(), db::Error> {
        let counters: Vec<(&Key, &i64)> = self.0.iter().collect();
        for rows in counters.chunks(ROWS) {
            let mut query = Query::new(
                "insert into tally (authority_id, span, department_id, measure, start, procedure_id, what, channel, bucket, many) values ",
            );
            for (index, ((span, department, measure, start, procedure, what, channel, bucket), many)) in
                rows.iter().enumerate()
            {
                query = query
                    .push_with(if index == 0 { "({}" } else { "), ({}" }, tx.authority())
                    .push_with(", {}", *span)
                    .push_with(", {}", department)
                    .push_with(", {}", measure)
                    .push_with(", {}", *start)
                    .push_with(", {}", procedure)
                    .push_with(", {}", what)
                    .push_with(", {}", channel)
                    .push_with(", {}", *bucket)
                    .push_with(", {}", **many);
            }
            let query = query.push(
                ") on conflict (authority_id, span, department_id, measure, start, procedure_id, what, channel, bucket)
                 do update set many = tally.many + excluded.many",
            );
            tx.run(query, args![]).await?;
        }
        Ok(())
    }
}

/// Adds what was appended to the counters of every authority; gives how many facts.
pub async fn fold(app: &App) -> Result<usize> {
    let mut folded = 0;
    for authority in authorities::all(&app.db).await? {
        let db = app.db.for_authority(authority).fresh();
        loop {
            let some = fold_some(&db).await?;
            folded += some;
            if some < usize::try_from(BATCH)? {
                break;
            }
        }
    }
    Ok(folded)
}

async fn fold_some(db: &Db) -> Result<usize, db::Error> {
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
                     returning day, department_id, procedure_id, measure, what, channel, bucket"
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
                bucket: kept.bucket,
            };
            sums.add(&fact, &kept.channel, 1);
        }
        sums.write(tx).await?;
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
