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
    accounts::session::Account,
    acting::Deed,
    error::Problem,
    platform::french,
    requests::{
        certified,
        filler::{Filler, Fills},
        form,
        intake::Intake,
        owner, staff,
        submit::{self, Sender},
    },
    visit::Visit,
};

pub async fn show<W: Fills>(who: W, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let filling = Filling::open(&filler, id).await?;
    draw(&filler, &filling, &Raw::default(), &[]).await
}

pub async fn send<W: Fills>(who: W, Path(id): Path<Uuid>, request: Request) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let typed = form::plain(request).await?;
    // A second click finds the request already there: its confirmation is shown again.
    let filling = match Filling::open(&filler, id).await {
        Err(Problem::Elsewhere(to)) if to == filler.request(id) => {
            return Ok(Redirect::to(&filler.sent(id)).into_response());
        }
        other => other?,
    };
    match &filler {
        _ if filling.correcting.is_none() => {}
        Filler::Counter(agent) => return super::answer::send_for(agent, &filling).await,
        Filler::Usager(_) | Filler::Staff(_) => return super::answer::send_corrections(&filler, &filling).await,
    }
    if !start::is_open(&filling.procedure, filling.day(&filler)) {
        return Err(Problem::Bad(
            "Cette démarche n’est plus ouverte. Votre brouillon est conservé ; la page de la démarche dit quand elle rouvrira.",
        ));
    }
    filler.require(Deed::Send)?;
    if filling.is_theirs_to_send(&filler) {
        return Err(Problem::Forbidden(
            "Cette démarche demande l’identité vérifiée de la personne elle-même : c’est à elle de l’envoyer, depuis son propre compte. Le brouillon est conservé dans ses demandes.",
        ));
    }
    let reading = filling.read(&filler);
    let errors = wrong(&filler, &filling, &typed);
    if let Some(to) = filling.unverified(&filler, &filling.url("verifier")) {
        return Err(Problem::Elsewhere(to));
    }
    if !errors.is_empty() || !reading.ready() {
        return draw(&filler, &filling, &typed, &errors).await;
    }
    let email = Some(typed.text("email")).filter(|email| !email.is_empty() && filling.account(&filler).is_none());
    let marks = filling.marks(&filler, &reading);
    let sender = match (&filler, &filling.intake) {
        (Filler::Usager(visitor), _) => Sender::usager(visitor),
        (Filler::Counter(agent), Some(intake)) => Sender::counter(agent, intake),
        (Filler::Counter(_), None) => return Err(Problem::NotFound),
        (Filler::Staff(staff), _) => {
            staff::may_file(staff, &filling.procedure)?;
            Sender::staff(staff)
        }
    };
    submit::submit(&filler, &sender, &filling.draft, &filling.procedure, &reading.answers, &marks, email).await?;
    Ok(Redirect::to(&filler.sent(id)).into_response())
}

/// Mistakes of this very page: the declaration, the address to write to.
fn wrong(filler: &Filler, filling: &Filling, typed: &Raw) -> Vec<Json> {
    let mut errors = Vec::new();
    if asks_contact(filler, filling)
        && let Err(text) = check_email(filler, typed)
    {
        errors.push(json!({"href": "#email", "text": text}));
    }
    if filling.procedure.declaration.is_some() && typed.text("declaration") != "oui" {
        errors.push(json!({"href": "#declaration", "text": "Cochez la case pour certifier votre déclaration."}));
    }
    errors
}

fn check_email(visit: &Visit, typed: &Raw) -> Result<(), String> {
    let field = Field::plain("email", "Adresse électronique", Arc::new(Email));
    match field.kind.parse(&field, Input { raw: typed, name: "email" }, Today(visit.today())) {
        Ok(_) => Ok(()),
        Err(problems) => Err(problems.into_iter().next().map_or_else(String::new, |problem| problem.message)),
    }
}

/// Whether the page asks where to write: no account, and the procedure's own questions did not ask.
fn asks_contact(filler: &Filler, filling: &Filling) -> bool {
    filling.account(filler).is_none()
        && filling.correcting.is_none()
        && !filling.procedure.pages.iter().flat_map(|page| &page.fields).any(|field| field.id == "courriel")
}

async fn draw(filler: &Filler, filling: &Filling, typed: &Raw, errors: &[Json]) -> Result<Response, Problem> {
    let reading = filling.read(filler);
    if let Some(stopped) = reading.pages.iter().find(|page| page.shown && page.stop.is_some()) {
        return Err(Problem::Elsewhere(filling.page_url(stopped.index)));
    }
    let correcting = filling.correcting.is_some();
    let theirs = filling.is_theirs_to_send(filler);
    let mut shown = reading.show();
    certified::annotate(&filling.marks(filler, &reading), &reading.answers, &mut shown);
    let back = if correcting { filling.request_url() } else { back(filler, filling, &reading) };
    let contact = match filler.usager() {
        Some(visitor) => owner::contact(visitor),
        None => match &filling.correcting {
            Some(request) => request.email.as_deref(),
            None => filling.account(filler).and_then(|account| account.email.as_deref()),
        },
    };
    let account = contact.map(|email| json!({"email": email}));
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
        asks_contact => asks_contact(filler, filling),
        contact_email => typed.text("email"),
        twin => Serde(twin::of(filler, filling).await?),
        missing => Serde(missing(filler, filling, &reading)),
        mode => filling.mode(),
        intake => Serde(filling.intake.as_ref().map_or(Json::Null, |intake| told(filling, intake))),
        may_send => correcting || (filler.require(Deed::Send).is_ok() && !theirs),
        theirs => theirs,
        discard => if correcting { String::new() } else { filling.url("supprimer") },
        notice => Serde(notice(&filling.procedure)),
    };
    let heading = match filling.mode() {
        "desk" => "Vérifiez puis déposez la demande",
        "complete" => "Vérifiez la réponse de l’usager",
        _ => "Vérifiez puis envoyez votre demande",
    };
    let title = format!("{heading} – {}", filling.procedure.title);
    if errors.is_empty() {
        filler.page("requests/check.html", &title, context)
    } else {
        filler.page_again("requests/check.html", &title, context)
    }
}

/// « le 21 novembre 2026 (par courrier) », for whom, and where to tell it again.
fn told(filling: &Filling, intake: &Intake) -> Json {
    let channel = french::lower_first(intake.channel.words());
    json!({
        "when": format!("le {} ({channel})", french::date(intake.received_on)),
        "whom": intake.account.as_ref().map(Account::full_name).unwrap_or_default(), "change": filling.url("reception"),
    })
}

fn back(filler: &Filler, filling: &Filling, reading: &Reading<'_>) -> String {
    match reading.pieces.last() {
        Some(last) => filling.url(&format!("pieces/{}", last.piece.id)),
        None => {
            reading.shown_pages().last().map_or_else(|| filler.home().to_owned(), |page| filling.page_url(page.index))
        }
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
fn missing(filler: &Filler, filling: &Filling, reading: &Reading<'_>) -> Vec<Json> {
    let incomplete = reading.shown_pages().filter(|page| !page.complete());
    let pages = incomplete.map(|page| json!({"href": filling.page_url(page.index), "text": page.page.title}));
    let absent = reading.pieces.iter().filter(|asked| asked.missing);
    let pieces = absent
        .map(|asked| json!({"href": filling.url(&format!("pieces/{}", asked.piece.id)), "text": asked.piece.title}));
    let identity = filling.unverified(filler, &filling.url("verifier"));
    let identity = identity.map(|href| json!({"href": href, "text": "Faire vérifier mon identité"}));
    pages.chain(pieces).chain(identity).collect()
}
