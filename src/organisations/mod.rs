//! Organisations that file requests as such: companies, associations, other bodies. Whoever declares one
//! becomes its president, and invites its other representatives.

use axum::{
    Router,
    routing::{get, post},
};
use db::{Db, Tx};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    accounts,
    acting::{
        Acting, Choice, For, Kind,
        invitation::{Invitation, Offer},
    },
    app::App,
    visit::{Citizen, Visit},
};

mod declare;
mod desk;
mod invite;
mod model;
mod pages;
mod people;
mod store;

pub use invite::answer;
pub use model::Role;
pub use store::merge;
pub use store::{New, declare, join};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/compte/organisations", get(pages::list))
        .route("/compte/organisations/declarer", get(declare::show).post(declare::send))
        .route("/compte/organisations/{organisation}", get(pages::show))
        .route("/compte/organisations/{organisation}/inviter", post(invite::send))
        .route("/compte/organisations/{organisation}/invitations/{invitation}", post(invite::withdraw))
        .route("/compte/organisations/{organisation}/representants/{representative}", post(people::change))
        .route("/compte/organisations/{organisation}/presidence", post(people::succeed))
        .route("/compte/organisations/{organisation}/quitter", post(people::leave))
        .route("/agent/organisations", get(desk::show).post(desk::search))
        .route("/agent/organisations/{organisation}/verifier", post(desk::verify))
        .route("/agent/organisations/{organisation}/presidence", post(desk::preside))
}

fn about(id: Uuid) -> Choice {
    Choice { kind: Kind::Organisation, id }
}

/// The account's right to act for this organisation, if it has one.
pub async fn acting(visit: &Visit, account: Uuid, id: Uuid) -> Result<Option<Acting>, db::Error> {
    let Some(found) = store::represented(&visit.db, account, id).await? else { return Ok(None) };
    let waiting = store::waiting(&visit.db, id).await?;
    let role = found.role();
    Ok(Some(Acting {
        choice: about(id),
        name: found.name,
        whom: For::Organisation { id, siret: found.siret, rna: found.rna },
        may: role.may(),
        only: None,
        right: role.label().to_owned(),
        waiting,
    }))
}

/// Those the account represents: id, name, and what to say of it.
pub async fn choices(citizen: &Citizen) -> Result<Vec<(Uuid, String, String)>, db::Error> {
    let found = store::of(&citizen.db, citizen.account.id).await?;
    Ok(found.into_iter().map(|one| (one.id, one.name.clone(), one.role().label().to_owned())).collect())
}

pub async fn offer(visit: &Visit, invitation: &Invitation) -> Result<Option<Offer>, db::Error> {
    let Some(organisation) = store::find(&visit.db, invitation.subject_id).await? else { return Ok(None) };
    let role = Role::parse(invitation.role.as_deref().unwrap_or_default());
    Ok(role.map(|role| Offer {
        title: format!("Représenter {}", organisation.name),
        lines: vec![
            format!("Organisation\u{a0}: {} ({})", organisation.name, organisation.numbers()),
            format!("Votre rôle\u{a0}: {} – {}", role.label(), role.means()),
            "Les autres représentants verront votre nom et votre adresse électronique. Ce que vous ferez au nom de l’organisation sera noté comme fait par vous.".to_owned(),
        ],
    }))
}

/// What the account is in the organisation, if anything.
pub async fn role(db: &Db, account: Uuid, id: Uuid) -> Result<Option<Role>, db::Error> {
    Ok(store::represented(db, account, id).await?.map(|found| found.role()))
}

/// Its representatives: account, name, role.
pub async fn representatives(db: &Db, id: Uuid) -> Result<Vec<(Uuid, String, Role)>, db::Error> {
    let people = store::people(&db.fresh(), id).await?;
    Ok(people.into_iter().map(|person| (person.account_id, person.name.clone(), person.role())).collect())
}

/// Whether the account may open the organisation's documents, held while the transaction relies on it.
pub async fn opens(tx: &mut Tx, id: Uuid, account: Uuid) -> Result<bool, db::Error> {
    Ok(store::role_of(tx, id, account).await?.is_some_and(Role::opens_documents))
}

/// What agents are told of the organisation of a request.
pub async fn card(db: &Db, id: Uuid) -> Result<Option<Json>, db::Error> {
    let found = store::find(db, id).await?;
    Ok(found.map(
        |one| json!({"name": one.name, "numbers": one.numbers(), "verified": one.verified_at.map(|at| at.to_string())}),
    ))
}

/// Where to write about a request of an organisation: where its sender said, unless that is their own address
/// and they represent it no more; then to its president.
pub async fn recipient(db: &Db, id: Uuid, sender: Option<Uuid>, email: &str) -> Result<String, db::Error> {
    let people = store::people(db, id).await?;
    if people.iter().any(|person| Some(person.account_id) == sender) {
        return Ok(email.to_owned());
    }
    let left = match sender {
        Some(sender) => accounts::person(db, sender).await?,
        None => None,
    };
    let own = left.is_none_or(|left| accounts::reads(&left, email));
    let president = people.into_iter().find(|person| own && person.role() == Role::President);
    Ok(president.map_or_else(|| email.to_owned(), |person| person.email))
}

/// What the account is in organisations, for its owner's copy of their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Json>, db::Error> {
    let found = store::of(db, account).await?;
    let one = |one: &store::Represented| json!({"nom": one.name, "siret": one.siret, "rna": one.rna, "role": one.role().label(), "depuis": one.since.to_string()});
    Ok(found.iter().map(one).collect())
}

/// Organisations that cannot lose this account before somebody else presides.
pub async fn needing(db: &Db, account: Uuid) -> Result<Vec<String>, db::Error> {
    store::needing(db, account).await
}

/// The account is erased: organisations that nobody else represents go with it, and their drafts.
pub async fn leave(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    store::dissolve_alone(tx, account).await
}
