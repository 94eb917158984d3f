//! What a contact is, and what is asked of the agent who writes one down.

use std::sync::Arc;

use db::row;
use forms::{
    answers::{Answers, Json, Problem, Raw},
    journey::{self, FieldReading},
    kinds::{Kind, choice::Choice, date::DateKind, long_text::LongText, text::Text},
    model::Field,
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use uuid::Uuid;

/// Codes of a request's history: what the usager sees too, and what they do not.
pub const SHARED: &str = "contact";
pub const INTERNAL: &str = "contact-internal";
/// Longest text, in characters.
const LONGEST: usize = 10_000;
/// Most files of one contact.
pub const MOST_FILES: u32 = 10;

const CHANNEL: &str = "canal";
const DIRECTION: &str = "sens";
const DAY: &str = "jour_du_contact";
const TIME: &str = "heure";
const WHO: &str = "qui";
const ADDRESS: &str = "coordonnees";
pub const TEXT: &str = "texte";
const SEEN: &str = "partage";

row! {
    #[derive(Debug, Clone)]
    pub struct Contact {
        pub id: Uuid,
        pub department_id: String,
        pub request_id: Option<Uuid>,
        pub channel: String,
        pub incoming: bool,
        pub at: Timestamp,
        pub recorded_at: Timestamp,
        pub recorded_by: Option<Uuid>,
        pub recorded_name: Option<String>,
        pub who: String,
        pub address: String,
        pub subject: String,
        pub body: String,
        pub quoted: String,
        pub shared: bool,
        pub as_message: bool,
        pub state: String,
        pub reason: String,
        pub settled_at: Option<Timestamp>,
    }
}

/// How it came: code, what it is called, the same when it was received.
const CHANNELS: [(&str, &str, &str); 6] = [
    ("visit", "Visite au guichet", "Visite au guichet"),
    ("call", "Appel téléphonique", "Appel reçu"),
    ("letter", "Lettre", "Lettre reçue"),
    ("fax", "Télécopie", "Télécopie reçue"),
    ("sms", "SMS", "SMS reçu"),
    ("email", "Courriel", "Courriel reçu"),
];

/// Why a contact is closed without a request.
pub const REASONS: [(&str, &str); 5] = [
    ("answered", "Réponse donnée, aucune demande à rattacher"),
    ("duplicate", "Déjà noté ailleurs"),
    ("unwanted", "Publicité ou message indésirable"),
    ("not-ours", "Ne concerne pas la collectivité"),
    ("lost", "Personne injoignable, rien à en faire"),
];
/// The same, of what a robot wrote.
pub const AUTOMATIC: &str = "automatic";

impl Contact {
    /// « Appel reçu », « Lettre envoyée », « Courriel reçu ».
    pub fn how(&self) -> String {
        let found = CHANNELS.iter().find(|(code, ..)| *code == self.channel);
        let Some((code, name, received)) = found else { return "Échange".to_owned() };
        if self.incoming {
            return (*received).to_owned();
        }
        match *code {
            "visit" => "Rendez-vous avec le service".to_owned(),
            "call" => "Appel du service".to_owned(),
            "letter" | "fax" => format!("{name} envoyée"),
            _ => format!("{name} envoyé"),
        }
    }

    /// Nobody proved to be its author: it came by itself.
    pub fn unproven(&self) -> bool {
        self.recorded_by.is_none()
    }

    pub fn reason_words(&self) -> &'static str {
        if self.reason == AUTOMATIC {
            return "Message automatique";
        }
        REASONS.iter().find(|(code, _)| *code == self.reason).map_or("", |(_, words)| words)
    }
}

/// Slot of the files of a contact that is not on a request, which are its own.
pub const LOOSE: &str = "contact";

/// Where the files of a contact stand among those of its request.
pub fn slot(contact: Uuid, shared: bool) -> String {
    format!("{}:{contact}", if shared { SHARED } else { INTERNAL })
}

/// Whether a file is the department's own: its usager never gets it.
pub fn is_internal_slot(slot: &str) -> bool {
    slot.strip_prefix(INTERNAL).is_some_and(|rest| rest.starts_with(':'))
}

fn asked(id: &str, ask: &str, help: &str, kind: Arc<dyn Kind>) -> Field {
    let help = Some(help.to_owned()).filter(|help| !help.is_empty());
    Field { optional: false, help, ..Field::plain(id, ask, kind) }
}

fn choice(options: impl Iterator<Item = (&'static str, &'static str)>) -> Arc<dyn Kind> {
    Arc::new(Choice { options: options.map(|(id, label)| (id.to_owned(), label.to_owned())).collect() })
}

/// `tied`: on a request, whose usager is known.
pub fn questions(tied: bool) -> Vec<Field> {
    let text = |max| -> Arc<dyn Kind> { Arc::new(Text { max, ..Text::default() }) };
    let mut questions = vec![
        asked(CHANNEL, "Par quel moyen ?", "", choice(CHANNELS.iter().map(|(code, name, _)| (*code, *name)))),
        asked(
            DIRECTION,
            "Dans quel sens ?",
            "",
            choice([("recu", "La personne vers le service"), ("emis", "Le service vers la personne")].into_iter()),
        ),
        asked(DAY, "Quel jour ?", "Celui de la réception ou de l’échange.", Arc::new(DateKind::default())),
        asked(
            TIME,
            "À quelle heure ?",
            "Par exemple, 14 h 05. Pour une lettre, l’heure d’arrivée du courrier.",
            text(10),
        ),
        asked(WHO, "Avec qui ?", "Le nom donné par la personne. Rien ne le prouve.", text(200)),
    ];
    if !tied {
        let help = "Téléphone, courriel ou adresse, pour répondre.";
        questions.push(Field { optional: true, ..asked(ADDRESS, "Ses coordonnées", help, text(200)) });
    }
    let long = Arc::new(LongText { max: LONGEST, rows: 5 });
    questions.push(asked(
        TEXT,
        "Ce qui a été dit ou écrit",
        "Restez factuel : la personne peut en demander communication.",
        long,
    ));
    if tied {
        let options = [("oui", "Oui, sur la page de sa demande"), ("non", "Non, interne au service")];
        questions.push(asked(SEEN, "L’usager le verra-t-il ?", "", choice(options.into_iter())));
    }
    questions
}

/// The present day and hour, and the usager's name, before anything is typed.
pub fn proposed(now: Timestamp, zone: &TimeZone, who: &str) -> Raw {
    let local = now.to_zoned(zone.clone());
    let mut raw = Raw::default();
    raw.set(format!("{DAY}.jour"), local.day().to_string());
    raw.set(format!("{DAY}.mois"), local.month().to_string());
    raw.set(format!("{DAY}.annee"), local.year().to_string());
    raw.set(TIME, format!("{} h {:02}", local.hour(), local.minute()));
    raw.set(WHO, who);
    raw
}

/// A contact as its agent typed it, every answer right.
#[derive(Debug, PartialEq, Eq)]
pub struct Typed {
    pub channel: String,
    pub incoming: bool,
    pub at: Timestamp,
    pub who: String,
    pub address: String,
    pub body: String,
    pub shared: bool,
}

impl Typed {
    /// Whether this is what is kept already.
    pub fn says(&self, kept: &Contact) -> bool {
        (self.channel.as_str(), self.incoming, self.at, self.shared)
            == (kept.channel.as_str(), kept.incoming, kept.at, kept.shared)
            && (&self.who, &self.address, &self.body) == (&kept.who, &kept.address, &kept.body)
    }
}

/// None when something is wrong, which the readings then tell.
pub fn read(readings: &mut [FieldReading<'_>], now: Timestamp, zone: &TimeZone) -> Option<Typed> {
    let answers: Answers = journey::answered(readings);
    let text = |id: &str| answers.get(id).and_then(Json::as_str).unwrap_or_default().to_owned();
    let day = text(DAY).parse::<Date>().ok();
    let time = hour(&text(TIME));
    let moment = day.zip(time).and_then(|(day, time)| day.to_datetime(time).to_zoned(zone.clone()).ok());
    let mut wrong = |id: &str, message: &str| {
        if let Some(reading) = readings.iter_mut().find(|reading| reading.name == id && reading.problems.is_empty()) {
            reading.problems.push(Problem::new(message));
        }
    };
    if time.is_none() && !text(TIME).is_empty() {
        wrong(TIME, "Écrivez l’heure en chiffres, comme 14 h 05");
    }
    if day.is_some_and(|day| day > now.to_zoned(zone.clone()).date()) {
        wrong(DAY, "Ce jour est à venir : indiquez celui de l’échange");
    } else if moment.as_ref().is_some_and(|at| at.timestamp() > now) {
        wrong(TIME, "Cette heure est à venir : indiquez celle de l’échange");
    }
    if readings.iter().any(|reading| !reading.problems.is_empty()) {
        return None;
    }
    Some(Typed {
        channel: text(CHANNEL),
        incoming: text(DIRECTION) == "recu",
        at: moment?.timestamp(),
        who: text(WHO),
        address: text(ADDRESS),
        body: text(TEXT),
        shared: text(SEEN) == "oui",
    })
}

/// « 14 h 05 », « 14:05 », « 14h », « 9.30 ».
fn hour(typed: &str) -> Option<Time> {
    let parts: Vec<&str> =
        typed.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let (hour, minute) = match parts.as_slice() {
        [hour] => (*hour, "0"),
        [hour, minute] => (*hour, *minute),
        _ => return None,
    };
    if typed.chars().any(|letter| letter.is_alphabetic() && !"hHmMnNiI".contains(letter)) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &[(&str, &str)]) -> Raw {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let mut raw = proposed(now(), &zone, "Camille");
        for (name, value) in
            [(CHANNEL, "call"), (DIRECTION, "recu"), (TEXT, "Bonjour"), (SEEN, "oui")].iter().chain(fields)
        {
            raw.set(*name, *value);
        }
        raw
    }

    fn now() -> Timestamp {
        "2026-11-17T09:00:00Z".parse().unwrap()
    }

    fn read_all(raw: &Raw) -> Result<Typed, Vec<(String, String)>> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let questions = questions(true);
        let mut readings = crate::household::read(&questions, raw, now().to_zoned(zone.clone()).date());
        read(&mut readings, now(), &zone).ok_or_else(|| {
            readings
                .iter()
                .flat_map(|one| one.problems.iter().map(|wrong| (one.name.clone(), wrong.message.clone())))
                .collect()
        })
    }

    #[test]
    fn hours_as_people_write_them() {
        for (text, hours, minutes) in
            [("14 h 05", 14, 5), ("14:05", 14, 5), ("9h", 9, 0), ("09.30", 9, 30), ("0 h 00", 0, 0)]
        {
            assert_eq!(hour(text), Time::new(hours, minutes, 0, 0).ok(), "{text}");
        }
        for text in ["", "25 h", "14 h 60", "midi", "14 h 05 min 3", "14 heures cinq"] {
            assert_eq!(hour(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_happens_tomorrow() {
        let right = read_all(&typed(&[])).unwrap();
        assert_eq!((right.at, right.incoming, right.shared), (now(), true, true));
        // One minute from now, in the town's own time.
        assert_eq!(read_all(&typed(&[(TIME, "10 h 01")])).unwrap_err()[0].0, TIME);
        assert!(read_all(&typed(&[(TIME, "9 h 59")])).is_ok());
        assert_eq!(read_all(&typed(&[("jour_du_contact.jour", "18")])).unwrap_err()[0].0, DAY);
        assert_eq!(read_all(&typed(&[(TIME, "tantôt")])).unwrap_err()[0].0, TIME);
        for (field, value) in [(CHANNEL, "pigeon"), (DIRECTION, ""), (TEXT, ""), (SEEN, ""), (WHO, "")] {
            assert_eq!(read_all(&typed(&[(field, value)])).unwrap_err()[0].0, field);
        }
    }

    #[test]
    fn files_of_the_department_are_told_apart() {
        let id = Uuid::nil();
        assert!(is_internal_slot(&slot(id, false)));
        assert!(!is_internal_slot(&slot(id, true)));
        assert!(!is_internal_slot("piece:contact-internal"));
    }
}
