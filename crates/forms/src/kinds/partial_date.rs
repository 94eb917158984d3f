//! A date that may miss its day, or its day and month, as some birth certificates do; and how the
//! three inputs « jour, mois, année » are read.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

use super::{clean, french, options::iso_day};
use crate::{
    answers::{Input, Problem, Raw},
    expr::Value,
};

/// The names of the three inputs.
pub const PARTS: [&str; 3] = ["jour", "mois", "annee"];

/// `2026-03-27`, `1950-03` or `1950`: a real date, years 1500 to 2200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    pub fn whole(day: Date) -> Self {
        Self { year: day.year(), month: Some(day.month()), day: Some(day.day()) }
    }

    /// The day, when it is known whole.
    pub fn date(self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }

    /// The first and the last day it may be.
    pub fn span(self) -> Option<(Date, Date)> {
        let first = Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        let last = match (self.month, self.day) {
            (_, Some(_)) => first,
            (Some(_), None) => first.last_of_month(),
            (None, None) => first.last_of_year(),
        };
        Some((first, last))
    }

    /// As expressions see it.
    pub fn expr_value(self) -> Option<Value> {
        let (first, last) = self.span()?;
        Some(if first == last { Value::Date(first) } else { Value::Within(first, last) })
    }

    /// « 27 mars 2021 », « mars 1950 », « 1950 ».
    pub fn french(self) -> String {
        match (self.date(), self.month) {
            (Some(day), _) => french::date(day),
            (None, Some(month)) => format!("{} {}", french::month(month), self.year),
            (None, None) => self.year.to_string(),
        }
    }

    /// Types it in the three inputs.
    pub fn fill(self, name: &str, raw: &mut Raw) {
        let numbers = [self.day.map(i16::from), self.month.map(i16::from), Some(self.year)];
        for (part, number) in PARTS.iter().zip(numbers) {
            if let Some(number) = number {
                raw.set(format!("{name}.{part}"), number.to_string());
            }
        }
    }

    fn checked(year: i16, month: Option<i8>, day: Option<i8>) -> Option<Self> {
        let it = Self { year, month, day };
        let known = (1500..=2200).contains(&year) && (day.is_none() || month.is_some());
        it.span().filter(|_| known).map(|_| it)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}", self.year)?;
        for part in [self.month, self.day].into_iter().flatten() {
            write!(out, "-{part:02}")?;
        }
        Ok(())
    }
}

impl FromStr for PartialDate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let whole = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            _ => text.to_owned(),
        };
        let day = iso_day(&whole).ok_or(())?;
        let month = (text.len() > 4).then_some(day.month());
        let number = (text.len() > 7).then_some(day.day());
        Self::checked(day.year(), month, number).ok_or(())
    }
}

/// Reads the three inputs, or a whole date pasted in the first one or under the field's own name.
/// `ask` names the field in problems; `partial` accepts a year, or a month and year.
pub fn read(input: Input<'_>, ask: &str, partial: bool) -> Result<Option<PartialDate>, Vec<Problem>> {
    let typed = typed(input, partial);
    if typed.iter().all(String::is_empty) {
        return Ok(None);
    }
    let reader = Reader { ask: french::quoted(ask), partial };
    reader.missing(&typed)?;
    let [day, month, year] = &typed;
    let year = reader.year(year);
    let month = reader.part(month, month_number, "mois", "un mois de 1 à 12, ou son nom,");
    let day = reader.part(day, day_number, "jour", "un jour de 1 à 31");
    match (year, month, day) {
        (Ok(year), Ok(month), Ok(day)) => reader.whole(year, month, day).map(Some),
        (year, month, day) => Err([day.err(), month.err(), year.err()].into_iter().flatten().collect()),
    }
}

struct Reader {
    ask: String,
    partial: bool,
}

impl Reader {
    fn missing(&self, typed: &[String; 3]) -> Result<(), Vec<Problem>> {
        let [day, month, year] = typed.each_ref().map(|it| it.is_empty());
        let needed = if self.partial { [false, month && !day, year] } else { [day, month, year] };
        let names = ["le jour", "le mois", "l’année"];
        let lacking: Vec<&str> = names.iter().zip(needed).filter(|(_, it)| *it).map(|(name, _)| *name).collect();
        let Some(part) = PARTS.iter().zip(needed).find(|(_, it)| *it).map(|(part, _)| part) else {
            return Ok(());
        };
        let what = french::list(&lacking);
        Err(vec![Problem::at(part, format!("Saisissez aussi {what} pour {}, par exemple 27 3 2021", self.ask))])
    }

    fn year(&self, typed: &str) -> Result<i16, Problem> {
        let year = Some(typed).filter(|it| it.len() == 4 && clean::all_digits(it)).and_then(|it| it.parse().ok());
        year.filter(|it| (1500..=2200).contains(it)).ok_or_else(|| {
            Problem::at("annee", format!("Saisissez l’année en quatre chiffres, comme 1998, pour {}", self.ask))
        })
    }

    fn part(
        &self,
        typed: &str,
        number: fn(&str) -> Option<i8>,
        part: &str,
        wanted: &str,
    ) -> Result<Option<i8>, Problem> {
        if typed.is_empty() {
            return Ok(None);
        }
        let problem = || Problem::at(part, format!("Saisissez {wanted} pour {}", self.ask));
        number(typed).map(Some).ok_or_else(problem)
    }

    fn whole(&self, year: i16, month: Option<i8>, day: Option<i8>) -> Result<PartialDate, Vec<Problem>> {
        PartialDate::checked(year, month, day).ok_or_else(|| {
            let name = french::month(month.unwrap_or_default());
            let said = format!("{} {name} {year}", day.unwrap_or_default());
            vec![Problem::at("jour", format!("Le {said} n’existe pas\u{a0}: vérifiez {}", self.ask))]
        })
    }
}

/// Day, month and year as typed, each maybe empty.
fn typed(input: Input<'_>, partial: bool) -> [String; 3] {
    let parts = PARTS.map(|part| clean::line(input.part(part)).unwrap_or_else(|| "?".to_owned()));
    let [day, month, year] = &parts;
    let alone = match (day.is_empty(), month.is_empty() && year.is_empty()) {
        (true, true) => clean::line(input.text()).unwrap_or_default(),
        (false, true) => day.clone(),
        _ => return parts,
    };
    pasted(&alone, partial).unwrap_or(parts)
}

/// « 27/03/2021 », « samedi 27 mars 2021 », « 2021-03-27 », « 27032021 »; when `partial`, also
/// « 03/1950 » and « 1950 ».
fn pasted(text: &str, partial: bool) -> Option<[String; 3]> {
    let words: Vec<String> = text
        .split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty() && !weekday(it))
        .map(str::to_owned)
        .collect();
    let four = |word: &str| word.len() == 4 && clean::all_digits(word);
    let order = |day: &str, month: &str, year: &str| Some([day.to_owned(), month.to_owned(), year.to_owned()]);
    match words.as_slice() {
        [all] if all.len() == 8 && clean::all_digits(all) => order(all.get(..2)?, all.get(2..4)?, all.get(4..)?),
        [year, month, day] if four(year) => order(day, month, year),
        [day, month, year] => order(day, month, year),
        [year, month] if partial && four(year) => order("", month, year),
        [month, year] if partial && four(year) => order("", month, year),
        [year] if partial && four(year) => order("", "", year),
        _ => None,
    }
}

fn weekday(word: &str) -> bool {
    ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"].contains(&clean::fold(word).as_str())
}

fn day_number(typed: &str) -> Option<i8> {
    let folded = clean::fold(typed);
    small_number(if folded == "1er" { "1" } else { &folded }, 31)
}

/// A number, a French name, or its beginning from three letters on (« janv. », « sept »); `juin`
/// and `juillet` need four.
fn month_number(typed: &str) -> Option<i8> {
    let folded = clean::fold(typed.trim_end_matches('.'));
    if let Some(number) = small_number(&folded, 12) {
        return Some(number);
    }
    let long_enough = folded.len() >= 3 && folded != "jui";
    let found = french::MONTHS.iter().position(|name| clean::fold(name).starts_with(&folded));
    found.filter(|_| long_enough).and_then(|at| i8::try_from(at + 1).ok())
}

fn small_number(text: &str, most: i8) -> Option<i8> {
    let number = Some(text).filter(|it| it.len() <= 2 && clean::all_digits(it))?.parse().ok()?;
    (1..=most).contains(&number).then_some(number)
}
