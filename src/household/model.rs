//! Who may be declared, what is asked about them, and until when they are proposed.

use std::sync::Arc;

use db::{Json, row};
use forms::{
    answers::{self, Input, Problem, Raw},
    journey::FieldReading,
    kinds::{
        DayBound, Kind, Today, choice::Choice, date::DateKind, identity::Identity, partial_date::PartialDate,
        yes_no::YesNo,
    },
    model::Field,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use crate::platform::clock;

pub mod protection;

pub use protection::Measure;

/// More than any family: a bound on what one account keeps.
pub const MOST: i64 = 50;
const MAJORITY: i16 = 18;

pub const RELATION: &str = "lien";
pub const IDENTITY: &str = "identite";
pub const RESPONSIBLE: &str = "autorite_parentale";
pub const DECEASED: &str = "deces";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Child,
    Partner,
    Parent,
    Other,
    /// Under a measure of legal protection that the account's owner exercises.
    Protected,
}

impl Relation {
    const ALL: [Self; 5] = [Self::Child, Self::Partner, Self::Parent, Self::Other, Self::Protected];
    /// Those of the usual form.
    const ASKED: [Self; 4] = [Self::Child, Self::Partner, Self::Parent, Self::Other];

    pub fn code(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Partner => "partner",
            Self::Parent => "parent",
            Self::Other => "other",
            Self::Protected => "protected",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Child => "Enfant",
            Self::Partner => "Conjoint·e, partenaire ou concubin·e",
            Self::Parent => "Parent",
            Self::Other => "Autre lien",
            Self::Protected => "Personne que je protège",
        }
    }

    /// An unknown code is a link that we say nothing of.
    fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|relation| relation.code() == code).unwrap_or(Self::Other)
    }
}

/// What a form declares of somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub relation: Relation,
    /// In the shape of the field kind `identity`.
    pub identity: answers::Json,
    /// Of a minor only.
    pub responsible: Option<bool>,
    /// Of somebody protected only.
    pub measure: Option<Measure>,
}

row! {
    #[derive(Debug, Clone)]
    pub struct Member {
        id: Uuid,
        relation: String,
        identity: Json<answers::Json>,
        responsible: Option<bool>,
        deceased_on: Option<String>,
        measure: Option<String>,
        measure_from: Option<Date>,
        measure_until: Option<Date>,
        declared_at: Timestamp,
        changed_at: Timestamp,
    }
}

/// Whether a member may be taken up in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Proposed,
    /// Declared as a child or while a minor, of age since that day.
    OfAge(Date),
    Deceased(PartialDate),
    /// The measure that let the account's owner act for them ended with that day.
    Unprotected(Date),
}

impl Standing {
    pub fn is_proposed(self) -> bool {
        self == Self::Proposed
    }
}

impl Member {
    pub fn relation(&self) -> Relation {
        Relation::of(&self.relation)
    }

    /// « Léa Martin ».
    pub fn name(&self) -> String {
        let (kind, raw) = (identity_kind(), self.typed());
        kind.person().map(|name| name(Input { raw: &raw, name: IDENTITY })).unwrap_or_default()
    }

    /// The declaration as it would have been typed.
    pub fn typed(&self) -> Raw {
        let mut raw = Raw::default();
        raw.set(RELATION, self.relation().code());
        identity_kind().fill(IDENTITY, &self.identity.0, &mut raw);
        protection::fill(self, &mut raw);
        if let Some(responsible) = self.responsible {
            YesNo.fill(RESPONSIBLE, &responsible.into(), &mut raw);
        }
        if let Some(day) = self.deceased() {
            day.fill(DECEASED, &mut raw);
        }
        raw
    }

    pub fn deceased(&self) -> Option<PartialDate> {
        self.deceased_on.as_ref().and_then(|day| day.parse().ok())
    }

    pub fn born(&self) -> Option<PartialDate> {
        born(&self.identity.0)
    }

    /// A child's own life begins at 18: what their parent declared is then proposed no more.
    pub fn standing(&self, today: Date, zone: &TimeZone) -> Standing {
        if let Some(day) = self.deceased() {
            return Standing::Deceased(day);
        }
        if let Some(day) = self.measure_until.filter(|day| *day < today) {
            return Standing::Unprotected(day);
        }
        let Some(of_age) = self.born().and_then(of_age) else { return Standing::Proposed };
        let declared = clock::day(self.declared_at, zone);
        let grows_up = self.relation() == Relation::Child || declared < of_age;
        if grows_up && of_age <= today { Standing::OfAge(of_age) } else { Standing::Proposed }
    }
}

pub fn born(identity: &answers::Json) -> Option<PartialDate> {
    identity.get("date_naissance")?.as_str()?.parse().ok()
}

/// The day on which somebody is 18 for certain: a birth date that misses its day is taken at its latest, and
/// who was born on 29 February waits for 1 March, as `age` in procedures has it.
pub fn of_age(born: PartialDate) -> Option<Date> {
    let (_, last) = born.span()?;
    let year = last.year().checked_add(MAJORITY)?;
    Date::new(year, last.month(), last.day()).or_else(|_| Date::new(year, 3, 1)).ok()
}

pub fn identity_kind() -> Identity {
    Identity { birth_date: true, birth_place: true, ..Identity::default() }
}

/// What was declared of somebody, one line each.
pub fn identity_lines(identity: &answers::Json) -> Vec<String> {
    identity_kind().display(identity)
}

pub fn asked(id: &str, ask: &str, help: Option<&str>, kind: Arc<dyn Kind>) -> Field {
    Field { optional: false, help: help.map(str::to_owned), ..Field::plain(id, ask, kind) }
}

/// What is asked about a member.
pub fn questions() -> Vec<Field> {
    let options = Relation::ASKED.map(|relation| (relation.code().to_owned(), relation.label().to_owned()));
    let help = "Pour un enfant mineur seulement. C’est votre déclaration : un service peut demander un justificatif.";
    vec![
        asked(IDENTITY, "Identité", None, Arc::new(identity_kind())),
        asked(RELATION, "Qui est cette personne pour vous ?", None, Arc::new(Choice { options: options.into() })),
        Field {
            optional: true,
            ..asked(RESPONSIBLE, "Exercez-vous l’autorité parentale ?", Some(help), Arc::new(YesNo))
        },
    ]
}

/// What is asked about a death.
pub fn question_of_death() -> Vec<Field> {
    let help = "Si vous ne connaissez pas le jour, donnez le mois et l’année, ou l’année seule.";
    let kind = DateKind { max: "today".parse::<DayBound>().ok(), partial: true, ..DateKind::default() };
    vec![asked(DECEASED, "Date du décès", Some(help), Arc::new(kind))]
}

/// A form as it was typed: each question with its answer and what is wrong.
pub fn read<'a>(questions: &'a [Field], raw: &Raw, today: Date) -> Vec<FieldReading<'a>> {
    questions.iter().map(|field| read_one(field, raw, today)).collect()
}

fn read_one<'a>(field: &'a Field, raw: &Raw, today: Date) -> FieldReading<'a> {
    let parsed = field.kind.parse(field, Input { raw, name: &field.id }, Today(today));
    let typed = !matches!(parsed, Ok(None));
    let (answer, problems) = match parsed {
        Ok(None) if !field.optional => (None, vec![Problem::new(field.kind.missing(field))]),
        Ok(answer) => (answer, Vec::new()),
        Err(problems) => (None, problems),
    };
    FieldReading { field, name: field.id.clone(), shown: true, typed, answer, problems, rows: Vec::new() }
}

pub fn answer<'r>(readings: &'r [FieldReading<'_>], id: &str) -> Option<&'r answers::Json> {
    readings.iter().find(|reading| reading.name == id)?.answer.as_ref()
}

/// The person declared; none, with what is wrong told in `readings`, when something is.
pub fn person(readings: &mut [FieldReading<'_>], today: Date) -> Option<Person> {
    let relation = answer(readings, RELATION).and_then(answers::Json::as_str).map(Relation::of);
    let identity = answer(readings, IDENTITY).cloned();
    let minor = identity.as_ref().and_then(born).and_then(of_age).is_some_and(|of_age| today < of_age);
    let responsible = answer(readings, RESPONSIBLE).and_then(answers::Json::as_bool).filter(|_| minor);
    let silent = |reading: &&mut FieldReading<'_>| reading.name == RESPONSIBLE && !reading.typed;
    if relation == Some(Relation::Child)
        && minor
        && let Some(reading) = readings.iter_mut().find(silent)
    {
        reading.problems.push(Problem::new("Répondez Oui ou Non : exercez-vous l’autorité parentale sur cet enfant ?"));
    }
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    Some(Person { relation: relation?, identity: identity?, responsible, measure: None }).filter(|_| right)
}

/// The day of a death, never before the birth.
pub fn death(readings: &mut [FieldReading<'_>], member: &Member) -> Option<PartialDate> {
    let day: PartialDate = answer(readings, DECEASED)?.as_str()?.parse().ok()?;
    let (Some((born, _)), Some((_, dead))) = (member.born().and_then(PartialDate::span), day.span()) else {
        return Some(day);
    };
    if dead < born {
        let before = "Saisissez une date de décès qui ne soit pas avant la naissance";
        readings.iter_mut().for_each(|reading| reading.problems.push(Problem::at("jour", before)));
        return None;
    }
    Some(day)
}

#[cfg(test)]
mod tests;
