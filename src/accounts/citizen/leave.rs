//! « Supprimer mon compte »: what goes at once, what departments must keep and until when, and how requests
//! under way are followed afterwards; then the end of the account.

use axum::{
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};

use super::{errors, mine};
use crate::{
    accounts::{
        model::Wrong,
        session::{self, Kind},
        store::{self, Account},
    },
    error::Problem,
    household, identity, links, mandates, organisations,
    platform::form::Typed,
    requests::{self, recipients},
    safe, sso,
    visit::{Citizen, Visitor},
};

const TITLE: &str = "Supprimer mon compte";
const PAGE: &str = "accounts/leave.html";
/// Requests that the page lists; « Mes données » holds all.
const SHOWN: i64 = 100;

pub async fn show(citizen: Citizen) -> Result<Response, Problem> {
    let context = context(&citizen, &mine::account(&citizen).await?, &[]).await?;
    citizen.page(PAGE, TITLE, context)
}

async fn context(citizen: &Citizen, account: &Account, wrong: &[Wrong]) -> Result<Value, Problem> {
    let (visit, db, id) = (&citizen.visit, &citizen.db, account.id);
    let (sent, drafts) = requests::owner::held(db, id).await?;
    Ok(context! {
        sent => sent, drafts => drafts, most => SHOWN,
        members => household::count(db, id).await?,
        documents => safe::count(db, id).await?,
        services => sso::count(db, id).await?,
        organisations => organisations::choices(citizen).await?.len(),
        mandates => mandates::count(db, id).await?,
        linked => links::shown(visit, id).await?.len(),
        identity => identity::find(db, id).await?.is_some(),
        kept => Serde(recipients::of(visit, id, SHOWN).await?),
        running => Serde(requests::owner::running(visit, id).await?),
        errors => errors(wrong),
    })
}

pub async fn send(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = mine::account(&citizen).await?;
    if let Some(wrong) = refused(&citizen, &account, &typed).await? {
        return citizen.page_again(PAGE, TITLE, context(&citizen, &account, &[wrong]).await?);
    }
    let now = citizen.now;
    citizen
        .db
        .write(async |tx: &mut Tx| {
            organisations::leave(tx, account.id).await?;
            mandates::leave(tx, account.id, now).await?;
            requests::owner::leave(tx, account.id).await?;
            session::close_others(tx, account.id, None).await?;
            store::remove(tx, account.id).await
        })
        .await?;
    let mut response = Redirect::to("/compte/supprime").into_response();
    response.headers_mut().append(header::SET_COOKIE, session::forget(&citizen, Kind::Usager));
    Ok(response)
}

async fn refused(citizen: &Citizen, account: &Account, typed: &Raw) -> Result<Option<Wrong>, Problem> {
    let field = "mot-de-passe-suppression";
    if let Some(wrong) = mine::owner(citizen, account, typed, field).await? {
        return Ok(Some(wrong));
    }
    let presided = organisations::needing(&citizen.db, account.id).await?;
    Ok(presided.first().map(|name| {
        let text =
            format!("Vous présidez « {name} », que d’autres représentent : transmettez-leur d’abord la présidence");
        Wrong::new(field, text)
    }))
}

pub async fn done(visitor: Visitor) -> Result<Response, Problem> {
    visitor.page("accounts/removed.html", "Votre compte est supprimé", context! {})
}
