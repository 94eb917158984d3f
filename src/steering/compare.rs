//! Groups of requests side by side, over a period and the one before. What is told of fewer than five of them is
//! left out: somebody might be recognised.

use std::collections::BTreeMap;

use super::{
    chart::{Chart, Told, days, number},
    model::{FEW, Figures},
    store::Read,
    tables::{Line, Table},
};
use crate::platform::french;

/// Groups drawn in the chart: the largest ones.
const DRAWN: usize = 15;
const FEWER: &str = "moins de 5";

/// By what requests are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Department,
    Procedure,
}

impl By {
    pub fn named(name: &str) -> Self {
        if name == "demarche" { Self::Procedure } else { Self::Department }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Department => "service",
            Self::Procedure => "demarche",
        }
    }

    /// (department, procedure or nothing): what tells one group from another.
    pub fn key(self, read: &Read) -> (String, String) {
        let procedure = if self == Self::Procedure { read.procedure.clone() } else { String::new() };
        (read.department.clone(), procedure)
    }
}

/// Some requests, in two stretches of time.
#[derive(Debug, Default, Clone)]
pub struct Group {
    pub name: String,
    /// Its own figures; or empty.
    pub href: String,
    pub now: Figures,
    pub before: Figures,
}

/// The figures of each group: (now, before), in the order of their keys.
pub fn groups(by: By, now: &[Read], before: &[Read]) -> BTreeMap<(String, String), (Figures, Figures)> {
    let mut groups: BTreeMap<(String, String), (Figures, Figures)> = BTreeMap::new();
    for read in now {
        groups.entry(by.key(read)).or_default().0.add(&read.count);
    }
    for read in before {
        groups.entry(by.key(read)).or_default().1.add(&read.count);
    }
    groups
}

/// What is shown, and whether it is known of both stretches: what is declared by month is of no part of one.
#[derive(Debug, Clone, Copy)]
pub struct Online {
    pub now: bool,
    pub before: bool,
}

/// What is told of a group: volume, half, nine tenths, complete, online, satisfied.
type Cells = [String; 6];

fn cells(figures: &Figures, online: bool) -> Cells {
    let text = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    let enough = |many: i64, value: Option<i64>| text(value.filter(|_| many >= FEW));
    let sent = match figures.sent {
        0 => "0".to_owned(),
        sent if sent < FEW => FEWER.to_owned(),
        sent => sent.to_string(),
    };
    [
        sent,
        text(figures.delays.told(5)),
        text(figures.delays.told(9)),
        enough(figures.sent, figures.complete()),
        if online { enough(figures.channels.values().sum(), figures.online()) } else { String::new() },
        text(figures.marks.percent()),
    ]
}

const HEADS: [&str; 6] = [
    "Reçues",
    "La moitié en (jours)",
    "Neuf sur dix en (jours)",
    "Complètes d’emblée (%)",
    "En ligne (%)",
    "Satisfaits (%)",
];

/// All groups together, but those too small to be told: from a sum they could be guessed.
fn total(groups: &[Group]) -> Group {
    let mut total = Group { name: "Ensemble".to_owned(), ..Group::default() };
    for group in groups {
        if group.now.sent >= FEW {
            total.now.merge(&group.now);
        }
        if group.before.sent >= FEW {
            total.before.merge(&group.before);
        }
    }
    total
}

fn with_total(groups: &[Group]) -> Vec<Group> {
    groups.iter().cloned().chain((groups.len() > 1).then(|| total(groups))).collect()
}

/// For the page: each cell with what it was before in brackets.
pub fn table(by: By, groups: &[Group], online: Online) -> Table {
    let line = |group: &Group| {
        let both = cells(&group.now, online.now).into_iter().zip(cells(&group.before, online.before));
        let shown = both.map(|(now, before)| match (now.as_str(), before.as_str()) {
            ("", "") => String::new(),
            (now, before) => {
                let told = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
                format!("{} ({})", told(now), told(before))
            }
        });
        Line { cells: std::iter::once(group.name.clone()).chain(shown).collect(), href: group.href.clone() }
    };
    Table {
        id: "ensemble",
        title: match by {
            By::Department => "Par service",
            By::Procedure => "Par démarche",
        }
        .to_owned(),
        note: "Ce qui porte sur moins de cinq demandes, réponses ou avis n’est pas dit, et n’est pas compté dans l’ensemble.",
        chart: chart(groups),
        head: std::iter::once(first(by)).chain(HEADS).map(str::to_owned).collect(),
        rows: with_total(groups).iter().map(line).collect(),
    }
}

/// For a spreadsheet: one figure by cell.
pub fn sheet(by: By, groups: &[Group], online: Online) -> Table {
    let head = HEADS.iter().flat_map(|head| [(*head).to_owned(), format!("{head}, avant")]);
    let line = |group: &Group| {
        let both = cells(&group.now, online.now).into_iter().zip(cells(&group.before, online.before));
        let shown = both.flat_map(|(now, before)| [now, before]);
        Line { cells: std::iter::once(group.name.clone()).chain(shown).collect(), href: String::new() }
    };
    Table {
        id: "ensemble",
        title: String::new(),
        note: "",
        chart: None,
        head: std::iter::once(first(by).to_owned()).chain(head).collect(),
        rows: with_total(groups).iter().map(line).collect(),
    }
}

fn first(by: By) -> &'static str {
    match by {
        By::Department => "Service",
        By::Procedure => "Démarche",
    }
}

fn chart(groups: &[Group]) -> Option<Chart> {
    let mut drawn: Vec<&Group> = groups.iter().filter(|one| one.now.sent >= FEW || one.before.sent >= FEW).collect();
    drawn.sort_by(|a, b| b.now.sent.cmp(&a.now.sent).then_with(|| french::fold(&a.name).cmp(&french::fold(&b.name))));
    drawn.truncate(DRAWN);
    let told = |sent: i64, when: &str| -> Told {
        match sent {
            0 => (Some(0), format!("0 {when}")),
            sent if sent < FEW => (None, format!("{FEWER} {when}")),
            sent => (Some(sent), format!("{} {when}", number(sent))),
        }
    };
    let rows = drawn.iter().map(|one| (one.name.clone(), vec![told(one.now.sent, ""), told(one.before.sent, "avant")]));
    let rows: Vec<(String, Vec<Told>)> = rows
        .map(|(name, values)| {
            (name, values.into_iter().map(|(value, text)| (value, text.trim_end().to_owned())).collect())
        })
        .collect();
    let says = drawn.first().map_or_else(String::new, |most| {
        let half = most.now.delays.told(5).map(|half| format!("\u{a0}; la moitié des réponses en {}", days(half)));
        format!("Le plus de demandes\u{a0}: {}, {}{}.", number(most.now.sent), most.name, half.unwrap_or_default())
    });
    let title = if groups.len() > DRAWN { "Demandes reçues, les quinze premiers" } else { "Demandes reçues" };
    Chart::new("ensemble", title, says, rows)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::steering::{
        facts::Measure,
        model::{Count, Delays},
    };

    fn read(department: &str, procedure: &str, measure: Measure, what: &str, many: i64) -> Read {
        let delays = if measure == Measure::OnTime { Delays::parse(&format!("3:{many}")) } else { Delays::default() };
        Read {
            start: date(2026, 11, 1),
            department: department.to_owned(),
            procedure: procedure.to_owned(),
            count: Count { measure, what: what.to_owned(), channel: "web".to_owned(), many, delays },
        }
    }

    fn shown(by: By, now: &[Read], before: &[Read]) -> Vec<Vec<String>> {
        let groups: Vec<Group> = groups(by, now, before)
            .into_iter()
            .map(|((department, procedure), (now, before))| Group {
                name: format!("{department}{procedure}"),
                href: String::new(),
                now,
                before,
            })
            .collect();
        table(by, &groups, Online { now: true, before: true }).rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn small_groups_are_not_told_nor_guessed_from_the_sum() {
        let now = [
            read("a", "p", Measure::Sent, "", 10),
            read("a", "p", Measure::OnTime, "", 6),
            read("a", "p", Measure::Asked, "", 1),
            read("b", "q", Measure::Sent, "", 4),
            read("b", "q", Measure::OnTime, "", 4),
            read("b", "q", Measure::Score, "5", 4),
        ];
        let before = [read("a", "p", Measure::Sent, "", 3)];
        let rows = shown(By::Department, &now, &before);
        assert_eq!(rows[0], ["a", "10 (moins de 5)", "3 (–)", "3 (–)", "90 (–)", "100 (–)", ""]);
        assert_eq!(rows[1], ["b", "moins de 5 (0)", "", "", "", "", ""]);
        assert_eq!(rows[2], ["Ensemble", "10 (0)", "3 (–)", "3 (–)", "90 (–)", "100 (–)", ""]);
        assert_eq!(shown(By::Procedure, &now, &before)[0][0], "ap");
    }

    proptest! {
        /// No cell tells of fewer than five, whatever was counted.
        #[test]
        fn no_cell_tells_of_few(sent in 0_i64..9, answered in 0_i64..9, marks in 0_i64..9) {
            let now = [
                read("a", "p", Measure::Sent, "", sent),
                read("a", "p", Measure::OnTime, "", answered),
                read("a", "p", Measure::Score, "5", marks),
            ];
            let row = shown(By::Department, &now, &[]).remove(0);
            prop_assert_eq!(row[1].starts_with("moins de 5"), (1..5).contains(&sent));
            prop_assert_eq!(row[2].is_empty(), answered < 5, "{:?}", row);
            prop_assert_eq!(row[4].is_empty(), sent < 5, "{:?}", row);
            prop_assert_eq!(row[5].is_empty(), sent < 5, "{:?}", row);
            prop_assert_eq!(row[6].is_empty(), marks < 5, "{:?}", row);
        }
    }
}
