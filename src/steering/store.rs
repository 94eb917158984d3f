//! Reading counters, together with what is not folded into them yet.

use db::{Db, FromValue, Query, args};

use super::{facts::Measure, model::Count, period::Ranges, scope::Scope};

/// By what counters are summed: the first column of the answer.
#[derive(Debug, Clone, Copy)]
enum By {
    Nothing,
    Day,
    Procedure,
}

/// What `measures` counted in those days, and by what. One statement: what is folded meanwhile is read once.
async fn read<K: FromValue>(
    db: &Db,
    scope: &Scope,
    ranges: &Ranges,
    measures: &[Measure],
    by: By,
) -> Result<Vec<(K, Count)>, db::Error> {
    let (key, group) = match by {
        By::Nothing => ("select cast('' as text) as sum_key", " group by measure, what, channel, bucket"),
        By::Day => ("select start as sum_key", " group by start, measure, what, channel, bucket"),
        By::Procedure => ("select procedure_id as sum_key", " group by procedure_id, measure, what, channel, bucket"),
    };
    let names: Vec<&str> = measures.iter().map(|measure| measure.name()).collect();
    // Only marks, steps and transitions are told apart by what they are.
    let told = measures.iter().any(|one| matches!(one, Measure::Page | Measure::Step));
    let what = if told {
        ", measure, what, channel, bucket, cast(sum(many) as bigint) as many from ("
    } else {
        ", measure, what, channel, bucket, cast(sum(many) as bigint) as many from (select start, procedure_id, measure, case when measure = 'score' then what else '' end as what, channel, bucket, many from ("
    };
    let mut query = Query::new(key).push(what);
    let mut first = true;
    let mut union = |query: Query| {
        let query = query.push(if first { "" } else { " union all " });
        first = false;
        query
    };
    if let Some((from, to)) = ranges.months {
        query = union(query)
            .push("select start, procedure_id, measure, what, channel, bucket, many from tally where span = 'month'");
        query = scope.restrict(query, db).and_in("measure", &names).and("start >= {}", from).and("start <= {}", to);
    }
    for (from, to) in &ranges.days {
        query = union(query)
            .push("select start, procedure_id, measure, what, channel, bucket, many from tally where span = 'day'");
        query = scope.restrict(query, db).and_in("measure", &names).and("start >= {}", *from).and("start <= {}", *to);
    }
    let months = ranges.months.map(|(from, to)| (from, to.last_of_month()));
    for (from, to) in months.into_iter().chain(ranges.days.iter().copied()) {
        query = union(query)
            .push("select day as start, procedure_id, measure, what, channel, bucket, 1 as many from fact where 1 = 1");
        query = scope.restrict(query, db).and_in("measure", &names).and("day >= {}", from).and("day <= {}", to);
    }
    if first {
        return Ok(Vec::new());
    }
    let query = query.push(if told { ") t" } else { ") s) t" }).push(group);
    let rows: Vec<(K, String, String, String, i64, i64)> = db.all(query, args![]).await?;
    let count = |(key, measure, what, channel, bucket, many): (K, String, String, String, i64, i64)| {
        Some((key, Count { measure: Measure::named(&measure)?, what, channel, bucket, many }))
    };
    Ok(rows.into_iter().filter_map(count).collect())
}

/// Sums over all those days.
pub async fn total(db: &Db, scope: &Scope, ranges: &Ranges, measures: &[Measure]) -> Result<Vec<Count>, db::Error> {
    let rows = read::<String>(db, scope, ranges, measures, By::Nothing).await?;
    Ok(rows.into_iter().map(|(_, count)| count).collect())
}

/// Sums by day, or by month where months are read whole: a fact that waits comes with its day.
pub async fn by_day(
    db: &Db,
    scope: &Scope,
    ranges: &Ranges,
    measures: &[Measure],
) -> Result<Vec<(jiff::civil::Date, Count)>, db::Error> {
    read(db, scope, ranges, measures, By::Day).await
}

pub async fn by_procedure(
    db: &Db,
    scope: &Scope,
    ranges: &Ranges,
    measures: &[Measure],
) -> Result<Vec<(String, Count)>, db::Error> {
    read(db, scope, ranges, measures, By::Procedure).await
}
