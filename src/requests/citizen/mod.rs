//! The usager's pages, from the first question to the answer.

use std::{ops::Deref, sync::Arc};

use forms::{
    answers::Raw,
    journey::{PageReading, Reading},
    model::{Identification, Procedure},
};
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    access::{self, Mine, Permitted, Process},
    certified::{self, Certified, Mark},
    drafts::{self, Draft},
    files,
    filler::{self, Filler, Place},
    intake::{self, Intake},
    model::{Ask, File, Request, piece_slot},
};
use crate::{
    accounts::session::Account,
    acting::Deed,
    catalogue,
    error::Problem,
    identity,
    journal::{Action, Line},
    visit::{Agent, Staff, Visit, Visitor},
};

pub mod answer;
pub mod attestation;
pub mod cancel;
pub mod check;
mod delay;
pub mod follow;
mod household;
mod known;
pub mod linked;
pub mod mine;
pub mod piece;
pub mod question;
pub mod received;
mod rows;
pub mod sent;
pub mod start;
mod told;
pub mod track;
mod twin;

pub use delay::of_request as silence;
pub use known::of_account as known_of;
pub use received::restore;
pub use told::{legal, legal_sentences, notice, notice_of, procedure_link, procedure_page, retention};

/// The request being completed, with the right by which it was opened.
pub enum Completed {
    Own(Mine),
    Desk(Permitted<Process>),
}

impl Deref for Completed {
    type Target = Request;
    fn deref(&self) -> &Request {
        match self {
            Self::Own(request) => request,
            Self::Desk(request) => request,
        }
    }
}

/// What is being completed is no longer, once the department has gone on without it: files would change what others
/// decide.
fn still_waits(procedure: &Procedure, request: &Request, page: impl Fn() -> String) -> Result<(), Problem> {
    let waits = answer::answering(procedure, &request.state).next().is_some();
    if waits { Ok(()) } else { Err(Problem::Elsewhere(page())) }
}

/// A draft with all that its pages need. Completing a request already sent is a draft too, with the
/// request's own id.
pub struct Filling {
    pub draft: Draft,
    pub procedure: Arc<Procedure>,
    pub files: Vec<File>,
    /// What was typed, with the ids of sent files under their fields' names.
    pub raw: Raw,
    /// What the filer's verified identity has filled in and locks.
    pub certified: Option<Certified>,
    /// What an agent who saw who it is for certifies, when nothing else does.
    seen: Option<Certified>,
    /// How it came, when an agent fills it in.
    pub intake: Option<Intake>,
    /// Where its pages are.
    place: &'static Place,
    /// The request being completed.
    pub correcting: Option<Completed>,
    /// What the department asked for, answered or not.
    pub asks: Vec<Ask>,
}

impl Filling {
    /// Opens a draft of who fills it in. A draft that was sent leads to its request.
    pub async fn open(filler: &Filler, id: Uuid) -> Result<Self, Problem> {
        match filler {
            Filler::Usager(visitor) => Self::of_visitor(visitor, id).await,
            Filler::Counter(agent) => Self::of_agent(agent, id).await,
            Filler::Staff(staff) => Self::of_staff(staff, id).await,
        }
    }

    async fn of_agent(agent: &Agent, id: Uuid) -> Result<Self, Problem> {
        let Some((draft, intake)) = intake::find(agent, id).await? else {
            let sent = super::store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
            access::may::<Process>(agent, &sent)?;
            return Err(Problem::Elsewhere(format!("/agent/demandes/{id}")));
        };
        let procedure = catalogue::version(agent, &draft.procedure_id, draft.procedure_version).await?;
        let files = if draft.has_files { files::of(&agent.db, id).await? } else { Vec::new() };
        let (correcting, asks) = if draft.correcting {
            let trace = Line::agent(agent, Action::RequestOpened);
            let request = access::desk::<Process>(agent, id, trace).await?;
            still_waits(&procedure, &request, || format!("/agent/demandes/{id}"))?;
            (Some(Completed::Desk(request)), super::store::asks(&agent.db, id).await?)
        } else {
            (None, Vec::new())
        };
        let certified = match (&correcting, &intake.account) {
            (Some(request), _) => certified::of_request(&certified::of(agent, id).await?, &request.answers.0),
            (None, Some(account)) => certified::of_account(agent, account.id, &procedure).await?,
            (None, None) => None,
        };
        let seen = match &intake.paper {
            Some(_) if certified.is_none() => Some(Certified::seen(agent).await?),
            _ => None,
        };
        let mut raw = with_files(&procedure, draft.raw.0.clone(), &files);
        certified::overlay(certified.as_ref(), &procedure, intake.received_on, &mut raw, |_| true);
        let (intake, place) = (Some(intake), &filler::COUNTER);
        Ok(Self { draft, procedure, files, raw, certified, seen, intake, place, correcting, asks })
    }

    async fn of_staff(staff: &Staff, id: Uuid) -> Result<Self, Problem> {
        let filler = Filler::from(staff.clone());
        let Some(draft) = drafts::own(&filler, id).await? else {
            let sent = access::own(&filler, id).await?;
            return Err(Problem::Elsewhere(filler.request(sent.id)));
        };
        let procedure = catalogue::version(staff, &draft.procedure_id, draft.procedure_version).await?;
        let files = if draft.has_files { files::of(&staff.db, id).await? } else { Vec::new() };
        let (correcting, asks) = if draft.correcting {
            let request = access::own(&filler, id).await?;
            still_waits(&procedure, &request, || filler.request(id))?;
            (Some(Completed::Own(request)), super::store::asks(&staff.db, id).await?)
        } else {
            (None, Vec::new())
        };
        let raw = with_files(&procedure, draft.raw.0.clone(), &files);
        let place = &filler::STAFF;
        Ok(Self { draft, procedure, files, raw, certified: None, seen: None, intake: None, place, correcting, asks })
    }

    async fn of_visitor(visitor: &Visitor, id: Uuid) -> Result<Self, Problem> {
        let Some(draft) = drafts::find(visitor, id).await? else {
            return Err(match access::mine(visitor, id).await {
                Ok(request) => Problem::Elsewhere(format!("/demandes/{}", request.id)),
                Err(problem) => problem,
            });
        };
        visitor.require(if draft.correcting { Deed::Answer } else { Deed::Fill })?;
        let procedure = catalogue::version(visitor, &draft.procedure_id, draft.procedure_version).await?;
        let files = if draft.has_files { files::of(&visitor.db, id).await? } else { Vec::new() };
        let (correcting, asks) = if draft.correcting {
            let request = access::mine(visitor, id).await?;
            still_waits(&procedure, &request, || format!("/demandes/{id}"))?;
            (Some(Completed::Own(request)), super::store::asks(&visitor.db, id).await?)
        } else {
            (None, Vec::new())
        };
        let certified = match &correcting {
            Some(request) => certified::of_request(&certified::of(visitor, id).await?, &request.answers.0),
            None => certified::of_visitor(visitor, &procedure).await?,
        };
        let mut raw = with_files(&procedure, draft.raw.0.clone(), &files);
        certified::overlay(certified.as_ref(), &procedure, visitor.today(), &mut raw, |_| true);
        let place = &filler::USAGERS;
        Ok(Self { draft, procedure, files, raw, certified, seen: None, intake: None, place, correcting, asks })
    }

    /// What is certified of the answers, as a request keeps it.
    pub fn marks(&self, visit: &Visit, reading: &Reading<'_>) -> Vec<Mark> {
        let seen = self.seen.as_ref().map(|seen| seen.of(&self.procedure, &reading.answers));
        let certified = self.certified.as_ref().or(seen.as_ref());
        certified.map_or_else(Vec::new, |certified| certified.marks(reading, &self.raw, self.day(visit)))
    }

    /// Types again what is certified, over what has changed.
    pub fn certify(&mut self, visit: &Visit) {
        let day = self.day(visit);
        certified::overlay(self.certified.as_ref(), &self.procedure, day, &mut self.raw, |_| true);
    }

    /// Whether the identity of who sends it must be verified.
    fn demands_identity(&self) -> bool {
        self.procedure.identification == Identification::Verified && self.correcting.is_none()
    }

    /// Whether only the person that it is about may send it: who acts for them has another identity.
    pub fn is_theirs_to_send(&self, filler: &Filler) -> bool {
        filler.usager().is_some_and(|visitor| visitor.acting.is_some()) && self.demands_identity()
    }

    /// The account that it will belong to, if any.
    pub fn account<'a>(&'a self, filler: &'a Filler) -> Option<&'a Account> {
        match filler {
            Filler::Usager(visitor) => visitor.account(),
            Filler::Counter(_) => self.intake.as_ref()?.account.as_ref(),
            Filler::Staff(staff) => Some(&staff.account),
        }
    }

    /// Where to have one's identity verified first, when the procedure demands it; then back to `next`. Who
    /// acts for somebody is not sent there: it would verify their own. An agent was asked before the first page.
    pub fn unverified(&self, filler: &Filler, next: &str) -> Option<String> {
        let oneself = filler.usager().is_some_and(|visitor| visitor.acting.is_none());
        let lacks = oneself && self.demands_identity() && self.certified.is_none();
        lacks.then(|| identity::page(next, &self.procedure.id))
    }

    /// The day that answers are judged on: what came by another way was right or wrong when the city received it.
    pub fn day(&self, visit: &Visit) -> Date {
        self.intake.as_ref().map_or(visit.today(), |intake| intake.received_on)
    }

    pub fn read(&self, visit: &Visit) -> Reading<'_> {
        self.procedure.read(&self.raw, &files::by_piece(&self.files), self.day(visit))
    }

    pub fn url(&self, rest: &str) -> String {
        format!("{}/{}/{rest}", self.place.drafts, self.draft.id)
    }

    /// The page of the request that it completes.
    pub fn request_url(&self) -> String {
        format!("{}/{}", self.place.requests, self.draft.id)
    }

    /// Where « Reprendre plus tard » leads.
    pub fn later(&self) -> String {
        self.place.later.map_or_else(|| self.url("enregistre"), str::to_owned)
    }

    /// `draft`, `correct` when a sent request is being completed, `desk` and `complete` when an agent does it for
    /// somebody.
    pub fn mode(&self) -> &'static str {
        match (&self.correcting, &self.intake) {
            (Some(_), None) => "correct",
            (Some(_), Some(_)) => "complete",
            (None, Some(_)) => "desk",
            (None, None) => "draft",
        }
    }

    /// Whether this page may be changed: all of them in a draft; in a request already sent, those
    /// that were asked for, and those that an answer changed has left incomplete.
    pub fn may_edit(&self, page: &PageReading<'_>) -> bool {
        let asked =
            |ask: &Ask| ask.answered_at.is_none() && page.page.fields.iter().any(|field| field.id == ask.target);
        self.correcting.is_none() || self.asks.iter().any(asked) || !page.complete()
    }

    /// Whether this piece may be added to: in a request already sent, if it was asked for.
    pub fn may_add(&self, piece: &str, missing: bool) -> bool {
        let asked = |ask: &Ask| ask.answered_at.is_none() && ask.kind == "piece" && ask.target == piece;
        self.correcting.is_none() || missing || self.asks.iter().any(asked)
    }

    /// Whether the usager may still take this file back: not once an agent could have relied on it.
    pub fn may_remove(&self, file: &File) -> bool {
        self.correcting.as_ref().is_none_or(|request| request.suspended_at.is_some_and(|since| file.at > since))
    }

    /// Takes a file back, if that is still possible.
    pub async fn remove(&self, visit: &Visit, file: Uuid) -> Result<(), Problem> {
        if self.files.iter().any(|sent| sent.id == file && self.may_remove(sent)) {
            files::remove(visit, self.draft.id, file).await?;
        }
        Ok(())
    }

    /// Files of a piece, as templates show them.
    pub fn sent(&self, piece: &str) -> Vec<Json> {
        let slot = piece_slot(piece);
        let of_piece = self.files.iter().filter(|file| file.slot == slot);
        of_piece
            .map(|file| {
                let mut shown = file_json(file, self.place.files);
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert("removable".into(), json!(self.may_remove(file)));
                }
                shown
            })
            .collect()
    }

    /// Where the journey goes after the page of this index: another page, a piece, or the end.
    pub fn after_page(&self, reading: &Reading<'_>, index: usize) -> String {
        match reading.next_shown(index).filter(|_| self.correcting.is_none()) {
            Some(next) => self.page_url(next),
            None if self.correcting.is_some() => self.url("verifier"),
            None => self.after_piece(reading, None),
        }
    }

    /// The piece after `piece` (the first one for none), or the check page.
    pub fn after_piece(&self, reading: &Reading<'_>, piece: Option<&str>) -> String {
        let mut rest = reading.pieces.iter().map(|asked| asked.piece.id.as_str());
        if let Some(piece) = piece {
            rest.by_ref().find(|id| *id == piece);
        }
        match rest.next().filter(|_| self.correcting.is_none()) {
            Some(next) => self.url(&format!("pieces/{next}")),
            None => self.url("verifier"),
        }
    }

    pub fn page_url(&self, index: usize) -> String {
        self.procedure.pages.get(index).map_or_else(|| self.url("verifier"), |page| self.url(&page.id))
    }
}

/// Puts the ids of sent files under the names of the fields that hold them.
fn with_files(procedure: &Procedure, mut raw: Raw, sent: &[File]) -> Raw {
    for field in procedure.pages.iter().flat_map(|page| &page.fields).filter(|field| field.kind.files().is_some()) {
        let slot = field_slot(&field.id);
        let ids: Vec<String> = sent.iter().filter(|file| file.slot == slot).map(|file| file.id.to_string()).collect();
        raw.0.insert(field.id.clone(), ids);
    }
    raw
}

pub fn field_slot(field: &str) -> String {
    format!("field:{field}")
}

/// Sections as templates show them.
pub fn sections(found: &[forms::journey::Section], url: impl Fn(&forms::journey::Section) -> String) -> Vec<Json> {
    found
        .iter()
        .map(|section| {
            let rows: Vec<Json> =
                section.rows.iter().map(|line| json!({"key": line.label, "values": line.lines})).collect();
            json!({"title": section.title, "rows": rows, "change": url(section)})
        })
        .collect()
}

/// « PDF », « JPEG »: the kind of a file in a word.
pub fn file_kind(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "PDF",
        "image/jpeg" => "JPEG",
        "image/png" => "PNG",
        "image/heif" => "HEIC",
        "image/webp" => "WebP",
        _ => "fichier",
    }
}

pub fn file_json(file: &File, base: &str) -> Json {
    json!({"id": file.id, "href": format!("{base}/{}", file.id), "name": file.name, "type": file_kind(&file.media_type), "size": file.size, "state": "ok", "problem": ""})
}
