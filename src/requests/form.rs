//! Reading a sent form, with or without files. Files go to storage as they arrive and are named in
//! the database at once; what was typed comes back whole, whatever happens to a file.

use axum::{
    extract::{FromRequest, Multipart, Request},
    http::header,
};
use forms::answers::Raw;
use uuid::Uuid;

use super::files;
use crate::{
    error::Problem,
    platform::{
        form::{MOST_FIELDS, push},
        upload::{self, Refused},
    },
    visit::Visit,
};

pub use crate::platform::form::plain;

/// Longest text field of a form with files.
const LONGEST_FIELD: usize = 8 * 1024 * 1024;

/// Where a file input's files go.
pub struct Slot {
    pub slot: String,
    pub most: u32,
    pub images: bool,
}

#[derive(Debug, Default)]
pub struct Form {
    pub typed: Raw,
    /// Slots that got a file, and the file.
    pub added: Vec<(String, Uuid)>,
    /// (input name, French sentence).
    pub refused: Vec<(String, String)>,
}

impl Form {
    /// The button that was pressed: its name and value, if it is one of `names`.
    pub fn pressed<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        names.iter().find(|name| self.typed.0.contains_key(**name)).map(|name| (*name, self.typed.text(name)))
    }
}

/// Reads a form that may hold files; `slot` tells, by input name, where a file belongs.
pub async fn receive(
    visit: &Visit,
    owner: Uuid,
    request: Request,
    slot: impl Fn(&str) -> Option<Slot>,
) -> Result<Form, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Ok(Form { typed: plain(request).await?, ..Form::default() });
    }
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::Bad("Le formulaire reçu est incomplet. Revenez en arrière et recommencez."))?;
    let mut form = Form::default();
    let mut count = 0;
    while let Some(field) = parts.next_field().await.map_err(|_| {
        Problem::Bad(
            "L’envoi a été interrompu. Revenez en arrière et recommencez : vos réponses enregistrées sont conservées.",
        )
    })? {
        count += 1;
        if count > MOST_FIELDS {
            return Err(Problem::TooLarge);
        }
        let name = field.name().unwrap_or_default().to_owned();
        match slot(&name).filter(|_| field.file_name().is_some()) {
            Some(place) => file(visit, owner, &name, place, field, &mut form).await?,
            None => text(&name, field, &mut form.typed).await?,
        }
    }
    Ok(form)
}

/// The texts of a form whose files are not wanted.
pub async fn texts(request: Request) -> Result<Raw, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return plain(request).await;
    }
    let cut = || Problem::Bad("L’envoi a été interrompu. Revenez en arrière et recommencez.");
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| cut())?;
    let mut typed = Raw::default();
    while let Some(field) = parts.next_field().await.map_err(|_| cut())? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_none() && typed.0.len() < MOST_FIELDS {
            text(&name, field, &mut typed).await?;
        }
    }
    Ok(typed)
}

async fn file(
    visit: &Visit,
    owner: Uuid,
    name: &str,
    place: Slot,
    field: axum::extract::multipart::Field<'_>,
    form: &mut Form,
) -> Result<(), Problem> {
    let limit = visit.app.config.upload_limit;
    let id = visit.id();
    let writer = visit.app.storage.writer(visit.site.id, id);
    let received = match upload::receive(writer, id, field, limit, place.images).await {
        Ok((received, ())) => received,
        Err(Refused::Nothing) => return Ok(()),
        Err(refused) => {
            form.refused.push((name.to_owned(), says(&refused, limit, place.images)));
            if let Refused::Failed(error) = refused {
                tracing::error!(error = format!("{error:#}"), "upload failed");
            }
            return Ok(());
        }
    };
    if files::add(visit, owner, &place.slot, place.most, &received).await? {
        form.added.push((place.slot, id));
    } else {
        visit.app.storage.remove(visit.site.id, id).await?;
        form.refused.push((name.to_owned(), full(place.most)));
    }
    Ok(())
}

/// The slot, or the whole request, takes no more files.
pub fn full(most: u32) -> String {
    format!("Vous avez déjà envoyé {most} fichier(s) ici, le maximum. Retirez-en un d’abord.")
}

pub fn says(refused: &Refused, limit: u64, images: bool) -> String {
    match refused {
        Refused::Nothing => "Choisissez un fichier.".to_owned(),
        Refused::Empty => "Ce fichier est vide. Choisissez-en un autre.".to_owned(),
        Refused::TooLarge => format!(
            "Ce fichier dépasse {}. Choisissez un fichier plus léger ou une photo de moindre qualité.",
            crate::platform::french::size(limit)
        ),
        Refused::Kind if images => {
            "Ce fichier n’est pas une photo que nous pouvons lire. Envoyez une image JPG, PNG, HEIC ou WebP.".to_owned()
        }
        Refused::Kind => {
            "Ce fichier n’est pas d’un type accepté. Envoyez un PDF ou une image JPG, PNG, HEIC ou WebP.".to_owned()
        }
        Refused::Infected => {
            "Ce fichier contient un virus : il n’est pas gardé. Faites vérifier l’appareil d’où il vient.".to_owned()
        }
        Refused::NotScanned(_) => {
            "Ce fichier n’a pas pu être vérifié par l’antivirus. Réessayez dans un moment.".to_owned()
        }
        Refused::Failed(_) => {
            "Ce fichier n’a pas pu être enregistré. Réessayez dans un moment : vos réponses sont conservées.".to_owned()
        }
    }
}

async fn text(name: &str, mut field: axum::extract::multipart::Field<'_>, typed: &mut Raw) -> Result<(), Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| Problem::TooLarge)? {
        if bytes.len() + chunk.len() > LONGEST_FIELD {
            return Err(Problem::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    push(typed, name, &String::from_utf8_lossy(&bytes));
    Ok(())
}
