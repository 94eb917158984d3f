//! States and transitions of a request, as data. What happens to a request is decided by
//! [`step`](crate::step), a pure function; the application stores its result.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    answers::Answers,
    expr::Expr,
    model::{Delay, Field},
};

#[derive(Debug, Clone)]
pub struct Workflow {
    /// `standard` when the file says `workflow: standard`; kept for the canonical form.
    pub id: String,
    pub title: String,
    /// The state of a request that was not sent yet.
    pub initial: String,
    pub states: Vec<State>,
    pub transitions: Vec<Transition>,
    /// What transitions ask of other departments, by name.
    pub opinions: Vec<Opinion>,
    /// The applications that transitions call, by the name under which the authority declares them.
    pub webhooks: Vec<Webhook>,
    /// The circuits of approvals that transitions open, by name.
    pub approvals: Vec<Approval>,
    /// The requests that transitions start for the usager, by name.
    pub starts: Vec<Start>,
}

/// A call to another application: all that it is told of the request, and what its answer may give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// The authority declares an application of this name, with its address and its secret.
    pub id: String,
    /// For agents: « Logiciel d’urbanisme ».
    pub label: String,
    /// Ids of the questions, of the usager or of agents, whose answers it is told; none is sensitive.
    pub sends: Vec<String>,
    /// The same for sensitive ones: apart, so that none is sent without being meant.
    pub sensitive: Vec<String>,
    /// Ids of the questions to agents that its answer may give.
    pub gives: Vec<String>,
}

/// An opinion (« avis ») that a transition asks of another department or of somebody outside: what they are asked,
/// until when, and all that they see of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opinion {
    pub id: String,
    pub of: Asked,
    pub question: String,
    pub delay: Delay,
    /// Ids of the questions whose answers are shown; none is sensitive.
    pub shows: Vec<String>,
    /// Ids of the pieces that are shown; none is sensitive.
    pub pieces: Vec<String>,
}

/// Who is asked for an opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Id of the department.
    Department(String),
    /// Somebody outside, by mail.
    Expert(Expert),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expert {
    /// « Architecte des bâtiments de France ».
    pub name: String,
    /// Their address, or the id of the question whose answer it is.
    pub email: String,
}

impl Expert {
    /// The question that gives the address; none: it is written.
    pub fn question(&self) -> Option<&str> {
        (!self.email.contains('@')).then_some(self.email.as_str())
    }

    /// The address, from these answers and these of agents; none when nobody gave it.
    pub fn address<'a>(&'a self, answers: &'a Answers, given: &'a Answers) -> Option<&'a str> {
        match self.question() {
            None => Some(self.email.as_str()),
            Some(id) => answers.get(id).or_else(|| given.get(id))?.as_str(),
        }
    }
}

impl Opinion {
    pub fn department(&self) -> Option<&str> {
        match &self.of {
            Asked::Department(id) => Some(id),
            Asked::Expert(_) => None,
        }
    }

    pub fn expert(&self) -> Option<&Expert> {
        match &self.of {
            Asked::Department(_) => None,
            Asked::Expert(expert) => Some(expert),
        }
    }
}

/// A linked request (« démarche liée »): another procedure that its usager may go on with, their answers carried over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Start {
    pub id: String,
    /// Id of the other procedure.
    pub procedure: String,
    /// As the usager is told.
    pub title: String,
    /// Questions of the other one (`nom`; `enfants.nom`: of the first row of a group), and of this one.
    pub with: Vec<(String, String)>,
}

/// A circuit of approvals (« parapheur »): who approves what is about to be decided, before it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    pub id: String,
    /// What is approved, for agents: « Projet d’arrêté ».
    pub title: String,
    /// For each step, from the day on which it is its turn.
    pub delay: Delay,
    /// All at once, in any order; otherwise one after the other.
    pub together: bool,
    /// Whether who asked may approve as well.
    pub asker_too: bool,
    /// At least one; each is approved by somebody else.
    pub steps: Vec<Visa>,
}

/// One step of a circuit of approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visa {
    /// By which function: « Direction de l’urbanisme ».
    pub title: String,
    /// Id of its department; none: the one of the request.
    pub department: Option<String>,
    /// [`Who::Process`] or [`Who::Decide`]: what its approver may do in that department.
    pub who: Who,
}

#[derive(Debug, Clone)]
pub struct State {
    pub id: String,
    /// For agents.
    pub label: String,
    /// For the usager, who sees six statuses and no internal state.
    pub usager: String,
    pub status: Status,
    /// Nothing more is expected from anybody: the delays stop, retention starts.
    pub end: bool,
    /// The usager may still correct answers and add pieces.
    pub open_to_usager: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Draft,
    Sent,
    InProgress,
    ActionNeeded,
    Accepted,
    Refused,
    Ended,
}

#[derive(Debug, Clone)]
pub struct Transition {
    pub id: String,
    /// On the button: « Demander une pièce ou une correction ».
    pub label: String,
    pub from: Vec<String>,
    pub to: String,
    pub who: Who,
    /// What the answers must be. Of the usager's transitions that send something, the first that holds is fired.
    pub when: Option<Expr>,
    /// When the platform fires it; none for people, and for archiving, which waits for the end of the
    /// time in current use.
    pub after: Option<After>,
    /// Which answer to a call makes the platform fire it.
    pub upon: Option<Upon>,
    /// How often the platform fires it during one stay in a state, when it stays there (a reminder).
    pub times: u32,
    pub needs: Vec<Need>,
    /// The circuit of approvals that must have approved.
    pub approved: Option<String>,
    /// Questions to the agent who fires it; conditions written after it know their answers.
    pub form: Vec<Field>,
    pub does: Vec<Action>,
    /// Who gets the request: the first rule that holds says. The last always does.
    pub assign: Vec<Dispatch>,
    /// Which department gets the request: the first rule that holds says. The last always does.
    pub moves: Vec<Move>,
    /// Agents' values that it works out.
    pub sets: Vec<Setting>,
    /// Shown before confirming: what the usager will receive.
    pub receives: Option<String>,
    /// What the platform writes to the usager when it fires it.
    pub says: Option<String>,
}

/// A rule that gives a request to somebody.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// None: always.
    pub when: Option<Expr>,
    pub to: Assignee,
}

/// A rule that gives a request to a department.
#[derive(Debug, Clone)]
pub struct Move {
    /// None: always.
    pub when: Option<Expr>,
    /// Its id; none: it stays where it is.
    pub to: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// In turn, one of those who process in the department.
    Turn,
    /// The agent who signs in with this address, while they process in the department.
    Agent(String),
    Nobody,
}

/// An agents' value, and what it becomes.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Id of a question of an agents' form.
    pub field: String,
    pub value: Expr,
}

/// The moment of a timer: the morning after the last day of a delay, or the morning of a day counted
/// backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct After {
    /// None: the origin itself.
    pub delay: Option<Delay>,
    /// Counted backwards from the origin.
    pub before: bool,
    pub origin: Origin,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upon {
    /// Id of the webhook.
    pub webhook: String,
    /// The word of its answer; none: it could not be reached, however often it was tried.
    pub outcome: Option<String>,
}

/// From where a timer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The request came into its state.
    Entry,
    Sent,
    /// The file was complete.
    Complete,
    /// When an answer is due: the promised delay, or the legal one when it ends sooner.
    Due,
    /// End of the legal delay, when silence takes its effect.
    Legal,
    /// Last day that the usager was given to complete (CRPA L114-5).
    Until,
    /// Every opinion that was asked is given, or given up.
    Opinions,
    /// Everybody approved.
    Approved,
    /// Somebody refused to approve, or what was to be approved has changed.
    Declined,
}

impl Origin {
    /// Nobody can tell it before it happens.
    pub(crate) fn is_event(self) -> bool {
        matches!(self, Self::Opinions | Self::Approved | Self::Declined)
    }
}

/// Who may fire a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    Usager,
    /// An agent of the department who may process.
    Process,
    /// An agent of the department who may decide.
    Decide,
    /// The platform itself, when its moment has come.
    System,
}

/// What the person who fires a transition must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A sentence for the usager.
    Message,
    /// Which pieces or answers are asked for.
    Ask,
    /// A favourable decision, signed with name, quality and service (CRPA L212-1).
    Decision,
    /// An unfavourable one: with legal ground, facts, appeal routes (CRPA L211-2 s., R421-5 CJA).
    Refusal,
}

/// What firing a transition triggers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Tell the usager with this message template (`piece-demandee`).
    Notify(String),
    /// Make this letter, which the agent has read before (`buvette-arrete`).
    Letter(String),
    /// Render the receipt.
    Receipt,
    /// The agent who fires becomes the holder.
    TakeCharge,
    /// Nobody holds the request any more.
    Release,
    /// The file is complete: the delay of « silence vaut acceptation » starts.
    MarkComplete,
    /// Ask this opinion of the workflow (`voirie`).
    Opinion(String),
    /// Call this application (`urbanisme`).
    Webhook(String),
    /// Open this circuit of approvals (`arrete`).
    Approval(String),
    /// Offer the usager to go on with this other procedure (`cantine`).
    Start(String),
    /// Erase this answer, or the files of this piece, of a request that ended.
    Erase(String),
}

impl Transition {
    /// Whether the platform fires it by itself while the request goes on: archiving, which waits for its end, is not.
    pub fn alone(&self) -> bool {
        self.after.is_some() || self.upon.is_some()
    }

    /// Whether the law itself decides by it: the legal delay is over (« silence vaut acceptation », « vaut rejet »,
    /// CRPA L231-1, L231-4).
    pub fn implied(&self) -> bool {
        let legal = self.after.is_some_and(|after| after.origin == Origin::Legal && !after.before);
        self.who == Who::System && legal
    }

    /// Whether it has an expression over the answers.
    pub fn reads(&self) -> bool {
        self.when.is_some() || !self.assign.is_empty() || !self.moves.is_empty() || !self.sets.is_empty()
    }

    /// The template of the letter that it makes, if it makes one: a transition makes one at most.
    pub fn letter(&self) -> Option<&str> {
        self.does.iter().find_map(|action| match action {
            Action::Letter(template) => Some(template.as_str()),
            _ => None,
        })
    }

    /// The circuit of approvals that it opens.
    pub fn opens(&self) -> Option<&str> {
        self.does.iter().find_map(|action| match action {
            Action::Approval(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// Whether it is a decision, favourable or not: `Some(false)` is a refusal.
    pub fn decides(&self) -> Option<bool> {
        if self.needs.contains(&Need::Refusal) {
            return Some(false);
        }
        self.needs.contains(&Need::Decision).then_some(true)
    }
}

/// Whom a workflow names, and an authority must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named<'w> {
    /// Ids of departments.
    pub departments: BTreeSet<&'w str>,
    /// The addresses that agents sign in with.
    pub agents: BTreeSet<&'w str>,
}

impl Workflow {
    /// Whom it asks for opinions or approvals, and whom it gives requests to.
    pub fn named(&self) -> Named<'_> {
        let opinions = self.opinions.iter().filter_map(Opinion::department);
        let steps = self.approvals.iter().flat_map(|one| &one.steps);
        let moves = self.transitions.iter().flat_map(|one| &one.moves).filter_map(|rule| rule.to.as_deref());
        let agents = self.transitions.iter().flat_map(|one| &one.assign).filter_map(|rule| match &rule.to {
            Assignee::Agent(address) => Some(address.as_str()),
            Assignee::Turn | Assignee::Nobody => None,
        });
        Named {
            departments: opinions.chain(moves).chain(steps.filter_map(|step| step.department.as_deref())).collect(),
            agents: agents.collect(),
        }
    }

    pub fn opinion(&self, id: &str) -> Option<&Opinion> {
        self.opinions.iter().find(|opinion| opinion.id == id)
    }

    pub fn webhook(&self, id: &str) -> Option<&Webhook> {
        self.webhooks.iter().find(|webhook| webhook.id == id)
    }

    /// The transitions that an answer of this webhook may fire, in the order of the file.
    pub fn upon<'a>(&'a self, webhook: &'a str) -> impl Iterator<Item = (&'a Transition, &'a Upon)> {
        let upon = self.transitions.iter().filter_map(|one| Some((one, one.upon.as_ref()?)));
        upon.filter(move |(_, upon)| upon.webhook == webhook)
    }

    pub fn start(&self, id: &str) -> Option<&Start> {
        self.starts.iter().find(|start| start.id == id)
    }

    pub fn approval(&self, id: &str) -> Option<&Approval> {
        self.approvals.iter().find(|approval| approval.id == id)
    }

    /// The template of the letter that is approved by the circuit which `transition` opens: the letter of the
    /// transition that waits for it.
    pub fn prepared(&self, transition: &Transition) -> Option<&str> {
        let circuit = transition.opens()?;
        self.transitions.iter().filter(|one| one.approved.as_deref() == Some(circuit)).find_map(Transition::letter)
    }

    /// Every question to agents, in the order of the file.
    pub fn form_fields(&self) -> impl Iterator<Item = &Field> {
        self.transitions.iter().flat_map(|transition| &transition.form)
    }
}
