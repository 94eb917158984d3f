//! The pass over a draft. Answers become known one after the other, so that a condition sees those
//! that come before it and nothing else.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{FieldReading, Files, PageReading, PieceReading, Reading};
use crate::{
    answers::{Answers, Input, Json, Problem, Raw},
    expr::{Env, Expr, Value},
    kinds::{Group, Today},
    model::{Field, LONGEST_REMARK, Page, Piece, Procedure, REMARK, Rule},
};

pub(super) fn procedure<'a>(procedure: &'a Procedure, raw: &Raw, files: &Files, today: Date) -> Reading<'a> {
    let reader = Reader { raw, today };
    let mut known = Known::default();
    let mut stopped = false;
    let mut pages = Vec::new();
    for (index, page) in procedure.pages.iter().enumerate() {
        let page = if stopped { hidden_page(index, page) } else { reader.page(index, page, &mut known) };
        stopped = stopped || page.stop.is_some();
        pages.push(page);
    }
    let answers = answers_of(pages.iter().flat_map(|page| &page.fields));
    let pieces = procedure.pieces.iter().filter_map(|piece| reader.piece(piece, files, &known)).collect();
    Reading { pages, pieces, answers, names: known.own, today }
}

/// An agent's form as it was typed, beside what is known of the request.
pub(super) fn form<'a>(
    fields: &'a [Field],
    raw: &Raw,
    known: BTreeMap<String, Value>,
    today: Date,
) -> Vec<FieldReading<'a>> {
    let (reader, mut known) = (Reader { raw, today }, Known { outer: None, own: known });
    fields.iter().map(|field| reader.field(field, super::FORM, &mut known)).collect()
}

/// What is known so far: on the procedure's level, or in one row of a group.
#[derive(Default)]
struct Known<'o> {
    /// In a row: what is known outside of it, without namesakes of the row's own fields.
    outer: Option<&'o BTreeMap<String, Value>>,
    own: BTreeMap<String, Value>,
}

impl Known<'_> {
    fn env(&self, today: Date) -> Env<'_> {
        match self.outer {
            Some(names) => Env { today, names, row: Some(&self.own) },
            None => Env { today, names: &self.own, row: None },
        }
    }

    /// What a row of `group` sees around itself: a name of the row left blank must not be read
    /// from a namesake outside.
    fn around(&self, group: &Group) -> BTreeMap<String, Value> {
        let mut names = self.outer.cloned().unwrap_or_default();
        names.extend(self.own.clone());
        for field in &group.fields {
            names.remove(&field.id);
        }
        names
    }

    /// Keeps the value that expressions see; an answer found wrong is forgotten.
    fn learn(&mut self, field: &Field, value: Option<Value>) {
        match value {
            Some(value) => self.own.insert(field.id.clone(), value),
            None => self.own.remove(&field.id),
        };
    }
}

struct Reader<'r> {
    raw: &'r Raw,
    today: Date,
}

impl Reader<'_> {
    fn page<'a>(&self, index: usize, page: &'a Page, known: &mut Known<'_>) -> PageReading<'a> {
        if !self.holds(page.show_if.as_ref(), known) {
            return hidden_page(index, page);
        }
        let fields: Vec<_> = page.fields.iter().map(|field| self.field(field, "", known)).collect();
        let env = known.env(self.today);
        let stop = page.stop_if.iter().find(|rule| rule.when.holds(&env)).map(|rule| rule.say.as_str());
        // Conditions may leave nothing to show, and an empty page helps nobody.
        let shown = fields.is_empty() || stop.is_some() || fields.iter().any(|field| field.shown);
        PageReading { index, page, shown, fields, stop }
    }

    /// A missing condition holds.
    fn holds(&self, condition: Option<&Expr>, known: &Known<'_>) -> bool {
        condition.is_none_or(|condition| condition.holds(&known.env(self.today)))
    }

    /// `prefix` is empty, or `enfants.0.` in a row.
    fn field<'a>(&self, field: &'a Field, prefix: &str, known: &mut Known<'_>) -> FieldReading<'a> {
        let mut reading = hidden_field(field, prefix);
        if !self.holds(field.show_if.as_ref(), known) {
            known.learn(field, None);
            return reading;
        }
        reading.shown = true;
        if let Some(group) = field.kind.group() {
            self.group(group, &mut reading, known);
        } else if let Some(value) = field.kind.computed() {
            let value = value.eval(&known.env(self.today));
            reading.answer = value.as_ref().and_then(canonical);
            known.learn(field, value.filter(|_| reading.answer.is_some()));
        } else if !field.kind.silent() {
            self.typed(&mut reading, known);
        }
        self.check(&field.checks, &mut reading, known);
        reading
    }

    fn typed(&self, reading: &mut FieldReading<'_>, known: &mut Known<'_>) {
        let field = reading.field;
        let input = Input { raw: self.raw, name: &reading.name };
        match field.kind.parse(field, input, Today(self.today)) {
            Ok(Some(answer)) => {
                reading.typed = true;
                known.learn(field, field.kind.expr_value(&answer));
                reading.answer = Some(answer);
            }
            Ok(None) => {
                known.learn(field, None);
                if !field.optional {
                    reading.problems.push(Problem::new(field.kind.missing(field)));
                }
            }
            Err(problems) => {
                reading.typed = true;
                known.learn(field, None);
                reading.problems = problems;
            }
        }
    }

    /// The rules on an answer. A missing or mistyped one is told as such, and no further.
    fn check(&self, rules: &[Rule], reading: &mut FieldReading<'_>, known: &mut Known<'_>) {
        if !reading.valid() || self.remark(reading) {
            return;
        }
        let env = known.env(self.today);
        let broken = rules.iter().filter(|rule| rule.when.holds(&env));
        reading.problems.extend(broken.map(|rule| Problem::new(rule.say.clone())));
        if !reading.problems.is_empty() {
            reading.answer = None;
            known.learn(reading.field, None);
        }
    }

    /// Whether the filer says that what was certified here is wrong: then no rule on it blocks them, and
    /// an agent judges.
    fn remark(&self, reading: &mut FieldReading<'_>) -> bool {
        if !reading.field.verified {
            return false;
        }
        let remark = self.raw.text(&format!("{}.{REMARK}", reading.name));
        if remark.chars().count() > LONGEST_REMARK {
            let message = format!("Raccourcissez votre remarque\u{a0}: {LONGEST_REMARK} caractères au plus");
            reading.problems.push(Problem::at(REMARK, message));
        }
        !remark.is_empty()
    }

    fn group<'a>(&self, group: &'a Group, reading: &mut FieldReading<'a>, known: &mut Known<'_>) {
        let around = known.around(group);
        let mut rows = Vec::new();
        for at in 0..self.rows(group, &reading.name) {
            let prefix = format!("{}.{at}.", reading.name);
            let mut known = Known { outer: Some(&around), own: BTreeMap::new() };
            let fields: Vec<_> = group.fields.iter().map(|field| self.field(field, &prefix, &mut known)).collect();
            rows.push((fields, known.own));
        }
        let filled = rows.iter().filter(|(fields, _)| is_filled(fields)).count();
        reading.typed = filled > 0;
        forgive_blank_rows(&mut rows, missing_rows(group, reading.field, filled));

        let (answers, values): (Vec<Json>, Vec<_>) = rows
            .iter()
            .filter(|(fields, _)| is_filled(fields))
            .map(|(fields, own)| (Json::Object(answers_of(fields)), own.clone()))
            .unzip();
        reading.rows = rows.into_iter().map(|(fields, _)| fields).collect();
        let missing = missing_rows(group, reading.field, filled);
        if missing > 0 && reading.valid() {
            // No question of the blank rows is mandatory, so that none of them says it.
            reading.problems.push(Problem::new(too_few(group, reading.field)));
        }
        // No row where none is asked for is an answer: there are zero of them.
        let given = filled > 0 || group.min == 0;
        reading.answer = given.then_some(Json::Array(answers));
        known.learn(reading.field, given.then_some(Value::Rows(values)));
    }

    /// How many rows to show: as far as the form goes, within the group's bounds.
    fn rows(&self, group: &Group, name: &str) -> u32 {
        let prefix = format!("{name}.");
        let keys = self.raw.0.range(prefix.clone()..).map_while(|(key, _)| key.strip_prefix(&prefix));
        let indices = keys.filter_map(|rest| rest.split('.').next()?.parse::<u32>().ok());
        let count = indices.max().map_or(0, |last| last.saturating_add(1));
        count.max(group.min).min(group.max)
    }

    fn piece<'a>(&self, piece: &'a Piece, files: &Files, known: &Known<'_>) -> Option<PieceReading<'a>> {
        self.holds(piece.show_if.as_ref(), known).then(|| {
            let files = files.get(&piece.id).copied().unwrap_or(0);
            PieceReading { piece, files, missing: files == 0 && !piece.optional }
        })
    }
}

type Row<'a> = (Vec<FieldReading<'a>>, BTreeMap<String, Value>);

fn is_filled(fields: &[FieldReading<'_>]) -> bool {
    fields.iter().any(|field| field.typed)
}

/// How many more rows must be filled in. An optional group may be left out as a whole.
fn missing_rows(group: &Group, field: &Field, filled: usize) -> usize {
    let min = usize::try_from(group.min).unwrap_or(usize::MAX);
    if field.optional && filled == 0 { 0 } else { min.saturating_sub(filled) }
}

/// The first `missing` blank rows keep their problems; the others may stay blank.
fn forgive_blank_rows(rows: &mut [Row<'_>], missing: usize) {
    for (fields, _) in rows.iter_mut().filter(|(fields, _)| !is_filled(fields)).skip(missing) {
        for field in fields {
            field.problems.clear();
        }
    }
}

fn too_few(group: &Group, field: &Field) -> String {
    if group.min < 2 {
        return field.kind.missing(field);
    }
    let own = || format!("Remplissez au moins {} fois «\u{a0}{}\u{a0}»", group.min, group.row_title);
    field.error.clone().unwrap_or_else(own)
}

pub(super) fn answers_of<'r, 'a: 'r>(fields: impl IntoIterator<Item = &'r FieldReading<'a>>) -> Answers {
    fields.into_iter().filter_map(|field| Some((field.field.id.clone(), field.answer.clone()?))).collect()
}

/// A computed value as an answer.
fn canonical(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(known) => Some(Json::Bool(*known)),
        Value::Text(text) => Some(Json::String(text.clone())),
        Value::Number(number) => Some(Json::String(number.normalize().to_string())),
        Value::Date(date) => Some(Json::String(date.to_string())),
        Value::Within(..) | Value::List(_) | Value::Parts(_) | Value::Rows(_) | Value::Opaque => None,
    }
}

fn hidden_page(index: usize, page: &Page) -> PageReading<'_> {
    let fields = page.fields.iter().map(|field| hidden_field(field, "")).collect();
    PageReading { index, page, shown: false, fields, stop: None }
}

fn hidden_field<'a>(field: &'a Field, prefix: &str) -> FieldReading<'a> {
    FieldReading {
        field,
        name: format!("{prefix}{}", field.id),
        shown: false,
        typed: false,
        answer: None,
        problems: Vec::new(),
        rows: Vec::new(),
    }
}
