//! « Mes coordonnées », for the account's owner.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, kinds};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Address, Period},
    store,
};
use crate::{
    error::Problem,
    household::{
        changes,
        model::read,
        pages::Done,
        sheet::{Back, NEW, Sheet},
    },
    platform::{form::Typed, french},
    visit::Citizen,
};

pub const HOME: &str = "/compte/coordonnees";
const BACK: Back<'static> = (HOME, "Mes coordonnées");
const TITLE: &str = "Mes coordonnées";
const ADD: &str = "Ajouter une adresse";
/// What is kept drawn of its forms.
const FORM: i64 = 1;

pub async fn show(citizen: Citizen, Query(done): Query<Done>) -> Result<Response, Problem> {
    let told = match done.fait.as_str() {
        "ajoutee" => Some("L’adresse est ajoutée."),
        "modifiee" => Some("L’adresse est enregistrée."),
        "retiree" => Some("L’adresse est retirée."),
        "change" => Some("Votre changement est enregistré. Les services que vous avez cochés le reçoivent."),
        _ => None,
    };
    let all = store::all(&citizen.db, citizen.account.id).await?;
    let addresses: Vec<Json> = all.iter().map(|one| shown(&citizen, &all, one)).collect();
    let phone = citizen.account.phone.as_deref().map(kinds::phone::french).unwrap_or_default();
    let sent: Vec<Json> =
        changes::sent(&citizen.db, citizen.account.id).await?.iter().map(|one| one.shown(&citizen)).collect();
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let context = context! { addresses => Serde(addresses), sent => Serde(sent), phone => phone, email => &citizen.account.email, ..flash };
    citizen.page("household/addresses.html", TITLE, context)
}

/// An address as the page shows it.
fn shown(citizen: &Citizen, all: &[Address], one: &Address) -> Json {
    let period = match model::period(all, one, citizen.today()) {
        Period::Coming => "coming",
        Period::Current => "current",
        Period::Past => "past",
    };
    json!({
        "main": one.is_main(), "lines": one.lines(), "period": period, "confidential": one.confidential,
        "from": french::date(one.from_day), "until": model::last_day(all, one).map(french::date).unwrap_or_default(),
        "href": format!("{HOME}/adresses/{}", one.id),
    })
}

fn done(what: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("{HOME}?fait={what}")).into_response())
}

fn declaring(id: Uuid) -> Sheet<'static> {
    let intro = "Vos adresses restent dans votre compte : un service ne connaît que celle que vous lui envoyez.";
    Sheet { form: Some(FORM), back: BACK, title: ADD, intro, new: Some(id), button: "Enregistrer", undo: false }
}

fn correcting() -> Sheet<'static> {
    let intro = "Vous avez changé d’adresse ? Gardez celle-ci et ajoutez la nouvelle.";
    let title = "Corriger une adresse";
    Sheet { form: Some(FORM), back: BACK, title, intro, new: None, button: "Enregistrer", undo: false }
}

pub async fn adding(citizen: Citizen) -> Result<Response, Problem> {
    let (questions, raw) = (model::questions(), Raw::default());
    declaring(citizen.id()).draw(&citizen, &read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn add(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let questions = model::questions();
    let mut readings = read(&questions, &typed, citizen.today());
    let Some(new) = model::declared(&mut readings) else {
        return declaring(id).draw(&citizen, &readings, &typed, true);
    };
    let (account, now) = (citizen.account.id, citizen.now);
    let declared = citizen.db.write(async |tx: &mut Tx| store::declare(tx, account, id, &new, now).await).await?;
    if !declared {
        return declaring(id).refuse(&citizen, &mut readings, &typed, model::FULL);
    }
    done("ajoutee")
}

async fn find(citizen: &Citizen, id: Uuid) -> Result<Address, Problem> {
    let all = store::all(&citizen.db, citizen.account.id).await?;
    all.into_iter().find(|one| one.id == id).ok_or(Problem::NotFound)
}

pub async fn changing(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (questions, raw) = (model::questions(), find(&citizen, id).await?.typed());
    correcting().draw(&citizen, &read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn change(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    find(&citizen, id).await?;
    let questions = model::questions();
    let mut readings = read(&questions, &typed, citizen.today());
    let Some(new) = model::declared(&mut readings) else {
        return correcting().draw(&citizen, &readings, &typed, true);
    };
    let account = citizen.account.id;
    kept(citizen.db.write(async |tx: &mut Tx| store::change(tx, account, id, &new).await).await?, "modifiee")
}

/// An address removed meanwhile, in another tab, is not found.
fn kept(found: bool, what: &str) -> Result<Response, Problem> {
    if found { done(what) } else { Err(Problem::NotFound) }
}

pub async fn removing(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let lines = find(&citizen, id).await?.lines();
    let context = context! {
        heading => "Retirer cette adresse ?", lines => lines, button => "Retirer l’adresse", back => HOME, back_label => TITLE,
        text => "Elle sera effacée de votre compte tout de suite. Vos demandes et vos brouillons ne changent pas.",
    };
    citizen.page("household/remove.html", "Retirer une adresse", context)
}

pub async fn remove(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = citizen.account.id;
    kept(citizen.db.write(async |tx: &mut Tx| store::remove(tx, account, id).await).await?, "retiree")
}
