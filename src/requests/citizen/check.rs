//! « Vérifiez puis envoyez votre demande »: everything at a glance, then one button.

use std::sync::Arc;

use axum::{
    extract::{Path, Request},
    response::{IntoResponse, Redirect, Response},
};
use forms::{
    answers::{Input, Raw},
    journey::Reading,
    kinds::{Today, email::Email},
    model::Field,
};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Filling, notice, procedure_link, sections, start, twin};
use crate::{
    acting::Deed,
    error::Problem,
    requests::{certified, form, owner, submit},
    visit::Visitor,
};

pub async fn show(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filling = Filling::open(&visitor, id).await?;
    draw(&visitor, &filling, &Raw::default(), &[]).await
}

pub async fn send(visitor: Visitor, Path(id): Path<Uuid>, request: Request) -> Result<Response, Problem> {
    let typed = form::plain(request).await?;
    // A second click finds the request already there: its confirmation is shown again.
    let filling = match Filling::open(&visitor, id).await {
        Err(Problem::Elsewhere(to)) if to.starts_with("/demandes/") => {
            return Ok(Redirect::to(&format!("{to}/envoyee")).into_response());
        }
        other => other?,
    };
    if filling.correcting.is_some() {
        return super::answer::send_corrections(&visitor, &filling).await;
    }
    if !start::is_open(&filling.procedure, &visitor) {
        return Err(Problem::Bad(
            "Cette démarche n’est plus ouverte. Votre brouillon est conservé ; la page de la démarche dit quand elle rouvrira.",
        ));
    }
    visitor.require(Deed::Send)?;
    if filling.is_theirs_to_send(&visitor) {
        return Err(Problem::Forbidden(
            "Cette démarche demande l’identité vérifiée de la personne elle-même : c’est à elle de l’envoyer, depuis son propre compte. Le brouillon est conservé dans ses demandes.",
        ));
    }
    let reading = filling.read(&visitor);
    let errors = wrong(&visitor, &filling, &typed);
    if let Some(to) = filling.unverified(&visitor, &filling.url("verifier")) {
        return Err(Problem::Elsewhere(to));
    }
    if !errors.is_empty() || !reading.ready() {
        return draw(&visitor, &filling, &typed, &errors).await;
    }
    let email = Some(typed.text("email")).filter(|email| !email.is_empty() && visitor.account().is_none());
    let marks = filling.marks(&visitor, &reading);
    submit::submit(&visitor, &filling.draft, &filling.procedure, &reading.answers, &marks, email).await?;
    Ok(Redirect::to(&format!("/demandes/{id}/envoyee")).into_response())
}

/// Mistakes of this very page: the declaration, the address to write to.
fn wrong(visitor: &Visitor, filling: &Filling, typed: &Raw) -> Vec<Json> {
    let mut errors = Vec::new();
    if asks_contact(visitor, filling)
        && let Err(text) = check_email(visitor, typed)
    {
        errors.push(json!({"href": "#email", "text": text}));
    }
    if filling.procedure.declaration.is_some() && typed.text("declaration") != "oui" {
        errors.push(json!({"href": "#declaration", "text": "Cochez la case pour certifier votre déclaration."}));
    }
    errors
}

fn check_email(visitor: &Visitor, typed: &Raw) -> Result<(), String> {
    let field = Field::plain("email", "Adresse électronique", Arc::new(Email));
    match field.kind.parse(&field, Input { raw: typed, name: "email" }, Today(visitor.today())) {
        Ok(_) => Ok(()),
        Err(problems) => Err(problems.into_iter().next().map_or_else(String::new, |problem| problem.message)),
    }
}

/// Whether the page asks where to write: no account, and the procedure's own questions did not ask.
fn asks_contact(visitor: &Visitor, filling: &Filling) -> bool {
    visitor.account().is_none()
        && filling.correcting.is_none()
        && !filling.procedure.pages.iter().flat_map(|page| &page.fields).any(|field| field.id == "courriel")
}

async fn draw(visitor: &Visitor, filling: &Filling, typed: &Raw, errors: &[Json]) -> Result<Response, Problem> {
    let reading = filling.read(visitor);
    if let Some(stopped) = reading.pages.iter().find(|page| page.shown && page.stop.is_some()) {
        return Err(Problem::Elsewhere(filling.page_url(stopped.index)));
    }
    let correcting = filling.correcting.is_some();
    let theirs = filling.is_theirs_to_send(visitor);
    let mut shown = reading.show();
    certified::annotate(&filling.marks(visitor, &reading), &reading.answers, &mut shown);
    let back = if correcting { format!("/demandes/{}", filling.draft.id) } else { back(filling, &reading) };
    let account = owner::contact(visitor).map(|email| json!({"email": email}));
    // Without a contact block, the template must know where the answer will go.
    let written = reading.answers.get("courriel").and_then(Json::as_str).map(|email| json!({"email": email}));
    let context = context! {
        procedure => Serde(procedure_link(&filling.procedure)),
        back => back,
        errors => Serde(errors),
        version => "",
        sections => Serde(sections(&shown, |section| {
            let editable = reading.page(section.page).is_some_and(|page| filling.may_edit(page));
            if editable { format!("{}{}", filling.page_url(section.page), super::question::BACK_TO_CHECK) } else { String::new() }
        })),
        pieces => Serde(pieces(filling, &reading)),
        declaration => if correcting { None } else { filling.procedure.declaration.clone() },
        declared => typed.text("declaration") == "oui",
        account => Serde(written.or(account).unwrap_or(Json::Null)),
        asks_contact => asks_contact(visitor, filling),
        contact_email => typed.text("email"),
        twin => Serde(twin::of(visitor, filling).await?),
        missing => Serde(missing(visitor, filling, &reading)),
        mode => filling.mode(),
        may_send => correcting || (visitor.require(Deed::Send).is_ok() && !theirs),
        theirs => theirs,
        discard => if correcting { String::new() } else { filling.url("supprimer") },
        notice => Serde(notice(&filling.procedure)),
    };
    let title = format!("Vérifiez puis envoyez votre demande – {}", filling.procedure.title);
    if errors.is_empty() {
        visitor.page("requests/check.html", &title, context)
    } else {
        visitor.page_again("requests/check.html", &title, context)
    }
}

fn back(filling: &Filling, reading: &Reading<'_>) -> String {
    match reading.pieces.last() {
        Some(last) => filling.url(&format!("pieces/{}", last.piece.id)),
        None => reading
            .shown_pages()
            .last()
            .map_or_else(|| format!("/demarches/{}", filling.procedure.id), |page| filling.page_url(page.index)),
    }
}

fn pieces(filling: &Filling, reading: &Reading<'_>) -> Vec<Json> {
    let one = |asked: &forms::journey::PieceReading<'_>| {
        json!({
            "title": asked.piece.title,
            "change": if filling.may_add(&asked.piece.id, asked.missing) { filling.url(&format!("pieces/{}", asked.piece.id)) } else { String::new() },
            "files": filling.sent(&asked.piece.id),
            "missing": if asked.missing { "À envoyer" } else { "" },
        })
    };
    reading.pieces.iter().map(one).collect()
}

/// What is still to be done before sending.
fn missing(visitor: &Visitor, filling: &Filling, reading: &Reading<'_>) -> Vec<Json> {
    let incomplete = reading.shown_pages().filter(|page| !page.complete());
    let pages = incomplete.map(|page| json!({"href": filling.page_url(page.index), "text": page.page.title}));
    let absent = reading.pieces.iter().filter(|asked| asked.missing);
    let pieces = absent
        .map(|asked| json!({"href": filling.url(&format!("pieces/{}", asked.piece.id)), "text": asked.piece.title}));
    let identity = filling.unverified(visitor, &filling.url("verifier"));
    let identity = identity.map(|href| json!({"href": href, "text": "Faire vérifier mon identité"}));
    pages.chain(pieces).chain(identity).collect()
}
