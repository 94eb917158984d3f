//! Bringing the accounts of the directory up to date, and cutting who has left it: only after everything was
//! read, and not when it would cut suspiciously many.

use std::collections::HashMap;

use anyhow::Result;
use db::{Tx, args, sql};
use uuid::Uuid;

use super::{
    Known, ldap, of,
    person::Person,
    refresh,
    store::{self, Linked},
};
use crate::{accounts::ending, app::App, visit::Visit, work};

#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// No directory is declared.
    None,
    Done {
        kept: usize,
        cut: usize,
        back: usize,
    },
    /// Nothing was changed: so many would lose their access or a department.
    Held {
        lost: usize,
        of: usize,
    },
}

/// What becomes of one account.
#[derive(Debug, PartialEq, Eq)]
enum Fate<'a> {
    Stays(&'a Person),
    Leaves,
    Back(&'a Person),
    /// Cut already, here or by an earlier reading.
    Gone,
}

fn fate<'a>(linked: &Linked, person: Option<&'a Person>) -> Fate<'a> {
    let welcome = person.filter(|person| !person.roles.is_empty() || linked.own > 0);
    match (welcome, linked.closed_at, linked.left_at) {
        (Some(person), None, _) => Fate::Stays(person),
        (Some(person), Some(_), Some(_)) => Fate::Back(person),
        (None, None, _) => Fate::Leaves,
        (_, Some(_), _) => Fate::Gone,
    }
}

/// Whether so many of so many may not be cut without somebody looking: more than a third, but for a single one.
fn suspicious(lost: usize, of: usize) -> bool {
    lost > 1 && lost * 3 > of
}

/// Reads the directory of every authority that has one.
pub async fn every(app: App) {
    let authorities: Result<Vec<Uuid>, _> = app.db.all(sql!("select id from authority"), args![]).await;
    for authority in authorities.unwrap_or_default() {
        let done = async { run(&work::visit(&app, authority).await?, false).await };
        if let Err(error) = done.await {
            tracing::error!(%authority, error = format!("{error:#}"), "the directory was not read");
        }
    }
}

/// Reads the directory and follows it. `accept`: however many it cuts.
///
/// # Errors
/// When it cannot be read whole: then nothing has changed.
pub async fn run(visit: &Visit, accept: bool) -> Result<Report> {
    let Some(known) = of(visit).await? else { return Ok(Report::None) };
    let people = match read(visit, &known).await {
        Ok(people) => people,
        Err(error) => {
            let text = format!("{error:#}");
            visit.db.write(async |tx: &mut Tx| store::failed(tx, &text).await).await?;
            return Err(error);
        }
    };
    let linked = store::all_linked(&visit.db, visit.today()).await?;
    let by_key: HashMap<&str, &Person> = people.iter().map(|person| (person.key.as_str(), person)).collect();
    let awaited: HashMap<String, &Person> =
        people.iter().filter_map(|person| Some((store::awaited(person.email.as_deref()?), person))).collect();
    let find = |one: &Linked| by_key.get(one.key.as_str()).or_else(|| awaited.get(&one.key)).copied();
    let fates: Vec<(&Linked, Fate<'_>)> = linked.iter().map(|one| (one, fate(one, find(one)))).collect();
    let open = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Stays(_) | Fate::Leaves)).count();
    let lost = fates.iter().filter(|(one, fate)| loses(one, fate)).count();
    if !accept && suspicious(lost, open) {
        let (count, of) = (i64::try_from(lost)?, i64::try_from(open)?);
        visit.db.write(async |tx: &mut Tx| store::held(tx, count, of, visit.now).await).await?;
        tracing::error!(
            lost,
            of = open,
            "the directory would cut suspiciously many agents: held until sync-directory --accept-cut"
        );
        return Ok(Report::Held { lost, of: open });
    }
    let (mut kept, mut cut, mut back) = (0, 0, 0);
    for (one, fate) in &fates {
        visit.db.write(async |tx: &mut Tx| follow(tx, visit, one, fate).await).await?;
        match fate {
            Fate::Stays(_) => kept += 1,
            Fate::Leaves => cut += 1,
            Fate::Back(_) => back += 1,
            Fate::Gone => {}
        }
    }
    visit.db.write(async |tx: &mut Tx| store::synced(tx, visit.now).await).await?;
    Ok(Report::Done { kept, cut, back })
}

/// Leaves, or is in fewer departments than before.
fn loses(one: &Linked, fate: &Fate<'_>) -> bool {
    match fate {
        Fate::Leaves => true,
        Fate::Stays(person) => usize::try_from(one.given).is_ok_and(|given| person.roles.len() < given),
        Fate::Back(_) | Fate::Gone => false,
    }
}

async fn read(visit: &Visit, known: &Known) -> Result<Vec<Person>> {
    let entries = ldap::everybody(&known.declaration, &known.password).await?;
    entries
        .iter()
        .map(|entry| {
            // Somebody who cannot be told from others would look as if they had left.
            Person::of(entry, &known.declaration, &visit.site.zone)
                .ok_or_else(|| anyhow::anyhow!("{} has no {}", entry.dn, known.declaration.attributes.id))
        })
        .collect()
}

async fn follow(tx: &mut Tx, visit: &Visit, one: &Linked, fate: &Fate<'_>) -> Result<(), db::Error> {
    let account = one.account_id;
    match fate {
        Fate::Stays(person) => {
            store::link(tx, account, &person.key).await?;
            refresh(tx, visit, account, person).await?;
        }
        Fate::Back(person) => {
            ending::reopen(tx, visit, account, None, "De nouveau dans l’annuaire").await?;
            store::link(tx, account, &person.key).await?;
            refresh(tx, visit, account, person).await?;
        }
        Fate::Leaves => {
            store::set_roles(tx, visit, account, &std::collections::BTreeMap::new()).await?;
            ending::close(tx, visit, account, None, "Sorti de l’annuaire").await?;
            store::left(tx, account, Some(visit.now)).await?;
        }
        Fate::Gone => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{agents::Role, directory::person::End};

    #[test]
    fn many_at_once_are_suspicious() {
        let suspicious_of = |of: usize| (0..=of).filter(|lost| suspicious(*lost, of)).min();
        assert_eq!([1, 2, 3, 6, 9, 100].map(suspicious_of), [None, Some(2), Some(2), Some(3), Some(4), Some(34)]);
    }

    #[test]
    fn what_becomes_of_an_account() {
        let at = Some(Timestamp::UNIX_EPOCH);
        let person = |roles: &[&str]| Person {
            key: "1".into(),
            email: None,
            first_name: String::new(),
            last_name: String::new(),
            quality: None,
            end: End::Ours,
            roles: roles.iter().map(|department| ((*department).to_owned(), Role::Reader)).collect(),
        };
        let linked = |closed_at, left_at, own| Linked {
            account_id: Uuid::nil(),
            key: "1".into(),
            left_at,
            closed_at,
            given: 1,
            own,
        };
        let (here, idle) = (person(&["voirie"]), person(&[]));
        assert_eq!(fate(&linked(None, None, 0), Some(&here)), Fate::Stays(&here));
        assert_eq!(fate(&linked(None, None, 0), Some(&idle)), Fate::Leaves);
        assert_eq!(fate(&linked(None, None, 1), Some(&idle)), Fate::Stays(&idle));
        assert_eq!(fate(&linked(None, None, 1), None), Fate::Leaves);
        assert_eq!(fate(&linked(at, at, 0), Some(&here)), Fate::Back(&here));
        assert_eq!(fate(&linked(at, at, 0), None), Fate::Gone);
        // Cut here: the directory does not give it back.
        assert_eq!(fate(&linked(at, None, 0), Some(&here)), Fate::Gone);
        assert!(
            loses(&linked(None, None, 1), &Fate::Stays(&idle)) && !loses(&linked(None, None, 1), &Fate::Stays(&here))
        );
    }
}
