//! Before the first question, and between two visits.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use forms::model::{Identification, Procedure};
use jiff::civil::Date;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use uuid::Uuid;

use super::{Filling, procedure_link};
use crate::{
    acting::trace,
    catalogue::{self, Published},
    error::Problem,
    household::changes,
    platform::encode,
    requests::{
        self, code, drafts,
        filler::{Filler, Fills},
    },
    visit::{Visit, Visitor},
};

#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Another request, in so many words: drafts were offered and left aside.
    autre: Option<String>,
}

/// « Comment continuer ? », skipped by who has an account and where nobody needs one, but for the
/// drafts that wait to be taken up.
pub async fn show(visitor: Visitor, Path(id): Path<String>, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let published = open_procedure(&visitor, &id).await?;
    visitor.may_begin(&id)?;
    let procedure = &published.procedure;
    let fill = format!("/demarches/{id}/remplir");
    let drafts = if wanted.autre.is_none() { requests::drafts_on(&visitor, &procedure.id).await? } else { Vec::new() };
    let choose = visitor.account().is_none() && procedure.identification != Identification::None;
    if !choose && drafts.is_empty() {
        return Ok(Redirect::to(&fill).into_response());
    }
    let back = encode(&fill);
    let context = context! {
        procedure => Serde(procedure_link(procedure)),
        drafts => Serde(drafts),
        choose => choose,
        identification => Serde(procedure.identification),
        sign_in => format!("/connexion?suite={back}"),
        sign_up => format!("/inscription?suite={back}"),
        without => fill,
    };
    visitor.page("requests/start.html", "Comment continuer ?", context)
}

/// The published procedure, if it can be begun today; else its page, which says when it can.
pub async fn open_procedure(visit: &Visit, id: &str) -> Result<Published, Problem> {
    let published = catalogue::find(visit, id).await?.ok_or(Problem::NotFound)?;
    if id == changes::PROCEDURE {
        return Err(Problem::Elsewhere(changes::PAGE.to_owned()));
    }
    if is_open(&published.procedure, visit.today()) {
        Ok(published)
    } else {
        Err(Problem::Elsewhere(format!("/demarches/{id}")))
    }
}

/// Whether what is received that day is in time.
pub fn is_open(procedure: &Procedure, day: Date) -> bool {
    let opening = procedure.opening;
    opening.from.is_none_or(|from| from <= day) && opening.to.is_none_or(|to| day <= to)
}

/// Kept for later: how to come back.
pub async fn saved(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filling = Filling::open(&visitor.clone().into(), id).await?;
    let reading = filling.read(&visitor);
    let resume = reading.first_incomplete().map_or_else(|| filling.url("verifier"), |index| filling.page_url(index));
    let anonymous = filling.draft.account_id.is_none() && filling.draft.organisation_id.is_none();
    let expires = visitor.now.checked_add(drafts::LASTS).unwrap_or(visitor.now);
    let context = context! {
        procedure => Serde(procedure_link(&filling.procedure)),
        resume => resume,
        expires => crate::platform::clock::day(expires, &visitor.site.zone).to_string(),
        account => visitor.account().map(|account| context! { email => &account.login }),
        code => if anonymous { code::shown(&visitor, id).await? } else { String::new() },
        reference => &filling.draft.reference,
    };
    visitor.page("requests/saved.html", "Vos réponses sont enregistrées", context)
}

/// Asks once before erasing.
pub async fn discarding<W: Fills>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    let context = context! {
        reference => "",
        procedure => Serde(procedure_link(&filling.procedure)),
        back => filling.url("verifier"),
        draft => true,
        version => "",
    };
    filler.page("requests/cancel.html", "Effacer ce brouillon", context)
}

pub async fn discard<W: Fills>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    if filling.correcting.is_some() {
        return Err(Problem::Bad("Une demande envoyée ne s’efface pas ainsi : elle s’annule depuis sa page."));
    }
    if let Some(visitor) = filler.usager() {
        trace::note(visitor, trace::ERASED, &filling.draft.reference).await?;
    }
    drafts::discard(&filler, id).await?;
    Ok(Redirect::to(filler.home()).into_response())
}
