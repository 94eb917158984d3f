//! « Personne que je protège »: the measure of legal protection (civil code, articles 425 to 494-12) under which
//! the account's owner acts for somebody, and its period. It is their declaration: a department may ask for the
//! judgment.

use std::sync::Arc;

use forms::{
    answers::{Json, Problem, Raw},
    journey::FieldReading,
    kinds::{DayBound, Kind, choice::Choice, date::DateKind},
    model::Field,
};
use jiff::civil::Date;

use super::{IDENTITY, Member, Person, Relation, answer, asked, identity_kind};

const MEASURE: &str = "mesure";
const FROM: &str = "mesure_debut";
const UNTIL: &str = "mesure_fin";

/// Codes and names of measures.
const MEASURES: [(&str, &str); 5] = [
    ("tutelle", "Tutelle"),
    ("curatelle", "Curatelle"),
    ("habilitation-familiale", "Habilitation familiale"),
    ("sauvegarde", "Sauvegarde de justice"),
    ("mandat-protection-future", "Mandat de protection future"),
];

#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub code: String,
    pub from: Date,
    /// Last day; none as long as it is not known.
    pub until: Option<Date>,
}

/// « Tutelle ».
pub fn name(code: &str) -> &'static str {
    MEASURES.iter().find(|(known, _)| *known == code).map_or("Mesure de protection", |(_, name)| name)
}

pub fn questions() -> Vec<Field> {
    let options = MEASURES.map(|(code, name)| (code.to_owned(), name.to_owned()));
    let help =
        "Celle que le juge, ou le mandat, vous confie. C’est votre déclaration : un service peut demander le jugement.";
    let begun = DateKind { max: "today".parse::<DayBound>().ok(), ..DateKind::default() };
    let last = "Le jugement le donne. Passé ce jour, la personne n’est plus proposée dans vos démarches.";
    vec![
        asked(IDENTITY, "Identité", None, Arc::new(identity_kind())),
        asked(MEASURE, "Quelle mesure exercez-vous ?", Some(help), Arc::new(Choice { options: options.into() })),
        asked(FROM, "Depuis quel jour ?", None, Arc::new(begun)),
        Field { optional: true, ..asked(UNTIL, "Jusqu’à quel jour ?", Some(last), Arc::new(DateKind::default())) },
    ]
}

/// The measure of a member as it would have been typed.
pub fn fill(member: &Member, raw: &mut Raw) {
    if let Some(code) = &member.measure {
        raw.set(MEASURE, code);
    }
    for (name, day) in [(FROM, member.measure_from), (UNTIL, member.measure_until)] {
        if let Some(day) = day {
            DateKind::default().fill(name, &day.to_string().into(), raw);
        }
    }
}

/// The person declared; none, with what is wrong told in `readings`, when something is.
pub fn person(readings: &mut [FieldReading<'_>]) -> Option<Person> {
    let day = |readings: &[FieldReading<'_>], id| answer(readings, id)?.as_str()?.parse::<Date>().ok();
    let (from, until) = (day(readings, FROM), day(readings, UNTIL));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
        && let Some(reading) = readings.iter_mut().find(|reading| reading.name == UNTIL)
    {
        reading.problems.push(Problem::at("jour", "Saisissez un dernier jour qui ne soit pas avant le premier"));
    }
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    let code = answer(readings, MEASURE).and_then(Json::as_str)?.to_owned();
    let measure = Some(Measure { code, from: from?, until });
    let identity = answer(readings, IDENTITY)?.clone();
    Some(Person { relation: Relation::Protected, identity, responsible: None, measure }).filter(|_| right)
}
