//! Declaring an organisation.

use axum::response::{IntoResponse, Redirect, Response};
use db::Tx;
use forms::{answers::Raw, kinds::Today};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};

use super::{about, model, store};
use crate::{
    accounts::{Wrong, citizen::errors},
    acting::trace,
    error::Problem,
    platform::form::Typed,
    visit::Citizen,
};

const TITLE: &str = "Déclarer une organisation";
/// Holds the id of the organisation to be: a form sent twice declares it once.
const NEW: &str = "organisation";

pub async fn show(citizen: Citizen) -> Result<Response, Problem> {
    draw(&citizen, &Raw::default(), &[])
}

fn draw(citizen: &Citizen, typed: &Raw, wrong: &[Wrong]) -> Result<Response, Problem> {
    let new = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let kinds: Vec<Json> = model::KINDS
        .iter()
        .map(|(code, label)| json!({"code": code, "label": label, "chosen": typed.text("nature") == *code}))
        .collect();
    let context = context! {
        new => new.to_string(), kinds => Serde(kinds), name => typed.text("nom"), address => typed.text("adresse"),
        siret => typed.text("siret"), rna => typed.text("rna"), errors => errors(wrong),
    };
    if wrong.is_empty() {
        citizen.page("organisations/declare.html", TITLE, context)
    } else {
        citizen.page_again("organisations/declare.html", TITLE, context)
    }
}

pub async fn send(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let declared = match model::declared(&typed, Today(citizen.today())) {
        Ok(declared) => declared,
        Err(wrong) => return draw(&citizen, &typed, &wrong),
    };
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let new = store::New {
        id,
        kind: declared.kind,
        siret: declared.siret.as_deref(),
        rna: declared.rna.as_deref(),
        name: &declared.name,
        address: &declared.address,
    };
    let (visit, account, now) = (&citizen.visit, &citizen.account, citizen.now);
    let made = citizen
        .db
        .write(async |tx: &mut Tx| {
            let made = store::declare(tx, &new, account.id, now).await?;
            if made {
                trace::by(tx, visit, about(id), account, "declared", &declared.name).await?;
            }
            Ok::<_, db::Error>(made)
        })
        .await?;
    if !made {
        // Says that it is known here, not by whom.
        let field = if new.siret.is_some() { "siret" } else { "rna" };
        let text = "Une organisation est déjà déclarée avec ce numéro. Demandez à la personne qui la préside de vous inviter, ou présentez-vous au guichet avec les papiers de l’organisation";
        return draw(&citizen, &typed, &[Wrong::new(field, text)]);
    }
    Ok(Redirect::to(&format!("/compte/organisations/{id}?fait=declaree")).into_response())
}
