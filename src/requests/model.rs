//! A request as it is stored, and the rules that need no database.

use db::{Json, row};
use forms::{
    answers::Answers,
    model::Procedure,
    step::Life,
    workflow::{State, Status},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::platform::secret;

row! {
    #[derive(Debug, Clone)]
    pub struct Request {
        pub id: Uuid,
        pub reference: String,
        pub procedure_id: String,
        pub procedure_version: i64,
        pub department_id: String,
        pub account_id: Option<Uuid>,
        pub filer_name: Option<String>,
        pub email: Option<String>,
        pub answers: Json<Answers>,
        pub state: String,
        pub status: String,
        pub holder_id: Option<Uuid>,
        pub holder_name: Option<String>,
        pub submitted_at: Timestamp,
        pub updated_at: Timestamp,
        pub due_at: Timestamp,
        pub completed_at: Option<Timestamp>,
        pub suspended_at: Option<Timestamp>,
        pub ended_at: Option<Timestamp>,
        pub version: i64,
    }
}

impl Request {
    pub fn life(&self) -> Life {
        Life {
            state: self.state.clone(),
            submitted: self.submitted_at,
            due: self.due_at,
            suspended: self.suspended_at,
            completed: self.completed_at,
            ended: self.ended_at,
            held: self.holder_id.is_some(),
        }
    }

    pub fn state_of<'a>(&self, procedure: &'a Procedure) -> Option<&'a State> {
        procedure.workflow.state(&self.state)
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Event {
        pub seq: i64,
        pub at: Timestamp,
        pub actor: String,
        pub actor_id: Option<Uuid>,
        pub actor_name: Option<String>,
        pub code: String,
        pub from_state: Option<String>,
        pub to_state: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Message {
        pub id: Uuid,
        pub author: String,
        pub author_name: Option<String>,
        pub internal: bool,
        pub body: String,
        pub at: Timestamp,
        pub read_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Ask {
        pub id: Uuid,
        /// `piece` or `field`.
        pub kind: String,
        pub target: String,
        /// Last day to answer.
        pub until: Option<Date>,
        pub asked_at: Timestamp,
        pub answered_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Decision {
        pub favourable: bool,
        pub author_name: String,
        pub author_quality: String,
        pub author_department: String,
        pub ground: Option<String>,
        pub facts: Option<String>,
        pub appeal: Option<String>,
        pub at: Timestamp,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct File {
        pub id: Uuid,
        pub owner_id: Uuid,
        pub slot: String,
        pub name: String,
        pub media_type: String,
        pub size: i64,
        pub at: Timestamp,
    }
}

/// A new reference, `VAL-7F3K-29`: the authority's letters, then 29 bits without twin characters.
pub fn reference(prefix: &str) -> String {
    let text = secret::clear_text(6);
    let (left, right) = text.split_at(4);
    format!("{prefix}-{left}-{right}")
}

/// What a person typed as a reference, in its canonical writing.
pub fn canonical_reference(typed: &str) -> String {
    let letters: String = typed.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    let count = letters.chars().count();
    if count < 7 {
        return letters;
    }
    let cut = |skip: usize, take: usize| letters.chars().skip(skip).take(take).collect::<String>();
    format!("{}-{}-{}", cut(0, count - 6), cut(count - 6, 4), cut(count - 2, 2))
}

/// The slot of the files of a piece.
pub fn piece_slot(piece: &str) -> String {
    format!("piece:{piece}")
}

pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Sent => "sent",
        Status::InProgress => "in-progress",
        Status::ActionNeeded => "action-needed",
        Status::Accepted => "accepted",
        Status::Refused => "refused",
        Status::Ended => "ended",
    }
}

/// The filer's name as they gave it: the answer `demandeur` of kind identity.
pub fn filer_name(answers: &Answers) -> Option<String> {
    let person = answers.get("demandeur")?;
    let part = |name: &str| person.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let family = if part("nom_usage").is_empty() { part("nom_naissance") } else { part("nom_usage") };
    let name = format!("{} {family}", part("prenoms")).trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Where to write, as given in the answer `courriel`.
pub fn email(answers: &Answers) -> Option<String> {
    answers.get("courriel").and_then(|value| value.as_str()).filter(|email| !email.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let reference = reference("VAL");
        assert_eq!(reference.len(), 11);
        assert_eq!(canonical_reference(&reference.to_lowercase().replace('-', " ")), reference);
        assert_eq!(canonical_reference("x"), "X");
    }

    #[test]
    fn names() {
        let answers = |json: serde_json::Value| json.as_object().cloned().unwrap();
        let given = answers(serde_json::json!({"demandeur": {"nom_naissance": "Le Goff", "prenoms": "Anne"}, "courriel": "a@b.fr"}));
        assert_eq!((filer_name(&given).as_deref(), email(&given).as_deref()), (Some("Anne Le Goff"), Some("a@b.fr")));
        assert_eq!((filer_name(&Answers::new()), email(&Answers::new())), (None, None));
    }
}
