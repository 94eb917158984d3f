//! Answers as titled lines of text: check page, agents' page, printed file.

use serde::Serialize;

use super::{FieldReading, Reading};
use crate::{
    answers::{Answers, Json},
    kinds::Group,
    model::{Field, Procedure},
};

/// The lines of one page, or of one row of a group, which follows its page as a section of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    pub title: String,
    /// Index of the page, for « Modifier ».
    pub page: usize,
    /// 0 for a page, 1 for a row of a group, 2 for a row within a row.
    pub depth: usize,
    pub rows: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The question.
    pub label: String,
    /// HTML name of the field: `enfants.0.nom`.
    pub path: String,
    pub lines: Vec<String>,
    pub sensitive: bool,
    /// There is an answer; otherwise `lines` says that there is none.
    pub given: bool,
}

impl Procedure {
    /// The answers of a request that was sent; questions without an answer are left out.
    pub fn show(&self, answers: &Answers) -> Vec<Section> {
        let mut sections = Vec::new();
        for (index, page) in self.pages.iter().enumerate() {
            let mut walk = Walk { page: index, depth: 0, sensitive: false, sections: &mut sections };
            walk.answers(&page.title, "", &page.fields, answers);
        }
        drop_empty(sections)
    }
}

/// What an agent answered to a form, as one section.
pub fn form_shown(title: &str, fields: &[Field], answers: &Answers) -> Vec<Section> {
    let mut sections = Vec::new();
    Walk { page: 0, depth: 0, sensitive: false, sections: &mut sections }.answers(title, "", fields, answers);
    drop_empty(sections)
}

impl Reading<'_> {
    /// The draft as it stands, for the check page; questions left blank say so.
    pub fn show(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        for page in self.shown_pages() {
            let mut walk = Walk { page: page.index, depth: 0, sensitive: false, sections: &mut sections };
            walk.readings(&page.page.title, &page.fields);
        }
        drop_empty(sections)
    }
}

struct Walk<'s> {
    page: usize,
    depth: usize,
    /// Everything below a sensitive group is sensitive.
    sensitive: bool,
    sections: &'s mut Vec<Section>,
}

impl Walk<'_> {
    fn answers(&mut self, title: &str, prefix: &str, fields: &[Field], answers: &Answers) {
        let given = || fields.iter().filter_map(|field| Some((field, answers.get(&field.id)?)));
        let plain = given().filter(|(field, _)| field.kind.group().is_none());
        let rows = plain.map(|(field, answer)| self.line(field, format!("{prefix}{}", field.id), answer)).collect();
        self.section(title, rows);
        for (field, answer) in given() {
            let Some(group) = field.kind.group() else { continue };
            let count = answer.as_array().map_or(0, Vec::len);
            for (at, row) in answer.as_array().into_iter().flatten().enumerate() {
                let Some(row) = row.as_object() else { continue };
                let prefix = format!("{prefix}{}.{at}.", field.id);
                self.below(field).answers(&row_title(group, at, count), &prefix, &group.fields, row);
            }
        }
    }

    fn readings(&mut self, title: &str, fields: &[FieldReading<'_>]) {
        let shown = || fields.iter().filter(|reading| reading.shown);
        let rows = shown().filter_map(|reading| self.reading_line(reading)).collect();
        self.section(title, rows);
        for reading in shown() {
            let Some(group) = reading.field.kind.group() else { continue };
            let rows: Vec<_> = reading.rows.iter().filter(|row| tells(row)).collect();
            for (at, row) in rows.iter().enumerate() {
                self.below(reading.field).readings(&row_title(group, at, rows.len()), row);
            }
        }
    }

    /// Nothing for what asks nothing, unless it was computed; a group speaks through its rows, and
    /// for itself only when it has none.
    fn reading_line(&self, reading: &FieldReading<'_>) -> Option<Line> {
        let field = reading.field;
        if field.kind.group().is_some() {
            return (!reading.rows.iter().any(|row| tells(row))).then(|| self.blank(reading));
        }
        match &reading.answer {
            Some(answer) => Some(self.line(field, reading.name.clone(), answer)),
            None if field.kind.silent() => None,
            None => Some(self.blank(reading)),
        }
    }

    fn line(&self, field: &Field, path: String, answer: &Json) -> Line {
        let lines = field.kind.display(answer);
        Line { label: field.ask.clone(), path, lines, sensitive: self.sensitive || field.sensitive, given: true }
    }

    fn blank(&self, reading: &FieldReading<'_>) -> Line {
        let says = if reading.typed { "À corriger" } else { "Non renseigné" };
        Line {
            label: reading.field.ask.clone(),
            path: reading.name.clone(),
            lines: vec![says.to_owned()],
            sensitive: self.sensitive || reading.field.sensitive,
            given: false,
        }
    }

    fn below(&mut self, group: &Field) -> Walk<'_> {
        let sensitive = self.sensitive || group.sensitive;
        Walk { page: self.page, depth: self.depth + 1, sensitive, sections: self.sections }
    }

    fn section(&mut self, title: &str, rows: Vec<Line>) {
        self.sections.push(Section { title: title.to_owned(), page: self.page, depth: self.depth, rows });
    }
}

/// A blank row that nobody has to fill in says nothing.
fn tells(row: &[FieldReading<'_>]) -> bool {
    row.iter().any(|field| field.typed || !field.valid())
}

fn row_title(group: &Group, at: usize, count: usize) -> String {
    if count == 1 && group.max == 1 { group.row_title.clone() } else { format!("{} {}", group.row_title, at + 1) }
}

/// Without the sections that have no line, unless some row below them has (a page that holds only
/// groups keeps its title above them).
fn drop_empty(sections: Vec<Section>) -> Vec<Section> {
    let mut kept: Vec<Section> = Vec::new();
    // From the end, a section is kept when it has lines or when the one kept after it is deeper.
    for section in sections.into_iter().rev() {
        if !section.rows.is_empty() || kept.last().is_some_and(|next| next.depth > section.depth) {
            kept.push(section);
        }
    }
    kept.reverse();
    kept
}
