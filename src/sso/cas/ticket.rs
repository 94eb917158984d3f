//! Tickets: random, kept as hashes, good once.

use data_encoding::BASE32_NOPAD;
use db::{Json, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::platform::secret;

/// The specification allows five minutes at most.
const LASTS: SignedDuration = SignedDuration::from_mins(2);
/// A proxy-granting ticket ends with its session, and after a working day at the latest.
const GRANTING_LASTS: SignedDuration = SignedDuration::from_hours(12);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Service,
    Proxy,
    Granting,
}

impl Kind {
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Service => "ST",
            Self::Proxy => "PT",
            Self::Granting => "PGT",
        }
    }

    pub fn of(ticket: &str) -> Option<Self> {
        let prefix = ticket.split_once('-')?.0;
        [Self::Service, Self::Proxy, Self::Granting].into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// Clients must take service and proxy tickets of 32 characters, granting ones of 64.
    pub fn make(self) -> String {
        match self {
            Self::Granting => long(self.prefix()),
            Self::Service | Self::Proxy => {
                format!("{}-{}", self.prefix(), BASE32_NOPAD.encode(&rand::random::<[u8; 16]>()))
            }
        }
    }

    fn lasts(self) -> SignedDuration {
        if self == Self::Granting { GRANTING_LASTS } else { LASTS }
    }
}

/// 256 random bits after a prefix.
pub fn long(prefix: &str) -> String {
    format!("{prefix}-{}", BASE32_NOPAD.encode(&rand::random::<[u8; 32]>()))
}

/// What a ticket stands for.
#[derive(Debug, Clone)]
pub struct New {
    pub kind: Kind,
    pub client: String,
    pub service: String,
    pub session: Uuid,
    pub renewed: bool,
    pub proxies: Vec<String>,
}

row! {
    #[derive(Debug, Clone)]
    pub struct Found {
        pub kind: String,
        pub client_id: String,
        pub service: String,
        pub session_id: Uuid,
        pub renewed: bool,
        pub proxies: Json<Vec<String>>,
        pub expires_at: Timestamp,
    }
}

pub async fn keep(tx: &mut Tx, ticket: &str, new: &New, now: Timestamp) -> Result<(), db::Error> {
    let until = now.checked_add(new.kind.lasts()).unwrap_or(now);
    tx.run(
        sql!(
            "insert into sso_ticket (authority_id, hash, kind, client_id, service, session_id, renewed, proxies, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        args![
            tx.authority(),
            secret::digest(ticket),
            new.kind.prefix(),
            &new.client,
            &new.service,
            new.session,
            new.renewed,
            Json(&new.proxies),
            until
        ],
    )
    .await?;
    Ok(())
}

/// Takes a service or proxy ticket away for good, whatever is then made of it.
pub async fn take(tx: &mut Tx, ticket: &str) -> Result<Option<Found>, db::Error> {
    tx.first(
        sql!(
            "delete from sso_ticket where authority_id = $1 and hash = $2 and kind in ('ST', 'PT')
             returning kind, client_id, service, session_id, renewed, proxies, expires_at"
        ),
        args![tx.authority(), secret::digest(ticket)],
    )
    .await
}

/// A granting ticket still good: it may be used many times.
pub async fn granting(tx: &mut Tx, ticket: &str, now: Timestamp) -> Result<Option<Found>, db::Error> {
    tx.first(
        sql!(
            "select kind, client_id, service, session_id, renewed, proxies, expires_at from sso_ticket
             where authority_id = $1 and hash = $2 and kind = 'PGT' and expires_at > $3"
        ),
        args![tx.authority(), secret::digest(ticket), now],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_fit_their_clients() {
        for (kind, most) in [(Kind::Service, 32), (Kind::Proxy, 32), (Kind::Granting, 64)] {
            let ticket = kind.make();
            assert!(ticket.len() <= most && ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            assert_eq!(Kind::of(&ticket), Some(kind));
            assert_ne!(ticket, kind.make());
        }
        assert!(long("PGTIOU").len() <= 64);
        assert_eq!((Kind::of("ST"), Kind::of("LT-1"), Kind::of("")), (None, None, None));
    }
}
