//! « Ma demande »: where it stands, what is expected, what was said and given.

use axum::{
    extract::{Path, Query, Request as HttpRequest},
    response::{IntoResponse, Redirect, Response},
};
use forms::{model::Procedure, workflow::Status};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    answer, attestation, cancel, delay, file_json, file_kind, linked as next, procedure_link, procedure_page, sections,
    sent,
};
use crate::{
    acting::{Deed, trace},
    authorities::{self, Department},
    catalogue,
    contacts::{self, Contact, show::Came},
    correspondence,
    error::Problem,
    opinions,
    platform::{clock, french},
    requests::{
        access::{self, Mine},
        certified, code, files,
        filler::{Filler, Follows},
        form, jobs, linked,
        mailed::{self, Mailed},
        model::{Decision, Event, File, Message, piece_slot},
        moves,
        store::{self, Entry, NewMessage},
    },
    steering,
    visit::Visit,
};

/// Longest message, in characters.
const LONGEST: usize = 10_000;

#[derive(Debug, Deserialize)]
pub struct Told {
    #[serde(default)]
    fait: String,
}

pub async fn show<W: Follows>(who: W, Path(id): Path<Uuid>, Query(told): Query<Told>) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let request = access::own(&filler, id).await?;
    if let Some(visitor) = filler.usager() {
        trace::note(visitor, trace::SEEN, &request.reference).await?;
    }
    let flash = match told.fait.as_str() {
        "message" => Some("Votre message est envoyé."),
        "range" => Some("L’accusé d’enregistrement est rangé dans vos documents."),
        "attestation" => Some("Votre demande d’attestation est enregistrée : vous la trouverez sur cette page."),
        "repondu" => Some("Votre réponse est envoyée : le service reprend le traitement."),
        _ => None,
    };
    draw(&filler, &request, "", &[], flash).await
}

/// A message to the department.
pub async fn write<W: Follows>(who: W, Path(id): Path<Uuid>, request: HttpRequest) -> Result<Response, Problem> {
    let filler: Filler = who.into();
    let typed = form::plain(request).await?;
    let found = access::own_to(&filler, id, Deed::Answer).await?;
    let by = filler.by(found.account_id);
    let body = typed.text("message");
    if let Some(error) = wrong_message(body) {
        return draw(&filler, &found, body, &[json!({"href": "#message", "text": error})], None).await;
    }
    // The form's own id: sent twice, it is one message.
    let message = typed.text("version").parse().unwrap_or_else(|_| filler.id());
    filler
        .db
        .write(async |tx: &mut db::Tx| {
            let new = NewMessage { id: message, author: "usager", author_id: by.account, internal: false, body };
            if store::write(tx, id, &new, filler.now).await? {
                let entry = Entry {
                    actor: "usager",
                    actor_id: by.account,
                    code: "message",
                    from: None,
                    to: None,
                    subject: Some(message),
                    acted: by.acted,
                };
                store::record(tx, id, &entry, filler.now).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(Redirect::to(&format!("{}?fait=message", filler.request(id))).into_response())
}

pub fn wrong_message(body: &str) -> Option<String> {
    let length = body.chars().count();
    if length == 0 {
        Some("Écrivez votre message avant de l’envoyer.".to_owned())
    } else if length > LONGEST {
        Some(format!("Votre message est trop long : il compte {} caractères de trop.", length - LONGEST))
    } else {
        None
    }
}

pub async fn draw(
    filler: &Filler,
    request: &Mine,
    message: &str,
    errors: &[Json],
    flash: Option<&str>,
) -> Result<Response, Problem> {
    let procedure = catalogue::version(filler, &request.procedure_id, request.procedure_version).await?;
    let department = authorities::department(&filler.db, &request.department_id).await?.ok_or(Problem::NotFound)?;
    let files = files::of(&filler.db, request.id).await?;
    let events = store::events(&filler.db, request.id).await?;
    let messages: Vec<Message> =
        store::messages(&filler.db, request.id).await?.into_iter().filter(|message| !message.internal).collect();
    // A page that tells nothing new writes nothing.
    if messages.iter().any(|message| message.author == "agent" && message.read_at.is_none()) {
        store::read(&filler.db, request.id, "agent", filler.now).await?;
    }
    let mut contacts = contacts::of_request(&filler.db, request.id).await?;
    contacts.retain(|contact| contact.shared);
    let mailed = mailed::of(&filler.db, request.id).await?;
    let decision = store::decision(&filler.db, request.id).await?;
    let offered = events.iter().any(|event| event.code == linked::OFFERED);
    let state = request.state_of(&procedure);
    let running = request.ended_at.is_none();
    let page = filler.request(request.id);
    let awaits =
        running && request.suspended_at.is_none() && ["sent", "in-progress"].contains(&request.status.as_str());
    let mut shown = procedure.show(&request.answers.0);
    certified::annotate(&certified::of(filler, request.id).await?, &request.answers.0, &mut shown);
    let may = |deed| filler.require(deed).is_ok();
    let context = context! {
        reference => &request.reference,
        beneficiary => &request.beneficiary,
        procedure => Serde(procedure_link(&procedure)),
        status => &request.status,
        state => state.map(|state| state.usager.clone()),
        sent => request.submitted_at.to_string(),
        filed => filed(filler, &procedure, request, &department, &events),
        delay => if awaits { format!("Réponse attendue avant le {}", french::date(clock::day(request.due_at, &filler.site.zone))) } else { String::new() },
        legal => delay::of_request(filler, &procedure, request),
        attestation => Serde(attestation::shown(filler, &procedure, request, &events)),
        usual => if awaits { steering::usual(filler, &procedure.id).await? } else { String::new() },
        steps => Serde(steps(filler, &procedure, request, &events)),
        awaited => Serde(awaited(filler, request, &procedure, &messages).await?),
        decision => Serde(shown_decision(filler, decision.as_ref())),
        read => Serde(events.iter().find(|event| handled(&procedure, event)).map(|event| event.at.to_string())),
        sections => Serde(sections(&shown, |_| String::new())),
        pieces => Serde(pieces(filler, &procedure, &files)),
        documents => Serde(documents(filler, request.id, &files)),
        linked => Serde(next::shown(filler, request, offered).await?),
        keeping => sent::keeping(filler, request).await?,
        list => filler.home(),
        keep => format!("{page}/ranger"),
        messages => Serde(shown_messages(filler.place().files, &messages, &contacts, &files, &mailed, &department)),
        history => Serde(history(filler, &procedure, &events)),
        department => Serde(json!({"name": department.name, "phone": department.phone.clone().unwrap_or_else(|| filler.site.settings.phone.clone())})),
        message => message,
        errors => Serde(errors),
        can_reply => running && may(Deed::Answer),
        can_cancel => may(Deed::Send) && cancel::ending(filler, &procedure, request).is_some(),
        cancel => format!("{page}/annuler"),
        reply => format!("{page}/messages"),
        again => procedure_page(&procedure),
        opinion => if filler.usager().is_some() && may(Deed::Answer) { opinions::invited(request) } else { String::new() },
        version => filler.id().to_string(),
        ..flash.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } }),
    };
    let title = format!("{} – {}", request.reference, procedure.title);
    if errors.is_empty() {
        filler.page("requests/follow.html", &title, context)
    } else {
        filler.page_again("requests/follow.html", &title, context)
    }
}

/// Whether an agent did something with the request itself; a new tracking code says nothing of it.
fn handled(procedure: &Procedure, event: &Event) -> bool {
    event.actor == "agent" && event.code != code::RENEWED && !event.is_filing(procedure)
}

/// « déposée pour vous par le service de l’état civil, reçue le 3 mars 2026 (par courrier) », when an agent entered it.
fn filed(
    visit: &Visit,
    procedure: &Procedure,
    request: &Mine,
    department: &Department,
    events: &[Event],
) -> Option<String> {
    let name = &department.name;
    let by =
        if name.starts_with("Service") { french::lower_first(name) } else { format!("service «\u{a0}{name}\u{a0}»") };
    let received = request.received(&visit.site.zone);
    let filed = events.first().is_some_and(|event| event.is_filing(procedure));
    filed.then(|| format!("déposée pour vous par le {by}, reçue le {received}"))
}

/// Four steps that anybody understands, whatever the circuit behind.
fn steps(visit: &Visit, procedure: &Procedure, request: &Mine, events: &[Event]) -> Vec<Json> {
    let day = |at: jiff::Timestamp| clock::day(at, &visit.site.zone).to_string();
    let status = procedure.workflow.state(&request.state).map(|state| state.status);
    let usager = procedure.workflow.state(&request.state).map_or("", |state| state.usager.as_str());
    let begun = events.iter().find(|event| handled(procedure, event)).map(|event| day(event.at));
    let step = |title: &str, text: &str, date: Option<String>, state: &str| json!({"title": title, "text": text, "date": date, "state": state});
    let filed = events.first().is_some_and(|event| event.is_filing(procedure));
    let mut steps = vec![step(
        if filed { "Demande déposée" } else { "Demande envoyée" },
        "",
        Some(day(request.submitted_at)),
        if status == Some(Status::Sent) { "now" } else { "done" },
    )];
    let handled = match status {
        Some(Status::Sent | Status::Draft) | None => step("Traitement par le service", "", None, "todo"),
        Some(Status::InProgress) => step("Traitement par le service", usager, begun, "now"),
        Some(Status::ActionNeeded) => {
            step("Votre réponse est attendue", usager, request.suspended_at.map(day), "waiting")
        }
        Some(_) => step("Traitement par le service", "", begun, "done"),
    };
    steps.push(handled);
    let ended = request.ended_at.map(day);
    steps.push(match status {
        Some(Status::Accepted) => step("Demande acceptée", "", Some(day(request.updated_at)), "done"),
        Some(Status::Refused) => step("Demande refusée", "", Some(day(request.updated_at)), "refused"),
        Some(Status::Ended) => step(usager, "", ended, "done"),
        _ => step("Réponse", "", None, "todo"),
    });
    steps
}

async fn awaited(
    filler: &Filler,
    request: &Mine,
    procedure: &Procedure,
    messages: &[Message],
) -> Result<Json, Problem> {
    if answer::answering(procedure, &request.state).next().is_none() || filler.require(Deed::Answer).is_err() {
        return Ok(Json::Null);
    }
    let asks = store::asks(&filler.db, request.id).await?;
    let files = files::of(&filler.db, request.id).await?;
    let answer = format!("{}/repondre", filler.request(request.id));
    let open: Vec<_> = asks.iter().filter(|ask| ask.answered_at.is_none()).collect();
    let done = |ask: &crate::requests::model::Ask| {
        ask.kind == "piece" && files.iter().any(|file| file.slot == piece_slot(&ask.target) && file.at > ask.asked_at)
    };
    let items: Vec<Json> = open
        .iter()
        .map(|ask| {
            let href = format!("{answer}?vers={}", crate::platform::encode(&answer::page_of(procedure, ask)));
            json!({"href": href, "text": ask_label(procedure, &ask.kind, &ask.target), "done": done(ask)})
        })
        .collect();
    let text = messages
        .iter()
        .rfind(|message| message.author == "agent")
        .map(|message| message.body.clone())
        .unwrap_or_default();
    Ok(
        json!({"text": text, "items": items, "before": open.iter().filter_map(|ask| ask.until).max().map(|day| day.to_string()), "send": answer}),
    )
}

/// The title of a piece, the question of a field.
pub fn ask_label(procedure: &Procedure, kind: &str, target: &str) -> String {
    let piece =
        procedure.pieces.iter().find(|piece| kind == "piece" && piece.id == target).map(|piece| piece.title.clone());
    let field = || {
        procedure
            .pages
            .iter()
            .flat_map(|page| &page.fields)
            .find(|field| field.id == target)
            .map(|field| field.ask.clone())
    };
    piece.or_else(field).unwrap_or_else(|| target.to_owned())
}

fn shown_decision(visit: &Visit, decision: Option<&Decision>) -> Json {
    let Some(decision) = decision else { return Json::Null };
    json!({
        "accepted": decision.favourable,
        "date": clock::day(decision.at, &visit.site.zone).to_string(),
        "text": decision.facts.clone().unwrap_or_default(),
        "author": {"name": decision.author_name, "quality": decision.author_quality, "service": decision.author_department},
        "ground": decision.ground.clone().unwrap_or_default(),
        "appeal": decision.appeal.clone().unwrap_or_default(),
    })
}

fn pieces(filler: &Filler, procedure: &Procedure, files: &[File]) -> Vec<Json> {
    let sent = |slot: String| {
        let of = files.iter().filter(move |file| file.slot == slot);
        of.map(|file| file_json(file, filler.place().files)).collect::<Vec<_>>()
    };
    let titled = procedure.pieces.iter().map(|piece| (piece.title.clone(), sent(piece_slot(&piece.id))));
    let fields = procedure.pages.iter().flat_map(|page| &page.fields).filter(|field| field.kind.files().is_some());
    let asked = fields.map(|field| (field.ask.clone(), sent(super::field_slot(&field.id))));
    titled
        .chain(asked)
        .filter(|(_, files)| !files.is_empty())
        .map(|(title, files)| json!({"title": title, "files": files}))
        .collect()
}

fn documents(filler: &Filler, id: Uuid, files: &[File]) -> Vec<Json> {
    let receipt = files.iter().find(|file| file.slot == jobs::RECEIPT_SLOT);
    let size = receipt.map(|file| file.size);
    let kind = file_kind("application/pdf");
    let receipt = json!({"href": format!("{}/recepisse.pdf", filler.request(id)), "name": "Accusé d’enregistrement", "type": kind, "size": size});
    let letters = files.iter().filter(|file| file.slot.starts_with(correspondence::jobs::SLOT));
    // The latest first: it is what they were told of.
    letters.rev().map(|file| file_json(file, filler.place().files)).chain([receipt]).collect()
}

/// Messages, what the department shares of what was said otherwise, mails and SMS that left, in the order in which it happened.
fn shown_messages(
    base: &str,
    messages: &[Message],
    contacts: &[Contact],
    files: &[File],
    mailed: &[Mailed],
    department: &Department,
) -> Vec<Json> {
    let one = |message: &Message| {
        let came = Came::of(message.id, contacts, files, base);
        let shown = json!({
            "mine": message.author == "usager", "who": department.name, "text": message.body, "date": message.at.to_string(),
            "read": message.read_at.map(|at| at.to_string()), "how": came.how, "quoted": came.quoted, "files": came.files,
        });
        (message.at, shown)
    };
    let said = contacts.iter().filter(|contact| !contact.as_message);
    let said = said.map(|one| (one.at, contacts::show::for_usager(one, &department.name, files, base)));
    let left = mailed.iter().map(|one| (one.at(), one.for_usager(&department.name)));
    let mut all: Vec<_> = messages.iter().map(one).chain(said).chain(left).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, shown)| shown).collect()
}

/// What happened, without the names of agents.
fn history(filler: &Filler, procedure: &Procedure, events: &[Event]) -> Vec<Json> {
    events
        .iter()
        .filter_map(|event| {
            words(filler, procedure, event).map(|text| json!({"date": event.at.to_string(), "text": text}))
        })
        .collect()
}

fn words(filler: &Filler, procedure: &Procedure, event: &Event) -> Option<String> {
    // « Vous » is who reads: another who acted is named.
    let another = (event.actor == "usager" && event.actor_id != filler.account())
        .then_some(event.actor_name.as_deref().unwrap_or("une personne mandatée"))
        .filter(|_| event.acted.is_some() || filler.usager().is_some_and(|visitor| visitor.acting.is_some()));
    if event.code == "message" {
        return Some(match another {
            Some(name) => format!("Message au service, par {name}{}", mandated(event)),
            None if event.actor == "usager" => "Vous avez écrit au service".to_owned(),
            None => "Le service vous a écrit".to_owned(),
        });
    }
    if event.code == moves::MOVED {
        return Some(format!(
            "Transmise à un autre service\u{a0}: {}",
            event.subject_name.as_deref().unwrap_or_default()
        ));
    }
    if event.code == attestation::ASKED {
        return Some("Attestation d’acceptation demandée".to_owned());
    }
    if event.code == contacts::mail::MAIL {
        return Some("Le service a reçu un courriel de votre adresse".to_owned());
    }
    if event.code == contacts::sms::RECEIVED {
        return Some("Le service a reçu un SMS de votre numéro".to_owned());
    }
    if event.code == contacts::SHARED {
        return Some("Le service a noté un échange".to_owned());
    }
    let to = event.to_state.as_deref().and_then(|state| procedure.workflow.state(state))?;
    if event.is_filing(procedure) {
        return Some("Déposée pour vous par le service".to_owned());
    }
    if event.is_completing(procedure) {
        return Some("Complétée pour vous par le service".to_owned());
    }
    Some(match another {
        Some(name) => format!("{}, par {name}{}", to.usager, mandated(event)),
        None => to.usager.clone(),
    })
}

/// « par Ali Ben, mandataire ».
fn mandated(event: &Event) -> &'static str {
    if event.acted.as_deref() == Some("mandate") { ", mandataire" } else { "" }
}
