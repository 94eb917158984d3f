//! The documents of a safe, and adding one.

use axum::{
    extract::{FromRequest, Multipart, Query, Request, multipart::Field},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    crypt::{Key, Label, Recipient},
    deposit,
    door::{self, errors},
    kinds::{self, KINDS},
    model::{Document, Way},
    opening::{self, Open, State},
    organisation, passkey,
    store::{self, Added},
    whose::{Holder, Owner},
};
use crate::{
    error::Problem,
    platform::{
        french,
        scan::Scanned,
        upload::{self, Refused},
    },
    requests,
    visit::Visit,
};

const ADD: &str = "Ajouter un document";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

/// A document of `owner` as pages show it.
pub fn shown(visit: &Visit, owner: Owner, key: &Key, document: &Document) -> Json {
    let label = key.read_label(&document.label).unwrap_or_else(|error| {
        tracing::error!(document = %document.id, error = format!("{error:#}"), "label not readable");
        Label { name: "Document illisible".to_owned(), media_type: String::new(), crc: 0 }
    });
    json!({
        "id": document.id, "href": format!("{}/{}", owner.base(), document.id), "name": label.name,
        "type": requests::file_kind(&label.media_type), "size": document.size, "kind": kinds::of(&document.kind).name,
        "issued": document.issued_on.to_string(), "until": document.until().map(|day| day.to_string()),
        "outdated": document.outdated(visit.today()), "added": document.added_at.to_string(), "from_city": document.deposit.is_some(),
    })
}

/// « Mes documents », or the organisation's: the list when they are open, the door when they are not, the offer
/// without any.
pub async fn show(holder: Holder, headers: HeaderMap, Query(told): Query<Told>) -> Result<Response, Problem> {
    let (safe, key) = match opening::state(&holder, &headers, holder.owner).await? {
        State::Open(safe, key) => (safe, key),
        State::Closed => return Ok(Redirect::to(&opening::door(holder.owner, &holder.base())).into_response()),
        State::None if holder.organisation().is_none() => return door::offer(&holder, &[]).await,
        shut => return organisation::shut(&holder, &headers, &shut).await,
    };
    let citizen = &holder.citizen;
    let documents = store::documents(&citizen.db, safe.id).await?;
    let of_kind = |id: &str| -> Vec<Json> {
        let found = documents.iter().filter(|document| kinds::of(&document.kind).id == id);
        found.map(|document| shown(citizen, holder.owner, &key, document)).collect()
    };
    let groups = KINDS.iter().map(|kind| (kind, of_kind(kind.id))).filter(|(_, found)| !found.is_empty());
    let groups: Vec<Json> = groups.map(|(kind, found)| json!({"name": kind.name, "documents": found})).collect();
    let flash = match told.fait.as_str() {
        "supprime" => Some("Le document est supprimé."),
        "acces" => Some("Les documents de l’organisation s’ouvrent de nouveau avec les vôtres."),
        _ => None,
    };
    let oneself = holder.organisation().is_none();
    let context = context! {
        place => holder.place(),
        manages => organisation::manages(&holder).await?,
        groups => Serde(groups),
        own => oneself && store::wrap(&citizen.db, safe.id, Way::Own).await?.is_some(),
        used => documents.iter().map(|document| document.size).sum::<i64>(),
        quota => citizen.app.config.safe_quota,
        passkeys => oneself && passkey::offered(citizen).await?,
        ..flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } }),
    };
    citizen.page("safe/list.html", holder.title(), context)
}

pub async fn adding(open: Open) -> Result<Response, Problem> {
    draw_add(&open, "", &[])
}

fn draw_add(open: &Open, chosen: &str, wrong: &[(&str, String)]) -> Result<Response, Problem> {
    let kinds: Vec<Json> = KINDS
        .iter()
        .map(|kind| json!({"id": kind.id, "name": kind.name, "validity": kind.validity.words(), "chosen": kind.id == chosen}))
        .collect();
    let context = context! {
        place => open.place(),
        kinds => Serde(kinds),
        formats => "PDF, JPG, PNG, HEIC ou WebP",
        accept => upload::ACCEPT,
        max_size => open.app.config.upload_limit,
        scanned => !open.app.config.clamd.is_empty(),
        errors => errors(wrong),
    };
    if wrong.is_empty() {
        open.page("safe/add.html", ADD, context)
    } else {
        open.page_again("safe/add.html", ADD, context)
    }
}

/// What a form with a document held.
#[derive(Default)]
struct Sent {
    kind: String,
    document: Option<Document>,
    refused: Option<String>,
}

pub async fn add(open: Open, request: Request) -> Result<Response, Problem> {
    let mut sent = receive(&open, request).await?;
    let again = |sent: &Sent, text: String| draw_add(&open, &sent.kind, &[("fichier", text)]);
    if let Some(text) = sent.refused.take() {
        if let Some(document) = &sent.document {
            open.app.storage.remove(open.site.id, document.id).await?;
        }
        return again(&sent, text);
    }
    let Some(mut document) = sent.document.take() else {
        return again(&sent, "Choisissez d’abord un fichier ou une photo".to_owned());
    };
    document.kind = kinds::of(&sent.kind).id.to_owned();
    match deposit::keep(&open, &open.safe, &document).await? {
        Added::Yes => Ok(Redirect::to(&format!("{}/{}?fait=ajoute", open.base(), document.id)).into_response()),
        Added::Full | Added::Already => again(&sent, full(&open)),
    }
}

fn full(visit: &Visit) -> String {
    let quota = french::size(visit.app.config.safe_quota);
    format!("Il n’y a plus assez de place : vous disposez de {quota} en tout. Supprimez un document d’abord")
}

async fn receive(open: &Open, request: Request) -> Result<Sent, Problem> {
    let mut sent = Sent::default();
    let multipart = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    if !multipart {
        sent.kind = crate::platform::form::plain(request).await?.text("type").to_owned();
        return Ok(sent);
    }
    let broken = |_| Problem::Bad("L’envoi a été interrompu. Revenez en arrière et recommencez.");
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::Bad("Le formulaire reçu est incomplet. Revenez en arrière et recommencez."))?;
    for _ in 0..10 {
        let Some(mut field) = parts.next_field().await.map_err(broken)? else { return Ok(sent) };
        match field.name() {
            Some("fichier") if sent.document.is_none() && sent.refused.is_none() => match file(open, field).await? {
                Ok(document) => sent.document = document,
                Err(text) => sent.refused = Some(text),
            },
            Some("type") => {
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    if sent.kind.len() + chunk.len() > 100 {
                        return Err(Problem::TooLarge);
                    }
                    sent.kind.push_str(&String::from_utf8_lossy(&chunk));
                }
            }
            _ => return Err(Problem::Bad("Le formulaire reçu est incomplet. Revenez en arrière et recommencez.")),
        }
    }
    Err(Problem::TooLarge)
}

/// Encrypts a file on its way to storage; a sentence when it is refused, nothing when none was chosen.
async fn file(open: &Open, field: Field<'_>) -> Result<Result<Option<Document>, String>, Problem> {
    let (bytes, _) = store::weight(&open.db, open.safe.id).await?;
    if u64::try_from(bytes).unwrap_or(u64::MAX) >= open.app.config.safe_quota {
        return Ok(Err(full(open)));
    }
    let (limit, id) = (open.app.config.upload_limit, open.id());
    // To the key that was opened: the stored public key could have been replaced since.
    let recipient = Recipient::read(&open.key.recipient())?;
    let sealer = recipient.sealer(open.app.storage.writer(open.site.id, id))?;
    let received = upload::receive(Scanned::new(sealer, &open.app.config.clamd), id, field, limit, false).await;
    let (received, crc) = match received {
        Ok(received) => received,
        Err(Refused::Nothing) => return Ok(Ok(None)),
        Err(refused) => {
            if let Refused::Failed(error) = &refused {
                tracing::error!(error = format!("{error:#}"), "upload failed");
            }
            return Ok(Err(requests::form::says(&refused, limit, false)));
        }
    };
    let label = Label { name: received.name, media_type: received.media_type.to_owned(), crc };
    Ok(Ok(Some(Document {
        id,
        kind: String::new(),
        label: recipient.seal_label(&label)?,
        size: i64::try_from(received.size).map_err(anyhow::Error::from)?,
        issued_on: open.today(),
        until_on: None,
        deposit: None,
        added_at: open.now,
    })))
}
