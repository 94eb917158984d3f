//! One supporting document a page: sent one at a time, kept at once.

use axum::{
    extract::{Path, Request},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use forms::model::Piece;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Filling, procedure_link};
use crate::{
    error::Problem,
    platform::upload,
    requests::{
        drafts, files,
        filler::{Filler, Fills},
        form::{self, Slot},
        model::piece_slot,
        reach::Reach,
    },
    safe,
};

pub async fn show<W: Fills>(
    who: W,
    Path((id, piece)): Path<(Uuid, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    draw(&filler, &headers, &filling, &piece, &[]).await
}

pub async fn save<W: Fills>(
    who: W,
    Path((id, piece)): Path<(Uuid, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    let asked = find(&filling, &piece)?;
    let missing = filling.read(&filler).pieces.iter().any(|reading| reading.piece.id == piece && reading.missing);
    if !filling.may_add(&piece, missing) {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let slot = |name: &str| {
        (name == "fichier").then(|| Slot { slot: piece_slot(&asked.id), most: asked.files, images: false })
    };
    let headers = request.headers().clone();
    let form = form::receive(&filler, id, request, slot).await?;
    let mut errors: Vec<String> = form.refused.iter().map(|(_, text)| text.clone()).collect();
    match form.pressed(&["action"]).map_or("", |(_, action)| action) {
        "retirer" => {
            if let Ok(file) = form.typed.text("piece").parse() {
                filling.remove(&filler, file).await?;
            }
        }
        "plus-tard" => return Ok(Redirect::to(&filling.later()).into_response()),
        "continuer" | "sans" => {
            let sent = filling.files.iter().any(|file| file.slot == piece_slot(&piece));
            if sent || asked.optional {
                let reading = filling.read(&filler);
                if filling.mode() == "draft" {
                    let reach = Reach::after_piece(&filler, &filling.procedure, &reading, &piece);
                    drafts::reach(&filler, id, &reach).await?;
                }
                return Ok(Redirect::to(&filling.after_piece(&reading, Some(&piece))).into_response());
            }
            errors.push(format!("Envoyez le document « {} » pour continuer.", asked.title));
        }
        "reprendre" => errors.extend(reuse(&filler, &headers, &filling, asked, form.typed.text("document")).await?),
        // « ajouter », or a form sent by the Enter key.
        _ if form.added.is_empty() && errors.is_empty() => {
            errors.push("Choisissez d’abord un fichier ou une photo.".to_owned());
        }
        _ => {}
    }
    if errors.is_empty() {
        return Ok(Redirect::to(&filling.url(&format!("pieces/{piece}"))).into_response());
    }
    let filling = Filling::open(&filler, id).await?;
    draw(&filler, &headers, &filling, &piece, &errors).await
}

fn find<'a>(filling: &'a Filling, piece: &str) -> Result<&'a Piece, Problem> {
    filling.procedure.pieces.iter().find(|found| found.id == piece).ok_or(Problem::NotFound)
}

/// Gives a copy of one of the usager's own documents; a sentence when it cannot be.
async fn reuse(
    filler: &Filler,
    headers: &HeaderMap,
    filling: &Filling,
    asked: &Piece,
    document: &str,
) -> Result<Option<String>, Problem> {
    let visitor = filler.usager().ok_or(Problem::NotFound)?;
    let (document, file) = (document.parse().map_err(|_| Problem::NotFound)?, visitor.id());
    let Some(copy) = safe::copy(visitor, headers, document, file).await? else {
        return Ok(Some("Vos documents se sont refermés. Ouvrez-les de nouveau pour en utiliser un.".to_owned()));
    };
    if !files::add(visitor, filling.draft.id, &piece_slot(&asked.id), asked.files, &copy).await? {
        visitor.app.storage.remove(visitor.site.id, file).await?;
        return Ok(Some(form::full(asked.files)));
    }
    safe::copied(visitor, document, file).await?;
    Ok(None)
}

async fn draw(
    filler: &Filler,
    headers: &HeaderMap,
    filling: &Filling,
    piece: &str,
    errors: &[String],
) -> Result<Response, Problem> {
    let asked = find(filling, piece)?;
    let reading = filling.read(filler);
    let Some(position) = reading.pieces.iter().position(|reading| reading.piece.id == asked.id) else {
        // A condition hides it since: on with the journey.
        return Err(Problem::Elsewhere(filling.url("verifier")));
    };
    let pages = reading.shown_pages().count();
    let before = position.checked_sub(1).and_then(|index| reading.pieces.get(index));
    let back = match before {
        _ if filling.correcting.is_some() => filling.request_url(),
        Some(previous) => filling.url(&format!("pieces/{}", previous.piece.id)),
        None => {
            reading.shown_pages().last().map_or_else(|| filling.url("verifier"), |page| filling.page_url(page.index))
        }
    };
    let number = pages + position + 1;
    let documents = match filler.usager() {
        Some(visitor) => safe::choice(visitor, headers).await?,
        None => json!({"state": "none", "open": "", "organisation": false, "documents": []}),
    };
    let context = context! {
        procedure => Serde(procedure_link(&filling.procedure)),
        step => format!("Étape {number}"),
        mode => filling.mode(),
        ask => super::answer::asked_text(filler, filling).await?,
        back => back,
        piece => Serde(piece_json(asked)),
        files => Serde(filling.sent(&asked.id)),
        documents => Serde(documents),
        formats => "PDF, JPG, PNG, HEIC ou WebP",
        accept => upload::ACCEPT,
        max_size => &filler.app.config.upload_limit,
        errors => Serde(errors.iter().map(|text| json!({"href": "#fichier", "text": text})).collect::<Vec<_>>()),
        version => "",
    };
    let title = format!("{} – étape {number} – {}", asked.title, filling.procedure.title);
    if errors.is_empty() {
        filler.page("requests/piece.html", &title, context)
    } else {
        filler.page_again("requests/piece.html", &title, context)
    }
}

fn piece_json(piece: &Piece) -> Json {
    json!({
        "id": piece.id, "title": piece.title, "help": piece.help.clone().unwrap_or_default(), "basis": piece.basis, "instead": piece.instead,
        "optional": piece.optional, "max_files": piece.files,
    })
}
