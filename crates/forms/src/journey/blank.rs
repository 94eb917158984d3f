//! A procedure on paper: every page and piece, with the conditions in words, for who fills it in by hand.

use crate::{
    answers::Json,
    expr::Expr,
    kinds::Paper,
    model::{Field, Procedure},
};

/// A part of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankPage<'a> {
    pub title: &'a str,
    pub intro: Option<&'a str>,
    /// When it is asked, in words; none: always.
    pub when: Option<String>,
    pub questions: Vec<Blank<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank<'a> {
    pub ask: &'a str,
    pub help: Option<&'a str>,
    pub optional: bool,
    pub when: Option<String>,
    pub paper: Paper,
    /// Asked for each row of a group.
    pub rows: Vec<Self>,
    /// Rows at most.
    pub most: u32,
}

/// A piece to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankPiece<'a> {
    pub title: &'a str,
    pub help: Option<&'a str>,
    pub instead: &'a [String],
    pub optional: bool,
    pub when: Option<String>,
}

impl Procedure {
    /// Every page with its questions; what is computed is not asked.
    #[must_use]
    pub fn blank(&self) -> Vec<BlankPage<'_>> {
        let blank = |page| self.blank_page(page);
        self.pages.iter().map(blank).collect()
    }

    fn blank_page<'a>(&'a self, page: &'a crate::model::Page) -> BlankPage<'a> {
        BlankPage {
            title: &page.title,
            intro: page.intro.as_deref(),
            when: page.show_if.as_ref().map(|when| self.says(when)),
            questions: self.blanks(&page.fields, &[]),
        }
    }

    /// Every piece, whatever the answers.
    pub fn blank_pieces(&self) -> impl Iterator<Item = BlankPiece<'_>> {
        self.pieces.iter().map(|piece| BlankPiece {
            title: &piece.title,
            help: piece.help.as_deref(),
            instead: &piece.instead,
            optional: piece.optional,
            when: piece.show_if.as_ref().map(|when| self.says(when)),
        })
    }

    /// `row`: the fields of the group that these are in.
    fn blanks<'a>(&'a self, fields: &'a [Field], row: &[Field]) -> Vec<Blank<'a>> {
        let asked = fields.iter().filter(|field| field.kind.group().is_some() || field.kind.paper() != Paper::Nothing);
        asked.map(|field| self.blank_of(field, row)).collect()
    }

    fn blank_of<'a>(&'a self, field: &'a Field, row: &[Field]) -> Blank<'a> {
        let group = field.kind.group();
        Blank {
            ask: &field.ask,
            help: field.help.as_deref(),
            optional: field.optional,
            when: field.show_if.as_ref().map(|when| self.says_in(when, row)),
            paper: if group.is_some() { Paper::Nothing } else { field.kind.paper() },
            rows: group.map(|group| self.blanks(&group.fields, &group.fields)).unwrap_or_default(),
            most: group.map_or(1, |group| group.max),
        }
    }

    /// A condition in words; names are those of the row first.
    fn says_in(&self, condition: &Expr, row: &[Field]) -> String {
        let own = |name: &str| {
            let (id, option) = name.split_once('=').map_or((name, None), |(id, option)| (id, Some(option)));
            let field = row.iter().find(|field| field.id == id)?;
            match option {
                None => Some(field.ask.clone()),
                Some(option) => field.kind.display(&Json::from(option)).into_iter().next(),
            }
        };
        condition.says(&|name| own(name).or_else(|| self.words_of(name)).unwrap_or_default())
    }
}
