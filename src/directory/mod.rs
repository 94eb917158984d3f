//! The authority's directory of agents (LDAP): their passwords are judged there, and their names, roles and
//! end of access follow it. Accounts made here by the operator go on without it: they are the way in when the
//! directory is down.

use db::{Db, Tx};
use uuid::Uuid;

use crate::{app::App, visit::Visit};

mod declaration;
mod enter;
mod ldap;
mod person;
mod store;
mod sync;

pub use declaration::Declaration;
pub use enter::{Verdict, judge};
pub use store::{State, adopt, linked, state, tells_end};
pub use sync::{Report, every, run as sync};

const SEALING: &str = "annuaire";

/// Declares the directory of an authority, or declares it anew.
///
/// # Errors
/// When the password is missing, or a group names a department that is not there.
pub async fn declare(app: &App, db: &Db, declaration: &Declaration, password: Option<&str>) -> anyhow::Result<()> {
    let departments = crate::authorities::departments(db).await?;
    for group in &declaration.groups {
        let known = departments.iter().any(|(id, _)| *id == group.department);
        anyhow::ensure!(known, "{}: no department {}", group.dn, group.department);
    }
    let owner = db.authority();
    let sealed = match password {
        Some(password) => Some(app.secret.seal(SEALING, owner.as_bytes(), password.as_bytes())?),
        None => None,
    };
    let declared = db.write(async |tx: &mut Tx| store::put(tx, declaration, sealed.as_deref()).await).await?;
    anyhow::ensure!(declared, "the password of bind_dn is missing: give it on standard input");
    Ok(())
}

/// Takes the directory away: its accounts stay, and open by nothing until a password is chosen by mail.
pub async fn forget(db: &Db) -> Result<bool, db::Error> {
    db.write(async |tx: &mut Tx| store::forget(tx).await).await
}

/// The directory and the password that reads it.
struct Known {
    declaration: Declaration,
    password: String,
}

async fn of(visit: &Visit) -> anyhow::Result<Option<Known>> {
    let Some((declaration, sealed)) = store::get(&visit.db).await? else { return Ok(None) };
    let opened = visit.app.secret.unseal(SEALING, visit.site.id.as_bytes(), &sealed);
    let password = opened.and_then(|bytes| String::from_utf8(bytes).ok());
    let password =
        password.ok_or_else(|| anyhow::anyhow!("the directory’s password was sealed under another secret"))?;
    Ok(Some(Known { declaration, password }))
}

/// Brings an account up to date with what the directory says of it; gives how many departments it lost.
async fn refresh(tx: &mut Tx, visit: &Visit, account: Uuid, person: &person::Person) -> Result<usize, db::Error> {
    store::rename(tx, account, person).await?;
    if let person::End::Theirs(last) = person.end {
        crate::accounts::ending::set(tx, visit, account, last, None).await?;
    }
    store::set_roles(tx, visit, account, &person.roles).await
}
