//! Changing what representatives are: role, removal, departure, presidency.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use uuid::Uuid;

use super::{
    about,
    invite::NOT_PRESIDENT,
    model::{self, Role},
    pages::{href, mine},
    store::{self, Represented},
};
use crate::{
    acting::{
        mails::{self, Letter},
        trace,
    },
    error::Problem,
    platform::form::Typed,
    visit::Citizen,
};

fn back(id: Uuid, done: &str) -> Response {
    Redirect::to(&format!("{}?fait={done}", href(id))).into_response()
}

fn letter<'a>(name: &'static str, to: &'a str, who: &'a str, mine: &'a Represented, path: &'a str) -> Letter<'a> {
    Letter { name, to, who, what: &mine.name, path, invitation: None }
}

/// By the president: another role, or none any more.
pub async fn change(
    citizen: Citizen,
    Path((id, other)): Path<(Uuid, Uuid)>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let mine = mine(&citizen, id).await?;
    if !mine.role().manages() {
        return Err(NOT_PRESIDENT);
    }
    let people = store::people(&citizen.db, id).await?;
    let person = people.iter().find(|person| person.account_id == other).ok_or(Problem::NotFound)?;
    let role = match typed.text("action") {
        "retirer" => None,
        code => Some(Role::given(code).ok_or(Problem::Bad("Choisissez d’abord ce que cette personne doit être."))?),
    };
    let (visit, account, now) = (&citizen.visit, &citizen.account, citizen.now);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            let by = store::role_of(tx, id, account.id).await?;
            let of = store::role_of(tx, id, other).await?;
            let (Some(by), Some(of)) = (by, of) else { return Ok(false) };
            if !model::may_change(by, of) {
                return Ok(false);
            }
            let who = account.full_name();
            match role {
                Some(role) => {
                    store::join(tx, id, other, role, now).await?;
                    trace::by(tx, visit, about(id), account, "role", &format!("{}, {}", person.name, role.label()))
                        .await?;
                    mails::queue(tx, visit, &letter("organisation-role", &person.email, &who, &mine, &href(id)))
                        .await?;
                }
                None => {
                    store::remove(tx, id, other).await?;
                    trace::by(tx, visit, about(id), account, "removed", &person.name).await?;
                    mails::queue(tx, visit, &letter("organisation-retire", &person.email, &who, &mine, "/agir-pour"))
                        .await?;
                }
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !done {
        return Err(Problem::Bad(
            "La personne qui préside l’organisation ne peut pas être retirée : proposez d’abord la présidence à quelqu’un.",
        ));
    }
    citizen.app.work.notify_one();
    Ok(back(id, if role.is_some() { "role" } else { "retire" }))
}

/// A representative leaves; not the president.
pub async fn leave(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    mine(&citizen, id).await?;
    let (visit, account) = (&citizen.visit, &citizen.account);
    let left = citizen
        .db
        .write(async |tx: &mut Tx| {
            let Some(role) = store::role_of(tx, id, account.id).await? else { return Ok(true) };
            if !model::may_leave(role) {
                return Ok(false);
            }
            store::remove(tx, id, account.id).await?;
            trace::by(tx, visit, about(id), account, "left", &account.full_name()).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !left {
        return Err(Problem::Bad(
            "Vous présidez cette organisation : proposez d’abord la présidence à un autre représentant. S’il n’y en a pas, invitez-en un.",
        ));
    }
    Ok(Redirect::to("/compte/organisations?fait=quittee").into_response())
}

/// The presidency: proposed by who has it (`proposer` with `a`, `retirer`), accepted by who it is proposed to (`accepter`, `refuser`).
pub async fn succeed(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let mine = mine(&citizen, id).await?;
    let done = match typed.text("action") {
        "proposer" => propose(&citizen, &mine, typed.text("a").parse().ok()).await?,
        "retirer" => propose(&citizen, &mine, None).await?,
        "accepter" => accept(&citizen, &mine).await?,
        "refuser" => refuse(&citizen, &mine).await?,
        _ => return Err(Problem::Bad("Choisissez d’abord ce qu’il faut faire de la présidence.")),
    };
    citizen.app.work.notify_one();
    done.map(|done| back(id, done)).ok_or(Problem::Conflict(
        "La présidence a changé, ou la proposition n’est plus valable. Ouvrez de nouveau la page de l’organisation.",
    ))
}

async fn propose(citizen: &Citizen, mine: &Represented, to: Option<Uuid>) -> Result<Option<&'static str>, Problem> {
    if !mine.role().manages() {
        return Err(NOT_PRESIDENT);
    }
    let people = store::people(&citizen.db, mine.id).await?;
    let successor =
        people.iter().find(|person| Some(person.account_id) == to && person.account_id != citizen.account.id);
    if to.is_some() && successor.is_none() {
        return Err(Problem::NotFound);
    }
    let (visit, account, id) = (&citizen.visit, &citizen.account, mine.id);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            if store::role_of(tx, id, account.id).await? != Some(Role::President) {
                return Ok(false);
            }
            store::propose(tx, id, successor.map(|person| person.account_id)).await?;
            match successor {
                Some(person) => {
                    trace::by(tx, visit, about(id), account, "succession", &person.name).await?;
                    let who = account.full_name();
                    mails::queue(tx, visit, &letter("organisation-presidence", &person.email, &who, mine, &href(id)))
                        .await?;
                }
                None => trace::by(tx, visit, about(id), account, "succession-off", "").await?,
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done.then_some(if to.is_some() { "propose" } else { "reprise" }))
}

/// The former president stays as a delegate, who may leave.
async fn accept(citizen: &Citizen, mine: &Represented) -> Result<Option<&'static str>, Problem> {
    let people = store::people(&citizen.db, mine.id).await?;
    let (visit, account, id, now) = (&citizen.visit, &citizen.account, mine.id, citizen.now);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            let role = store::role_of(tx, id, account.id).await?;
            if role.is_none() || store::proposed(tx, id).await? != Some(account.id) {
                return Ok(false);
            }
            if let Some(former) = store::president(tx, id).await? {
                store::join(tx, id, former, Role::Delegate, now).await?;
            }
            store::join(tx, id, account.id, Role::President, now).await?;
            store::propose(tx, id, None).await?;
            let who = account.full_name();
            trace::by(tx, visit, about(id), account, "president", &who).await?;
            for person in &people {
                mails::queue(tx, visit, &letter("organisation-president", &person.email, &who, mine, &href(id)))
                    .await?;
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done.then_some("presidence"))
}

async fn refuse(citizen: &Citizen, mine: &Represented) -> Result<Option<&'static str>, Problem> {
    let (visit, account, id) = (&citizen.visit, &citizen.account, mine.id);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            if store::proposed(tx, id).await? != Some(account.id) {
                return Ok(false);
            }
            store::propose(tx, id, None).await?;
            trace::by(tx, visit, about(id), account, "succession-off", "").await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done.then_some("reprise"))
}
