//! What is approved, by whom, and what is wrong in an answer.

use forms::{
    answers::Answers,
    workflow::{Approval, Visa as Asked, Who},
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{agents::Role, correspondence::compose::Composed};

/// Codes of the history.
pub const ASKED: &str = "approval-asked";
pub const GIVEN: &str = "approval-given";
pub const DECLINED: &str = "approval-declined";
/// Everybody approved.
pub const COMPLETE: &str = "approval-complete";
pub const VOID: &str = "approval-void";
pub const REMINDED: &str = "approval-reminded";
pub const LATE: &str = "approval-late";

/// The longest reason, in characters.
pub const LONGEST: usize = 2_000;

/// The letter of a decision, as it was read by who asked for its approval.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prepared {
    pub content: Json,
    /// The agent's own paragraph.
    pub motivation: String,
    /// Of the letter: changes with the least of its words.
    pub digest: String,
    /// Of the template, when it was not the present one.
    #[serde(default)]
    pub version: Option<i64>,
}

impl Prepared {
    pub fn of(letter: &Composed, motivation: &str) -> Self {
        let version = letter.earlier.then_some(letter.version);
        Self { content: letter.content.clone(), motivation: motivation.to_owned(), digest: letter.digest(), version }
    }
}

db::row! {
    /// A step, with what its circuit is.
    #[derive(Debug, Clone)]
    pub struct Visa {
        pub id: Uuid,
        pub approval_id: Uuid,
        pub title: String,
        pub department_id: String,
        /// None: the department is gone.
        pub department_name: Option<String>,
        pub role: String,
        pub state: String,
        pub until: Option<Date>,
        pub decided_at: Option<Timestamp>,
        pub decided_by: Option<Uuid>,
        pub decided_by_name: Option<String>,
        pub reason: String,
        pub circuit: String,
        pub circuit_title: String,
        pub circuit_state: String,
        pub asked_at: Timestamp,
        pub asked_by: Uuid,
        pub asked_by_name: Option<String>,
        pub asker_too: bool,
        pub settled_at: Option<Timestamp>,
        pub request_id: Uuid,
        pub request_department: String,
        pub procedure_id: String,
        pub procedure_version: i64,
    }
}

impl Visa {
    pub fn open(&self) -> bool {
        self.state == "open"
    }

    /// What its approver may do in its department, at least.
    pub fn least(&self) -> Role {
        Role::parse(&self.role).unwrap_or(Role::Decider)
    }

    pub fn department(&self) -> String {
        self.department_name.clone().unwrap_or_else(|| format!("Service supprimé ({})", self.department_id))
    }
}

/// Why somebody who could may not approve a step of this circuit; empty when they may. Each step is somebody else's,
/// and, unless the circuit says otherwise, nobody's who asked.
pub fn barred(circuit: &[Visa], step: &Visa, agent: Uuid) -> &'static str {
    if step.asked_by == agent && !step.asker_too {
        return "Vous avez demandé ce visa : il revient à quelqu’un d’autre.";
    }
    if circuit.iter().any(|one| one.id != step.id && one.decided_by == Some(agent)) {
        return "Vous avez déjà visé à une autre étape : celle-ci revient à quelqu’un d’autre.";
    }
    ""
}

/// A circuit to open.
#[derive(Debug, Clone)]
pub struct New {
    pub id: Uuid,
    pub asked_by: Uuid,
    /// Of the request.
    pub version: i64,
    pub approval: Approval,
    pub steps: Vec<NewStep>,
    pub until: Date,
    pub remind_at: Option<Timestamp>,
    pub fingerprint: Vec<u8>,
    pub letter: Option<Prepared>,
}

#[derive(Debug, Clone)]
pub struct NewStep {
    pub id: Uuid,
    /// Of its mail.
    pub job: Uuid,
    pub title: String,
    pub department: String,
    pub role: Role,
    /// Whether it is its turn at once.
    pub open: bool,
}

pub fn role(step: &Asked) -> Role {
    if step.who == Who::Decide { Role::Decider } else { Role::Processor }
}

/// Of all that is shown to who approves, but the letter.
pub fn fingerprint(answers: &Answers, given: &Answers) -> Vec<u8> {
    let both = serde_json::json!([answers, given]);
    Sha256::digest(both.to_string().as_bytes()).to_vec()
}

/// The first step for which nobody is left when each takes one at most: members are (agent, department, role).
pub fn lacking(steps: &[(&str, Role)], members: &[(Uuid, String, Role)]) -> Option<usize> {
    // Who has each step; a person is moved to another of theirs to make room.
    let mut taken: Vec<(Uuid, usize)> = Vec::new();
    (0..steps.len()).find(|step| !place(*step, steps, members, &mut taken, &mut Vec::new()))
}

fn place(
    step: usize,
    steps: &[(&str, Role)],
    members: &[(Uuid, String, Role)],
    taken: &mut Vec<(Uuid, usize)>,
    tried: &mut Vec<Uuid>,
) -> bool {
    let Some((department, least)) = steps.get(step) else { return false };
    let able = members.iter().filter(|(_, place, role)| place == department && role >= least);
    for (agent, ..) in able {
        if tried.contains(agent) {
            continue;
        }
        tried.push(*agent);
        let held = taken.iter().find(|(holder, _)| holder == agent).map(|(_, held)| *held);
        if held.is_none_or(|held| place(held, steps, members, taken, tried)) {
            taken.retain(|(_, other)| *other != step);
            taken.retain(|(holder, _)| holder != agent);
            taken.push((*agent, step));
            return true;
        }
    }
    false
}

/// An answer, as it is typed.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// `oui` or `non`; anything else is no answer.
    pub visa: String,
    pub reason: String,
}

/// What is wrong in an answer, with the field to point at. A refusal is explained.
pub fn problems(answer: &Answer) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if !matches!(answer.visa.as_str(), "oui" | "non") {
        found.push(("visa", "Choisissez si vous visez ou refusez de viser".to_owned()));
    }
    match answer.reason.chars().count() {
        0 if answer.visa == "non" => found.push(("raison", "Expliquez pourquoi vous refusez de viser".to_owned())),
        length if length > LONGEST => found.push((
            "raison",
            format!("Ce texte compte {length} caractères\u{a0}: raccourcissez-le à 2\u{202f}000 au plus"),
        )),
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(visa: &str, reason: &str) -> Vec<&'static str> {
        let answer = Answer { visa: visa.to_owned(), reason: reason.to_owned() };
        problems(&answer).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_refusal_is_explained() {
        assert_eq!(fields("", "x"), ["visa"]);
        assert_eq!(fields("non", ""), ["raison"]);
        assert!(fields("oui", "").is_empty() && fields("non", "Le plan manque.").is_empty());
        assert_eq!(fields("oui", &"é".repeat(LONGEST + 1)), ["raison"]);
    }

    #[test]
    fn each_step_needs_somebody_of_its_own() {
        let [a, b, c] = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];
        let at = |agent, place: &str, role| (agent, place.to_owned(), role);
        let steps = [("nord", Role::Processor), ("nord", Role::Decider)];
        // The only decider is wanted by the second step: the first takes the other.
        let members = [at(a, "nord", Role::Decider), at(b, "nord", Role::Processor), at(c, "sud", Role::Manager)];
        let without = |who| members.iter().filter(|(one, ..)| *one != who).cloned().collect::<Vec<_>>();
        assert_eq!(lacking(&steps, &members), None);
        assert_eq!(lacking(&steps, &without(b)), Some(1));
        assert_eq!(lacking(&steps, &without(a)), Some(1));
        assert_eq!(lacking(&steps, &members[1..]), Some(1));
        assert_eq!(lacking(&steps, &members[2..]), Some(0));
        let three = [("nord", Role::Processor), ("sud", Role::Processor), ("nord", Role::Processor)];
        assert_eq!(lacking(&three, &members), None);
        assert_eq!(lacking(&three, &without(c)), Some(1));
    }

    #[test]
    fn the_fingerprint_changes_with_either_answers() {
        let answers: Answers = serde_json::from_value(serde_json::json!({"surface": 12})).unwrap();
        let none = Answers::new();
        assert_eq!(fingerprint(&answers, &none), fingerprint(&answers.clone(), &none));
        assert_ne!(fingerprint(&answers, &none), fingerprint(&none, &answers));
    }
}
