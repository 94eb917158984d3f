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
    },
};

/// The usager's transition that ends the request, from the state where it stands.
pub fn ending<'a>(procedure: &'a Procedure, state: &'a str) -> Option<&'a Transition> {
    procedure.workflow.offered(state, Actor::Usager).find(|transition| {
        procedure.workflow.state(&transition.to).is_some_and(|to| to.end && to.status == Status::Ended)
    })
}

pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own_to(&filler, id, Deed::Send).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    if ending(&procedure, &request.state).is_none() {
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
    if let Some(transition) = ending(&procedure, &request.state) {
        let by = filler.by(request.account_id);
        fire::fire(&filler, &procedure, &request, &transition.id, by, &With::default()).await?;
    }
    Ok(Redirect::to(&filler.request(id)).into_response())
}
