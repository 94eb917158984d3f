//! What is traced, and how a line is hashed.

use jiff::{Timestamp, civil::Date};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::visit::Agent;

/// What was done. Codes are kept for ever; words are for administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A request's page, or a form about it.
    RequestOpened,
    RequestPrinted,
    FileOpened,
    /// Its reference and code were given, without an account.
    RequestFollowed,
    /// What is shown of it to who is asked for an opinion.
    OpinionOpened,
    /// What is shown of it to who is asked to approve.
    ApprovalOpened,
    /// An entry of its history: `detail` is the entry's code.
    RequestChanged,
    /// By an agent, for somebody: `detail` is the channel.
    RequestFiled,
    /// A draft of the department that a colleague began.
    DraftOpened,
    /// The list of requests was searched: `detail` is a keyed hash of what was typed.
    RequestsSearched,
    /// A list of requests was taken away: `detail` is its format. Each of its requests has its own line.
    RequestsExported,
    RequestExported,
    /// Accounts of usagers were searched: `detail` is a keyed hash of what was typed.
    AccountsSearched,
    AccountOpened,
    /// By somebody else than its owner: `detail` is the code of the account's history.
    AccountChanged,
    AccountsMerged,
    /// An usager took all of their data away, or an agent what they asked for themself.
    DataExported,
    /// Letters with codes, for people who are named on them.
    LettersOpened,
    LettersPrinted,
    LettersPosted,
    /// The list of what could not be sent, with addresses.
    FailuresOpened,
    /// What usagers said of their requests.
    CommentsOpened,
    OrganisationOpened,
    /// By an agent, about an organisation or a mandate: `detail` is the code of its history.
    ActingChanged,
    AgentSignedIn,
    /// A version of a template: `detail` is its code and version.
    TemplateChanged,
    /// A line of the register of delegations: `detail` is a minus when it was ended.
    DelegationChanged,
    /// `detail`: administrator, or department and role; with a minus, taken away.
    RightsChanged,
    /// Closed days with a plus or a minus, and other public holidays.
    CalendarChanged,
    /// `detail`: what happened and the application's id; `webhook` before it when it is one that procedures call.
    ApplicationChanged,
    /// `detail`: what happened and the provider's id.
    ProviderChanged,
    /// About a list of what is eliminated. `detail`: made, kept, dropped, visa or done, and how many.
    ArchivesChanged,
    /// `detail`: held, or released.
    RequestHeld,
    /// The list of those to qualify, or one of them.
    ContactsOpened,
    /// `detail`: recorded, tied, closed, or the department it was handed to.
    ContactChanged,
    /// A batch of scanned pages, pictures of which are read with it.
    ScansOpened,
    /// `detail`: recorded, cut, or what became of a document.
    ScansChanged,
    /// The answers to a survey: `detail` is its id.
    SurveyExported,
    /// Its results, to everybody: `detail` is its id, with a minus when they are withdrawn.
    SurveyPublished,
    JournalRead,
    /// `detail`: how many lines.
    JournalErased,
}

impl Action {
    pub const ALL: [Self; 41] = [
        Self::RequestOpened,
        Self::RequestPrinted,
        Self::FileOpened,
        Self::RequestFollowed,
        Self::OpinionOpened,
        Self::ApprovalOpened,
        Self::RequestChanged,
        Self::RequestFiled,
        Self::DraftOpened,
        Self::RequestsSearched,
        Self::RequestsExported,
        Self::RequestExported,
        Self::AccountsSearched,
        Self::AccountOpened,
        Self::AccountChanged,
        Self::AccountsMerged,
        Self::DataExported,
        Self::LettersOpened,
        Self::LettersPrinted,
        Self::LettersPosted,
        Self::FailuresOpened,
        Self::CommentsOpened,
        Self::OrganisationOpened,
        Self::ActingChanged,
        Self::AgentSignedIn,
        Self::TemplateChanged,
        Self::DelegationChanged,
        Self::RightsChanged,
        Self::CalendarChanged,
        Self::ApplicationChanged,
        Self::ProviderChanged,
        Self::ArchivesChanged,
        Self::RequestHeld,
        Self::ContactsOpened,
        Self::ContactChanged,
        Self::ScansOpened,
        Self::ScansChanged,
        Self::SurveyExported,
        Self::SurveyPublished,
        Self::JournalRead,
        Self::JournalErased,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::RequestOpened => "request-opened",
            Self::RequestPrinted => "request-printed",
            Self::FileOpened => "file-opened",
            Self::RequestFollowed => "request-followed",
            Self::OpinionOpened => "opinion-opened",
            Self::ApprovalOpened => "approval-opened",
            Self::RequestChanged => "request-changed",
            Self::RequestFiled => "request-filed",
            Self::DraftOpened => "draft-opened",
            Self::RequestsSearched => "requests-searched",
            Self::RequestsExported => "requests-exported",
            Self::RequestExported => "request-exported",
            Self::AccountsSearched => "accounts-searched",
            Self::AccountOpened => "account-opened",
            Self::AccountChanged => "account-changed",
            Self::AccountsMerged => "accounts-merged",
            Self::DataExported => "data-exported",
            Self::LettersOpened => "letters-opened",
            Self::LettersPrinted => "letters-printed",
            Self::LettersPosted => "letters-posted",
            Self::FailuresOpened => "failures-opened",
            Self::CommentsOpened => "comments-opened",
            Self::OrganisationOpened => "organisation-opened",
            Self::ActingChanged => "acting-changed",
            Self::AgentSignedIn => "agent-signed-in",
            Self::TemplateChanged => "template-changed",
            Self::DelegationChanged => "delegation-changed",
            Self::RightsChanged => "rights-changed",
            Self::CalendarChanged => "calendar-changed",
            Self::ApplicationChanged => "application-changed",
            Self::ProviderChanged => "provider-changed",
            Self::ArchivesChanged => "archives-changed",
            Self::RequestHeld => "request-held",
            Self::ContactsOpened => "contacts-opened",
            Self::ContactChanged => "contact-changed",
            Self::ScansOpened => "scans-opened",
            Self::ScansChanged => "scans-changed",
            Self::SurveyExported => "survey-exported",
            Self::SurveyPublished => "survey-published",
            Self::JournalRead => "journal-read",
            Self::JournalErased => "journal-erased",
        }
    }

    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::RequestOpened => "Dossier ouvert",
            Self::RequestPrinted => "Dossier imprimé",
            Self::FileOpened => "Pièce ouverte",
            Self::RequestFollowed => "Suivi ouvert avec le code",
            Self::OpinionOpened => "Dossier ouvert pour un avis",
            Self::ApprovalOpened => "Dossier ouvert pour un visa",
            Self::RequestChanged => "Action sur un dossier",
            Self::RequestFiled => "Demande déposée pour un usager",
            Self::DraftOpened => "Brouillon du service ouvert",
            Self::RequestsSearched => "Recherche de dossiers",
            Self::RequestsExported => "Liste de dossiers exportée",
            Self::RequestExported => "Dossier exporté",
            Self::AccountsSearched => "Recherche d’un compte",
            Self::AccountOpened => "Compte d’usager ouvert",
            Self::AccountChanged => "Compte changé",
            Self::AccountsMerged => "Comptes réunis",
            Self::DataExported => "Données téléchargées par la personne",
            Self::LettersOpened => "Lettres à poster consultées",
            Self::LettersPrinted => "Lettres imprimées",
            Self::LettersPosted => "Lettres postées",
            Self::FailuresOpened => "Envois en échec consultés",
            Self::CommentsOpened => "Avis d’usagers consultés",
            Self::OrganisationOpened => "Organisation ouverte",
            Self::ActingChanged => "Organisation ou mandat changé",
            Self::AgentSignedIn => "Connexion d’un agent",
            Self::TemplateChanged => "Modèle de lettre, de courriel ou de SMS changé",
            Self::DelegationChanged => "Délégation de signature notée ou terminée",
            Self::RightsChanged => "Droits d’un agent changés",
            Self::CalendarChanged => "Calendrier changé",
            Self::ApplicationChanged => "Application reliée changée",
            Self::ProviderChanged => "Fournisseur d’identité changé",
            Self::ArchivesChanged => "Bordereau d’élimination changé",
            Self::RequestHeld => "Demande gelée ou libérée",
            Self::ContactsOpened => "Contacts à qualifier consultés",
            Self::ContactChanged => "Contact à qualifier traité",
            Self::ScansOpened => "Courrier numérisé ouvert",
            Self::ScansChanged => "Courrier numérisé reçu ou réparti",
            Self::SurveyExported => "Réponses à une enquête téléchargées",
            Self::SurveyPublished => "Résultats d’enquête publiés ou retirés",
            Self::JournalRead => "Journal consulté",
            Self::JournalErased => "Lignes du journal effacées",
        }
    }
}

/// A line to write.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub action: Action,
    /// `agent`, `usager`, `expert` (asked for an opinion from outside), `system` or `operator`.
    pub actor_kind: &'a str,
    pub actor_id: Option<Uuid>,
    /// None: that of the request, if there is one.
    pub department: Option<&'a str>,
    pub subject: Option<(&'static str, Uuid)>,
    pub request: Option<Uuid>,
    pub detail: &'a str,
    pub day: Option<Date>,
}

impl<'a> Line<'a> {
    fn new(action: Action, actor_kind: &'a str, actor_id: Option<Uuid>) -> Self {
        Self { action, actor_kind, actor_id, department: None, subject: None, request: None, detail: "", day: None }
    }

    pub fn agent(agent: &Agent, action: Action) -> Self {
        Self::new(action, "agent", Some(agent.account.id))
    }

    /// None: without an account.
    pub fn usager(account: impl Into<Option<Uuid>>, action: Action) -> Self {
        Self::new(action, "usager", account.into())
    }

    /// By somebody outside who was asked for an opinion.
    pub fn expert(action: Action) -> Self {
        Self::new(action, "expert", None)
    }

    /// By this agent; none: by the operator, or by the program itself.
    pub fn city(agent: Option<Uuid>, action: Action) -> Self {
        Self::new(action, if agent.is_some() { "agent" } else { "operator" }, agent)
    }

    /// An entry of a request's history, by whoever wrote it.
    pub fn entry(request: Uuid, actor: &'a str, actor_id: Option<Uuid>, code: &'a str) -> Self {
        Self::new(Action::RequestChanged, actor, actor_id).request(request).detail(code)
    }

    pub fn about(self, kind: &'static str, id: Uuid) -> Self {
        Self { subject: Some((kind, id)), ..self }
    }

    pub fn request(self, id: Uuid) -> Self {
        Self { request: Some(id), ..self }
    }

    pub fn department(self, id: &'a str) -> Self {
        Self { department: Some(id), ..self }
    }

    pub fn detail(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }

    /// Its owner is to see this reading, on this day.
    pub fn on(self, day: Date) -> Self {
        Self { day: Some(day), ..self }
    }
}

db::row! {
    /// A line as it is kept.
    #[derive(Debug, Clone)]
    pub struct Kept {
        pub id: Uuid,
        pub at: Timestamp,
        pub day: Option<Date>,
        pub action: String,
        pub actor_kind: String,
        pub actor_id: Option<Uuid>,
        pub department_id: Option<String>,
        pub subject_kind: Option<String>,
        pub subject_id: Option<Uuid>,
        pub request_id: Option<Uuid>,
        pub detail: String,
        pub salt: Vec<u8>,
    }
}

impl Kept {
    /// SHA-256 of the salt and every part of the line, each after its length. A part that is absent is not an
    /// empty one. Never changes: another shape would get another first word.
    pub fn hash(&self, authority: Uuid) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update([0]),
        };
        part(Some(b"guichet journal 1"));
        part(Some(&self.salt));
        part(Some(authority.as_bytes()));
        part(Some(self.id.as_bytes()));
        part(Some(&self.at.as_microsecond().to_be_bytes()));
        part(self.day.map(|day| day.to_string()).as_deref().map(str::as_bytes));
        part(Some(self.action.as_bytes()));
        part(Some(self.actor_kind.as_bytes()));
        part(self.actor_id.as_ref().map(|id| &id.as_bytes()[..]));
        part(self.department_id.as_deref().map(str::as_bytes));
        part(self.subject_kind.as_deref().map(str::as_bytes));
        part(self.subject_id.as_ref().map(|id| &id.as_bytes()[..]));
        part(self.request_id.as_ref().map(|id| &id.as_bytes()[..]));
        part(Some(self.detail.as_bytes()));
        hash.finalize().into()
    }
}
