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
        filler::{Filler, Follows},
        fire::{self, With},
        model::Request,
    },
    visit::Visit,
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

pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own_to(&filler, id, Deed::Send).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    if ending(&filler, &procedure, &request).is_none() {
        return Err(Problem::Elsewhere(filler.request(id)));
    }
    let context = context! {
        reference => &request.reference,
        procedure => Serde(procedure_link(&procedure)),
        back => filler.request(id),
        draft => false,
        version => &request.version,
    };
    filler.page("requests/cancel.html", "Annuler votre demande", context)
}

pub async fn confirm<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own_to(&filler, id, Deed::Send).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    match ending(&filler, &procedure, &request) {
        Some(transition) => {
            let by = filler.by(request.account_id);
            fire::fire(&filler, &procedure, &request, &transition.id, by, &With::default()).await?;
        }
        None if ends(&procedure, &request.state).next().is_some() => {
            return Err(Problem::Conflict(
                "Cette demande ne peut plus être annulée ici. Pour y renoncer, écrivez au service depuis sa page.",
            ));
        }
        None => {}
    }
    Ok(Redirect::to(&filler.request(id)).into_response())
}
