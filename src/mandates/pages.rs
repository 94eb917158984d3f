//! Mandates given and received, how they end, and what was done with them.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    about, form,
    model::{self, MONTHS, Mandate, Scope},
    store::{self, Between},
};
use crate::{
    accounts::{self, citizen::flash},
    acting::{
        mails::{self, Letter},
        trace::{self, Actor},
    },
    catalogue,
    error::Problem,
    platform::{form::Typed, french},
    requests,
    visit::{Citizen, Visit},
};

const LIST: &str = "/compte/mandats";
/// Lines of « Ce qui a été fait en mon nom », for each mandate.
const SHOWN: i64 = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn list(citizen: Citizen, Query(told): Query<Told>) -> Result<Response, Problem> {
    let text = match told.fait.as_str() {
        "propose" => {
            Some("Le mandat est proposé. Il commence quand la personne l’accepte ; l’invitation est valable 14 jours.")
        }
        "termine" => Some("Le mandat a pris fin. L’autre personne en est prévenue."),
        "prolonge" => Some("Le mandat est prolongé. La personne qui vous aide en est prévenue."),
        _ => None,
    };
    let mut given = Vec::new();
    for one in store::given(&citizen.db, citizen.account.id).await? {
        given.push(shown(&citizen, &one).await?);
    }
    let mut received = Vec::new();
    for one in store::received(&citizen.db, citizen.account.id).await? {
        received.push(shown(&citizen, &one).await?);
    }
    let lengths: Vec<Json> =
        MONTHS.iter().map(|months| json!({"code": months, "label": form::length(*months)})).collect();
    let context =
        context! { given => Serde(given), received => Serde(received), lengths => Serde(lengths), ..flash(text) };
    citizen.page("mandates/list.html", "Mandats", context)
}

/// « Toutes », or the titles of themes and procedures.
pub async fn scope_words(visit: &Visit, scope: &Scope) -> anyhow::Result<String> {
    if scope.is_everything() {
        return Ok("toutes".to_owned());
    }
    let current = catalogue::current(visit).await?;
    let themes = visit
        .site
        .settings
        .themes
        .iter()
        .filter(|theme| scope.themes.contains(&theme.id))
        .map(|theme| theme.title.clone());
    let named = scope
        .procedures
        .iter()
        .filter_map(|id| current.procedures.get(id))
        .map(|one| format!("« {} »", one.procedure.title));
    Ok(themes.chain(named).collect::<Vec<_>>().join(", "))
}

async fn shown(citizen: &Citizen, one: &Between) -> Result<Json, Problem> {
    let (mandate, today) = (&one.mandate, citizen.today());
    let standing = match mandate {
        live if live.is_live(today) => "live",
        offered if offered.is_offered(today) => "offered",
        refused if refused.accepted_at.is_none() && refused.ended_at.is_some() => "refused",
        _ => "ended",
    };
    let deeds: Vec<&str> = mandate.may().deeds().map(|deed| deed.label()).collect();
    Ok(json!({
        "id": mandate.id, "other": one.other, "kind": model::kind_label(&mandate.kind), "standing": standing, "until": mandate.until.to_string(),
        "scope": scope_words(citizen, &mandate.scope.0).await?, "deeds": deeds, "recorded": mandate.recorded_by.is_some(),
        "end": format!("{LIST}/{}/terminer", mandate.id), "renew": format!("{LIST}/{}/prolonger", mandate.id), "value": format!("mandate:{}", mandate.id),
    }))
}

/// The mandate, if the account gave or accepted it; and the other's account.
async fn mine(citizen: &Citizen, id: Uuid) -> Result<(Mandate, Option<accounts::session::Account>), Problem> {
    let mandate = store::find(&citizen.db, id).await?.ok_or(Problem::NotFound)?;
    let me = citizen.account.id;
    let other = match mandate.helper_id {
        helper if mandate.principal_id == me => helper,
        Some(helper) if helper == me => Some(mandate.principal_id),
        _ => return Err(Problem::NotFound),
    };
    let other = match other {
        Some(other) => accounts::person(&citizen.db, other).await?,
        None => None,
    };
    Ok((mandate, other))
}

/// By either, at any moment.
pub async fn end(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let (_, other) = mine(&citizen, id).await?;
    let (visit, account, now) = (&citizen.visit, &citizen.account, citizen.now);
    citizen
        .db
        .write(async |tx: &mut Tx| {
            if !store::end(tx, id, now).await? {
                return Ok(());
            }
            crate::acting::invitation::forget(tx, id).await?;
            trace::by(tx, visit, about(id), account, "revoked", "").await?;
            if let Some(other) = &other {
                let who = account.full_name();
                let letter = Letter {
                    name: "mandat-termine",
                    to: other.mailbox(),
                    who: &who,
                    what: "",
                    path: LIST,
                    invitation: None,
                };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    citizen.app.work.notify_one();
    Ok(Redirect::to(&format!("{LIST}?fait=termine")).into_response())
}

/// By the principal alone: a new last day, counted from today.
pub async fn renew(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (mandate, helper) = mine(&citizen, id).await?;
    if mandate.principal_id != citizen.account.id {
        return Err(Problem::Forbidden("Seule la personne qui a donné le mandat peut le prolonger."));
    }
    let until = typed.text("duree").parse().ok().and_then(|months| model::until(citizen.today(), months));
    let until = until.ok_or(Problem::Bad("Choisissez d’abord une durée."))?;
    let (visit, account, today) = (&citizen.visit, &citizen.account, citizen.today());
    let words = french::date(until);
    let renewed = citizen
        .db
        .write(async |tx: &mut Tx| {
            if !store::renew(tx, id, until, today).await? {
                return Ok(false);
            }
            trace::by(tx, visit, about(id), account, "renewed", &format!("jusqu’au {words}")).await?;
            if let Some(helper) = &helper {
                let who = account.full_name();
                let letter = Letter {
                    name: "mandat-prolonge",
                    to: helper.mailbox(),
                    who: &who,
                    what: &words,
                    path: LIST,
                    invitation: None,
                };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !renewed {
        return Err(Problem::Conflict("Ce mandat a pris fin. Pour continuer, donnez-en un nouveau."));
    }
    citizen.app.work.notify_one();
    Ok(Redirect::to(&format!("{LIST}?fait=prolonge")).into_response())
}

/// « Ce qui a été fait en mon nom »: on drafts and pages, and in the history of requests.
pub async fn done(citizen: Citizen) -> Result<Response, Problem> {
    let mut lines: Vec<(jiff::Timestamp, Json)> = Vec::new();
    for one in store::given(&citizen.db, citizen.account.id).await? {
        let events = trace::of(&citizen.db, about(one.mandate.id), SHOWN).await?;
        lines.extend(events.iter().map(|event| (event.at, event.shown())));
    }
    lines.extend(requests::owner::done_for(&citizen, citizen.account.id).await?);
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let lines: Vec<Json> = lines.into_iter().map(|(_, line)| line).collect();
    citizen.page("mandates/done.html", "Ce qui a été fait en mon nom", context! { lines => Serde(lines) })
}

/// Ends the mandates whose last day is over, and tells both.
pub async fn end_due(visit: &Visit) -> anyhow::Result<()> {
    for mandate in store::due(&visit.db, visit.today()).await? {
        let mut people = Vec::new();
        for id in [Some(mandate.principal_id), mandate.helper_id].into_iter().flatten() {
            people.extend(accounts::person(&visit.db, id).await?);
        }
        visit
            .db
            .write(async |tx: &mut Tx| {
                if !store::end(tx, mandate.id, visit.now).await? {
                    return Ok(());
                }
                let clock = Actor { id: Uuid::nil(), name: "Automatique", agent: false };
                trace::add(tx, visit, about(mandate.id), clock, "expired", "").await?;
                crate::acting::invitation::forget(tx, mandate.id).await?;
                let until = french::date(mandate.until);
                for person in &people {
                    let letter = Letter {
                        name: "mandat-echu",
                        to: person.mailbox(),
                        who: "",
                        what: &until,
                        path: LIST,
                        invitation: None,
                    };
                    mails::queue(tx, visit, &letter).await?;
                }
                Ok::<(), db::Error>(())
            })
            .await?;
    }
    Ok(())
}

/// Mandates of the account, for its owner's copy of their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Json, db::Error> {
    let one = |one: &Between| {
        let mandate = &one.mandate;
        json!({
            "avec": one.other, "qualite": model::kind_label(&mandate.kind), "portee": mandate.scope.0, "peut": mandate.may, "jusqu_au": mandate.until.to_string(),
            "propose_le": mandate.offered_at.to_string(), "accepte_le": mandate.accepted_at.map(|at| at.to_string()), "termine_le": mandate.ended_at.map(|at| at.to_string()),
        })
    };
    let list = |found: Vec<Between>| found.iter().map(one).collect::<Vec<_>>();
    Ok(json!({"donnes": list(store::given(db, account).await?), "recus": list(store::received(db, account).await?)}))
}
