//! The figures of a page, as tables with their charts.

use std::collections::BTreeMap;

use forms::model::Procedure;
use jiff::civil::Date;
use serde::Serialize;

use super::{
    chart::{Chart, Told, days, number},
    model::{Figures, Step},
    period::Period,
    store::Read,
};
use crate::{
    opinions::SCORES,
    platform::sheet::{Cell, Format},
    requests::{Channel, reach},
};

/// A table, with its chart when it has one.
#[derive(Debug, Serialize)]
pub struct Table {
    pub id: &'static str,
    pub title: String,
    /// What is to be known to read it; or empty.
    pub note: &'static str,
    pub chart: Option<Chart>,
    pub head: Vec<String>,
    pub rows: Vec<Line>,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub cells: Vec<String>,
    /// Where the first cell leads; or empty.
    pub href: String,
}

impl Line {
    fn of(cells: Vec<String>) -> Self {
        Self { cells, href: String::new() }
    }
}

fn cell(value: Option<i64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// « 1 reçue », « 34 reçues ».
fn told(value: i64, one: &str, many: &str) -> Told {
    (Some(value), format!("{}\u{a0}{}", number(value), if value < 2 { one } else { many }))
}

fn told_days(value: Option<i64>) -> Told {
    (value, value.map_or_else(|| "–".to_owned(), days))
}

fn heads(first: &str, rest: &[&str]) -> Vec<String> {
    std::iter::once(first).chain(rest.iter().copied()).map(str::to_owned).collect()
}

/// Figures of each part of the period, those without any included.
pub fn parts(period: &Period, counts: &[Read]) -> Vec<(String, Figures)> {
    let mut found: BTreeMap<Date, Figures> = BTreeMap::new();
    for read in counts {
        found.entry(period.part(read.start)).or_default().add(&read.count);
    }
    period.parts().into_iter().map(|(first, name)| (name, found.remove(&first).unwrap_or_default())).collect()
}

/// What a chart draws of them: not what comes before the first request.
fn drawn(parts: &[(String, Figures)]) -> impl Iterator<Item = &(String, Figures)> {
    parts.iter().skip_while(|(_, figures)| figures.sent + figures.answered() == 0)
}

pub fn volumes(parts: &[(String, Figures)]) -> Table {
    let rows = drawn(parts).map(|(name, figures)| {
        (name.clone(), vec![told(figures.sent, "reçue", "reçues"), told(figures.answered(), "répondue", "répondues")])
    });
    let most = parts.iter().max_by_key(|(_, figures)| figures.sent);
    let says = most.map_or_else(String::new, |(name, figures)| {
        format!("Demandes reçues et réponses données. Le plus de demandes\u{a0}: {}, {name}.", number(figures.sent))
    });
    Table {
        id: "volumes",
        title: "Demandes reçues et réponses données".to_owned(),
        note: "",
        chart: Chart::new("volumes", "Demandes reçues et réponses données", says, rows.collect()),
        head: heads("Période", &["Reçues", "Répondues"]),
        rows: parts
            .iter()
            .map(|(name, figures)| {
                Line::of(vec![name.clone(), figures.sent.to_string(), figures.answered().to_string()])
            })
            .collect(),
    }
}

pub fn delays(parts: &[(String, Figures)]) -> Table {
    let both = |figures: &Figures| (figures.delays.within(5), figures.delays.within(9));
    let rows = drawn(parts).map(|(name, figures)| {
        let (half, most) = both(figures);
        let tell = |value, words: &str| {
            let (value, text) = told_days(value);
            (value, if value.is_some() { format!("{words}{text}") } else { text })
        };
        (name.clone(), vec![tell(half, "1 sur 2\u{a0}: "), tell(most, "9 sur 10\u{a0}: ")])
    });
    let longest = parts.iter().max_by_key(|(_, figures)| figures.delays.within(9));
    let says = longest.map_or_else(String::new, |(name, figures)| {
        let most = figures.delays.within(9).map_or_else(|| "aucune réponse".to_owned(), days);
        format!("Jours entre l’envoi et la réponse. Le plus long pour neuf réponses sur dix\u{a0}: {most}, {name}.")
    });
    Table {
        id: "delais",
        title: "Délais de réponse".to_owned(),
        note: "Jours entiers entre l’envoi et la réponse du service, d’après les réponses données pendant la période. Le temps laissé à l’usager pour compléter est compris.",
        chart: Chart::new("delais", "Délais de réponse", says, rows.collect()),
        head: heads(
            "Période",
            &["La moitié en (jours)", "Neuf sur dix en (jours)", "Réponses", "Dans le délai annoncé (%)"],
        ),
        rows: parts
            .iter()
            .map(|(name, figures)| {
                let (half, most) = both(figures);
                let answered = figures.answered().to_string();
                Line::of(vec![name.clone(), cell(half), cell(most), answered, cell(figures.on_time())])
            })
            .collect(),
    }
}

pub fn satisfaction(total: &Figures) -> Table {
    let given = |score: i64| total.scores.get(&score).copied().unwrap_or_default();
    let rows =
        SCORES.iter().map(|(score, label)| ((*label).to_owned(), vec![told(given(*score), "avis", "avis")])).collect();
    let says = match (total.marks.mean(), total.marks.percent()) {
        (Some(mean), Some(percent)) => format!(
            "{} avis, {mean} sur 5 en moyenne\u{a0}; {percent}\u{a0}% de personnes satisfaites.",
            number(total.marks.given)
        ),
        _ => format!("{} avis\u{a0}: trop peu pour une moyenne.", number(total.marks.given)),
    };
    Table {
        id: "satisfaction",
        title: "Satisfaction".to_owned(),
        note: "",
        chart: Chart::new("satisfaction", "Avis des usagers", says, rows),
        head: heads("Avis", &["Nombre"]),
        rows: SCORES
            .iter()
            .map(|(score, label)| Line::of(vec![(*label).to_owned(), given(*score).to_string()]))
            .collect(),
    }
}

pub fn channels(total: &Figures) -> Table {
    let of = |id: &str| total.channels.get(id).copied().unwrap_or_default();
    let all: i64 = total.channels.values().sum();
    let rows = Channel::ALL
        .iter()
        .map(|one| (one.words().to_owned(), vec![told(of(one.id()), "demande", "demandes")]))
        .collect();
    let says = total.online().map_or_else(String::new, |part| format!("{part}\u{a0}% des demandes viennent en ligne."));
    Table {
        id: "canaux",
        title: "Part des demandes en ligne".to_owned(),
        note: "Les demandes venues autrement sont celles que les agents saisissent ici, plus celles que les responsables déclarent, mois par mois.",
        chart: Chart::new("canaux", "Demandes par canal", says, rows),
        head: heads("Canal", &["Demandes", "Part (%)"]),
        rows: Channel::ALL
            .iter()
            .map(|one| {
                let many = of(one.id());
                Line::of(vec![one.words().to_owned(), many.to_string(), cell(super::model::percent(many, all))])
            })
            .collect(),
    }
}

/// One line for each procedure: (title, address of its own figures, figures).
pub fn procedures(found: &[(String, String, Figures)]) -> Table {
    let line = |(title, href, figures): &(String, String, Figures)| Line {
        cells: vec![
            title.clone(),
            figures.sent.to_string(),
            figures.answered().to_string(),
            cell(figures.delays.within(5)),
            cell(figures.delays.within(9)),
            cell(figures.on_time()),
            cell(figures.complete()),
            cell(figures.marks.percent()),
        ],
        href: href.clone(),
    };
    Table {
        id: "demarches",
        title: "Par démarche".to_owned(),
        note: "",
        chart: None,
        head: heads(
            "Démarche",
            &[
                "Reçues",
                "Répondues",
                "La moitié en (jours)",
                "Neuf sur dix en (jours)",
                "Dans le délai (%)",
                "Complètes d’emblée (%)",
                "Satisfaits (%)",
            ],
        ),
        rows: found.iter().map(line).collect(),
    }
}

/// Where drafts of a procedure stop.
pub fn steps(procedure: &Procedure, found: &[Step]) -> Table {
    let part = |step: &Step| super::model::percent(step.left, step.reached);
    let rows = found.iter().map(|step| {
        let both = vec![told(step.reached, "arrivé", "arrivés"), told(step.left, "arrêté", "arrêtés")];
        (reach::title(procedure, &step.id), both)
    });
    let worst = found.iter().max_by_key(|step| part(step));
    let says = worst.map_or_else(String::new, |step| {
        let percent = part(step).unwrap_or_default();
        let title = reach::title(procedure, &step.id);
        format!("Le plus d’abandons\u{a0}: {percent}\u{a0}% des personnes arrivées à «\u{a0}{title}\u{a0}».")
    });
    Table {
        id: "abandons",
        title: "Abandons par page du formulaire".to_owned(),
        note: "Chaque brouillon est compté une fois par étape, sans rien garder de qui le remplit. Avant une première réponse, rien n’est compté ; un brouillon arrêté peut encore reprendre, ou revenir en arrière et passer par d’autres étapes.",
        chart: Chart::new("abandons", "Abandons par page du formulaire", says, rows.collect()),
        head: heads("Étape", &["Arrivés", "Arrêtés là", "Abandon (%)"]),
        rows: found
            .iter()
            .map(|step| {
                let title = reach::title(procedure, &step.id);
                Line::of(vec![title, step.reached.to_string(), step.left.to_string(), cell(part(step))])
            })
            .collect(),
    }
}

/// How often each action was taken: (its name, how many).
pub fn actions(found: &[(String, i64)]) -> Table {
    Table {
        id: "actions",
        title: "Étapes du traitement".to_owned(),
        note: "",
        chart: None,
        head: heads("Action", &["Nombre"]),
        rows: found.iter().map(|(name, many)| Line::of(vec![name.clone(), many.to_string()])).collect(),
    }
}

impl Table {
    /// As a spreadsheet reads it.
    pub fn csv(&self) -> String {
        let mut out = Format::Csv.begin().to_owned();
        for cells in std::iter::once(&self.head).chain(self.rows.iter().map(|row| &row.cells)) {
            let cells: Vec<Cell> = cells.iter().map(|cell| Cell::from(cell.as_str())).collect();
            Format::Csv.row(&mut out, &cells);
        }
        out
    }
}
