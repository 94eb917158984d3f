//! Two accounts of one person made one: the account that is open is kept, the other proves itself by its own
//! password (and code) or passkey, and gives up all that it holds. There is no way back.

pub mod pages;
mod preview;
mod store;

use jiff::SignedDuration;

/// Between the proof of the other account and the last confirmation.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// Why two accounts cannot become one as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is the same account.
    Same,
    /// Both hold documents, each encrypted to its own key.
    Documents,
    /// Somebody checked who they are, and they are not the same person.
    Identities,
}

/// What stands against merging: `documents` in the safe of the other account, whether the kept one has a safe,
/// and whether both have a checked identity that differs.
pub fn obstacle(same: bool, documents: i64, kept_has_safe: bool, other_identity: bool) -> Option<Obstacle> {
    if same {
        Some(Obstacle::Same)
    } else if other_identity {
        Some(Obstacle::Identities)
    } else if documents > 0 && kept_has_safe {
        Some(Obstacle::Documents)
    } else {
        None
    }
}

impl Obstacle {
    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "C’est le compte où vous êtes déjà connecté : indiquez l’autre",
            Self::Documents => {
                "Les deux comptes ont des documents dans « Mes documents », chiffrés avec deux clés différentes : connectez-vous à l’autre compte, téléchargez-les, supprimez-les, puis recommencez"
            }
            Self::Identities => {
                "Ces deux comptes ont une identité vérifiée, et ce n’est pas la même : venez au guichet avec une pièce d’identité"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_nobody_becomes_another() {
        assert_eq!(obstacle(false, 0, true, false), None);
        assert_eq!(obstacle(false, 3, false, false), None);
        assert_eq!(obstacle(false, 3, true, false), Some(Obstacle::Documents));
        assert_eq!(obstacle(false, 0, false, true), Some(Obstacle::Identities));
        assert_eq!(obstacle(true, 3, true, false), Some(Obstacle::Same));
    }
}
