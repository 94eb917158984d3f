//! What is done after a request changed: telling the usager, rendering the receipt.

use anyhow::{Context, Result};
use forms::{journey::Section, model::Procedure};
use jiff::civil::Date;
use minijinja::context;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    certified, code, files, filler, mailed,
    model::{File, Request},
    store,
};
use crate::{
    accounts, agents, authorities, catalogue, contacts,
    correspondence::{self, Medium},
    opinions, organisations,
    platform::{
        jobs::{self, Claimed, Outcome},
        mail::{Mail, SendError},
    },
    visit::Visit,
};

/// One letter at a time: typesetting uses all of a processor and tens of megabytes, which several at
/// once multiply without being done any sooner.
static RENDERING: Semaphore = Semaphore::const_new(1);

pub const NOTIFY: &str = "notify";
/// The mail that carries a new tracking code, when an agent sends it so.
pub const CODE: &str = "code-de-suivi";
pub const RECEIPT: &str = "receipt";

/// The messages about a request that a workflow may send (`notify …`), each with its templates in `mails/`.
pub const MESSAGES: [&str; 13] = [
    "recue",
    "prise-en-charge",
    "piece-demandee",
    "relance",
    "complete",
    "silence",
    "completee",
    "decision",
    "reponse",
    "classee",
    "annulee",
    "rouverte",
    "message",
];

/// Those that tell that a request is settled.
const SETTLED: [&str; 3] = ["decision", "reponse", "classee"];

/// Slot of the rendered receipt.
pub const RECEIPT_SLOT: &str = "document:recepisse";

/// Sends one message, and keeps it with the request. It holds no answer, no reason, and no name of a confidential
/// procedure.
pub async fn notify(visit: &Visit, job: &Claimed) -> Result<Outcome, SendError> {
    let message = job.payload.0.get("message").and_then(Json::as_str).unwrap_or_default().to_owned();
    let id = job.request_id.context("no request").map_err(SendError::Passing)?;
    // Erased, or without an address since: nothing to send any more.
    let Some(request) = store::find(&visit.db, id).await.map_err(|error| SendError::Passing(error.into()))? else {
        return Ok(Outcome::Done);
    };
    contacts::sms::tell(visit, &request, &message, job.id).await.map_err(|error| SendError::Passing(error.into()))?;
    let Some(mut to) = reached(visit, &request).await.map_err(SendError::Passing)? else { return Ok(Outcome::Done) };
    if let Some(organisation) = request.organisation_id {
        let found = organisations::recipient(&visit.db, organisation, request.acted_by, &to).await;
        to = found.map_err(|error| SendError::Passing(error.into()))?;
    }
    let own = if correspondence::mail::is_common(job) { Words::Common } else { Words::Own };
    let mut mail = compose(visit, &request, &message, (&to, job.id), own).await?;
    let sent = visit.app.mailer.send(&visit.db, &mail, visit.now).await;
    if message == CODE {
        let code = code::shown(visit, request.id).await.map_err(|error| SendError::Passing(error.into()))?;
        mail.body = mail.body.replace(&code, mailed::HIDDEN);
    }
    let state = match &sent {
        Ok(()) => "sent",
        Err(SendError::Permanent(_)) => "refused",
        Err(SendError::Passing(_)) => return sent.map(|()| Outcome::Done),
    };
    let kept = visit
        .db
        .write(async |tx: &mut db::Tx| {
            mailed::keep(tx, request.id, &mail, state, visit.now).await?;
            if state == "sent" { jobs::record(tx, job, visit.now).await } else { Ok(()) }
        })
        .await;
    kept.map_err(|error| SendError::Passing(error.into()))?;
    sent.map(|()| Outcome::Recorded)
}

/// Where to write: as its filer gave it; to an agent, where they are reached today, as long as they work here.
async fn reached(visit: &Visit, request: &Request) -> Result<Option<String>> {
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    match request.account_id.filter(|_| procedure.is_internal()) {
        Some(agent) => Ok(agents::address(&visit.db, agent, visit.today()).await?),
        None => Ok(request.email.clone()),
    }
}

/// Whose words a mail has, where a department has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    Own,
    Common,
}

/// The mail of a message about a request, to this address, with this id.
///
/// # Errors
/// For good when the department's own words cannot be filled in: see [`correspondence::mail::own`].
pub async fn compose(
    visit: &Visit,
    request: &Request,
    message: &str,
    (to, id): (&str, Uuid),
    words: Words,
) -> Result<Mail, SendError> {
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let base = visit.public_url();
    let back = contacts::mail::back(visit, request.id).await?;
    let link = if procedure.is_internal() {
        format!("{base}{}/{}", filler::STAFF.requests, request.id)
    } else if !request.is_anonymous() {
        format!("{base}/demandes/{}", request.id)
    } else {
        format!("{base}/suivre?reference={}", request.reference)
    };
    let context = context! {
        reference => &request.reference,
        procedure => (!procedure.confidential).then(|| procedure.title.clone()),
        submitted => request.received(&visit.site.zone),
        link => link,
        link_label => "Suivre ma demande",
        can_answer => back.is_some(),
        opinion => invitation(visit, request, &procedure, message, id).await.map_err(anyhow::Error::from)?,
    };
    let own = match words {
        Words::Own => correspondence::mail::own(visit, Medium::Mail, message, request, &procedure).await?,
        Words::Common => None,
    };
    if let Some(own) = own {
        let context = context! { subject => own.subject, text => own.text, ..context };
        return Ok(Mail { back, ..letter(visit, "texte-du-service", context, to, id)? });
    }
    // A code is computed at the last moment: the queue does not hold it, and an older mail says the present one.
    let silence = if message == "complete" {
        super::citizen::silence(visit, &procedure, request).join(" ")
    } else {
        String::new()
    };
    let code = if message == CODE {
        code::shown(visit, request.id).await.map_err(anyhow::Error::from)?
    } else {
        String::new()
    };
    Ok(Mail { back, ..letter(visit, message, context! { code => code, silence => silence, ..context }, to, id)? })
}

/// The address where the filer of a settled request says what they think of it, in the first mail that says that it is
/// settled; else "". Without an account, the page of the request offers it.
async fn invitation(
    visit: &Visit,
    request: &Request,
    procedure: &Procedure,
    message: &str,
    id: Uuid,
) -> Result<String, db::Error> {
    let own = request.account_id.is_some() && request.organisation_id.is_none() && !procedure.is_internal();
    let path = opinions::invited(request);
    if path.is_empty()
        || !own
        || !SETTLED.contains(&message)
        || mailed::mentions(&visit.db, request.id, &path, id).await?
    {
        return Ok(String::new());
    }
    Ok(format!("{}{path}", visit.public_url()))
}

/// A mail out of its two templates.
pub fn letter(visit: &Visit, name: &str, context: minijinja::Value, to: &str, id: Uuid) -> Result<Mail> {
    let settings = &visit.site.settings;
    let frame =
        context! { city => context! { name => &visit.site.name, phone => &settings.phone, email => &settings.email } };
    let context = context! { ..context, ..frame };
    let subject = visit.app.templates.render(&format!("mails/{name}.subject.txt"), context.clone())?;
    let body = visit.app.templates.render(&format!("mails/{name}.txt"), context)?;
    Ok(Mail { id, to: to.to_owned(), subject: subject.trim().to_owned(), body, back: None })
}

/// Renders the receipt and keeps it with the request.
pub async fn receipt(visit: &Visit, job: &Claimed) -> Result<Outcome> {
    use sha2::{Digest, Sha256};
    let id = job.request_id.context("no request")?;
    let Some(request) = store::find(&visit.db, id).await? else { return Ok(Outcome::Done) };
    let pdf = render_receipt(visit, &request, None).await?;
    let file = crate::platform::upload::Received {
        id: job.id,
        name: format!("accuse-enregistrement-{}.pdf", request.reference),
        media_type: "application/pdf",
        size: pdf.len() as u64,
        sha256: Sha256::digest(&pdf).to_vec(),
    };
    visit.app.storage.put(visit.site.id, file.id, pdf).await?;
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            files::insert(tx, id, RECEIPT_SLOT, 1, &file, visit.now).await?;
            jobs::record(tx, job, visit.now).await
        })
        .await?;
    Ok(Outcome::Recorded)
}

/// The « accusé d'enregistrement » (CRPA R112-11-1 s.; protocols §9.2).
/// `tracking`: the code that follows it, where the paper may bear it.
pub async fn render_receipt(visit: &Visit, request: &Request, tracking: Option<&str>) -> Result<Vec<u8>> {
    let mut data = common(visit, request, false).await?;
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    if let Some(object) = data.as_object_mut() {
        object.insert("next".into(), json!(procedure.after));
        object.insert("delay".into(), json!(super::citizen::legal_sentences(&procedure, request.submitted_at, visit)));
        object.insert("tracking".into(), json!(tracking));
        let notice = &procedure.notice;
        object.insert(
            "notice".into(),
            json!({"purpose": notice.purpose, "basis": notice.basis, "recipients": procedure.recipients(), "retention": super::citizen::retention(notice)}),
        );
    }
    render(&letters::RECEIPT, data, visit).await
}

/// One letter or file as PDF.
pub async fn render(template: &'static letters::Template, data: Json, visit: &Visit) -> Result<Vec<u8>> {
    render_on(template, data, visit.today()).await
}

/// The same, of a letter dated otherwise than today.
pub async fn render_on(template: &'static letters::Template, data: Json, day: Date) -> Result<Vec<u8>> {
    let _turn = RENDERING.acquire().await?;
    Ok(tokio::task::spawn_blocking(move || letters::render(template, &data, day)).await??)
}

/// What papers about a request share: see [`letters::RECEIPT`]. `sensitive`: with answers that only who treats it sees.
pub async fn common(visit: &Visit, request: &Request, sensitive: bool) -> Result<Json> {
    let procedure = catalogue::version(visit, &request.procedure_id, request.procedure_version).await?;
    let department = authorities::department(&visit.db, &request.department_id).await?.context("no department")?;
    let files = files::of(&visit.db, request.id).await?;
    let mut shown = procedure.show(&request.answers.0);
    certified::annotate(&certified::of(visit, request.id).await?, &request.answers.0, &mut shown);
    let mut sections: Vec<Json> = shown.into_iter().map(|section| printed_section(&section, sensitive)).collect();
    if sensitive && request.confidential_address {
        let entry = json!({"label": "Adresse confidentielle", "value": ["Ne pas communiquer"]});
        sections.insert(0, json!({"title": "Avertissement", "entries": [entry]}));
    }
    Ok(json!({
        "authority": {"name": visit.site.name},
        "department": department.for_letters(),
        "reference": request.reference,
        "procedure": procedure.title,
        "received": request.received(&visit.site.zone),
        "filer": request.filer_name,
        "sections": sections,
        "pieces": pieces(&procedure, &files),
    }))
}

pub fn printed_section(section: &Section, sensitive: bool) -> Json {
    let rows = section.rows.iter().filter(|line| sensitive || !line.sensitive);
    let entries: Vec<Json> = rows.map(|line| json!({"label": line.label, "value": line.lines})).collect();
    json!({"title": section.title, "entries": entries})
}

fn pieces(procedure: &Procedure, files: &[File]) -> Vec<Json> {
    let title = |slot: &str| {
        slot.strip_prefix("piece:")
            .and_then(|id| procedure.pieces.iter().find(|piece| piece.id == id))
            .map(|piece| piece.title.clone())
    };
    files
        .iter()
        .filter_map(|file| title(&file.slot).map(|label| json!({"label": label, "name": file.name, "size": file.size})))
        .collect()
}

/// The address of the agent who asked something about a request; of its department, when the platform did or they
/// have left.
pub async fn asker(visit: &Visit, agent: Option<Uuid>, department: &str) -> Result<Option<String>> {
    let account = match agent {
        Some(agent) => accounts::find(&visit.db, agent).await?,
        None => None,
    };
    if let Some(email) = account.and_then(|account| account.email) {
        return Ok(Some(email));
    }
    Ok(authorities::department(&visit.db, department).await?.and_then(|one| one.email))
}
