//! What can happen at an account's door, and its French words.

use jiff::SignedDuration;

use crate::accounts::means::Means;

/// How long it is kept: long enough to understand a theft, no longer (CNIL, délibération 2021-122, six months
/// to a year for journals).
pub const KEPT: SignedDuration = SignedDuration::from_hours(183 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    SignedIn,
    /// With a recovery code in the place of the application's.
    SignedInByRecovery,
    SignedInByPasskey,
    SignedInByProvider,
    WrongPassword,
    WrongCode,
    WrongPasskey,
    PasswordChanged,
    EmailChangeAsked,
    /// The former address is no longer read: an agent agreed in its place.
    EmailChangeAtCounter,
    EmailChangeRefused,
    EmailChanged,
    FactorSet,
    FactorReplaced,
    FactorRemoved,
    /// By an agent, at the counter.
    FactorReset,
    RecoveryRenewed,
    PasskeyAdded,
    PasskeyRemoved,
    /// A provider's identity opens the account from now on.
    IdentityLinked,
    IdentityUnlinked,
    /// The provider says something else of its owner than before.
    IdentityChanged,
    SessionEnded,
    /// Their civil identity, by an agent, a letter or a provider.
    IdentityVerified,
    IdentityRemoved,
    /// By an agent, for somebody who was there.
    OpenedAtCounter,
    ActivationPrinted,
    Activated,
    /// Somebody proved that it is theirs, to make it one with another account.
    MergeProved,
    /// Another account of the same person was taken up.
    Merged,
    DataExported,
    ReferenceLinked,
    ReferenceUnlinked,
    ReferenceRefused,
    /// The last day of access was set, or taken back.
    EndSet,
    /// Access was cut at once.
    Closed,
    Reopened,
    /// Belongs to a department no longer.
    DepartmentLeft,
}

impl Happened {
    const ALL: [Self; 38] = [
        Self::SignedIn,
        Self::SignedInByRecovery,
        Self::SignedInByPasskey,
        Self::SignedInByProvider,
        Self::WrongPassword,
        Self::WrongCode,
        Self::WrongPasskey,
        Self::PasswordChanged,
        Self::EmailChangeAsked,
        Self::EmailChangeAtCounter,
        Self::EmailChangeRefused,
        Self::EmailChanged,
        Self::FactorSet,
        Self::FactorReplaced,
        Self::FactorRemoved,
        Self::FactorReset,
        Self::RecoveryRenewed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::IdentityChanged,
        Self::SessionEnded,
        Self::IdentityVerified,
        Self::IdentityRemoved,
        Self::OpenedAtCounter,
        Self::ActivationPrinted,
        Self::Activated,
        Self::MergeProved,
        Self::Merged,
        Self::DataExported,
        Self::ReferenceLinked,
        Self::ReferenceUnlinked,
        Self::ReferenceRefused,
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
            Self::SignedInByProvider => "signed-in-by-provider",
            Self::WrongPassword => "wrong-password",
            Self::WrongCode => "wrong-code",
            Self::WrongPasskey => "wrong-passkey",
            Self::PasswordChanged => "password-changed",
            Self::EmailChangeAsked => "email-change-asked",
            Self::EmailChangeAtCounter => "email-change-at-counter",
            Self::EmailChangeRefused => "email-change-refused",
            Self::EmailChanged => "email-changed",
            Self::FactorSet => "factor-set",
            Self::FactorReplaced => "factor-replaced",
            Self::FactorRemoved => "factor-removed",
            Self::FactorReset => "factor-reset",
            Self::RecoveryRenewed => "recovery-renewed",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::IdentityLinked => "identity-linked",
            Self::IdentityUnlinked => "identity-unlinked",
            Self::IdentityChanged => "identity-changed",
            Self::SessionEnded => "session-ended",
            Self::IdentityVerified => "identity-verified",
            Self::IdentityRemoved => "identity-removed",
            Self::OpenedAtCounter => "opened-at-counter",
            Self::ActivationPrinted => "activation-printed",
            Self::Activated => "activated",
            Self::MergeProved => "merge-proved",
            Self::Merged => "merged",
            Self::DataExported => "data-exported",
            Self::ReferenceLinked => "reference-linked",
            Self::ReferenceUnlinked => "reference-unlinked",
            Self::ReferenceRefused => "reference-refused",
            Self::EndSet => "end-set",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::DepartmentLeft => "department-left",
        }
    }

    /// How a code given after the password opened the door.
    pub fn means(self) -> Means {
        if self == Self::SignedInByRecovery { Means::Recovery } else { Means::Code }
    }

    fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|happened| happened.code() == code)
    }

    fn words(self) -> &'static str {
        match self {
            Self::SignedIn => "Connexion",
            Self::SignedInByRecovery => "Connexion avec un code de secours",
            Self::SignedInByPasskey => "Connexion avec une clé d’accès",
            Self::SignedInByProvider => "Connexion par un fournisseur d’identité",
            Self::WrongPassword => "Mot de passe refusé",
            Self::WrongCode => "Code de vérification refusé",
            Self::WrongPasskey => "Clé d’accès refusée",
            Self::PasswordChanged => "Mot de passe changé",
            Self::EmailChangeAsked => "Changement d’adresse électronique demandé",
            Self::EmailChangeAtCounter => "Changement d’adresse électronique demandé au guichet",
            Self::EmailChangeRefused => "Changement d’adresse électronique refusé",
            Self::EmailChanged => "Adresse électronique changée",
            Self::FactorSet => "Second facteur activé",
            Self::FactorReplaced => "Second facteur remplacé",
            Self::FactorRemoved => "Second facteur retiré",
            Self::FactorReset => "Second facteur retiré au guichet",
            Self::RecoveryRenewed => "Codes de secours renouvelés",
            Self::PasskeyAdded => "Clé d’accès ajoutée",
            Self::PasskeyRemoved => "Clé d’accès retirée",
            Self::IdentityLinked => "Identité rattachée",
            Self::IdentityUnlinked => "Identité détachée",
            Self::IdentityChanged => "Identité changée chez le fournisseur",
            Self::SessionEnded => "Appareil déconnecté",
            Self::IdentityVerified => "Identité vérifiée",
            Self::IdentityRemoved => "Identité vérifiée retirée",
            Self::OpenedAtCounter => "Compte ouvert au guichet",
            Self::ActivationPrinted => "Code d’activation imprimé au guichet",
            Self::Activated => "Compte activé",
            Self::MergeProved => "Compte prouvé pour être réuni à un autre",
            Self::Merged => "Autre compte réuni à celui-ci",
            Self::DataExported => "Données téléchargées",
            Self::ReferenceLinked => "Service rattaché",
            Self::ReferenceUnlinked => "Service détaché",
            Self::ReferenceRefused => "Référence de service refusée",
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
            Some(Happened::WrongPassword | Happened::WrongCode | Happened::WrongPasskey | Happened::ReferenceRefused)
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
