//! The letter of a transition, which its agent reads before anything is sent: the very words that were shown
//! leave, or the page comes back with the new ones.

use axum::{
    extract::{Path, Request as Sent},
    response::Response,
};
use forms::answers::Raw;
use minijinja::Value;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::act::{Deed, Form};
use crate::{
    approvals::{Granted, Prepared},
    correspondence::{
        self, Author,
        compose::{self, About, Composed, Unfit},
    },
    error::Problem,
    platform::attachment,
    requests::form::plain,
    visit::{Agent, Visit},
};

/// Longest paragraph of an agent, in characters.
const LONGEST: usize = 4_000;

/// What the agent gives along with a letter.
#[derive(Debug, Default, Clone)]
pub struct Typed {
    motivation: String,
    to_post: bool,
    /// The digest of the letter that was shown.
    seen: String,
    /// An earlier version of the template, when the present one does not fit the request.
    version: Option<i64>,
}

impl Typed {
    /// Nothing yet.
    pub fn of_version(version: Option<i64>) -> Self {
        Self { version, ..Self::default() }
    }

    pub fn read(raw: &Raw) -> Self {
        Self {
            motivation: raw.text("motivation").to_owned(),
            to_post: raw.text("poste") == "oui",
            seen: raw.text("vue").to_owned(),
            version: raw.text("modele").parse().ok(),
        }
    }
}

/// The letter of a transition, as things stand.
pub struct Draft {
    letter: Result<Composed, Unfit>,
    typed: Typed,
    /// Where it can be posted; empty when nobody knows.
    address: Vec<String>,
    purpose: Purpose,
}

/// What a letter is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Sent,
    /// To be approved before its decision is taken.
    Prepared,
    /// To leave as it was approved: whether it still is that one.
    Approved(bool),
}

impl Draft {
    /// None when the transition makes no letter. `fresh`: its page is opened, nothing is typed yet.
    pub async fn of(
        agent: &Agent,
        deed: &Deed<'_>,
        form: &Form<'_>,
        mut typed: Typed,
        fresh: bool,
    ) -> Result<Option<Self>, Problem> {
        let prepared = deed.file.procedure.workflow.prepared(deed.transition);
        let Some(code) = deed.transition.letter().or(prepared) else { return Ok(None) };
        let request = &deed.file.request;
        let decision = deed.signing.decision(agent, deed.transition, &deed.typed);
        let given = form.given(request);
        let nobody = signatory();
        let author = if prepared.is_some() { &nobody } else { &deed.signing.author };
        let mut about = About { given: &given, ..About::request(agent, request, &deed.file.procedure, author) };
        let address = if prepared.is_some() { Vec::new() } else { compose::address(&about) };
        // Whoever gave no e-mail hears of it by post.
        typed.to_post |= fresh && request.email.is_none() && !address.is_empty();
        typed.to_post &= prepared.is_none();
        about.decision = decision.as_ref();
        let purpose = match &deed.granted {
            Some(Granted { asked_at, letter: Some(approved) }) => {
                (typed.motivation, typed.version) = (approved.motivation.clone(), approved.version);
                let then = Visit { now: *asked_at, ..Visit::clone(agent) };
                let about = About { author: &nobody, motivation: &approved.motivation, ..about };
                let same = compose::compose(&then, code, approved.version, &about).await?;
                Purpose::Approved(same.is_ok_and(|letter| letter.digest() == approved.digest))
            }
            _ if prepared.is_some() => Purpose::Prepared,
            _ => Purpose::Sent,
        };
        (about.motivation, about.to_post) = (&typed.motivation, typed.to_post);
        let letter = compose::compose(agent, code, typed.version, &about).await?;
        Ok(Some(Self { letter, typed, address, purpose }))
    }

    /// Whether the agent has read these very words.
    pub fn was_read(&self) -> bool {
        self.letter.as_ref().is_ok_and(|letter| letter.digest() == self.typed.seen)
    }

    /// What keeps it from leaving.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.purpose == Purpose::Approved(false) {
            let text = "Cette lettre n’est plus celle qui a été visée\u{a0}: retirez ce que vous avez ajouté. Si son modèle a changé depuis, faites-la viser de nouveau.";
            found.push(("lettre", text.to_owned()));
        }
        if let Err(unfit) = &self.letter {
            found.extend(unfit.sentences.iter().map(|sentence| ("lettre", sentence.clone())));
        }
        let length = self.typed.motivation.chars().count();
        if length > LONGEST {
            let text =
                format!("Ce paragraphe compte {length} caractères\u{a0}: raccourcissez-le à 4\u{202f}000 au plus.");
            found.push(("motivation", text));
        }
        if self.typed.to_post && self.address.is_empty() {
            let text = "Cette demande n’a pas d’adresse postale\u{a0}: la lettre ne peut pas être postée.";
            found.push(("poste", text.to_owned()));
        }
        found
    }

    /// What those who approve will read.
    pub fn prepared(&self) -> Option<Prepared> {
        let letter = self.letter.as_ref().ok().filter(|_| self.purpose == Purpose::Prepared)?;
        Some(Prepared::of(letter, &self.typed.motivation))
    }

    /// The letter to keep.
    pub fn keep(&self, agent: &Agent, department: &str) -> Option<correspondence::New> {
        let letter = self.letter.as_ref().ok().filter(|_| self.purpose != Purpose::Prepared)?;
        Some(correspondence::New {
            id: agent.id(),
            department: department.to_owned(),
            code: letter.code.clone(),
            version: letter.version,
            title: letter.title.clone(),
            content: letter.content.clone(),
            written_on: agent.today(),
            author: Some(agent.account.id),
            to_post: self.typed.to_post,
        })
    }

    /// For the page.
    pub fn json(&self, url: &str) -> Json {
        let (letter, unfit) = (self.letter.as_ref().ok(), self.letter.as_ref().err());
        let earlier = unfit.and_then(|unfit| unfit.earlier);
        json!({
            "content": letter.map(|letter| &letter.content),
            "title": letter.map(|letter| &letter.title),
            "seen": letter.map(Composed::digest).unwrap_or_default(),
            "unfit": unfit.map(|unfit| &unfit.sentences),
            "earlier": earlier.map(|version| json!({"version": version, "href": format!("{url}?modele={version}")})),
            "purpose": match self.purpose { Purpose::Sent => "sent", Purpose::Prepared => "prepared", Purpose::Approved(_) => "approved" },
            "takes_motivation": !matches!(self.purpose, Purpose::Approved(_)) && letter.map_or_else(|| unfit.is_some_and(|unfit| unfit.takes_motivation), |letter| letter.takes_motivation),
            "motivation": self.typed.motivation,
            "to_post": self.typed.to_post,
            "address": self.address,
            "version": letter.filter(|letter| letter.earlier).map(|letter| letter.version),
            "pdf": format!("{url}/lettre.pdf"),
        })
    }
}

/// In the place of who will sign, as long as nobody knows.
fn signatory() -> Author {
    let (name, quality) = ("[Signataire]".to_owned(), "[Qualité]".to_owned());
    Author { name, quality, ..Author::default() }
}

/// The letter as it would be, as a PDF, from what is typed.
pub async fn pdf(agent: Agent, Path((id, transition)): Path<(Uuid, String)>, sent: Sent) -> Result<Response, Problem> {
    let raw = plain(sent).await?;
    let file = super::Opened::open(&agent, id).await?;
    let deed = Deed::of(&agent, &file, &transition, super::give::Typed::read(&raw)).await?;
    let form = Form::read(&agent, &file, deed.transition, &raw);
    let draft = Draft::of(&agent, &deed, &form, Typed::read(&raw), false).await?.ok_or(Problem::NotFound)?;
    let Ok(letter) = &draft.letter else {
        let context: Value = deed.context(&agent, &draft.problems(), Some(&draft), &form, true).await?;
        return agent.page_again("agent/action.html", &deed.transition.label, context);
    };
    let pdf = correspondence::jobs::set(std::slice::from_ref(&letter.content), agent.today()).await?;
    Ok(attachment::pdf(pdf, &format!("apercu-{}.pdf", file.request.reference)))
}
