//! Templates and what they may name.

use std::sync::Arc;

use db::row;
use forms::{
    model::{Genre, Procedure},
    text::{Mistake, Names, Text},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::catalogue::Current;

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    Letter,
    Mail,
    Sms,
}

impl Medium {
    /// What the template of this code makes; for a mail or an SMS, of which message.
    pub fn of(code: &str) -> (Self, Option<&str>) {
        for medium in [Self::Mail, Self::Sms] {
            if let Some(message) = code.strip_prefix(medium.prefix()) {
                return (medium, Some(message));
            }
        }
        (Self::Letter, None)
    }

    /// How the codes of its templates begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::Letter => "",
            Self::Mail => "courriel-",
            Self::Sms => "sms-",
        }
    }

    /// The code of the template of a message.
    pub fn code(self, message: &str) -> String {
        format!("{}{message}", self.prefix())
    }

    /// As templates are kept; letters have their own genres.
    pub fn genre(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Letter => "Lettre",
            Self::Mail => "Courriel",
            Self::Sms => "SMS",
        }
    }
}

row! {
    /// One version of a template.
    #[derive(Debug, Clone)]
    pub struct Template {
        pub department_id: String,
        pub code: String,
        pub genre: String,
        pub version: i64,
        /// The present version of the template.
        pub latest: i64,
        pub title: String,
        pub subject: String,
        pub body: String,
        pub saved_at: Timestamp,
        pub saved_by: Option<Uuid>,
        pub saved_name: Option<String>,
    }
}

impl Template {
    pub fn medium(&self) -> Medium {
        Medium::of(&self.code).0
    }

    /// The message that the template of a mail or of an SMS stands for.
    pub fn message(&self) -> Option<&str> {
        Medium::of(&self.code).1
    }

    pub fn is_certificate(&self) -> bool {
        self.genre == genre_name(Genre::Certificate)
    }

    /// # Errors
    /// What is wrong in the subject (line 0) and in the text.
    pub fn parse(&self, names: &Names) -> Result<Parsed, Vec<Mistake>> {
        parse(&self.subject, &self.body, names)
    }
}

pub fn genre_name(genre: Genre) -> &'static str {
    match genre {
        Genre::Letter => "letter",
        Genre::Certificate => "certificate",
    }
}

/// A template that can be filled in.
pub struct Parsed {
    pub subject: Text,
    pub body: Text,
}

/// # Errors
/// What is wrong in the subject (line 0) and in the text.
pub fn parse(subject: &str, body: &str, names: &Names) -> Result<Parsed, Vec<Mistake>> {
    match (Text::parse(subject, &names.subject()), Text::parse(body, names)) {
        (Ok(subject), Ok(body)) => Ok(Parsed { subject, body }),
        (subject, body) => {
            let subject = subject.err().unwrap_or_default().into_iter().map(|one| Mistake { line: 0, ..one });
            Err(subject.chain(body.err().unwrap_or_default()).collect())
        }
    }
}

/// What a letter of this procedure may name.
pub fn names(procedure: &Procedure) -> Names {
    Names::letter().with(procedure)
}

/// The published procedures of a department that send this letter.
pub fn senders(current: &Current, department: &str, code: &str) -> Vec<Arc<Procedure>> {
    let sends = |procedure: &Procedure| procedure.letters().contains(code);
    let all = current.all().map(|published| &published.procedure);
    all.filter(|procedure| procedure.serving().contains(department) && sends(procedure)).cloned().collect()
}

/// Who decides, as a letter tells it (CRPA L. 212-1).
#[derive(Debug, Clone, Default)]
pub struct Author {
    pub name: String,
    pub quality: String,
    pub service: String,
    /// The act of a delegation, in words, for who signs by one.
    pub delegation: Option<String>,
}
