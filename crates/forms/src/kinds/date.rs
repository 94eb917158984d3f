//! `date`: three inputs. Its answer is `2026-03-27`, or `1950-03` or `1950` when partial ones are
//! accepted.

use jiff::civil::Date;
use serde_json::json;

use super::{
    DayBound, Kind, Narrows, Options, Paper, Today, clean,
    french::{self, quoted},
    partial_date::{self, PARTS, PartialDate},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["min", "max", "partial", "birth"];

#[derive(Debug, Clone, Default)]
pub struct DateKind {
    pub min: Option<DayBound>,
    pub max: Option<DayBound>,
    /// Accepts a year, or a month and year.
    pub partial: bool,
    /// The filer's own birth date: browsers may fill it in.
    pub birth: bool,
}

impl DateKind {
    pub fn read(keys: &mut dyn Options) -> Self {
        let (min, max) = (keys.day("min"), keys.day("max"));
        if let (Some(DayBound::On(min)), Some(DayBound::On(max))) = (min, max)
            && min > max
        {
            keys.wrong("max", "La date maximale est avant la date minimale.");
        }
        let partial = keys.flag("partial").unwrap_or(false);
        Self { min, max, partial, birth: keys.flag("birth").unwrap_or(false) }
    }

    fn bounded(&self, field: &Field, date: PartialDate, today: Today) -> Result<(), Vec<Problem>> {
        let Some((first, last)) = date.span() else {
            return Ok(());
        };
        let ask = quoted(&field.ask);
        let early = self.min.map(|it| (it, it.resolve(today))).filter(|(_, day)| last < *day);
        let late = self.max.map(|it| (it, it.resolve(today))).filter(|(_, day)| first > *day);
        let message = match (early, late) {
            (Some((bound, day)), _) => format!("Saisissez {} ou une date plus tardive pour {ask}", said(bound, day)),
            (_, Some((bound, day))) => format!("Saisissez {} ou une date plus ancienne pour {ask}", said(bound, day)),
            (None, None) => return Ok(()),
        };
        clean::wrong(message)
    }
}

fn said(bound: DayBound, day: Date) -> String {
    match bound {
        DayBound::FromToday(0, _) => format!("la date du jour ({})", french::date(day)),
        _ => format!("le {}", french::date(day)),
    }
}

/// The date in an answer.
pub(super) fn value(answer: &Json) -> Option<PartialDate> {
    answer.as_str().and_then(|it| it.parse().ok())
}

impl Kind for DateKind {
    fn name(&self) -> &'static str {
        "date"
    }

    fn parse(&self, field: &Field, input: Input<'_>, today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let Some(date) = partial_date::read(input, &field.ask, self.partial)? else {
            return Ok(None);
        };
        self.bounded(field, date, today)?;
        Ok(Some(date.to_string().into()))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.clear(name);
        if let Some(date) = value(answer) {
            date.fill(name, raw);
        }
    }

    fn paper(&self) -> Paper {
        Paper::Model("JJ / MM / AAAA")
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        value(answer).map(PartialDate::french).into_iter().collect()
    }

    fn export(&self, answer: &Json) -> String {
        answer.as_str().unwrap_or("").to_owned()
    }

    fn words(&self, answer: &Json) -> String {
        value(answer).map(PartialDate::french).unwrap_or_default()
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::Days
    }

    fn expr_type(&self) -> Type {
        Type::Date
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        value(answer)?.expr_value()
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = clean::composite(input, &PARTS);
        view.insert("birth".to_owned(), self.birth.into());
        view.insert("partial".to_owned(), self.partial.into());
        view.insert("min".to_owned(), json!(self.min.map(|it| it.to_string())));
        view.insert("max".to_owned(), json!(self.max.map(|it| it.to_string())));
        view.into()
    }

    fn sample(&self, name: &str, today: Today, raw: &mut Raw) {
        let usual = if self.birth { Date::constant(1980, 5, 17) } else { today.0 };
        let from = self.min.map_or(usual, |it| usual.max(it.resolve(today)));
        let day = self.max.map_or(from, |it| from.min(it.resolve(today)));
        PartialDate::whole(day).fill(name, raw);
    }

    fn missing(&self, field: &Field) -> String {
        clean::missing(field, || format!("Saisissez une date comme 27 3 2021 pour {}", quoted(&field.ask)))
    }
}
