//! The confirmation, which survives a bookmark, and the receipt.

use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{context, value::Serde};
use serde_json::json;
use uuid::Uuid;

use super::{follow, legal, procedure_link};
use crate::{
    catalogue,
    error::Problem,
    platform::{attachment, clock},
    requests::{
        access, code, files,
        filler::{Filler, Follows},
        jobs, staff,
    },
    safe, steering,
    visit::{Visit, Visitor},
};

/// No receipt weighs as much.
const LARGEST_RECEIPT: usize = 20_000_000;

pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own(&filler, id).await?;
    let procedure = catalogue::version(&filler, &request.procedure_id, request.procedure_version).await?;
    let anonymous = request.is_anonymous();
    let receipt = files::of(&filler.db, id).await?.into_iter().find(|file| file.slot == jobs::RECEIPT_SLOT);
    let context = context! {
        procedure => Serde(procedure_link(&procedure)),
        reference => &request.reference,
        sent => request.submitted_at.to_string(),
        code => if anonymous { code::shown(&filler, id).await? } else { String::new() },
        after => &procedure.after,
        delay => procedure.delay.to_string(),
        usual => steering::usual(&filler, &procedure.id).await?,
        legal => Serde(legal(procedure.legal.as_ref())),
        email => request.email.clone().unwrap_or_default(),
        receipt => context! { href => format!("{}/recepisse.pdf", filler.request(id)), size => receipt.map(|file| file.size) },
        follow => filler.request(id),
        others => if procedure.is_internal() { staff::LIST } else { "/demarches" },
        corrected => false,
    };
    filler.page("requests/sent.html", &format!("Demande envoyée {}", request.reference), context)
}

/// The receipt: the one that was kept, or rendered now when its job has not come to it yet.
pub async fn receipt<W: Follows>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own(&filler, id).await?;
    Ok(attachment::pdf(receipt_of(&filler, &request).await?, &receipt_name(&request.reference)))
}

async fn receipt_of(visit: &Visit, request: &access::Mine) -> Result<Body, Problem> {
    let kept = files::of(&visit.db, request.id).await?.into_iter().find(|file| file.slot == jobs::RECEIPT_SLOT);
    Ok(match kept {
        Some(file) => Body::from_stream(visit.app.storage.read(visit.site.id, file.id).await?),
        None => Body::from(jobs::render_receipt(visit, request, None).await?),
    })
}

fn receipt_name(reference: &str) -> String {
    format!("accuse-enregistrement-{reference}.pdf")
}

/// What tells a receipt in the documents of its usager.
fn deposit(request: Uuid) -> String {
    format!("accuse:{request}")
}

/// `offered` or `kept`: whether the receipt is in the documents of the visitor, who filed it with their account
/// or acts for the organisation that did, and has some place to keep it; else nothing.
pub async fn keeping(filler: &Filler, request: &access::Mine) -> Result<&'static str, Problem> {
    let owner = filler.usager().and_then(|visitor| keeper(visitor, request));
    let Some(owner) = owner else { return Ok("") };
    Ok(match safe::keeps(&filler.db, owner, &deposit(request.id)).await? {
        None => "",
        Some(true) => "kept",
        Some(false) => "offered",
    })
}

/// Whose documents a request's receipt may go to: of the account or the organisation that it belongs to.
pub fn keeper(visitor: &Visitor, request: &access::Mine) -> Option<safe::Owner> {
    safe::Owner::of(visitor).filter(|owner| match owner {
        safe::Owner::Account(id) => request.account_id == Some(*id),
        safe::Owner::Organisation(id) => request.organisation_id == Some(*id),
    })
}

/// « Ranger l'accusé dans mes documents ».
pub async fn keep(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = access::mine(&visitor, id).await?;
    let filler = Filler::from(visitor.clone());
    if keeping(&filler, &request).await?.is_empty() {
        return Err(Problem::Elsewhere(format!("/demandes/{id}")));
    }
    let owner = keeper(&visitor, &request).ok_or(Problem::NotFound)?;
    let content = axum::body::to_bytes(receipt_of(&visitor, &request).await?, LARGEST_RECEIPT).await;
    let receipt = safe::Deposit {
        once: deposit(id),
        kind: "mairie",
        name: &receipt_name(&request.reference),
        media_type: "application/pdf",
        issued_on: clock::day(request.submitted_at, &visitor.site.zone),
        content: content.map_err(anyhow::Error::from)?,
    };
    if safe::deposit(&visitor, owner, receipt).await? == Some(safe::Added::Full) {
        let text = "Il n’y a plus assez de place dans vos documents : supprimez-en un d’abord.";
        return follow::draw(&filler, &request, "", &[json!({"href": "#ranger", "text": text})], None).await;
    }
    Ok(Redirect::to(&format!("/demandes/{id}?fait=range")).into_response())
}
