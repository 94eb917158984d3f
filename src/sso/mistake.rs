//! What is wrong in a declaration, told to who wrote the file and to who filled in the form.

use crate::platform::address::Wrong;

/// Most addresses in one list.
pub const MOST: usize = 50;

/// Something wrong in a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// As the file names it; empty when it is about the whole.
    pub key: &'static str,
    reason: Reason,
    /// The address that is wrong.
    value: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Id,
    Name,
    NoProtocol,
    Missing,
    TooMany,
    Address(Wrong),
    Https,
    Query,
}

impl Mistake {
    pub fn new(key: &'static str, reason: Reason) -> Self {
        Self { key, reason, value: None }
    }

    pub fn of(key: &'static str, reason: Reason, value: &str) -> Self {
        Self { key, reason, value: Some(value.to_owned()) }
    }

    /// For the command line.
    pub fn english(&self) -> String {
        let text = match self.reason {
            Reason::Id => "small letters, digits and dashes, 60 at most",
            Reason::Name => "1 to 100 characters",
            Reason::NoProtocol => return "[oidc] or [cas] is missing".to_owned(),
            Reason::Missing => "one at least",
            Reason::TooMany => "50 at most",
            Reason::Address(wrong) => wrong.english(),
            Reason::Https => "must begin with https://",
            Reason::Query => "the beginning of an address has no « ? »",
        };
        match &self.value {
            Some(value) => format!("{}: {value}: {text}", self.key),
            None => format!("{}: {text}", self.key),
        }
    }

    /// For who fills in the form.
    pub fn french(&self) -> String {
        let value: String = self.value.as_deref().unwrap_or_default().chars().take(100).collect();
        let said = |text: &str| format!("«\u{a0}{value}\u{a0}» {text}");
        match self.reason {
            Reason::Id => {
                "Saisissez un identifiant de 60 caractères au plus, en lettres minuscules sans accent, chiffres et tirets"
                    .to_owned()
            }
            Reason::Name => "Saisissez le nom de l’application, en 100 caractères au plus".to_owned(),
            Reason::NoProtocol => "Choisissez au moins un protocole".to_owned(),
            Reason::Missing => "Saisissez au moins une adresse".to_owned(),
            Reason::TooMany => format!("Gardez {MOST} adresses au plus"),
            Reason::Address(Wrong::NotAnAddress) => {
                said("n’est pas une adresse complète, comme https://exemple.fr/retour")
            }
            Reason::Address(Wrong::NotHttps) => {
                said("doit commencer par https:// (http:// n’est accepté que pour localhost)")
            }
            Reason::Address(Wrong::TooMuch) => {
                said("ne doit contenir ni nom d’utilisateur, ni mot de passe, ni «\u{a0}#\u{a0}»")
            }
            Reason::Address(Wrong::TooLong) => said("est trop long\u{a0}: 1\u{a0}000 caractères au plus"),
            Reason::Https => said("doit commencer par https://"),
            Reason::Query => said("est un début d’adresse, qui ne contient pas de «\u{a0}?\u{a0}»"),
        }
    }
}
