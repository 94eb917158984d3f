//! « Mon compte »: what its owner sees and changes.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, kinds};
use minijinja::{Value, context};
use serde_json::{Value as Json, json};

use super::{Way, errors, flash, new_password, safe};
use crate::{
    accounts::{
        connections::{self, Happened},
        email,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        passkey, password, person,
        session::{self, Kind},
        store::{self, Account},
    },
    approvals, consultations, contacts,
    error::Problem,
    household, identity, links, mandates, opinions, organisations,
    platform::form::Typed,
    provider, requests, safe, sso, surveys,
    visit::Citizen,
};

const TITLE: &str = "Mon compte";

pub async fn account(citizen: &Citizen) -> Result<Account, Problem> {
    store::find(&citizen.db, citizen.account.id).await?.ok_or_else(|| citizen.sign_in())
}

fn this_session(citizen: &Citizen) -> Option<uuid::Uuid> {
    citizen.session.as_ref().map(|session| session.id)
}

pub async fn show(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    let told = match way.fait.as_str() {
        "infos" => Some("Vos informations sont enregistrées."),
        "reunis" => Some("Vos deux comptes sont réunis ici. L’autre est fermé."),
        "mot-de-passe" => Some("Votre mot de passe est changé. Vos autres appareils sont déconnectés."),
        "sans-adresse" => Some(
            "Votre compte est créé, sans adresse électronique\u{a0}: trop de courriels ont été envoyés à celle que vous avez donnée. Donnez-la de nouveau ici, dans une heure.",
        ),
        _ => None,
    };
    let page = context(&citizen, &account(&citizen).await?, &Raw::default(), "", &[]).await?;
    let next = context! { next => safe(&way.suite) };
    citizen.page("accounts/account.html", TITLE, context! { ..next, ..page, ..flash(told) })
}

/// The page again, with what is wrong in the block `open`.
pub async fn again(
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
    let kept = |name: &str, value: &str| {
        if typed.0.contains_key(name) { typed.text(name).to_owned() } else { value.to_owned() }
    };
    let phone = account.phone.as_deref().map(kinds::phone::french).unwrap_or_default();
    Ok(context! {
        account => context! {
            first_name => kept("prenom", &account.first_name), last_name => kept("nom", &account.last_name), phone => kept("telephone", &phone),
            email => account.email.as_deref().unwrap_or_default(), login => &account.login, created => account.created_at.to_string(),
        },
        waiting => email::pages::waiting(citizen, account.id).await?,
        new_email => typed.text("nouvelle-adresse"), next => "",
        password => account.password_hash.is_some(), min => model::LONG, open => open, errors => errors(wrong),
        identity => identity::shown(citizen, account.id).await?, sms => contacts::sms::offered(citizen).await?,
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
pub async fn owner(
    citizen: &Citizen,
    account: &Account,
    typed: &Raw,
    field: &'static str,
) -> Result<Option<Wrong>, Problem> {
    person::password(citizen, Kind::Usager, &account.login, typed.text(field), field).await
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

/// All that the account's owner gave or received, files apart: see [`crate::own_data`].
pub async fn data(citizen: &Citizen) -> Result<Json, Problem> {
    let account = account(citizen).await?;
    let mut data = requests::export::data(&citizen.db, account.id).await?;
    if let Some(data) = data.as_object_mut() {
        let identity = json!({
            "prenom": account.first_name, "nom": account.last_name, "identifiant": account.login, "courriel": account.email, "telephone": account.phone, "cree_le": account.created_at.to_string(),
        });
        data.insert("compte".into(), identity);
        data.insert("organisations".into(), organisations::export(&citizen.db, account.id).await?.into());
        data.insert("mandats".into(), mandates::export(&citizen.db, account.id).await?);
        data.insert("adresses".into(), household::addresses::export(&citizen.db, account.id).await?.into());
        data.insert("partages".into(), household::sharing::export(&citizen.db, account.id, citizen.now).await?.into());
        data.insert("foyer".into(), household::export(&citizen.db, account.id).await?.into());
        data.insert("identite_verifiee".into(), identity::export(citizen, account.id).await?);
        data.insert(
            "changements_de_coordonnees".into(),
            household::changes::export(&citizen.db, account.id).await?.into(),
        );
        data.insert(
            "changement_de_courriel".into(),
            email::store::export(&citizen.db, account.id, citizen.now).await?.into(),
        );
        data.insert("appareils".into(), connections::export_open(&citizen.db, account.id, citizen.now).await?.into());
        data.insert("connexions".into(), connections::export(&citizen.db, account.id, citizen.now).await?.into());
        data.insert("cles_d_acces".into(), passkey::export(&citizen.db, account.id).await?.into());
        data.insert("identites".into(), provider::export(&citizen.db, account.id).await?.into());
        data.insert("destinataires".into(), requests::recipients::export(citizen, account.id).await?.into());
        data.insert("services_rattaches".into(), links::export(citizen, account.id).await?.into());
        data.insert("consultations".into(), requests::readings::export(&citizen.db, account.id).await?.into());
        data.insert("avis_demandes".into(), consultations::export(&citizen.db, account.id).await?.into());
        data.insert("visas_demandes".into(), approvals::export(&citizen.db, account.id).await?.into());
        data.insert("demandes_liees".into(), requests::linked::export(&citizen.db, account.id).await?.into());
        data.insert("contacts".into(), contacts::export(&citizen.db, account.id).await?.into());
        data.insert("sms".into(), contacts::sms::export(&citizen.db, account.id).await?);
        data.insert("avis".into(), opinions::export(&citizen.db, account.id).await?.into());
        data.insert("enquetes".into(), surveys::export(&citizen.db, account.id).await?.into());
        data.insert("documents".into(), safe::data(&citizen.db, account.id).await?);
        data.insert("services_connectes".into(), sso::data(citizen, account.id).await?);
    }
    Ok(data)
}
