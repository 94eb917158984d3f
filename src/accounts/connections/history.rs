//! What can happen at an account's door, and its French words.

use jiff::SignedDuration;

/// How long it is kept: long enough to understand a theft, no longer (CNIL, délibération 2021-122, six months
/// to a year for journals).
pub const KEPT: SignedDuration = SignedDuration::from_hours(183 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    SignedIn,
    /// With a recovery code in the place of the application's.
    SignedInByRecovery,
    SignedInByPasskey,
    WrongPassword,
    WrongCode,
    WrongPasskey,
    PasswordChanged,
    EmailChanged,
    FactorSet,
    FactorReplaced,
    FactorRemoved,
    /// By an agent, at the counter.
    FactorReset,
    RecoveryRenewed,
    PasskeyAdded,
    PasskeyRemoved,
    SessionEnded,
    /// The last day of access was set, or taken back.
    EndSet,
    /// Access was cut at once.
    Closed,
    Reopened,
    /// Belongs to a department no longer.
    DepartmentLeft,
}

impl Happened {
    const ALL: [Self; 20] = [
        Self::SignedIn,
        Self::SignedInByRecovery,
        Self::SignedInByPasskey,
        Self::WrongPassword,
        Self::WrongCode,
        Self::WrongPasskey,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::FactorSet,
        Self::FactorReplaced,
        Self::FactorRemoved,
        Self::FactorReset,
        Self::RecoveryRenewed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::SessionEnded,
        Self::EndSet,
        Self::Closed,
        Self::Reopened,
        Self::DepartmentLeft,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignedInByRecovery => "signed-in-by-recovery",
            Self::SignedInByPasskey => "signed-in-by-passkey",
            Self::WrongPassword => "wrong-password",
            Self::WrongCode => "wrong-code",
            Self::WrongPasskey => "wrong-passkey",
            Self::PasswordChanged => "password-changed",
            Self::EmailChanged => "email-changed",
            Self::FactorSet => "factor-set",
            Self::FactorReplaced => "factor-replaced",
            Self::FactorRemoved => "factor-removed",
            Self::FactorReset => "factor-reset",
            Self::RecoveryRenewed => "recovery-renewed",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::SessionEnded => "session-ended",
            Self::EndSet => "end-set",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::DepartmentLeft => "department-left",
        }
    }

    fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|happened| happened.code() == code)
    }

    fn words(self) -> &'static str {
        match self {
            Self::SignedIn => "Connexion",
            Self::SignedInByRecovery => "Connexion avec un code de secours",
            Self::SignedInByPasskey => "Connexion avec une clé d’accès",
            Self::WrongPassword => "Mot de passe refusé",
            Self::WrongCode => "Code de vérification refusé",
            Self::WrongPasskey => "Clé d’accès refusée",
            Self::PasswordChanged => "Mot de passe changé",
            Self::EmailChanged => "Adresse électronique changée",
            Self::FactorSet => "Second facteur activé",
            Self::FactorReplaced => "Second facteur remplacé",
            Self::FactorRemoved => "Second facteur retiré",
            Self::FactorReset => "Second facteur retiré au guichet",
            Self::RecoveryRenewed => "Codes de secours renouvelés",
            Self::PasskeyAdded => "Clé d’accès ajoutée",
            Self::PasskeyRemoved => "Clé d’accès retirée",
            Self::SessionEnded => "Appareil déconnecté",
            Self::EndSet => "Fin d’accès changée",
            Self::Closed => "Accès coupé",
            Self::Reopened => "Accès rouvert",
            Self::DepartmentLeft => "Service quitté",
        }
    }
}

db::row! {
    #[derive(Debug, Clone)]
    pub struct Event {
        pub at: jiff::Timestamp,
        pub code: String,
        pub device: String,
        pub network: String,
        pub reason: Option<String>,
    }
}

impl Event {
    pub fn words(&self) -> &str {
        match Happened::named(&self.code) {
            Some(happened) => happened.words(),
            None => &self.code,
        }
    }

    /// Somebody was turned away: shown apart.
    pub fn refused(&self) -> bool {
        matches!(
            Happened::named(&self.code),
            Some(Happened::WrongPassword | Happened::WrongCode | Happened::WrongPasskey)
        )
    }

    /// « Firefox sur Windows, réseau 192.0.2.0/24 ».
    pub fn place(&self) -> String {
        let network = (!self.network.is_empty()).then(|| format!("réseau {}", self.network));
        [Some(self.device.clone()).filter(|device| !device.is_empty()), network]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }
}
