//! Which address counts on a day, and which one must not be passed on.

use std::sync::Arc;

use db::{Json, row};
use forms::{
    answers::{self, Problem, Raw},
    journey::FieldReading,
    kinds::{DayBound, Kind, address, choice::Choice, date::DateKind, yes_no::YesNo},
    model::Field,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::platform::french;

/// More than any life: a bound on what one account keeps.
pub const MOST: i64 = 30;

/// Said when there are as many.
pub const FULL: &str = "Votre compte garde déjà 30 adresses. Retirez-en une avant d’en ajouter une autre";

pub const MAIN: &str = "main";
const OTHER: &str = "other";

pub const ADDRESS: &str = "adresse";
const KIND: &str = "genre";
pub const FROM: &str = "depuis";
const UNTIL: &str = "jusque";
pub const CONFIDENTIAL: &str = "confidentielle";

row! {
    #[derive(Debug, Clone)]
    pub struct Address {
        id: Uuid,
        /// [`MAIN`], or another one.
        kind: String,
        /// In the shape of the field kind `address`.
        address: Json<answers::Json>,
        from_day: Date,
        until_day: Option<Date>,
        confidential: bool,
        declared_at: Timestamp,
    }
}

/// What a form declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    pub kind: &'static str,
    pub address: answers::Json,
    pub from: Date,
    pub until: Option<Date>,
    pub confidential: bool,
}

impl Declared {
    /// A main address from that day on.
    pub fn main(address: &answers::Json, from: Date, confidential: bool) -> Self {
        Self { kind: MAIN, address: address.clone(), from, until: None, confidential }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Coming,
    Current,
    Past,
}

impl Address {
    pub fn is_main(&self) -> bool {
        self.kind == MAIN
    }

    pub fn lines(&self) -> Vec<String> {
        address::Address.display(&self.address.0)
    }

    /// The declaration as it would have been typed.
    pub fn typed(&self) -> Raw {
        let mut raw = Raw::default();
        address::Address.fill(ADDRESS, &self.address.0, &mut raw);
        raw.set(KIND, if self.is_main() { MAIN } else { OTHER });
        for (name, day) in [(FROM, Some(self.from_day)), (UNTIL, self.until_day)] {
            if let Some(day) = day {
                DateKind::default().fill(name, &day.to_string().into(), &mut raw);
            }
        }
        YesNo.fill(CONFIDENTIAL, &self.confidential.into(), &mut raw);
        raw
    }

    /// Whether `after` takes its place: one has a single main address, the last declared of those that
    /// begin last.
    fn gives_way_to(&self, after: &Self) -> bool {
        let order = |one: &Self| (one.from_day, one.declared_at, one.id);
        self.is_main() && after.is_main() && order(self) < order(after)
    }
}

/// The last day of an address among those of its account; none as far as is known.
pub fn last_day(all: &[Address], one: &Address) -> Option<Date> {
    let next = all.iter().filter(|other| one.gives_way_to(other)).map(|other| other.from_day).min();
    let replaced = next.map(|day| day.yesterday().unwrap_or(day));
    [one.until_day, replaced].into_iter().flatten().min()
}

pub fn period(all: &[Address], one: &Address, today: Date) -> Period {
    match last_day(all, one) {
        Some(last) if last < today => Period::Past,
        _ if one.from_day > today => Period::Coming,
        _ => Period::Current,
    }
}

/// The main address of that day.
pub fn home(all: &[Address], today: Date) -> Option<&Address> {
    all.iter().find(|one| one.is_main() && period(all, one, today) == Period::Current)
}

/// Whether these answers hold, anywhere, one of the addresses that must not be passed on.
pub fn told(confidential: &[Address], answers: &answers::Answers) -> bool {
    let known: Vec<_> =
        confidential.iter().filter(|one| one.confidential).filter_map(|one| key(&one.address.0)).collect();
    !known.is_empty() && answers.values().any(|answer| holds(&known, answer))
}

type Key = [String; 4];

fn holds(known: &[Key], answer: &answers::Json) -> bool {
    match answer {
        answers::Json::Object(members) => {
            key(answer).is_some_and(|found| known.contains(&found)) || members.values().any(|one| holds(known, one))
        }
        answers::Json::Array(rows) => rows.iter().any(|one| holds(known, one)),
        _ => false,
    }
}

/// The same for an address typed twice, whatever the capitals, accents and punctuation.
fn key(answer: &answers::Json) -> Option<Key> {
    answer.get("commune")?;
    let part = |name: &str| {
        let text = french::fold(answer.get(name).and_then(answers::Json::as_str).unwrap_or_default());
        text.chars().filter(|it| it.is_alphanumeric()).collect::<String>()
    };
    Some(["numero_voie", "lieu_dit", "code_postal", "commune"].map(part))
}

fn asked(id: &str, ask: &str, help: &str, kind: Arc<dyn Kind>) -> Field {
    Field { optional: false, help: (!help.is_empty()).then(|| help.to_owned()), ..Field::plain(id, ask, kind) }
}

/// How far ahead a removal is declared.
pub fn day_of_change() -> DateKind {
    DateKind { max: "today + 24 months".parse::<DayBound>().ok(), ..DateKind::default() }
}

pub const CONFIDENTIAL_HELP: &str = "Par exemple après une ordonnance de protection. Elle ne sera montrée à personne d’autre, ni reprise d’elle-même dans vos démarches. Si vous la donnez à un service, il verra « adresse confidentielle, ne pas communiquer ».";

pub fn questions() -> Vec<Field> {
    let options = [(MAIN, "Mon adresse principale"), (OTHER, "Une autre adresse")];
    let options = options.map(|(id, label)| (id.to_owned(), label.to_owned()));
    let main = "L’adresse principale du jour est reprise dans vos démarches.";
    vec![
        asked(ADDRESS, "Adresse", "", Arc::new(address::Address)),
        asked(KIND, "Quelle est cette adresse ?", main, Arc::new(Choice { options: options.into() })),
        asked(FROM, "Depuis quel jour, ou à partir de quel jour ?", "", Arc::new(day_of_change())),
        Field {
            optional: true,
            ..asked(UNTIL, "Jusqu’à quel jour ?", "Si vous le connaissez.", Arc::new(DateKind::default()))
        },
        asked(CONFIDENTIAL, "Cette adresse est-elle confidentielle ?", CONFIDENTIAL_HELP, Arc::new(YesNo)),
    ]
}

fn answer<'r>(readings: &'r [FieldReading<'_>], id: &str) -> Option<&'r answers::Json> {
    readings.iter().find(|reading| reading.name == id)?.answer.as_ref()
}

pub fn day(readings: &[FieldReading<'_>], id: &str) -> Option<Date> {
    answer(readings, id)?.as_str()?.parse().ok()
}

/// The address declared; none, with what is wrong told in `readings`, when something is.
pub fn declared(readings: &mut [FieldReading<'_>]) -> Option<Declared> {
    let (from, until) = (day(readings, FROM), day(readings, UNTIL));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
        && let Some(reading) = readings.iter_mut().find(|reading| reading.name == UNTIL)
    {
        reading.problems.push(Problem::at("jour", "Saisissez un dernier jour qui ne soit pas avant le premier"));
    }
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    let kind = answer(readings, KIND)?.as_str()?;
    let declared = Declared {
        kind: if kind == MAIN { MAIN } else { OTHER },
        address: answer(readings, ADDRESS)?.clone(),
        from: from?,
        until,
        confidential: answer(readings, CONFIDENTIAL)?.as_bool()?,
    };
    Some(declared).filter(|_| right)
}
