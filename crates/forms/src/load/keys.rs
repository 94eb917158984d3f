//! The strict reader of one mapping: every key is asked for by name; what is left over is unknown.

use std::{collections::BTreeSet, str::FromStr};

use jiff::civil::Date;

use super::{
    Finding,
    node::{At, Body, Entry, Node},
};
use crate::model::{Delay, DelayUnit};

pub(super) struct Keys<'n> {
    pub at: &'n At,
    entries: &'n [Entry],
    /// With its article, for messages: « de la page ».
    of: &'static str,
    asked: BTreeSet<String>,
}

impl<'n> Keys<'n> {
    pub fn new(node: &'n Node, of: &'static str, found: &mut Vec<Finding>) -> Option<Self> {
        match &node.body {
            Body::Map(entries) => Some(Self { at: &node.at, entries, of, asked: BTreeSet::new() }),
            Body::Text(_) | Body::List(_) => {
                let message = format!("Les clés {of} sont attendues ici, pas {}.", node.shape());
                found.push(node.at.finding(message));
                None
            }
        }
    }

    /// The value of this key, which is now known.
    pub fn take(&mut self, key: &str) -> Option<&'n Node> {
        self.asked.insert(key.to_owned());
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The same, with a finding when it is missing.
    pub fn need(&mut self, key: &str, found: &mut Vec<Finding>) -> Option<&'n Node> {
        let value = self.take(key);
        if value.is_none() {
            found.push(self.at.finding(format!("Il manque la clé « {key} » {}.", self.of)));
        }
        value
    }

    pub fn text(&mut self, key: &str, found: &mut Vec<Finding>) -> Option<String> {
        self.take(key).and_then(|node| text(node, found))
    }

    /// An empty text when it is missing or wrong: reading goes on, to find more.
    pub fn need_text(&mut self, key: &str, found: &mut Vec<Finding>) -> String {
        self.need(key, found).and_then(|node| text(node, found)).unwrap_or_default()
    }

    pub fn flag(&mut self, key: &str, found: &mut Vec<Finding>) -> bool {
        self.take(key).and_then(|node| flag(node, found)).unwrap_or(false)
    }

    pub fn texts(&mut self, key: &str, found: &mut Vec<Finding>) -> Vec<String> {
        self.take(key).map(|node| texts(node, found)).unwrap_or_default()
    }

    pub fn need_texts(&mut self, key: &str, found: &mut Vec<Finding>) -> Vec<String> {
        self.need(key, found).map(|node| texts(node, found)).unwrap_or_default()
    }

    /// The items of a list; empty when the key is absent.
    pub fn items(&mut self, key: &str, found: &mut Vec<Finding>) -> &'n [Node] {
        self.take(key).map(|node| items(node, found)).unwrap_or_default()
    }

    /// Says which keys nobody asked for.
    pub fn finish(mut self, found: &mut Vec<Finding>) {
        self.asked.insert("note".to_owned());
        if let Some(note) = self.entries.iter().find(|entry| entry.key == "note") {
            text(&note.value, found);
        }
        for entry in self.entries {
            if !self.asked.contains(&entry.key) {
                let near = nearest(&entry.key, self.asked.iter().map(String::as_str));
                let advice = near.unwrap_or_else(|| {
                    let keys: Vec<_> = self.asked.iter().map(|key| format!("« {key} »")).collect();
                    format!("Clés possibles : {}.", keys.join(", "))
                });
                let message = format!("La clé « {} » {} est inconnue.", entry.key, self.of);
                found.push(Finding { advice: Some(advice), ..entry.at.finding(message) });
            }
        }
    }
}

fn wrong<T>(node: &Node, wanted: &str, found: &mut Vec<Finding>) -> Option<T> {
    found.push(node.at.finding(format!("{wanted} est attendu ici, pas {}.", node.shape())));
    None
}

/// « Vouliez-vous dire … ? » for the closest of the known words, when one is close.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| format!("Vouliez-vous dire « {candidate} » ?"))
}

/// The closest known word, or all of them.
pub(super) fn known_words<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    nearest(word, known.clone()).unwrap_or_else(|| {
        let words: Vec<_> = known.map(|word| format!("« {word} »")).collect();
        match words.is_empty() {
            true => "Il n'en existe aucun.".to_owned(),
            false => format!("Valeurs possibles : {}.", words.join(", ")),
        }
    })
}

pub(super) fn advised(at: &At, message: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { advice: Some(advice.into()), ..at.finding(message) }
}

pub(super) fn text(node: &Node, found: &mut Vec<Finding>) -> Option<String> {
    match node.text() {
        Some("") => {
            found.push(advised(&node.at, "Un texte est attendu ici.", "Écrivez-le, ou retirez la clé."));
            None
        }
        Some(value) => Some(value.to_owned()),
        None => wrong(node, "Un texte", found),
    }
}

pub(super) fn items<'n>(node: &'n Node, found: &mut Vec<Finding>) -> &'n [Node] {
    node.list().unwrap_or_else(|| {
        let message = format!("Une liste est attendue ici, pas {}.", node.shape());
        let advice = "Commencez chaque ligne par un tiret, ou mettez le tout entre crochets.";
        found.push(advised(&node.at, message, advice));
        &[]
    })
}

pub(super) fn texts(node: &Node, found: &mut Vec<Finding>) -> Vec<String> {
    items(node, found).iter().filter_map(|item| text(item, found)).collect()
}

pub(super) fn flag(node: &Node, found: &mut Vec<Finding>) -> Option<bool> {
    match node.text() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => {
            found.push(advised(&node.at, "« true » ou « false » est attendu ici.", "true veut dire oui, false non."));
            None
        }
    }
}

/// A whole number from `least` on.
pub(super) fn whole(node: &Node, least: u32, found: &mut Vec<Finding>) -> Option<u32> {
    let number = node.text().and_then(|text| text.parse().ok()).filter(|number| *number >= least);
    if number.is_none() {
        found.push(node.at.finding(format!("Un nombre entier est attendu ici, {least} ou plus.")));
    }
    number
}

/// One word among those listed, with what it stands for.
pub(super) fn word<T: Copy>(node: &Node, known: &[(&str, T)], found: &mut Vec<Finding>) -> Option<T> {
    let value = text(node, found)?;
    let hit = known.iter().find(|(name, _)| *name == value).map(|(_, meaning)| *meaning);
    if hit.is_none() {
        let advice = known_words(&value, known.iter().map(|(name, _)| *name));
        found.push(advised(&node.at, format!("« {value} » n'est pas une valeur connue ici."), advice));
    }
    hit
}

/// `acte-naissance`: for procedures, pages, pieces, states and everything but fields.
pub(super) fn id(node: &Node, found: &mut Vec<Finding>) -> Option<String> {
    let value = text(node, found)?;
    let fits = value.starts_with(|first: char| first.is_ascii_lowercase())
        && !value.ends_with('-')
        && !value.contains("--")
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits {
        let message = format!("« {value} » n'est pas un identifiant.");
        let advice = "Des minuscules sans accent, des chiffres et des traits d'union : « acte-naissance ».";
        found.push(advised(&node.at, message, advice));
    }
    fits.then_some(value)
}

/// `date_naissance`: for fields and options, which conditions name.
pub(super) fn name(node: &Node, found: &mut Vec<Finding>) -> Option<String> {
    let value = text(node, found)?;
    let fits = value.starts_with(|first: char| first.is_ascii_lowercase())
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !fits {
        let message = format!("« {value} » n'est pas un identifiant de question.");
        let advice = "Des minuscules sans accent, des chiffres et « _ » : « date_naissance ».";
        found.push(advised(&node.at, message, advice));
    }
    if fits && RESERVED.contains(&value.as_str()) {
        let message = format!("« {value} » est un mot du langage des conditions.");
        found.push(advised(&node.at, message, "Choisissez un autre identifiant."));
        return None;
    }
    fits.then_some(value)
}

/// The id of a possible answer: `seine-maritime`, `moins_de_3_ans`, `75`.
pub(super) fn option(at: &At, id: &str, found: &mut Vec<Finding>) -> Option<String> {
    let fits =
        !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if !fits {
        let advice = "Des minuscules sans accent, des chiffres, « - » et « _ » ; le libellé vient après « : ».";
        found.push(advised(at, format!("« {id} » n'est pas un identifiant de réponse."), advice));
    }
    fits.then(|| id.to_owned())
}

/// Words of the language of conditions, which no question may be called.
const RESERVED: &[&str] = &["and", "or", "not", "in", "true", "false"];

pub(super) fn date(node: &Node, found: &mut Vec<Finding>) -> Option<Date> {
    let date = node.text().and_then(|text| Date::from_str(text).ok());
    if date.is_none() {
        found.push(advised(&node.at, "Une date est attendue ici.", "Année, mois, jour : 2026-03-01."));
    }
    date
}

/// `5 working days`, `2 months`.
pub(super) fn delay(node: &Node, found: &mut Vec<Finding>) -> Option<Delay> {
    let read = node.text().and_then(delay_of);
    if read.is_none() {
        let advice = "Un nombre de 1 à 1000 puis « working days », « ouvrable days », « days », « weeks », « months » ou « years ».";
        found.push(advised(&node.at, "Un délai est attendu ici.", advice));
    }
    read
}

/// `5 working days` as a delay.
pub(super) fn delay_of(text: &str) -> Option<Delay> {
    let (count, unit) = text.split_once(' ')?;
    let unit = match unit.trim() {
        "working day" | "working days" => DelayUnit::WorkingDays,
        "ouvrable day" | "ouvrable days" => DelayUnit::OuvrableDays,
        "day" | "days" => DelayUnit::Days,
        "week" | "weeks" => DelayUnit::Weeks,
        "month" | "months" => DelayUnit::Months,
        "year" | "years" => DelayUnit::Years,
        _ => return None,
    };
    let count = count.parse().ok().filter(|count| (1..=1000).contains(count))?;
    Some(Delay { count, unit })
}
