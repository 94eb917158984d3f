//! What an application answers: a word that the circuit waits for, and values for questions to agents. Nothing in it
//! is believed that the procedure does not declare.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use forms::{
    answers::{Answers, Raw},
    expr::Value,
    journey::{self, FORM},
    model::{Field, Procedure},
    workflow::Webhook,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value as Json;

/// Longest answer, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// The body of an answer; what else it holds is for others.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Answer {
    /// What it came to: a word for which a transition waits.
    pub outcome: Option<String>,
    /// Values of questions to agents, by id.
    pub set: Answers,
}

/// A word that may be told to agents and to the log: one that looks like an id, not what somebody wrote.
fn named(word: &str) -> &str {
    let is_id = word.len() <= 40
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if is_id { word } else { "…" }
}

/// Reads the body of a successful answer. Empty: it took what it was told, and says nothing of it.
///
/// # Errors
/// When it is no JSON of this shape, or says a word that nothing waits for.
pub fn read(procedure: &Procedure, webhook: &Webhook, body: &[u8]) -> Result<Answer> {
    let mut outcomes = procedure.workflow.upon(&webhook.id).filter_map(|(_, upon)| upon.outcome.as_deref()).peekable();
    if outcomes.peek().is_none() || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Answer::default());
    }
    // An object: serde would also take a list of the same values in order.
    let object =
        serde_json::from_slice::<Answers>(body).and_then(|object| serde_json::from_value(Json::Object(object)));
    let answer: Answer = object.ok().context("réponse illisible\u{a0}: un objet JSON est attendu")?;
    match &answer.outcome {
        None => ensure!(answer.set.is_empty(), "« set » ne va pas sans « outcome »"),
        Some(word) => ensure!(outcomes.any(|known| known == word), "réponse « {} » inconnue du circuit", named(word)),
    }
    Ok(answer)
}

/// The values that it gives, each judged as if an agent had typed it.
///
/// # Errors
/// The first question that it may not answer, or not so; never the value.
pub fn values(
    procedure: &Procedure,
    webhook: &Webhook,
    set: &Answers,
    known: BTreeMap<String, Value>,
    today: Date,
) -> Result<Answers> {
    if let Some(id) = set.keys().find(|id| !webhook.gives.contains(id)) {
        bail!("« set » donne « {} », que le circuit n’attend pas", named(id));
    }
    let fields: Vec<Field> =
        procedure.workflow.form_fields().filter(|field| set.contains_key(&field.id)).cloned().collect();
    let mut raw = Raw::default();
    for field in &fields {
        let Some(value) = set.get(&field.id) else { continue };
        let name = format!("{FORM}{}", field.id);
        field.kind.fill(&name, value, &mut raw);
        // Most answers hold numbers as text; applications write them as they like.
        if value.is_number() && raw.is_blank(&name) {
            field.kind.fill(&name, &Json::from(value.to_string()), &mut raw);
        }
    }
    let readings = journey::form(&fields, &raw, known, today);
    if let Some(wrong) = readings.iter().find(|one| one.answer.is_none() || !one.problems.is_empty()) {
        bail!("« set » donne à « {} » une valeur qui n’est pas une réponse", wrong.field.id);
    }
    Ok(journey::answered(&readings))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn procedure() -> Procedure {
        let sources = crate::catalogue::shipped().unwrap();
        let (name, text) = sources.procedures.iter().find(|(name, _)| name == "intervention-technique.yaml").unwrap();
        let text = format!("{text}{}", include_str!("tests/circuit.yaml"));
        forms::load::procedure(name, &text, &sources.shared).unwrap_or_else(|found| panic!("{found:?}"))
    }

    fn webhook(procedure: &Procedure) -> &Webhook {
        procedure.workflow.webhook("atelier").unwrap()
    }

    #[test]
    fn only_words_that_the_circuit_waits_for() {
        let procedure = procedure();
        let read =
            |body: &str| read(&procedure, webhook(&procedure), body.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(read(" \n"), Ok(Answer::default()));
        assert_eq!(read("{}"), Ok(Answer::default()));
        assert_eq!(read(r#"{"id": 3}"#), Ok(Answer::default()));
        assert_eq!(read(r#"{"outcome": "planifie", "other": [1]}"#).unwrap().outcome.as_deref(), Some("planifie"));
        for wrong in [
            "<html>",
            "[]",
            "[\"planifie\"]",
            "3",
            "{\"outcome\": 3}",
            "{\"outcome\": \"refuse\"}",
            "{\"set\": {\"jours\": 3}}",
            "{\"set\": 3}",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_values_that_are_answers() {
        let procedure = procedure();
        let values = |set: Json| {
            let set = set.as_object().unwrap();
            values(&procedure, webhook(&procedure), set, BTreeMap::new(), date(2026, 11, 17)).map(Json::from)
        };
        let whole = json!({"jours": 3, "prix": 1250, "brigade": "nord", "passage": "2026-12-01", "nuit": true});
        let kept = json!({"jours": "3", "prix": 1250, "brigade": "nord", "passage": "2026-12-01", "nuit": true});
        assert_eq!(values(whole).unwrap(), kept);
        assert_eq!(values(json!({})).unwrap(), json!({}));
        for wrong in [
            json!({"jours": "trois"}),
            json!({"jours": 300}),
            json!({"jours": {"a": 1}}),
            json!({"brigade": "ouest"}),
            json!({"passage": "demain"}),
            json!({"nuit": "oui peut-être"}),
            json!({"grille": "x"}),
            json!({"nature": "eclairage"}),
            json!({"jours": null}),
        ] {
            let told = values(wrong.clone()).unwrap_err().to_string();
            assert!(told.contains("« set » donne"), "{wrong} {told}");
        }
    }
}
