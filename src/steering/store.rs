//! Reading counters, together with what is not folded into them yet.

use db::{Db, Query, args, row};
use jiff::civil::Date;

use super::{
    facts::Measure,
    model::{Count, Delays},
    period::Ranges,
    scope::Scope,
};

/// A counter with the first day that it counts (a month's first, where months are read whole) and its procedure.
#[derive(Debug)]
pub struct Read {
    pub start: Date,
    pub department: String,
    pub procedure: String,
    pub count: Count,
}

row! {
    struct Kept {
        start: Date,
        department_id: String,
        procedure_id: String,
        measure: String,
        what: String,
        channel: String,
        many: i64,
        delays: String,
    }
}

/// What `measures` counted in those days. One statement: what is folded meanwhile is read once. Nothing is summed by
/// the database: counters are few, and reading them once is cheaper than sorting them for each sum.
pub async fn read(db: &Db, scope: &Scope, ranges: &Ranges, measures: &[Measure]) -> Result<Vec<Read>, db::Error> {
    let names: Vec<&str> = measures.iter().map(|measure| measure.name()).collect();
    let of_months = ranges.months.map(|(from, to)| ("month", (from, to)));
    let mut query = Query::new("");
    let mut union = "";
    for (span, (from, to)) in of_months.into_iter().chain(ranges.days.iter().map(|range| ("day", *range))) {
        query = query.push(union).push_with(
            "select start, department_id, procedure_id, measure, what, channel, many, delays from tally where span = {}",
            span,
        );
        query = scope.restrict(query, db).and_in("measure", &names).and("start >= {}", from).and("start <= {}", to);
        union = " union all ";
    }
    let months = ranges.months.map(|(from, to)| (from, to.last_of_month()));
    for (from, to) in months.into_iter().chain(ranges.days.iter().copied()) {
        query = query.push(union).push(
            "select day, department_id, procedure_id, measure, what, channel, 1 as many, delays from fact where 1 = 1",
        );
        query = scope.restrict(query, db).and_in("measure", &names).and("day >= {}", from).and("day <= {}", to);
    }
    if union.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Kept> = db.all(query, args![]).await?;
    let read = |kept: Kept| {
        let Kept { start, department_id, procedure_id, measure, what, channel, many, delays } = kept;
        let count = Count { measure: Measure::named(&measure)?, what, channel, many, delays: Delays::parse(&delays) };
        Some(Read { start, department: department_id, procedure: procedure_id, count })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}
