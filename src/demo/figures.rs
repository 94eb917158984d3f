//! Five months of counters for the sample city: its requests are too few, and too recent, for charts.

use anyhow::Result;
use db::Tx;
use forms::model::Procedure;
use jiff::{ToSpan, civil::Date};

use crate::{
    catalogue,
    requests::reach,
    steering::{
        self,
        facts::{Fact, Measure, Sums, WEB},
    },
    visit::Visit,
};

const DAYS: i32 = 150;
/// Marks given, the best ones more often.
const MARKS: [&str; 9] = ["5", "4", "5", "3", "4", "5", "2", "4", "1"];

pub async fn make(visit: &Visit) -> Result<()> {
    let current = catalogue::current(visit).await?;
    let today = visit.today();
    let mut sums = Sums::on(today);
    for (rank, published) in current.procedures.values().enumerate() {
        for ago in 1..DAYS {
            let day = today.checked_sub(ago.days())?;
            if visit.site.calendar.is_working_day(day) {
                one_day(&mut sums, &published.procedure, rank, ago, day, today);
            }
        }
    }
    visit.db.write(async |tx: &mut Tx| sums.clone().write(tx, visit.now).await).await?;
    Ok(())
}

/// A working day of one procedure; the same numbers on every machine.
fn one_day(sums: &mut Sums, procedure: &Procedure, rank: usize, ago: i32, day: Date, today: Date) {
    let seed = rank * 31 + usize::try_from(ago).unwrap_or_default() * 17;
    let mut add = |measure, what: &str, day: Date, days, many| {
        let (department, procedure) = (procedure.department.as_str(), procedure.id.as_str());
        if day < today && many > 0 {
            sums.add(&Fact { day, department, procedure, measure, what, channel: WEB, days }, many);
        }
    };
    let sent = seed % 4;
    // Fewer and fewer go on, from the last step back to the first.
    let steps = reach::steps(procedure);
    let mut on = sent;
    for (index, step) in steps.iter().enumerate().rev() {
        let next = steps.get(index + 1).map_or("", String::as_str);
        add(Measure::Page, &format!("{step}>{next}"), day, None, i64::try_from(on).unwrap_or_default());
        on += usize::from((seed + index * 5).is_multiple_of(6 + index % 3));
    }
    for request in 0..sent {
        let luck = seed + request * 13;
        add(Measure::Sent, "send", day, None, 1);
        if luck.is_multiple_of(6) {
            add(Measure::Asked, "ask", day, None, 1);
        }
        let days =
            i64::try_from(2 + luck % 5 + if luck.is_multiple_of(8) { 9 + luck % 11 } else { 0 }).unwrap_or_default();
        let answered = day.checked_add(days.days()).unwrap_or(day);
        let late = answered > forms::calendar::Calendar::default().after(day, procedure.delay);
        let measure = if late { Measure::Late } else { Measure::OnTime };
        add(measure, "accept", answered, Some(steering::bucket(days)), 1);
        add(Measure::Step, "take", day.tomorrow().unwrap_or(day), None, 1);
        if luck.is_multiple_of(3) {
            add(Measure::Score, MARKS.get(luck / 3 % MARKS.len()).copied().unwrap_or("4"), answered, None, 1);
        }
    }
}
