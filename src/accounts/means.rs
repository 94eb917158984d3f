//! How a session was opened.

use db::Db;
use uuid::Uuid;

use super::{connections::Happened, factor, passkey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    Password,
    /// The password, then a code of an application.
    Code,
    /// The password, then a recovery code.
    Recovery,
    /// A passkey that stays on its device.
    Passkey,
    /// Another's identity (a provider's).
    Provider,
    /// The same, then a code.
    ProviderCode,
    /// A passkey that its maker may copy to other devices.
    SyncedPasskey,
}

impl Means {
    const ALL: [Self; 7] = [
        Self::Password,
        Self::Code,
        Self::Recovery,
        Self::Provider,
        Self::ProviderCode,
        Self::Passkey,
        Self::SyncedPasskey,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Recovery => "recovery",
            Self::Provider => "provider",
            Self::ProviderCode => "provider-code",
            Self::Passkey => "passkey",
            Self::SyncedPasskey => "synced-passkey",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.name() == name)
    }

    /// At a provider, then what is asked here: nothing, or a code.
    pub fn of_provider(how: Happened) -> Self {
        if how == Happened::SignedInByProvider { Self::Provider } else { Self::ProviderCode }
    }

    /// What applications read (`amr`, RFC 8176). A recovery code is no one-time password of a generator; the
    /// owner’s presence is always checked by a passkey’s device. Whether a key is secured by hardware is what
    /// the device says of it: nobody attests it.
    pub fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::Code => &["pwd", "otp", "mfa"],
            Self::Recovery => &["pwd", "mfa"],
            // RFC 8176 has no word for it, and how the provider judged is not ours to tell.
            Self::Provider => &[],
            Self::ProviderCode => &["mfa"],
            Self::Passkey => &["hwk", "user", "mfa"],
            Self::SyncedPasskey => &["swk", "user", "mfa"],
        }
    }
}

/// The strongest way in that an account has.
pub async fn strongest(db: &Db, account: Uuid) -> Result<Means, db::Error> {
    if passkey::present(db, account).await? {
        return Ok(Means::Passkey);
    }
    Ok(if factor::present(db, account).await? { Means::Code } else { Means::Password })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for means in Means::ALL {
            assert_eq!(Means::named(means.name()), Some(means));
        }
        assert_eq!(Means::named("x"), None);
    }
}
