//! Narrowing the list of one procedure by the answers to its questions with `search: true`. How an answer is looked
//! for is in the parameter's name (`choix-format`, `mots-lieu`, `nom-enfant`, `du-debut`, `au-debut`), so that an
//! address says it all.

use std::collections::BTreeMap;

use forms::{kinds::Narrows, model::Procedure};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use crate::{platform::french, requests::sought::Answer};

/// Answers looked for at once.
const MOST: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    One,
    Words,
    /// Words of somebody's name: of the moment, and kept in no view.
    Name,
    From,
    Until,
}

impl How {
    const EACH: [(&'static str, Self); 5] =
        [("choix", Self::One), ("mots", Self::Words), ("nom", Self::Name), ("du", Self::From), ("au", Self::Until)];

    fn id(self) -> &'static str {
        Self::EACH.iter().find(|(_, how)| *how == self).map_or("", |(id, _)| id)
    }

    /// Whether a question is narrowed so.
    fn suits(self, narrows: &Narrows<'_>) -> bool {
        match narrows {
            Narrows::Nothing => false,
            Narrows::Words | Narrows::Address => self == Self::Words,
            Narrows::Name => self == Self::Name,
            Narrows::Days => matches!(self, Self::From | Self::Until),
            Narrows::One(_) => self == Self::One,
        }
    }
}

/// One answer looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub how: How,
    /// The id of the question.
    question: String,
    /// As typed.
    pub value: String,
}

impl Ask {
    /// The name of the parameter, which is the id of its field.
    pub fn name(&self) -> String {
        format!("{}-{}", self.how.id(), self.question)
    }

    /// Those of an address; values are `cleaned` already, none is empty.
    pub fn all(rest: &BTreeMap<String, String>, clean: impl Fn(&str) -> String) -> Vec<Self> {
        let one = |(name, value): (&String, &String)| {
            let (how, question) = name.split_once('-')?;
            let (_, how) = How::EACH.into_iter().find(|(id, _)| *id == how)?;
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
            let value = Some(clean(value)).filter(|value| !value.is_empty())?;
            let known = !question.is_empty() && question.len() <= 80 && question.chars().all(plain);
            known.then(|| Self { how, question: question.to_owned(), value })
        };
        rest.iter().filter_map(one).take(MOST).collect()
    }

    /// Whether the procedure has such a question.
    pub fn is_of(&self, procedure: &Procedure) -> bool {
        procedure.narrowing().any(|field| field.id == self.question && self.how.suits(&field.kind.narrows()))
    }

    fn day(&self) -> Option<Date> {
        french::day(&self.value)
    }

    /// What is wrong with it.
    pub fn problem(&self) -> Option<&'static str> {
        let wrong = matches!(self.how, How::From | How::Until) && self.day().is_none();
        wrong.then_some("Écrivez une date comme 27/03/2026, qui existe dans le calendrier.")
    }
}

/// What the index is asked for; a day that does not exist narrows nothing.
pub fn answers(asks: &[Ask]) -> Vec<(&str, Answer<'_>)> {
    let mut found: Vec<(&str, Answer<'_>)> = Vec::new();
    for ask in asks {
        let answer = match ask.how {
            How::One => Answer::One(&ask.value),
            How::Words | How::Name => Answer::Words(&ask.value),
            How::From | How::Until => {
                let Some(day) = ask.day() else { continue };
                let (from, until) = if ask.how == How::From { (Some(day), None) } else { (None, Some(day)) };
                // Both ends of one question are one span.
                let known = found.iter_mut().find_map(|(question, answer)| match answer {
                    Answer::Days(first, last) if *question == ask.question => Some((first, last)),
                    _ => None,
                });
                if let Some((first, last)) = known {
                    (*first, *last) = (first.or(from), last.or(until));
                    continue;
                }
                Answer::Days(from, until)
            }
        };
        found.push((&ask.question, answer));
    }
    found
}

/// The fields of the form, for this procedure: `{kind: "select", name, label, options}` or `{kind: "text", name, label,
/// value, hint}`.
pub fn fields(procedure: &Procedure, asks: &[Ask]) -> Vec<Json> {
    let mut fields = Vec::new();
    for field in procedure.narrowing() {
        let value = |how: How| {
            let found = asks.iter().find(|ask| ask.how == how && ask.question == field.id);
            found.map_or("", |ask| ask.value.as_str())
        };
        let text = |how: How, label: String, hint: &str| json!({"kind": "text", "name": format!("{}-{}", how.id(), field.id), "label": label, "value": value(how), "hint": hint});
        match field.kind.narrows() {
            Narrows::Nothing => {}
            Narrows::Words | Narrows::Address => fields.push(text(How::Words, field.ask.clone(), "")),
            Narrows::Name => fields.push(text(How::Name, field.ask.clone(), "")),
            Narrows::Days => {
                let label = |which: &str| format!("{}, {which}", field.ask);
                fields.push(text(How::From, label("à partir du"), "Exemple : 27/03/2026"));
                fields.push(text(How::Until, label("jusqu’au"), "Ce jour compris"));
            }
            Narrows::One(options) => {
                let chosen = value(How::One);
                let option =
                    |(id, label): &(&str, &str)| json!({"value": id, "text": label, "selected": *id == chosen});
                let any = json!({"value": "", "text": "Toutes", "selected": chosen.is_empty()});
                let options: Vec<Json> = std::iter::once(any).chain(options.iter().map(option)).collect();
                fields.push(json!({"kind": "select", "name": format!("{}-{}", How::One.id(), field.id), "label": field.ask, "options": options}));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_looked_for() {
        let rest = [
            ("choix-format", "copie"),
            ("du-debut", "27/03/2026"),
            ("au-debut", "31/03/2026"),
            ("mots-lieu", ""),
            ("mots-Lieu", "x"),
            ("autre", "x"),
        ];
        let rest = rest.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let asks = Ask::all(&rest, |text| text.trim().to_owned());
        assert_eq!(asks.iter().map(Ask::name).collect::<Vec<_>>(), ["au-debut", "choix-format", "du-debut"]);
        let found = answers(&asks);
        assert_eq!(found.len(), 2, "both ends are one span");
        let day = |text: &str| text.parse::<Date>().ok();
        assert!(
            matches!(found[0], ("debut", Answer::Days(from, until)) if from == day("2026-03-27") && until == day("2026-03-31"))
        );
        let wrong = Ask { how: How::From, question: "debut".into(), value: "31/02/2026".into() };
        assert!(wrong.problem().is_some() && answers(&[wrong]).is_empty());
    }
}
