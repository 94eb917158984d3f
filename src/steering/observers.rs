//! Who sees the figures of the whole authority: given and taken back by its administrators, here only.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx, args, row, sql};
use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    agents::{self, General},
    error::Problem,
    platform::form::Typed,
    visit::Administrator,
};

const HOME: &str = "/agent/observateurs";
const TITLE: &str = "Qui voit les chiffres";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

row! {
    struct Observer {
        account_id: Uuid,
        first_name: String,
        last_name: String,
        email: Option<String>,
        quality: Option<String>,
        since: Timestamp,
    }
}

/// By name; a few people.
async fn all(db: &Db) -> Result<Vec<Observer>, db::Error> {
    db.all(
        sql!(
            "select o.account_id, a.first_name, a.last_name, a.email, a.quality, o.since from observer o
             join account a on a.authority_id = o.authority_id and a.id = o.account_id where o.authority_id = $1 order by a.last_name, a.first_name, a.id"
        ),
        args![db.authority()],
    )
    .await
}

pub async fn show(administrator: Administrator, Query(done): Query<Done>) -> Result<Response, Problem> {
    draw(&administrator, "", &done.fait, None).await
}

async fn draw(
    administrator: &Administrator,
    typed: &str,
    done: &str,
    wrong: Option<&str>,
) -> Result<Response, Problem> {
    let observers: Vec<Json> = all(&administrator.db)
        .await?
        .into_iter()
        .map(|one| {
            json!({
                "name": format!("{} {}", one.first_name, one.last_name).trim(), "email": one.email.unwrap_or_default(),
                "quality": one.quality.unwrap_or_default(), "since": one.since, "remove": format!("{HOME}/{}/retirer", one.account_id),
            })
        })
        .collect();
    let errors: Vec<Json> = wrong.iter().map(|text| json!({"href": "#courriel", "text": text})).collect();
    let flash = match done {
        "donne" => Some("Cet agent voit désormais les chiffres de tous les services."),
        "retire" => Some("Cet agent ne voit plus que les chiffres de ses services."),
        _ => None,
    };
    let flash =
        flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let page = context! { observers => Serde(observers), errors => Serde(errors), typed => typed };
    let draw = if wrong.is_some() { crate::visit::Agent::page_again } else { crate::visit::Agent::page };
    draw(administrator, "agent/observers.html", TITLE, context! { ..page, ..flash })
}

/// Gives the right to an agent; never to oneself: it is seen by a colleague.
pub async fn give(administrator: Administrator, Typed(typed): Typed) -> Result<Response, Problem> {
    let email = typed.text("courriel").trim().to_owned();
    let found = agents::by_email(&administrator.db, &email).await?;
    let wrong = match &found {
        _ if email.is_empty() => Some("Saisissez l’adresse professionnelle de l’agent."),
        None => Some("Aucun agent n’a cette adresse."),
        Some(id) if *id == administrator.account.id => {
            Some("Vous ne pouvez pas vous donner ce droit\u{a0}: demandez-le à un autre administrateur.")
        }
        Some(_) => None,
    };
    let (None, Some(id)) = (wrong, found) else { return draw(&administrator, &email, "", wrong).await };
    change(&administrator, id, true).await?;
    Ok(Redirect::to(&format!("{HOME}?fait=donne")).into_response())
}

pub async fn remove(administrator: Administrator, Path(account): Path<Uuid>) -> Result<Response, Problem> {
    if !all(&administrator.db).await?.iter().any(|one| one.account_id == account) {
        return Err(Problem::NotFound);
    }
    change(&administrator, account, false).await?;
    Ok(Redirect::to(&format!("{HOME}?fait=retire")).into_response())
}

async fn change(administrator: &Administrator, account: Uuid, wanted: bool) -> Result<(), db::Error> {
    let (by, now) = (Some(administrator.account.id), administrator.now);
    administrator
        .db
        .write(async |tx: &mut Tx| agents::change_general(tx, account, General::Observer, wanted, by, now).await)
        .await
}
