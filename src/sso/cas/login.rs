//! `/cas/login`: gives a service ticket to who is signed in, and sends the others to sign in.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use reqwest::Url;
use serde::Deserialize;

use super::ticket::{self, Kind, New};
use crate::{
    error::Problem,
    sso::{
        address,
        client::Client,
        gate::{self, Marks, Ready},
        store,
    },
    visit::Visitor,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
    renew: Option<String>,
    gateway: Option<String>,
}

/// `renew`, `renew=true`, `renew=1`… all ask; so says the specification of a parameter that is set.
pub fn set(parameter: Option<&str>) -> bool {
    parameter.is_some_and(|value| !value.eq_ignore_ascii_case("false"))
}

pub async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Query(marks): Query<Marks>,
) -> Result<Response, Problem> {
    if asked.service.is_empty() {
        let page = if visitor.account().is_some() { "/compte" } else { "/connexion?suite=/compte" };
        return Ok(Redirect::to(page).into_response());
    }
    let Some(service) = address::given(&asked.service) else { return gate::unknown(&visitor) };
    let Some(client) = store::client_of(&visitor.db, &service).await? else { return gate::unknown(&visitor) };
    if marks.retour == "refus" {
        return gate::refused(&visitor, &client);
    }
    let renew = set(asked.renew.as_deref());
    let silent = set(asked.gateway.as_deref()) && !renew;
    let Some(ready) = gate::signed_in(&visitor, &client, &marks, silent).await? else {
        return if silent {
            gate::onward(&visitor, &client, &marks, &service)
        } else {
            Ok(gate::to_sign_in(&visitor, &client, renew))
        };
    };
    if renew && !ready.fresh {
        return Ok(gate::to_sign_in(&visitor, &client, true));
    }
    if !gate::agreed(&visitor, ready.account.id, &client, &client.claims).await? {
        return if silent {
            gate::onward(&visitor, &client, &marks, &service)
        } else {
            gate::ask(&visitor, &client, ready.account, &client.claims, &marks)
        };
    }
    let ticket = give(&visitor, &client, &service, &ready).await?;
    gate::onward(&visitor, &client, &marks, &address::with(&service, &[("ticket", &ticket)]))
}

async fn give(visitor: &Visitor, client: &Client, service: &Url, ready: &Ready<'_>) -> Result<String, db::Error> {
    let ticket = Kind::Service.make();
    let new = New {
        kind: Kind::Service,
        client: client.id.clone(),
        service: service.to_string(),
        session: ready.session,
        renewed: ready.fresh,
        proxies: vec![],
    };
    visitor.db.write(async |tx: &mut Tx| ticket::keep(tx, &ticket, &new, visitor.now).await).await?;
    Ok(ticket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_by_being_there() {
        assert!(set(Some("true")) && set(Some("")) && set(Some("1")));
        assert!(!set(None) && !set(Some("false")));
    }
}
