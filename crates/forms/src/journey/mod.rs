//! What a draft amounts to: one pass over the procedure, in the order of its pages.
//!
//! [`Procedure::read`] makes a [`Reading`] of what was typed: which pages and questions are shown,
//! what is wrong, which pieces are asked for, and the answers as they would be sent now. A hidden
//! answer stays in the draft, counts as not given, and is not sent.

mod blank;
mod read;
mod said;
mod show;
mod stored;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    answers::{Answers, Json, Problem, Raw},
    expr::{Env, Value},
    model::{Field, Page, Piece, Procedure},
};

pub use blank::{Blank, BlankPage, BlankPiece};
pub use said::{Said, Told};
pub use show::{Line, Section, form_shown};

/// How many files a draft holds for each piece id.
pub type Files = BTreeMap<String, usize>;

/// How the HTML names of an agent's form begin, apart from the other controls of its page.
pub const FORM: &str = "saisie.";

/// An agent's form as it was typed; conditions see what is `known` of the request, then its own answers.
pub fn form<'a>(fields: &'a [Field], raw: &Raw, known: BTreeMap<String, Value>, today: Date) -> Vec<FieldReading<'a>> {
    read::form(fields, raw, known, today)
}

/// The answers shown and valid.
pub fn answered(readings: &[FieldReading<'_>]) -> Answers {
    read::answers_of(readings)
}

#[derive(Debug)]
pub struct Reading<'a> {
    pub pages: Vec<PageReading<'a>>,
    /// Pieces asked for, given the answers.
    pub pieces: Vec<PieceReading<'a>>,
    /// Answers that are shown and valid, as they would be sent now.
    pub answers: Answers,
    names: BTreeMap<String, Value>,
    today: Date,
}

#[derive(Debug)]
pub struct PageReading<'a> {
    pub index: usize,
    pub page: &'a Page,
    pub shown: bool,
    pub fields: Vec<FieldReading<'a>>,
    /// The sentence of the first `stop-if` rule that holds: the journey ends here.
    pub stop: Option<&'a str>,
}

#[derive(Debug)]
pub struct FieldReading<'a> {
    pub field: &'a Field,
    /// HTML name: `enfants.0.nom`.
    pub name: String,
    pub shown: bool,
    /// Something was typed here, valid or not.
    pub typed: bool,
    /// Parsed and valid, computed values included.
    pub answer: Option<Json>,
    /// What is wrong, missing answers included.
    pub problems: Vec<Problem>,
    /// For a repeated group: the fields of each row.
    pub rows: Vec<Vec<FieldReading<'a>>>,
}

#[derive(Debug)]
pub struct PieceReading<'a> {
    pub piece: &'a Piece,
    pub files: usize,
    pub missing: bool,
}

impl Procedure {
    /// Reads a draft on the day `today`.
    pub fn read<'a>(&'a self, raw: &Raw, files: &Files, today: Date) -> Reading<'a> {
        read::procedure(self, raw, files, today)
    }
}

impl<'a> Reading<'a> {
    /// Nothing is wrong, no piece is missing and no rule stops the journey: it can be sent.
    pub fn ready(&self) -> bool {
        self.first_incomplete().is_none() && !self.pieces.iter().any(|piece| piece.missing)
    }

    /// The first page shown on which something is wrong, or where the journey stops.
    pub fn first_incomplete(&self) -> Option<usize> {
        self.shown_pages().find(|page| !page.complete()).map(|page| page.index)
    }

    /// The sentence of the rule that ends the journey.
    pub fn stop(&self) -> Option<&'a str> {
        self.pages.iter().find_map(|page| page.stop)
    }

    pub fn page(&self, index: usize) -> Option<&PageReading<'a>> {
        self.pages.get(index)
    }

    pub fn shown_pages(&self) -> impl DoubleEndedIterator<Item = &PageReading<'a>> {
        self.pages.iter().filter(|page| page.shown)
    }

    pub fn next_shown(&self, index: usize) -> Option<usize> {
        self.shown_pages().map(|page| page.index).find(|shown| *shown > index)
    }

    pub fn previous_shown(&self, index: usize) -> Option<usize> {
        self.shown_pages().rev().map(|page| page.index).find(|shown| *shown < index)
    }

    /// Known answers, as expressions see them.
    pub fn env_names(&self) -> &BTreeMap<String, Value> {
        &self.names
    }

    /// For other expressions over the same answers.
    pub fn env(&self) -> Env<'_> {
        Env { today: self.today, names: &self.names, row: None }
    }
}

impl<'a> PageReading<'a> {
    pub fn complete(&self) -> bool {
        self.stop.is_none() && self.problems().is_empty()
    }

    /// Everything wrong on the page, in its order, with the HTML name of the field.
    pub fn problems(&self) -> Vec<(&str, &Problem)> {
        let mut found = Vec::new();
        for field in &self.fields {
            field.collect_problems(&mut found);
        }
        found
    }

    pub fn shown_fields(&self) -> impl Iterator<Item = &FieldReading<'a>> {
        self.fields.iter().filter(|field| field.shown)
    }
}

impl<'a> FieldReading<'a> {
    /// The field is on the page, and must be answered.
    pub fn mandatory(&self) -> bool {
        self.shown && !self.field.optional && !self.field.kind.silent()
    }

    fn collect_problems<'r>(&'r self, found: &mut Vec<(&'r str, &'r Problem)>) {
        found.extend(self.problems.iter().map(|problem| (self.name.as_str(), problem)));
        for field in self.rows.iter().flatten() {
            field.collect_problems(found);
        }
    }

    /// Nothing is wrong here, nor in any row.
    fn valid(&self) -> bool {
        self.problems.is_empty() && self.rows.iter().flatten().all(Self::valid)
    }
}
