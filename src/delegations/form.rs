//! What is asked of a new line of the register.

use std::sync::Arc;

use forms::{
    answers::{Answers, Json, Raw},
    journey::{self, FieldReading},
    kinds::{choice::Choice, choices::Choices, date::DateKind, text::Text},
    model::Field,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::model::DECISIONS;

pub const AGENT: &str = "agent";
pub const QUALITY: &str = "qualite";
const RIGHT: &str = "droit";
const ACT: &str = "acte";
const ACT_DATE: &str = "acte_date";
const FROM: &str = "debut";
pub const UNTIL: &str = "fin";
const DECISION: &str = "decisions";
const PROCEDURES: &str = "demarches";

fn asked(id: &str, ask: &str, help: &str, kind: Arc<dyn forms::kinds::Kind>) -> Field {
    let help = Some(help.to_owned()).filter(|help| !help.is_empty());
    Field { optional: false, help, ..Field::plain(id, ask, kind) }
}

fn date() -> Arc<dyn forms::kinds::Kind> {
    Arc::new(DateKind::default())
}

fn text(max: usize) -> Arc<dyn forms::kinds::Kind> {
    Arc::new(Text { max, ..Text::default() })
}

/// `agents`, `procedures`: ids and names, of the department.
pub fn questions(agents: Vec<(String, String)>, procedures: Vec<(String, String)>) -> Vec<Field> {
    let pair = |(id, label): &(&str, &str)| ((*id).to_owned(), (*label).to_owned());
    let rights = [
        ("delegue", "Par délégation du maire"),
        ("propre", "En son nom propre (maire, officier d’état civil de droit)"),
    ];
    let (rights, decisions) = (rights.iter().map(pair).collect(), DECISIONS.iter().map(pair).collect());
    let mut questions = vec![
        asked(AGENT, "Qui signe ?", "", Arc::new(Choice { options: agents })),
        asked(
            QUALITY,
            "En quelle qualité ?",
            "Comme sur la décision : « Adjointe au maire déléguée à l’état civil ».",
            text(200),
        ),
        asked(RIGHT, "À quel titre ?", "", Arc::new(Choice { options: rights })),
        asked(ACT, "Par quel acte ?", "Nature et numéro : « arrêté n° 2026-118 ».", text(200)),
        asked(ACT_DATE, "Date de l’acte", "", date()),
        asked(DECISION, "Quelles décisions ?", "", Arc::new(Choice { options: decisions })),
    ];
    if !procedures.is_empty() {
        let help = "Sans rien cocher, toutes celles du service.";
        let kind = Arc::new(Choices { options: procedures, ..Choices::default() });
        questions
            .push(Field { optional: true, ..asked(PROCEDURES, "Pour certaines démarches seulement ?", help, kind) });
    }
    questions.extend([
        asked(FROM, "Premier jour", "Pas avant que l’acte soit exécutoire : signé, publié, transmis.", date()),
        Field { optional: true, ..asked(UNTIL, "Dernier jour", "Laissez vide si aucune fin n’est prévue.", date()) },
    ]);
    questions
}

/// A line as it was typed, every answer right.
pub struct Line {
    pub agent: Uuid,
    pub quality: String,
    pub delegated: bool,
    pub act_number: String,
    pub act_date: Date,
    pub decisions: String,
    pub procedures: Vec<String>,
    pub from_on: Date,
    pub until_on: Option<Date>,
}

/// None when something is wrong, which the readings then tell.
pub fn line(readings: &mut [FieldReading<'_>]) -> Option<Line> {
    if readings.iter().any(|reading| !reading.problems.is_empty()) {
        return None;
    }
    let answers: Answers = journey::answered(readings);
    let text = |id: &str| answers.get(id).and_then(Json::as_str).unwrap_or_default().to_owned();
    let day = |id: &str| text(id).parse::<Date>().ok();
    let (act_date, from_on, until_on) = (day(ACT_DATE)?, day(FROM)?, day(UNTIL));
    let mut wrong = |id: &str, message: &str| {
        if let Some(reading) = readings.iter_mut().find(|reading| reading.name == id) {
            reading.problems.push(forms::answers::Problem::new(message));
        }
    };
    if from_on < act_date {
        wrong(FROM, "Le premier jour est avant la date de l’acte");
        return None;
    }
    if until_on.is_some_and(|until| until < from_on) {
        wrong(UNTIL, "Le dernier jour est avant le premier");
        return None;
    }
    let procedures = answers.get(PROCEDURES).and_then(Json::as_array).into_iter().flatten();
    Some(Line {
        agent: text(AGENT).parse().ok()?,
        quality: text(QUALITY),
        delegated: text(RIGHT) == "delegue",
        act_number: text(ACT),
        act_date,
        decisions: text(DECISION),
        procedures: procedures.filter_map(Json::as_str).map(str::to_owned).collect(),
        from_on,
        until_on,
    })
}

/// The question of the last day alone, for a line that is ended.
/// The form of a line that is in the register already, and said something else.
pub fn noted(readings: &mut [FieldReading<'_>]) {
    if let Some(first) = readings.first_mut() {
        first.problems.push(forms::answers::Problem::new(
            "Cette délégation est déjà au registre, telle que vous l’aviez notée d’abord : mettez-y fin, puis notez celle-ci",
        ));
    }
}

pub fn ending() -> Vec<Field> {
    vec![asked(
        UNTIL,
        "Dernier jour de la délégation",
        "Les décisions signées jusqu’à ce soir-là restent valables.",
        date(),
    )]
}

pub fn typed_day(day: Date) -> Raw {
    let mut raw = Raw::default();
    for (part, value) in
        [("jour", i32::from(day.day())), ("mois", i32::from(day.month())), ("annee", i32::from(day.year()))]
    {
        raw.set(format!("{UNTIL}.{part}"), value.to_string());
    }
    raw
}

/// The last day typed: never one that is past, since what was signed under a line stays signed.
pub fn last_day(readings: &mut [FieldReading<'_>], known: Option<Date>, today: Date) -> Option<Date> {
    let reading = readings.first_mut()?;
    let day: Date = reading.answer.as_ref()?.as_str()?.parse().ok()?;
    let yesterday = today.yesterday().unwrap_or(today);
    let message = if day < yesterday {
        "Ce jour est passé : choisissez hier au plus tôt"
    } else if known.is_some_and(|known| day > known) {
        "Une délégation ne se prolonge pas : notez le nouvel acte"
    } else {
        return Some(day);
    };
    reading.problems.push(forms::answers::Problem::new(message));
    None
}
