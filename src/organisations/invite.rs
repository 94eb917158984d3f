//! Inviting a representative, and their answer.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use uuid::Uuid;

use super::{
    about,
    model::Role,
    pages::{draw, href, mine},
    store,
};
use crate::{
    accounts::{self, Wrong},
    acting::{
        invitation::{self, Invitation},
        mails::{self, Letter},
        trace,
    },
    error::Problem,
    platform::form::Typed,
    visit::Citizen,
};

pub const NOT_PRESIDENT: Problem =
    Problem::Forbidden("Seule la personne qui préside l’organisation choisit ses représentants.");

pub async fn send(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let mine = mine(&citizen, id).await?;
    if !mine.role().manages() {
        return Err(NOT_PRESIDENT);
    }
    let role = Role::given(typed.text("role")).unwrap_or(Role::Delegate);
    let again = |text: &str| vec![Wrong::new("email", text)];
    let email = match accounts::check_email(typed.text("email")) {
        Ok(email) => email,
        Err(text) => return draw(&citizen, &mine, (typed.text("email"), role), &again(&text), None).await,
    };
    let people = store::people(&citizen.db, id).await?;
    if people.iter().any(|person| accounts::email_key(&person.email) == accounts::email_key(&email)) {
        let wrong = again("Cette personne représente déjà l’organisation");
        return draw(&citizen, &mine, (&email, role), &wrong, None).await;
    }
    if !accounts::may_write_to(&citizen, &email).await? {
        let wrong =
            again("Plusieurs messages viennent d’être envoyés à cette adresse\u{a0}: attendez quelques minutes");
        return draw(&citizen, &mine, (&email, role), &wrong, None).await;
    }
    let (visit, account) = (&citizen.visit, &citizen.account);
    let sent = citizen
        .db
        .write(async |tx: &mut Tx| {
            if store::role_of(tx, id, account.id).await? != Some(Role::President) {
                return Ok(false);
            }
            let Some(invitation) = invitation::add(tx, visit, about(id), &email, Some(role.code())).await? else {
                return Ok(false);
            };
            trace::by(tx, visit, about(id), account, "invited", &format!("{email}, {}", role.label())).await?;
            let who = account.full_name();
            let letter = Letter {
                name: "organisation-invitation",
                to: &email,
                who: &who,
                what: &mine.name,
                path: "",
                invitation: Some(invitation),
            };
            mails::queue(tx, visit, &letter).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !sent {
        let wrong = again("Trop d’invitations attendent une réponse\u{a0}: retirez-en une d’abord");
        return draw(&citizen, &mine, (&email, role), &wrong, None).await;
    }
    citizen.app.work.notify_one();
    Ok(Redirect::to(&format!("{}?fait=invite", href(id))).into_response())
}

pub async fn withdraw(citizen: Citizen, Path((id, invitation)): Path<(Uuid, Uuid)>) -> Result<Response, Problem> {
    let mine = mine(&citizen, id).await?;
    if !mine.role().manages() {
        return Err(NOT_PRESIDENT);
    }
    let (visit, account) = (&citizen.visit, &citizen.account);
    citizen
        .db
        .write(async |tx: &mut Tx| {
            if invitation::take(tx, id, invitation).await? {
                trace::by(tx, visit, about(id), account, "uninvited", "").await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(Redirect::to(&format!("{}?fait=desinvite", href(id))).into_response())
}

/// The invited person accepts or refuses. False when the invitation is gone.
pub async fn answer(citizen: &Citizen, invitation: &Invitation, accepted: bool) -> Result<bool, Problem> {
    let id = invitation.subject_id;
    let Some(role) = Role::given(invitation.role.as_deref().unwrap_or_default()) else { return Ok(false) };
    let Some(organisation) = store::find(&citizen.db, id).await? else { return Ok(false) };
    let people = store::people(&citizen.db, id).await?;
    let president = people.iter().find(|person| person.role() == Role::President).map(|person| person.email.as_str());
    let (visit, account, now) = (&citizen.visit, &citizen.account, citizen.now);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            // Who represents it already, the president above all, is not made less by an old invitation.
            let known = store::role_of(tx, id, account.id).await?;
            if !invitation::take(tx, id, invitation.id).await? {
                return Ok(false);
            }
            if accepted && known.is_none() {
                store::join(tx, id, account.id, role, now).await?;
            }
            let code = if accepted { "joined" } else { "declined" };
            trace::by(tx, visit, about(id), account, code, role.label()).await?;
            if let Some(to) = president {
                let name = if accepted { "organisation-acceptee" } else { "organisation-refusee" };
                let who = account.full_name();
                let letter =
                    Letter { name, to, who: &who, what: &organisation.name, path: &href(id), invitation: None };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(done)
}
