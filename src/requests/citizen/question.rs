//! One page of questions, as it is shown.

use axum::{
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use forms::{
    answers::Raw,
    journey::{PageReading, Reading},
    model::{Identification, Procedure},
};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use uuid::Uuid;

use super::{Filling, known, notice, procedure_link, procedure_page, start};
use super::{
    known::{prefilled, told_of_organisation},
    rows::names,
};
use crate::{
    accounts::session,
    authorities, catalogue,
    error::Problem,
    requests::{
        certified, drafts,
        fields::Drawing,
        filler::{Filler, Fills},
        owner::Whose,
    },
    visit::Visitor,
};

/// On the address of a page opened from the check page.
pub const BACK_TO_CHECK: &str = "?retour=verifier";
/// Names the fields that the page showed, so that a question that appears is not told as a mistake.
pub const SHOWN: &str = "_vus";

/// Tells in whose name the first page was opened: it may have changed in another tab.
pub const NAMED: &str = "_pour";

/// What [`NAMED`] holds.
pub fn in_the_name_of(visitor: &Visitor) -> String {
    visitor.acting.as_ref().map_or_else(|| "moi".to_owned(), |acting| acting.choice.id.to_string())
}

#[derive(Debug, Deserialize)]
pub struct New {
    pub brouillon: Option<Uuid>,
}

/// The first page of a new request. Its address holds the id of the draft to be: sending it twice
/// makes one draft, and none is made before a first answer.
pub async fn first(visitor: Visitor, Path(id): Path<String>, Query(new): Query<New>) -> Result<Response, Problem> {
    let published = start::open_procedure(&visitor, &id).await?;
    identified(&visitor, &published.procedure)?;
    visitor.may_begin(&id)?;
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
    let filling = unsaved(&visitor, draft, &published).await?;
    let filler = Filler::from(visitor);
    if let Some(to) = filling.unverified(&filler, &format!("/demarches/{id}/commencer")) {
        return Err(Problem::Elsewhere(to));
    }
    let reading = filling.read(&filler);
    let page = reading.pages.first().ok_or(Problem::NotFound)?;
    let told = told_of_organisation(&filler, &filling, page);
    draw(&filler, &filling, &reading, page, Shown::Fresh, &[], told).await
}

/// A first page that was sent already, by another click or before the request left, leads where that
/// one led. An id that somebody else uses is not to be written to, were it guessed.
pub async fn not_begun_elsewhere(visitor: &Visitor, id: Uuid) -> Result<(), Problem> {
    if drafts::exists(visitor, id).await? {
        Filling::open(&visitor.clone().into(), id).await?;
    }
    Ok(())
}

/// The draft to be, before anything is kept.
pub async fn unsaved(visitor: &Visitor, id: Uuid, published: &catalogue::Published) -> Result<Filling, Problem> {
    let procedure = &published.procedure;
    let certified = certified::of_visitor(visitor, procedure).await?;
    let mut raw = known::of_visitor(visitor, procedure, Raw::default()).await?;
    certified::overlay(certified.as_ref(), procedure, visitor.today(), &mut raw, |_| true);
    let whose = Whose::of(visitor);
    let draft = drafts::Draft {
        id,
        procedure_id: published.procedure.id.clone(),
        procedure_version: published.version,
        reference: String::new(),
        account_id: whose.account,
        organisation_id: whose.organisation,
        acted_by: whose.by,
        session_id: visitor.session.as_ref().map(|session| session.id),
        beneficiary: None,
        raw: db::Json(Raw::default()),
        updated_at: visitor.now,
        correcting: false,
        has_files: false,
    };
    let files = Vec::new();
    Ok(Filling {
        draft,
        procedure: procedure.clone(),
        files,
        raw,
        certified,
        seen: None,
        intake: None,
        place: &crate::requests::filler::USAGERS,
        correcting: None,
        asks: Vec::new(),
    })
}

pub fn identified(visitor: &Visitor, procedure: &Procedure) -> Result<(), Problem> {
    if procedure.identification == Identification::Verified && visitor.acting.is_some() {
        return Err(Problem::Forbidden(
            "Cette démarche demande l’identité vérifiée de la personne elle-même : c’est à elle de la commencer et de l’envoyer, depuis son propre compte.",
        ));
    }
    let needs = matches!(procedure.identification, Identification::Account | Identification::Verified);
    if needs && visitor.account().is_none() {
        Err(Problem::Elsewhere(format!("/demarches/{}/commencer", procedure.id)))
    } else {
        Ok(())
    }
}

pub async fn show<W: Fills>(who: W, Path((id, page)): Path<(Uuid, String)>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let mut filling = Filling::open(&filler, id).await?;
    filling.raw = prefilled(&filler, &filling.procedure, filling.raw).await?;
    filling.certify(&filler);
    let reading = filling.read(&filler);
    let page = shown_page(&filling, &reading, &page)?;
    let told = told_of_organisation(&filler, &filling, page);
    draw(&filler, &filling, &reading, page, Shown::Fresh, &[], told).await
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

/// In which spirit a page is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// For the first time, or back to it.
    Fresh,
    /// Once more, because something was added or removed.
    Again,
    /// With what is wrong.
    Wrong,
}

pub async fn draw(
    filler: &Filler,
    filling: &Filling,
    reading: &Reading<'_>,
    page: &PageReading<'_>,
    shown: Shown,
    refused: &[(String, String)],
    told: Option<&str>,
) -> Result<Response, Problem> {
    let drawing = Drawing {
        visit: filler,
        procedure: Some((&filling.draft.procedure_id, filling.draft.procedure_version)),
        raw: &filling.raw,
        files: &filling.files,
        errors: shown == Shown::Wrong,
        refused,
        base: filler.place().files,
        certified: filling.certified.as_ref(),
    };
    let drawn = drawing.draw(&page.fields)?;
    let has_files = page.fields.iter().any(|field| field.field.kind.files().is_some());
    let heading = page.page.title.as_str();
    let number = reading.shown_pages().position(|found| found.index == page.index).map_or(1, |position| position + 1);
    let first = page.index == 0 || reading.previous_shown(page.index).is_none();
    let back = match reading.previous_shown(page.index) {
        _ if filling.correcting.is_some() => filling.request_url(),
        Some(previous) => filling.page_url(previous),
        None if filling.intake.is_some() => filler.home().to_owned(),
        None => procedure_page(&filling.procedure),
    };
    let mut hidden = format!("<input type=\"hidden\" name=\"{SHOWN}\" value=\"{}\">", names(page));
    if let Some(visitor) = filler.usager().filter(|_| filling.draft.reference.is_empty()) {
        hidden.push_str(&format!("<input type=\"hidden\" name=\"{NAMED}\" value=\"{}\">", in_the_name_of(visitor)));
    }
    let context = context! {
        heading => heading,
        procedure => Serde(procedure_link(&filling.procedure)),
        step => format!("Étape {number}"),
        intro => &page.page.intro,
        mode => filling.mode(),
        ask => super::answer::asked_text(filler, filling).await?,
        twin => Serde(super::twin::on_page(filler, filling, reading, page).await?),
        known => Serde(super::known::on_page(filler, filling, page).await?),
        household => Serde(super::household::proposed(filler, filling, page).await?),
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
        filler.page_again("requests/question.html", &title, context)
    } else {
        filler.page("requests/question.html", &title, context)
    }
}

pub async fn stopped(
    filler: &Filler,
    filling: &Filling,
    page: &PageReading<'_>,
    say: &str,
) -> Result<Response, Problem> {
    let department =
        authorities::department(&filler.db, &filling.procedure.department).await?.ok_or(Problem::NotFound)?;
    let context = context! {
        procedure => Serde(procedure_link(&filling.procedure)),
        back => filling.page_url(page.index),
        say => say,
        department => context! { name => &department.name, phone => department.phone.unwrap_or_else(|| filler.site.settings.phone.clone()) },
        others => Vec::<Value>::new(),
    };
    filler.page("requests/stop.html", "Vous ne pouvez pas continuer cette démarche", context)
}
