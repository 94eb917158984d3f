//! What somebody who is asked for an opinion or an approval sees of a request: the answers and pieces that are for
//! them, and nothing else. Beside [`super::access`], the only way to a request's content; its line in the journal comes first.

use axum::response::Response;
use db::Tx;
use forms::journey::{Section, form_shown};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    citizen::{self, field_slot},
    files,
    model::{File, piece_slot},
    store,
};
use crate::{
    catalogue,
    error::Problem,
    journal::{self, Line},
    visit::Visit,
};

/// Ids of the questions and of the pieces that may be seen.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub fields: &'a [String],
    pub pieces: &'a [String],
    /// Whether what agents answered is seen as well, but what is sensitive.
    pub given: bool,
}

#[derive(Debug)]
struct Limited {
    reference: String,
    procedure: String,
    confidential_address: bool,
    sections: Vec<Section>,
    /// Each with the title of its piece or the words of its question.
    files: Vec<(String, File)>,
}

/// What may be seen, as templates show it (`agent/_opinion_view.html`), with files under `base`.
///
/// # Errors
/// `NotFound` when the request is gone, or has ended: nobody is waited for any more.
pub async fn page(
    visit: &Visit,
    request: Uuid,
    shown: Shown<'_>,
    trace: Line<'_>,
    base: &str,
) -> Result<Json, Problem> {
    let seen = open(visit, request, shown, trace).await?;
    let rows = |section: &Section| -> Vec<Json> {
        section.rows.iter().map(|line| json!({"key": line.label, "values": line.lines})).collect()
    };
    let sections: Vec<Json> = seen.sections.iter().map(|one| json!({"title": one.title, "rows": rows(one)})).collect();
    let named = |(title, file): &(String, File)| {
        let mut one = self::json(file, base);
        if let Some(one) = one.as_object_mut() {
            one.insert("name".to_owned(), format!("{title}\u{a0}: {}", file.name).into());
        }
        one
    };
    let files: Vec<Json> = seen.files.iter().map(named).collect();
    Ok(json!({
        "reference": seen.reference, "procedure": seen.procedure, "confidential_address": seen.confidential_address, "sections": sections, "files": files,
    }))
}

async fn open(visit: &Visit, request: Uuid, shown: Shown<'_>, trace: Line<'_>) -> Result<Limited, Problem> {
    let found = store::find(&visit.db, request).await?.filter(|found| found.ended_at.is_none());
    let found = found.ok_or(Problem::NotFound)?;
    let procedure = catalogue::version(visit, &found.procedure_id, found.procedure_version).await?;
    journal::read(visit, &trace.request(request)).await?;
    let mut answers = found.answers.0;
    answers.retain(|id, _| shown.fields.contains(id));
    let chosen = |path: &str| path.split('.').next().unwrap_or(path).to_owned();
    let sensitive = |path: &str| procedure.fields().any(|field| field.id == chosen(path) && field.sensitive);
    let mut sections = procedure.show(&answers);
    for section in &mut sections {
        // A sensitive part of a group that is not was never chosen by itself.
        section.rows.retain(|line| !line.sensitive || sensitive(&line.path));
    }
    if shown.given {
        let fields: Vec<_> = procedure.workflow.form_fields().cloned().collect();
        let mut given = form_shown("Ce que le service a noté", &fields, &found.given.0);
        given.iter_mut().for_each(|section| section.rows.retain(|line| !line.sensitive));
        sections.extend(given);
    }
    sections.retain(|section| !section.rows.is_empty());
    let title = |slot: &str| -> Option<String> {
        let piece = procedure.pieces.iter().find(|piece| piece_slot(&piece.id) == slot);
        let piece = piece.filter(|piece| shown.pieces.contains(&piece.id)).map(|piece| piece.title.clone());
        let field = || procedure.fields().find(|field| field_slot(&field.id) == slot);
        piece.or_else(|| field().filter(|field| shown.fields.contains(&field.id)).map(|field| field.ask.clone()))
    };
    let files = files::of(&visit.db, request).await?;
    let files = files.into_iter().filter_map(|file| Some((title(&file.slot)?, file))).collect();
    let (procedure, confidential_address) = (procedure.title.clone(), found.confidential_address);
    Ok(Limited { reference: found.reference, procedure, confidential_address, sections, files })
}

/// One of the files that may be seen, or of the `slot` of the opinion itself; an empty one is no file's.
///
/// # Errors
/// `NotFound` for any other file.
pub async fn file(
    visit: &Visit,
    request: Uuid,
    shown: Shown<'_>,
    slot: &str,
    id: Uuid,
    trace: Line<'_>,
) -> Result<Response, Problem> {
    let file = files::find(&visit.db, id).await?;
    if file.owner_id != request {
        return Err(Problem::NotFound);
    }
    let chosen = shown.pieces.iter().any(|piece| piece_slot(piece) == file.slot)
        || shown.fields.iter().any(|field| field_slot(field) == file.slot);
    if !chosen && (slot.is_empty() || file.slot != slot) {
        return Err(Problem::NotFound);
    }
    journal::read(visit, &trace.request(request).about("file", id)).await?;
    files::attachment(visit, &file).await
}

/// Every file of a request that its reader processes.
pub async fn all(visit: &Visit, request: Uuid) -> Result<Vec<File>, db::Error> {
    files::of(&visit.db, request).await
}

/// The files of one slot.
pub async fn attached(visit: &Visit, request: Uuid, slot: &str) -> Result<Vec<File>, db::Error> {
    let mut files = files::of(&visit.db, request).await?;
    files.retain(|file| file.slot == slot);
    Ok(files)
}

/// Takes files out of this slot; others are left alone.
pub async fn detach(tx: &mut Tx, request: Uuid, slot: &str, gone: &[Uuid]) -> Result<(), db::Error> {
    for id in gone {
        files::take_out(tx, request, Some(slot), *id).await?;
    }
    Ok(())
}

/// As templates list it, downloaded under `base`.
pub fn json(file: &File, base: &str) -> Json {
    citizen::file_json(file, base)
}
