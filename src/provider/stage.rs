//! SQL on who is on their way through a provider, and on the sessions it opened.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

row! {
    /// Somebody on their way.
    #[derive(Debug, Clone)]
    pub struct Attempt {
        pub provider_id: String,
        pub sealed: Vec<u8>,
    }
}

/// Where somebody on their way stands.
pub const ASKED: &str = "asked";
pub const ARRIVED: &str = "arrived";
/// Back from the provider, the second factor is awaited.
pub const CODE: &str = "code";

/// Somebody on their way, to be kept.
pub struct NewAttempt<'a> {
    pub hash: &'a [u8],
    pub provider: &'a str,
    pub browser: &'a [u8],
    pub stage: &'a str,
    pub sealed: &'a [u8],
    pub expires: Timestamp,
}

pub async fn keep(tx: &mut Tx, new: &NewAttempt<'_>) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into provider_attempt (authority_id, hash, provider_id, browser, stage, sealed, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (authority_id, hash) do update set provider_id = excluded.provider_id, sealed = excluded.sealed, expires_at = excluded.expires_at"
        ),
        args![tx.authority(), new.hash, new.provider, new.browser, new.stage, new.sealed, new.expires],
    )
    .await?;
    Ok(())
}

/// Looks at who is on their way in this browser, and leaves it there.
pub async fn look(
    db: &Db,
    hash: &[u8],
    browser: &[u8],
    stage: &str,
    now: Timestamp,
) -> Result<Option<Attempt>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select provider_id, sealed from provider_attempt
                 where authority_id = $1 and hash = $2 and browser = $3 and stage = $4 and expires_at > $5"
            ),
            args![db.authority(), hash, browser, stage, now],
        )
        .await
}

/// The same, taken away: it serves once, whatever comes of it.
pub async fn take(
    tx: &mut Tx,
    hash: &[u8],
    browser: &[u8],
    stage: &str,
    now: Timestamp,
) -> Result<Option<Attempt>, db::Error> {
    tx.first(
        sql!(
            "delete from provider_attempt where authority_id = $1 and hash = $2 and browser = $3 and stage = $4 and expires_at > $5
             returning provider_id, sealed"
        ),
        args![tx.authority(), hash, browser, stage, now],
    )
    .await
}

/// Forgets who did not come back.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from provider_attempt where authority_id = $1 and expires_at <= $2"),
        args![tx.authority(), now],
    )
    .await?;
    Ok(())
}

/// A session was opened through a provider. False when this subject is not linked to its account.
pub async fn vouch(
    tx: &mut Tx,
    session: Uuid,
    (provider, subject): (&str, &str),
    sealed: &[u8],
    proved_at: Option<Timestamp>,
) -> Result<bool, db::Error> {
    let noted = tx
        .run(
            sql!(
                "insert into provider_session (authority_id, session_id, provider_id, sealed, proved_at)
                 select s.authority_id, s.id, l.provider_id, $5, $6 from session s
                 join provider_link l on l.authority_id = s.authority_id and l.account_id = s.account_id
                 where s.authority_id = $1 and s.id = $2 and l.provider_id = $3 and l.subject = $4
                 on conflict (authority_id, session_id) do update set provider_id = excluded.provider_id, sealed = excluded.sealed, proved_at = excluded.proved_at"
            ),
            args![tx.authority(), session, provider, subject, sealed, proved_at],
        )
        .await?;
    Ok(noted == 1)
}

/// The provider that opened a session, with the sealed ID token.
pub async fn opened(db: &Db, session: Uuid) -> Result<Option<Attempt>, db::Error> {
    db.fresh()
        .first(
            sql!("select provider_id, sealed from provider_session where authority_id = $1 and session_id = $2"),
            args![db.authority(), session],
        )
        .await
}
