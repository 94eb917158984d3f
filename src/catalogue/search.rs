//! Finding a procedure by everyday words: accents, plurals and a slip of the finger are forgiven.

use std::collections::BTreeMap;

use forms::model::Procedure;

use crate::{authorities::Settings, platform::french};

/// How much a word tells, by where it stands.
const TITLE: u32 = 8;
const KEYWORD: u32 = 6;
const TOPIC: u32 = 3;
const SUMMARY: u32 = 2;

/// Stem → (procedure id, weight).
#[derive(Default)]
pub struct Index(BTreeMap<String, BTreeMap<String, u32>>);

impl Index {
    pub fn new<'a>(procedures: impl Iterator<Item = &'a Procedure>, settings: &Settings) -> Self {
        let mut index = Self::default();
        for procedure in procedures {
            index.add(&procedure.id, &procedure.title, TITLE);
            index.add(&procedure.id, &procedure.keywords.join(" "), KEYWORD);
            index.add(&procedure.id, &procedure.summary, SUMMARY);
            let topics = settings.themes.iter().filter(|theme| theme.id == procedure.theme);
            let events = settings.events.iter().filter(|event| procedure.events.contains(&event.id));
            for topic in topics.chain(events) {
                index.add(&procedure.id, &topic.title, TOPIC);
            }
        }
        index
    }

    fn add(&mut self, id: &str, text: &str, weight: u32) {
        for stem in french::stems(text) {
            let best = self.0.entry(stem).or_default().entry(id.to_owned()).or_default();
            *best = weight.max(*best);
        }
    }

    /// Ids of the procedures that answer best, best first. Each word must be found, exactly, as a
    /// beginning, with another ending, or with one slip (two in long words); when nothing has them all, any will do.
    pub fn find(&self, words: &str) -> Vec<String> {
        let stems = french::stems(words);
        let found: Vec<BTreeMap<&str, u32>> = stems.iter().map(|stem| self.one(stem)).collect();
        let mut scores: BTreeMap<&str, (usize, u32)> = BTreeMap::new();
        for (id, weight) in found.iter().flatten() {
            let score = scores.entry(id).or_default();
            *score = (score.0 + 1, score.1 + weight);
        }
        let most = scores.values().map(|(words, _)| *words).max().unwrap_or(0);
        let mut best: Vec<(&str, u32)> =
            scores.into_iter().filter(|(_, (words, _))| *words == most).map(|(id, (_, weight))| (id, weight)).collect();
        best.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
        best.into_iter().map(|(id, _)| id.to_owned()).collect()
    }

    fn one(&self, stem: &str) -> BTreeMap<&str, u32> {
        let mut found: BTreeMap<&str, u32> = BTreeMap::new();
        for (known, procedures) in &self.0 {
            let Some(trust) = likeness(stem, known) else { continue };
            for (id, weight) in procedures {
                let best = found.entry(id).or_default();
                *best = (weight * trust).max(*best);
            }
        }
        found
    }
}

/// 4 for the same word, 2 for a beginning, 1 for a slip; none when they are not alike.
fn likeness(typed: &str, known: &str) -> Option<u32> {
    if typed == known {
        return Some(4);
    }
    let length = typed.chars().count();
    if length >= 3 && known.starts_with(typed) {
        return Some(2);
    }
    // A slip in its ending keeps a word from being stemmed: « encombrents », « déménagment ».
    if known.chars().count() >= 6 && typed.starts_with(known) {
        return Some(1);
    }
    let slips = match length {
        0..4 => return None,
        4..8 => 1,
        _ => 2,
    };
    (strsim::osa_distance(typed, known) <= slips).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let mut index = Index::default();
        index.add("naissance", "Demander un acte de naissance", TITLE);
        index.add("naissance", "extrait copie intégrale", KEYWORD);
        index.add("ecole", "Inscrire un enfant à l’école", TITLE);
        index.add("encombrants", "Faire enlever des encombrants", TITLE);
        index
    }

    #[test]
    fn forgives() {
        for words in ["acte de naissance", "Actes naissances", "acte de naisance", "ACTE NAISSANCE", "naissnace"] {
            assert_eq!(index().find(words).first().map(String::as_str), Some("naissance"), "{words}");
        }
        assert_eq!(index().find("ecole"), ["ecole"]);
        assert_eq!(index().find("école"), ["ecole"]);
        assert_eq!(index().find("encombrant"), ["encombrants"]);
        assert_eq!(index().find("encombrents"), ["encombrants"]);
        assert_eq!(index().find("encom"), ["encombrants"]);
    }

    #[test]
    fn does_not_invent() {
        assert!(index().find("piscine").is_empty());
        assert!(index().find("").is_empty());
        assert!(index().find("de la").is_empty());
    }
}
