//! An agent at the door: the directory judges their password, and opens their account the first time.

use db::{Tx, args, sql};
use uuid::Uuid;

use super::{
    Known, ldap, of,
    person::Person,
    refresh,
    store::{self, Linked},
};
use crate::{
    accounts::{self, NewAccount, ending, session::Kind},
    error::Problem,
    visit::Visit,
};

/// What the directory has to say of somebody at the agents' door.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the password kept here decides.
    NotMine,
    /// The right password, and an account up to date: what it signs in with.
    Enters(String),
    Wrong,
    /// Right, but none of their groups gives a role here.
    Stranger,
    /// It cannot be asked.
    Unreachable,
}

/// Judges a password that `local` (an open account of this address) may not have here. `same`: it has.
///
/// Whoever is not let in by a password kept here is looked for in the directory, known or not, so that answers
/// and times do not tell accounts apart.
pub async fn judge(
    visit: &Visit,
    local: Option<Uuid>,
    same: bool,
    email: &str,
    typed: &str,
) -> Result<Verdict, Problem> {
    let linked = match local {
        Some(account) => store::linked(&visit.db, account).await?,
        None => false,
    };
    // Nobody waits for the directory, even broken, to enter by the way that is there for when it is.
    if same && !linked {
        return Ok(Verdict::NotMine);
    }
    let known = match of(visit).await {
        Ok(Some(known)) => known,
        // An account of a directory that is no longer declared opens by nothing.
        Ok(None) => return Ok(if linked { Verdict::Wrong } else { Verdict::NotMine }),
        Err(error) => return Ok(unreachable(&error)),
    };
    let Known { declaration, password } = &known;
    let decoy = local.is_some() && !linked;
    let entry = match ldap::authenticate(declaration, password, email, typed, decoy).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return Ok(Verdict::Wrong),
        Err(error) => return Ok(unreachable(&error)),
    };
    let Some(person) = Person::of(&entry, declaration, &visit.site.zone) else {
        tracing::warn!(attribute = declaration.attributes.id, "an entry of the directory has no identifier");
        return Ok(Verdict::Wrong);
    };
    let id = visit.id();
    Ok(visit.db.write(async |tx: &mut Tx| welcome(tx, visit, &person, email, id).await).await?)
}

fn unreachable(error: &anyhow::Error) -> Verdict {
    tracing::error!(error = format!("{error:#}"), "the directory cannot be asked");
    Verdict::Unreachable
}

/// Opens the account of who has just proved who they are, or brings it up to date.
async fn welcome(tx: &mut Tx, visit: &Visit, person: &Person, typed: &str, id: Uuid) -> Result<Verdict, db::Error> {
    let found = store::account_of(tx, person, visit.today()).await?;
    let own = found.as_ref().is_some_and(|linked| linked.own > 0);
    if person.roles.is_empty() && !own {
        return Ok(Verdict::Stranger);
    }
    let account = match found {
        // Cut here, whatever the directory says.
        Some(Linked { closed_at: Some(_), left_at: None, .. }) => return Ok(Verdict::Wrong),
        Some(linked) => {
            if linked.closed_at.is_some() {
                ending::reopen(tx, visit, linked.account_id, None, "De nouveau dans l’annuaire").await?;
            }
            store::link(tx, linked.account_id, &person.key).await?;
            linked.account_id
        }
        None if taken(tx, person, typed).await? => {
            tracing::warn!("somebody of the directory has the address of an account made here: see from-directory");
            return Ok(Verdict::Wrong);
        }
        None => {
            accounts::insert(tx, &new(person, typed, id, visit), visit.now).await?;
            store::link(tx, id, &person.key).await?;
            id
        }
    };
    refresh(tx, visit, account, person).await?;
    let login = tx
        .one(sql!("select login from account where authority_id = $1 and id = $2"), args![tx.authority(), account])
        .await?;
    Ok(Verdict::Enters(login))
}

/// Whether another account of agents signs in with the address.
async fn taken(tx: &mut Tx, person: &Person, typed: &str) -> Result<bool, db::Error> {
    let email = person.email.as_deref().unwrap_or(typed);
    let found: Option<i64> = tx
        .first(
            sql!("select 1 from account where authority_id = $1 and kind = 'agent' and login_key = $2"),
            args![tx.authority(), accounts::email_key(email)],
        )
        .await?;
    Ok(found.is_some())
}

fn new(person: &Person, typed: &str, id: Uuid, visit: &Visit) -> NewAccount {
    NewAccount {
        id,
        kind: Kind::Agent,
        email: person.email.clone().unwrap_or_else(|| typed.to_owned()),
        password_hash: None,
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
        phone: None,
        quality: person.quality.clone(),
        confirmed_at: Some(visit.now),
    }
}
