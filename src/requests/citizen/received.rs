//! One page of questions received: whatever was typed is kept, then comes the next page, or this one
//! again with what is wrong.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, Query, Request},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use forms::{answers::Raw, model::Page};
use uuid::Uuid;

use super::known::prefilled;
use super::question::{
    BACK_TO_CHECK, NAMED, New, SHOWN, Shown, draw, identified, in_the_name_of, not_begun_elsewhere, stopped, unsaved,
};
use super::rows::{change_rows, problems};
use super::{Filling, field_slot, household, start};
use crate::{
    accounts::session::{self, Session},
    acting::{self, trace},
    catalogue::Published,
    error::Problem,
    requests::{
        certified,
        drafts::{self, Holder},
        files,
        filler::{Filler, Fills},
        form::{self, Form, Slot},
        owner::Whose,
        reach::Reach,
    },
    visit::{Visit, Visitor},
};

/// More than this is not kept in a draft: the page says that it is too long.
const LARGEST_PAGE: usize = 200_000;

/// The first answers: one transaction makes the session (for who has none) and the draft with them in.
pub async fn begin(
    visitor: Result<Visitor, Problem>,
    Path(id): Path<String>,
    Query(new): Query<New>,
    request: Request,
) -> Result<Response, Problem> {
    let mut visitor = match visitor {
        Err(Problem::Over) => return acting::over(request).await,
        other => other?,
    };
    let published = start::open_procedure(&visitor, &id).await?;
    identified(&visitor, &published.procedure)?;
    visitor.may_begin(&id)?;
    let draft = new.brouillon.unwrap_or_else(|| visitor.id());
    let page = published.procedure.pages.first().ok_or(Problem::NotFound)?;
    let mut cookie = None;
    let begun = drafts::exists(&visitor, draft).await?;
    if begun {
        cookie = ensure_session(&mut visitor).await?;
        not_begun_elsewhere(&visitor, draft).await?;
    }
    let mut form = form::receive(&visitor, draft, request, |name| slot(page, name)).await?;
    let named = form.typed.text(NAMED);
    if !begun && !named.is_empty() && named != in_the_name_of(&visitor) {
        return renamed(visitor, draft, &published, page, &form).await;
    }
    let made = if begun { None } else { make(&mut visitor, draft, &published, page, &mut form, &mut cookie).await? };
    let filler = Filler::from(visitor);
    let answer = match made {
        Some(kept) => go_on(&filler, kept, page, &form).await,
        None => {
            let filling = Filling::open(&filler, draft).await?;
            keep(&filler, filling, &page.id, form).await
        }
    };
    let mut response = answer?;
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The first page was opened in another name than the present one: nothing is kept before somebody has seen it.
async fn renamed(
    visitor: Visitor,
    id: Uuid,
    published: &Published,
    page: &Page,
    form: &Form,
) -> Result<Response, Problem> {
    let mut filling = unsaved(&visitor, id, published).await?;
    let mut typed = form.typed.clone();
    certify(&visitor, &filling, page, &mut typed);
    replace(&mut filling.raw, page, of_page(page, &typed));
    let reading = filling.read(&visitor);
    let shown = reading.pages.first().ok_or(Problem::NotFound)?;
    let text = "Vous n’agissez plus pour la même personne ou organisation que quand cette page s’est ouverte. Voyez en haut de page pour qui vous agissez, puis continuez ou changez-en : vos réponses sont encore là.";
    draw(&visitor.into(), &filling, &reading, shown, Shown::Again, &[], Some(text)).await
}

/// None when the draft is there already: the same page was sent at the same moment.
async fn make(
    visitor: &mut Visitor,
    id: Uuid,
    published: &Published,
    page: &Page,
    form: &mut Form,
    cookie: &mut Option<HeaderValue>,
) -> Result<Option<Kept>, Problem> {
    let received = form.typed.clone();
    let rows_changed = change_rows(page, form);
    let taken_up = household::take_up(Some(visitor), &published.procedure, page, form).await?;
    let mut filling = unsaved(visitor, id, published).await?;
    certify(visitor, &filling, page, &mut form.typed);
    let typed = fitting(page, &form.typed);
    let stored = typed.is_some();
    let before = filling.raw.clone();
    let with = |typed: Raw| {
        let mut raw = before.clone();
        replace(&mut raw, page, typed);
        raw
    };
    let raw = with(typed.unwrap_or_default());
    let whose = Whose::of(visitor);
    let holder = match &visitor.session {
        Some(_) if whose.by.is_some() => Holder::Right,
        Some(session) => Holder::Session(session.id),
        None => Holder::Nobody(visitor.offered.as_deref()),
    };
    filling.raw = super::with_files(&published.procedure, raw.clone(), &filling.files);
    let reach = reached(visitor, &filling, page, &form.refused);
    let begun = drafts::begin(visitor, id, published, whose, holder, raw.clone(), reach.as_ref()).await?;
    if let Some(opened) = begun.opened {
        visitor.session =
            Some(Session { id: opened.id, account: None, passkey: None, waiting: 0, ends_on: None, acting: None });
        *cookie = Some(opened.cookie);
    }
    if !begun.made {
        // Its buttons will be applied to the draft that is there, once.
        form.typed = received;
        return Ok(None);
    }
    let reference = begun.reference;
    trace::note(visitor, trace::BEGUN, &reference).await?;
    let raw = if stored { raw } else { with(of_page(page, &form.typed)) };
    if !form.added.is_empty() {
        filling.files = files::of(&visitor.db, id).await?;
    }
    filling.raw = super::with_files(&published.procedure, raw, &filling.files);
    Ok(Some(Kept { filling, stored, rows_changed, taken_up }))
}

/// Opens a session for somebody without account who needs one.
pub async fn ensure_session(visitor: &mut Visitor) -> Result<Option<HeaderValue>, Problem> {
    if visitor.session.is_some() {
        return Ok(None);
    }
    let (visit, offered) = (&visitor.visit, visitor.offered.as_deref());
    let opened = visit.db.write(async |tx: &mut db::Tx| session::begin(tx, visit, offered).await).await?;
    visitor.session =
        Some(Session { id: opened.id, account: None, passkey: None, waiting: 0, ends_on: None, acting: None });
    Ok(Some(opened.cookie))
}

pub async fn save<W: Fills>(
    who: Result<W, Problem>,
    Path((id, page)): Path<(Uuid, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let filler: Filler = match who {
        Err(Problem::Over) => return acting::over(request).await,
        other => other?.into(),
    };
    let filling = match (Filling::open(&filler, id).await, filler.usager()) {
        // The session ended while the page was open: what was typed waits in the sign-in page.
        (Err(Problem::Elsewhere(to)), Some(visitor)) if visitor.account().is_none() && to.starts_with("/connexion") => {
            let typed = form::plain(request).await?;
            return crate::accounts::citizen::sign_in_again(visitor, &visitor.here, &typed).await;
        }
        (Err(Problem::NotFound), Some(visitor)) => return acting::astray(visitor, request).await,
        (other, _) => other?,
    };
    let procedure = filling.procedure.clone();
    let definition = procedure.pages.iter().find(|found| found.id == page).ok_or(Problem::NotFound)?;
    let form = form::receive(&filler, id, request, |name| slot(definition, name)).await?;
    keep(&filler, filling, &page, form).await
}

/// Saves what was typed before a session ended, once its owner has signed in again.
pub async fn restore(visitor: &Visitor, address: &str, typed: &Raw) -> Result<(), Problem> {
    let mut parts = address.trim_start_matches("/brouillons/").split('/');
    let (Some(Ok(id)), Some(page)) = (parts.next().map(str::parse::<Uuid>), parts.next()) else { return Ok(()) };
    if drafts::find(visitor, id).await?.is_some() {
        let filler = Filler::from(visitor.clone());
        let filling = Filling::open(&filler, id).await?;
        if let Some(page) = filling.procedure.pages.iter().find(|found| found.id == page) {
            let mut typed = typed.clone();
            certify(visitor, &filling, page, &mut typed);
            store(&filler, &filling, page, &typed, None).await?;
        }
    }
    Ok(())
}

/// Types what is certified in the form of a page, whatever the browser sent there.
fn certify(visit: &Visit, filling: &Filling, page: &Page, typed: &mut Raw) {
    let of_page = |id: &str| page.fields.iter().any(|field| field.id == id);
    certified::overlay(filling.certified.as_ref(), &filling.procedure, filling.day(visit), typed, of_page);
}

fn slot(page: &Page, input: &str) -> Option<Slot> {
    let name = input.strip_suffix(".fichier")?;
    let field = page.fields.iter().find(|field| field.id == name)?;
    Some(Slot { slot: field_slot(name), most: field.kind.files()?, images: field.kind.images_only() })
}

/// Keeps only what belongs to the page's fields. False when it is too much to be kept.
async fn store(
    filler: &Filler,
    filling: &Filling,
    page: &Page,
    typed: &Raw,
    reach: Option<&Reach>,
) -> Result<bool, Problem> {
    let Some(kept) = fitting(page, typed) else { return Ok(false) };
    drafts::save(filler, &filling.procedure, filling.draft.id, &own(page), &kept, reach).await?;
    if let Some(visitor) = filler.usager() {
        trace::note(visitor, trace::FILLED, &filling.draft.reference).await?;
    }
    Ok(true)
}

/// What was typed for the page's fields; none when it is too much to be kept.
fn fitting(page: &Page, typed: &Raw) -> Option<Raw> {
    let kept = of_page(page, typed);
    let size: usize =
        kept.0.iter().map(|(name, values)| name.len() + values.iter().map(String::len).sum::<usize>()).sum();
    (size <= LARGEST_PAGE).then_some(kept)
}

/// The fields of a page whose answers are typed.
fn own(page: &Page) -> Vec<String> {
    page.fields.iter().filter(|field| field.kind.files().is_none()).map(|field| field.id.clone()).collect()
}

fn of_page(page: &Page, typed: &Raw) -> Raw {
    let own = own(page);
    let belongs = |name: &str| {
        own.iter().any(|id| id == name.split('.').next().unwrap_or_default()) && !name.ends_with(".fichier")
    };
    Raw(typed.0.iter().filter(|(name, _)| belongs(name)).map(|(name, values)| (name.clone(), values.clone())).collect())
}

fn replace(raw: &mut Raw, page: &Page, typed: Raw) {
    for name in own(page) {
        raw.clear(&name);
    }
    raw.0.extend(typed.0);
}

/// A page that was received, and what became of it.
struct Kept {
    filling: Filling,
    /// Not when it was too long.
    stored: bool,
    rows_changed: bool,
    /// What to say when a member of the household was asked for.
    taken_up: Option<&'static str>,
}

/// Saves a received page and decides where to go.
async fn keep(filler: &Filler, mut filling: Filling, page: &str, mut form: Form) -> Result<Response, Problem> {
    let procedure = filling.procedure.clone();
    let definition = procedure.pages.iter().find(|found| found.id == page).ok_or(Problem::NotFound)?;
    let removed = form.pressed(&["retirer"]).and_then(|(_, file)| file.parse().ok());
    if let Some(file) = removed {
        filling.remove(filler, file).await?;
    }
    if removed.is_some() || !form.added.is_empty() {
        filling.files = files::of(&filler.db, filling.draft.id).await?;
    }
    let editable =
        filling.read(filler).pages.iter().any(|reading| reading.page.id == page && filling.may_edit(reading));
    if !editable {
        return Err(Problem::Elsewhere(filling.url("verifier")));
    }
    let rows_changed = change_rows(definition, &mut form);
    let taken_up = household::take_up(filler.usager(), &procedure, definition, &mut form).await?;
    certify(filler, &filling, definition, &mut form.typed);
    let mut raw = filling.raw.clone();
    replace(&mut raw, definition, of_page(definition, &form.typed));
    filling.raw = super::with_files(&procedure, raw, &filling.files);
    let reach = reached(filler, &filling, definition, &form.refused);
    let stored = store(filler, &filling, definition, &form.typed, reach.as_ref()).await?;
    go_on(filler, Kept { filling, stored, rows_changed, taken_up }, definition, &form).await
}

/// Where a page that is complete leads, as statistics count it: that tells of the form, when usagers fill it in.
fn reached(visit: &Visit, filling: &Filling, page: &Page, refused: &[(String, String)]) -> Option<Reach> {
    if filling.mode() != "draft" || !refused.is_empty() {
        return None;
    }
    let reading = filling.read(visit);
    let shown = reading.pages.iter().find(|reading| reading.page.id == page.id && reading.complete())?;
    Reach::after_page(visit, &filling.procedure, &reading, shown.index)
}

async fn go_on(filler: &Filler, kept: Kept, page: &Page, form: &Form) -> Result<Response, Problem> {
    let filling = &kept.filling;
    let reading = filling.read(filler);
    let shown = reading.pages.iter().find(|reading| reading.page.id == page.id).ok_or(Problem::NotFound)?;
    if kept.rows_changed || form.pressed(&["retirer"]).is_some() {
        return draw(filler, filling, &reading, shown, Shown::Again, &form.refused, None).await;
    }
    if kept.stored && kept.taken_up.is_some() {
        return draw(filler, filling, &reading, shown, Shown::Again, &form.refused, kept.taken_up).await;
    }
    if kept.stored && form.pressed(&["action"]).is_some_and(|(_, action)| action == "plus-tard") {
        return Ok(Redirect::to(&filling.later()).into_response());
    }
    if !kept.stored {
        let text = "Ce que vous avez écrit est trop long pour être enregistré. Raccourcissez-le, puis continuez.";
        return draw(filler, filling, &reading, shown, Shown::Wrong, &form.refused, Some(text)).await;
    }
    // A form that does not tell what it showed is taken to have shown everything.
    let asked_before: Option<BTreeSet<&str>> =
        form.typed.0.contains_key(SHOWN).then(|| form.typed.text(SHOWN).split(',').collect());
    let is_new = |name: &str| asked_before.as_ref().is_some_and(|asked| !asked.contains(name));
    let wrong = problems(shown);
    if !form.refused.is_empty() || wrong.iter().any(|name| !is_new(name)) {
        return draw(filler, filling, &reading, shown, Shown::Wrong, &form.refused, None).await;
    }
    if !wrong.is_empty() {
        let text = "Une question de plus apparaît d’après vos réponses : répondez-y pour continuer.";
        // What is known is proposed in it, as in a page shown for the first time.
        let mut filling = kept.filling;
        filling.raw = prefilled(filler, &filling.procedure, filling.raw).await?;
        let reading = filling.read(filler);
        let shown = reading.pages.iter().find(|reading| reading.page.id == page.id).ok_or(Problem::NotFound)?;
        return draw(filler, &filling, &reading, shown, Shown::Again, &[], Some(text)).await;
    }
    if let Some(say) = shown.stop {
        return stopped(filler, filling, shown, say).await;
    }
    // « Modifier » on the check page: straight back to it, by way of what the change makes necessary.
    let to = if filler.here.ends_with(BACK_TO_CHECK) {
        reading.first_incomplete().map_or_else(|| filling.url("verifier"), |index| filling.page_url(index))
    } else {
        filling.after_page(&reading, shown.index)
    };
    // Begun while the identity was verified, or sent without looking: nothing typed is lost.
    let to = filling.unverified(filler, &to).unwrap_or(to);
    Ok(Redirect::to(&to).into_response())
}
