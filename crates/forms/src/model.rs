//! A procedure (« démarche ») as data. Built only by [`crate::load`], which guarantees that every
//! reference resolves, every expression has its type and every id is unique.

use std::{collections::BTreeSet, fmt, sync::Arc};

use jiff::civil::Date;
use serde::Serialize;

use crate::{
    expr::Expr,
    kinds::Kind,
    workflow::{Status, Transition, Workflow},
};

#[derive(Debug, Clone)]
pub struct Procedure {
    /// Version of the file format; old ones stay readable for ever.
    pub format: u32,
    pub id: String,
    pub title: String,
    pub summary: String,
    /// Paragraphs shown on the procedure's page.
    pub description: Vec<String>,
    /// Id of a theme (`etat-civil`); themes are the authority's data. Empty for an internal procedure.
    pub theme: String,
    /// Ids of life events (`naissance`).
    pub events: Vec<String>,
    pub audience: Vec<Audience>,
    /// Ids of the departments whose agents may file it, when it is internal and not for all of them.
    pub reserved_to: Vec<String>,
    pub keywords: Vec<String>,
    /// Id of the department in charge.
    pub department: String,
    /// Ids of the other departments of the authority that treat its requests too: agents may send one there.
    pub other_departments: Vec<String>,
    pub identification: Identification,
    /// Id of the question that names the person the request is for, never sensitive; none when that
    /// is the filer.
    pub beneficiary: Option<String>,
    /// Shown as it is (« Gratuit » when free).
    pub cost: Cost,
    /// How long filling it in takes, in minutes.
    pub minutes: u32,
    /// The delay that the department promises.
    pub delay: Delay,
    pub alerts: Alerts,
    pub legal: Option<Legal>,
    /// How its decisions are contested, when that is not as the authority's others: several paragraphs.
    pub appeal: Option<String>,
    /// Whether accepting or refusing is a decision, which only who has a delegation in force signs; none: it is where
    /// the procedure has a legal delay.
    pub decisions: Option<bool>,
    /// A health or social procedure: its name never leaves in a message.
    pub confidential: bool,
    pub notice: Notice,
    pub opening: Opening,
    /// What to know before starting, one sentence each.
    pub before: Vec<String>,
    pub pages: Vec<Page>,
    pub pieces: Vec<Piece>,
    /// Sentence to certify when sending; none when nothing has to be certified.
    pub declaration: Option<String>,
    /// « Et maintenant ? », one sentence each, shown after sending.
    pub after: Vec<String>,
    pub workflow: Workflow,
}

impl Procedure {
    /// For agents alone (« démarche interne »): nothing that usagers see tells of it.
    pub fn is_internal(&self) -> bool {
        self.audience == [Audience::Agent]
    }

    /// Ids of the departments that treat its requests: its own, those that it names beside, those of its rules.
    pub fn serving(&self) -> BTreeSet<&str> {
        let moves = self.workflow.transitions.iter().flat_map(|one| &one.moves).filter_map(|rule| rule.to.as_deref());
        let others = self.other_departments.iter().map(String::as_str);
        others.chain(moves).chain([self.department.as_str()]).collect()
    }

    /// The templates of the letters that it sends, each once.
    pub fn letters(&self) -> BTreeSet<&str> {
        let sent = self.workflow.transitions.iter().filter_map(Transition::letter);
        let attested = self.legal.as_ref().and_then(|legal| legal.attestation.as_ref());
        sent.chain(attested.map(|one| one.letter.as_str())).collect()
    }

    /// The transition by which silence accepted or refused, if this is one: which of both.
    pub fn implied(&self, transition: &str) -> Option<bool> {
        let one = self.workflow.transition(transition).filter(|one| one.implied())?;
        match self.workflow.state(&one.to)?.status {
            Status::Accepted => Some(true),
            Status::Refused => Some(false),
            _ => None,
        }
    }

    /// Whether who accepts or refuses takes a decision, and must be entitled to sign it (CRPA L212-1).
    pub fn decides(&self) -> bool {
        self.decisions.unwrap_or(self.legal.is_some())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    Particulier,
    Professionnel,
    Association,
    Agent,
}

/// Whether the filer must say who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identification {
    /// Never asked for; an account is not even offered as a condition.
    None,
    /// With or without an account.
    Optional,
    Account,
    /// An account whose identity was verified.
    Verified,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    Free,
    /// French words (« 12,50 € par an »).
    Says(String),
}

/// `5 working days`, `2 months`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delay {
    pub count: u32,
    pub unit: DelayUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DelayUnit {
    /// Monday to Friday, when the authority is open (« jours ouvrés »).
    WorkingDays,
    /// Monday to Saturday, but public holidays (« jours ouvrables »).
    OuvrableDays,
    Days,
    Weeks,
    Months,
    Years,
}

/// « 5 jours ouvrés ».
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match (self.unit, self.count > 1) {
            (DelayUnit::WorkingDays, false) => "jour ouvré",
            (DelayUnit::WorkingDays, true) => "jours ouvrés",
            (DelayUnit::OuvrableDays, false) => "jour ouvrable",
            (DelayUnit::OuvrableDays, true) => "jours ouvrables",
            (DelayUnit::Days, false) => "jour",
            (DelayUnit::Days, true) => "jours",
            (DelayUnit::Weeks, false) => "semaine",
            (DelayUnit::Weeks, true) => "semaines",
            (DelayUnit::Months, _) => "mois",
            (DelayUnit::Years, false) => "an",
            (DelayUnit::Years, true) => "ans",
        };
        write!(f, "{}\u{a0}{unit}", self.count)
    }
}

/// When a request that waits for its answer turns orange, then red, and when managers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Alerts {
    /// This long before the day that is promised.
    pub orange: Delay,
    /// This long before it; none: once it is past.
    pub red: Option<Delay>,
    /// This long after it turned red.
    pub escalate: Delay,
}

impl Alerts {
    /// What holds where nothing is said: a day before when a week is promised at most, else three; managers are
    /// told a week later.
    pub fn usual(promised: Delay) -> Self {
        let short = match promised.unit {
            DelayUnit::WorkingDays | DelayUnit::OuvrableDays | DelayUnit::Days => promised.count <= 7,
            DelayUnit::Weeks => promised.count <= 1,
            DelayUnit::Months | DelayUnit::Years => false,
        };
        let working = |count| Delay { count, unit: DelayUnit::WorkingDays };
        Self { orange: working(if short { 1 } else { 3 }), red: None, escalate: working(5) }
    }
}

/// The legal delay and what the administration's silence means when it ends (CRPA L231-1 s.).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Legal {
    pub delay: Delay,
    pub silence: Silence,
    pub basis: Option<String>,
    pub attestation: Option<Attestation>,
}

/// The attestation of an acceptance by silence, which its usager may ask for (CRPA L232-3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// The template of the letter.
    pub letter: String,
    /// Made as soon as it is asked for, signed by nobody; else an agent fires the transition that makes this letter.
    pub automatic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    Acceptation,
    Rejet,
    None,
}

/// What the CNIL wants said beside the form (GDPR art. 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub purpose: String,
    pub basis: String,
    pub recipients: Vec<String>,
    pub retention: Retention,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// How long the request stays in current use after it ends.
    pub current: Delay,
    /// « Durée d'utilité administrative », counted from the end too.
    pub dua: Delay,
    pub basis: Option<String>,
    pub fate: Fate,
}

/// Final fate (« sort final »).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    Destroy,
    Keep,
    Sample,
}

/// First and last day on which a request can be begun and sent, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Opening {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub id: String,
    pub title: String,
    pub intro: Option<String>,
    pub show_if: Option<Expr>,
    pub fields: Vec<Field>,
    pub stop_if: Vec<Rule>,
}

/// A condition and what is said to the person when it holds.
#[derive(Debug, Clone)]
pub struct Rule {
    pub when: Expr,
    pub say: String,
}

#[derive(Debug, Clone)]
pub struct Field {
    /// `[a-z][a-z0-9_]*`, unique in its scope, never reused.
    pub id: String,
    /// The question, or the label.
    pub ask: String,
    pub help: Option<String>,
    pub optional: bool,
    pub show_if: Option<Expr>,
    /// Health, diet, handicap, social aid: out of search, exports and messages.
    pub sensitive: bool,
    /// Agents narrow lists by it, when it has one answer (see [`crate::kinds::Narrows`]).
    pub search: bool,
    /// Asks for the filer's own identity: a verified one fills it, and is locked.
    pub verified: bool,
    /// Said when the answer is missing, instead of the kind's own sentence.
    pub error: Option<String>,
    /// Former id, so that drafts, exports and searches follow.
    pub was: Option<String>,
    /// Rules on the answer: a problem when one holds.
    pub checks: Vec<Rule>,
    pub kind: Arc<dyn Kind>,
}

/// The part of a verified field where its filer says what is wrong with what was certified.
pub const REMARK: &str = "remarque";
/// Longest remark, in characters.
pub const LONGEST_REMARK: usize = 1000;

impl Field {
    /// An optional field without conditions, for forms that no procedure file describes.
    #[must_use]
    pub fn plain(id: &str, ask: &str, kind: Arc<dyn Kind>) -> Self {
        let (id, ask) = (id.to_owned(), ask.to_owned());
        Self {
            id,
            ask,
            help: None,
            optional: true,
            show_if: None,
            sensitive: false,
            search: false,
            verified: false,
            error: None,
            was: None,
            checks: Vec::new(),
            kind,
        }
    }
}

/// A supporting document (« pièce justificative »).
#[derive(Debug, Clone)]
pub struct Piece {
    pub id: String,
    pub title: String,
    pub help: Option<String>,
    /// The text that allows asking for it.
    pub basis: String,
    /// What may be given instead, in French words (« attestation sur l'honneur »).
    pub instead: Vec<String>,
    pub optional: bool,
    pub show_if: Option<Expr>,
    /// Most files for this piece (several photos of one document).
    pub files: u32,
    pub sensitive: bool,
}

/// A survey (« enquête »): questions without circuit, answered once. Built by [`crate::load::survey`].
#[derive(Debug, Clone)]
pub struct Survey {
    pub id: String,
    pub title: String,
    pub summary: String,
    pub description: Vec<String>,
    /// Id of the department that reads the answers.
    pub department: String,
    /// Nothing is kept of who answers; else one answer by account.
    pub anonymous: bool,
    /// How long it takes.
    pub minutes: u32,
    /// Its retention counts from the last day.
    pub notice: Notice,
    /// With a last day.
    pub opening: Opening,
    /// Neither files, nor groups, nor verified.
    pub fields: Vec<Field>,
    /// Said after answering, one sentence each.
    pub after: Vec<String>,
}

/// The template of a letter, as a file gives it: the first of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// For agents: « Arrêté de buvette ».
    pub title: String,
    pub genre: Genre,
    /// The title of the letter, in the language of [`crate::text`].
    pub subject: String,
    /// In the same.
    pub text: String,
}

/// What a letter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Genre {
    /// To somebody, at their address.
    Letter,
    /// To whom it may concern: an attestation, an arrêté.
    Certificate,
}
