//! How sure a session is, as applications ask for it and read it (`acr`): see decision 0019.

use crate::accounts::Means;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One factor.
    One,
    /// Two factors.
    Two,
    /// Two factors that a false site cannot relay.
    Resistant,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Resistant];

    /// REFEDS single-factor and multi-factor profiles; « phr » of OpenID Connect EAP ACR Values 1.0.
    pub fn acr(self) -> &'static str {
        match self {
            Self::One => "https://refeds.org/profile/sfa",
            Self::Two => "https://refeds.org/profile/mfa",
            Self::Resistant => "phr",
        }
    }

    pub fn of(means: Means) -> Self {
        match means {
            Means::Password | Means::Provider => Self::One,
            Means::Code | Means::Recovery | Means::ProviderCode => Self::Two,
            Means::Passkey | Means::SyncedPasskey => Self::Resistant,
        }
    }

    /// What an application is told: the first of what it asked for that is reached; else what there is.
    pub fn told(self, asked: &[Self]) -> Self {
        asked.iter().copied().find(|level| *level <= self).unwrap_or(self)
    }
}

/// Levels of `acr_values`, in their order. None when something is asked for and all of it is unknown here.
pub fn asked(values: &str) -> Option<Vec<Level>> {
    let known: Vec<Level> = values
        .split_whitespace()
        .filter_map(|value| Level::ALL.into_iter().find(|level| level.acr() == value))
        .collect();
    (!known.is_empty() || values.trim().is_empty()).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_and_reached_is_told() {
        let (mfa, phr) = (Level::Two.acr(), Level::Resistant.acr());
        assert_eq!(asked(""), Some(vec![]));
        assert_eq!(asked(&format!("eidas1 {phr} {mfa}")), Some(vec![Level::Resistant, Level::Two]));
        assert_eq!(asked("eidas1 loa-3"), None);
        assert_eq!(Level::Two.told(&[Level::Resistant, Level::Two, Level::One]), Level::Two);
        assert_eq!((Level::Resistant.told(&[Level::One]), Level::Resistant.told(&[])), (Level::One, Level::Resistant));
        assert!(
            Level::of(Means::Password) < Level::of(Means::Recovery)
                && Level::of(Means::Code) < Level::of(Means::SyncedPasskey)
        );
    }
}
