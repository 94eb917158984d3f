//! « Connexion et sécurité »: the second factor, the open sessions, what happened at the door.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context, value::Serde};
use serde_json::json;
use uuid::Uuid;

use super::{
    history::Happened,
    store::{self, remember},
};
use crate::{
    accounts::{
        citizen::{Way, errors, flash},
        entry, factor,
        model::Wrong,
        passkey,
        person::{self, Person},
        session,
    },
    error::Problem,
    provider,
};

const TITLE: &str = "Connexion et sécurité";
const PAGE: &str = "accounts/security.html";

pub async fn show<P: Person>(person: P, Query(way): Query<Way>) -> Result<Response, Problem> {
    let told = match way.fait.as_str() {
        "retire" => Some("Le second facteur est retiré : votre mot de passe suffit de nouveau."),
        "deja" => Some("Le second facteur est déjà activé. Vos codes de secours ont été affichés une seule fois."),
        "trop-tard" => Some("Trop de temps a passé : recommencez l’activation du second facteur."),
        "cle" => Some("La clé d’accès est ajoutée : elle ouvre votre compte sans mot de passe."),
        "cle-retiree" => Some("La clé d’accès est retirée : elle n’ouvre plus votre compte."),
        "identite" => Some("L’identité est rattachée : elle ouvre votre compte."),
        "identite-retiree" => Some("L’identité est détachée : elle n’ouvre plus votre compte."),
        "termine" => Some("L’appareil est déconnecté."),
        "deconnecte" => Some("Vos autres appareils sont déconnectés."),
        _ => None,
    };
    // What did not work is told where one would try again.
    let failed = match way.fait.as_str() {
        "cle-refusee" => Some("La clé d’accès n’a pas été ajoutée : recommencez, ou choisissez un autre appareil"),
        "cle-trop-tard" => Some("Trop de temps a passé : recommencez l’ajout de la clé d’accès"),
        _ => None,
    };
    if let Some(text) = failed {
        return again(&person, "cle", &Wrong::new("mot-de-passe-cle", text)).await;
    }
    let failed = match way.fait.as_str() {
        "identite-refusee" => Some("L’identité n’a pas été rattachée : recommencez"),
        "identite-panne" => Some("Ce fournisseur d’identité ne répond pas pour le moment : réessayez plus tard"),
        "identite-prise" => {
            Some("Cette identité ouvre déjà un autre compte, ou votre compte en a déjà une de ce fournisseur")
        }
        _ => None,
    };
    if let Some(text) = failed {
        return again(&person, "identite", &Wrong::new("identites", text)).await;
    }
    let page = context(&person, "", &[]).await?;
    person.show(PAGE, TITLE, context! { ..page, ..flash(told) })
}

/// The page again, with what is wrong in the block `open`.
pub async fn again<P: Person>(person: &P, open: &str, wrong: &Wrong) -> Result<Response, Problem> {
    let page = context(person, open, std::slice::from_ref(wrong)).await?;
    person.again(PAGE, TITLE, page)
}

async fn context<P: Person>(person: &P, open: &str, wrong: &[Wrong]) -> Result<Value, Problem> {
    let (visit, account) = (person.visit(), person.account().id);
    let sessions: Vec<_> = store::open(&visit.db, account, visit.now)
        .await?
        .into_iter()
        .map(|one| {
            json!({
                "text": one.device.as_deref().unwrap_or("Appareil inconnu"), "first": one.created_at.to_string(), "seen": one.seen_at.to_string(),
                "current": one.id == person.session(), "end": format!("{}/connexions/{}/terminer", person::home(P::KIND), one.id),
            })
        })
        .collect();
    let history: Vec<_> = store::history(&visit.db, account, visit.now)
        .await?
        .iter()
        .map(|event| {
            json!({
                "date": event.at.to_string(), "text": event.words(), "place": event.place(), "refused": event.refused(),
                "reason": event.reason.as_deref().unwrap_or_default(),
            })
        })
        .collect();
    Ok(context! {
        factor => factor::pages::summary(person).await?, passkeys => passkey::pages::summary(person).await?, sessions => Value::from(Serde(sessions)), history => Value::from(Serde(history)),
        identities => provider::summary(person).await?, password => entry::has_password(visit, P::KIND, &person.account().login).await?,
        email => &person.account().login, forgot => if P::KIND == session::Kind::Agent { "/mot-de-passe-oublie?espace=agent" } else { "/mot-de-passe-oublie" },
        open => open, errors => errors(wrong),
    })
}

/// Ends one session; the one that asks ends like the others, at its sign-in page.
pub async fn end<P: Person>(person: P, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account().id);
    let ended = visit
        .db
        .write(async |tx: &mut Tx| {
            let ended = store::end(tx, account, id).await?;
            if ended {
                remember(tx, visit, account, Happened::SessionEnded).await?;
            }
            Ok::<_, db::Error>(ended)
        })
        .await?;
    if !ended {
        return Err(Problem::NotFound);
    }
    Ok(Redirect::to(&format!("{}?fait=termine", person::home(P::KIND))).into_response())
}

pub async fn end_others<P: Person>(person: P) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account().id);
    visit
        .db
        .write(async |tx: &mut Tx| {
            session::close_others(tx, account, Some(person.session())).await?;
            remember(tx, visit, account, Happened::SessionEnded).await
        })
        .await?;
    Ok(Redirect::to(&format!("{}?fait=deconnecte", person::home(P::KIND))).into_response())
}
