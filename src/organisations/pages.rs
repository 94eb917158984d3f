//! The organisations that one represents, and each of them.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    about,
    model::{self, Role},
    store::{self, Represented},
};
use crate::{
    accounts::{
        Wrong,
        citizen::{errors, flash},
    },
    acting::{invitation, trace},
    error::Problem,
    visit::Citizen,
};

/// Lines of history that the page shows.
const SHOWN: i64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn list(citizen: Citizen, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = (told.fait == "quittee").then_some("Vous ne représentez plus cette organisation.");
    let found = store::of(&citizen.db, citizen.account.id).await?;
    let one = |one: &Represented| json!({"href": href(one.id), "name": one.name, "role": one.role().label()});
    let shown: Vec<Json> = found.iter().map(one).collect();
    citizen.page(
        "organisations/list.html",
        "Mes organisations",
        context! { organisations => Serde(shown), ..flash(text) },
    )
}

pub fn href(id: Uuid) -> String {
    format!("/compte/organisations/{id}")
}

/// The organisation, if the account represents it.
pub async fn mine(citizen: &Citizen, id: Uuid) -> Result<Represented, Problem> {
    store::represented(&citizen.db, citizen.account.id, id).await?.ok_or(Problem::NotFound)
}

pub async fn show(citizen: Citizen, Path(id): Path<Uuid>, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = match told.fait.as_str() {
        "declaree" => {
            Some("L’organisation est déclarée. Vous pouvez inviter ses autres représentants, et agir en son nom.")
        }
        "invite" => Some("L’invitation est envoyée. Elle est valable 14 jours."),
        "desinvite" => Some("L’invitation est retirée."),
        "role" => Some("Le rôle est changé."),
        "retire" => Some("Cette personne ne représente plus l’organisation. Elle en est prévenue."),
        "propose" => Some("La présidence est proposée. Elle change quand la personne l’accepte."),
        "reprise" => Some("La proposition est retirée."),
        "presidence" => Some("Vous présidez maintenant l’organisation."),
        _ => None,
    };
    let mine = mine(&citizen, id).await?;
    draw(&citizen, &mine, ("", Role::Delegate), &[], text).await
}

/// `invited`: address and role of an invitation being written.
pub async fn draw(
    citizen: &Citizen,
    mine: &Represented,
    invited: (&str, Role),
    wrong: &[Wrong],
    told: Option<&str>,
) -> Result<Response, Problem> {
    let organisation = store::find(&citizen.db, mine.id).await?.ok_or(Problem::NotFound)?;
    let (me, manages, url) = (citizen.account.id, mine.role().manages(), href(mine.id));
    let people = store::people(&citizen.db, mine.id).await?;
    let one = |person: &store::Person| {
        let role = person.role();
        json!({
            "name": person.name, "email": person.email, "role": role.label(), "since": person.since.to_string(), "me": person.account_id == me,
            "id": person.account_id, "href": format!("{url}/representants/{}", person.account_id),
            "change": (manages && role != Role::President).then(|| if role == Role::Reader { "delegate" } else { "reader" }),
            "successor": mine.successor_id == Some(person.account_id),
        })
    };
    let waiting = if manages { invitation::waiting(&citizen.db, mine.id, citizen.now).await? } else { Vec::new() };
    let role_words = |code: Option<&str>| Role::parse(code.unwrap_or_default()).map_or("", Role::label);
    let invitations: Vec<Json> = waiting
        .iter()
        .map(|one| json!({"email": one.email, "role": role_words(one.role.as_deref()), "until": one.expires_at.to_string(), "href": format!("{url}/invitations/{}", one.id)}))
        .collect();
    let history = trace::of(&citizen.db, about(mine.id), SHOWN).await?;
    let (email, chosen) = invited;
    let roles: Vec<Json> = Role::GIVEN
        .iter()
        .map(|role| json!({"code": role.code(), "label": role.label(), "means": role.means(), "chosen": *role == chosen}))
        .collect();
    let context = context! {
        organisation => Serde(json!({
            "name": organisation.name, "kind": model::kind_label(&organisation.kind), "numbers": organisation.numbers(), "address": organisation.address,
            "declared": organisation.declared_at.to_string(), "verified": organisation.verified_at.map(|at| at.to_string()),
        })),
        role => mine.role().label(), value => format!("organisation:{}", mine.id), url => &url, manages => manages,
        proposed_to_me => mine.successor_id == Some(me),
        people => Serde(people.iter().map(one).collect::<Vec<_>>()), invitations => Serde(invitations), roles => Serde(roles), email => email,
        history => Serde(history.iter().map(trace::Event::shown).collect::<Vec<_>>()), errors => errors(wrong), ..flash(told),
    };
    if wrong.is_empty() {
        citizen.page("organisations/organisation.html", &organisation.name, context)
    } else {
        citizen.page_again("organisations/organisation.html", &organisation.name, context)
    }
}
