//! An association with two representatives, and a mandate: Camille, whose account everybody tries, acts for both.

use anyhow::{Context, Result};
use db::{Json, Tx};

use super::city::{self, City};
use crate::{
    accounts::session::Kind,
    acting::{Deed, May},
    mandates::{self, Mandate, Scope},
    organisations::{self, New, Role},
    visit::Visit,
};

/// What the accounts to print say of the first usager.
pub const LABEL: &str = ", déléguée du Judo-club, mandataire d’un proche";

pub async fn make(visit: &Visit, city: &City) -> Result<()> {
    let mut people = Vec::new();
    for usager in city.usagers.iter().take(4) {
        let email = usager.email.as_deref().context("email")?;
        people.push(city::account_of(visit, Kind::Usager, email).await?.context("account")?);
    }
    let [delegate, _, president, principal] = people[..] else { anyhow::bail!("four usagers") };
    let club = New {
        id: visit.id(),
        kind: "association",
        siret: None,
        rna: Some("W963000417"),
        name: "Judo-club de Valmont",
        address: "3 rue du Stade, 96000 Valmont",
    };
    let today = visit.today();
    let mandate = Mandate {
        id: visit.id(),
        principal_id: principal,
        helper_id: Some(delegate),
        kind: "family".into(),
        scope: Json(Scope::default()),
        may: May::new(&Deed::ALL).codes(),
        until: today.checked_add(jiff::Span::new().months(6))?,
        offered_at: visit.now,
        accepted_at: Some(visit.now),
        ended_at: None,
        recorded_by: None,
    };
    visit
        .db
        .write(async |tx: &mut Tx| {
            organisations::declare(tx, &club, president, visit.now).await?;
            organisations::join(tx, club.id, delegate, Role::Delegate, visit.now).await?;
            mandates::insert(tx, &mandate).await
        })
        .await?;
    Ok(())
}
