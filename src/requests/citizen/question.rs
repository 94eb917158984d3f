//! One page of questions: shown, saved whatever was typed, then on to the next.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, Query, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use forms::{
    answers::Raw,
    journey::{PageReading, Reading},
    model::{Identification, Page, Procedure},
};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use uuid::Uuid;

use super::rows::{change_rows, names, problems};
use super::{Filling, field_slot, notice, procedure_link, start};
use crate::{
    accounts::session::{self, Session},
    authorities, catalogue,
    error::Problem,
    requests::{
        drafts,
        fields::Drawing,
        files,
        form::{self, Form, Slot},
    },
    visit::Visitor,
};

/// More than this is not kept in a draft: the page says that it is too long.
const LARGEST_PAGE: usize = 200_000;
/// On the address of a page opened from the check page.
pub const BACK_TO_CHECK: &str = "?retour=verifier";
/// Names the fields that the page showed, so that a question that appears is not told as a mistake.
const SHOWN: &str = "_vus";

#[derive(Debug, Deserialize)]
pub struct New {
    brouillon: Option<Uuid>,
}

/// The first page of a new request. Its address holds the id of the draft to be: sending it twice
/// makes one draft, and none is made before a first answer.
pub async fn first(visitor: Visitor, Path(id): Path<String>, Query(new): Query<New>) -> Result<Response, Problem> {
    let published = start::open_procedure(&visitor, &id).await?;
    identified(&visitor, &published.procedure)?;
    let Some(draft) = new.brouillon else {
        let mut response = Redirect::to(&format!("/demarches/{id}/remplir?brouillon={}", visitor.id())).into_response();
        // The cookie goes out before anything is kept under it: however fast one clicks on the first
        // page, every answer arrives with the same session.
        if let Some(cookie) = session::offer(&visitor) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        return Ok(response);
    };
    if drafts::find(&visitor, draft).await?.is_some() {
        let first = published.procedure.pages.first().map_or("verifier", |page| page.id.as_str());
        return Ok(Redirect::to(&format!("/brouillons/{draft}/{first}")).into_response());
    }
    not_begun_elsewhere(&visitor, draft).await?;
    let filling = unsaved(&visitor, draft, &published);
    let reading = filling.read(&visitor);
    let page = reading.pages.first().ok_or(Problem::NotFound)?;
    draw(&visitor, &filling, &reading, page, Shown::Fresh, &[], None).await
}

/// A first page that was sent already, by another click or before the request left, leads where that
/// one led. An id that somebody else uses is not to be written to, were it guessed.
async fn not_begun_elsewhere(visitor: &Visitor, id: Uuid) -> Result<(), Problem> {
    if drafts::exists(visitor, id).await? {
        Filling::open(visitor, id).await?;
    }
    Ok(())
}

fn unsaved(visitor: &Visitor, id: Uuid, published: &catalogue::Published) -> Filling {
    let draft = drafts::Draft {
        id,
        procedure_id: published.procedure.id.clone(),
        procedure_version: published.version,
        reference: String::new(),
        account_id: visitor.account().map(|account| account.id),
        session_id: visitor.session.as_ref().map(|session| session.id),
        raw: db::Json(Raw::default()),
        updated_at: visitor.now,
        correcting: false,
    };
    Filling {
        asks: Vec::new(),
        raw: prefilled(visitor, &published.procedure, Raw::default()),
        draft,
        procedure: published.procedure.clone(),
        files: Vec::new(),
        correcting: None,
    }
}

fn identified(visitor: &Visitor, procedure: &Procedure) -> Result<(), Problem> {
    if procedure.identification == Identification::Verified {
        // No account can be verified yet: better the counter than a request that proves nothing.
        return Err(Problem::Forbidden(
            "Cette démarche demande une identité vérifiée. Présentez-vous au guichet avec une pièce d’identité : un agent fera la demande avec vous.",
        ));
    }
    let needs = procedure.identification == Identification::Account;
    if needs && visitor.account().is_none() {
        Err(Problem::Elsewhere(format!("/demarches/{}/commencer", procedure.id)))
    } else {
        Ok(())
    }
}

/// What the account already tells, where nothing was typed yet.
fn prefilled(visitor: &Visitor, procedure: &Procedure, mut raw: Raw) -> Raw {
    let Some(account) = visitor.account() else { return raw };
    let known = [
        ("courriel", "courriel", account.email.as_str()),
        ("telephone", "telephone", account.phone.as_deref().unwrap_or_default()),
        ("demandeur", "demandeur.nom_naissance", account.last_name.as_str()),
        ("demandeur", "demandeur.prenoms", account.first_name.as_str()),
    ];
    let asked: BTreeSet<&str> =
        procedure.pages.iter().flat_map(|page| &page.fields).map(|field| field.id.as_str()).collect();
    for (field, name, value) in known {
        if asked.contains(field) && !value.is_empty() && !raw.0.contains_key(name) {
            raw.set(name, value);
        }
    }
    raw
}

/// The first answers: makes the session (for who has none) and the draft, then saves the page.
pub async fn begin(
    mut visitor: Visitor,
    Path(id): Path<String>,
    Query(new): Query<New>,
    request: Request,
) -> Result<Response, Problem> {
    let published = start::open_procedure(&visitor, &id).await?;
    identified(&visitor, &published.procedure)?;
    let draft = new.brouillon.unwrap_or_else(|| visitor.id());
    let cookie = ensure_session(&mut visitor).await?;
    not_begun_elsewhere(&visitor, draft).await?;
    let page = published.procedure.pages.first().ok_or(Problem::NotFound)?;
    let form = form::receive(&visitor, draft, request, |name| slot(page, name)).await?;
    let session = visitor.session.as_ref().map(|session| session.id).unwrap_or_default();
    let raw = prefilled(&visitor, &published.procedure, Raw::default());
    drafts::begin(&visitor, draft, &published, visitor.account().map(|account| account.id), session, raw).await?;
    let mut response = keep(&visitor, draft, &page.id, form).await?;
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Opens a session for somebody without account who needs one.
pub async fn ensure_session(visitor: &mut Visitor) -> Result<Option<axum::http::HeaderValue>, Problem> {
    if visitor.session.is_some() {
        return Ok(None);
    }
    let (visit, offered) = (&visitor.visit, visitor.offered.as_deref());
    let opened = visit.db.write(async |tx: &mut db::Tx| session::begin(tx, visit, offered).await).await?;
    visitor.session = Some(Session { id: opened.id, account: None, waiting: 0 });
    Ok(Some(opened.cookie))
}

pub async fn show(visitor: Visitor, Path((id, page)): Path<(Uuid, String)>) -> Result<Response, Problem> {
    let mut filling = Filling::open(&visitor, id).await?;
    filling.raw = prefilled(&visitor, &filling.procedure, filling.raw);
    let reading = filling.read(&visitor);
    let page = shown_page(&filling, &reading, &page)?;
    draw(&visitor, &filling, &reading, page, Shown::Fresh, &[], None).await
}

/// The page, or the right place to be when a condition hides it.
fn shown_page<'a, 'b>(filling: &Filling, reading: &'b Reading<'a>, page: &str) -> Result<&'b PageReading<'a>, Problem> {
    let found = reading.pages.iter().find(|reading| reading.page.id == page).ok_or(Problem::NotFound)?;
    if found.shown && filling.may_edit(found) {
        return Ok(found);
    }
    Err(Problem::Elsewhere(
        reading.previous_shown(found.index).map_or_else(|| filling.url("verifier"), |index| filling.page_url(index)),
    ))
}

pub async fn save(
    visitor: Visitor,
    Path((id, page)): Path<(Uuid, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let Some(draft) = drafts::find(&visitor, id).await? else { return lost(visitor, id, request).await };
    let procedure = catalogue::version(&visitor, &draft.procedure_id, draft.procedure_version).await?;
    let definition = procedure.pages.iter().find(|found| found.id == page).ok_or(Problem::NotFound)?;
    let form = form::receive(&visitor, id, request, |name| slot(definition, name)).await?;
    keep(&visitor, id, &page, form).await
}

/// The session ended while the page was open: what was typed waits in the sign-in page. A draft that
/// was sent meanwhile leads to its request.
async fn lost(visitor: Visitor, id: Uuid, request: Request) -> Result<Response, Problem> {
    match Filling::open(&visitor, id).await {
        Err(Problem::Elsewhere(to)) if visitor.account().is_none() && to.starts_with("/connexion") => {
            let typed = form::plain(request).await?;
            crate::accounts::citizen::sign_in_again(&visitor, &visitor.here, &typed)
        }
        Err(problem) => Err(problem),
        Ok(_) => Err(Problem::NotFound),
    }
}

/// Saves what was typed before a session ended, once its owner has signed in again.
pub async fn restore(visitor: &Visitor, address: &str, typed: &Raw) -> Result<(), Problem> {
    let mut parts = address.trim_start_matches("/brouillons/").split('/');
    let (Some(Ok(id)), Some(page)) = (parts.next().map(str::parse::<Uuid>), parts.next()) else { return Ok(()) };
    if drafts::find(visitor, id).await?.is_some() {
        let filling = Filling::open(visitor, id).await?;
        if let Some(page) = filling.procedure.pages.iter().find(|found| found.id == page) {
            store(visitor, &filling, page, typed).await?;
        }
    }
    Ok(())
}

fn slot(page: &Page, input: &str) -> Option<Slot> {
    let name = input.strip_suffix(".fichier")?;
    let field = page.fields.iter().find(|field| field.id == name)?;
    Some(Slot { slot: field_slot(name), most: field.kind.files()?, images: field.kind.images_only() })
}

/// Keeps only what belongs to the page's fields. False when it is too much to be kept.
async fn store(visitor: &Visitor, filling: &Filling, page: &Page, typed: &Raw) -> Result<bool, Problem> {
    let names: Vec<String> =
        page.fields.iter().filter(|field| field.kind.files().is_none()).map(|field| field.id.clone()).collect();
    let kept = of_page(page, typed);
    let size: usize =
        kept.0.iter().map(|(name, values)| name.len() + values.iter().map(String::len).sum::<usize>()).sum();
    if size > LARGEST_PAGE {
        return Ok(false);
    }
    drafts::save(visitor, filling.draft.id, &names, &kept).await?;
    Ok(true)
}

fn of_page(page: &Page, typed: &Raw) -> Raw {
    let belongs = |name: &str| {
        let field = name.split('.').next().unwrap_or_default();
        page.fields.iter().any(|found| found.id == field && found.kind.files().is_none()) && !name.ends_with(".fichier")
    };
    Raw(typed.0.iter().filter(|(name, _)| belongs(name)).map(|(name, values)| (name.clone(), values.clone())).collect())
}

/// Saves a received page and decides where to go.
async fn keep(visitor: &Visitor, id: Uuid, page: &str, mut form: Form) -> Result<Response, Problem> {
    let mut filling = Filling::open(visitor, id).await?;
    let procedure = filling.procedure.clone();
    let definition = procedure.pages.iter().find(|found| found.id == page).ok_or(Problem::NotFound)?;
    if let Some((_, file)) = form.pressed(&["retirer"])
        && let Ok(file) = file.parse()
    {
        filling.remove(visitor, file).await?;
        filling.files = files::of(&visitor.db, id).await?;
    }
    let editable =
        filling.read(visitor).pages.iter().any(|reading| reading.page.id == page && filling.may_edit(reading));
    if !editable {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let rows_changed = change_rows(definition, &mut form);
    let stored = store(visitor, &filling, definition, &form.typed).await?;
    let mut raw = filling.raw.clone();
    for field in definition.fields.iter().filter(|field| field.kind.files().is_none()) {
        raw.clear(&field.id);
    }
    raw.0.extend(of_page(definition, &form.typed).0);
    filling.raw = super::with_files(&procedure, raw, &filling.files);
    let reading = filling.read(visitor);
    let shown = reading.pages.iter().find(|reading| reading.page.id == page).ok_or(Problem::NotFound)?;
    if rows_changed || form.pressed(&["retirer"]).is_some() {
        return draw(visitor, &filling, &reading, shown, Shown::Again, &form.refused, None).await;
    }
    if stored && form.pressed(&["action"]).is_some_and(|(_, action)| action == "plus-tard") {
        return Ok(Redirect::to(&filling.url("enregistre")).into_response());
    }
    if !stored {
        let text = "Ce que vous avez écrit est trop long pour être enregistré. Raccourcissez-le, puis continuez.";
        return draw(visitor, &filling, &reading, shown, Shown::Wrong, &form.refused, Some(text)).await;
    }
    let asked_before: BTreeSet<&str> = form.typed.text(SHOWN).split(',').collect();
    let is_new = |name: &str| !asked_before.contains(name);
    let wrong = problems(shown);
    if !form.refused.is_empty() || wrong.iter().any(|name| !is_new(name)) {
        return draw(visitor, &filling, &reading, shown, Shown::Wrong, &form.refused, None).await;
    }
    if !wrong.is_empty() {
        let text = "Une question de plus apparaît d’après vos réponses : répondez-y pour continuer.";
        return draw(visitor, &filling, &reading, shown, Shown::Again, &[], Some(text)).await;
    }
    if let Some(say) = shown.stop {
        return stopped(visitor, &filling, shown, say).await;
    }
    // « Modifier » on the check page: straight back to it, by way of what the change makes necessary.
    let to = if visitor.here.ends_with(BACK_TO_CHECK) {
        reading.first_incomplete().map_or_else(|| filling.url("verifier"), |index| filling.page_url(index))
    } else {
        filling.after_page(&reading, shown.index)
    };
    Ok(Redirect::to(&to).into_response())
}

/// In which spirit a page is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// For the first time, or back to it.
    Fresh,
    /// Once more, because something was added or removed.
    Again,
    /// With what is wrong.
    Wrong,
}

async fn draw(
    visitor: &Visitor,
    filling: &Filling,
    reading: &Reading<'_>,
    page: &PageReading<'_>,
    shown: Shown,
    refused: &[(String, String)],
    told: Option<&str>,
) -> Result<Response, Problem> {
    let drawing = Drawing {
        visit: visitor,
        raw: &filling.raw,
        files: &filling.files,
        errors: shown == Shown::Wrong,
        refused,
        base: "/fichiers",
    };
    let drawn = drawing.draw(&page.fields)?;
    let has_files = page.fields.iter().any(|field| field.field.kind.files().is_some());
    let heading = page.page.title.as_str();
    let number = reading.shown_pages().position(|found| found.index == page.index).map_or(1, |position| position + 1);
    let first = page.index == 0 || reading.previous_shown(page.index).is_none();
    let back = match reading.previous_shown(page.index) {
        _ if filling.correcting.is_some() => format!("/demandes/{}", filling.draft.id),
        Some(previous) => filling.page_url(previous),
        None => format!("/demarches/{}", filling.procedure.id),
    };
    let hidden = format!("<input type=\"hidden\" name=\"{SHOWN}\" value=\"{}\">", names(page));
    let context = context! {
        heading => heading,
        procedure => Serde(procedure_link(&filling.procedure)),
        step => format!("Étape {number}"),
        intro => &page.page.intro,
        mode => filling.mode(),
        ask => super::answer::asked_text(visitor, filling).await?,
        back => back,
        errors => Serde(&drawn.errors),
        fields_html => Value::from_safe_string(format!("{hidden}{}", drawn.html)),
        many => drawn.questions > 1,
        enctype => if has_files { "multipart/form-data" } else { "application/x-www-form-urlencoded" },
        version => "",
        notice => first.then(|| Serde(notice(&filling.procedure))),
        saved => "",
        ..told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "info", text => text } }),
    };
    let title = format!("{heading} – étape {number} – {}", filling.procedure.title);
    if shown == Shown::Wrong {
        visitor.page_again("requests/question.html", &title, context)
    } else {
        visitor.page_with(StatusCode::OK, "requests/question.html", &title, context)
    }
}

async fn stopped(visitor: &Visitor, filling: &Filling, page: &PageReading<'_>, say: &str) -> Result<Response, Problem> {
    let department =
        authorities::department(&visitor.db, &filling.procedure.department).await?.ok_or(Problem::NotFound)?;
    let context = context! {
        procedure => Serde(procedure_link(&filling.procedure)),
        back => filling.page_url(page.index),
        say => say,
        department => context! { name => &department.name, phone => department.phone.unwrap_or_else(|| visitor.site.settings.phone.clone()) },
        others => Vec::<Value>::new(),
    };
    visitor.page("requests/stop.html", "Vous ne pouvez pas continuer cette démarche", context)
}
