//! SQL on accounts and their links.

use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    activation,
    model::{Identity, email_key},
    password::Print,
    session::{self, Kind},
};
use crate::platform::secret;

row! {
    /// What signing in needs to know.
    #[derive(Debug, Clone)]
    pub struct Credentials {
        pub id: Uuid,
        pub login: String,
        pub email: Option<String>,
        pub password_hash: Option<String>,
        pub confirmed_at: Option<Timestamp>,
    }

    /// What its owner sees of an account, and what mails need.
    #[derive(Debug, Clone)]
    pub struct Account {
        pub id: Uuid,
        pub kind: String,
        /// What its owner signs in with.
        pub login: String,
        /// Where mails go; none: they read the site.
        pub email: Option<String>,
        pub password_hash: Option<String>,
        pub first_name: String,
        pub last_name: String,
        pub phone: Option<String>,
        pub quality: Option<String>,
        pub created_at: Timestamp,
        pub confirmed_at: Option<Timestamp>,
    }
}

impl Credentials {
    pub fn print(&self) -> Print {
        Print::of(self.password_hash.as_deref())
    }
}

impl Account {
    pub fn print(&self) -> Print {
        Print::of(self.password_hash.as_deref())
    }

    pub fn kind(&self) -> Kind {
        if self.kind == Kind::Agent.name() { Kind::Agent } else { Kind::Usager }
    }

    /// What others know of its owner, and try first as a password.
    pub fn known(&self) -> [&str; 3] {
        [&self.first_name, &self.last_name, self.login.split('@').next().unwrap_or_default()]
    }
}

impl From<Account> for Credentials {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            login: account.login,
            email: account.email,
            password_hash: account.password_hash,
            confirmed_at: account.confirmed_at,
        }
    }
}

impl From<Account> for session::Account {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            login: account.login,
            email: account.email,
            first_name: account.first_name,
            last_name: account.last_name,
            phone: account.phone,
            quality: account.quality,
        }
    }
}

/// An account to be.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub id: Uuid,
    pub kind: Kind,
    /// To sign in with, and to write to. Empty: none before its owner confirms one.
    pub email: String,
    /// From [`super::hash`]; none when its owner enters by another way.
    pub password_hash: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub phone: Option<String>,
    /// An agent's quality, on every decision.
    pub quality: Option<String>,
    /// When its owner proved that the address is theirs.
    pub confirmed_at: Option<Timestamp>,
}

/// What a link in a mail is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Confirm,
    Reset,
    NewEmail,
    /// Of a change of address, at the former one.
    OldEmail,
}

impl Purpose {
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::NewEmail => "new-email",
            Self::OldEmail => "old-email",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Confirm, Self::Reset, Self::NewEmail, Self::OldEmail].into_iter().find(|purpose| purpose.name() == name)
    }
}

pub async fn credentials(db: &Db, kind: Kind, login: &str) -> Result<Option<Credentials>, db::Error> {
    db.fresh()
        .first(
            sql!("select id, login, email, password_hash, confirmed_at from account where authority_id = $1 and kind = $2 and login_key = $3 and closed_at is null"),
            args![db.authority(), kind.name(), email_key(login)],
        )
        .await
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<Account>, db::Error> {
    db.fresh()
        .first(
            sql!(
                "select id, kind, login, email, password_hash, first_name, last_name, phone, quality, created_at, confirmed_at from account
                 where authority_id = $1 and id = $2 and closed_at is null"
            ),
            args![db.authority(), id],
        )
        .await
}

pub async fn insert(tx: &mut Tx, new: &NewAccount, now: Timestamp) -> Result<(), db::Error> {
    let email = (!new.email.is_empty()).then_some(new.email.as_str());
    insert_as(tx, new, &new.email, email, now).await
}

/// The same, for who signs in with `login` and is written to at `email`, if at all.
///
/// # Errors
/// `account_login_key` when somebody signs in with that name.
pub async fn insert_as(
    tx: &mut Tx,
    new: &NewAccount,
    login: &str,
    email: Option<&str>,
    now: Timestamp,
) -> Result<(), db::Error> {
    // Without any, the key is one that nobody can type.
    let key = if login.is_empty() { format!(" {}", new.id) } else { email_key(login) };
    tx.run(
        sql!(
            "insert into account (authority_id, id, kind, login, login_key, email, email_key, password_hash, first_name, last_name, phone, quality, created_at, confirmed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        args![
            tx.authority(),
            new.id,
            new.kind.name(),
            login,
            key,
            email,
            email.map(email_key),
            &new.password_hash,
            &new.first_name,
            &new.last_name,
            &new.phone,
            &new.quality,
            now,
            new.confirmed_at
        ],
    )
    .await?;
    Ok(())
}

/// Creates the account, or, when its address was never confirmed, makes it anew: the latest mail is
/// the one that counts. Gives the account's id, and whether it was open already (then nothing changes).
pub async fn register(tx: &mut Tx, new: &NewAccount, now: Timestamp) -> Result<(Uuid, bool), db::Error> {
    let found: Option<(Uuid, Option<Timestamp>)> = tx
        .first(
            sql!("select id, confirmed_at from account where authority_id = $1 and kind = $2 and login_key = $3 for update"),
            args![tx.authority(), new.kind.name(), email_key(&new.email)],
        )
        .await?;
    let Some((id, confirmed)) = found else {
        insert(tx, new, now).await?;
        return Ok((new.id, false));
    };
    if confirmed.is_some() {
        return Ok((id, true));
    }
    drop_links(tx, id).await?;
    tx.run(
        sql!("update account set login = $1, email = $1, password_hash = $2, first_name = $3, last_name = $4, created_at = $5 where authority_id = $6 and id = $7"),
        args![&new.email, &new.password_hash, &new.first_name, &new.last_name, now, tx.authority(), id],
    )
    .await?;
    Ok((id, false))
}

pub async fn confirm(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set confirmed_at = $1 where authority_id = $2 and id = $3 and confirmed_at is null"),
        args![now, tx.authority(), id],
    )
    .await?;
    Ok(())
}

pub async fn set_password(tx: &mut Tx, id: Uuid, hash: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set password_hash = $1 where authority_id = $2 and id = $3"),
        args![hash, tx.authority(), id],
    )
    .await?;
    activation::drop(tx, id).await?;
    Ok(())
}

pub async fn set_identity(tx: &mut Tx, id: Uuid, identity: &Identity, phone: Option<&str>) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set first_name = $1, last_name = $2, phone = $3 where authority_id = $4 and id = $5"),
        args![&identity.first_name, &identity.last_name, phone, tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// Another name, unless its owner has changed it themselves since it was `before` (first, last).
pub async fn rename(tx: &mut Tx, id: Uuid, before: (&str, &str), new: (&str, &str)) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set first_name = $1, last_name = $2 where authority_id = $3 and id = $4 and first_name = $5 and last_name = $6"),
        args![new.0, new.1, tx.authority(), id, before.0, before.1],
    )
    .await?;
    Ok(())
}

pub async fn set_phone(tx: &mut Tx, id: Uuid, phone: &str) -> Result<(), db::Error> {
    tx.run(sql!("update account set phone = $1 where authority_id = $2 and id = $3"), args![phone, tx.authority(), id])
        .await?;
    Ok(())
}

/// Who signs in with their address, or with no name yet, signs in with the new one.
///
/// # Errors
/// `account_login_key` when another account took the address meanwhile.
pub async fn set_email(tx: &mut Tx, id: Uuid, email: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update account set email = $1, email_key = $2, login = case when login_key = email_key or login = '' then $1 else login end,
               login_key = case when login_key = email_key or login = '' then $2 else login_key end where authority_id = $3 and id = $4"),
        args![email, email_key(email), tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// Accounts that are written to at this address: its owner's, and those of who shares the mailbox.
pub async fn at_address(db: &Db, kind: Kind, email: &str) -> Result<Vec<Account>, db::Error> {
    db.fresh()
        .all(
            sql!(
                "select id, kind, login, email, password_hash, first_name, last_name, phone, quality, created_at, confirmed_at from account
                 where authority_id = $1 and kind = $2 and email_key = $3 and closed_at is null order by created_at, id limit 20"
            ),
            args![db.authority(), kind.name(), email_key(email)],
        )
        .await
}

/// Whether the account is there and has no address.
pub async fn unreachable(tx: &mut Tx, id: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from account where authority_id = $1 and id = $2 and email is null"),
            args![tx.authority(), id],
        )
        .await?;
    Ok(found.is_some())
}

/// Holds the row of an account until the transaction ends: what is counted for it in two transactions
/// at once is counted one after the other.
pub async fn hold(tx: &mut Tx, id: Uuid) -> Result<(), db::Error> {
    let _: Option<Uuid> = tx
        .first(sql!("select id from account where authority_id = $1 and id = $2 for update"), args![tx.authority(), id])
        .await?;
    Ok(())
}

/// Forgets the accounts that nobody confirmed since then: the address is free again. Those of the counter wait
/// for their code, and have no password.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "delete from account where authority_id = $1 and kind = $2 and confirmed_at is null and closed_at is null
               and password_hash is not null and created_at < $3"
        ),
        args![tx.authority(), Kind::Usager.name(), before],
    )
    .await?;
    Ok(())
}

/// Erases the account, its sessions and its links.
pub async fn remove(tx: &mut Tx, id: Uuid) -> Result<(), db::Error> {
    // With what is left of the accounts that it took up.
    tx.run(
        sql!("delete from account where authority_id = $1 and (id = $2 or merged_into = $2)"),
        args![tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// A link as its mail says it: which account, and the address it was sent to.
#[derive(Debug, Clone)]
pub struct Link {
    pub purpose: Purpose,
    pub account: Uuid,
    pub email: String,
}

/// Keeps a link; its token is only in the mail.
pub async fn add_link(tx: &mut Tx, token: &str, link: &Link, expires: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("insert into link (authority_id, token_hash, purpose, account_id, email, expires_at) values ($1, $2, $3, $4, $5, $6)"),
        args![tx.authority(), secret::digest(token), link.purpose.name(), link.account, &link.email, expires],
    )
    .await?;
    Ok(())
}

/// The link of this token, while it may be used.
pub async fn link(db: &Db, token: &str, now: Timestamp) -> Result<Option<Link>, db::Error> {
    let found: Option<(String, Uuid, String)> = db
        .fresh()
        .first(
            sql!("select purpose, account_id, email from link where authority_id = $1 and token_hash = $2 and used_at is null and expires_at > $3"),
            args![db.authority(), secret::digest(token), now],
        )
        .await?;
    Ok(found.and_then(|(purpose, account, email)| Some(Link { purpose: Purpose::named(&purpose)?, account, email })))
}

/// Uses the link up: false when somebody did before, or when it is too old.
pub async fn use_link(tx: &mut Tx, token: &str, now: Timestamp) -> Result<bool, db::Error> {
    let used = tx
        .run(
            sql!("update link set used_at = $1 where authority_id = $2 and token_hash = $3 and used_at is null and expires_at > $1"),
            args![now, tx.authority(), secret::digest(token)],
        )
        .await?;
    Ok(used == 1)
}

/// No link sent before is good any more, and no change of address is under way.
pub async fn drop_links(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    tx.run(sql!("delete from link where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    tx.run(
        sql!("delete from email_change where authority_id = $1 and account_id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}
