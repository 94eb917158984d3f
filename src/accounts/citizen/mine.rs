//! « Mon compte »: what its owner sees and changes.

use axum::{
    extract::Query,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, kinds};
use minijinja::{Value, context};
use serde_json::json;

use super::{Way, errors, flash, new_password, sent};
use crate::{
    accounts::{
        connections::{self, Happened},
        entry,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        passkey, password, person,
        session::{self, Kind},
        store::{self, Account},
    },
    error::Problem,
    household, mandates, organisations,
    platform::form::Typed,
    requests, safe, sso,
    visit::{Citizen, Visitor},
};

const TITLE: &str = "Mon compte";

async fn account(citizen: &Citizen) -> Result<Account, Problem> {
    store::find(&citizen.db, citizen.account.id).await?.ok_or_else(|| citizen.sign_in())
}

fn this_session(citizen: &Citizen) -> Option<uuid::Uuid> {
    citizen.session.as_ref().map(|session| session.id)
}

pub async fn show(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    let told = match way.fait.as_str() {
        "infos" => Some("Vos informations sont enregistrées."),
        "adresse" => Some("Votre nouvelle adresse est confirmée."),
        "mot-de-passe" => Some("Votre mot de passe est changé. Vos autres appareils sont déconnectés."),
        _ => None,
    };
    let page = context(&citizen, &account(&citizen).await?, &Raw::default(), "", &[]).await?;
    citizen.page("accounts/account.html", TITLE, context! { ..page, ..flash(told) })
}

/// The page again, with what is wrong in the block `open`.
async fn again(
    citizen: &Citizen,
    account: &Account,
    typed: &Raw,
    open: &str,
    wrong: &[Wrong],
) -> Result<Response, Problem> {
    citizen.page_again("accounts/account.html", TITLE, context(citizen, account, typed, open, wrong).await?)
}

async fn context(
    citizen: &Citizen,
    account: &Account,
    typed: &Raw,
    open: &str,
    wrong: &[Wrong],
) -> Result<Value, Problem> {
    let awaited = store::awaited_email(&citizen.db, account.id, citizen.now).await?;
    let kept = |name: &str, value: &str| {
        if typed.0.contains_key(name) { typed.text(name).to_owned() } else { value.to_owned() }
    };
    let phone = account.phone.as_deref().map(kinds::phone::french).unwrap_or_default();
    Ok(context! {
        account => context! {
            first_name => kept("prenom", &account.first_name), last_name => kept("nom", &account.last_name), phone => kept("telephone", &phone),
            email => &account.email, created => account.created_at.to_string(), waiting_email => awaited.unwrap_or_default(),
        },
        new_email => typed.text("nouvelle-adresse"),
        min => model::LONG, open => open, errors => errors(wrong),
        running => requests::owner::running(&citizen.db, account.id).await?,
    })
}

pub async fn save(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = account(&citizen).await?;
    let mut wrong = Vec::new();
    let identity = model::identity(&typed, &mut wrong);
    let phone = model::phone(typed.text("telephone")).unwrap_or_else(|text| {
        wrong.push(Wrong::new("telephone", text));
        None
    });
    if !wrong.is_empty() {
        return again(&citizen, &account, &typed, "infos", &wrong).await;
    }
    citizen
        .db
        .write(async |tx: &mut Tx| store::set_identity(tx, account.id, &identity, phone.as_deref()).await)
        .await?;
    Ok(Redirect::to("/compte?fait=infos").into_response())
}

/// Whether the owner's present password was typed in `field`; else what to say.
async fn owner(
    citizen: &Citizen,
    account: &Account,
    typed: &Raw,
    field: &'static str,
) -> Result<Option<Wrong>, Problem> {
    person::password(citizen, Kind::Usager, &account.email, typed.text(field), field).await
}

/// The new address counts once its owner has opened the link sent there.
pub async fn change_email(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = account(&citizen).await?;
    let email = match model::email(typed.text("nouvelle-adresse")) {
        Ok(email) if email == account.email => {
            return again(
                &citizen,
                &account,
                &typed,
                "adresse",
                &[Wrong::new("nouvelle-adresse", "C’est déjà l’adresse de votre compte")],
            )
            .await;
        }
        Ok(email) => email,
        Err(text) => {
            return again(&citizen, &account, &typed, "adresse", &[Wrong::new("nouvelle-adresse", text)]).await;
        }
    };
    if let Some(wrong) = owner(&citizen, &account, &typed, "mot-de-passe-adresse").await? {
        return again(&citizen, &account, &typed, "adresse", &[wrong]).await;
    }
    if entry::may_write_to(&citizen, &email).await? {
        let visit = &citizen.visit;
        citizen
            .db
            .write(async |tx: &mut Tx| {
                store::drop_links(tx, account.id).await?;
                jobs::queue(tx, visit, Letter::NewEmail, account.id, More { suite: "", to: &email }).await
            })
            .await?;
        citizen.app.work.notify_one();
    }
    sent(&citizen, "email", &email, jobs::CONFIRM_LASTS, "/compte")
}

pub async fn change_password(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = account(&citizen).await?;
    if let Some(wrong) = owner(&citizen, &account, &typed, "mot-de-passe-actuel").await? {
        return again(&citizen, &account, &typed, "mot-de-passe", &[wrong]).await;
    }
    let new = match new_password(&citizen, &typed, &account.known()) {
        Ok(new) => new,
        Err(wrong) => return again(&citizen, &account, &typed, "mot-de-passe", &[wrong]).await,
    };
    let (hash, kept, visit) = (password::hash(&new).await?, this_session(&citizen), &citizen.visit);
    let rewrapped = safe::rewrap(visit, account.id, typed.text("mot-de-passe-actuel"), &new).await?;
    citizen
        .db
        .write(async |tx: &mut Tx| {
            store::set_password(tx, account.id, &hash).await?;
            safe::password_changed(tx, account.id, rewrapped.as_ref(), visit.now).await?;
            store::drop_links(tx, account.id).await?;
            session::close_others(tx, account.id, kept).await?;
            connections::remember(tx, visit, account.id, Happened::PasswordChanged).await?;
            jobs::queue(tx, visit, Letter::PasswordChanged, account.id, More::default()).await
        })
        .await?;
    citizen.app.work.notify_one();
    Ok(Redirect::to("/compte?fait=mot-de-passe").into_response())
}

/// All that the account's owner gave or received, in one file.
pub async fn data(citizen: Citizen) -> Result<Response, Problem> {
    let account = account(&citizen).await?;
    let mut data = requests::owner::data(&citizen.db, account.id).await?;
    if let Some(data) = data.as_object_mut() {
        let identity = json!({
            "prenom": account.first_name, "nom": account.last_name, "courriel": account.email, "telephone": account.phone, "cree_le": account.created_at.to_string(),
        });
        data.insert("compte".into(), identity);
        data.insert("organisations".into(), organisations::export(&citizen.db, account.id).await?.into());
        data.insert("mandats".into(), mandates::export(&citizen.db, account.id).await?);
        data.insert("foyer".into(), household::export(&citizen.db, account.id).await?.into());
        data.insert("connexions".into(), connections::export(&citizen.db, account.id, citizen.now).await?.into());
        data.insert("cles_d_acces".into(), passkey::export(&citizen.db, account.id).await?.into());
        data.insert("documents".into(), safe::data(&citizen.db, account.id).await?);
        data.insert("services_connectes".into(), sso::data(&citizen, account.id).await?);
    }
    let text = serde_json::to_string_pretty(&data).map_err(anyhow::Error::from)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"mes-donnees.json\"")),
    ];
    Ok((headers, text).into_response())
}

pub async fn remove(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let account = account(&citizen).await?;
    if let Some(wrong) = owner(&citizen, &account, &typed, "mot-de-passe-suppression").await? {
        return again(&citizen, &account, &typed, "suppression", &[wrong]).await;
    }
    if let [first, ..] = organisations::needing(&citizen.db, account.id).await?.as_slice() {
        let text =
            format!("Vous présidez « {first} », que d’autres représentent : transmettez-leur d’abord la présidence");
        return again(&citizen, &account, &typed, "suppression", &[Wrong::new("mot-de-passe-suppression", text)]).await;
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

pub async fn removed(visitor: Visitor) -> Result<Response, Problem> {
    visitor.page("accounts/removed.html", "Votre compte est supprimé", context! {})
}
