//! « Annuler ma demande »: asked twice, done once.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use forms::{
    model::Procedure,
    step::Actor,
    workflow::{Status, Transition},
};
use minijinja::{context, value::Serde};
use uuid::Uuid;

use super::procedure_link;
use crate::{
    acting::Deed,
    catalogue,
    error::Problem,
    requests::{
        access,
        fire::{self, With},
        model::Request,
        owner,
    },
    visit::{Visit, Visitor},
};

/// The usager's transition that ends the request, from the state where it stands, if its answers allow it.
pub fn ending<'a>(visit: &Visit, procedure: &'a Procedure, request: &'a Request) -> Option<&'a Transition> {
    let known = fire::known(procedure, &request.answers.0, &request.given.0);
    ends(procedure, &request.state).find(|transition| transition.holds(fire::context(visit, &known)))
}

/// Those that would end it, whatever its answers.
fn ends<'a>(procedure: &'a Procedure, state: &'a str) -> impl Iterator<Item = &'a Transition> {
    procedure.workflow.offered(state, Actor::Usager).filter(|transition| {
        procedure.workflow.state(&transition.to).is_some_and(|to| to.end && to.status == Status::Ended)
    })
}

pub async fn show(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = access::mine_to(&visitor, id, Deed::Send).await?;
    let procedure = catalogue::version(&visitor, &request.procedure_id, request.procedure_version).await?;
    if ending(&visitor, &procedure, &request).is_none() {
        return Err(Problem::Elsewhere(format!("/demandes/{id}")));
    }
    let context = context! {
        reference => &request.reference,
        procedure => Serde(procedure_link(&procedure)),
        back => format!("/demandes/{id}"),
        draft => false,
        version => &request.version,
    };
    visitor.page("requests/cancel.html", "Annuler votre demande", context)
}

pub async fn confirm(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = access::mine_to(&visitor, id, Deed::Send).await?;
    let procedure = catalogue::version(&visitor, &request.procedure_id, request.procedure_version).await?;
    match ending(&visitor, &procedure, &request) {
        Some(transition) => {
            let by = owner::by(&visitor, request.account_id);
            fire::fire(&visitor, &procedure, &request, &transition.id, by, &With::default()).await?;
        }
        None if ends(&procedure, &request.state).next().is_some() => {
            return Err(Problem::Conflict(
                "Cette demande ne peut plus être annulée ici. Pour y renoncer, écrivez au service depuis sa page.",
            ));
        }
        None => {}
    }
    Ok(Redirect::to(&format!("/demandes/{id}")).into_response())
}
