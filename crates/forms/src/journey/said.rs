//! What a sent request is found by: its words, its addresses, and the answers that lists are narrowed by.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::stored::{given, rows};
use crate::{
    answers::{Answers, Json},
    kinds::Narrows,
    model::{Field, Procedure},
};

/// What agents find a request by. Nothing sensitive is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Words of every answer.
    pub words: String,
    /// Words of the addresses among them.
    pub addresses: String,
    /// By the id of the question, which has `search: true` and one answer.
    pub told: BTreeMap<String, Told>,
}

/// An answer by which lists are narrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The id of what was chosen.
    One(String),
    Day(Date),
    Words(String),
}

impl Procedure {
    /// What these answers say to who searches.
    pub fn said(&self, answers: &Answers) -> Said {
        let mut found = Found::default();
        found.read(self.fields(), answers);
        let asked = self.narrowing().filter_map(|field| {
            let told = told(field, answers.get(&field.id)?)?;
            Some((field.id.clone(), told))
        });
        let told = asked.collect();
        Said { words: found.words.join(" "), addresses: found.addresses.join(" "), told }
    }

    /// The questions whose answers narrow lists.
    pub fn narrowing(&self) -> impl Iterator<Item = &Field> {
        self.fields().filter(|field| field.search && !field.sensitive && field.kind.narrows() != Narrows::Nothing)
    }
}

#[derive(Default)]
struct Found {
    words: Vec<String>,
    addresses: Vec<String>,
}

impl Found {
    fn read<'a>(&mut self, fields: impl IntoIterator<Item = &'a Field>, answers: &'a Answers) {
        for (field, answer) in given(fields, answers).filter(|(field, _)| !field.sensitive) {
            if let Some(group) = field.kind.group() {
                rows(answer).for_each(|row| self.read(&group.fields, row));
                continue;
            }
            let words = field.kind.words(answer);
            if field.kind.narrows() == Narrows::Address {
                self.addresses.push(words.clone());
            }
            self.words.push(words);
        }
    }
}

fn told(field: &Field, answer: &Json) -> Option<Told> {
    match field.kind.narrows() {
        Narrows::Nothing => None,
        Narrows::One(_) => {
            let id = answer.as_bool().map(|yes| if yes { "oui" } else { "non" }).or_else(|| answer.as_str())?;
            Some(Told::One(id.to_owned()))
        }
        Narrows::Days => answer.as_str()?.parse().ok().map(Told::Day),
        Narrows::Words | Narrows::Name | Narrows::Address => Some(Told::Words(field.kind.words(answer))),
    }
}
