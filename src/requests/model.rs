//! A request as it is stored, and the rules that need no database.

use db::{Json, row};
use forms::{
    answers::Answers,
    model::Procedure,
    step::{Actor, Clocks, Life},
    workflow::{State, Status, Transition, Who},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::channel::{self, Channel};
use crate::{
    authorities::Authority,
    platform::{clock, french, secret},
};

row! {
    #[derive(Debug, Clone)]
    pub struct Request {
        id: Uuid,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        department_id: String,
        account_id: Option<Uuid>,
        organisation_id: Option<Uuid>,
        /// The account that sent it in somebody's name, and by what right.
        acted_by: Option<Uuid>,
        acted_as: Option<String>,
        /// How it came: see [`super::channel::Channel`].
        channel: String,
        filer_name: Option<String>,
        /// Who it is for, when that is not the filer.
        beneficiary: Option<String>,
        email: Option<String>,
        answers: Json<Answers>,
        state: String,
        status: String,
        holder_id: Option<Uuid>,
        holder_name: Option<String>,
        /// When the city received it.
        submitted_at: Timestamp,
        updated_at: Timestamp,
        /// The last entry of its history.
        active_at: Timestamp,
        due_at: Timestamp,
        completed_at: Option<Timestamp>,
        suspended_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
        /// See [`archive_at`]; none when it is not ended, or an archive already.
        archive_at: Option<Timestamp>,
        /// An answer holds an address that its filer keeps confidential.
        confidential_address: bool,
        clocks: Json<Clocks>,
        /// The latest answer to each question of agents' forms.
        given: Json<Answers>,
        version: i64,
        /// Another request led to it.
        follows: bool,
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
            clocks: self.clocks.0.clone(),
        }
    }

    /// Filed without account: its code is all that its owner has.
    pub fn is_anonymous(&self) -> bool {
        self.account_id.is_none() && self.organisation_id.is_none()
    }

    /// « 21 novembre 2026 à 23 h 41 »; of what an agent entered, the day and the way it came.
    pub fn received(&self, zone: &TimeZone) -> String {
        if self.channel == Channel::Web.id() {
            return french::datetime(self.submitted_at, zone);
        }
        let how = french::lower_first(channel::words(&self.channel));
        format!("{} ({how})", french::date(clock::day(self.submitted_at, zone)))
    }

    pub fn state_of<'a>(&self, procedure: &'a Procedure) -> Option<&'a State> {
        procedure.workflow.state(&self.state)
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Event {
        seq: i64,
        at: Timestamp,
        actor: String,
        actor_id: Option<Uuid>,
        actor_name: Option<String>,
        code: String,
        from_state: Option<String>,
        to_state: Option<String>,
        /// `mandate` or `organisation`, when its actor acted in somebody's name.
        acted: Option<String>,
        /// The agent it is about, who is asked for an opinion, or what is approved and by whom, when it is about one.
        subject_name: Option<String>,
    }
}

impl Event {
    /// What the usager was asked for, typed by an agent for them.
    pub fn is_completing(&self, procedure: &Procedure) -> bool {
        let usager = procedure.workflow.transition(&self.code).is_some_and(|one| one.who == Who::Usager);
        self.actor == "agent" && usager && !self.is_filing(procedure)
    }

    /// The sending, by an agent for somebody.
    pub fn is_filing(&self, procedure: &Procedure) -> bool {
        self.actor == "agent" && self.from_state.as_deref() == Some(procedure.workflow.initial.as_str())
    }
}

row! {
    /// What an agent answered to the form of a transition.
    #[derive(Debug, Clone)]
    pub struct Form {
        transition: String,
        answers: Json<Answers>,
        at: Timestamp,
        agent: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Message {
        id: Uuid,
        author: String,
        author_name: Option<String>,
        internal: bool,
        body: String,
        at: Timestamp,
        read_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Ask {
        id: Uuid,
        /// `piece` or `field`.
        kind: String,
        target: String,
        /// Last day to answer.
        until: Option<Date>,
        asked_at: Timestamp,
        answered_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Decision {
        favourable: bool,
        author_name: String,
        author_quality: String,
        author_department: String,
        ground: Option<String>,
        facts: Option<String>,
        appeal: Option<String>,
        /// The line of the register by which its author signed, where one was asked for.
        delegation_id: Option<Uuid>,
        at: Timestamp,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct File {
        id: Uuid,
        owner_id: Uuid,
        slot: String,
        name: String,
        media_type: String,
        size: i64,
        at: Timestamp,
    }
}

/// From when an ended request becomes an archive: the morning after its time in current use (« durée
/// d'utilité courante »), where its circuit has a transition of the platform for that.
pub fn archive_at(procedure: &Procedure, life: &Life, site: &Authority) -> Option<Timestamp> {
    let ended = life.ended?;
    archiving(procedure, &life.state)?;
    let last = site.calendar.after(clock::day(ended, &site.zone), procedure.notice.retention.current);
    Some(last.tomorrow().ok()?.to_zoned(site.zone.clone()).ok()?.timestamp())
}

/// The transition of the platform that waits for no timer and no answer: archiving.
pub fn archiving<'a>(procedure: &'a Procedure, state: &'a str) -> Option<&'a Transition> {
    procedure.workflow.offered(state, Actor::System).find(|transition| !transition.alone())
}

/// A new reference, `VAL-7F3K-29`: the authority's letters, then 29 bits without twin characters.
pub fn reference(prefix: &str) -> String {
    let text = secret::clear_text(6);
    let (left, right) = text.split_at(4);
    format!("{prefix}-{left}-{right}")
}

/// What a person typed as a reference, in its canonical writing.
pub fn canonical_reference(typed: &str) -> String {
    let letters: String =
        typed.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect();
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

/// The filer's name as it sorts: folded, family name first.
pub fn filer_key(answers: &Answers, name: Option<&str>) -> String {
    let part = |name: &str| answers.get("demandeur").and_then(|person| person.get(name)?.as_str()).unwrap_or_default();
    let family = if part("nom_usage").is_empty() { part("nom_naissance") } else { part("nom_usage") };
    let name = name.unwrap_or_default();
    let name = match name.rsplit_once(' ') {
        _ if !family.is_empty() => format!("{family} {}", part("prenoms")),
        Some((first, last)) => format!("{last} {first}"),
        None => name.to_owned(),
    };
    french::fold(&name).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
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
        let given = answers(
            serde_json::json!({"demandeur": {"nom_naissance": "Le Goff", "prenoms": "Anne"}, "courriel": "a@b.fr"}),
        );
        assert_eq!((filer_name(&given).as_deref(), email(&given).as_deref()), (Some("Anne Le Goff"), Some("a@b.fr")));
        assert_eq!((filer_name(&Answers::new()), email(&Answers::new())), (None, None));
        assert_eq!(filer_key(&given, Some("Anne Le Goff")), "le goff anne");
        assert_eq!(filer_key(&Answers::new(), Some("Zoé L’Héritier")), "l heritier zoe");
        assert_eq!(filer_key(&Answers::new(), None), "");
    }
}
