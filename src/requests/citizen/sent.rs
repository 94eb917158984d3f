//! The confirmation, which survives a bookmark, and the receipt.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, header},
    response::Response,
};
use minijinja::{context, value::Serde};
use uuid::Uuid;

use super::{delay, legal, procedure_link};
use crate::{
    catalogue,
    error::Problem,
    requests::{access, files, jobs},
    visit::Visitor,
};

pub async fn show(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = access::mine(&visitor, id).await?;
    let procedure = catalogue::version(&visitor, &request.procedure_id, request.procedure_version).await?;
    let anonymous = request.account_id.is_none();
    let receipt = files::of(&visitor.db, id).await?.into_iter().find(|file| file.slot == jobs::RECEIPT_SLOT);
    let context = context! {
        procedure => Serde(procedure_link(&procedure)),
        reference => &request.reference,
        sent => request.submitted_at.to_string(),
        code => if anonymous { visitor.app.secret.code("suivi", id.as_bytes()) } else { String::new() },
        after => &procedure.after,
        delay => delay(procedure.delay),
        legal => Serde(legal(procedure.legal.as_ref())),
        email => request.email.clone().unwrap_or_default(),
        receipt => context! { href => format!("/demandes/{id}/recepisse.pdf"), size => receipt.map(|file| file.size) },
        follow => format!("/demandes/{id}"),
        corrected => false,
    };
    visitor.page("requests/sent.html", &format!("Demande envoyée {}", request.reference), context)
}

/// The receipt: the one that was kept, or rendered now when its job has not come to it yet.
pub async fn receipt(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = access::mine(&visitor, id).await?;
    let kept = files::of(&visitor.db, id).await?.into_iter().find(|file| file.slot == jobs::RECEIPT_SLOT);
    let body = match kept {
        Some(file) => Body::from_stream(visitor.app.storage.read(visitor.site.id, file.id).await?),
        None => Body::from(jobs::render_receipt(&visitor, &request).await?),
    };
    Ok(pdf(body, &format!("accuse-enregistrement-{}.pdf", request.reference)))
}

pub fn pdf(body: Body, name: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers.insert(header::CONTENT_DISPOSITION, files::disposition(name));
    response
}
