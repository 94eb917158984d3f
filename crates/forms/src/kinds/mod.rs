//! The kinds of field: one file each, listed once in [`KINDS`]. Nothing else in the project asks
//! which kind a field is.

pub mod address;
pub mod amount;
pub mod choice;
pub mod choices;
pub mod computed;
pub mod date;
pub mod email;
pub mod explanation;
pub mod file;
pub mod group;
pub mod iban;
pub mod identity;
pub mod long_text;
pub mod number;
pub mod phone;
pub mod siret;
pub mod text;
pub mod yes_no;

pub mod french;
pub mod mask;
pub mod options;
pub mod partial_date;

mod clean;
mod identity_view;
pub mod person_name;
mod place;
#[cfg(test)]
mod tests;

use std::{fmt::Debug, sync::Arc};

use jiff::civil::Date;

use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub use options::{DayBound, Options};

/// A kind as the loader knows it: its name in a procedure file, the option keys it accepts beside
/// those of every field, and how it reads them.
pub type Entry = (&'static str, &'static [&'static str], fn(&mut dyn Options) -> Arc<dyn Kind>);

/// Every kind of field.
pub const KINDS: &[Entry] = &[
    ("text", text::OPTIONS, |keys| Arc::new(text::Text::read(keys))),
    ("long-text", long_text::OPTIONS, |keys| Arc::new(long_text::LongText::read(keys))),
    ("number", number::OPTIONS, |keys| Arc::new(number::Number::read(keys))),
    ("amount", amount::OPTIONS, |keys| Arc::new(amount::Amount::read(keys))),
    ("date", date::OPTIONS, |keys| Arc::new(date::DateKind::read(keys))),
    ("email", email::OPTIONS, |keys| Arc::new(email::Email::read(keys))),
    ("phone", phone::OPTIONS, |keys| Arc::new(phone::Phone::read(keys))),
    ("address", address::OPTIONS, |keys| Arc::new(address::Address::read(keys))),
    ("choice", choice::OPTIONS, |keys| Arc::new(choice::Choice::read(keys))),
    ("choices", choices::OPTIONS, |keys| Arc::new(choices::Choices::read(keys))),
    ("yes-no", yes_no::OPTIONS, |keys| Arc::new(yes_no::YesNo::read(keys))),
    ("identity", identity::OPTIONS, |keys| Arc::new(identity::Identity::read(keys))),
    ("iban", iban::OPTIONS, |keys| Arc::new(iban::Iban::read(keys))),
    ("siret", siret::OPTIONS, |keys| Arc::new(siret::Siret::read(keys))),
    ("file", file::OPTIONS, |keys| Arc::new(file::Files::read(keys))),
    ("group", group::OPTIONS, |keys| Arc::new(group::Repeated::read(keys))),
    ("explanation", explanation::OPTIONS, |keys| Arc::new(explanation::Explanation::read(keys))),
    ("computed", computed::OPTIONS, |keys| Arc::new(computed::Computed::read(keys))),
];

/// The kind called `name` in a procedure file.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    KINDS.iter().find(|(known, _, _)| *known == name)
}

/// What a kind may know beside the input.
#[derive(Debug, Clone, Copy)]
pub struct Today(pub Date);

/// The room that a question leaves on a paper form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// It asks for nothing there.
    Nothing,
    /// Paragraphs to read.
    Text(Vec<String>),
    Lines(usize),
    /// One line, with how to write on it: « JJ / MM / AAAA ».
    Model(&'static str),
    /// A line for each part, with its label.
    Parts(Vec<&'static str>),
    /// To tick: one, or as many as wanted.
    Boxes {
        labels: Vec<String>,
        several: bool,
    },
    /// To join to the form.
    Joined,
}

/// How lists are narrowed by the answers to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrows<'a> {
    /// Several answers, files, or none.
    Nothing,
    Words,
    /// Words, of somebody's name.
    Name,
    /// Words, of an address.
    Address,
    /// A first and a last day.
    Days,
    /// Ids and labels.
    One(Vec<(&'a str, &'a str)>),
}

pub trait Kind: Debug + Send + Sync {
    /// As written in a procedure file: `date`.
    fn name(&self) -> &'static str;

    /// What was typed → the answer in its canonical shape; `None` when nothing was typed. Missing
    /// answers are the journey's business, not the kind's.
    fn parse(&self, field: &Field, input: Input<'_>, today: Today) -> Result<Option<Json>, Vec<Problem>>;

    /// The answer → what would have been typed, under the HTML name `name` (prefill, correction).
    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw);

    /// The answer as lines of French text, for check pages, agents and receipts.
    fn display(&self, answer: &Json) -> Vec<String>;

    /// The answer as one cell of an export; the same every time for the same answer.
    fn export(&self, answer: &Json) -> String {
        self.display(answer).join(", ")
    }

    /// Words by which an agent may find the request.
    fn words(&self, answer: &Json) -> String {
        self.export(answer)
    }

    /// How agents narrow lists by it.
    fn narrows(&self) -> Narrows<'_> {
        let several = self.silent() || self.group().is_some() || self.files().is_some();
        if several { Narrows::Nothing } else { Narrows::Words }
    }

    /// The type that expressions see: text, for most.
    fn expr_type(&self) -> Type {
        Type::Text
    }

    /// The parts of its type that an answer may be without.
    fn missing_parts(&self) -> &'static [&'static str] {
        &[]
    }

    /// The value that expressions see; `None` is unanswered.
    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_str().map(|text| Value::Text(text.to_owned()))
    }

    /// What the template `fields/<name>.html` needs beyond the common keys: options, bounds,
    /// autocomplete tokens, the typed parts. An object.
    fn view(&self, field: &Field, input: Input<'_>) -> Json;

    /// A plausible filled-in form, for previews and tests.
    fn sample(&self, name: &str, today: Today, raw: &mut Raw);

    /// Said when a mandatory answer is missing.
    fn missing(&self, field: &Field) -> String {
        field.error.clone().unwrap_or_else(|| format!("Renseignez « {} »", field.ask))
    }

    /// Whether its field must have a question (`ask`); an explanation needs none.
    fn needs_ask(&self) -> bool {
        true
    }

    /// Asks for nothing (an explanation, a computed value).
    fn silent(&self) -> bool {
        false
    }

    /// How it is asked on paper; the fields of a group are asked one by one.
    fn paper(&self) -> Paper {
        match self.files() {
            _ if self.silent() => Paper::Nothing,
            Some(_) => Paper::Joined,
            None => Paper::Lines(1),
        }
    }

    /// The repeated group behind this kind, for those who walk rows.
    fn group(&self) -> Option<&Group> {
        None
    }

    /// How the name of the person asked for is read from what was typed, for a kind that asks for
    /// one: « Léa Martin », as far as it is filled in, right or wrong; empty when nothing is.
    fn person(&self) -> Option<fn(Input<'_>) -> String> {
        None
    }

    /// Whether the answer is the number of an organisation: known, for who acts in its name.
    fn numbers_organisation(&self) -> bool {
        false
    }

    /// Whether the identity of somebody living, given elsewhere, may be typed in here by [`Kind::fill`].
    fn takes_up(&self) -> bool {
        false
    }

    /// Types the identity that somebody else has checked over what was typed: the parts that this field
    /// asks for and would accept, and no other. Gives their names, as in the answer.
    fn certify(&self, _name: &str, _identity: &Json, _today: Today, _raw: &mut Raw) -> Vec<&'static str> {
        Vec::new()
    }

    /// The expression behind a computed value.
    fn computed(&self) -> Option<&crate::expr::Expr> {
        None
    }

    /// Photos only, for a kind that takes files.
    fn images_only(&self) -> bool {
        false
    }

    /// How many files at most, for a kind that takes files (its answer is an array of file ids).
    fn files(&self) -> Option<u32> {
        None
    }
}

/// A repeated group of fields (« Enfant 1, Enfant 2… »).
#[derive(Debug, Clone)]
pub struct Group {
    pub fields: Vec<Field>,
    pub min: u32,
    pub max: u32,
    /// Title of one row, without its number: « Enfant ».
    pub row_title: String,
}
