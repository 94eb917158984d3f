//! The opening of a session, at both doors: what was proved is looked at once more in the transaction that opens it.

use axum::http::StatusCode;
use db::Tx;
use uuid::Uuid;

use super::{
    connections::{self, Happened},
    entry, jobs,
    means::Means,
    passkey::door,
    password::Print,
    session::{self, Entrant, Kind, Opened},
};
use crate::{provider, visit::Visit};

/// What opened the door last. No password goes through here: its print only.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// A password alone: no second factor was asked.
    Password(Print),
    /// After this password.
    Code(Print),
    Passkey(door::Proved),
    /// With a code, of an account that had this password.
    Provider(&'a provider::Proved, Option<Print>),
}

impl<'a> Proof<'a> {
    /// A code, after a password or after a provider (`before`).
    pub fn code(print: Print, before: Option<&'a provider::Proved>) -> Self {
        before.map_or(Self::Code(print), |proved| Self::Provider(proved, Some(print)))
    }

    fn means(self, how: Happened) -> Means {
        match self {
            Self::Password(_) => Means::Password,
            Self::Code(_) => how.means(),
            Self::Passkey(proved) => proved.means(),
            Self::Provider(..) => Means::of_provider(how),
        }
    }

    fn print(self) -> Option<Print> {
        match self {
            Self::Password(print) | Self::Code(print) => Some(print),
            Self::Provider(_, print) => print,
            Self::Passkey(_) => None,
        }
    }

    /// Where and what to say when it opens nothing any more: the account changed, or a provider's identity was
    /// unlinked meanwhile.
    pub fn closed(self) -> (StatusCode, String, String) {
        match self {
            Self::Provider(proved, _) => {
                let (field, text) = proved.closed();
                (StatusCode::FORBIDDEN, field, text)
            }
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "email".to_owned(), entry::CHANGED.to_owned()),
        }
    }
}

/// Who comes in, by which door and how.
pub struct Opening<'a> {
    visit: &'a Visit,
    kind: Kind,
    account: Uuid,
    how: Happened,
    proof: Proof<'a>,
    /// The provider's ID token as the session keeps it.
    sealed: Vec<u8>,
}

impl<'a> Opening<'a> {
    /// # Errors
    /// Only when a provider's token is too long to encrypt.
    pub fn of(visit: &'a Visit, kind: Kind, account: Uuid, how: Happened, proof: Proof<'a>) -> anyhow::Result<Self> {
        let sealed = match proof {
            Proof::Provider(proved, _) => proved.seal(visit)?,
            _ => Vec::new(),
        };
        Ok(Self { visit, kind, account, how, proof, sealed })
    }

    /// A new session for the account, which its history remembers; the caller ends the one that was there before.
    /// None when the account is no longer as it was proved: nothing is open then.
    pub async fn open(&self, tx: &mut Tx) -> Result<Option<Opened>, db::Error> {
        let Self { visit, kind, account, how, proof, .. } = *self;
        if let Proof::Passkey(proved) = proof
            && !proved.still(tx).await?
        {
            return Ok(None);
        }
        let who = Entrant { account, means: proof.means(how), print: proof.print() };
        let Some(opened) = session::enter(tx, visit, kind, who).await? else { return Ok(None) };
        match proof {
            Proof::Provider(proved, _) => {
                if !proved.vouch(tx, opened.id, &self.sealed).await? {
                    session::close(tx, opened.id).await?;
                    return Ok(None);
                }
                connections::remember_with(tx, visit, account, how, &proved.name).await?;
            }
            Proof::Passkey(proved) => {
                proved.vouch(tx, opened.id).await?;
                connections::remember(tx, visit, account, how).await?;
            }
            Proof::Password(_) | Proof::Code(_) => connections::remember(tx, visit, account, how).await?,
        }
        jobs::tell_recovery(tx, visit, account, how).await?;
        Ok(Some(opened))
    }
}
