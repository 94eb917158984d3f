//! Mandates: a person lets another act for them, for some procedures, some deeds and some time. Given by
//! an invitation that the helper accepts, or at the counter from a signed paper; ended by either at any
//! moment, or by its date.

use axum::{
    Router,
    routing::{get, post},
};
use uuid::Uuid;

use crate::{
    accounts,
    acting::{
        Acting, Choice, For, Kind,
        invitation::{Invitation, Offer},
    },
    app::App,
    catalogue,
    error::Problem,
    platform::french,
    visit::{Citizen, Visit},
};

mod desk;
mod form;
mod give;
mod model;
mod pages;
mod store;

pub use give::answer;
pub use model::{Mandate, Scope};
pub use pages::{end_due, export};
pub use store::{count, insert, leave, merge};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/mandats", get(pages::list))
        .route("/compte/mandats/donner", get(give::show).post(give::send))
        .route("/compte/mandats/fait", get(pages::done))
        .route("/compte/mandats/{mandate}/terminer", post(pages::end))
        .route("/compte/mandats/{mandate}/prolonger", post(pages::renew))
        .route("/agent/mandats", get(desk::show).post(desk::record))
}

fn about(id: Uuid) -> Choice {
    Choice { kind: Kind::Mandate, id }
}

/// The account's right to act by this mandate, if it holds today.
pub async fn acting(visit: &Visit, helper: Uuid, id: Uuid) -> Result<Option<Acting>, Problem> {
    let Some(mandate) = store::find(&visit.db, id).await? else { return Ok(None) };
    if mandate.helper_id != Some(helper) || !mandate.is_live(visit.today()) {
        return Ok(None);
    }
    let Some(principal) = accounts::person(&visit.db.fresh(), mandate.principal_id).await? else { return Ok(None) };
    let only = match &mandate.scope.0 {
        scope if scope.is_everything() => None,
        scope => Some(scope.procedures(catalogue::current(visit).await?.as_ref())),
    };
    let waiting = store::waiting(&visit.db, principal.id).await?;
    Ok(Some(Acting {
        choice: about(id),
        name: principal.full_name(),
        may: mandate.may(),
        only,
        right: format!("mandataire ({}), jusqu’au {}", model::kind_label(&mandate.kind), french::date(mandate.until)),
        whom: For::Person(principal),
        waiting,
    }))
}

/// The people that the account may act for today: mandate, name, and what to say of it.
pub async fn choices(citizen: &Citizen) -> Result<Vec<(Uuid, String, String)>, db::Error> {
    let found = store::received(&citizen.db, citizen.account.id).await?;
    let live = found.into_iter().filter(|one| one.mandate.is_live(citizen.today()));
    Ok(live
        .map(|one| (one.mandate.id, one.other, format!("mandat jusqu’au {}", french::date(one.mandate.until))))
        .collect())
}

pub async fn offer(visit: &Visit, invitation: &Invitation) -> Result<Option<Offer>, Problem> {
    let Some(mandate) = store::find(&visit.db, invitation.subject_id).await? else { return Ok(None) };
    let Some(principal) = accounts::person(&visit.db, mandate.principal_id).await? else { return Ok(None) };
    if !mandate.is_offered(visit.today()) {
        return Ok(None);
    }
    let name = principal.full_name();
    let mut lines = vec![
        format!("{name} vous donne mandat comme {}.", model::kind_label(&mandate.kind)),
        format!("Jusqu’au {}, que chacun de vous peut avancer à tout moment.", french::date(mandate.until)),
        format!("Démarches\u{a0}: {}.", pages::scope_words(visit, &mandate.scope.0).await?),
    ];
    lines
        .extend(mandate.may().deeds().map(|deed| format!("Vous pourrez\u{a0}: {}", french::lower_first(deed.label()))));
    lines.push(format!("Ce que vous ferez sera noté comme fait par vous, et {name} le verra."));
    Ok(Some(Offer { title: format!("Agir pour {name}"), lines }))
}
